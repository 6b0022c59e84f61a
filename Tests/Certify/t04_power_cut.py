"""T4: the power goes after every recorded call: unsynced bytes kept, dropped or torn, unsynced names in any mixture."""

import os
import shutil
import sqlite3
import time
from pathlib import Path

import tape
import ways
from bed import Broken

STATES = 10_000


def run(bed, report, share):
    taped = [record(bed, way) for way in ways.TAPED]
    moments = sum(len(operations) for _, _, operations, _ in taped)
    wanted = 200 if bed.is_slice else STATES + 500
    per_moment = max(2, -(-wanted * 3 // moments))
    seen, number = set(), 0
    for way, start, operations, dropped in taped:
        disk = tape.Disk(start)
        for at, operation in enumerate(operations, 1):
            disk.play(operation)
            if bed.is_slice and at % max(1, moments // 100):
                continue
            for key, state in disk.states(tape.generator(at), per_moment):
                if (way.name, key) in seen:
                    continue
                seen.add((way.name, key))
                number += 1
                with report.case(f"{way}: power cut after call {at} of {len(operations)}, state {number}"):
                    wake(bed, state, dropped if way.role == "daemon" or at == len(operations) else {},
                         serve=number % 25 == 0)
    report.count("different crash states recovered", len(seen), f"after {moments} recorded calls; every 25th then served to the end")
    if len(seen) < STATES and not bed.is_slice:
        report.failures.append(f"only {len(seen)} crash states")


def record(bed, way):
    """What a way does to an empty, durable queue: the state before, and every call."""
    with bed.queue() as queue:
        way.prepare(queue)
        start = tape.snapshot(queue.path)
        file = queue.path.parent / (queue.path.name + ".tape")
        dropped = dict(queue.dropped)
        way.act(queue, bed.faults(queue, TAPE=file), file)
        operations = [o for o in tape.read(file, queue.path) if not o.path.endswith("daemon.log")]
        file.unlink()
        return way, start, operations, dropped or dict(queue.dropped)


def wake(bed, state, dropped, serve):
    """Recovers one state as a start does, and looks at what is there."""
    with bed.queue() as queue:
        shutil.rmtree(queue.path)
        queue.path.mkdir()
        tape.lay(state, queue.path)
        for folder in ("jobs", "results", ".nnjobs"):
            (queue.path / folder).mkdir(exist_ok=True)
        queue.dropped = dict(dropped)
        if serve or not (queue.path / ".nnjobs/store.sqlite").exists():
            with queue.daemon():
                queue.settle()
            queue.judge()
            return
        run = queue.run("fsck", "--repair")
        if run.returncode != 0:
            raise Broken(f"fsck --repair: {run.stdout} {run.stderr}")
        look(queue)


def look(queue):
    """Every acknowledged file is in one place, and what is called done is complete and right."""
    rows = {row["name"].removesuffix(".json"): row for row in queue.rows()}
    if len(rows) != len(queue.rows()):
        raise Broken(f"doubled: {[(r['name'], r['state']) for r in queue.rows()]}")
    claimed = os.listdir(queue.path / ".nnjobs/claimed")
    for file, text in queue.dropped.items():
        stem = file.removesuffix(".json")
        row = rows.get(stem)
        if row is None:
            path = queue.path / "jobs" / file
            if not path.exists() or path.read_bytes() != text:
                raise Broken(f"{file} is lost or torn: {queue.inbox()} {claimed}")
            continue
        if row["state"] == "queued":
            if (queue.path / ".nnjobs/claimed" / row["file"]).read_bytes() != text:
                raise Broken(f"{file}: its claimed file is not what was dropped")
        elif row["state"] == "succeeded":
            if queue.arrays(row["result"]) != queue.bed.reference(file, text):
                raise Broken(f"{file}: its result is not right")
        elif row["state"] == "refused":
            if (queue.path / "jobs/refused" / row["file"]).read_bytes() != text:
                raise Broken(f"{file} was refused and is not kept as it was")
        else:
            raise Broken(f"{file} is {row['state']}: {row['reason_text']}")
    # What a queued job may go on with is no result.
    kept = {f".partial-{r['id']}-{k}" for r in rows.values() if r["state"] == "queued" for k in range(1, r["attempts"] + 1)}
    kept = {name for name in kept if (queue.path / "results" / name / ".progress").exists()}
    published = sorted(set(os.listdir(queue.path / "results")) - kept)
    if published != sorted(r["result"] for r in rows.values() if r["state"] == "succeeded"):
        raise Broken(f"results/ has {published}")
