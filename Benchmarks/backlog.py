#!/usr/bin/env python3
"""How a daemon starts with a long backlog: until it is READY, until its first job has run, how `status` answers meanwhile.

usage: backlog.py BINARIES [--files 100000]     # `make bench-backlog`; needs Python alone

Twice: with so many job files in jobs/ that no daemon has seen, and, after a kill -9 in the midst, with those it had taken in
queued and the rest in jobs/. Also how soon a cancelled job gives its core back. Writes nothing but its own temporary folder.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("binaries", type=Path)
parser.add_argument("--files", type=int, default=100_000)
options = parser.parse_args()
binaries = options.binaries.resolve()

TINY = json.dumps(
    {
        "version": 1,
        "network": {"type": "feed-forward", "layers": [{"weights": [[0.5, -1.0]], "activation": "tanh"}]},
        "inputs": [1.0, 2.0],
        "gradients": ["outputs", "parameter-jacobian"],
    }
)


def long_job():
    """Seconds of work in blocks: 1024 × 1024 layers, as a safetensors file that is a hole."""
    widths, samples = [1, 1024, 1024, 64], 200_000
    tensors, offset = {}, 0
    for name, shape in [("W1", [1024, 1]), ("W2", [1024, 1024]), ("W3", [64, 1024]), ("x", [samples, 1])]:
        size = 2 * shape[0] * shape[1]
        tensors[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    layers = [{"weights": {"tensor": f"W{k}"}, "activation": "tanh"} for k in (1, 2, 3)]
    document = {
        "version": 1,
        "network": {"type": "feed-forward", "layers": layers},
        "inputs": {"tensor": "x"},
        "gradients": ["input-jacobian"],
    }
    header = json.dumps({"__metadata__": {"nnjob": json.dumps(document)}} | tensors).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header, offset


class Daemon:
    def __init__(self, folder, *words):
        self.folder = folder
        address = f"\0nnjobs-bench-{os.getpid()}-{time.monotonic_ns()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(120)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NNJOBS_")}
        self.environment = environment | {"NNJOBS_CONFIG": "/dev/null", "NOTIFY_SOCKET": "@" + address[1:]}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [binaries / "nnjobsd", *words], cwd=folder, env=self.environment, stderr=open(folder / "log", "a")
        )
        while b"READY=1" not in self.socket.recv(4096):
            pass
        self.ready = time.perf_counter() - self.began

    def since(self):
        return time.perf_counter() - self.began

    def status(self, *words):
        began = time.perf_counter()
        subprocess.run(
            [binaries / "nnjobs", "status", *words], cwd=self.folder, env=self.environment, check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - began

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait()


def published(folder):
    with os.scandir(folder / "results") as entries:
        return sum(not entry.name.startswith(".") for entry in entries)


def watch(daemon, what, done_before):
    while published(daemon.folder) <= done_before:
        time.sleep(0.005)
    first = daemon.since()
    answers = sorted(daemon.status() for _ in range(30))
    print(f"{what}: READY after {daemon.ready:.2f} s, its first result after {first:.2f} s;")
    print(f"  status meanwhile: median {answers[15] * 1e3:.1f} ms, slowest of 30 {answers[-1] * 1e3:.1f} ms", flush=True)


def cancel_latencies(folder, count=15):
    """Seconds from a request to cancel a running job until its core computes the next one."""
    head, zeros = long_job()
    daemon = Daemon(folder, "--workers", "1")
    seconds = []
    for i in range(count):
        for name in (f"long{i}", f"next{i}"):
            (folder / "stage" / name).write_bytes(head)
            os.truncate(folder / "stage" / name, len(head) + zeros)
            os.rename(folder / "stage" / name, folder / "jobs" / f"{name}.safetensors")
    for i in range(1, 2 * count):
        while f"start {i} " not in (folder / "log").read_text():
            time.sleep(0.002)
        time.sleep(0.3)  # in the midst of its blocks
        began = time.perf_counter()
        (folder / f"jobs/.cancel-{i}").touch()
        while f"start {i + 1} " not in (folder / "log").read_text():
            time.sleep(0.002)
        seconds.append(time.perf_counter() - began)
    daemon.end(signal.SIGKILL)
    seconds.sort()
    print(f"cancel of a running job (1024 × 1024 layers), request to the next job's start, {len(seconds)} times:")
    print(f"  median {seconds[len(seconds) // 2] * 1e3:.0f} ms, slowest {seconds[-1] * 1e3:.0f} ms", flush=True)


def main():
    root = Path(tempfile.mkdtemp(prefix="nnjobs-bench-", dir=".")).resolve()
    try:
        for part in ("backlog", "cancel"):
            for name in ("jobs", "results", ".nnjobs", "stage"):
                (root / part / name).mkdir(parents=True)
        folder = root / "backlog"
        # The machine is measured at a first start; that is not what is measured here.
        profile = Daemon(root / "cancel")
        while not (root / "cancel/.nnjobs/machine.json").exists() and profile.since() < 60:
            time.sleep(0.1)
        profile.end(signal.SIGTERM)
        if (root / "cancel/.nnjobs/machine.json").exists():
            shutil.copy(root / "cancel/.nnjobs/machine.json", folder / ".nnjobs/machine.json")
        (root / "cancel/log").unlink()
        for i in range(options.files):
            (folder / f"jobs/j{i}.json").write_text(TINY)
        os.sync()
        daemon = Daemon(folder)
        watch(daemon, f"{options.files} files in jobs/", 0)
        while sum(1 for _ in os.scandir(folder / ".nnjobs/claimed")) < options.files // 4 and daemon.since() < 60:
            time.sleep(0.05)
        daemon.end(signal.SIGKILL)
        queued = sum(1 for _ in os.scandir(folder / ".nnjobs/claimed"))
        done = published(folder)
        left = sum(1 for _ in os.scandir(folder / "jobs")) - 1
        daemon = Daemon(folder)
        watch(daemon, f"after kill -9, {queued} queued, {done} done, {left} in jobs/", done)
        daemon.end(signal.SIGKILL)
        cancel_latencies(root / "cancel")
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
