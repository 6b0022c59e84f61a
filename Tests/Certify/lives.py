"""What a queue goes through while T4 records it, what its users were promised when, and whether that was kept."""

import os
import signal
import time
from pathlib import Path

import jobs
import tape
from bed import FINAL, Broken


class Witness:
    """Does to a queue what users do, and notes each promise: `asked` before the command begins, `done` after it has said so."""

    def __init__(self, queue, environment, note, put=None):
        """`note(file, words)` writes a promise down; `put(name, text)` drops a file as some program of a user's would."""
        self.queue, self.environment, self.note, self.put = queue, environment, note, put or self.put
        self.texts = {}

    def put(self, name, text):
        folder = self.queue.path / "jobs"
        temporary = folder / f".tmp-{name}"
        with open(temporary, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, folder / name)
        inbox = os.open(folder, os.O_RDONLY)
        os.fsync(inbox)
        os.close(inbox)

    def drop(self, name, text):
        self.texts[name] = text
        self.note(name, "asked drop")
        self.put(name, text)
        self.note(name, "done drop")

    def daemon(self, *options):
        daemon = self.queue.daemon(*options, **self.environment)
        if not daemon.wait():
            raise Broken(f"nnjobsd ended before it was ready\n{self.queue.log()}")
        return daemon

    def stop(self, daemon):
        if daemon.end() != 0:
            raise Broken(f"nnjobsd ended with {daemon.process.returncode}\n{self.queue.log()}")

    def freeze(self, daemon):
        """Stops the worker, so that what runs runs on until `thaw`."""
        def waiting():
            return [pid for pid in daemon.workers() if b"nnjobs-worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        self.until("a worker is there", waiting)
        for pid in waiting():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self, daemon):
        for pid in daemon.workers():
            os.kill(pid, signal.SIGCONT)

    def submit(self, name, text):
        own = self.queue.path / name
        own.write_bytes(text)
        self.texts[name] = text
        self.ask("submit", name, [name])
        own.unlink()

    def ask(self, verb, name, words=None, meanwhile=None):
        """`nnjobs VERB WORDS`, by default about the job of that name; `meanwhile` is done once the daemon has the request."""
        self.note(name, f"asked {verb}")
        job = None if words else self.row(name)["id"]
        run = self.queue.start(verb.split()[0], *(words or [job, *verb.split()[1:]]), **self.environment)
        if meanwhile:
            request = f".{verb}-{job}"
            self.until("the daemon takes the request", lambda: run.poll() is not None or request not in self.queue.inbox()
                       and f"{verb} {job}," in self.queue.log())
            meanwhile()
        out, err = run.communicate(timeout=60)
        if run.returncode != 0:
            raise Broken(f"{verb} {name}: {out}{err}\n{self.queue.log()}")
        self.note(name, f"done {verb}")

    def row(self, name):
        return next((r for r in self.queue.rows() if r["name"] in (name, stem(name))), None)

    def until(self, what, test, within=30):
        end = time.monotonic() + within
        while not test():
            if time.monotonic() > end:
                raise Broken(f"after {within} s not yet: {what}\n{self.queue.log()}")
            time.sleep(0.002)

    def until_state(self, name, *states):
        self.until(f"{name} is {states}", lambda: (self.row(name) or {}).get("state") in states)


def stem(file):
    return file.rsplit(".", 1)[0]


def serve(witness):
    """Start, admit, refuse, run, finish, stop."""
    witness.drop("good.json", jobs.small(1))
    witness.drop("bad.json", b'{"version": 2}')
    daemon = witness.daemon()
    witness.until_state("good", *FINAL)
    witness.until_state("bad.json", *FINAL)
    witness.stop(daemon)


def submit(witness):
    """Submit without a daemon, and to one that serves."""
    witness.submit("first.json", jobs.small(2))
    daemon = witness.daemon()
    witness.submit("second.json", jobs.small(3))
    witness.until_state("second", *FINAL)
    witness.until_state("first", *FINAL)
    witness.stop(daemon)


def go_on(witness):
    """Keep progress, stop in the middle, and go on."""
    witness.drop("blocks.json", jobs.blocks())
    daemon = witness.daemon("--checkpoint", "0.000001")
    witness.until("a block is done", lambda: (witness.row("blocks") or {}).get("progress", 0) > 0)
    witness.stop(daemon)
    daemon = witness.daemon("--checkpoint", "0.000001")
    witness.until_state("blocks", *FINAL)
    witness.stop(daemon)


