#!/usr/bin/env python3
"""Measures feed-forward gradients: the engine beside JAX, PyTorch, NumPy and the machine's limits, in one run.

usage: feed_forward.py BINARIES [--jax PYTHON] [--torch PYTHON] [--numpy PYTHON] [--turns N] [--output FILE] [--no-disk]
                       [--dtype float64|float32] [--huge] [WORKLOAD …]

BINARIES has nnjobs, nnjobsd, bench, storing and writing (`make bench` builds them). The PYTHONs have the libraries; who
is not given is left out. Prints one Markdown table for each workload and appends it to FILE: first in memory (all
warm, results of the engine, NumPy and by hand of PyTorch into memory kept between calls, of JAX into donated memory),
then end to end (from a job file to fsynced .npy files, with the start of the process and warm, where warm is the
daemon's worker for nnjobs: from the rename into jobs/ to the published folder). --huge does instead one ∂y/∂w of 40 GiB.
"""

import argparse
import filecmp
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import limits
from contestants import CORES, PEERS, Engine, Peer, calibrated, text
from end_to_end import MEMORY, Daemon, run_engine, run_peer
from safetensors.numpy import save_file

sys.path.insert(0, str(PEERS / "feed_forward"))
from workloads import WORKLOADS  # noqa: E402

# Automatic differentiation where it can do the same in less than seconds a call.
BY_HAND = {"jax": ("by hand",), "torch": ("by hand", "compile"), "numpy": ("by hand",)}
PROGRAMS = {
    "factors": BY_HAND,
    "kernel": BY_HAND,
    "diagonal": BY_HAND,
    "product": {**BY_HAND, "jax": ("linearize", "jvp and vjp"), "torch": ("jvp and vjp", "by hand", "compile")},
}
JACOBIANS = {**BY_HAND, "jax": ("jacrev", "by hand"), "torch": ("jacrev", "by hand", "compile")}
DISK_TURNS = 3


class Report:
    def __init__(self, file):
        self.file = open(file, "a") if file else None

    def line(self, text=""):
        print(text, flush=True)
        if self.file:
            print(text, file=self.file, flush=True)

    def row(self, *cells):
        self.line(f"| {' | '.join(cells)} |")


def size(count):
    return "–" if count is None else f"{count / 2**20:,.0f} MiB"


def write(workload, folder):
    file = folder / f"{workload.name.replace('/', '-')}.safetensors"
    tensors, document = workload.job()
    save_file(tensors, file, metadata={"nnjob": json.dumps(document)})
    return file


def programs(workload, options):
    wanted = PROGRAMS.get(workload.wanted, JACOBIANS)
    return [
        (getattr(options, library), library, program)
        for library, names in wanted.items()
        for program in names
        if getattr(options, library)
    ]


def contestants(workload, options, file, folder):
    """The engine with all cores and with one, whose results are the same bytes; then the peers, compared with it."""
    bench, reference = options.binaries / "bench", folder / "reference"
    engines = [Engine(bench, file, threads, options.kernel) for threads in sorted({CORES, 1}, reverse=True)]
    if options.kernel != "Haswell":
        engines.append(Engine(bench, file, CORES, "Haswell"))
    engines[0].turn(reference)
    for engine in engines[1:]:
        engine.turn(folder / "again")
        if engine.kernel == engines[0].kernel and not filecmp.cmp(reference, folder / "again", shallow=False):
            raise RuntimeError(f"{workload.title}: {engine.threads} threads give other bytes than {CORES}")
        (folder / "again").unlink()
    peers, missing = [], []
    for python, library, program in programs(workload, options):
        try:
            peers.append((python, library, program, Peer(python, library, program, workload, reference)))
        except RuntimeError as error:
            print(f"left out: {error}", file=sys.stderr)
            missing.append(f"{library} {program}: {str(error).strip().splitlines()[-1]}")
    reference.unlink()
    return engines, peers, missing


