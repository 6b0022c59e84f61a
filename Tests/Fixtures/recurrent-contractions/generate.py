"""Reference cases for what contracts the Jacobian of a recurrent network, from JAX in double precision.

usage: generate.py FOLDER    writes FOLDER/<case>/job.json and expected.npz, whose keys are the paths of results

A sequence is run by jax.lax.scan. Products with J come from jax.jvp and jax.vjp of the whole sequence, everything else
from jax.jacrev of it multiplied out, the output Hessian from jax.hessian of the loss as it is written in textbooks.
Steps beyond a sequence's length are cut off in NumPy. Needs jax and numpy.
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


def case(folder, name, seed, inputs, units, outputs_of, hidden, activations, batch, steps, biases=None, outputs=None,
         parameters=None, chosen_steps="all", lengths=None, has_state=False, loss="squared-error", vectors=None,
         per_sample=False, by_parameter=False, shared=None, form="full", others=None):
    random = np.random.default_rng(seed)
    widths = [inputs + units, *hidden, outputs_of + units]
    layers = []
    for k, activation in enumerate(activations):
        weights = random.standard_normal((widths[k + 1], widths[k])) / np.sqrt(widths[k])
        has_biases = biases is None or biases[k]
        layers.append((weights, random.standard_normal(widths[k + 1]) / 4 if has_biases else None, activation))
    all_names = [n for k, (_, b, _) in enumerate(layers, 1) for n in ([f"W{k}", f"b{k}"] if b is not None else [f"W{k}"])]
    chosen = [n for n in all_names if n in (parameters or all_names)]
    kept = outputs if outputs is not None else list(range(outputs_of))
    w0 = {n: jnp.asarray(layers[int(n[1:]) - 1][0 if n[0] == "W" else 1]) for n in all_names}
    x = random.standard_normal((batch, steps, inputs))
    r0 = random.standard_normal((batch, units)) if has_state else np.zeros((batch, units))
    own = lengths or [steps] * batch

    def f(w, a):
        for k, (_, b, activation) in enumerate(layers, 1):
            v = w[f"W{k}"] @ a
            a = ACTIVATIONS[activation](v + w[f"b{k}"] if b is not None else v)
        return a

    def y(w, x, r):
        """All y(n) of a sequence, (T, |y|)."""
        def step(r, x):
            z = f({**w0, **w}, jnp.concatenate([x, r]))
            return z[outputs_of:], z[:outputs_of]
        return jax.lax.scan(step, r, x)[1]

    # rows[b]: the steps of the time axis, from 0; None where a sequence has no such step.
    def rows_of(length):
        if chosen_steps == "last":
            return [length - 1]
        some = range(steps) if chosen_steps == "all" else [n - 1 for n in chosen_steps]
        return [n if n < length else None for n in some]

    rows = [rows_of(length) for length in own]
    count = len(rows[0])
    mask = np.array([[n is not None for n in r] for r in rows], float)
    index = np.array([[n or 0 for n in r] for r in rows])

    def picked(w, x, r, index):
        return y(w, x, r)[index][:, jnp.asarray(kept)]

    w = {n: w0[n] for n in chosen}
    sizes = [w[n].size for n in chosen]
    total = sum(sizes)

    def parts(matrix):
        ends = np.cumsum(sizes)
        return {n: matrix[..., e - s:e].reshape(*matrix.shape[:-1], *w[n].shape) for n, s, e in zip(chosen, sizes, ends)}

    def flat(tree, lead):
        return np.concatenate([np.asarray(tree[n]).reshape(*lead, -1) for n in chosen], -1)

    J = flat(jax.vmap(lambda x, r, i: jax.jacrev(picked)(w, x, r, i))(x, r0, index), (batch, count, len(kept)))
    J = J * mask[..., None, None]
    axis = [] if chosen_steps == "last" else [count]
    V = random.standard_normal((vectors or 1, total))
    u_shape = {None: [batch] + ([vectors] if vectors else []) + axis + [len(kept)], "sequences": axis + [len(kept)],
               "steps": [len(kept)]}[shared]
    u = random.standard_normal(u_shape)

    # J V by jax.jvp, uᵀJ by jax.vjp.
    def tangent(v):
        direction = {n: jnp.asarray(part) for n, part in parts(v).items()}
        return jax.vmap(lambda x, r, i: jax.jvp(lambda w: picked(w, x, r, i), (w,), (direction,))[1])(x, r0, index)

    JV = np.stack([np.asarray(tangent(v)) * mask[..., None] for v in V], 1)
    several = np.broadcast_to(u.reshape((batch, -1, count, len(kept)) if shared is None else
                                        ((1, 1, count, len(kept)) if shared == "sequences" else (1, 1, 1, len(kept)))),
                              (batch, vectors or 1, count, len(kept))) * mask[:, None, :, None]
    pull = lambda x, r, i, u: jax.vjp(lambda w: picked(w, x, r, i), w)[1](u)[0]
    uJ = np.stack([flat(jax.vmap(pull)(x, r0, index, several[:, k]), (batch,)) for k in range(several.shape[1])], 1)

    # H: the second derivative of the loss with respect to all outputs of a step, any target.
    if loss == "squared-error":
        of_outputs = lambda y: 0.5 * jnp.sum((y - 0.3) ** 2)
    else:
        of_outputs = lambda y: jax.scipy.special.logsumexp(y) - y[0]
    Y = jax.vmap(lambda x, r, i: y(w, x, r)[i])(x, r0, index)
    H = np.asarray(jax.vmap(jax.vmap(jax.hessian(of_outputs)))(Y))[:, :, kept][:, :, :, kept]
    G = np.einsum("bnop,bnoq,bnqr->pr", J, H, J, optimize=True)

    squeezed = (lambda array, at: array[(slice(None),) * at + (0,)]) if chosen_steps == "last" else (lambda array, at: array)
    several_axis = (lambda array, at: array) if vectors else (lambda array, at: array[(slice(None),) * at + (0,)])
    expected = {"jvp": several_axis(squeezed(JV, 2), 1)}
    has_axis = vectors and shared is None
    uJ = uJ if has_axis else uJ[:, 0]
    for n, part in parts(uJ if per_sample else uJ.sum(0)).items():
        expected[f"vjp/{n}"] = part
    for n, part in parts(several_axis(V @ G, 0)).items():
        expected[f"gauss-newton-product/{n}"] = part

    for n, part in parts(np.diag(G)).items():
        expected[f"gauss-newton-diagonal/{n}"] = part
    expected["gauss-newton"] = G
    for n, part in parts(J).items():
        expected[f"norms/{n}"] = squeezed(np.linalg.norm(part.reshape(batch, count, len(kept), -1), axis=-1), 1)
    expected["singular-values/parameter-jacobian"] = squeezed(np.linalg.svd(J, compute_uv=False), 1)

    # Θ between the sequences and others of full length, from r(0) of their own.
    if others:
        x2 = random.standard_normal((others, steps, inputs))
        r2 = random.standard_normal((others, units))
        index2 = np.array([[n or 0 for n in rows_of(steps)]] * others)
        J2 = flat(jax.vmap(lambda x, r, i: jax.jacrev(picked)(w, x, r, i))(x2, r2, index2), (others, count, len(kept)))
    else:
        J2 = J
    theta = np.einsum("bnop,cmqp->bnocmq", J, J2, optimize=True)
    if form == "full":
        theta = squeezed(theta, 4)
        theta = squeezed(theta, 1)
    else:
        theta = np.stack([squeezed(squeezed(theta[:, :, o, :, :, o], 3), 1) for o in range(len(kept))])
    expected["neural-tangent-kernel"] = theta

    subset = {}
    if outputs is not None:
        subset["outputs"] = outputs
    if parameters is not None:
        subset["parameters"] = parameters
    if chosen_steps != "all":
        subset["steps"] = chosen_steps
    if by_parameter:
        directions = {n: several_axis(part, 0).tolist() for n, part in parts(V).items()}
    else:
        directions = several_axis(V, 0).tolist()
    document = {
        "version": 1,
        "network": {"type": "recurrent", "recurrent_units": units, "layers": [
            {"weights": W.tolist(), **({} if b is None else {"biases": b.tolist()}), "activation": a}
            for W, b, a in layers], **({"initial_state": r0.tolist()} if has_state else {})},
        "inputs": x.tolist(), "dtype": "float64", "verify": True,
        **({"lengths": lengths} if lengths else {}),
        "gradients": [
            {"of": "jvp", "vectors": directions, **subset},
            {"of": "vjp", "vectors": u.tolist(), **({"per_sample": True} if per_sample else {}), **subset},
            {"of": "gauss-newton-product", "loss": loss, "vectors": directions, **subset},
            {"of": "gauss-newton-diagonal", "loss": loss, **subset},
            {"of": "gauss-newton", "loss": loss, **subset},
            {"of": "neural-tangent-kernel", "form": form, **subset,
             **({"other_inputs": x2.tolist(), "other_initial_state": r2.tolist()} if others else {})},
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
    case(folder, "squared-error", 1, 2, 3, 2, [5], ["tanh", "identity"], 2, 6)
    case(folder, "cross-entropy", 2, 2, 2, 3, [4], ["tanh", "identity"], 3, 5, has_state=True,
         loss="softmax-cross-entropy", vectors=3, per_sample=True, form="per-output", others=2)
    case(folder, "lengths", 3, 1, 2, 3, [5, 4], ["sin", "sigmoid", "tanh"], 4, 6, lengths=[6, 1, 3, 5], outputs=[2, 0],
         parameters=["b1", "W2", "W3"], loss="softmax-cross-entropy", vectors=2, by_parameter=True, others=2)
    case(folder, "last-step", 4, 2, 2, 2, [4], ["softplus", "log-softmax"], 3, 5, biases=[False, True],
         lengths=[5, 2, 4], chosen_steps="last", loss="softmax-cross-entropy", by_parameter=True, per_sample=True, form="per-output")
    case(folder, "some-steps", 5, 2, 3, 3, [], ["tanh"], 2, 7, chosen_steps=[2, 5, 7], lengths=[7, 4], outputs=[1, 2],
         vectors=1)
    case(folder, "softmax-inside", 6, 2, 2, 3, [4], ["softmax", "silu"], 2, 4, biases=[True, False], has_state=True,
         shared="sequences")
    case(folder, "width-one", 7, 1, 1, 1, [], ["tanh"], 1, 1, loss="softmax-cross-entropy", shared="steps")
    case(folder, "long", 8, 2, 3, 1, [], ["tanh"], 1, 60, parameters=["W1"], has_state=True, vectors=2)
