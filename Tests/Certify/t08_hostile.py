"""T8: what somebody might drop to harm: links, pipes, devices, folders, impossible names, files replaced after their check."""

import os
import stat

import jobs
from bed import Broken


def run(bed, report, share):
    with report.case("hostile drops"):
        report.count("hostile drops", hostile(bed))
    with report.case("files replaced while they are examined"):
        report.count("files replaced while they are examined", replaced(bed, 60 if bed.is_slice else 1000))


def hostile(bed):
    with bed.queue() as queue:
        secret = queue.path / "secret.json"
        secret.write_bytes(jobs.small(5))
        os.chmod(secret, 0o600)
        if os.geteuid() == 0:
            os.chown(secret, 1234, 1234)
        before = os.stat(secret)
        inbox = os.fsencode(queue.path / "jobs")
        os.symlink(secret, inbox + b"/link.json")
        os.symlink("/dev/zero", inbox + b"/endless.json")
        os.symlink("nowhere", inbox + b"/dangling.json")
        os.symlink(".", inbox + b"/loop.json")
        os.link(secret, inbox + b"/hard.json")
        os.mkfifo(inbox + b"/pipe.json")
        os.mkdir(inbox + b"/folder.json")
        names = [b"link.json", b"endless.json", b"dangling.json", b"loop.json", b"hard.json", b"pipe.json", b"folder.json"]
        if os.geteuid() == 0:
            os.mknod(inbox + b"/device.json", stat.S_IFCHR | 0o600, os.makedev(1, 5))
            names.append(b"device.json")
        odd = [b"x" * 250 + b".json", b"new\nline.json", b"\xff\xfe.json", b"tab\t.json", b"\x1b[31mred.json", "\u202egnp.json".encode(),
               b"-rf.json", b"a'b\"c;d$(e).json", b"..json"]
        for name in odd:
            with open(inbox + b"/" + name, "wb") as file:
                file.write(jobs.small(6))
        names += odd
        with open(inbox + b"/huge.safetensors", "wb") as file:
            file.write(b"\xff" * 7 + b"\x7f{}")
        with open(inbox + b"/terabyte.json", "wb") as file:
            file.truncate(1 << 40) if os.statvfs(queue.path).f_frsize else None
        names += [b"huge.safetensors", b"terabyte.json"]
        queue.drop("good.json", jobs.small(1))
        with queue.daemon("--patience", 0) as daemon:
            # A name that begins with a full stop is left alone.
            import time
            end = time.monotonic() + 60
            while time.monotonic() < end:
                left = [n for n in os.listdir(inbox) if n not in (b"refused", b"..json")]
                if not left and all(r["state"] not in ("queued", "running") for r in queue.rows()):
                    break
                time.sleep(0.01)
            else:
                raise Broken(f"left in the inbox: {left}")
            if daemon.process.poll() is not None:
                raise Broken(f"the daemon ended\n{queue.log()}")
            rows = queue.rows()
            good = [r for r in rows if r["name"] == "good"]
            if [r["state"] for r in good] != ["succeeded"] or queue.arrays("good") != bed.reference("good.json", jobs.small(1)):
                raise Broken(f"the job beside them is {good}")
            for row in rows:
                if row["state"] == "refused" and not row["reason_text"]:
                    raise Broken(f"{row['name']} was refused without a reason")
            harmless = {"-rf", "a'b\"c;d$(e)", "good", "\u202egnp"}
            for row in rows:
                if row["state"] != "refused" and row["name"] not in harmless:
                    raise Broken(f"{row['name']!r} is {row['state']}")
        after = os.stat(secret)
        if secret.read_bytes() != jobs.small(5) or (before.st_mtime_ns, before.st_mode) != (after.st_mtime_ns, after.st_mode):
            raise Broken("a link's target was written")
        return len(names)


def replaced(bed, count):
    """Each name is given to another file at once, so that some change between examination and claim."""
    with bed.queue() as queue:
        with queue.daemon("--patience", 0):
            for k in range(count):
                for text in (jobs.small(1), jobs.small(2)):
                    temporary = queue.path / "jobs/.tmp-x"
                    temporary.write_bytes(text)
                    os.rename(temporary, queue.path / f"jobs/job{k}.json")
            rows = queue.settle(within=300)
        right = [bed.reference("a.json", jobs.small(s)) for s in (1, 2)]
        names = [r["name"] for r in rows]
        for k in range(count):
            if names.count(f"job{k}") not in (1, 2):
                raise Broken(f"job{k} has {names.count(f'job{k}')} rows")
        for row in rows:
            if row["state"] != "succeeded" or queue.arrays(row["result"]) not in right:
                raise Broken(f"{row['name']} is {row['state']}: {row['reason_text']}")
        return count
