"""Job files the tests drop: small ones of many kinds, determined by a number."""

import json
import random
import struct

GRADIENTS = [
    ["outputs"], ["outputs", "parameter-jacobian"], [{"of": "parameter-jacobian", "layout": "matrix"}, "input-jacobian"],
    [{"of": "parameter-jacobian", "form": "factored"}, "local-gradients", "loss"], ["loss-gradient", "input-jacobian"],
    [{"of": "loss-gradient", "per_sample": True}, "loss"],
]


def document(seed, widths=(3, 4, 2), samples=2, units=0):
    """A job document; the same seed gives the same bytes. With `units` it is recurrent, over 2 + seed mod 9 steps."""
    numbers = random.Random(seed)

    def rows(count, columns):
        return [[round(numbers.uniform(-1, 1), 6) for _ in range(columns)] for _ in range(count)]

    layers = []
    for k in range(1, len(widths)):
        inputs = widths[k - 1] + (units if k == 1 else 0)
        outputs = widths[k] + (units if k == len(widths) - 1 else 0)
        layers.append({"weights": rows(outputs, inputs), "biases": rows(1, outputs)[0],
                       "activation": "tanh" if units or k < len(widths) - 1 else "identity"})
    job = {"version": 1, "network": {"type": "feed-forward", "layers": layers}, "gradients": GRADIENTS[seed % len(GRADIENTS)]}
    if units:
        steps = 2 + seed % 9
        job["network"].update(type="recurrent", recurrent_units=units)
        job["gradients"] = [["outputs", "loss-gradient"], ["parameter-jacobian"], ["input-jacobian", "loss"]][seed % 3]
        job["inputs"] = [rows(steps, widths[0]) for _ in range(samples)]
        job["targets"] = [rows(steps, widths[-1]) for _ in range(samples)]
    else:
        job["inputs"], job["targets"] = rows(samples, widths[0]), rows(samples, widths[-1])
    if seed % 4 == 3:
        job["dtype"] = "float32"
    return job


def small(seed):
    """A job of less than a millisecond, as a file."""
    return json.dumps(document(seed)).encode()


def blocks():
    """A job of some fifteen blocks, with sums over samples, that an interrupted attempt can be gone on with."""
    return json.dumps(document(4, (3, 24, 4), 1500)).encode()


def mixed(seed):
    """A job of some kind and size: mostly small, some recurrent, some of 2 MiB of results, one in 16 invalid."""
    if seed % 16 == 15:
        return [b"[1]", b'{"version": 1}', b"\x00\xff", b'{"version": 99, "network": {}}'][seed // 16 % 4]
    if seed % 8 == 7:
        return json.dumps(document(seed, (16, 64, 64, 8), 3 + seed % 4)).encode()
    if seed % 8 == 5:
        return json.dumps(document(seed, (2, 5, 2), 1 + seed % 3, units=3)).encode()
    return json.dumps(document(seed, (2 + seed % 5, 3 + seed % 7, 1 + seed % 3), 1 + seed % 18)).encode()


def long(seconds=30):
    """A job that runs for about so many seconds: sparse zeros, so that its file is small on disk; (head, zero bytes)."""
    samples = max(1, int(seconds * 10000))
    return tensors({"W1": (1000, 1000), "W2": (1000, 1000), "x": (samples, 1000)}, ["W1", "W2"], ["loss-gradient"], 1000)


def tensors(shapes, weights, gradients, outputs):
    layers = [{"weights": {"tensor": w}, "activation": "tanh" if w != weights[-1] else "identity"} for w in weights]
    shapes = dict(shapes, t=(shapes["x"][0], outputs))
    job = {"version": 1, "network": {"type": "feed-forward", "layers": layers}, "inputs": {"tensor": "x"},
           "targets": {"tensor": "t"}, "gradients": gradients}
    header, end = {"__metadata__": {"nnjob": json.dumps(job)}}, 0
    for name, shape in shapes.items():
        size = 2 * shape[0] * shape[1]
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text, end
