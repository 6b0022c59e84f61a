"""What nothing can beat here and now: rates of stores, of durable writes, and of a workload's products."""

import json
import subprocess
from collections import Counter
from itertools import pairwise

from contestants import CORES, rate

STORES = ("weights", "factors", "both")  # made of stores; the rest of products
WRITING = ("buffered", "drop", "direct")  # ways of writing.c
MIB = 1 << 20


def stores(storing, threads=CORES):
    """Bytes a second into touched memory: (through the caches, past them)."""
    done = subprocess.run([storing, "1024", str(threads), "9"], check=True, capture_output=True)
    told = json.loads(done.stdout)
    return told["through"], told["past"]


def durable(writing, folder, count, rounds=3, ways=WRITING):
    """Seconds to write so many bytes into a reserved file and fsync it, in the best of some ways; which."""
    size = max(1, round(count / MIB))
    command = [writing, str(folder), str(size), str(CORES), str(rounds), *ways]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()[1:]}
    best = min(seconds, key=seconds.get)
    return seconds[best] * count / (size * MIB), best


def products(workload):
    """{(rows, depth, columns, order): operations} that nobody can do without."""
    B, m, sizes = workload.samples, workload.outputs, workload.sizes
    layers = list(pairwise(sizes))
    shapes = [(B, n, units, "plain", 1) for n, units in layers[:-1]]
    # The last layer's weights go through it by themselves; below, m rows of every sample.
    if workload.wanted != "product":
        lowest = 0 if workload.wanted == "inputs" else 1
        shapes += [(B * m, units, n, "plain", 1) for n, units in layers[lowest:-1]]
    if workload.wanted == "kernel":  # symmetric
        shapes += [(B * m, units, B * m, "plain", 0.5) for _, units in layers[:-1]]
    if workload.wanted == "diagonal":
        shapes += [(units, B, n, "transposed", 1) for n, units in layers[:-1]]
    if workload.wanted == "product":
        shapes += [(B, n, units, "plain", 1) for n, units in layers + layers[1:]]
        shapes += [(B, units, n, "plain", 1) for n, units in layers[1:]]
        shapes += [(units, B, n, "transposed", 1) for n, units in layers]
    total = Counter()
    for rows, depth, columns, order, part in shapes:
        # Not more at once than a core has of it, nor than is any faster.
        own = min(rows, max(256, rows // CORES), 2048) if order == "plain" else rows
        shape = (own, min(depth, 2048), min(columns, 2048), order)
        total[shape] += 2.0 * rows * depth * columns * part
    return total


def product_seconds(bench, kernel, workload):
    """How long OpenBLAS takes for them on all cores with that kernel and nothing else to do."""
    parts = products(workload)
    return sum(count / rate(bench, kernel, *shape, workload.dtype) for shape, count in parts.items())
