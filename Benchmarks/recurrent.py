#!/usr/bin/env python3
"""Measures recurrent gradients: the engine beside JAX, PyTorch and NumPy, in turn, in one run.

usage: recurrent.py BINARIES [--jax PYTHON] [--torch PYTHON] [--numpy PYTHON] [--turns N] [WORKLOAD …]

BINARIES has nnjobs and bench (NNJOBS_BENCHMARKS=1 swift build -c release --product bench). The PYTHONs have the
libraries; one that is not given is left out. Everybody gets all cores, is warm, computes the same numbers (compared
before anything is timed; NumPy also with one thread, if that is better) and takes its turn several times, so that what
else runs on the machine falls on all. The engine and NumPy write into memory kept between calls, JAX and PyTorch take
theirs from an allocator that keeps it. Prints Markdown: medians, the processors' time of all threads (which what else
runs falsifies less), ratios, how near the engine is to its limit (its operations at the rate that OpenBLAS does the same
shapes of product), and whole jobs on disk.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contestants import CORES, PEERS, Engine, Peer, calibrated, environment, rate, text
from safetensors.numpy import save_file

sys.path.insert(0, str(PEERS / "recurrent"))
from workloads import WORKLOADS  # noqa: E402

# Which programs are worth their time. Of 2,000 steps JAX's adjoint would take 8 GB and jacrev 9; jacfwd is what fits.
BY_HAND = {"numpy": ("forward", "adjoint", "blocked"), "jax": ("forward", "adjoint"), "torch": ("adjoint",)}
CONTESTANTS = {
    "all-100": {**BY_HAND, "jax": ("jacrev", "jacfwd", "forward", "adjoint"), "torch": ("jacrev", "adjoint")},
    "all-400": {**BY_HAND, "jax": ("jacrev", "forward", "adjoint")},
    "all-2000": {**BY_HAND, "jax": ("jacfwd", "forward")},
    "all-128": {**BY_HAND, "jax": ("jacrev", "forward", "adjoint")},
    "all-256": {**BY_HAND, "numpy": ("adjoint", "blocked"), "jax": ("jacrev", "adjoint")},
    "loss-2000": {"numpy": ("by hand",), "jax": ("grad", "by hand"), "torch": ("grad", "by hand")},
    "last-2000": {"numpy": ("by hand",), "jax": ("jacrev", "by hand"), "torch": ("jacrev",)},
}


def limits(bench, kernel, workload, engine):
    """(operations, seconds, seconds with storing) of the products of the engine's strategy at the rates of their shapes.

    Of the second the products that make the Jacobian go where it stands, of the first all to one place in the caches.
    """
    w, h = workload, engine.told.get("blockSteps") or (1 if engine.told["chosen"] == "forward" else workload.steps)
    R, m, columns = w.units, w.outputs, w.inputs + w.units + 1
    pulled, contracted, state, carried = 0, 0, 0, 0
    for first in range(0, w.steps, h):
        steps = min(h, w.steps - first)
        is_last = first + steps == w.steps
        own, handed_on = m * steps * (steps - 1) // 2, 0 if is_last else R * steps
        pulled += 2 * (own + handed_on) * R * R
        contracted += 2 * own * R * columns
        state += 2 * handed_on * R * columns
        carried += 0 if first == 0 else 2 * (m * steps + (0 if is_last else R)) * R * R * columns
    contraction = (max(R, 128), max(1, h // 2), columns, "transposed")
    cached = rate(bench, kernel, *contraction)
    stored = rate(bench, kernel, *contraction, results=(R, engine.told["resultBytes"]))
    rest = pulled / rate(bench, kernel, 32, R, R, "plain") + state / cached
    if carried:
        rest += carried / rate(bench, kernel, 32, R, R * columns, "plain")
    return pulled + contracted + state + carried, rest + contracted / cached, rest + contracted / stored


def whole(nnjobs, peer, file, folder, turns=5):
    """Median seconds to results on disk: `nnjobs run` from nothing, and a warm peer with numpy.save and fsync."""
    seconds, results = [], folder / "results"
    for _ in range(turns):
        start = time.perf_counter()
        subprocess.run([nnjobs, "run", "--output", results, file], env=environment(), check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
        shutil.rmtree(results)
    return statistics.median(seconds), statistics.median(peer.ask(turns, folder)[0])


def contestants(workload, options, file, folder):
    """The engine with all cores and with one, then the peers, each warm and compared with the first."""
    bench, kernel = options.binaries / "bench", options.kernel
    engines = [Engine(bench, file, threads, kernel) for threads in sorted({CORES, 1}, reverse=True)]
    engines[0].turn(folder / "reference")
    peers = []
    for library, programs in CONTESTANTS[workload.name].items():
        python = getattr(options, library)
        for program in programs if python else ():
            for threads in (None, 1) if library == "numpy" else (None,):
                try:
                    peers.append(Peer(python, library, program, workload, folder / "reference", threads))
                except RuntimeError as error:
                    print(f"left out: {error}", file=sys.stderr)
    return engines, peers


def write(workload, folder):
    file = folder / f"{workload.name}.safetensors"
    tensors, document = workload.job()
    save_file(tensors, file, metadata={"nnjob": json.dumps(document)})
    return file


def measure(workload, options, folder):
    file = write(workload, folder)
    engines, peers = contestants(workload, options, file, folder)
    limit = []
    for _ in range(options.turns):
        for contestant in engines + peers:
            contestant.turn()
        if workload.wanted == "all":
            limit.append(limits(options.binaries / "bench", options.kernel, workload, engines[0]))
    report(workload, engines, peers)
    if limit:
        report_limits(engines[0], limit)
    saving = [peer for peer in peers if peer.library == "numpy" and not peer.is_ours]
    if saving:
        peer = min(saving, key=lambda peer: peer.median)
        here, there = whole(options.binaries / "nnjobs", peer, file, folder)
        print(f"\nOn disk, fsynced: `nnjobs run` from nothing {text(here)}; {peer.title}, warm, saved {text(there)}.")
    sys.stdout.flush()
    for peer in peers:
        peer.close()


def report(workload, engines, peers):
    """The table of a workload, and how much longer the best peers take."""
    ours, told = engines[0].median, engines[0].told
    plan = told.get("chosen") or "one reverse sweep"
    if told.get("blockSteps"):
        plan += f" with blocks of {told['blockSteps']}"
    print(f"\n**{workload.title}**, {told['resultBytes'] / 1e6:.3g} MB, {plan}\n")
    print("| | median | least | processors | ÷ nnjobs |\n|---|---|---|---|---|")
    for c in engines + peers:
        figures = [text(c.median), text(min(c.seconds)), text(statistics.median(c.cpu_seconds))]
        print(f"| {c.title} | {' | '.join(figures)} | {c.median / ours:.3g} |")
    automatic = [peer for peer in peers if peer.is_automatic]
    by_hand = [peer for peer in peers if not peer.is_automatic and not peer.is_ours]
    print()
    for what, some in (("automatic differentiation", automatic), ("by hand", by_hand)):
        if some:
            best = min(some, key=lambda peer: peer.median)
            print(f"Best {what}: {best.title}, {best.median / ours:.3g} times as long. ", end="")
    print()


def report_limits(engine, measured):
    """How near the engine is to its limits, of which `measured` has those of each turn."""
    print(f"{measured[0][0] / 1e9:.3g} GFLOP in products. At OpenBLAS' rates", end="")
    for k, where in (1, "within the caches"), (2, "with results stored in their places"):
        seconds = [limit[k] for limit in measured]
        median = statistics.median(seconds)
        print(f", {where} {text(median)}: {median / engine.median:.2f} of that limit", end="")
        print(f" ({min(seconds) / engine.least:.2f} by the least times)", end="")
    print(".")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=Path)
    for library in ("jax", "torch", "numpy"):
        parser.add_argument(f"--{library}")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("workloads", nargs="*")
    options = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory(prefix="nnjobs-bench-", dir=Path.cwd()) as folder:
        first = write(WORKLOADS["loss-2000"], Path(folder))
        options.kernel = calibrated(options.binaries / "nnjobs", first, Path(folder))
        cube = rate(options.binaries / "bench", options.kernel, 512, 512, 512, "plain") / 1e9
        print(f"{CORES} cores; load {os.getloadavg()[0]:.1f} before; OpenBLAS kernel {options.kernel},", end=" ")
        print(f"dgemm 512³ on all cores {cube:.0f} GFLOP/s")
        for name in options.workloads or WORKLOADS:
            measure(WORKLOADS[name], options, Path(folder))
            print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