def in_memory(workload, options, report, file, folder):
    engines, peers, missing = contestants(workload, options, file, folder)
    everybody = engines + [peer[-1] for peer in peers]
    if workload.wanted in limits.STORES:
        through, past = limits.stores(options.binaries / "storing")
    for contestant in everybody:  # what came before is start
        contestant.seconds, contestant.cpu_seconds = [], []
    for _ in range(options.turns):
        for contestant in everybody:
            contestant.turn()
    ours, told = engines[0].median, engines[0].told
    count, operations = told["resultBytes"], sum(limits.products(workload).values())
    is_stores = workload.wanted in limits.STORES
    if is_stores:
        again = limits.stores(options.binaries / "storing")
        rates = [(through + again[0]) / 2, (past + again[1]) / 2]
        limit = count / max(rates)
        said = f"stores {rates[0] / 1e9:.1f} GB/s through the caches, {rates[1] / 1e9:.1f} past them"
    if workload.wanted not in ("weights", "both"):
        limit = limits.product_seconds(options.binaries / "bench", options.kernel, workload)
        said = f"its products at OpenBLAS' rates: {operations / limit / 1e9:.1f} GFLOP/s"
    report.line(f"\n**{workload.title}**, in memory: {count / 1e6:.4g} MB, {operations / 1e9:.3g} GFLOP of products\n")
    report.row("", "median", "least", "GB/s" if is_stores else "GFLOP/s", "peak memory", "÷ nnjobs", "of the limit")
    report.row("---", *["---:"] * 6)
    for c in everybody:
        speed = (count if is_stores else operations) / c.median / 1e9
        of_limit = "–" if workload.wanted == "both" else f"{limit / c.median:.2f}"
        of_ours = f"{c.median / ours:.3g}"
        report.row(c.title, text(c.median), text(c.least), f"{speed:.3g}", size(c.peak_memory), of_ours, of_limit)
    report.line()
    if workload.wanted != "both":
        report.line(f"Limit in this run: {text(limit)}; {said}. ")
    else:
        report.line(f"Planning, which is not in it, takes {text(told['planSeconds'])}. ")
    for who in missing:
        report.line(f"Left out: {who}. ")
    if peers:
        best = min((peer[-1] for peer in peers), key=lambda peer: peer.median)
        report.line(f"Best peer: {best.title}, {best.median / ours:.3g} times nnjobs' time. ")
    if len(engines) > 1:
        median, least = engines[1].median / ours, engines[1].least / engines[0].least
        report.line(f"{CORES} threads are {median:.2f} times as fast as one ({least:.2f} by the least times); same bytes.")
    return count, peers


def fastest(peers):
    """Of each library, without what is translated for tens of seconds first."""
    best = {}
    for peer in sorted((peer for peer in peers if peer[2] != "compile"), key=lambda peer: -peer[-1].median):
        best[peer[1]] = peer
    return best.values()


def on_disk(workload, options, report, file, folder, count, peers):
    saved = folder / "warm"
    saved.mkdir(exist_ok=True)
    limit, way = limits.durable(options.binaries / "writing", folder, count)
    rows = []
    cold = [run_engine(options.binaries / "nnjobs", file, folder) for _ in range(DISK_TURNS + 1)][1:]
    daemon = Daemon(options.binaries, folder / workload.name.replace("/", "-"))
    try:
        warm = daemon.median(file, DISK_TURNS)
    finally:
        daemon.stop()
    rows.append(("**nnjobs**", statistics.median(c[0] for c in cold), warm, max(c[1] for c in cold)))
    for python, library, program, peer in fastest(peers):
        own = [run_peer(python, library, program, workload, file, folder) for _ in range(DISK_TURNS)]
        peer.ask(1, saved)
        seconds = statistics.median(peer.ask(DISK_TURNS, saved)[0])
        rows.append((peer.title, statistics.median(o[0] for o in own), seconds, max(o[1] for o in own)))
    again, _ = limits.durable(options.binaries / "writing", folder, count)
    limit = (limit + again) / 2
    said = f"{text(limit)} ({way}, {count / limit / 1e9:.2f} GB/s)"
    report.line(f"\nEnd to end, from the job file to results on disk; limit in this run: {said}\n")
    report.row("", "from process start", "÷ nnjobs", "peak memory", "warm", "÷ nnjobs", "GB/s", "of the limit")
    report.row("---", *["---:"] * 7)
    for title, first, warm, peak in rows:
        parts = [text(first), f"{first / rows[0][1]:.3g}", size(peak), text(warm), f"{warm / rows[0][2]:.3g}"]
        report.row(title, *parts, f"{count / warm / 1e9:.3g}", f"{limit / warm:.2f}")
    for file in saved.iterdir():
        file.unlink()


