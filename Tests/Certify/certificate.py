"""docs/certificate.md, from what the tests counted."""

import os
import platform
import subprocess
import time
from pathlib import Path

CHECKED = {
    "T1": "a new daemon finds what the kill left; every acknowledged file has one row in one final state; results are byte for byte those of an undisturbed run; `fsck` finds nothing; the user's own file is untouched",
    "T2": "the same; a job that failed for the error succeeds when it is retried",
    "T3": "the same; the daemon left, or the command did not say 0, after the failed fsync",
    "T4": "`fsck --repair`, which is a start's recovery, leaves nothing to put right; every acknowledged file is whole in one place; what is called done is complete and right",
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


def page(reports, binaries):
    """The whole document."""
    version = subprocess.run([f"{binaries}/nnjobsd", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    failed = sum(len(r.failures) for r in reports)
    lines = [
        "# Crash certificate", "",
        "Written by `make certify`, which repeats all of it; how each test works stands at the head of its file in `Tests/Certify`.", "",
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())} · {version}, commit {commit} · {os.cpu_count()} cores ({model}), "
        f"Linux {platform.release()} · {sum(r.cases for r in reports):,} cases, **{failed} failed**", "",
        "| test | counted | checked | failed | s |", "|---|---|---|---|---|",
    ]
    for report in reports:
        counts = "<br>".join(f"{what}: **{number:,}** {more}".strip() for what, number, more in report.counts)
        lines.append(f"| {report.number}: {report.title.rstrip('.')} | {counts} | {CHECKED[report.number]} | "
                     f"{len(report.failures)} of {report.cases:,} | {report.seconds:.0f} |")
    for report in reports:
        for failure in report.failures:
            lines += ["", f"{report.number} failed: `{' '.join(failure.split())[:400]}`"]
    return "\n".join(lines) + "\n"
