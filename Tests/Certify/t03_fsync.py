"""T3: an fsync fails once, and every later one claims success: nothing is acknowledged on its word."""

import ways
from bed import Broken

SYNC = ("fsync", "fdatasync", "syncfs")


def run(bed, report, share):
    for way in ways.ALL:
        places = [(n, path) for n, (call, path) in enumerate(ways.calls(bed, way), 1) if call in SYNC]
        found = report.each(
            share(places, 6), lambda place: f"{way}, fsync at call {place[0]}", lambda place: lie(bed, way, place[0]))
        report.count(f"failed fsyncs: {way}", sum(found), f"of {len(places)}")


def lie(bed, way, number):
    """Whether the failed fsync struck."""
    queue, where, status = ways.disturbed(bed, way, number, "lie")
    with queue:
        if where:
            acknowledged(queue, way, where, status)
        ways.recovered(queue, way, may_fail=True)
        return where is not None


def acknowledged(queue, way, where, status):
    """Raises where the failed fsync was passed over."""
    if way.role == "cli" and status == 0:
        raise Broken(f"{way} ended with 0 although {where} failed")
    # What SQLite moves from its log into the store at the end was durable in the log before.
    if way.role == "daemon" and status not in (74, -9) and "stopping" not in queue.log():
        raise Broken(f"the daemon went on after {where} failed (status {status})\n{queue.log()}")
