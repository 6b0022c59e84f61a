"""T11: a second daemon, clocks that jump by a day, a new boot: no job runs twice."""

import os
import shutil
import signal
import time

import jobs
import ways
from bed import Broken
from t10_poison import running, until

DAY = 86_400


def run(bed, report, share):
    with report.case("a second daemon refuses"):
        second(bed)
        report.count("second daemons refused", 1)
    jumps = 0
    for seconds in (DAY, -DAY, 400 * DAY, -400 * DAY):
        with report.case(f"the clock jumps by {seconds} s"):
            jump(bed, seconds)
            jumps += 1
    report.count("clock jumps while jobs wait and run, and between two starts", jumps)
    if os.geteuid() == 0 and shutil.which("unshare"):
        with report.case("a new boot"):
            reboot(bed)
            report.count("boots", 3, "the last of which quarantines the job that ran at each")


def second(bed):
    with bed.queue() as queue:
        queue.drop("a.json", jobs.small(1))
        with queue.daemon():
            other = queue.daemon()
            if other.wait() or other.process.returncode != 74 or "another nnjobsd" not in queue.log():
                raise Broken(f"the second daemon ended with {other.process.returncode}\n{queue.log()}")
            queue.settle()
        queue.judge()


def jump(bed, seconds):
    with bed.queue() as queue:
        moved = queue.path.parent / (queue.path.name + ".moved")
        clock = bed.faults(queue, CLOCK=seconds, CLOCK_FROM=moved)
        with queue.daemon(**clock):
            for k in range(4):
                queue.drop(f"before{k}.json", jobs.small(k))
            moved.touch()
            for k in range(4):
                queue.drop(f"after{k}.json", jobs.small(k))
            queue.settle()
            moved.unlink()
            queue.drop("back.json", jobs.small(1))
            queue.settle()
            moved.touch()
        with queue.daemon(**clock):
            queue.drop("next.json", jobs.small(2))
            queue.settle()
        moved.unlink()
        with queue.daemon():
            queue.settle()
        rows = queue.judge()
        if any(r["attempts"] > 1 for r in rows):
            raise Broken(f"ran twice: {[(r['name'], r['attempts']) for r in rows]}")


def reboot(bed):
    """The kernel's boot id is another at each start; what ran when the machine went down counts against the job."""
    with bed.queue() as queue:
        ways.a_long_job(queue)
        for boot in (1, 2, 3):
            identity = queue.path / f"boot{boot}"
            identity.write_text(f"0000000{boot}-0000-4000-8000-000000000000\n")
            inside = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', str(identity)]
            daemon = queue.daemon(prefix=inside)
            daemon.wait()
            until(queue, f"attempt {boot} runs", lambda: any(r["attempts"] == boot for r in running(queue, "long")))
            for worker in daemon.workers():
                os.kill(worker, signal.SIGSTOP)
            daemon.end(signal.SIGKILL)
            time.sleep(0.05)
        with queue.daemon():
            queue.settle()
        row = queue.rows()[0]
        if row["reason_code"] != "quarantined" or row["attempts"] != 3:
            raise Broken(f"after three boots it is {row['state']} after {row['attempts']} attempts: {row['reason_text']}")
