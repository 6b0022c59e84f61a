"""T9: very many files at once, more events than the kernel keeps, an inbox removed and made again, no events at all."""

import os
import shutil
import signal
import time

import jobs
from bed import Broken


def run(bed, report, share):
    many = 300 if bed.is_slice else 50_000
    with report.case("a burst, the daemon stopped meanwhile, so that its events overflow"):
        report.count("files at once", burst(bed, many))
    with report.case("the inbox removed and made again"):
        report.count("inboxes removed and made again", removed(bed, 2 if bed.is_slice else 20))
    if shutil.which("strace"):
        with report.case("polling only"):
            report.count("files found without events", polling(bed, 20 if bed.is_slice else 2000))


def burst(bed, many):
    text = jobs.small(0)
    right = bed.reference("a.json", text)
    with bed.queue() as queue:
        with queue.daemon("--workers", 2) as daemon:
            daemon.process.send_signal(signal.SIGSTOP)
            for k in range(many):
                with open(queue.path / f"jobs/.tmp-{k}", "wb") as file:
                    file.write(text)
                os.rename(queue.path / f"jobs/.tmp-{k}", queue.path / f"jobs/job{k}.json")
            daemon.process.send_signal(signal.SIGCONT)
            end = time.monotonic() + 1500
            while time.monotonic() < end:
                time.sleep(0.3)
                if not queue.inbox():
                    break
            rows = queue.settle(within=1500, count=many)
        once(queue, rows, [f"job{k}" for k in range(many)])
        for row in rows[:: max(1, many // 500)]:
            if queue.arrays(row["result"]) != right:
                raise Broken(f"{row['name']}: its result is not right")
        return many


def once(queue, rows, names):
    if sorted(r["name"] for r in rows) != sorted(names):
        raise Broken(f"{len(names)} files became {len(rows)} rows of {len({r['name'] for r in rows})} names")
    ended = [(r["name"], r["reason_text"]) for r in rows if r["state"] != "succeeded"]
    if ended:
        raise Broken(f"not succeeded: {ended[:5]}")
    if sorted(os.listdir(queue.path / "results")) != sorted(names):
        raise Broken("results/ is not one folder for each job")


def removed(bed, times):
    with bed.queue() as queue:
        with queue.daemon():
            names = []
            for k in range(times):
                queue.drop(f"before{k}.json", jobs.small(1))
                names.append(f"before{k}")
                queue.settle()
                os.rename(queue.path / "jobs", queue.path / f"away{k}")
                time.sleep(0.02 * (k % 5))
                os.mkdir(queue.path / "jobs")
                queue.drop(f"after{k}.json", jobs.small(2))
                names.append(f"after{k}")
                queue.settle()
            rows = queue.rows()
        once(queue, rows, names)
        return times


def polling(bed, many):
    with bed.queue() as queue:
        refuse = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=inotify_init1", "-e", "inject=inotify_init1:error=EMFILE"]
        with queue.daemon(prefix=refuse):
            for k in range(many):
                queue.drop(f"job{k}.json", jobs.small(0))
            rows = queue.settle(within=600)
        if "the inbox is scanned every" not in (queue.path / "daemon.log").read_text():
            raise Broken("the daemon had events after all")
        once(queue, rows, [f"job{k}" for k in range(many)])
        return many
