"""With PyTorch, float64: automatic differentiation, and by hand."""

import os

import numpy as np
import torch

torch.set_num_threads(os.cpu_count())


def outputs(W, b, x, m):
    nx = x.shape[1]
    recurrent, fields = W[:, nx:], (x @ W[:, :nx].T + b).unbind(0)
    r, y = torch.zeros(len(W) - m, dtype=x.dtype), []
    for field in fields:
        z = torch.tanh(recurrent @ r + field)
        y.append(z[:m])
        r = z[m:]
    return torch.stack(y)


def automatic(transform, choose=lambda y: y):
    def program(W, b, x, d, m):
        return lambda: transform(lambda W, b: choose(outputs(W, b, x, m)), (0, 1))(W, b)

    return program


def gradient(W, b, x, d, m):
    def call():
        parts = [part.clone().requires_grad_() for part in (W, b)]
        return torch.autograd.grad(0.5 * ((outputs(*parts, x, m) - d) ** 2).sum(), parts)

    return call


def trajectory(W, b, x, m):
    T, nx = x.shape
    Z = torch.zeros(T + 1, len(W), dtype=x.dtype)
    recurrent, fields, rows = W[:, nx:].contiguous(), (x @ W[:, :nx].T + b).unbind(0), Z.unbind(0)
    for n in range(T):
        torch.tanh(torch.addmv(fields[n], recurrent, rows[n][m:]), out=rows[n + 1])
    U = torch.cat([x, Z[:-1, m:], torch.ones(T, 1, dtype=x.dtype)], 1)
    return Z[1:], 1 - Z[1:] ** 2, U


def adjoint(W, b, x, d, m, together=64):
    """As in NumPy: the steps of a group go back together, then one product for each."""
    T, nx = x.shape
    R, columns = len(W) - m, W.shape[1] + 1
    together = min(T, together)
    G = torch.zeros(T, together, m, R, dtype=x.dtype)
    result = torch.zeros(T, m, m + R, columns, dtype=x.dtype)
    own, recurrent = W[:m, nx:].contiguous(), W[m:, nx:].contiguous()

    @torch.no_grad()
    def call():
        _, F, U = trajectory(W, b, x, m)
        for o in range(m):
            torch.mul(F[:, o, None], U, out=result[:, o, o])
        for first in range(0, T, together):
            end = min(first + together, T)
            back = F[first:end, :m, None] * own
            for l in range(end - 2, -1, -1):
                start = max(l + 1, first) - first
                g = G[l, start : end - first]
                torch.mul(back[start:], F[l, m:], out=g)
                torch.mm(g.reshape(-1, R), recurrent, out=back[start:].view(-1, R))
            for n in range(max(first, 1), end):
                past = G[:n, n - first].reshape(n, m * R)
                result[n, :, m:] = (past.T @ U[:n]).view(m, R, columns)
        return result

    return call


def sweep(W, b, x, d, m):
    T, nx = x.shape
    recurrent = W[:, nx:].T.contiguous()

    @torch.no_grad()
    def call():
        Z, F, U = trajectory(W, b, x, m)
        D = torch.empty(T, len(W), dtype=x.dtype)
        D[:, :m] = (Z[:, :m] - d) * F[:, :m]
        rows, slopes, g = D.unbind(0), F[:, m:].unbind(0), torch.zeros(len(W) - m, dtype=x.dtype)
        for n in range(T - 1, -1, -1):
            torch.mul(g, slopes[n], out=rows[n][m:])
            g = torch.mv(recurrent, rows[n])
        return D.T @ U

    return call


PROGRAMS = {
    "all": {"jacrev": automatic(torch.func.jacrev), "adjoint": adjoint},
    "loss": {"grad": gradient, "by hand": sweep},
    "last": {"jacrev": automatic(torch.func.jacrev, lambda y: y[-1])},
}


def build(workload, program, data):
    arrays = [torch.from_numpy(array) for array in data]
    call = PROGRAMS[workload.wanted][program](*arrays, workload.outputs)

    def canonical(result):
        if isinstance(result, tuple):
            weights, biases = (part.detach().numpy() for part in result)
        else:
            weights, biases = result.numpy()[..., :-1], result.numpy()[..., -1]
        return [np.concatenate([weights.reshape(*weights.shape[:-2], -1), biases], axis=-1)]

    return call, canonical
