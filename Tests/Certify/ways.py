"""The ways a job takes, each from a prepared queue: what T1, T2, T3 and T6 disturb at every call."""

import os
import signal
import sqlite3
import time

import jobs
from bed import FINAL, Broken


class Way:
    """One way: its name, whose calls are counted, how the queue is prepared, what then happens, and what shall come of it."""

    def __init__(self, name, role, prepare, act, wish=None):
        self.name, self.role, self.prepare, self.act, self.wish = name, role, prepare, act, wish

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
            if rows and all(r["state"] in FINAL for r in rows):
                return
        if struck is None and done.exists():
            struck = time.monotonic()
        if struck and time.monotonic() - struck > 4:
            return
        time.sleep(0.005)


def is_idle(queue, way):
    """Whether nothing more happens in a served queue: every row is final, held or put off, and no file or request waits."""
    if queue.inbox() or not (queue.path / ".nnjobs/store.sqlite").exists():
        return False
    if way.wish and way.wish.options and not way.wish.is_so(queue):
        return False
    return all(r["state"] in FINAL or r["held"] or r["not_before"] for r in queue.rows())


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


def many_files(queue):
    for k in range(120):
        queue.drop(f"job{k}.json", jobs.small(k % 6))


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


class Wish:
    """What somebody asks of jobs: the words for `nnjobs`, the daemon's options that do it by themselves, and when it is so."""

    def __init__(self, words, is_so, options=()):
        self.words, self.is_so, self.options = words, is_so, options

    def files(self):
        """The control files that ask for it."""
        verb, *ids = [word for word in self.words if word != "--with-results"]
        verb += "-result" if "--with-results" in self.words else ""
        return [f".{verb}-{id}" for id in ids]

    def come_true(self, queue, may_ask):
        """Waits for it beside a daemon; where the first request was answered otherwise, it may be asked once more."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.is_so(queue):
                return
            if may_ask and not any(name.startswith(".") for name in queue.inbox()):
                queue.run(*self.words)
                may_ask = False
            time.sleep(0.005)
        raise Broken(f"{self.words} was asked, and the jobs are {[(r['name'], r['state'], r['held']) for r in queue.rows()]}, "
                     f"results/ has {os.listdir(queue.path / 'results')}\n{queue.log()}")


def ended(queue):
    """A copy of a queue with a job that succeeded, a refused file, and a cancelled job."""
    prepared(queue, "ended", end_three)


def waiting(queue):
    """A copy of a queue with a job that succeeded and one that is put off for some minutes."""
    held(queue)
    with sqlite3.connect(queue.path / ".nnjobs/store.sqlite") as store:
        store.execute("UPDATE jobs SET held = 0, not_before = ? WHERE id = 2", [time.time() + 250])
    store.close()


def held(queue):
    """A copy of a queue with a job that succeeded and one that is held."""
    prepared(queue, "held", hold_one)


def prepared(queue, name, make):
    if name not in queue.bed.prepared:
        # It goes with the folder of the whole run.
        queue.bed.prepared[name] = queue.bed.queue()
        make(queue.bed.prepared[name])
    queue.become(queue.bed.prepared[name])


def end_three(queue):
    with queue.daemon("--grace", 0.2) as daemon:
        queue.drop("good.json", jobs.small(1))
        queue.settle()
        queue.drop("bad.json", b'{"version": 2}')
        queue.settle()
        stop_worker(queue, daemon, "off.json", 3)
        (queue.path / "jobs/.cancel-3").touch()
        queue.settle()


def hold_one(queue):
    with queue.daemon() as daemon:
        worker = stop_worker(queue, daemon, "good.json", 1)
        queue.drop("held.json", jobs.small(2))
        until(lambda: len(queue.rows()) == 2)
        (queue.path / "jobs/.hold-2").touch()
        until(lambda: queue.rows()[1]["held"])
        os.kill(worker, signal.SIGCONT)
        until(lambda: queue.rows()[0]["state"] == "succeeded")


def stop_worker(queue, daemon, file, id):
    """Stops the one worker before it gets this file's job, which so stays running."""
    until(lambda: any(is_worker(pid) for pid in daemon.workers()))
    worker = next(pid for pid in daemon.workers() if is_worker(pid))
    os.kill(worker, signal.SIGSTOP)
    queue.drop(file, jobs.small(id))
    until(lambda: any(r["id"] == id and r["state"] == "running" for r in queue.rows()))
    return worker


