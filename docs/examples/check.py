#!/usr/bin/env python3
"""Checks the results of the example jobs with numpy alone, from the job files and no word of nnjobs' own code.

    check.py [RESULTS]        # the folder that has digits/, digits-dense/, diabetes/, sunspots/; default: results

∂y/∂x and ∂y/∂w are recomputed by complex steps: for an analytic network f and a real direction v, Im f(x + i·h·v)/h is the
derivative along v to the last digit, as nothing is subtracted. Loss gradients are recomputed by ordinary backpropagation.
Needs numpy and safetensors. Ends with 1 if anything differs.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open

EXAMPLES = Path(__file__).resolve().parent
STEP = 1e-100  # no difference is taken, so it may be as small as one likes
wrong = []


def load(name):
    """The job document and its tensors in float64."""
    with safe_open(EXAMPLES / f"{name}.safetensors", "numpy") as file:
        tensors = {key: file.get_tensor(key).astype(np.float64) for key in file.keys()}
        return json.loads(file.metadata()["nnjob"]), tensors


class Network:
    def __init__(self, document, tensors):
        layers = document["network"]["layers"]
        self.weights = [tensors[layer["weights"]["tensor"]] for layer in layers]
        self.biases = [tensors[layer["biases"]["tensor"]] if "biases" in layer else None for layer in layers]
        self.activations = [layer["activation"] for layer in layers]

    def activities(self, x):
        """a_0 … a_L."""
        result = [x]
        for W, b, activation in zip(self.weights, self.biases, self.activations):
            field = result[-1] @ W.T
            if b is not None:
                field = field + b
            if activation == "tanh":
                field = np.tanh(field)
            elif activation == "softmax":
                e = np.exp(field - field.real.max(axis=1, keepdims=True))
                field = e / e.sum(axis=1, keepdims=True)
            result.append(field)
        return result

    def outputs(self, x):
        return self.activities(x)[-1]

    def input_jacobian(self, x):
        """J[b, o, i] = ∂y[b, o] / ∂x[b, i], a complex step per input."""
        steps = 1j * STEP * np.eye(x.shape[1])
        return np.stack([self.outputs(x + step).imag / STEP for step in steps], axis=2)

    def parameter_jacobian(self, x):
        """J[…, o, p] = ∂y[…, o] / ∂w[p], a complex step per parameter: W1 row by row, b1, W2, …"""
        columns = []
        for k in range(len(self.weights)):
            for arrays in (self.weights, self.biases):
                real = arrays[k]
                if real is None:
                    continue
                for place in np.ndindex(real.shape):
                    arrays[k] = real.astype(complex)
                    arrays[k][place] += 1j * STEP
                    columns.append(self.outputs(x).imag / STEP)
                arrays[k] = real
        return np.stack(columns, axis=-1)

    def loss_gradient(self, x, t):
        """Backpropagation of ½‖y − t‖², per sample: [(W1, b1), …] with the samples in front."""
        a = self.activities(x)
        error, result = a[-1] - t, []
        for k in reversed(range(len(self.weights))):
            y = a[k + 1]
            if self.activations[k] == "softmax":
                delta = y * (error - (error * y).sum(axis=1, keepdims=True))
            elif self.activations[k] == "tanh":
                delta = error * (1 - y**2)
            else:
                delta = error
            result.insert(0, (delta[:, :, None] * a[k][:, None, :], delta))
            error = delta @ self.weights[k]
        return result


class Recurrent(Network):
    """The same layers, whose last outputs are fed back as their last inputs; x is (B, T, n_x) or (T, n_x)."""

    def __init__(self, document, tensors):
        super().__init__(document, tensors)
        self.units = document["network"]["recurrent_units"]
        initial = document["network"].get("initial_state", {}).get("tensor")
        self.initial_state = np.zeros(self.units) if initial is None else tensors[initial]

    def states(self, x):
        """z(n) = (y(n), r(n)) of every step, (B, T, m + R)."""
        x = x.reshape(-1, *x.shape[-2:])
        r = np.broadcast_to(self.initial_state, (len(x), self.units))
        states = []
        for n in range(x.shape[1]):
            states.append(super().outputs(np.concatenate([x[:, n], r], axis=1)))
            r = states[-1][:, -self.units :]
        return np.stack(states, axis=1)

    def outputs(self, x):
        return self.states(x)[..., : -self.units]

    def transition_jacobian(self, x):
        """J[b, n, i, j] = ∂r_i(n) / ∂r_j(n−1), a complex step per unit."""
        x = x.reshape(-1, *x.shape[-2:])
        r = self.states(x)[:, :-1, -self.units :]
        before = np.concatenate([np.broadcast_to(self.initial_state, (len(x), 1, self.units)), r], axis=1)
        rows = np.concatenate([x, before], axis=2).reshape(-1, x.shape[2] + self.units)
        steps = 1j * STEP * np.eye(rows.shape[1])[x.shape[2] :]
        columns = [super(Recurrent, self).outputs(rows + step).imag[:, -self.units :] / STEP for step in steps]
        return np.stack(columns, axis=2).reshape(*x.shape[:2], self.units, self.units)


def compare(what, got, expected, tolerance):
    """Relative to the largest entry, which counts as 1 at least."""
    if got.shape != expected.shape:
        wrong.append(what)
        print(f"WRONG {what}: shape {got.shape}, expected {expected.shape}")
        return
    error = np.abs(got - expected).max() / max(1, np.abs(expected).max())
    ok = error <= tolerance
    if not ok:
        wrong.append(what)
    print(f"{'ok   ' if ok else 'WRONG'} {what:44} {str(got.shape):20} error {error:.1e}, at most {tolerance:.0e}")


def digits(results):
    document, tensors = load("digits")
    network, x, t = Network(document, tensors), tensors["x"], tensors["t"]

    def result(name):
        return np.load(results / "digits" / f"{name}.npy")

    outputs = result("outputs")
    compare("digits: outputs", outputs, network.outputs(x), 1e-12)
    compare("digits: ∂y/∂x", result("input-jacobian"), network.input_jacobian(x), 1e-12)
    compare("digits: loss", result("loss"), 0.5 * ((outputs - t) ** 2).sum(axis=1), 1e-12)
    for k, (W, b) in enumerate(network.loss_gradient(x, t), 1):
        compare(f"digits: ∂ε/∂W{k}", result(f"loss-gradient/W{k}"), W.sum(axis=0), 1e-12)
        compare(f"digits: ∂ε/∂b{k}", result(f"loss-gradient/b{k}"), b.sum(axis=0), 1e-12)
        # The factored Jacobian answers (y − t)ᵀ ∂y/∂W without ever being multiplied out.
        delta, a = result(f"parameter-jacobian/delta{k}"), result(f"parameter-jacobian/a{k - 1}")
        product = np.einsum("bo,boj,bi->ji", outputs - t, delta, a)
        compare(f"digits: (y−t)ᵀ ∂y/∂W{k} from factors", product, W.sum(axis=0), 1e-12)
    accuracy = (outputs.argmax(axis=1) == t.argmax(axis=1)).mean()
    print(f"      digits: held-out accuracy {accuracy:.4f}")


def digits_dense(results):
    document, tensors = load("digits-dense")
    network, x = Network(document, tensors), tensors["x"]
    factors = results / "digits" / "parameter-jacobian"
    for k in range(1, len(network.weights) + 1):
        dense = np.load(results / "digits-dense" / "parameter-jacobian" / f"W{k}.npy", mmap_mode="r")
        # float64 factors of the same network: its weights differ by their rounding to float32
        delta, a = np.load(factors / f"delta{k}.npy"), np.load(factors / f"a{k - 1}.npy")
        compare(f"digits-dense: ∂y/∂W{k} (float32)", dense, delta[..., :, None] * a[:, None, None, :], 2e-5)
    compare(
        "digits-dense: outputs (float32)",
        np.load(results / "digits-dense" / "outputs.npy"),
        network.outputs(x),
        2e-5,
    )


def diabetes(results):
    document, tensors = load("diabetes")
    network, x, t = Network(document, tensors), tensors["x"], tensors["t"]

    def result(name):
        return np.load(results / "diabetes" / f"{name}.npy")

    y, J = result("outputs"), result("parameter-jacobian")
    compare("diabetes: outputs", y, network.outputs(x), 1e-12)
    compare("diabetes: ∂y/∂w, every parameter", J, network.parameter_jacobian(x), 1e-12)
    compare("diabetes: ∂y/∂x", result("input-jacobian"), network.input_jacobian(x), 1e-12)
    for k, (W, b) in enumerate(network.loss_gradient(x, t), 1):
        compare(f"diabetes: ∂ε/∂W{k} per sample", result(f"loss-gradient/W{k}"), W, 1e-12)
        compare(f"diabetes: ∂ε/∂b{k} per sample", result(f"loss-gradient/b{k}"), b, 1e-12)

    # What such a Jacobian is for: a Laplace approximation. The weights' posterior is Gaussian with precision JᵀJ/σ² + α/σ²,
    # so a prediction's variance is σ² (1 + j (JᵀJ + α)⁻¹ jᵀ) for its row j. α is the weight decay of train.py.
    trained, alpha = 353, 20.0
    J_train, J_test = J[:trained, 0], J[trained:, 0]
    variance = ((y - t)[:trained] ** 2).mean()
    posterior = np.linalg.inv(J_train.T @ J_train + alpha * np.eye(J.shape[2]))
    deviation = np.sqrt(variance * (1 + np.einsum("bp,pq,bq->b", J_test, posterior, J_test)))
    inside = np.abs((t - y)[trained:, 0]) <= 1.96 * deviation
    print(f"      diabetes: {inside.mean():.0%} of {len(inside)} held-out people within the 95 % interval")


def sunspots(results):
    document, tensors = load("sunspots")
    network, x, d = Recurrent(document, tensors), tensors["x"], tensors["t"]

    def result(name):
        return np.load(results / "sunspots" / f"{name}.npy")

    y, J = network.outputs(x), network.parameter_jacobian(x)
    u = result("outputs") - d
    compare("sunspots: outputs", result("outputs"), y, 1e-12)
    compare("sunspots: loss", result("loss"), 0.5 * (u**2).sum(axis=(1, 2)), 1e-12)
    transitions = result("transition-jacobian")
    compare("sunspots: ∂r(n)/∂r(n−1)", transitions, network.transition_jacobian(x), 1e-12)
    gradient, column = np.einsum("bto,btop->p", u, J), 0
    for k in (1, 2):
        for name in (f"W{k}", f"b{k}"):
            own = slice(column, column := column + tensors[name].size)
            shape = tensors[name].shape
            last = J[:, -1, :, own].reshape(1, 1, *shape)
            compare(f"sunspots: ∂y(T)/∂{name}", result(f"parameter-jacobian/{name}"), last, 1e-12)
            compare(f"sunspots: ∂E/∂{name}", result(f"loss-gradient/{name}"), gradient[own].reshape(shape), 1e-12)

    # The largest Lyapunov exponent: how fast a small difference in r grows, or is forgotten, year by year.
    direction, growth = np.ones(network.units), 0.0
    for transition in transitions[0]:
        direction = transition @ direction
        growth += np.log(np.linalg.norm(direction))
        direction /= np.linalg.norm(direction)
    exponent = growth / len(x)
    print(f"      sunspots: largest Lyapunov exponent {exponent:.3f} a year: the network forgets ", end="")
    print(f"by a factor e in {-1 / exponent:.1f} years" if exponent < 0 else "nothing, it is chaotic")


if __name__ == "__main__":
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    digits(results)
    digits_dense(results)
    diabetes(results)
    sunspots(results)
    if wrong:
        sys.exit("differs: " + ", ".join(wrong))
