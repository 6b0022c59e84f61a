"""T3: an fsync fails once, and every later one claims success: nothing is acknowledged on its word."""

import os

import ways
from bed import Broken

SYNC = ("fsync", "fdatasync", "syncfs")
NAMING = ("mkdir", "mkdirat", "rename", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir")


def run(bed, report, share):
    for way in ways.ALL:
        calls = ways.calls(bed, way)
        places = syncs(calls)
        unheard = [n for n, call in enumerate(calls) if is_of_sqlite(call)]
        for number in unheard:
            with report.case(f"{way}, names before the fsync at call {number + 1}"):
                everything_named(calls[:number], present(bed, way))
        found = report.each(
            share(places, 4), lambda place: f"{way}, {place[0]} {place[1]}", lambda place: lie(bed, way, *place))
        report.count(f"failed fsyncs: {way}", sum(found), f"of {len(places)}" + (
            f"; at {len(unheard)} of them SQLite goes on, with every name in its folder durable before" if unheard else ""))
    places = syncs(ways.calls(bed, ways.MANY))
    # The log is fsynced before what is in it is copied into the store; the last time, at the end.
    moves = [k for k, (_, _, path) in enumerate(places) if path.endswith("/store.sqlite")]
    places = [places[k] for n in moves for k in (n - 1, n)]
    found = report.each(places, lambda place: f"{ways.MANY}, {place[0]} {place[1]}", lambda place: lie(bed, ways.MANY, *place))
    report.count("failed fsyncs: SQLite's log is moved into the store", sum(found), f"of {len(places)}")
    if len(moves) < 2:
        report.failures.append("the log was not moved before the end")


def syncs(calls):
    """Every fsync of these calls: its name, the how-manieth of that name it is, and the path."""
    counted, places = dict.fromkeys(SYNC, 0), []
    for call, path in calls:
        if call in SYNC:
            counted[call] += 1
            places.append((call, counted[call], path))
    return places


def lie(bed, way, call, number, _):
    """Whether the failed fsync struck; counted among its like, since other calls come in other numbers from run to run."""
    queue, where, status = ways.disturbed(bed, way, number, "lie", CALL=call)
    with queue:
        if where and not is_of_sqlite(where.split(" ", 1)):
            acknowledged(queue, way, where, status)
        ways.recovered(queue, way, may_fail=True)
        return where is not None


def acknowledged(queue, way, where, status):
    """Raises where the failed fsync was passed over."""
    if way.role == "cli" and status == 0:
        raise Broken(f"{way} ended with 0 although {where} failed")
    if way.role == "daemon" and status != 74:
        raise Broken(f"the daemon went on after {where} failed (status {status})\n{queue.log()}")
    if way.role == "worker":
        for row in queue.rows():
            if row["state"] == "succeeded" and row["attempts"] == 1:
                raise Broken(f"{row['name']} succeeded although {where} failed\n{queue.log()}")


def is_of_sqlite(call):
    """Whether it is SQLite that fsyncs its folder, before it first writes to its log: it does not look at what comes of it."""
    return call[0] == "fdatasync" and ("/" + call[1]).endswith("/.nnjobs")


def present(bed, way):
    with bed.queue() as queue:
        way.prepare(queue)
        return set(os.listdir(queue.path / ".nnjobs"))


def everything_named(calls, names):
    """Raises if a name in SQLite's folder was made or taken away since somebody fsynced the folder and looked whether it failed."""
    fresh, names = set(), set(names)
    for call, path in calls:
        folder, name = path.rsplit("/", 1)
        if (call, name) == ("fsync", ".nnjobs"):
            fresh.clear()
        elif folder.endswith("/.nnjobs") and (call in NAMING or call == "openat" and name not in names):
            fresh.add(name)
            names.add(name)
    # Every start makes the log's index anew, and a profile that is gone is measured again.
    if fresh - {"store.sqlite-shm", "machine.json"}:
        raise Broken(f"SQLite goes on when an fsync fails that is to make these last: {sorted(fresh)}")
