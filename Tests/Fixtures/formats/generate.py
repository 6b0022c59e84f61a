#!/usr/bin/env python3
"""Writes the fixtures beside this script with the real numpy and safetensors: python3 generate.py

Every array holds the numbers 0, 1, 2, … row by row (mod 2 for bool), so that tests know them.
"""

import io
import json
import os
import zipfile

import numpy as np
from numpy.lib import format as npy
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(here, name)


def save(name, array, version=None):
    with open(path(name), "wb") as file:
        npy.write_array(file, array, version=version)


def numbers(shape, dtype):
    count = int(np.prod(shape, dtype=int))
    return np.arange(count).reshape(shape).astype(dtype)


# Every number type in either byte order, C order.
for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    for order, word in [("<", "little"), (">", "big")]:
        save(f"{name}-{word}.npy", numbers((2, 3), order + name))
save("bool.npy", (np.arange(6) % 2 == 1).reshape(2, 3))

# Element order, versions, ranks.
save("fortran.npy", np.asfortranarray(numbers((2, 3, 4), "<f8")))
save("fortran-big.npy", np.asfortranarray(numbers((2, 3, 4), ">f4")))
save("version-2.npy", numbers((2, 3), "<f8"), version=(2, 0))
save("version-3.npy", numbers((2, 3), "<f8"), version=(3, 0))
save("scalar.npy", np.array(7.0))
save("vector.npy", numbers((5,), "<f8"))
save("empty.npy", np.zeros((0, 3)))

# What is refused.
save("complex.npy", np.zeros(2, dtype="<c16"))
save("text.npy", np.array(["a", "b"]))
save("structured.npy", np.zeros(2, dtype=[("a", "<f8"), ("b", "<i4")]))
np.save(path("object.npy"), np.array([None, {}], dtype=object), allow_pickle=True)

# The headers of numpy.save for shapes and types, as JSON: name, shape, dtype, header in hexadecimal.
headers = []
for shape in [(), (0,), (1,), (3,), (12, 7), (256, 8, 64, 256), (1, 2, 3, 4, 5, 6, 7, 8), (10**15,),
              (123456789, 987654321), tuple([1] * 20), *[(1,) * n + (10**k,) for n in range(1, 32) for k in range(3)]]:
    for dtype in ["<f8", "<f4"]:
        buffer = io.BytesIO()
        npy.write_array_header_1_0(
            buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
        headers.append({"shape": list(shape), "dtype": dtype, "header": buffer.getvalue().hex()})
with open(path("headers.json"), "w") as file:
    file.write("[\n" + ",\n".join(map(json.dumps, headers)) + "\n]\n")

# Archives, with fixed dates so that the script gives the same bytes each time.
def archive(name, arrays, compression):
    with zipfile.ZipFile(path(name), "w", compression) as file:
        for key, array in arrays.items():
            buffer = io.BytesIO()
            npy.write_array(buffer, array)
            file.writestr(zipfile.ZipInfo(key + ".npy"), buffer.getvalue(), compression)


arrays = {
    "w": numbers((4, 3), "<f8"),
    "half": numbers((2, 2), "<f2"),
    "fortran": np.asfortranarray(numbers((2, 3), "<f4")),
}
archive("stored.npz", arrays, zipfile.ZIP_STORED)
archive("deflated.npz", {**arrays, "long": np.zeros((100, 1000))}, zipfile.ZIP_DEFLATED)
archive("bzip2.npz", arrays, zipfile.ZIP_BZIP2)

# Jobs as the three lines of Python write them.
document = {
    "version": 1,
    "network": {
        "type": "feed-forward",
        "layers": [
            {"weights": {"tensor": "fc1.weight"}, "biases": {"tensor": "fc1.bias"},
             "activation": "tanh"},
            {"weights": [[0.5, -1.0, 2.0, 4.0]], "activation": {"name": "leaky-relu", "slope": 0.2}},
        ],
    },
    "inputs": {"tensor": "x"},
    "targets": {"tensor": "t"},
    "dtype": "float64",
    "gradients": ["outputs", {"of": "parameter-jacobian", "form": "factored"}],
    "priority": 7,
    "verify": True,
}
tensors = {
    "fc1.weight": numbers((4, 3), "<f8"),
    "fc1.bias": numbers((4,), "<f4"),
    "x": numbers((5, 3), "<f8"),
    "t": numbers((5, 1), "<f2"),
    "unused": numbers((3,), "<i4"),
}
save_file(tensors, path("job.safetensors"), metadata={"nnjob": json.dumps(document)})
save_file(tensors, path("plain.safetensors"))

# A job that names all kinds of files beside it.
document["network"]["layers"][0] = {
    "weights": {"file": "stored.npz", "tensor": "w"},
    "biases": {"file": "plain.safetensors", "tensor": "fc1.bias"}, "activation": "tanh"}
document["inputs"] = {"file": "f4-big.npy"}
document["targets"] = {"file": "targets.npy"}
save("targets.npy", numbers((2, 1), "<i2"))
with open(path("references.json"), "w") as file:
    json.dump(document, file, indent=2)
    file.write("\n")
