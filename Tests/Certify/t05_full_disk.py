"""T5: a full disk, in memory of 64 KiB and more: under results/, under jobs/ and the state, and under all three."""

import os
import subprocess
import time
from contextlib import contextmanager

import jobs
from bed import Broken

SIZES = (64, 96, 128, 192, 256, 512, 1024)


def run(bed, report, share):
    if os.geteuid() != 0:
        print("  not run: mounting needs root")
        report.count("sizes of a disk", 0, "not run: mounting needs root")
        return
    done = 0
    for place in ("results", "jobs and state", "all"):
        for size in share(SIZES, 2):
            with report.case(f"{size} KiB under {place}"):
                fill(bed, place, size)
                done += 1
    report.count("sizes of a full disk", done, "results/ alone, jobs/ and state together, all three")


@contextmanager
def disk(path, size):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def fill(bed, place, size):
    with bed.queue() as queue:
        small = queue.path / "small"
        small.mkdir()
        with disk(small, size):
            for folder in ("jobs", "results", ".nnjobs"):
                if place == "all" or (folder == "results") == (place == "results"):
                    os.rmdir(queue.path / folder)
                    os.mkdir(small / folder)
                    os.symlink(f"small/{folder}", queue.path / folder)
            written = 0
            for seed in (7, 1, 23, 2):
                try:
                    queue.drop(f"job{seed}.json", jobs.mixed(seed))
                    written += 1
                except OSError:
                    # Not acknowledged: the user was told.
                    (queue.path / "jobs" / f"job{seed}.json").unlink(missing_ok=True)
                    for name in os.listdir(queue.path / "jobs"):
                        if name.startswith(".tmp-"):
                            os.unlink(queue.path / "jobs" / name)
            daemon = queue.daemon()
            is_up = daemon.comes_up(within=1.5)
            end = time.monotonic() + 1.5
            while time.monotonic() < end and daemon.process.poll() is None:
                time.sleep(0.05)
            if not is_up and "waiting to " not in queue.log():
                raise Broken(f"the daemon neither starts nor says that it waits\n{queue.log()}")
            if daemon.process.poll() is not None and (place == "results" or not is_up):
                raise Broken(f"the daemon left because a disk is full\n{queue.log()}")
            subprocess.run(["mount", "-o", "remount,size=256m", small], check=True)
            if daemon.process.poll() is not None:
                # What systemd does.
                if daemon.process.returncode != 74:
                    raise Broken(f"the daemon left with {daemon.process.returncode}\n{queue.log()}")
                daemon = queue.daemon()
            daemon.wait()
            rows = queue.settle(within=150)
            for row in rows:
                if row["state"] == "failed" and queue.run("retry", row["id"]).returncode != 0:
                    raise Broken(f"{row['name']} cannot be retried")
                if row["state"] == "refused":
                    if "fit" not in row["reason_text"]:
                        raise Broken(f"{row['name']} was refused: {row['reason_text']}")
                    # It was told to make room; it is dropped again.
                    text = queue.dropped[row["name"].removesuffix(".json") + ".json"]
                    queue.drop("again-" + row["name"].removesuffix(".json") + ".json", text)
                    del queue.dropped[row["name"].removesuffix(".json") + ".json"]
            queue.settle(within=150)
            daemon.end()
            for row in queue.rows():
                if row["state"] == "refused":
                    queue.dropped.pop(row["file"], None)
            queue.judge()
