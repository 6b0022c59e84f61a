#!/usr/bin/env python3
"""Runs T1 to T13 and writes what was counted, checked and found.

usage: certify.py BINARIES [--slice] [--only T1,T4] [--beside N] [--results FILE] [--write docs/certificate.md]

With --results each test's outcome is kept in FILE once the test is through, and not run again: several runs on one build
make one certificate. Outcomes of another build are refused.
"""

import argparse
import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from bed import Bed, Broken  # noqa: E402
from certificate import Outcomes, page  # noqa: E402


class Report:
    """What one test counted and found."""

    def __init__(self, number, title, beside):
        self.number, self.title, self.beside = number, title, beside
        self.counts, self.failures, self.cases, self.started = [], [], 0, time.monotonic()
        self.told = self.started

    @contextmanager
    def case(self, name):
        """One injection; what it breaks is written down, and the next one follows."""
        try:
            yield
            self.note(name)
        except Exception as fault:
            self.note(name, words(fault))

    def each(self, cases, name, act):
        """`act(case)` of every case, as many beside each other as there are processes; gives what those returned that kept all promises."""
        global work
        work = list(cases), act
        found = []
        # Forked, so that a case need not be told to another process: its number will do.
        with ProcessPoolExecutor(self.beside, multiprocessing.get_context("fork")) as processes:
            running = {processes.submit(one, number): number for number in range(len(work[0]))}
            for future in as_completed(running):
                value, fault = future.result()
                self.note(name(work[0][running[future]]), fault)
                if fault is None:
                    found.append(value)
        return found

    def note(self, name, fault=None):
        self.cases += 1
        if fault is not None:
            self.failures.append(f"{name}: {fault}")
            print(f"  FAILED {name}: {fault[:1500]}", flush=True)
        now = time.monotonic()
        if now - self.told > 20:
            self.told = now
            print(f"  {self.number}: {self.cases} cases, {len(self.failures)} failed, {now - self.started:.0f} s: {name}", flush=True)

    def count(self, what, number, more=""):
        self.counts.append((what, number, more))


work = [], None


def one(number):
    """One of the cases, in a process of its own: what it gave, and what it broke."""
    cases, act = work
    try:
        return act(cases[number]), None
    except Exception as fault:
        return None, words(fault)


def words(fault):
    """What a case broke; where no promise was seen broken, what else went wrong."""
    return str(fault) if isinstance(fault, Broken) else f"{type(fault).__name__}: {fault}"


def sharing(is_slice):
    """In full every case; in a slice, every so many of them, spread evenly, always the same."""

    def share(cases, few=12):
        cases = list(cases)
        if not is_slice or len(cases) <= few:
            return cases
        return [cases[int((k + 0.5) * len(cases) / few)] for k in range(few)]

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
    options.add_argument("--beside", type=int, default=2 * os.cpu_count())
    options.add_argument("--results")
    options.add_argument("--write")
    options = options.parse_args()
    tests = sorted(HERE.glob("t[0-9][0-9]_*.py"))
    wanted = {int(word.strip("Tt")) for word in options.only.split(",") if word}
    outcomes = Outcomes(options.binaries, options.results)
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
            report = Report(f"T{number}", module.__doc__.strip().splitlines()[0].split(": ", 1)[1], options.beside)
            if report.number in outcomes:
                print(f"{report.number}: its outcome is in {options.results}", flush=True)
                continue
            print(f"{report.number}: {report.title}", flush=True)
            module.run(bed, report, sharing(options.slice))
            report.seconds = time.monotonic() - report.started
            for what, count, more in report.counts:
                print(f"  {what}: {count} {more}")
            print(f"  {report.cases} cases, {len(report.failures)} failed, {report.seconds:.0f} s", flush=True)
            reports.append(report)
            # After each test: an interrupted run leaves what it has.
            outcomes.keep(report)
            if options.write:
                Path(options.write).write_text(page(outcomes))
    if options.write:
        Path(options.write).write_text(page(outcomes))
    failed = sum(len(r.failures) for r in reports)
    print(f"certify: {sum(r.cases for r in reports)} cases, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
