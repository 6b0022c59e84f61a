"""T10: workers that crash, are killed, or ignore their cancellation: the others unharmed, quarantine after three."""

import os
import signal
import time

import jobs
import ways
from bed import Broken

SIGNALS = ("SIGSEGV", "SIGABRT", "SIGKILL", "SIGTERM", "SIGBUS", "SIGILL")


def run(bed, report, share):
    killed = 0
    for name in share(SIGNALS, 1):
        with report.case(f"a worker ended by {name}, three times"):
            poison(bed, getattr(signal, name))
            killed += 3
    report.count("workers killed under a job that is quarantined", killed)
    took = []
    for k in range(1 if bed.is_slice else 5):
        with report.case("a stopped worker is cancelled within its grace"):
            took.append(stopped(bed))
    report.count("stopped workers cancelled", len(took), f"grace 1 s, longest {max(took, default=0):.2f} s")


def running(queue, name):
    return [r for r in queue.rows() if r["name"] == name and r["state"] == "running"]


def until(queue, what, condition, within=200):
    end = time.monotonic() + within
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise Broken(f"after {within} s not: {what}; rows {[(r['name'], r['state'], r['attempts']) for r in queue.rows()]}\n{queue.log()}")


def busy(daemon):
    """The worker that computes: the one that used most time since it started."""
    return max(daemon.workers(), key=lambda pid: sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13])))


def poison(bed, number):
    with bed.queue() as queue:
        with queue.daemon("--grace", 1) as daemon:
            ways.a_long_job(queue)
            for attempt in (1, 2, 3):
                until(queue, f"attempt {attempt} runs", lambda: any(r["attempts"] == attempt for r in running(queue, "long")))
                until(queue, "a worker", lambda: bool(daemon.workers()))
                time.sleep(0.2)
                os.kill(busy(daemon), number)
                until(queue, "the death is noticed", lambda: not any(r["attempts"] == attempt for r in running(queue, "long")))
                # Whoever comes after is not harmed.
                queue.drop(f"other{attempt}.json", jobs.small(attempt))
                until(queue, "the other job ends", lambda: any(r["name"] == f"other{attempt}" and r["state"] == "succeeded" for r in queue.rows()))
            until(queue, "quarantine", lambda: any(r["reason_code"] == "quarantined" for r in queue.rows()))
        row = [r for r in queue.rows() if r["name"] == "long"][0]
        if row["attempts"] != 3:
            raise Broken(f"quarantined after {row['attempts']} attempts")
        queue.judge()


def stopped(bed):
    with bed.queue() as queue:
        with queue.daemon("--grace", 1) as daemon:
            ways.a_long_job(queue)
            until(queue, "it runs", lambda: running(queue, "long"))
            time.sleep(0.3)
            os.kill(busy(daemon), signal.SIGSTOP)
            start = time.monotonic()
            (queue.path / "jobs/.cancel-1").touch()
            until(queue, "cancelled", lambda: queue.rows()[0]["state"] == "cancelled", 20)
            took = time.monotonic() - start
            if took > 5:
                raise Broken(f"cancelling took {took:.1f} s with a grace of 1 s")
            queue.drop("next.json", jobs.small(1))
            queue.settle()
        queue.judge()
        return took
