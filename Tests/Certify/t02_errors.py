"""T2: every call fails with EIO and with ENOSPC, once and for good, and every kind of call with every other error it can have.

A kind is a call's name and the file it is made on: the tenth page written to one log is of the first one's kind.
"""

import errno

import ways

SPACE = ("EIO", "ENOSPC", "EDQUOT", "EROFS")
ERRORS = {
    "openat": ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE", "EINTR"), "write": SPACE + ("EINTR",),
    "pwrite64": SPACE + ("EINTR",), "fsync": ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR"), "syncfs": ("EIO", "ENOSPC", "EDQUOT"),
    "sync_file_range": ("EIO", "ENOSPC"), "ftruncate": SPACE + ("EINTR",), "fallocate": SPACE + ("EINTR",),
    "close": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
}
NAMES = ("EIO", "ENOSPC", "EDQUOT", "EROFS")


def run(bed, report, share):
    for way in ways.ALL:
        cases, kinds = [], set()
        for number, (call, path) in enumerate(ways.calls(bed, way), 1):
            # What the daemon says of itself is no promise; a shared memory index is made anew by every start.
            if path.endswith("/daemon.log"):
                continue
            is_first = (call, path) not in kinds
            kinds.add((call, path))
            for name in ERRORS.get(call, NAMES):
                if not is_first and name not in ("EIO", "ENOSPC"):
                    continue
                cases.append((number, call, name, ""))
                # A call that is interrupted for ever is no disk's fault, and would be tried for ever.
                if name != "EINTR":
                    cases.append((number, call, name, "1"))
        found = report.each(
            share(cases, 4), lambda case: f"{way}, call {case[0]} ({case[1]}): {case[2]}{' for good' if case[3] else ''}",
            lambda case: fail(bed, way, *case))
        report.count(f"errors injected: {way}", sum(found), f"of {len(cases)}")


def fail(bed, way, number, call, name, lasting):
    """Whether the error struck."""
    queue, where, _ = ways.disturbed(bed, way, number, str(getattr(errno, name)), **({"LASTING": 1} if lasting else {}))
    with queue:
        ways.recovered(queue, way, may_fail=True)
        return where is not None
