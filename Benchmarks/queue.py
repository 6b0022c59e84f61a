#!/usr/bin/env python3
"""How fast the queue is: a tiny job's way from its rename into jobs/ to its published folder, and many at once.

usage: queue.py BINARIES [--jobs 10000] [--latencies 1000] [--rows 100000]     # `make bench-queue`; needs Python alone

Everything is durable: results and rows are on disk (fsync) before a folder is published. Beside each figure stands, from the
same run, what the disk alone takes: as many files of the same sizes written, fsynced and renamed by a C-like loop in Python.
Prints medians; writes nothing but its own temporary folder, on the file system of the current one.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("binaries", type=Path)
parser.add_argument("--jobs", type=int, default=10_000)
parser.add_argument("--latencies", type=int, default=1_000)
parser.add_argument("--rows", type=int, default=100_000)
options = parser.parse_args()
binaries = options.binaries.resolve()


def document():
    """A 4-16-2 network with one sample, all gradients but none per sample: 6 arrays and a manifest."""
    draw = random.Random(1)
    numbers = lambda rows, columns: [[draw.gauss(0, 1) for _ in range(columns)] for _ in range(rows)]
    layers = [
        {"weights": numbers(16, 4), "biases": numbers(1, 16)[0], "activation": "tanh"},
        {"weights": numbers(2, 16), "biases": numbers(1, 2)[0], "activation": "identity"},
    ]
    network = {"type": "feed-forward", "layers": layers}
    gradients = ["outputs", "parameter-jacobian", "input-jacobian"]
    return json.dumps({"version": 1, "network": network, "inputs": numbers(1, 4), "gradients": gradients})


def middle(seconds, part=0.5):
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * part))]


def milliseconds(seconds):
    return f"{seconds * 1e3:.2f} ms"


class Queue:
    """A daemon on a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("jobs", "results", ".nnjobs", "stage"):
            (folder / name).mkdir()
        self.log = open(folder / "log", "w")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NNJOBS_")}
        self.environment = environment | {"NNJOBS_CONFIG": "/dev/null"}
        self.daemon = subprocess.Popen([binaries / "nnjobsd"], cwd=folder, env=self.environment, stderr=self.log)
        while (folder / "log").stat().st_size == 0:
            time.sleep(0.01)
        time.sleep(0.5)  # its workers start too

    def drop(self, name, text):
        stage = self.folder / "stage" / name
        stage.write_text(text)
        began = time.perf_counter()
        os.rename(stage, self.folder / "jobs" / f"{name}.json")
        return began

    def latency(self, name, text):
        published = str(self.folder / "results" / name)
        began = self.drop(name, text)
        while not os.path.exists(published):
            time.sleep(0.00005)
        return time.perf_counter() - began

    def throughput(self, count, text):
        for i in range(count):
            (self.folder / "stage" / f"many{i}").write_text(text)
        os.sync()
        began = time.perf_counter()
        for i in range(count):
            os.rename(self.folder / "stage" / f"many{i}", self.folder / "jobs" / f"many{i}.json")
        dropped = time.perf_counter() - began
        while sum(name.startswith("many") for name in os.listdir(self.folder / "results")) < count:
            time.sleep(0.05)
        return dropped, time.perf_counter() - began

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        assert self.daemon.wait() == 0


def disk_alone(folder, sizes):
    """Seconds to write, fsync and publish one folder of files of these sizes, with nothing else to do."""
    began = time.perf_counter()
    partial, final = folder / ".partial", folder / f"alone{time.monotonic_ns()}"
    partial.mkdir()
    for i, size in enumerate(sizes):
        file = os.open(partial / str(i), os.O_CREAT | os.O_WRONLY)
        os.write(file, bytes(size))
        os.fsync(file)
        os.close(file)
    for path, rename in ((partial, True), (folder, False)):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        if rename:
            os.rename(partial, final)
    return time.perf_counter() - began


def repeated(command, folder, environment, count=30):
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - began)
    return seconds


def many_rows(store, count):
    connection = sqlite3.connect(store)
    connection.executemany(
        "INSERT INTO jobs (name, file, uid, state, priority, submitted, started, finished, attempts, result, bytes,"
        " memory, cores, progress, inode, modified) VALUES (?, ?, ?, 'succeeded', 0, ?, ?, ?, 1, ?, 832, 1, 1, 1, ?, ?)",
        ((f"row{i}", f"row{i}.json", os.getuid(), i, i, i, f"row{i}", i, i) for i in range(count)),
    )
    connection.commit()
    connection.close()


def main():
    text = document()
    folder = Path(tempfile.mkdtemp(prefix="nnjobs-bench-", dir="."))
    try:
        queue = Queue(folder.resolve())
        for i in range(20):
            queue.latency(f"warm{i}", text)
        sizes = [p.stat().st_size for p in (folder / "results/warm0").rglob("*") if p.is_file()]
        latencies, alone = [], []
        for i in range(options.latencies):
            latencies.append(queue.latency(f"one{i}", text))
            if i % 5 == 0:
                alone.append(disk_alone(folder, sizes))
        print(f"a tiny job (4-16-2, one sample, {len(sizes)} files), rename to published folder, {len(latencies)} times:")
        print(f"  median {milliseconds(middle(latencies))}, 99th percentile {milliseconds(middle(latencies, 0.99))}")
        print(f"  the disk alone (write, fsync, rename, fsync): median {milliseconds(middle(alone))}")
        print(f"  ratio {middle(latencies) / middle(alone):.2f}")
        dropped, seconds = queue.throughput(options.jobs, text)
        print(f"{options.jobs} of them dropped at once (in {dropped:.2f} s): {options.jobs / seconds:.0f} jobs a second")
        print(f"  the disk alone, one after another: {1 / middle(alone):.0f} folders a second")
        queue.stop()
        many_rows(folder / ".nnjobs/store.sqlite", options.rows)
        rows = options.rows + options.jobs + options.latencies + 20
        true = repeated(["true"], folder, queue.environment)
        for words in (["status"], ["status", "--all-users"], ["status", "--json", "--limit", "100"], ["version"]):
            seconds = repeated([binaries / "nnjobs", *words], folder, queue.environment)
            print(f"nnjobs {' '.join(words)}, {rows} rows: median {milliseconds(middle(seconds))}", end=" ")
            print(f"(starting `true` takes {milliseconds(middle(true))})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
