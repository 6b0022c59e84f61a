"""T4: the power goes after every recorded call: unsynced bytes kept, dropped or torn, unsynced names in any mixture."""

import itertools
import random
import shutil

import ext4
import lives
import tape
from bed import Broken

STATES = 10_500
# An fsync that is left out (a pattern of what it would have synced), the life that shows it, and the promise it kept.
UNSYNCED = [
    ("jobs/.tmp-*", lives.submit, "a submitted file is whole"),
    ("jobs", lives.submit, "a submitted file is there"),
    (".nnjobs/claimed", lives.hold, "a claimed file is there before its row is"),
    ("results/.partial-*", lives.hold, "a result is whole before it is published"),
    (".nnjobs/store.sqlite-wal", lives.cancel, "what a row said stays"),
    ("results", lives.hold, "a result is there before its row says so"),
]


def run(bed, report, share):
    recordings = [lives.record(bed, life) for life in lives.ALL]
    calls = sum(len(recording.operations) for recording in recordings)
    for recording in recordings:
        with report.case(f"{recording.name}: no power cut"):
            *_, (_, disk, promises) = recording.moments()
            recover(bed, recording, disk.state(lambda: True, lambda: 1), promises)
    wanted = 120 if bed.is_slice else STATES
    different, left = set(), states(recordings, wanted)
    # Some thousand at once: they are kept in memory.
    while cases := list(itertools.islice(left, 2000)):
        report.each(cases, str, lambda case: recover(bed, case.recording, case.state, case.promises))
        different |= {case.key for case in cases}
    different = len(different)
    report.count("different crash states, each recovered and served to the end by a daemon", different, f"after {calls} recorded calls")
    if different < wanted:
        report.failures.append(f"only {different} crash states")
    missing = share(UNSYNCED, few=2)
    found = report.each(missing, lambda case: f"without an fsync of {case[0]}", lambda case: detect(bed, *case))
    report.count("fsyncs left out on purpose, and found missing", len(found), f"of {len(missing)}: this test can fail")
    on_a_disk(bed, report)


def on_a_disk(bed, report):
    """The same lives on ext4, where the power goes between any two blocks."""
    try:
        disk = ext4.build(bed)
    except ext4.Missing as why:
        print(f"  on a real ext4: skipped, {why}", flush=True)
        report.count("power cuts on ext4", 0, f"skipped: {why}")
        return
    recordings = [ext4.Recording(bed, disk, life) for life in (lives.ALL[-1:] if bed.is_slice else lives.ALL)]
    cuts = ext4.cuts(recordings, 8 if bed.is_slice else None)
    report.each(cuts, str, lambda cut: ext4.recover(bed, cut))
    blocks = sum(len(recording.blocks) for recording in recordings)
    flushes = sum(len(recording.flushes()) for recording in recordings)
    report.count("power cuts on ext4", len(cuts), f"of {blocks} block writes and flushes ({flushes}): after each, and mixtures of "
                 "the blocks since a flush" if not bed.is_slice else f"of {blocks} block writes and flushes")
    if not bed.is_slice:
        with report.case("on ext4 without an fsync of jobs"):
            report.count("fsyncs left out on ext4, and found missing", ext4.detect(bed, disk, lives.submit, "jobs"), "of 1")


class Case:
    """What a power cut left of a recorded life, and what had been promised by then."""

    def __init__(self, recording, at, key, state, promises):
        self.recording, self.at, self.key, self.state, self.promises = recording, at, key, state, promises

    def __str__(self):
        return f"{self.recording.name}: power cut after call {self.at} of {len(self.recording.operations)}"


def states(recordings, wanted):
    """Crash states evenly over all moments, as cases."""
    seen, distinct = set(), set()
    moments = sum(len(recording.operations) for recording in recordings)
    every = max(1, moments * 2 // wanted)
    for turn in range(100):
        before = len(distinct)
        for number, recording in enumerate(recordings):
            for at, disk, promises in recording.moments():
                if at % every:
                    continue
                generator = random.Random(f"{turn} {number} {at}")
                made = list(promises)
                chosen = disk.plain() if turn == 0 else (disk.mixture(generator) for _ in range(2))
                for state in chosen:
                    key = tape.key(state)
                    # The same state under more promises is another case, and no other state.
                    if (number, key, len(promises)) in seen:
                        continue
                    seen.add((number, key, len(promises)))
                    distinct.add(key)
                    yield Case(recording, at, key, state, made)
                    if len(distinct) >= wanted:
                        return
        if len(distinct) == before:
            return


def recover(bed, recording, state, promises):
    """A daemon finds this state, serves it to the end, and everything is as it was promised."""
    with bed.queue() as queue:
        shutil.rmtree(queue.path)
        queue.path.mkdir()
        tape.lay(state, queue.path)
        for folder in ("jobs", "results", ".nnjobs"):
            (queue.path / folder).mkdir(exist_ok=True)
        lives.judge(queue, recording.texts, promises)


def detect(bed, pattern, life, promise):
    """Records a life in which some fsync is left out; nothing unsynced kept, or all names without their bytes, must show it."""
    recording = lives.record(bed, life, UNSYNCED=pattern)
    seen = set()
    for at, disk, promises in recording.moments():
        for state in (disk.state(lambda: False, lambda: 0), disk.state(lambda: True, lambda: 0)):
            if (tape.key(state), len(promises)) in seen:
                continue
            seen.add((tape.key(state), len(promises)))
            try:
                recover(bed, recording, state, promises)
            except (Broken, OSError) as fault:
                return at, str(fault)
    raise Broken(f"nothing shows that {pattern} is not synced, in {len(seen)} states: {promise}")