def cancel(witness):
    """Cancel what waits and what runs, and retry."""
    daemon = witness.daemon("--grace", "1")
    witness.freeze(daemon)
    witness.submit("runs.json", jobs.small(4))
    witness.until_state("runs", "running")
    witness.submit("waits.json", jobs.small(5))
    witness.ask("cancel", "waits")
    witness.ask("cancel", "runs", meanwhile=lambda: witness.thaw(daemon))
    witness.ask("retry", "runs")
    witness.until_state("runs", *FINAL)
    witness.stop(daemon)


def hold(witness):
    """Hold what waits, start anew, and release."""
    daemon = witness.daemon()
    witness.freeze(daemon)
    witness.submit("runs.json", jobs.small(6))
    witness.until_state("runs", "running")
    witness.submit("waits.json", jobs.small(7))
    witness.ask("hold", "waits")
    witness.thaw(daemon)
    witness.until_state("runs", *FINAL)
    witness.stop(daemon)
    daemon = witness.daemon()
    witness.ask("release", "waits")
    witness.until_state("waits", *FINAL)
    witness.stop(daemon)


def remove(witness):
    """Remove a refused, a cancelled and a succeeded job, with its result and without; clean."""
    witness.drop("bad.json", b"{]")
    daemon = witness.daemon("--grace", "1")
    for number, name in enumerate(["with.json", "without.json", "cleaned.json"]):
        witness.submit(name, jobs.small(number))
        witness.until_state(stem(name), *FINAL)
    witness.freeze(daemon)
    witness.submit("ended.json", jobs.small(9))
    witness.until_state("ended", "running")
    witness.ask("cancel", "ended", meanwhile=lambda: witness.thaw(daemon))
    witness.ask("remove", "bad.json")
    witness.ask("remove", "ended")
    witness.ask("remove", "without")
    witness.ask("remove --with-results", "with")
    witness.stop(daemon)
    witness.ask("clean", "cleaned.json", ["--older", "0", "--with-results"])


# Each of which T4 records.
ALL = [serve, submit, go_on, cancel, hold, remove]
# Of the others the queue has been served before: the store is there.
FIRST = {serve, submit}


# What a job may come to once a verb was asked; once it is done it has come to that.
COMES_TO = {"drop": "ended", "submit": "ended", "cancel": "cancelled", "retry": "ended", "hold": "held", "release": "ended",
            "remove": "forgotten", "remove --with-results": "gone", "clean": "gone"}

# A power cut in a removal may leave a row whose files are gone; its owner asks once more.
AGAIN = {"asked remove": "remove", "asked remove --with-results": "remove-result", "asked clean": "remove-result"}


def allowed(promises):
    """What each file may have come to after these promises, file → set; `ended`: as an undisturbed run ends it."""
    ends = {}
    for file, words in promises:
        file = file if file.endswith(".json") else file + ".json"
        when, verb = words.split(" ", 1)
        if when == "done":
            ends[file] = {COMES_TO[verb]}
        else:
            ends[file] = ends.get(file, {"gone"}) | {COMES_TO[verb]}
    return ends


def is_over(queue, begun, helped):
    """Whether nothing more happens by itself. What was put off is released, and what was half removed is asked for once more."""
    # In the order that files go: what has left one place is seen in the next.
    inbox, claimed, rows = queue.inbox(), os.listdir(queue.path / ".nnjobs/claimed"), queue.rows()
    claims = {name.split("-")[0] for name in claimed}
    if inbox or claims - {str(row["id"]) for row in rows if row["state"] != "succeeded"}:
        return False
    for row in rows:
        request = None
        if row["state"] == "queued" and row["not_before"] is not None:
            # It may have brought the machine down: it would wait a second.
            request = f".release-{row['id']}"
        elif row["state"] not in FINAL and not (row["state"] == "queued" and row["held"]):
            return False
        elif row["name"].removesuffix(".json") + ".json" in begun:
            folder = {"succeeded": "results", "refused": "jobs/refused"}.get(row["state"], ".nnjobs/claimed")
            if not (queue.path / folder / (row["result"] or row["file"])).exists():
                request = f".{begun[row['name'].removesuffix('.json') + '.json']}-{row['id']}"
        if request:
            if request not in helped:
                helped.add(request)
                (queue.path / "jobs" / request).touch()
            return False
    return True


