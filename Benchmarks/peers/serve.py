#!/usr/bin/env python3
"""One peer's program, kept warm: serve.py LIBRARY PROGRAM WORKLOAD REFERENCE

Builds it, calls it once, compares the result with the engine's (the file REFERENCE) and says so in a line of JSON. Then
for each line "N [FILE]" that it reads, calls it N times, saves each result durably if there is a FILE, and answers with
the seconds, and those of processors. Ends with its input.
"""

import importlib
import json
import os
import sys
import time

import numpy as np
from workloads import WORKLOADS


def save(result, file):
    with open(file, "wb") as opened:
        np.save(opened, result)
        opened.flush()
        os.fsync(opened.fileno())


library, program, name, reference = sys.argv[1:]
workload = WORKLOADS[name]
call, canonical = importlib.import_module(f"with_{library}").build(workload, program)
start, cpu = time.perf_counter(), time.process_time()
result = call()
first, first_cpu = time.perf_counter() - start, time.process_time() - cpu
expected = np.memmap(reference, np.float64, "r", shape=workload.shape)
own = canonical(result).reshape(workload.shape)
# By steps, as the whole may be large.
rows = np.array_split(np.arange(len(own)), max(1, own.size // 10_000_000)) if own.ndim > 1 else [np.arange(own.size)]
error = max(np.abs(own[part] - expected[part]).max() for part in rows) / max(
    np.abs(expected[part]).max() for part in rows
)
del result, own
print(json.dumps({"error": float(error), "first": first, "first_cpu": first_cpu}), flush=True)
for line in sys.stdin:
    count, *path = line.split(maxsplit=1)
    seconds, cpu_seconds = [], []
    for _ in range(int(count)):
        start, cpu = time.perf_counter(), time.process_time()
        result = call()
        for file in path:
            save(result, file.strip())
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu)
        del result
    print(json.dumps([seconds, cpu_seconds]), flush=True)
