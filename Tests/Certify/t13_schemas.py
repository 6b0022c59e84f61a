"""T13: a store of every released schema opens and migrates, also when that is killed at every call; a newer one is refused."""

import sqlite3

import ways
from bed import Broken
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures/store"


def run(bed, report, share):
    scripts = sorted(FIXTURES.glob("version-*.sql"))
    current = len(scripts)
    for script in scripts:
        with report.case(f"{script.stem} opens"):
            with bed.queue() as queue:
                before = make(queue, script)
                with queue.daemon():
                    pass
                same(queue, before, current)
    report.count("released schemas opened", current)
    with report.case("a newer schema is refused"):
        with bed.queue() as queue:
            make(queue, scripts[-1])
            with sqlite3.connect(queue.path / ".nnjobs/store.sqlite") as store:
                store.execute(f"PRAGMA user_version = {current + 1}")
            store.close()
            daemon = queue.daemon()
            if daemon.wait() or daemon.process.returncode != 74 or "newer" not in queue.log():
                raise Broken(f"status {daemon.process.returncode}\n{queue.log()}")
    way = ways.Way("migrate", "daemon", lambda queue: make(queue, scripts[0]), start_and_stop)
    total = len(ways.calls(bed, way))
    killed = 0
    for number in share(range(1, total + 1), 6):
        with report.case(f"migrate, killed at call {number} of {total}"):
            queue, where, _ = ways.disturbed(bed, way, number, "kill")
            with queue:
                killed += where is not None
                with queue.daemon():
                    pass
                same(queue, [1, 2, 3, 4, 5, 6], current)
    report.count("kill points: a start that migrates version 1", killed, f"of {total} file-changing calls in one run")


def make(queue, script):
    """A store by its own SQL; gives the ids in it."""
    with sqlite3.connect(queue.path / ".nnjobs/store.sqlite") as store:
        store.executescript(script.read_text())
        ids = [row[0] for row in store.execute("SELECT id FROM jobs ORDER BY id")]
    store.close()
    return ids


def start_and_stop(queue, environment, done):
    daemon = queue.daemon(**environment)
    daemon.wait()
    return daemon.end()


def same(queue, ids, version):
    rows = queue.rows()
    if [r["id"] for r in rows] != ids:
        raise Broken(f"rows {[r['id'] for r in rows]}, not {ids}")
    with sqlite3.connect(f"file:{queue.path}/.nnjobs/store.sqlite?mode=ro", uri=True) as store:
        found = store.execute("PRAGMA user_version").fetchone()[0]
        sound = store.execute("PRAGMA integrity_check").fetchone()[0]
    store.close()
    if found != version or sound != "ok":
        raise Broken(f"version {found}, {sound}")
