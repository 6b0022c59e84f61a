#!/usr/bin/env python3
"""Runs the Python that the documentation shows, as a reader would: in order, against a real daemon.

usage: readme.py BINARIES      # the folder that has nnjobs and nnjobsd; needs numpy, safetensors and xxhash

Each document's ```python blocks run one after another in an empty folder with jobs/, results/ and .nnjobs/. A job file that
a block leaves there is handed in by `nnjobs submit`, one that it drops into jobs/ is waited for; then the next block goes on.
At the end each result is compared with numpy.
"""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds for all that a block started


def blocks(document):
    """(line, text) of each ```python block."""
    text = document.read_text()
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1)


class Queue:
    """A daemon on folders of its own, found by nnjobs in the current folder."""

    def __init__(self, binaries, folder):
        self.nnjobs = binaries / "nnjobs"
        self.folder = folder
        for name in ("jobs", "results", ".nnjobs"):
            (folder / name).mkdir()
        # Nothing of this machine's own queue may be found.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NNJOBS_")}
        self.environment["NNJOBS_CONFIG"] = "/dev/null"
        self.log = open(folder / "daemon.log", "w+")
        # As systemd does, so that nothing needs to be slept on.
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notices.bind(str(folder / "notify"))
        notices.settimeout(PATIENCE)
        self.environment["NOTIFY_SOCKET"] = str(folder / "notify")
        self.daemon = subprocess.Popen(
            [binaries / "nnjobsd"], cwd=folder, env=self.environment, stdout=self.log, stderr=self.log
        )
        while "READY=1" not in notices.recv(4096).decode().splitlines():
            pass

    def run(self, *arguments):
        done = subprocess.run(
            [self.nnjobs, *arguments],
            cwd=self.folder,
            env=self.environment,
            timeout=PATIENCE,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"nnjobs {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def settle(self, files):
        """Hands in `files`, then waits for them and for what was dropped by hand."""
        for file in files:
            self.run("wait", self.run("submit", file).strip())
        end = time.monotonic() + PATIENCE
        while (ids := self.admitted()) is None:
            if self.daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError("a dropped job file is not admitted")
            time.sleep(0.02)
        if ids:
            self.run("wait", *ids)

    def admitted(self):
        """The ids of all jobs, or None while a dropped file is on its way to becoming one."""
        jobs, claimed = self.folder / "jobs", self.folder / ".nnjobs" / "claimed"
        if any(path.is_file() and not path.name.startswith(".") for path in jobs.iterdir()):
            return None
        files = list(claimed.iterdir()) if claimed.exists() else []
        ids = [str(job["id"]) for job in json.loads(self.run("status", "--json"))["jobs"]]
        # A file is claimed, as <id>-NAME, before its row is written.
        return ids if all(file.name.split("-")[0] in ids for file in files) else None

    def stop(self):
        self.daemon.terminate()
        try:
            status = self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            raise RuntimeError("the daemon does not end on SIGTERM") from None
        if status != 0:
            raise RuntimeError(f"the daemon ended with {status}")


def compare(file, result):
    """The outputs, ∂y/∂x or ∂r(n)/∂r(n−1), and ∂y/∂w of a published result against numpy; how many arrays were compared."""
    spec = importlib.util.spec_from_file_location("check", PROJECT / "docs/examples/check.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    with safe_open(file, "numpy") as opened:
        document = json.loads(opened.metadata()["nnjob"])
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}
    x = tensors[document["inputs"]["tensor"]]
    if document["network"]["type"] == "recurrent":
        network = check.Recurrent(document, tensors)
        expected = {"outputs": network.outputs(x), "transition-jacobian": network.transition_jacobian(x)}
    else:
        network = check.Network(document, tensors)
        expected = {"outputs": network.outputs(x), "input-jacobian": network.input_jacobian(x)}
    columns = network.parameter_jacobian(x)
    for k, (weights, biases) in enumerate(zip(network.weights, network.biases), 1):
        for name, array in ((f"W{k}", weights), (f"b{k}", biases)):
            if array is not None:
                own, columns = np.split(columns, [array.size], axis=-1)
                expected[f"parameter-jacobian/{name}"] = own.reshape(*own.shape[:-1], *array.shape)
    compared = 0
    for name, array in expected.items():
        if (result / f"{name}.npy").exists():
            np.testing.assert_allclose(np.load(result / f"{name}.npy"), array, rtol=1e-12, atol=1e-12, err_msg=name)
            compared += 1
    return compared


def run(document, binaries):
    name = document.relative_to(PROJECT)
    found = list(blocks(document))
    if not found:
        return
    with tempfile.TemporaryDirectory(prefix="nnjobs-python-") as folder:
        folder = Path(folder)
        queue = Queue(binaries, folder)
        os.chdir(folder)
        handed_in, names = set(), {"__name__": "__main__"}
        try:
            for line, text in found:
                # The padding makes line numbers in a traceback those of the document.
                exec(compile("\n" * (line - 1) + text, str(name), "exec"), names)
                new = {p for p in folder.iterdir() if p.suffix in (".safetensors", ".json")} - handed_in
                queue.settle(sorted(new))
                handed_in |= new
            compared = 0
            for file in handed_in:
                if file.suffix == ".safetensors":
                    compared += compare(file, folder / "results" / file.stem)
            queue.stop()
        except BaseException:
            queue.daemon.kill()
            queue.log.seek(0)
            print(queue.log.read(), file=sys.stderr)
            raise
        finally:
            os.chdir(PROJECT)
        print(f"{name}: {len(found)} blocks ran, {compared} arrays equal numpy's")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    binaries = Path(sys.argv[1]).resolve()
    documents = [p for p in [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))] if p.exists()]
    if not any(list(blocks(document)) for document in documents):
        sys.exit("no Python found in README.md and docs/")
    for document in documents:
        run(document, binaries)
