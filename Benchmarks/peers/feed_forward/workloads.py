"""The feed-forward workloads: tanh hidden layers, a linear output layer, biases, of fixed seeds."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from safetensors.numpy import load_file


@dataclass(frozen=True)
class Workload:
    name: str
    wanted: str  # a key of GRADIENTS
    sizes: tuple  # inputs, units of every hidden layer, outputs
    samples: int
    dtype: str  # float64 or float32

    folder = "feed_forward"

    @property
    def tolerance(self):
        """The largest difference from the engine's results that is rounding, relative to the largest number."""
        return 1e-11 if self.dtype == "float64" else 1e-4

    @property
    def what(self):
        return GRADIENTS[self.wanted][0]

    @property
    def title(self):
        shape = "-".join(map(str, self.sizes)) if len(self.sizes) < 8 else f"{self.sizes[0]}-[64 × 12]-{self.sizes[-1]}"
        return f"{self.name.split('/')[0]}: {self.what}, {shape}, B = {self.samples:,}, {self.dtype}"

    @property
    def numbers(self):
        return np.dtype(self.dtype)

    @property
    def outputs(self):
        return self.sizes[-1]

    @property
    def shapes(self):
        """Of W1, b1, W2, …"""
        return [shape for before, units in pairwise(self.sizes) for shape in ((units, before), (units,))]

    @property
    def result_shapes(self):
        """Of the arrays of the result, in the order in which the engine gives them."""
        B, m = self.samples, self.outputs
        of_parameters = [(B, m, *shape) for shape in self.shapes]
        of_inputs = [(B, m, self.sizes[0])]
        factors = [shape for k, n in enumerate(self.sizes[1:]) for shape in ((B, m, n), (B, self.sizes[k]))]
        return {
            "weights": of_parameters,
            "factors": factors,
            "inputs": of_inputs,
            "both": of_parameters + of_inputs,
            "kernel": [(B, m, B, m)],
            "diagonal": self.shapes,
            "product": self.shapes,
        }[self.wanted]

    @property
    def result_bytes(self):
        return sum(math.prod(shape) for shape in self.result_shapes) * self.numbers.itemsize

    def data(self):
        """[(W, b) of every layer], x, and a direction: [(V, v)]. Drawn as float64, then rounded."""
        random = np.random.default_rng(20_261_125)
        layers = [
            (random.standard_normal((units, before)) / np.sqrt(before), 0.1 * random.standard_normal(units))
            for before, units in pairwise(self.sizes)
        ]
        x = random.standard_normal((self.samples, self.sizes[0]))
        direction = [(random.standard_normal(W.shape), random.standard_normal(b.shape)) for W, b in layers]
        rounded = [[tuple(part.astype(self.numbers) for part in pair) for pair in pairs] for pairs in (layers, direction)]
        return rounded[0], x.astype(self.numbers), rounded[1]

    def read(self, file):
        """`data` of a job file."""
        tensors = load_file(file)
        layers = [(tensors[f"W{k}"], tensors[f"b{k}"]) for k in range(1, len(self.sizes))]
        direction, start = [], 0
        for pair in layers if "V" in tensors else ():
            parts = []
            for part in pair:
                parts.append(tensors["V"][start : start + part.size].reshape(part.shape))
                start += part.size
            direction.append(tuple(parts))
        return layers, tensors["x"], direction

    def job(self):
        """The tensors and the document of the same as a job."""
        layers, x, direction = self.data()
        tensors, written = {"x": x}, []
        for k, (W, b) in enumerate(layers, 1):
            tensors |= {f"W{k}": W, f"b{k}": b}
            activation = "tanh" if k < len(layers) else "identity"
            written.append({"weights": {"tensor": f"W{k}"}, "biases": {"tensor": f"b{k}"}, "activation": activation})
        gradients = GRADIENTS[self.wanted][1]
        if self.wanted == "product":
            tensors["V"] = np.concatenate([part.ravel() for pair in direction for part in pair])
            gradients = [{"of": "gauss-newton-product", "vectors": {"tensor": "V"}}]
        return tensors, {
            "version": 1,
            "network": {"type": "feed-forward", "layers": written},
            "inputs": {"tensor": "x"},
            "dtype": self.dtype,
            "gradients": gradients,
        }


GRADIENTS = {
    "weights": ("∂y/∂w", ["parameter-jacobian"]),
    "factors": ("∂y/∂w, factored", [{"of": "parameter-jacobian", "form": "factored"}]),
    "inputs": ("∂y/∂x", ["input-jacobian"]),
    "both": ("∂y/∂w and ∂y/∂x", ["parameter-jacobian", "input-jacobian"]),
    "kernel": ("neural tangent kernel", ["neural-tangent-kernel"]),
    "diagonal": ("Gauss–Newton diagonal", ["gauss-newton-diagonal"]),
    "product": ("Gauss–Newton product", ["gauss-newton-product"]),
}

POLICY = (64, 256, 256, 8)
DEEP = (32, *(64,) * 12, 4)
# As many samples of policy as make 40 GiB.
HUGE = 40 * 2**30 // (8 * 8 * sum((before + 1) * units for before, units in pairwise(POLICY)))

WORKLOADS = {
    f"{name}/{dtype}": Workload(f"{name}/{dtype}", wanted, sizes, samples, dtype)
    for dtype in ("float64", "float32")
    for name, wanted, sizes, samples in (
        ("policy", "weights", POLICY, 256),
        ("policy-factored", "factors", POLICY, 256),
        ("wide", "weights", (512, 2048, 10), 16),
        ("input", "inputs", (784, 512, 512, 10), 2048),
        ("deep-w", "weights", DEEP, 1024),
        ("deep-w-factored", "factors", DEEP, 1024),
        ("deep-x", "inputs", DEEP, 1024),
        ("tiny", "both", (4, 16, 2), 1),
        ("ntk", "kernel", POLICY, 512),
        ("gauss-newton-diagonal", "diagonal", POLICY, 2048),
        ("gauss-newton-product", "product", POLICY, 2048),
        ("huge", "weights", POLICY, HUGE),
    )
}
