"""T4 on a real ext4: every block that reaches its disk is recorded, and the power goes between any two of them.

The file system lies on a loop device whose file is that of disk.c. A cut leaves every block written before the last flush, and
of those since then the first ones, or any mixture.
"""

import os
import random
import struct
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import lives
from bed import Broken

SIZE = 24 << 20


class Missing(Exception):
    """What this machine lacks for it."""


def tool(*words, tries=1):
    for left in reversed(range(tries)):
        run = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode == 0:
            return run.stdout
        if left:
            # A loop device may be taken by another, a process may be ending whose folder this was.
            time.sleep(0.05)
    raise Broken(f"{' '.join(map(str, words))}: {run.stdout.strip()}")


@contextmanager
def mounted(image, point):
    tool("mount", "-t", "ext4", "-o", "loop", image, point, tries=40)
    try:
        yield
    finally:
        tool("umount", point, tries=100)


@contextmanager
def recorded(program, image, log, point):
    """Mounts an image at `point`, with every write to it in `log`."""
    folder = Path(f"{image}.fuse")
    folder.mkdir()
    process = subprocess.Popen([program, image, log, folder])
    try:
        end = time.monotonic() + 10
        while not (folder / "disk").exists():
            if process.poll() is not None or time.monotonic() > end:
                raise Missing("a file system in user space cannot be mounted")
            time.sleep(0.01)
        with mounted(folder / "disk", point):
            yield
    finally:
        subprocess.run(["umount", folder], stderr=subprocess.DEVNULL)
        process.kill()
        process.wait()
        folder.rmdir()


def build(bed):
    """Compiles disk.c and formats an empty disk; says what is missing where that, or mounting it, cannot be done."""
    if os.geteuid() != 0:
        raise Missing("only root can mount")
    if not os.path.exists("/dev/fuse") or not os.path.exists("/dev/loop-control"):
        raise Missing("there is no /dev/fuse or no loop device")
    program, empty = bed.scratch / "disk", bed.scratch / "empty.img"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if flags.returncode != 0:
        raise Missing("libfuse3-dev is not installed")
    source = Path(__file__).with_name("disk.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", source, "-o", program, *flags.stdout.split()], check=True)
    with open(empty, "wb") as file:
        file.truncate(SIZE)
    tool("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", empty)
    with bed.queue() as queue:
        try:
            with mounted(empty, queue.path):
                pass
        except Broken as fault:
            raise Missing(str(fault)) from None
    return program, empty


class Recording:
    """A life on a disk of its own: the disk before, every block written since, every flush, and every promise."""

    def __init__(self, bed, disk, life, **faults):
        program, empty = disk
        self.name = life.__doc__.rstrip(".")
        with bed.queue() as queue:
            image, log, boot = (Path(f"{queue.path}.{kind}") for kind in ("img", "log", "boot"))
            boot.write_text("00000000-0000-4000-8000-000000000000\n")
            image.write_bytes(empty.read_bytes())
            promises = []
            try:
                with recorded(program, image, log, queue.path):
                    for folder in ("jobs", "results", ".nnjobs"):
                        (queue.path / folder).mkdir()
                    if life not in lives.FIRST:
                        with queue.daemon():
                            pass
                    os.sync()
                    begin = log.stat().st_size
                    witness = lives.Witness(queue, bed.faults(queue, BOOT=boot, **faults),
                                            lambda file, words: promises.append((log.stat().st_size, (file, words))))
                    life(witness)
                    end = log.stat().st_size
                raw = log.read_bytes()
            finally:
                for path in (image, log, boot):
                    path.unlink(missing_ok=True)
        self.texts, self.blocks, at, self.before = witness.texts, [], 0, bytearray(empty.read_bytes())
        self.promises = []
        while at < end:
            offset, size = struct.unpack_from("<2Q", raw, at)
            data, at = raw[at + 16:at + 16 + size], at + 16 + size
            if at <= begin:
                self.before[offset:offset + size] = data
                continue
            self.blocks.append((offset, data))
            # What was promised when this was on its way counts once it is there.
            self.promises.append([promise for position, promise in promises if position <= at])

    def flushes(self):
        return [number for number, (_, data) in enumerate(self.blocks) if not data]

    def disk(self, cut):
        """The disk after a cut: the first `count` blocks; where `seed` says so, those since the last flush in a mixture."""
        disk, chance = bytearray(self.before), random.Random(cut.seed)
        last = max([number for number in self.flushes() if number < cut.count], default=0)
        for number, (offset, data) in enumerate(self.blocks[:cut.count]):
            if number < last or cut.seed is None or chance.random() < 0.5:
                disk[offset:offset + len(data)] = data
        return disk


class Cut:
    def __init__(self, recording, count, seed=None):
        self.recording, self.count, self.seed = recording, count, seed

    def __str__(self):
        return (f"{self.recording.name}: on ext4, power cut after block {self.count} of {len(self.recording.blocks)}"
                + (f", mixture {self.seed} of those since the last flush" if self.seed is not None else ""))


def cuts(recordings, wanted=None):
    """After every block and every flush, and wherever there are several blocks since a flush also a mixture of them; or so many of all."""
    every = []
    for recording in recordings:
        since = 0
        for count, (_, data) in enumerate(recording.blocks, 1):
            since = since + 1 if data else 0
            every.append(Cut(recording, count))
            if since > 1:
                every.append(Cut(recording, count, seed=count))
    step = max(1, len(every) / wanted) if wanted else 1
    return [every[int(number * step)] for number in range(int(len(every) / step))]


def recover(bed, cut):
    with bed.queue() as queue:
        image = Path(f"{queue.path}.img")
        image.write_bytes(cut.recording.disk(cut))
        try:
            with mounted(image, queue.path):
                lives.judge(queue, cut.recording.texts, cut.recording.promises[cut.count - 1])
        finally:
            image.unlink()


def detect(bed, disk, life, pattern):
    """Records a life in which some fsync is left out; a cut right behind a promise must show it."""
    recording = Recording(bed, disk, life, UNSYNCED=pattern)
    for count in range(1, len(recording.blocks) + 1):
        if count == 1 or recording.promises[count - 1] != recording.promises[count - 2]:
            try:
                recover(bed, Cut(recording, count))
            except (Broken, OSError):
                return 1
    raise Broken(f"no cut shows that {pattern} is not synced")
