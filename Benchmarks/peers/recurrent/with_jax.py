"""With JAX under jit, float64: automatic differentiation, and by hand."""

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402


def states(W, b, x, m):
    """z of every step; what x and b give is one product outside the loop."""
    nx = x.shape[1]
    recurrent = W[:, nx:]

    def step(r, field):
        z = jnp.tanh(recurrent @ r + field)
        return z[m:], z

    return lax.scan(step, jnp.zeros(len(W) - m), x @ W[:, :nx].T + b)[1]


def outputs(W, b, x, m):
    """y of every step, without keeping r."""
    nx = x.shape[1]
    recurrent = W[:, nx:]

    def step(r, field):
        z = jnp.tanh(recurrent @ r + field)
        return z[m:], z[:m]

    return lax.scan(step, jnp.zeros(len(W) - m), x @ W[:, :nx].T + b)[1]


def automatic(transform, m, choose=lambda y: y):
    return lambda W, b, x, d: transform(lambda W, b: choose(outputs(W, b, x, m)), (0, 1))(W, b)


def gradient(m):
    return lambda W, b, x, d: jax.grad(lambda W, b: 0.5 * jnp.sum((outputs(W, b, x, m) - d) ** 2), (0, 1))(W, b)


def with_ones(x, Z, m):
    """(x(n), r(n−1), 1) of every step: the last is what b is multiplied by."""
    before = jnp.concatenate([jnp.zeros((1, Z.shape[1] - m)), Z[:-1, m:]])
    return jnp.concatenate([x, before, jnp.ones((len(x), 1))], axis=1)


def joined(own, past):
    """(…, m, units, columns + 1) from what y's own units and what r's units give."""
    m = own.shape[-2]
    return jnp.concatenate([jnp.eye(m)[:, :, None] * own[..., :, None, :], past], axis=-2)


def forward(m):
    def program(W, b, x, d):
        nx, R = x.shape[1], len(W) - m
        recurrent, unit = W[:, nx:], jnp.arange(R)

        def step(carry, given):
            r, S = carry
            row, field = given
            z = jnp.tanh(recurrent @ r + field)
            f = 1 - z**2
            u = jnp.concatenate([row, r, jnp.ones(1)])
            product = ((f[:, None] * recurrent) @ S.reshape(R, -1)).reshape(len(W), R, -1)
            following = product[m:].at[unit, unit].add(f[m:, None] * u)
            return (z[m:], following), joined(f[:m, None] * u, product[:m])

        start = (jnp.zeros(R), jnp.zeros((R, R, W.shape[1] + 1)))
        return lax.scan(step, start, (x, x @ W[:, :nx].T + b))[1]

    return program


def adjoint(m):
    """All steps go back together, a step of time at once; then one product for each."""

    def program(W, b, x, d):
        (T, nx), R = x.shape, len(W) - m
        Z = states(W, b, x, m)
        F, U = 1 - Z**2, with_ones(x, Z, m)

        def back(rows, lag):
            l = jnp.arange(T) - lag
            slopes = jnp.where((l >= 0)[:, None], F[jnp.maximum(l, 0), m:], 0)
            g = rows * slopes[:, None, :]
            return (g.reshape(T * m, R) @ W[m:, nx:]).reshape(T, m, R), g

        lags = jnp.arange(1, T)
        G = lax.scan(back, F[:, :m, None] * W[:m, nx:], lags)[1]  # (lag, n, m, R)
        earlier = U[jnp.maximum(jnp.arange(T)[None, :] - lags[:, None], 0)]
        return joined(F[:, :m, None] * U[:, None, :], jnp.einsum("lnor,lni->nori", G, earlier))

    return program


def sweep(m):
    def program(W, b, x, d):
        Z = states(W, b, x, m)
        recurrent = W[:, x.shape[1] :]

        def back(g, given):
            u, slopes = given
            row = jnp.concatenate([u, g]) * slopes
            return row @ recurrent, row

        D = lax.scan(back, jnp.zeros(len(W) - m), (Z[:, :m] - d, 1 - Z**2), reverse=True)[1]
        return D.T @ with_ones(x, Z, m)

    return program


def last(m):
    def program(W, b, x, d):
        nx = x.shape[1]
        Z = states(W, b, x, m)
        F, U = 1 - Z**2, with_ones(x, Z, m)

        def back(rows, slopes):
            g = rows * slopes
            return g @ W[m:, nx:], g

        G = lax.scan(back, F[-1, :m, None] * W[:m, nx:], F[:-1, m:], reverse=True)[1]
        return joined(F[-1, :m, None] * U[-1], jnp.einsum("lor,li->ori", G, U[:-1]))

    return program


PROGRAMS = {
    "all": {
        "jacrev": lambda m: automatic(jax.jacrev, m),
        "jacfwd": lambda m: automatic(jax.jacfwd, m),
        "forward": forward,
        "adjoint": adjoint,
    },
    "loss": {"grad": gradient, "by hand": sweep},
    "last": {"jacrev": lambda m: automatic(jax.jacrev, m, lambda y: y[-1]), "by hand": last},
}


def build(workload, program, data):
    arrays = [jnp.asarray(array) for array in data]
    function = jax.jit(PROGRAMS[workload.wanted][program](workload.outputs))

    def canonical(result):
        if isinstance(result, tuple):  # (W, b)
            weights, biases = (np.asarray(part) for part in result)
        else:  # b is the last column
            weights, biases = np.asarray(result)[..., :-1], np.asarray(result)[..., -1]
        return [np.concatenate([weights.reshape(*weights.shape[:-2], -1), biases], axis=-1)]

    return lambda: jax.block_until_ready(function(*arrays)), canonical
