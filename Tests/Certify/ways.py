"""The ways a job takes, each from a prepared queue: what T1, T2, T3 and T6 disturb at every call."""

import os
import signal
import subprocess
import time

import jobs
from bed import Broken


class Way:
    """One way: its name, whose calls are counted, how the queue is prepared, and what then happens."""

    def __init__(self, name, role, prepare, act):
        self.name, self.role, self.prepare, self.act = name, role, prepare, act

    def __str__(self):
        return f"{self.name} ({self.role})"


def is_over(queue, daemon, done, within):
    """Waits until every job has ended, the daemon has, or some time has passed since a lasting fault struck."""
    end = time.monotonic() + within
    struck = None
    while time.monotonic() < end:
        if daemon.process.poll() is not None:
            return
        if not queue.inbox() and (queue.path / ".nnjobs/store.sqlite").exists():
            rows = queue.rows()
            if rows and all(r["state"] in ("succeeded", "failed", "cancelled", "refused") for r in rows):
                return
        if struck is None and done.exists():
            struck = time.monotonic()
        if struck and time.monotonic() - struck > 4:
            return
        time.sleep(0.005)


def comes_up(queue, daemon):
    """Whether a daemon serves; False when it has left, or a lasting fault keeps its start waiting for room."""
    end = time.monotonic() + 60
    while not daemon.comes_up(within=0.5) and daemon.process.poll() is None and time.monotonic() < end:
        # Once is no sign yet: the fault may be over.
        if queue.log().count("waiting to ") > 1:
            return False
    return daemon.wait(within=0)


def nothing(queue):
    """An empty queue."""


def two_files(queue):
    queue.drop("good.json", jobs.small(1))
    queue.drop("bad.json", b'{"version": 2}')


def serve(queue, environment, done):
    """A daemon from its start to its orderly end."""
    daemon = queue.daemon(**environment)
    if comes_up(queue, daemon):
        is_over(queue, daemon, done, 20)
    return daemon.end()


def a_job_of_many_blocks(queue):
    queue.drop("blocks.json", jobs.blocks())


def serve_keeping(queue, environment, done):
    """The same, and after every block what is done is kept."""
    daemon = queue.daemon("--checkpoint", "0.000001", **environment)
    if comes_up(queue, daemon):
        is_over(queue, daemon, done, 20)
    return daemon.end()


def submit(queue, environment, done):
    """`nnjobs submit` of a user's own file, while no daemon serves."""
    own = queue.path / "own.json"
    own.write_bytes(jobs.small(2))
    before = os.stat(own)
    run = queue.run("submit", "own.json", **environment)
    if own.read_bytes() != jobs.small(2) or os.stat(own).st_mtime_ns != before.st_mtime_ns:
        raise Broken("the user's own file was written")
    own.unlink()
    if run.returncode == 0:
        queue.acknowledge("own.json", jobs.small(2))
    return run.returncode


def a_long_job(queue):
    head, zeros = jobs.long()
    path = queue.path / "jobs/long.safetensors"
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(len(head) + zeros)


def cancel_running(queue, environment, done):
    """A running job is told to stop by a control file."""
    daemon = queue.daemon("--grace", 1, **environment)
    if comes_up(queue, daemon):
        end = time.monotonic() + 20
        while daemon.process.poll() is None and time.monotonic() < end:
            rows = queue.rows()
            if rows and rows[0]["state"] == "running":
                break
            if done.exists():
                break
            time.sleep(0.005)
        (queue.path / "jobs/.cancel-1").touch()
        is_over(queue, daemon, done, 20)
    else:
        (queue.path / "jobs/.cancel-1").touch()
    return daemon.end()


def a_running_job(queue):
    a_long_job(queue)


def ask_to_cancel(queue, environment, done):
    """`nnjobs cancel` beside a daemon that computes."""
    daemon = queue.daemon("--grace", 1)
    daemon.wait()
    end = time.monotonic() + 20
    while not any(r["state"] == "running" for r in queue.rows()) and time.monotonic() < end:
        time.sleep(0.005)
    run = queue.run("cancel", 1, **environment)
    if run.returncode != 0:
        queue.run("cancel", 1)
    queue.settle()
    daemon.end()
    return run.returncode


ALL = [
    Way("start, admit, start a job, finish, stop", "daemon", two_files, serve),
    Way("compute and write", "worker", two_files, serve),
    Way("submit", "cli", nothing, submit),
    Way("cancel a running job", "daemon", a_long_job, cancel_running),
    Way("ask to cancel", "cli", a_running_job, ask_to_cancel),
    Way("keep progress and go on", "worker", a_job_of_many_blocks, serve_keeping),
]
# Of every process, what T4 records.
TAPED = [ALL[0], ALL[2], Way("keep progress and go on", "daemon", a_job_of_many_blocks, serve_keeping)]


def calls(bed, way):
    """Every counted call of this way, undisturbed: (name, path) in order."""
    with bed.queue() as queue:
        way.prepare(queue)
        record = queue.path.parent / (queue.path.name + ".calls")
        way.act(queue, bed.faults(queue, ROLE=way.role, LOG=record), record)
        lines = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return [tuple(line.split(" ", 1)) for line in lines]


def disturbed(bed, way, number, act, keep=None, **facts):
    """One run of a way in which call `number` is struck; gives the queue as it was left, where, and the exit status."""
    queue = bed.queue()
    try:
        way.prepare(queue)
        done = queue.path.parent / (queue.path.name + ".done")
        status = way.act(queue, bed.faults(queue, ROLE=way.role, AT=number, ACT=act, DONE=done, **facts), done)
        where = done.read_text().strip().replace(str(queue.path) + "/", "") if done.exists() else None
        done.unlink(missing_ok=True)
        for child in queue.children:
            child.kill_now()
        if act != "kill" and status is not None and status < 0:
            raise Broken(f"ended by signal {-status} at {where}\n{queue.log()}")
        return queue, where, status
    except BaseException:
        queue.__exit__()
        raise


def recovered(queue, way, may_fail=False):
    """A new daemon finds the queue, everything ends, and everything is as promised; failed jobs succeed when retried."""
    with queue.daemon("--grace", 1) as daemon:
        if "cancel" in way.name and not any(r["state"] == "cancelled" for r in queue.rows()):
            (queue.path / "jobs/.cancel-1").touch()
        queue.settle()
        if may_fail:
            for row in queue.rows():
                if row["state"] == "failed":
                    if row["reason_code"] in ("invalid", "quarantined"):
                        raise Broken(f"{row['name']} failed as {row['reason_code']}: {row['reason_text']}")
                    if queue.run("retry", row["id"]).returncode != 0:
                        raise Broken(f"{row['name']} cannot be retried")
            end = time.monotonic() + 30
            while any(n.startswith(".retry") for n in queue.inbox()) and time.monotonic() < end:
                time.sleep(0.005)
            queue.settle()
    if "cancel" in way.name:
        rows = queue.rows()
        if [r["state"] for r in rows] != ["cancelled"]:
            raise Broken(f"the cancelled job is {[(r['state'], r['reason_text']) for r in rows]}\n{queue.log()}")
        if queue.inbox() or os.listdir(queue.path / "results"):
            raise Broken(f"left: {queue.inbox()} {os.listdir(queue.path / 'results')}")
        check = queue.run("fsck")
        if check.returncode != 0:
            raise Broken(f"fsck: {check.stdout}{check.stderr}")
        return
    queue.judge()
