"""Reference cases for the gradients that contract the Jacobian, from JAX in double precision.

usage: generate.py FOLDER    writes FOLDER/<case>/job.json and expected.npz, whose keys are the paths of results

Nothing here uses δ or a: products with J come from jax.jvp and jax.vjp, everything else from jax.jacrev multiplied
out, the output Hessian from jax.hessian of the loss as it is written in textbooks. Needs jax and numpy.
"""
import json
import os
import sys

os.environ["JAX_ENABLE_X64"] = "1"
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

ACTIVATIONS = {
    "identity": lambda v: v, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
    "silu": jax.nn.silu, "sin": jnp.sin, "softmax": jax.nn.softmax, "log-softmax": jax.nn.log_softmax,
}


def network(random, widths, activations, biases):
    layers = []
    for k, name in enumerate(activations):
        weights = random.standard_normal((widths[k + 1], widths[k])) / np.sqrt(widths[k])
        layers.append((weights, random.standard_normal(widths[k + 1]) / 4 if biases[k] else None, name))
    return layers


def names(layers):
    return [n for k, (_, b, _) in enumerate(layers, 1) for n in ([f"W{k}", f"b{k}"] if b is not None else [f"W{k}"])]


def case(folder, name, seed, widths, activations, batch, biases=None, outputs=None, parameters=None,
         loss="squared-error", vectors=None, form="full", others=None, per_sample=False, by_parameter=False):
    random = np.random.default_rng(seed)
    layers = network(random, widths, activations, biases or [True] * len(activations))
    all_names = names(layers)
    chosen = [n for n in all_names if n in (parameters or all_names)]
    kept = outputs if outputs is not None else list(range(widths[-1]))
    w0 = {n: jnp.asarray(layers[int(n[1:]) - 1][0 if n[0] == "W" else 1]) for n in all_names}
    x = random.standard_normal((batch, widths[0]))

    def y(w, x):
        a = x
        for k, (_, b, activation) in enumerate(layers, 1):
            v = w[f"W{k}"] @ a
            a = ACTIVATIONS[activation](v + w[f"b{k}"] if b is not None else v)
        return a

    def of_chosen(w, x):
        return y({**w0, **w}, x)[jnp.asarray(kept)]

    w = {n: w0[n] for n in chosen}
    sizes = [w[n].size for n in chosen]
    total = sum(sizes)

    def flat(tree, lead):
        return np.concatenate([np.asarray(tree[n]).reshape(*lead, -1) for n in chosen], -1)

    def jacobian(inputs):
        tree = jax.vmap(lambda x: jax.jacrev(of_chosen)(w, x))(inputs)
        return flat(tree, (len(inputs), len(kept)))

    def parts(matrix):
        ends = np.cumsum(sizes)
        return {n: matrix[..., e - s:e].reshape(*matrix.shape[:-1], *w[n].shape) for n, s, e in zip(chosen, sizes, ends)}

    J = jacobian(x)
    V = random.standard_normal((vectors or 1, total))
    u = random.standard_normal((batch, vectors, len(kept)) if vectors else (batch, len(kept)))

    # J V by jax.jvp, uᵀJ by jax.vjp.
    def tangent(v):
        direction = {n: jnp.asarray(part) for n, part in parts(v).items()}
        return jax.vmap(lambda x: jax.jvp(lambda w: of_chosen(w, x), (w,), (direction,))[1])(x)

    JV = np.stack([np.asarray(tangent(v)) for v in V], 1)
    pull = lambda x, u: jax.vjp(lambda w: of_chosen(w, x), w)[1](u)[0]
    several = u if vectors else u[:, None]
    uJ = np.stack([flat(jax.vmap(pull)(x, several[:, k]), (batch,)) for k in range(several.shape[1])], 1)

    # H: the second derivative of the loss with respect to all outputs, any target.
    if loss == "squared-error":
        of_outputs = lambda y: 0.5 * jnp.sum((y - 0.3) ** 2)
    else:
        of_outputs = lambda y: jax.scipy.special.logsumexp(y) - y[0]
    H = np.asarray(jax.vmap(lambda x: jax.hessian(of_outputs)(y(w0, x)))(x))[:, kept][:, :, kept]
    G = np.einsum("bop,boq,bqr->pr", J, H, J, optimize=True)

    expected = {"jvp": JV if vectors else JV[:, 0]}
    if not vectors:
        uJ = uJ[:, 0]
    for n, part in parts(uJ if per_sample else uJ.sum(0)).items():
        expected[f"vjp/{n}"] = part
    for n, part in parts(np.diag(G)).items():
        expected[f"gauss-newton-diagonal/{n}"] = part
    GV = V @ G
    for n, part in parts(GV if vectors else GV[0]).items():
        expected[f"gauss-newton-product/{n}"] = part
    expected["gauss-newton"] = G
    x2 = random.standard_normal((others, widths[0])) if others else x
    J2 = jacobian(x2)
    theta = np.einsum("bop,cqp->bocq", J, J2, optimize=True)
    expected["neural-tangent-kernel"] = theta if form == "full" else np.stack(
        [theta[:, o, :, o] for o in range(len(kept))])
    for n, part in parts(J).items():
        expected[f"norms/{n}"] = np.linalg.norm(part.reshape(batch, len(kept), -1), axis=-1)
    Jx = np.asarray(jax.vmap(lambda x: jax.jacrev(lambda x: of_chosen(w, x))(x))(x))
    expected["singular-values/parameter-jacobian"] = np.linalg.svd(J, compute_uv=False)
    expected["singular-values/input-jacobian"] = np.linalg.svd(Jx, compute_uv=False)

    subset = {}
    if outputs is not None:
        subset["outputs"] = outputs
    if parameters is not None:
        subset["parameters"] = parameters
    as_written = parts(V) if by_parameter else V
    if by_parameter:
        directions = {n: (part if vectors else part[0]).tolist() for n, part in as_written.items()}
    else:
        directions = (V if vectors else V[0]).tolist()
    document = {
        "version": 1,
        "network": {"type": "feed-forward", "layers": [
            {"weights": W.tolist(), **({} if b is None else {"biases": b.tolist()}), "activation": a}
            for W, b, a in layers]},
        "inputs": x.tolist(), "dtype": "float64", "verify": True,
        "gradients": [
            {"of": "jvp", "vectors": directions, **subset},
            {"of": "vjp", "vectors": u.tolist(), **({"per_sample": True} if per_sample else {}), **subset},
            {"of": "gauss-newton-diagonal", "loss": loss, **subset},
            {"of": "gauss-newton-product", "loss": loss, "vectors": directions, **subset},
            {"of": "gauss-newton", "loss": loss, **subset},
            {"of": "neural-tangent-kernel", "form": form, **({"other_inputs": x2.tolist()} if others else {}), **subset},
            {"of": "norms", **subset},
            {"of": "singular-values", **subset},
        ],
    }
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "job.json"), "w") as file:
        json.dump(document, file)
    np.savez_compressed(os.path.join(path, "expected.npz"), **expected)


