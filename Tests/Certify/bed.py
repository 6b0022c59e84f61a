"""A queue of its own in a new folder, the programs that serve it, and what must hold of it at the end."""

import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

FINAL = {"succeeded", "failed", "cancelled", "refused"}


class Broken(Exception):
    """A promise that was not kept, or a program that does not answer."""


class Bed:
    """Where the programs are and where queues may be made; shared by all tests of one run."""

    def __init__(self, binaries, fault, scratch):
        self.binaries, self.fault, self.scratch = Path(binaries).resolve(), fault, Path(scratch)
        self.references, self.prepared = {}, {}

    def environment(self, **more):
        return {"PATH": "/usr/bin:/bin", "OPENBLAS_CORETYPE": "Haswell", "NNJOBS_CONFIG": "/dev/null",
                "SWIFT_BACKTRACE": "enable=no", **{k: str(v) for k, v in more.items()}}

    def faults(self, queue, **facts):
        """The environment in which fault.c does something beneath this queue's folder."""
        return {"LD_PRELOAD": self.fault, "FAULT_ROOT": queue.path, **{"FAULT_" + k: v for k, v in facts.items()}}

    def queue(self, like=None, on=None):
        return Queue(self, like, on)

    def reference(self, name, text):
        """The arrays of an undisturbed run of this job file: its path in the result, and a digest of its bytes."""
        key = hashlib.sha256(text).hexdigest()
        if key not in self.references:
            with self.queue() as queue:
                queue.drop(name, text)
                with queue.daemon():
                    queue.settle()
                rows = queue.rows()
                self.references[key] = (
                    queue.arrays(rows[0]["result"]) if rows[0]["state"] == "succeeded" else rows[0]["state"])
        return self.references[key]


