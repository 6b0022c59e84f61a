"""docs/certificate.md, from what the tests counted."""

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

CHECKED = {
    "T1": "a new daemon finds what the kill left; every acknowledged file has one row in one final state; results are byte for byte those of an undisturbed run; `fsck` finds nothing; the user's own file is untouched",
    "T2": "the same; a job that failed for the error succeeds when it is retried",
    "T3": "the same; the daemon left, or the command did not say 0, after the failed fsync",
    "T4": "a daemon recovers the state and serves it to the end; what was acknowledged by then (submitted, cancelled, held, released, retried, removed) is so, once; results are byte for byte those of an undisturbed run; `fsck` finds nothing; a life in which one fsync is left out is found out",
    "T5": "the daemon lives, nothing is lost, and the queue goes on by itself once there is room",
    "T6": "as T1",
    "T7": "an answer for each, no crash; a changed file is an error or a valid job",
    "T8": "refused with a reason or left alone; the target is unwritten; the jobs beside it succeed",
    "T9": "each job exactly once",
    "T10": "quarantined after three; others unharmed; cancelled within its grace",
    "T11": "the second daemon refuses; no job twice",
    "T12": "one final state each, nothing lost",
    "T13": "opens, migrates, keeps every row; a newer store is refused with a sentence",
}


class Outcomes:
    """What the tests of one build came to, kept in a file of one line each where it has a name."""

    def __init__(self, binaries, file):
        self.binaries, self.file = Path(binaries), file and Path(file)
        text = b"".join((self.binaries / name).read_bytes() for name in ("nnjobs", "nnjobsd"))
        self.build = hashlib.sha256(text).hexdigest()
        self.tests = {}
        if self.file and self.file.exists():
            for line in self.file.read_text().splitlines():
                outcome = json.loads(line)
                if outcome["build"] != self.build:
                    sys.exit(f"certify: {file} has outcomes of another build; name another file, or move it away")
                self.tests[outcome["number"]] = outcome

    def __contains__(self, number):
        return number in self.tests

    def keep(self, report):
        outcome = {"build": self.build, "commit": commit(), "ended": time.time(), "number": report.number, "title": report.title,
                   "counts": report.counts, "failures": report.failures, "cases": report.cases, "seconds": report.seconds}
        self.tests[report.number] = outcome
        if self.file:
            with open(self.file, "a") as file:
                file.write(json.dumps(outcome) + "\n")


def commit():
    """The commit these files are of, and whether they were changed since; the document itself is, as soon as it is written."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/certificate.md")
    return git("describe", "--always") + ("-dirty" if changed else "")


def page(outcomes):
    """The whole document."""
    version = subprocess.run([outcomes.binaries / "nnjobsd", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    tests = sorted(outcomes.tests.values(), key=lambda test: int(test["number"][1:]))
    failed = sum(len(test["failures"]) for test in tests)
    ended = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(max((test["ended"] for test in tests), default=0)))
    commits = ", ".join(sorted({test["commit"] for test in tests}))
    left = [f"T{k}" for k in range(1, len(CHECKED) + 1) if f"T{k}" not in outcomes]
    lines = [
        "# Crash certificate", "",
        "Written by `make certify`, which repeats all of it; how each test works stands at the head of its file in `Tests/Certify`.", "",
        f"{ended} · {version}, commit {commits}, binaries {outcomes.build[:12]} · {os.cpu_count()} cores ({model}), "
        f"Linux {platform.release()} · {sum(test['cases'] for test in tests):,} cases, **{failed} failed**", "",
    ]
    if left:
        lines += [f"Not run: {', '.join(left)}.", ""]
    lines += ["| test | counted | checked | failed | s |", "|---|---|---|---|---|"]
    for test in tests:
        counts = "<br>".join(f"{what}: **{number:,}** {more}".strip() for what, number, more in test["counts"])
        lines.append(f"| {test['number']}: {test['title'].rstrip('.')} | {counts} | {CHECKED[test['number']]} | "
                     f"{len(test['failures'])} of {test['cases']:,} | {test['seconds']:.0f} |")
    for test in tests:
        for failure in test["failures"]:
            lines += ["", f"{test['number']} failed: `{' '.join(failure.split())[:400]}`"]
    return "\n".join(lines) + "\n"
