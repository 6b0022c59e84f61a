#!/usr/bin/env python3
"""Compares the recipe for PyTorch's nn.RNN in docs/python.md with PyTorch's own automatic differentiation.

usage: torch_rnn.py BINARIES      # the folder that has nnjobs; needs numpy, safetensors and torch

The job is made by the documented function itself, computed by `nnjobs run` by every strategy, and ∂y(n)/∂ each parameter of
nn.RNN and of the head compared with torch.func.jacrev, for tanh and relu, with h₀ zero and given. Ends with 1 if anything differs.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

PROJECT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-12  # relative to the largest entry
BATCH, STEPS, INPUTS, UNITS, OUTPUTS = 3, 25, 4, 10, 2


def documented(name):
    """The function of that name as docs/python.md shows it."""
    spec = importlib.util.spec_from_file_location("readme", PROJECT / "Tests/Python/readme.py")
    readme = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(readme)
    for _, text in readme.blocks(PROJECT / "docs/python.md"):
        if f"def {name}(" in text:
            names = {}
            exec(text.split("\n# Stands for")[0], names)
            return names[name]
    raise RuntimeError(f"docs/python.md shows no {name}")


class Model(torch.nn.Module):
    def __init__(self, nonlinearity):
        super().__init__()
        self.rnn = torch.nn.RNN(INPUTS, UNITS, nonlinearity=nonlinearity, batch_first=True)
        self.head = torch.nn.Linear(UNITS, OUTPUTS)

    def forward(self, x, h):
        return self.head(self.rnn(x, h)[0])


def expected(model, x, h):
    """∂y(n)/∂ each parameter by PyTorch, under the names of the recipe; and y."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}

    def outputs(parameters):
        return torch.func.functional_call(model, parameters, (x, h))

    jacobian = torch.func.jacrev(outputs)(parameters)
    names = {name: name.removeprefix("rnn.") for name in parameters}
    return outputs(parameters).numpy(), {names[name]: value.numpy() for name, value in jacobian.items()}


def computed(nnjobs, folder, job):
    """The arrays of a job by `nnjobs run`."""
    tensors, document = job
    save_file(tensors, folder / "rnn.safetensors", metadata={"nnjob": json.dumps(document)})
    environment = {**os.environ, "NNJOBS_CONFIG": "/dev/null"}
    results = Path(tempfile.mkdtemp(dir=folder))
    arguments = [nnjobs, "run", "--output", results, folder / "rnn.safetensors"]
    subprocess.run(arguments, check=True, env=environment, stdout=subprocess.DEVNULL)
    return {str(p.relative_to(results / "rnn"))[:-4]: np.load(p) for p in (results / "rnn").rglob("*.npy")}


def main(binaries):
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    recurrent_job, wrong, compared = documented("recurrent_job"), [], 0
    with tempfile.TemporaryDirectory(prefix="nnjobs-torch-") as folder:
        for nonlinearity in ("tanh", "relu"):
            for is_given in (False, True):
                model, x = Model(nonlinearity), torch.randn(BATCH, STEPS, INPUTS)
                h = (torch.randn if is_given else torch.zeros)(1, BATCH, UNITS)
                y, jacobian = expected(model, x, h)
                state = {n.removeprefix("rnn."): v.numpy() for n, v in model.state_dict().items()}
                for strategy in ("forward", "adjoint", "blocked"):
                    job = recurrent_job(state, x.numpy(), nonlinearity, ["outputs", "parameter-jacobian"])
                    job[1]["strategy"] = strategy
                    if is_given:
                        job[0]["h"] = np.ascontiguousarray(h[0].numpy())
                        job[1]["network"]["initial_state"] = {"tensor": "h"}
                    got = computed(binaries / "nnjobs", Path(folder), job)
                    J = {name: got[f"parameter-jacobian/{name}"] for name in ("W1", "b1", "W2", "b2")}
                    pairs = {
                        "outputs": (got["outputs"], y),
                        "weight_ih_l0": (J["W1"][..., :INPUTS], jacobian["weight_ih_l0"]),
                        "weight_hh_l0": (J["W1"][..., INPUTS:], jacobian["weight_hh_l0"]),
                        "bias_ih_l0": (J["b1"], jacobian["bias_ih_l0"]),
                        "bias_hh_l0": (J["b1"], jacobian["bias_hh_l0"]),
                        "head.weight": (J["W2"][..., :OUTPUTS, :], jacobian["head.weight"]),
                        "head.bias": (J["b2"][..., :OUTPUTS], jacobian["head.bias"]),
                    }
                    errors = {n: np.abs(a - b).max() / max(1, np.abs(b).max()) for n, (a, b) in pairs.items()}
                    name, worst = max(errors.items(), key=lambda pair: pair[1])
                    what = f"{nonlinearity}, h₀ {'given' if is_given else 'zero'}, {strategy}"
                    if not worst <= TOLERANCE:
                        wrong.append(what)
                    compared += len(pairs)
                    print(f"{'ok   ' if worst <= TOLERANCE else 'WRONG'} {what:28} largest error {worst:.1e} ({name})")
    if wrong:
        sys.exit("differs: " + "; ".join(wrong))
    print(f"{compared} arrays equal those of torch {torch.__version__}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve())
