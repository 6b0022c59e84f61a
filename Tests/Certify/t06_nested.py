"""T6: kills and errors again while a start repairs what a kill has left."""

import errno
import shutil

import ways
from bed import Broken


def run(bed, report, share):
    way = ways.ALL[0]
    outer = ways.calls(bed, way)
    # Where the first kill leaves something to repair: in the later part of the way, after the store was made.
    first = next(n for n, (_, path) in enumerate(outer, 1) if path.endswith("store.sqlite-shm"))
    kills = errors = 0
    for number in share(range(first, len(outer) + 1, 6), 4):
        left, where, _ = ways.disturbed(bed, way, number, "kill")
        if where is None:
            left.__exit__()
            continue
        with left:
            again = ways.Way(way.name, "daemon", lambda queue: None, ways.serve)
            record = left.path.parent / (left.path.name + ".calls")
            with bed.queue(like=left) as probe:
                ways.serve(probe, bed.faults(probe, ROLE="daemon", LOG=record), record)
            total = len(record.read_text().splitlines())
            record.unlink()
            for inner in share(range(1, total + 1), 4):
                act = "kill" if inner % 2 else str(errno.EIO)
                with report.case(f"{way}, kill at {number}, then {act} at call {inner} of the repair"):
                    with bed.queue(like=left) as queue:
                        done = queue.path.parent / (queue.path.name + ".done")
                        ways.serve(queue, bed.faults(queue, ROLE="daemon", AT=inner, ACT=act, DONE=done), done)
                        done.unlink(missing_ok=True)
                        kills, errors = kills + (act == "kill"), errors + (act != "kill")
                        ways.recovered(queue, again, may_fail=True)
    report.count("kills during the repair after a kill", kills)
    report.count("errors during the repair after a kill", errors)
