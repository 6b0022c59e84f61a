"""From a job file to results on disk, fsynced: with the start of the process, and warm."""

import os
import resource
import shutil
import signal
import statistics
import subprocess
import time

from contestants import environment, serving

MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def started(command, given="", memory=None):
    """(seconds, peak bytes of memory, what it said last if it failed) of a process from its start to its end."""

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    start = time.perf_counter()
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*map(str, command)],
        env=environment(),
        stdin=pipe,
        stdout=subprocess.DEVNULL,
        stderr=pipe,
        preexec_fn=limited if memory else None,
    )
    process.stdin.write(given.encode())
    process.stdin.close()
    said = process.stderr.read().decode(errors="replace").strip()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    failure = None
    if process.returncode:
        lines = said.splitlines() or [f"ended with {process.returncode}"]
        failure = next((line for line in reversed(lines) if "Error" in line), lines[-1])[:200]
    return seconds, usage.ru_maxrss * 1024, failure


def run_engine(nnjobs, file, folder):
    """`nnjobs run` from nothing; its results are deleted."""
    results = folder / "run"
    told = started([nnjobs, "run", "--output", results, file])
    shutil.rmtree(results, ignore_errors=True)
    return told


def run_peer(python, library, program, workload, file, folder, memory=None):
    """A program from nothing, which reads the same job file."""
    saved = folder / "saved"
    saved.mkdir(exist_ok=True)
    command = serving(python, library, program, workload, None, file)
    told = started(command, f"1 {saved}\n", memory)
    shutil.rmtree(saved)
    return told


class Daemon:
    """nnjobsd on a folder of its own, one worker with all cores."""

    def __init__(self, binaries, folder):
        self.folder = folder / "queue"
        for name in ("jobs", "results", ".nnjobs"):
            (self.folder / name).mkdir(parents=True)
        self.log = open(self.folder / "log", "w")
        command = [binaries / "nnjobsd", "--workers", "1"]
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment(), stderr=self.log)
        self.count = 0

    def job(self, file):
        """Seconds from a job file's rename into jobs/ to its published folder."""
        self.count += 1
        name = f"job-{self.count}"
        stage, published = self.folder / file.name, self.folder / "results" / name
        shutil.copy(file, stage)
        start = time.perf_counter()
        os.rename(stage, self.folder / "jobs" / f"{name}{file.suffix}")
        while not published.exists():
            if self.process.poll() is not None or time.perf_counter() - start > 600:
                raise RuntimeError(f"no result of {name}: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.0002)
        seconds = time.perf_counter() - start
        shutil.rmtree(published)
        return seconds

    def median(self, file, turns):
        self.job(file)
        return statistics.median(self.job(file) for _ in range(turns))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()
