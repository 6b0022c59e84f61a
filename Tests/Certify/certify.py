#!/usr/bin/env python3
"""Runs T1 to T13 and writes what was counted, checked and found.

usage: certify.py BINARIES [--slice] [--only T1,T4] [--write docs/certificate.md]
"""

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from bed import Bed, Broken  # noqa: E402
from certificate import page  # noqa: E402


class Report:
    """What one test counted and found."""

    def __init__(self, number, title):
        self.number, self.title = number, title
        self.counts, self.failures, self.cases, self.started = [], [], 0, time.monotonic()

    @contextmanager
    def case(self, name):
        """One injection; what it breaks is written down, and the next one follows."""
        self.cases += 1
        try:
            yield
        except (Broken, OSError, subprocess.TimeoutExpired, ValueError, IndexError) as fault:
            self.failures.append(f"{name}: {fault}")
            print(f"  FAILED {name}: {str(fault)[:1500]}", flush=True)
        now = time.monotonic()
        if now - getattr(self, "told", self.started) > 20:
            self.told = now
            print(f"  {self.number}: {self.cases} cases, {len(self.failures)} failed, {now - self.started:.0f} s: {name}", flush=True)

    def count(self, what, number, more=""):
        self.counts.append((what, number, more))


def sharing(is_slice):
    """In full every case; in a slice, every so many of them, spread evenly, other ones in other weeks."""

    def share(cases, few=12):
        cases = list(cases)
        if not is_slice or len(cases) <= few:
            return cases
        step = len(cases) / few
        shift = int(time.time() // 604800) % max(1, int(step))
        return [cases[min(len(cases) - 1, int(k * step) + shift)] for k in range(few)]

    return share


def build_fault(folder):
    """Compiles what is loaded into the programs."""
    path = f"{folder}/fault.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", path, HERE / "fault.c", "-ldl"], check=True)
    return path


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binaries")
    options.add_argument("--slice", action="store_true")
    options.add_argument("--only", default="")
    options.add_argument("--write")
    options = options.parse_args()
    tests = sorted(HERE.glob("t[0-9][0-9]_*.py"))
    wanted = {int(word.strip("Tt")) for word in options.only.split(",") if word}
    reports = []
    # In memory: an fsync there costs nothing, and what survives a kill survives it there as well.
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="certify-") as scratch:
        bed = Bed(options.binaries, build_fault(scratch), scratch)
        bed.is_slice = options.slice
        for path in tests:
            number = int(path.stem[1:3])
            if wanted and number not in wanted:
                continue
            module = importlib.import_module(path.stem)
            report = Report(f"T{number}", module.__doc__.strip().splitlines()[0].split(": ", 1)[1])
            print(f"{report.number}: {report.title}", flush=True)
            module.run(bed, report, sharing(options.slice))
            report.seconds = time.monotonic() - report.started
            for what, count, more in report.counts:
                print(f"  {what}: {count} {more}")
            print(f"  {report.cases} cases, {len(report.failures)} failed, {report.seconds:.0f} s", flush=True)
            reports.append(report)
            if options.write:
                # After each test: an interrupted run leaves what it has.
                Path(options.write).write_text(page(reports, options.binaries))
    failed = sum(len(r.failures) for r in reports)
    print(f"certify: {sum(r.cases for r in reports)} cases, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