def is_worker(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as words:
            return words.read().startswith(b"nnjobs-worker")
    except OSError:
        return False


def until(is_so):
    end = time.monotonic() + 20
    while not is_so():
        if time.monotonic() > end:
            raise Broken("a queue could not be prepared")
        time.sleep(0.005)


def grant(wish, removed=()):
    """A daemon carries out what control files ask for, or what it is configured to do."""

    def act(queue, environment, done):
        queue.removed |= set(removed)
        if not wish.options:
            for name in wish.files():
                (queue.path / "jobs" / name).touch()
        daemon = queue.daemon(*wish.options, **environment)
        if comes_up(queue, daemon):
            end, struck = time.monotonic() + 20, None
            while daemon.process.poll() is None and time.monotonic() < end:
                # Where there is a request: whatever the answer, its file goes.
                if (queue.path / ".nnjobs/store.sqlite").exists() and (
                        wish.is_so(queue) if wish.options else not queue.inbox()):
                    break
                if struck is None and done.exists():
                    struck = time.monotonic()
                if struck and time.monotonic() - struck > 4:
                    break
                time.sleep(0.005)
        return daemon.end()

    return act


def ask(wish, removed=(), beside=True):
    """`nnjobs` asks for it, beside a daemon or where none serves."""

    def act(queue, environment, done):
        queue.removed |= set(removed)
        daemon = queue.daemon() if beside else None
        if daemon:
            daemon.wait()
        run = queue.run(*wish.words, **environment)
        if daemon:
            daemon.end()
        return run.returncode

    return act


def is_gone(queue):
    return not queue.rows()


def is_gone_wholly(queue):
    return not queue.rows() and not os.listdir(queue.path / "results")


def is_held(queue):
    return any(r["id"] == 2 and r["held"] for r in queue.rows())


def has_run(queue):
    return all(r["state"] in ("succeeded", "refused") for r in queue.rows())


THREE = ("good.json", "bad.json", "off.json")
HOLD = Wish(("hold", 2), is_held)
RELEASE = Wish(("release", 2), has_run)
RETRY = Wish(("retry", 3), has_run)
REMOVE = Wish(("remove", 1, 2, 3), is_gone)
REMOVE_WHOLLY = Wish(("remove", "--with-results", 1, 2, 3), is_gone_wholly)
KEEP = Wish(("clean", "--older", 0, "--with-results"), is_gone_wholly, ("--keep", "0", "--keep-results", "no"))
CLEAN = Wish(("clean", "--older", 0), is_gone)
CLEAN_WHOLLY = Wish(("clean", "--older", 0, "--with-results"), is_gone_wholly)

ALL = [
    Way("start, admit, start a job, finish, stop", "daemon", two_files, serve),
    Way("compute and write", "worker", two_files, serve),
    Way("submit", "cli", nothing, submit),
    Way("cancel a running job", "daemon", a_long_job, cancel_running),
    Way("ask to cancel", "cli", a_running_job, ask_to_cancel),
    Way("keep progress and go on", "worker", a_job_of_many_blocks, serve_keeping),
    Way("hold", "daemon", waiting, grant(HOLD), HOLD),
    Way("ask to hold", "cli", waiting, ask(HOLD), HOLD),
    Way("release", "daemon", held, grant(RELEASE), RELEASE),
    Way("ask to release", "cli", held, ask(RELEASE), RELEASE),
    Way("retry", "daemon", ended, grant(RETRY), RETRY),
    Way("ask to retry", "cli", ended, ask(RETRY), RETRY),
    Way("remove", "daemon", ended, grant(REMOVE, THREE), REMOVE),
    Way("ask to remove", "cli", ended, ask(REMOVE, THREE), REMOVE),
    Way("remove with results", "daemon", ended, grant(REMOVE_WHOLLY, THREE), REMOVE_WHOLLY),
    Way("ask to remove with results", "cli", ended, ask(REMOVE_WHOLLY, THREE), REMOVE_WHOLLY),
    Way("clean what is kept long enough", "daemon", ended, grant(KEEP, THREE), KEEP),
    Way("ask to clean", "cli", ended, ask(CLEAN, THREE), CLEAN),
    Way("clean where no daemon serves", "cli", ended, ask(CLEAN_WHOLLY, THREE, beside=False), CLEAN_WHOLLY),
]
# Long enough that SQLite's log is moved into the store on the way.
MANY = Way("many jobs", "daemon", many_files, serve)


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
        # What was said to be done, or dropped for the daemon, counts; what failed is asked again.
        queue.must_ask = way.role == "cli" and status != 0
        if act != "kill" and status is not None and status < 0:
            raise Broken(f"ended by signal {-status} at {where}\n{queue.log()}")
        return queue, where, status
    except BaseException:
        queue.__exit__()
        raise


def recovered(queue, way, may_fail=False):
    """A new daemon finds the queue, everything ends, and everything is as promised; failed jobs succeed when retried."""
    with queue.daemon("--grace", 1, *(way.wish.options if way.wish else ())) as daemon:
        if way.wish:
            if queue.must_ask:
                queue.run(*way.wish.words)
            way.wish.come_true(queue, may_ask=queue.must_ask or may_fail)
            if way.wish is HOLD and queue.run("release", 2).returncode != 0:
                raise Broken("the held job cannot be released")
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
