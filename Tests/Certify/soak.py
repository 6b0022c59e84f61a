#!/usr/bin/env python3
"""Many mixed jobs, a kill -9 of the daemon or a worker about every two seconds; every job one end, every result right.

Until half of the jobs are dropped daemons are killed as well as workers; after it only workers, so that one daemon grows old enough
to show what it keeps.

usage: soak.py BINARIES [COUNT [SECONDS]]; the jobs come evenly over at least so many seconds
"""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import jobs  # noqa: E402
from bed import Bed  # noqa: E402

KINDS = 160


def footprint(pid):
    """Resident memory in KiB and open descriptors of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]), len(os.listdir(f"/proc/{pid}/fd"))


def thirds(ages):
    """What the first and the last third of these measurements had at most."""
    third = max(1, len(ages) // 3)
    (memory, files), (later, more) = ([max(a[k] for a in part) for k in (1, 2)] for part in (ages[:third], ages[-third:]))
    return f"memory {memory / 1024:.1f} MiB at most in the first third, {later / 1024:.1f} in the last; descriptors {files} and {more}"


def main():
    binaries, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    spread = float(sys.argv[3]) if len(sys.argv) > 3 else 600
    chance = random.Random(1)
    texts = [jobs.mixed(seed) for seed in range(KINDS)]
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="soak-") as scratch:
        bed = Bed(binaries, "", scratch)
        for text in texts:
            bed.reference("a.json", text)
        with bed.queue() as queue:
            started = told = time.monotonic()
            dropped = kills = deaths = youth = born = 0
            daemon = queue.daemon("--workers", 2)
            daemon.wait()
            ages = [(0, *footprint(daemon.process.pid))]
            next_kill = time.monotonic() + 2
            checked = 0
            while True:
                now = time.monotonic()
                due = min(count, checked + 400, int(count * (now - started) / spread) + 1)
                while dropped < due:
                    queue.drop(f"job{dropped}.json", texts[dropped % KINDS])
                    dropped += 1
                if now > next_kill:
                    memory, files = footprint(daemon.process.pid)
                    ages.append((now - started, memory, files))
                    if dropped > count // 2 or chance.random() < 0.6:
                        try:
                            os.kill(chance.choice(daemon.workers()), signal.SIGKILL)
                            deaths += 1
                        except (ProcessLookupError, IndexError):
                            pass
                    else:
                        daemon.end(signal.SIGKILL)
                        kills += 1
                        daemon = queue.daemon("--workers", 2)
                        daemon.wait()
                        youth, born = len(ages), dropped
                    next_kill = time.monotonic() + chance.uniform(1, 3)
                ended = ends(queue)
                if now - told > 20:
                    told = now
                    print(f"soak: {ended} of {count} ended, {kills} daemons and {deaths} workers killed, {now - started:.0f} s", flush=True)
                checked = ended
                if dropped == count and ended >= count and not queue.inbox():
                    break
                time.sleep(0.05)
            queue.settle()
            seconds = time.monotonic() - started
            ages.append((seconds, *footprint(daemon.process.pid)))
            daemon.end()
            queue.judge()
            rows = queue.rows()
            states = {s: sum(r["state"] == s for r in rows) for s in sorted({r["state"] for r in rows})}
            print(f"soak: {len(rows)} jobs in {seconds:.0f} s: {states}; {kills} daemons and {deaths} workers killed; every result right")
            print(f"soak: all daemons: {thirds(ages)}")
            print(f"soak: the last daemon, {seconds - ages[youth][0]:.0f} s and {count - born} jobs old: {thirds(ages[youth:])}")


def ends(queue):
    import sqlite3
    try:
        with sqlite3.connect(f"file:{queue.path}/.nnjobs/store.sqlite?mode=ro", uri=True) as store:
            found = store.execute("SELECT sum(count) FROM totals WHERE state NOT IN ('queued', 'running')").fetchone()[0]
        store.close()
        return found or 0
    except sqlite3.OperationalError:
        return 0


if __name__ == "__main__":
    main()
