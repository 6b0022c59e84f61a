#!/usr/bin/env python3
"""Trains the example networks and writes them as job files.

    python3 -m venv /tmp/venv-train
    /tmp/venv-train/bin/pip install numpy scikit-learn statsmodels safetensors
    /tmp/venv-train/bin/python docs/examples/train.py [FOLDER]

FOLDER is where the job files go; without it, the folder of this script. Seeds are fixed: the same package versions write the
same files. The figures printed are those in README.md beside this script.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import statsmodels.api
from safetensors.numpy import save_file
from scipy.optimize import least_squares
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of passes is meant


def parameters(model, dtype=np.float64):
    """W1, b1, W2, …: scikit-learn keeps weights as (inputs, outputs), a job file as (outputs, inputs)."""
    tensors = {}
    for k, (weights, biases) in enumerate(zip(model.coefs_, model.intercepts_), 1):
        tensors[f"W{k}"] = np.ascontiguousarray(weights.T, dtype)
        tensors[f"b{k}"] = np.ascontiguousarray(biases, dtype)
    return tensors


def job(activations, gradients, **options):
    """The job document of a network whose tensors are named as `parameters` names them."""
    layers = [
        {"weights": {"tensor": f"W{k}"}, "biases": {"tensor": f"b{k}"}, "activation": activation}
        for k, activation in enumerate(activations, 1)
    ]
    return {
        "version": 1,
        "network": {"type": "feed-forward", "layers": layers},
        "inputs": {"tensor": "x"},
        "targets": {"tensor": "t"},
        "gradients": gradients,
        **options,
    }


def write(path, tensors, document):
    save_file(tensors, path, metadata={"nnjob": json.dumps(document)})
    print(f"wrote {path} ({path.stat().st_size:,} bytes)")


def digits(folder):
    """A classifier of 8 × 8 grey pictures of handwritten digits: 64-48-24-10, tanh, softmax."""
    data = load_digits()
    x, label = data.data / 16, data.target  # grey levels 0…16 become 0…1
    x_train, x_test, label_train, label_test = train_test_split(
        x, label, test_size=0.2, random_state=1, stratify=label
    )
    model = MLPClassifier(
        hidden_layer_sizes=(48, 24), activation="tanh", alpha=0.05, max_iter=150, random_state=1
    )
    model.fit(x_train, label_train)
    print(f"digits: held-out accuracy {model.score(x_test, label_test):.4f} of {len(x_test)} pictures")

    activations = ["tanh", "tanh", "softmax"]
    held_out = {"x": x_test, "t": np.eye(10)[label_test]}
    gradients = [
        "outputs",
        "input-jacobian",
        {"of": "parameter-jacobian", "form": "factored"},
        "loss",
        "loss-gradient",
    ]
    write(
        folder / "digits.safetensors",
        {**parameters(model), **held_out},
        job(activations, gradients, dtype="float64", verify=True),
    )
    write(
        folder / "digits-dense.safetensors",
        {**parameters(model, np.float32), **{k: v.astype(np.float32) for k, v in held_out.items()}},
        job(activations, ["outputs", "parameter-jacobian"], dtype="float32", verify=True),
    )


def diabetes(folder):
    """A regression of the progress of diabetes on ten standardised measurements: 10-12-1, tanh."""
    data = load_diabetes()
    x_train, x_test, t_train, t_test = train_test_split(
        data.data, data.target[:, None], test_size=0.2, random_state=1
    )

    def standardised(train, test):
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        return (train - mean) / deviation, (test - mean) / deviation

    x_train, x_test = standardised(x_train, x_test)
    t_train, t_test = standardised(t_train, t_test)
    model = MLPRegressor(
        hidden_layer_sizes=(12,), activation="tanh", solver="lbfgs", alpha=20, random_state=1, max_iter=2000
    )
    model.fit(x_train, t_train.ravel())
    print(f"diabetes: held-out R² {r2_score(t_test, model.predict(x_test)):.3f} of {len(x_test)} people")

    # The people trained on come first, then those held out: a Laplace approximation needs both.
    write(
        folder / "diabetes.safetensors",
        {
            **parameters(model),
            "x": np.concatenate([x_train, x_test]),
            "t": np.concatenate([t_train, t_test]),
        },
        job(
            ["tanh", "identity"],
            [
                "outputs",
                {"of": "parameter-jacobian", "layout": "matrix"},
                "input-jacobian",
                "loss",
                {"of": "loss-gradient", "per_sample": True},
            ],
            dtype="float64",
            verify=True,
        ),
    )


def xor(folder):
    """Exclusive or, 2-2-1, trained by gradient descent on ½‖y − t‖² and rounded to be read."""
    random = np.random.default_rng(3)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    t = np.array([[0], [1], [1], [0]], float)
    W1, b1 = random.standard_normal((2, 2)), np.zeros(2)
    W2, b2 = random.standard_normal((1, 2)), np.zeros(1)

    def forward():
        hidden = np.tanh(x @ W1.T + b1)
        return hidden, 1 / (1 + np.exp(-(hidden @ W2.T + b2)))

    for _ in range(20_000):
        hidden, y = forward()
        delta2 = (y - t) * y * (1 - y)
        delta1 = (delta2 @ W2) * (1 - hidden**2)
        W2 -= 0.5 * delta2.T @ hidden
        b2 -= 0.5 * delta2.sum(axis=0)
        W1 -= 0.5 * delta1.T @ x
        b1 -= 0.5 * delta1.sum(axis=0)
    W1, b1, W2, b2 = (array.round(3) for array in (W1, b1, W2, b2))
    print("xor: outputs", *(f"{value:.3f}" for value in forward()[1].ravel()))
    document = job(
        ["tanh", "sigmoid"],
        ["outputs", "parameter-jacobian", "input-jacobian", "loss", "loss-gradient"],
        verify=True,
    )
    for layer, weights, biases in zip(document["network"]["layers"], (W1, W2), (b1, b2)):
        layer["weights"], layer["biases"] = weights.tolist(), biases.tolist()
    document["inputs"], document["targets"] = x.astype(int).tolist(), t.astype(int).tolist()
    path = folder / "xor.json"
    path.write_text(readable(document) + "\n")
    print(f"wrote {path} ({path.stat().st_size:,} bytes)")


def sunspots(folder):
    """A recurrent forecast of the sunspots of the next year: x and three states → 6 tanh → y and three states.

    Trained by Levenberg–Marquardt, which is what ∂y(n)/∂w of every step is for.
    """
    data = statsmodels.api.datasets.sunspots.load_pandas().data
    scaled = np.sqrt(data.SUNACTIVITY.to_numpy()) / 7 - 1  # the square root evens out high and low years; about −1…1
    x, d = scaled[:-1, None], scaled[1:, None]
    train = int((data.YEAR < 1950).sum()) - 1  # forecasts of 1701…1949; held out are those of 1950…2008
    units, hidden, settling, decay = 3, 6, 10, 0.1
    shapes = [(hidden, 1 + units), (hidden,), (1 + units, hidden), (1 + units,)]
    ends = np.cumsum([np.prod(shape) for shape in shapes])

    def forecast(w, x):
        """y(n) and ∂y(n)/∂w of all steps, by the paper's recursion."""
        W1, b1, W2, b2 = (part.reshape(shape) for part, shape in zip(np.split(w, ends[:-1]), shapes))
        one = np.eye(len(b2))
        r, S, y, J = np.zeros(units), np.zeros((units, len(w))), [], []
        for row in x:
            u = np.concatenate([row, r])
            a = np.tanh(W1 @ u + b1)
            z = W2 @ a + b2
            delta = W2 * (1 - a**2)
            parts = [delta[:, :, None] * u, delta, one[:, :, None] * a, one]
            E = np.concatenate([part.reshape(len(z), -1) for part in parts], axis=1)
            dz = E + delta @ W1[:, 1:] @ S
            r, S = z[1:], dz[1:]
            y.append(z[:1])
            J.append(dz[0])
        return np.array(y), np.array(J)

    def residuals(w):
        return np.concatenate([(forecast(w, x[:train])[0] - d[:train]).ravel()[settling:], np.sqrt(decay) * w])

    def jacobian(w):
        return np.concatenate([forecast(w, x[:train])[1][settling:], np.sqrt(decay) * np.eye(len(w))])

    random = np.random.default_rng(2)
    start = [random.standard_normal(s) * (0.5 / np.sqrt(s[-1]) if len(s) == 2 else 0) for s in shapes]
    w = least_squares(residuals, np.concatenate([p.ravel() for p in start]), jacobian, method="lm", max_nfev=80).x

    def error(forecasts, actual):
        """Root mean square, in sunspots."""
        return np.sqrt(np.mean((((forecasts + 1) * 7) ** 2 - ((actual + 1) * 7) ** 2) ** 2))

    y = forecast(w, x)[0]
    print(f"sunspots: held-out error {error(y[train:], d[train:]):.1f} of {len(d) - train} years; ", end="")
    for p in (2, 9):  # linear autoregression on the p years before
        past = np.stack([scaled[p - 1 - k : len(scaled) - 1 - k] for k in range(p)] + [np.ones(len(scaled) - p)], 1)
        c = np.linalg.lstsq(past[: train - p + 1], scaled[p : train + 1])[0]
        print(f"autoregression of {p} years {error(past[train - p + 1 :] @ c, scaled[train + 1 :]):.1f}; ", end="")
    print(f"same as this year {error(x[train:], d[train:]):.1f}")

    names = ["W1", "b1", "W2", "b2"]
    tensors = {name: np.ascontiguousarray(p.reshape(s)) for name, p, s in zip(names, np.split(w, ends[:-1]), shapes)}
    document = job(
        ["tanh", "identity"],
        ["outputs", "transition-jacobian", {"of": "parameter-jacobian", "steps": "last"}, "loss", "loss-gradient"],
        dtype="float64",
        verify=True,
    )
    document["network"] = {"type": "recurrent", "recurrent_units": units, "layers": document["network"]["layers"]}
    write(folder / "sunspots.safetensors", {**tensors, "x": x, "t": d}, document)


def readable(value, indent=""):
    """JSON with a line per member, but whatever fits in 100 columns on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= 100 and not (isinstance(value, dict) and indent == ""):
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {readable(item, inner)}" for key, item in value.items()]
        left, right = "{}"
    else:
        items = [readable(item, inner) for item in value]
        left, right = "[]"
    return left + "\n" + ",\n".join(inner + item for item in items) + "\n" + indent + right


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    digits(folder)
    diabetes(folder)
    xor(folder)
    sunspots(folder)
