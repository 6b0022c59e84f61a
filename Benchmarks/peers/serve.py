#!/usr/bin/env python3
"""One peer's program, kept warm: serve.py FOLDER LIBRARY PROGRAM WORKLOAD REFERENCE JOBFILE

Builds it, calls it once, compares the results with the engine's (the file REFERENCE) and says so in a line of JSON. Then
for each line "N [FOLDER]" that it reads, calls it N times, saves each call's results durably if there is a FOLDER, and
answers with the seconds, those of processors and the most memory it had. Ends with its input. REFERENCE may be -, then
the first call is left out too; so may JOBFILE, then the workload makes its numbers itself.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

folder, library, program, name, reference, file = sys.argv[1:]
sys.path.insert(0, str(Path(__file__).resolve().parent / folder))
from workloads import WORKLOADS  # noqa: E402


def save(results, folder):
    for number, result in enumerate(results):
        with open(f"{folder}/saved-{number}.npy", "wb") as opened:
            np.save(opened, result)
            opened.flush()
            os.fsync(opened.fileno())


def difference(results, workload):
    """The largest, relative to the largest number of its array."""
    worst, start = 0.0, 0
    for own, shape in zip(results, workload.result_shapes, strict=True):
        expected = np.memmap(reference, workload.numbers, "r", start, shape)
        start += expected.nbytes
        own = own.reshape(shape)
        # By rows, as the whole may be large.
        parts = np.array_split(np.arange(len(own)), max(1, min(len(own), own.size // 10_000_000)))
        error = max(np.abs(own[part] - expected[part]).max() for part in parts)
        worst = max(worst, error / max(np.abs(expected[part]).max() for part in parts))
    return float(worst)


def peak_memory():
    """Bytes of memory it had at most."""
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def forget_peak():
    """Comparing is no part of it."""
    with open("/proc/self/clear_refs", "w") as request:
        request.write("5")


workload = WORKLOADS[name]
call, canonical = importlib.import_module(f"with_{library}").build(
    workload, program, workload.data() if file == "-" else workload.read(file)
)
told = {"error": 0, "first": 0, "first_cpu": 0}
if reference != "-":
    if program == "compile":  # translating takes much longer than a call
        call()
    start, cpu = time.perf_counter(), time.process_time()
    result = call()
    told["first"], told["first_cpu"] = time.perf_counter() - start, time.process_time() - cpu
    told["error"] = difference(canonical(result), workload)
    del result
    forget_peak()
print(json.dumps(told), flush=True)
for line in sys.stdin:
    count, *path = line.split(maxsplit=1)
    seconds, cpu_seconds = [], []
    for _ in range(int(count)):
        start, cpu = time.perf_counter(), time.process_time()
        result = call()
        for where in path:
            save(canonical(result), where.strip())
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu)
        del result
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_memory": peak_memory()}), flush=True)