def measure(workload, options, report, folder):
    file = write(workload, folder)
    count, peers = in_memory(workload, options, report, file, folder)
    if not options.no_disk and workload.wanted != "both":  # of tiny jobs on disk: make bench-queue
        on_disk(workload, options, report, file, folder, count, peers)
    for *_, peer in peers:
        peer.close()
    report.line(f"\nload {os.getloadavg()[0]:.1f}")


def huge(options, report, folder):
    """40 GiB: the engine's seconds and memory, the disk's limit, and what the peers say."""
    for dtype in options.dtype:
        workload = WORKLOADS[f"huge/{dtype}"]
        file, count = write(workload, folder), workload.result_bytes
        limit, way = limits.durable(options.binaries / "writing", folder, count, 1, ("drop",))
        seconds, peak, failure = run_engine(options.binaries / "nnjobs", file, folder)
        said = f"{count / 2**30:.1f} GiB; memory of the machine {size(MEMORY)}"
        report.line(f"\n**{workload.title}**, end to end: {said}\n")
        report.row("", "from process start", "GB/s", "peak memory", "of the limit")
        report.row("---", *["---:"] * 4)
        if failure:
            raise RuntimeError(f"nnjobs: {failure}")
        speed = f"{count / seconds / 1e9:.2f}"
        report.row("**nnjobs**", text(seconds), speed, size(peak), f"{limit / seconds:.2f}")
        for python, library, program in programs(workload, options):
            if program == "compile":
                continue
            seconds, peak, failure = run_peer(python, library, program, workload, file, folder, MEMORY)
            own = [failure or text(seconds), "–" if failure else f"{count / seconds / 1e9:.2f}", size(peak), "–"]
            report.row(f"{library} {program}", *own)
        report.line(f"\nLimit in this run: {text(limit)} ({way}). Peers may have as much address space as there is memory.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=Path)
    for library in ("jax", "torch", "numpy"):
        parser.add_argument(f"--{library}")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--no-disk", action="store_true")
    parser.add_argument("--huge", action="store_true")
    parser.add_argument("--dtype", action="append", choices=("float64", "float32"))
    parser.add_argument("workloads", nargs="*")
    options = parser.parse_intermixed_args()
    options.binaries = options.binaries.resolve()
    options.dtype = options.dtype or ["float64", "float32"]
    report = Report(options.output)
    with tempfile.TemporaryDirectory(prefix="nnjobs-bench-", dir=Path.cwd()) as folder:
        folder = Path(folder)
        options.kernel = calibrated(options.binaries / "nnjobs", write(WORKLOADS["tiny/float64"], folder), folder)
        report.line(f"{CORES} cores, load {os.getloadavg()[0]:.1f} before, OpenBLAS kernel {options.kernel}")
        if options.huge:
            return huge(options, report, folder)
        names = options.workloads or dict.fromkeys(name.split("/")[0] for name in WORKLOADS if "huge" not in name)
        for name in names:
            for dtype in options.dtype:
                measure(WORKLOADS[f"{name}/{dtype}"], options, report, folder)


if __name__ == "__main__":
    main()
