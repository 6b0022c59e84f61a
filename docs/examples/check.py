#!/usr/bin/env python3
"""Checks the results of the example jobs with numpy alone, from the job files and no word of nnjobs' own code.

    check.py [RESULTS]        # the folder that has digits/, digits-dense/, diabetes/; default: results

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
        """J[b, o, p] = ∂y[b, o] / ∂w[p], a complex step per parameter: W1 row by row, b1, W2, …"""
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
        return np.stack(columns, axis=2)

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


if __name__ == "__main__":
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    digits(results)
    digits_dense(results)
    diabetes(results)
    if wrong:
        sys.exit("differs: " + ", ".join(wrong))
