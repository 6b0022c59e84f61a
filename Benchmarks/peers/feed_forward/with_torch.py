"""With PyTorch: automatic differentiation by torch.func, by hand into memory that is kept, and that translated by torch.compile."""

import os

import torch

torch.set_num_threads(os.cpu_count())


def outputs(layers, x):
    for W, b in layers[:-1]:
        x = torch.tanh(torch.nn.functional.linear(x, W, b))
    return torch.nn.functional.linear(x, *layers[-1])


def factors(layers, x):
    """(a_k of every layer's inputs, δ_k (B, m, n_k) of every layer)."""
    a = [x]
    for W, b in layers[:-1]:
        a.append(torch.tanh(torch.nn.functional.linear(a[-1], W, b)))
    m = len(layers[-1][0])
    delta = [torch.eye(m, dtype=x.dtype).expand(len(x), m, m)]
    for (W, _), activations in zip(layers[:0:-1], a[:0:-1], strict=True):
        through = W if len(delta) == 1 else (delta[-1].reshape(-1, len(W)) @ W).view(len(x), m, -1)
        delta.append(through * (1 - activations**2)[:, None, :])
    return a, delta[::-1]


def of_samples(transform, which):
    def program(layers, x, direction):
        one = torch.func.vmap(transform(outputs, which), (None, 0))
        return lambda: one(layers, x)

    return program


def weights(layers, x, direction):
    m = len(layers[-1][0])
    result = [tuple(torch.zeros(len(x), m, *part.shape, dtype=x.dtype) for part in pair) for pair in layers]

    def call():
        a, delta = factors(layers, x)
        for u, d, (W, b) in zip(a, delta, result, strict=True):
            torch.mul(d[:, :, :, None], u[:, None, None, :], out=W)
            b.copy_(d)
        return result

    return call


def factored(layers, x, direction):
    def call():
        a, delta = factors(layers, x)
        return [(d, u) for u, d in zip(a, delta, strict=True)]

    return call


def through_first(layers, delta):
    return (delta.reshape(-1, delta.shape[2]) @ layers[0][0]).view(len(delta), delta.shape[1], -1)


def inputs(layers, x, direction):
    return lambda: through_first(layers, factors(layers, x)[1][0])


def both(layers, x, direction):
    def call():
        a, delta = factors(layers, x)
        pairs = [(d[:, :, :, None] * u[:, None, None, :], d) for u, d in zip(a, delta, strict=True)]
        return pairs, through_first(layers, delta[0])

    return call


def kernel(layers, x, direction):
    def call():
        a, delta = factors(layers, x)
        B, m = delta[0].shape[:2]
        gram = None
        for u, d in zip(a[:-1], delta[:-1], strict=True):
            rows = d.reshape(B * m, -1)
            part = (rows @ rows.T).view(B, m, B, m)
            part *= (u @ u.T + 1)[:, None, :, None]
            gram = part if gram is None else gram.add_(part)
        gram.diagonal(dim1=1, dim2=3).add_((a[-1] @ a[-1].T + 1)[:, :, None])
        return gram

    return call


def diagonal(layers, x, direction):
    def call():
        a, delta = factors(layers, x)
        squares = [(torch.sum(d**2, dim=1), u**2) for u, d in zip(a[:-1], delta[:-1], strict=True)]
        parts = [(d.T @ u, d.sum(dim=0)) for d, u in squares]
        m = delta[-1].shape[1]
        last = torch.sum(a[-1] ** 2, dim=0).expand(m, -1)
        return [*parts, (last, torch.full((m,), float(len(x)), dtype=x.dtype))]

    return call


def product_of_passes(layers, x, direction):
    def network(layers):
        return outputs(layers, x)

    def call():
        _, along = torch.func.jvp(network, (layers,), (direction,))
        return torch.func.vjp(network, layers)[1](along)[0]

    return call


def product(layers, x, direction):
    """Forward with its tangent beside it, then one reverse sweep."""

    def call():
        a, slopes, tangent = [x], [], None
        for k, ((W, b), (V, v)) in enumerate(zip(layers, direction, strict=True)):
            own = torch.addmm(v, a[-1], V.T)
            tangent = own if tangent is None else own.addmm_(tangent, W.T)
            if k + 1 < len(layers):
                a.append(torch.tanh(torch.nn.functional.linear(a[-1], W, b)))
                slopes.append(1 - a[-1] ** 2)
                tangent *= slopes[-1]
        result = []
        for k in reversed(range(len(layers))):
            result.append((tangent.T @ a[k], tangent.sum(dim=0)))
            if k:
                tangent = (tangent @ layers[k][0]).mul_(slopes[k - 1])
        return result[::-1]

    return call


PROGRAMS = {
    "weights": {"jacrev": of_samples(torch.func.jacrev, 0), "by hand": weights},
    "factors": {"by hand": factored},
    "inputs": {"jacrev": of_samples(torch.func.jacrev, 1), "by hand": inputs},
    "both": {"jacrev": of_samples(torch.func.jacrev, (0, 1)), "by hand": both},
    "kernel": {"by hand": kernel},
    "diagonal": {"by hand": diagonal},
    "product": {"jvp and vjp": product_of_passes, "by hand": product},
}


def build(workload, program, data):
    layers, x, direction = data
    layers, direction = ([tuple(map(torch.from_numpy, pair)) for pair in pairs] for pairs in (layers, direction))
    written = "by hand" if program == "compile" else program
    call = PROGRAMS[workload.wanted][written](layers, torch.from_numpy(x), direction)
    if program == "compile":
        call = torch.compile(call, dynamic=False)

    def canonical(result):
        return [part.detach().numpy() for part in leaves(result)]

    return (call if program == "jacrev" else torch.no_grad()(call)), canonical


def leaves(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [leaf for part in result for leaf in leaves(part)]