class Queue:
    """`jobs/`, `results/` and `.nnjobs/` in a folder that goes when the test is done with it."""

    def __init__(self, bed, like, on):
        self.bed = bed
        self.path = Path(tempfile.mkdtemp(prefix="queue-", dir=on or bed.scratch)).resolve()
        # What was dropped for good, and of it what was asked to be forgotten.
        self.dropped, self.removed, self.children = {}, set(), []
        # Whether what was asked failed, so that its user asks again.
        self.must_ask = False
        for folder in ["jobs", "results", ".nnjobs"]:
            (self.path / folder).mkdir()
        if like:
            self.become(like)

    def become(self, like):
        """Takes on the files of another queue that nobody serves."""
        shutil.rmtree(self.path)
        shutil.copytree(like.path, self.path, symlinks=True)
        self.dropped, self.removed = dict(like.dropped), set(like.removed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill_now()
        shutil.rmtree(self.path, ignore_errors=True)

    def drop(self, name, text):
        """Puts a job file into the inbox for good; from here on it is acknowledged."""
        temporary = self.path / "jobs" / (".tmp-" + hashlib.md5(name.encode()).hexdigest())
        with open(temporary, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, self.path / "jobs" / name)
        self.acknowledge(name, text)

    def acknowledge(self, name, text):
        self.dropped[name] = text

    def daemon(self, *options, **environment):
        daemon = Daemon(self, options, environment)
        self.children.append(daemon)
        return daemon

    def run(self, *words, **environment):
        """`nnjobs WORDS`, run to its end."""
        return subprocess.run(
            [self.bed.binaries / "nnjobs", *map(str, words)], cwd=self.path, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
            env=self.bed.environment(**environment))

    def start(self, *words, **environment):
        """`nnjobs WORDS`, which goes on meanwhile."""
        return subprocess.Popen(
            [self.bed.binaries / "nnjobs", *map(str, words)], cwd=self.path, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.bed.environment(**environment))

    def rows(self):
        """Every row of the store, by one transaction."""
        for _ in range(200):
            try:
                with sqlite3.connect(f"file:{self.path}/.nnjobs/store.sqlite?mode=ro", uri=True) as store:
                    store.row_factory = sqlite3.Row
                    rows = [dict(row) for row in store.execute("SELECT * FROM jobs ORDER BY id")]
                store.close()
                return rows
            except sqlite3.OperationalError:
                time.sleep(0.01)
        raise Broken(f"the store of {self.path} cannot be read")

    def kept_results(self):
        """The results that the store knows, those of forgotten jobs included."""
        with sqlite3.connect(f"file:{self.path}/.nnjobs/store.sqlite?mode=ro", uri=True) as store:
            folders = [folder for folder, in store.execute("SELECT folder FROM results")]
        store.close()
        return folders

    def inbox(self):
        return sorted(n for n in os.listdir(self.path / "jobs") if n != "refused" and not n.startswith(".tmp-"))

    def arrays(self, result):
        """A digest of every array of a result, by its path."""
        folder = self.path / "results" / result
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in sorted(folder.rglob("*.npy"))}

    def settle(self, within=60, count=None):
        """Waits until the inbox is empty and every row, `count` of them where given, is final."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if not self.inbox():
                rows = self.rows()
                # Between its claim and its row a file is in neither place that is looked at here.
                claims = {name.split("-")[0] for name in os.listdir(self.path / ".nnjobs/claimed")}
                if claims - {str(r["id"]) for r in rows}:
                    continue
                if all(r["state"] in FINAL for r in rows) and len(rows) >= (
                        len(self.dropped) - len(self.removed) if count is None else count):
                    return rows
            time.sleep(0.005)
        raise Broken(f"after {within} s not every job has ended: inbox {self.inbox()}, rows "
                     f"{[(r['name'], r['state']) for r in self.rows()]}\n{self.log()}")

    def log(self):
        path = self.path / "daemon.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def judge(self, may_fail=False, may_repeat=()):
        """Raises what is not as promised: every acknowledged file one row, one final state, results complete and right."""
        faults = []
        rows = self.rows()
        by_name = {}
        for row in rows:
            by_name.setdefault(row["name"], []).append(row)
        for file, text in self.dropped.items():
            # A kept file's row may bear its whole name.
            stem = file.rsplit(".", 1)[0]
            mine = by_name.get(stem, []) + (by_name.get(file, []) if file != stem else [])
            if file in self.removed:
                faults += [f"{file} was removed and is {r['state']}" for r in mine]
                continue
            if not mine:
                faults.append(f"{file} is lost")
                continue
            if len(mine) > 1 and file not in may_repeat:
                faults.append(f"{file} is doubled: {[r['state'] for r in mine]}")
            wanted = self.bed.reference(file, text)
            for row in mine:
                if row["state"] not in FINAL:
                    faults.append(f"{file} has no end: {row['state']}")
                elif row["state"] == "succeeded":
                    if self.arrays(row["result"]) != wanted:
                        faults.append(f"{file}: its result {row['result']} is not right")
                elif not may_fail and isinstance(wanted, dict):
                    faults.append(f"{file} is {row['state']}: {row['reason_text']}")
        published = [n for n in os.listdir(self.path / "results") if n != ".gitignore"]
        known = sorted({r["result"] for r in rows if r["state"] == "succeeded"} | set(self.kept_results()))
        if sorted(published) != known:
            faults.append(f"results/ has {sorted(published)}, the store {known}")
        if self.inbox():
            faults.append(f"left in the inbox: {self.inbox()}")
        claimed = sorted(os.listdir(self.path / ".nnjobs/claimed"))
        kept = sorted(r["file"] for r in rows if r["state"] in ("failed", "cancelled"))
        if claimed != kept:
            faults.append(f"claimed/ has {claimed}, the store's ended jobs {kept}")
        check = self.run("fsck")
        if check.returncode != 0:
            faults.append(f"fsck: {check.stdout.strip()} {check.stderr.strip()}")
        if faults:
            raise Broken("; ".join(faults) + "\n" + self.log())
        return rows


class Daemon:
    """`nnjobsd` in a queue's folder; as a context it is stopped by SIGTERM at the end."""

    def __init__(self, queue, options, environment):
        self.queue = queue
        address = "\0nnjobs-certify-" + os.urandom(8).hex()
        self.heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.heard.bind(address)
        self.heard.settimeout(0.01)
        self.log = open(queue.path / "daemon.log", "ab")
        prefix = environment.pop("prefix", [])
        self.process = subprocess.Popen(
            [*prefix, queue.bed.binaries / "nnjobsd", "--workers", "1", *map(str, options)], cwd=queue.path,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log,
            env=queue.bed.environment(NOTIFY_SOCKET="@" + address[1:], **environment))
        self.is_ready = False

    def wait(self, within=60):
        """Returns whether it says READY; False when it ended before."""
        if self.comes_up(within):
            # What nobody reads would fill the socket.
            self.heard.close()
            return True
        if self.process.poll() is None:
            raise Broken(f"nnjobsd is not ready after {within} s\n{self.queue.log()}")
        return False

    def comes_up(self, within):
        """Whether it says READY by then; False also when it waits for something."""
        end = time.monotonic() + within
        while not self.is_ready and time.monotonic() < end:
            try:
                self.is_ready = b"READY=1" in self.heard.recv(4096)
            except TimeoutError:
                if self.process.poll() is not None:
                    break
        return self.is_ready

    def workers(self):
        found = []
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                found += Path(f"/proc/{self.process.pid}/task/{task}/children").read_text().split()
            except OSError:
                pass
        return [int(pid) for pid in found]

    def end(self, number=signal.SIGTERM, within=60):
        """Sends a signal and gives the exit status, minus the signal where one ended it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Broken(f"nnjobsd does not end after signal {number}\n{self.queue.log()}") from None
        self.close()
        return status

    def close(self):
        self.heard.close()
        self.log.close()

    def kill_now(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

    def __enter__(self):
        if not self.wait():
            raise Broken(f"nnjobsd ended before it was ready\n{self.queue.log()}")
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.kill_now()
        elif self.end() != 0:
            raise Broken(f"nnjobsd ended with {self.process.returncode} after SIGTERM\n{self.queue.log()}")