if __name__ == "__main__":
    folder = sys.argv[1]
    case(folder, "squared-error", 1, [4, 6, 5, 3], ["tanh", "silu", "identity"], 5)
    case(folder, "cross-entropy", 2, [4, 6, 4], ["tanh", "identity"], 6, loss="softmax-cross-entropy", vectors=3,
         per_sample=True, form="per-output", others=4)
    case(folder, "subset", 3, [3, 7, 6, 5], ["sin", "sigmoid", "tanh"], 4, outputs=[4, 0, 2], parameters=["b1", "W2", "W3"],
         loss="softmax-cross-entropy", vectors=2, by_parameter=True, others=3)
    case(folder, "log-softmax", 4, [5, 6, 4], ["softplus", "log-softmax"], 5, biases=[False, True],
         loss="softmax-cross-entropy", by_parameter=True, per_sample=True)
    case(folder, "softmax-inside", 5, [3, 5, 4, 3], ["softmax", "log-softmax", "identity"], 4, biases=[True, False, True],
         outputs=[1, 2], form="per-output", vectors=1)
    case(folder, "one-layer", 6, [3, 6], ["identity"], 3, vectors=2, per_sample=True)
    case(folder, "width-one", 7, [1, 1, 1], ["tanh", "tanh"], 1, loss="softmax-cross-entropy")
    case(folder, "many-samples", 8, [3, 6, 2], ["tanh", "identity"], 70, parameters=["W1", "b2"], others=40)
