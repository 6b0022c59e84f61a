"""T6: a kill or an error again while a start repairs what a kill or an error has left.

All pairs would be more than a million: the first strikes at every call of every way (an error at every third), and the second
walks through the calls of the repair, so that each first one meets another and each call of a repair is met by many.
"""

import errno
import time

import ways

# Prime, so that calls that follow one another meet calls of the repair that are far apart.
STRIDE = 37
EIO = str(errno.EIO)


def run(bed, report, share):
    for way in ways.ALL:
        total = len(ways.calls(bed, way))
        length = max(repair(bed, way, total * k // 4) for k in (1, 2, 3))
        cases = []
        for number in range(1, total + 1):
            inner = number * STRIDE % length + 1
            cases.append((number, "kill", inner, "kill" if number % 2 else EIO))
            if number % 3 == 0:
                cases.append((number, EIO, inner, "kill" if number % 6 else EIO))
        found = report.each(
            share(cases, 3), lambda case: f"{way}: {case[1]} at {case[0]}, then {case[3]} at call {case[2]} of the repair",
            lambda case: nested(bed, way, *case))
        kinds = ", ".join(f"{found.count(kind)} {words}" for kind, words in KINDS.items() if kind in found)
        report.count(f"pairs: {way}", sum(pair is not None for pair in found), f"of {len(cases)} tried: {kinds}")


KINDS = {("kill", "kill"): "killed after a kill", ("kill", EIO): "failed after a kill",
         (EIO, "kill"): "killed after an error", (EIO, EIO): "failed after an error"}


def nested(bed, way, number, first, inner, second):
    """Which pair of faults struck; None where one of them did not."""
    queue, where, _ = ways.disturbed(bed, way, number, first)
    with queue:
        done = queue.path.parent / (queue.path.name + ".done")
        mend(queue, way, bed.faults(queue, ROLE="daemon", AT=inner, ACT=second, DONE=done), done)
        struck = done.exists()
        done.unlink(missing_ok=True)
        ways.recovered(queue, way, may_fail=True)
        return (first, second) if where and struck else None


def repair(bed, way, number):
    """How many calls a daemon makes that repairs what a kill at this call has left."""
    queue, _, _ = ways.disturbed(bed, way, number, "kill")
    with queue:
        record = queue.path.parent / (queue.path.name + ".calls")
        mend(queue, way, bed.faults(queue, ROLE="daemon", LOG=record), record)
        count = len(record.read_text().splitlines())
        record.unlink()
        return count


def mend(queue, way, environment, done):
    """A daemon repairs the queue and serves it until nothing can be done, or it has left."""
    daemon = queue.daemon("--grace", 1, *(way.wish.options if way.wish else ()), **environment)
    if ways.comes_up(queue, daemon):
        if "cancel" in way.name:
            (queue.path / "jobs/.cancel-1").touch()
        end, struck = time.monotonic() + 20, None
        while daemon.process.poll() is None and time.monotonic() < end and not ways.is_idle(queue, way):
            # A log is there from the start, and its name is no sign.
            struck = struck or "FAULT_DONE" in environment and done.exists() and time.monotonic()
            if struck and time.monotonic() - struck > 4:
                break
            time.sleep(0.005)
    daemon.end()
    for child in queue.children:
        child.kill_now()
