"""The recurrent workloads: one layer, z(n) = tanh(W [x(n); r(n−1)] + b), z = (y, r), r(0) = 0, of fixed seeds."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    name: str
    wanted: str  # "all": ∂y(n)/∂w of every n; "last": ∂y(T)/∂w; "loss": ∂E/∂w
    inputs: int
    units: int
    outputs: int
    steps: int

    @property
    def parameters(self):
        return (self.outputs + self.units) * (self.inputs + self.units + 1)

    @property
    def title(self):
        what = {"all": "all ∂y(n)/∂w", "last": "∂y(T)/∂w", "loss": "∂E/∂w"}[self.wanted]
        return f"{what}, {self.inputs}-{self.units}-{self.outputs}, T = {self.steps:,}"

    def data(self):
        """W, b, x, d."""
        random = np.random.default_rng(20_261_124)
        rows, columns = self.outputs + self.units, self.inputs + self.units
        return (
            random.standard_normal((rows, columns)) / np.sqrt(columns),
            0.1 * random.standard_normal(rows),
            random.standard_normal((self.steps, self.inputs)),
            np.tanh(random.standard_normal((self.steps, self.outputs))),
        )

    def job(self):
        """The tensors and the document of the same as a job."""
        tensors = dict(zip(("W1", "b1", "x", "d"), self.data()))
        layer = {"weights": {"tensor": "W1"}, "biases": {"tensor": "b1"}, "activation": "tanh"}
        steps = {"steps": "last"} if self.wanted == "last" else {}
        gradient = {"of": "parameter-jacobian", "layout": "matrix", **steps}
        return tensors, {
            "version": 1,
            "network": {"type": "recurrent", "recurrent_units": self.units, "layers": [layer]},
            "inputs": {"tensor": "x"},
            "targets": {"tensor": "d"},
            "gradients": ["loss-gradient" if self.wanted == "loss" else gradient],
        }

    @property
    def shape(self):
        """Of the result as the engine gives it; columns are W row by row, then b."""
        front = {"all": (self.steps, self.outputs), "last": (self.outputs,), "loss": ()}[self.wanted]
        return (*front, self.parameters)

    @property
    def result_shapes(self):
        return [self.shape]

    folder = "recurrent"
    numbers = np.dtype(np.float64)
    tolerance = 1e-10


WORKLOADS = {
    w.name: w
    for w in (
        Workload("all-100", "all", 16, 64, 4, 100),
        Workload("all-400", "all", 16, 64, 4, 400),
        Workload("all-2000", "all", 16, 64, 4, 2000),
        Workload("all-128", "all", 16, 128, 4, 100),
        Workload("all-256", "all", 16, 256, 4, 100),
        Workload("loss-2000", "loss", 8, 32, 2, 2000),
        Workload("last-2000", "last", 8, 32, 2, 2000),
    )
}
