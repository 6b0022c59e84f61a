"""Who takes turns in a comparison: the engine, and programs of libraries, each warm in a process of its own.

Everybody gets all cores, computes the same numbers (compared before anything is timed) and takes its turn several
times, so that what else runs on the machine falls on all.
"""

import json
import os
import statistics
import subprocess
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
CORES = os.cpu_count()
TITLES = {"numpy": "NumPy", "jax": "JAX", "torch": "PyTorch"}
AUTOMATIC = ("jacrev", "jacfwd", "grad", "linearize", "jvp and vjp")  # the rest is by hand
TURN = 0.6  # seconds that a turn lasts, or one call
TOO_LONG = 20  # seconds of a call after which nobody asks again
MOST = 500  # calls of a turn


def environment():
    """Without what would choose kernels for everybody's OpenBLAS, and with an allocator that keeps its memory."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    tuned = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736"
    return {**kept, "GLIBC_TUNABLES": tuned, "NNJOBS_CONFIG": "/dev/null"}


def answer(*arguments, kernel=None):
    """The line of JSON that a program prints, with OpenBLAS' kernel of that name or its own choice."""
    own = environment() | ({"OPENBLAS_CORETYPE": kernel} if kernel else {})
    done = subprocess.run([*map(str, arguments)], env=own, check=True, capture_output=True)
    return json.loads(done.stdout)


class Contestant:
    peak_memory = None  # bytes

    def __init__(self):
        self.seconds, self.cpu_seconds = [], []

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def least(self):
        return min(self.seconds)


class Engine(Contestant):
    def __init__(self, bench, file, threads, kernel=None):
        super().__init__()
        named = f", {kernel} kernel" if kernel else ""
        self.title = f"**nnjobs**, {threads} thread{'s' if threads > 1 else ''}{named}"
        self.bench, self.file, self.threads, self.kernel, self.told = bench, file, threads, kernel, None

    def turn(self, reference=None):
        count = max(3, min(MOST, int(TURN / self.least))) if self.seconds else 3
        written = [reference] if reference else []
        self.told = answer(self.bench, "job", self.file, count, self.threads, *written, kernel=self.kernel)
        self.seconds += self.told["seconds"]
        self.cpu_seconds += self.told["cpuSeconds"]
        self.peak_memory = self.told["peakMemory"]


class Peer(Contestant):
    """A program of a library; `reference` has the engine's results, or is None and nothing is compared."""

    def __init__(self, python, library, program, workload, reference, threads=None, file=None):
        super().__init__()
        self.library, self.is_ours = library, program == "blocked"
        self.is_automatic = program in AUTOMATIC
        self.title = f"{TITLES[library]} {program}{' (nnjobs’ strategy)' if self.is_ours else ''}"
        own = environment()
        if threads:
            self.title += f", {threads} thread"
            own["OPENBLAS_NUM_THREADS"] = str(threads)
        command = serving(python, library, program, workload, reference, file)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=own, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        told = self.told(f"{self.title} of {workload.name}")
        if not told["error"] < workload.tolerance:
            raise RuntimeError(f"{self.title} of {workload.name} differs by {told['error']}")
        if told["first"] > TOO_LONG:  # translating it is nothing beside that
            self.seconds, self.cpu_seconds = [told["first"]], [told["first_cpu"]]

    def turn(self):
        once = min(self.seconds, default=TURN)
        if once < TOO_LONG:
            seconds, cpu_seconds = self.ask(max(1, min(MOST, int(TURN / once))))
            self.seconds += seconds
            self.cpu_seconds += cpu_seconds

    def ask(self, count, path=""):
        """The seconds of `count` calls, and those of processors; each with saving into `path` if that is given."""
        print(count, path, file=self.process.stdin, flush=True)
        told = self.told(self.title)
        self.peak_memory = told["peak_memory"]
        return told["seconds"], told["cpu_seconds"]

    def told(self, who):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{who} ended: {self.process.communicate()[1][-2000:]}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serving(python, library, program, workload, reference, file=None):
    """The command that keeps a program warm; it makes the workload's numbers itself, or reads the job file."""
    return [python, PEERS / "serve.py", workload.folder, library, program, workload.name, reference or "-", file or "-"]


def calibrated(nnjobs, file, folder):
    """The kernel that `nnjobs run` chooses for this machine, measured now if it has no profile yet."""
    command = [nnjobs, "run", "--output", folder / "first", file]
    subprocess.run(command, env=environment(), check=True, capture_output=True)
    (manifest,) = (folder / "first").rglob("manifest.json")
    return json.loads(manifest.read_text())["kernel"].split()[-1]


def rate(bench, kernel, rows, depth, columns, order, dtype="float64", results=()):
    """Operations a second of a shape of product, both cores, with that kernel of OpenBLAS.

    `results` tells where the products go: (how many side by side, bytes in all), else all to the same place.
    """
    told = answer(bench, "product", rows, depth, columns, order, 0.5, CORES, dtype, *results, kernel=kernel)
    return told["operationsPerSecond"]


def text(seconds):
    if seconds < 0.9995e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"
