"""T1: kill -9 at every file-changing call of every way, in the daemon, the worker and the command line."""

import os
import re
import shutil

import ways
from bed import Broken

CALLS = ("write pwrite64 fsync fdatasync syncfs rename renameat2 link linkat unlink unlinkat openat ftruncate fallocate close "
         "mkdir mkdirat rmdir").split()


def run(bed, report, share):
    if shutil.which("strace"):
        with report.case("every call that strace sees is counted"):
            report.count("kinds of calls that strace sees and the count does too", nothing_missed(bed))
    for way in ways.ALL:
        total = len(ways.calls(bed, way))
        found = report.each(
            share(range(1, total + 1), 6), lambda number: f"{way}, call {number} of {total}", lambda number: kill(bed, way, number))
        resumed = sum(resumed for _, resumed in found)
        report.count(f"kill points: {way}", sum(struck for struck, _ in found), f"of {total} file-changing calls in one run"
                     + (f"; {resumed} went on from what was kept" if resumed else ""))
        if way.name.startswith("keep progress") and not resumed:
            report.failures.append("no job went on from what was kept")


def kill(bed, way, number):
    """Whether the kill at this call struck, and how many jobs went on afterwards from what was kept."""
    queue, where, _ = ways.disturbed(bed, way, number, "kill")
    with queue:
        ways.recovered(queue, way)
        return where is not None, sum(row["resumed"] > 0 for row in queue.rows())


def nothing_missed(bed):
    """Compares the calls counted in one undisturbed run with those strace sees in another, by name and file."""
    seen, counted, listed = set(), set(), set()
    # What others left to be written decides between one syncfs and several fsyncs, and so which calls there are.
    os.sync()
    with bed.queue() as queue:
        ways.two_files(queue)
        record = queue.path.parent / (queue.path.name + ".strace")
        with queue.daemon(prefix=["strace", "-D", "-f", "-qq", "-y", "-s", "4096", "-o", record, "-e", "trace=" + ",".join(CALLS)]):
            queue.settle()
        for line in record.read_text(errors="replace").splitlines():
            found = re.match(r'\d+ +(\w+)\((?:AT_FDCWD(?:<[^>]*>)?, "([^"]*)"|"([^"]*)"|\d+<([^>]*)>)', line)
            if found and " ENOENT " not in line:
                path = found[2] or found[3] or found[4]
                if found[4] and not path.startswith("/"):
                    continue
                path = path if path.startswith("/") else f"{queue.path}/{path}"
                if path.startswith(str(queue.path)) and "(deleted)" not in line:
                    seen.add((found[1], plain(path, queue)))
                    # opendir(3) opens within the C library, and changes nothing.
                    if "O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY" in line:
                        listed.update((call, plain(path, queue)) for call in ("openat", "close"))
        record.unlink()
    with bed.queue() as queue:
        ways.two_files(queue)
        record = queue.path.parent / (queue.path.name + ".calls")
        ways.serve(queue, bed.faults(queue, LOG=record), record)
        for line in record.read_text().splitlines():
            call, path = line.split(" ", 1)
            counted.add((call, plain(path, queue)))
        record.unlink()
    missed = seen - counted - listed
    if missed:
        raise Broken(f"not counted: {sorted(missed)}")
    return len(seen)


def plain(path, queue):
    """The path in its queue, without the numbers that differ from run to run."""
    return re.sub(r"\d+", "N", path.replace(str(queue.path), "").replace("/./", "/"))