def judge(queue, texts, promises):
    """Lets a daemon recover the queue and serve it to the end, and raises what is not as it was promised."""
    ends = allowed(promises)
    last = {file if file.endswith(".json") else file + ".json": words for file, words in promises}
    begun = {file: AGAIN[words] for file, words in last.items() if words in AGAIN}
    # Nobody writes any more: what is not whole by now will never be.
    with queue.daemon("--patience", "1"):
        end, helped = time.monotonic() + 60, set()
        while not is_over(queue, begun, helped):
            if time.monotonic() > end:
                raise Broken(f"not every job ends: inbox {queue.inbox()}, rows "
                             f"{[(r['name'], r['state']) for r in queue.rows()]}\n{queue.log()}")
            time.sleep(0.003)
    faults, rows = [], {}
    for row in queue.rows():
        rows.setdefault(row["name"].removesuffix(".json") + ".json", []).append(row)
    known = []
    for file, may in ends.items():
        mine = rows.pop(file, [])
        if len(mine) > 1:
            faults.append(f"{file} is doubled: {[r['state'] for r in mine]}")
        for row in mine:
            fault, result = outcome(queue, file, texts[file], row, may)
            faults += fault
            known += result
        if not mine:
            result = queue.path / "results" / stem(file)
            if not may & {"gone", "forgotten"}:
                faults.append(f"{file} is lost; it may be {sorted(may)}")
            elif result.exists():
                known.append(stem(file))
                if "forgotten" not in may:
                    faults.append(f"{file} is gone, and its result is there")
                elif queue.arrays(stem(file)) != queue.bed.reference(file, texts[file]):
                    faults.append(f"{file}: its result is not right")
    if rows:
        faults.append(f"there are jobs that nobody gave: {sorted(rows)}")
    published = sorted(n for n in os.listdir(queue.path / "results"))
    if published != sorted(known):
        faults.append(f"results/ has {published}, known are {sorted(known)}")
    kept = sorted(r["file"] for r in queue.rows() if r["state"] in ("queued", "failed", "cancelled"))
    claimed = sorted(os.listdir(queue.path / ".nnjobs/claimed"))
    if claimed != kept:
        faults.append(f"claimed/ has {claimed}, the store's jobs {kept}")
    check = queue.run("fsck")
    if check.returncode != 0:
        faults.append(f"fsck: {check.stdout.strip()} {check.stderr.strip()}")
    if faults:
        raise Broken("; ".join(faults) + f"\npromised: {promises}\n" + queue.log())


def outcome(queue, file, text, row, may):
    """What is wrong with a job's end, and its result's folder if it has one."""
    wanted, state = queue.bed.reference(file, text), row["state"]
    undisturbed = "succeeded" if isinstance(wanted, dict) else wanted
    known = [row["result"]] if state == "succeeded" else []
    come_to = "ended" if state == undisturbed else "held" if state == "queued" else state
    if come_to not in may:
        return [f"{file} is {state} ({row['reason_text']}); it may be {sorted(may)}"], known
    if state == "succeeded" and queue.arrays(row["result"]) != wanted:
        return [f"{file}: its result is not right"], known
    path = queue.path / ("jobs/refused" if state == "refused" else ".nnjobs/claimed") / row["file"]
    if state != "succeeded" and path.read_bytes() != text:
        return [f"{file} is not kept as it was"], known
    return [], known


def record(bed, life, **faults):
    """What a life does to a durable queue: the state before, every call and promise, and the files that were dropped."""
    with bed.queue() as queue:
        if life not in FIRST:
            with queue.daemon():
                pass
        file, boot = Path(f"{queue.path}.tape"), Path(f"{queue.path}.boot")
        boot.write_text("00000000-0000-4000-8000-000000000000\n")
        start = {path: data for path, data in tape.snapshot(queue.path).items() if path != "daemon.log"}

        def append(*records):
            with open(file, "ab", buffering=0) as out:
                out.write(b"".join(records))

        def put(name, text):
            root, temporary = queue.path, f"jobs/.tmp-{name}"
            append(*[tape.line(root, *words) for words in [
                ("create", temporary), ("write", temporary, "", 0, text), ("sync", temporary),
                ("rename", temporary, f"jobs/{name}"), ("sync", "jobs")]])
            (root / temporary).write_bytes(text)
            os.rename(root / temporary, root / "jobs" / name)

        witness = Witness(queue, bed.faults(queue, TAPE=file, BOOT=boot, **faults),
                          lambda name, words: append(tape.line(queue.path, "mark", name, words)), put)
        try:
            life(witness)
            operations = [o for o in tape.read(file, queue.path) if not o.path.endswith("daemon.log")]
        finally:
            for path in (file, boot):
                path.unlink(missing_ok=True)
        return Recording(life.__doc__.rstrip("."), start, operations, witness.texts)


class Recording:
    """A life as it was recorded."""

    def __init__(self, name, start, operations, texts):
        self.name, self.start, self.operations, self.texts = name, start, operations, texts

    def moments(self):
        """After each call, its number, the model of the disk and the promises made so far."""
        disk, promises = tape.Disk(self.start), []
        for at, operation in enumerate(self.operations, 1):
            if operation.call == "mark":
                promises.append((operation.path, operation.second))
            else:
                disk.play(operation)
            yield at, disk, promises
