"""By hand in NumPy: products in BLAS on all cores, large results into memory that is kept, a thread for each core."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

THREADS = ThreadPoolExecutor(os.cpu_count())


def forward(layers, x):
    """a_k of every layer's inputs."""
    a = [x]
    for W, b in layers[:-1]:
        v = a[-1] @ W.T
        v += b
        a.append(np.tanh(v, out=v))
    return a


def backward(layers, a):
    """δ_k (B, m, n_k) of every layer but the last, whose δ is the identity."""
    B, m = len(a[0]), len(layers[-1][0])
    delta = []
    for (W, _), activations in zip(layers[:0:-1], a[:0:-1], strict=True):
        slopes = 1 - activations * activations
        if delta:
            rows = (delta[-1].reshape(B * m, -1) @ W).reshape(B, m, -1)
            rows *= slopes[:, None, :]
        else:
            rows = W * slopes[:, None, :]
        delta.append(rows)
    return delta[::-1]


class Jacobian:
    """∂y/∂w: an array for each parameter; what the identity leaves zero is never written again."""

    def __init__(self, layers, samples):
        m = len(layers[-1][0])
        self.pairs = [tuple(np.zeros((samples, m, *part.shape), part.dtype) for part in pair) for pair in layers]
        self.pairs[-1][1][:] = np.eye(m)

    def fill(self, a, delta, samples):
        for u, d, (W, b) in zip(a[:-1], delta, self.pairs[:-1], strict=True):
            np.multiply(d[samples, :, :, None], u[samples, None, None, :], out=W[samples])
            b[samples] = d[samples]
        last = self.pairs[-1][0]
        for o in range(last.shape[1]):
            last[samples, o, o] = a[-1][samples]


def weights(layers, x, direction):
    jacobian = Jacobian(layers, len(x))
    step = max(1, len(x) // 32)
    parts = [slice(start, start + step) for start in range(0, len(x), step)]

    def call():
        a = forward(layers, x)
        delta = backward(layers, a)
        for _ in THREADS.map(lambda samples: jacobian.fill(a, delta, samples), parts):
            pass
        return jacobian.pairs

    return call


def factored(layers, x, direction):
    m = len(layers[-1][0])
    identity = np.tile(np.eye(m, dtype=x.dtype), (len(x), 1, 1))

    def call():
        a = forward(layers, x)
        return [*zip(backward(layers, a), a, strict=False), (identity, a[-1])]

    return call


def through_first(layers, delta):
    return (delta.reshape(-1, delta.shape[2]) @ layers[0][0]).reshape(len(delta), delta.shape[1], -1)


def inputs(layers, x, direction):
    return lambda: through_first(layers, backward(layers, forward(layers, x))[0])


def both(layers, x, direction):
    """One sample, one hidden layer: as few calls as there can be."""
    (W1, b1), (W2, b2) = layers
    (x,) = x
    identity = np.eye(len(W2), dtype=x.dtype)

    def call():
        a = np.tanh(W1 @ x + b1)
        delta = W2 * (1 - a * a)
        return delta[:, :, None] * x, delta, identity[:, :, None] * a, identity, delta @ W1

    return call


def kernel(layers, x, direction):
    """Some rows of the Gram matrix at a time, while they are in cache."""
    B, m, together = len(x), len(layers[-1][0]), 16
    gram = np.zeros((B, m, B, m), x.dtype)
    part = np.empty((together * m, B * m), x.dtype)
    outputs = np.arange(m)

    def call():
        a = forward(layers, x)
        delta = [d.reshape(B * m, -1) for d in backward(layers, a)]
        for first in range(0, B, together):
            samples = slice(first, first + together)
            rows = gram[samples]
            for k, (u, d) in enumerate(zip(a[:-1], delta, strict=True)):
                into = part if k else rows.reshape(together * m, B * m)
                np.matmul(d[first * m : (first + together) * m], d.T, out=into)
                scale = u[samples] @ u.T
                scale += 1
                into.reshape(together, m, B * m)[:] *= np.repeat(scale, m, axis=1)[:, None, :]
                if k:
                    rows += part.reshape(rows.shape)
            scale = a[-1][samples] @ a[-1].T
            scale += 1
            rows[:, outputs, :, outputs] += scale
        return [gram]

    return call


def diagonal(layers, x, direction):
    m = len(layers[-1][0])

    def call():
        a = forward(layers, x)
        result = []
        for u, d in zip(a, backward(layers, a), strict=False):
            squares = np.einsum("boj,boj->bj", d, d)
            result.append((squares.T @ (u * u), squares.sum(axis=0)))
        last = np.einsum("bi,bi->i", a[-1], a[-1])
        return [*result, (np.broadcast_to(last, (m, len(last))), np.full(m, len(x), x.dtype))]

    return call


def product(layers, x, direction):
    """Forward with its tangent beside it, then one reverse sweep."""

    def call():
        a, tangent = forward(layers, x), None
        for k, ((W, _), (V, v)) in enumerate(zip(layers, direction, strict=True)):
            own = a[k] @ V.T
            own += v
            if k:
                own += tangent @ W.T
            if k + 1 < len(layers):
                own *= 1 - a[k + 1] * a[k + 1]
            tangent = own
        result = []
        for k in reversed(range(len(layers))):
            result.append((tangent.T @ a[k], tangent.sum(axis=0)))
            if k:
                tangent = tangent @ layers[k][0]
                tangent *= 1 - a[k] * a[k]
        return result[::-1]

    return call


PROGRAMS = {
    "weights": weights,
    "factors": factored,
    "inputs": inputs,
    "both": both,
    "kernel": kernel,
    "diagonal": diagonal,
    "product": product,
}


def build(workload, program, data):
    def canonical(result):
        entries = [result] if isinstance(result, np.ndarray) else result
        parts = [part for entry in entries for part in (entry if isinstance(entry, tuple) else (entry,))]
        return [part.reshape(shape) for part, shape in zip(parts, workload.result_shapes, strict=True)]

    return PROGRAMS[workload.wanted](*data), canonical
