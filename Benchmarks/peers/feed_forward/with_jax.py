"""With JAX under jit: automatic differentiation, and by hand; large results go into memory given back (donated)."""

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402


def outputs(layers, x):
    for W, b in layers[:-1]:
        x = jnp.tanh(x @ W.T + b)
    W, b = layers[-1]
    return x @ W.T + b


def factors(layers, x):
    """(a_k of every layer's inputs, δ_k (B, m, n_k) of every layer)."""
    a = [x]
    for W, b in layers[:-1]:
        a.append(jnp.tanh(a[-1] @ W.T + b))
    m = len(layers[-1][0])
    delta = [jnp.broadcast_to(jnp.eye(m, dtype=x.dtype), (len(x), m, m))]
    for (W, _), activations in zip(layers[:0:-1], a[:0:-1], strict=True):
        # The last layer is linear: what goes through it is its weights.
        through = W if len(delta) == 1 else (delta[-1].reshape(-1, len(W)) @ W).reshape(len(x), m, -1)
        delta.append(through * (1 - activations**2)[:, None, :])
    return a, delta[::-1]


def of_samples(transform, which):
    """A transform of one sample's outputs, mapped over samples."""
    one = transform(lambda layers, x: outputs(layers, x), which)
    return lambda layers, x, direction: jax.vmap(one, (None, 0))(layers, x)


def weights(layers, x, direction):
    a, delta = factors(layers, x)
    return [(d[:, :, :, None] * u[:, None, None, :], d) for u, d in zip(a, delta, strict=True)]


def factored(layers, x, direction):
    a, delta = factors(layers, x)
    return [(d, u) for u, d in zip(a, delta, strict=True)]


def inputs(layers, x, direction):
    delta = factors(layers, x)[1][0]
    return (delta.reshape(-1, delta.shape[2]) @ layers[0][0]).reshape(len(x), delta.shape[1], -1)


def both(layers, x, direction):
    return weights(layers, x, direction), inputs(layers, x, direction)


def kernel(layers, x, direction):
    """Σ_k (δ_k δ_kᵀ) ∘ (a aᵀ + 1), never J."""
    a, delta = factors(layers, x)
    B, m = delta[0].shape[:2]
    gram = jnp.eye(m, dtype=x.dtype)[None, :, None, :] * (a[-1] @ a[-1].T + 1)[:, None, :, None]
    for u, d in zip(a[:-1], delta[:-1], strict=True):
        rows = d.reshape(B * m, -1)
        gram += (rows @ rows.T).reshape(B, m, B, m) * (u @ u.T + 1)[:, None, :, None]
    return gram


def diagonal(layers, x, direction):
    a, delta = factors(layers, x)
    squares = [(jnp.sum(d**2, axis=1), u**2) for u, d in zip(a[:-1], delta[:-1], strict=True)]
    parts = [(d.T @ u, d.sum(axis=0)) for d, u in squares]
    m = delta[-1].shape[1]
    last = jnp.broadcast_to(jnp.sum(a[-1] ** 2, axis=0), (m, a[-1].shape[1]))
    return [*parts, (last, jnp.full(m, len(x), x.dtype))]


def product(layers, x, direction):
    """linearize once, then its transpose."""
    _, forward = jax.linearize(lambda layers: outputs(layers, x), layers)
    return jax.linear_transpose(forward, layers)(forward(direction))[0]


def product_of_passes(layers, x, direction):
    def network(layers):
        return outputs(layers, x)

    _, along = jax.jvp(network, (layers,), (direction,))
    return jax.vjp(network, layers)[1](along)[0]


PROGRAMS = {
    "weights": {"jacrev": of_samples(jax.jacrev, 0), "by hand": weights},
    "factors": {"by hand": factored},
    "inputs": {"jacrev": of_samples(jax.jacrev, 1), "by hand": inputs},
    "both": {"jacrev": of_samples(jax.jacrev, (0, 1)), "by hand": both},
    "kernel": {"by hand": kernel},
    "diagonal": {"by hand": diagonal},
    "product": {"linearize": product, "jvp and vjp": product_of_passes},
}


def build(workload, program, data):
    arguments = jax.tree.map(jnp.asarray, data)
    function = PROGRAMS[workload.wanted][program]

    def canonical(result):
        return [np.asarray(part) for part in jax.tree.leaves(result)]

    if workload.wanted != "weights":
        translated = jax.jit(function)
        return lambda: jax.block_until_ready(translated(*arguments)), canonical
    into = jax.jit(lambda old, *arguments: function(*arguments), donate_argnums=0, keep_unused=True)
    shapes = jax.eval_shape(function, *arguments)
    memory = jax.tree.map(lambda part: jnp.zeros(part.shape, part.dtype), shapes)

    def call():
        nonlocal memory
        memory = jax.block_until_ready(into(memory, *arguments))
        return memory

    return call, canonical
