"""T12: SIGTERM at every moment of a job's life, and a hundred restarts in a row under load."""

import signal
import time

import jobs
import ways
from bed import Broken


def run(bed, report, share):
    moments = (0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3)
    for delay in share(moments, 5):
        with report.case(f"SIGTERM {delay} s after the start"):
            with bed.queue() as queue:
                for seed in (1, 2, 7):
                    queue.drop(f"job{seed}.json", jobs.mixed(seed))
                queue.drop("bad.json", b"{}")
                daemon = queue.daemon()
                time.sleep(delay)
                status = daemon.end()
                if status not in (0, -signal.SIGTERM):
                    raise Broken(f"status {status}\n{queue.log()}")
                with queue.daemon():
                    queue.settle()
                queue.judge()
    report.count("moments of a SIGTERM", len(share(moments, 5)))
    with report.case("restarts under load"):
        report.count("restarts in a row under load", restarts(bed, 6 if bed.is_slice else 100))


def restarts(bed, times):
    with bed.queue() as queue:
        for k in range(times):
            for j in range(3):
                queue.drop(f"job{k}-{j}.json", jobs.mixed(7 * k + j))
            daemon = queue.daemon()
            if not daemon.wait():
                raise Broken(f"start {k} failed\n{queue.log()}")
            queue.drop(f"late{k}.json", jobs.mixed(k))
            time.sleep(0.01 * (k % 6))
            if daemon.end() != 0:
                raise Broken(f"stop {k} ended with {daemon.process.returncode}\n{queue.log()}")
        with queue.daemon():
            queue.settle(within=300)
        queue.judge()
        return times
