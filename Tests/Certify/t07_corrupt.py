"""T7: every truncation and every single flipped bit of a small job in each format, dropped into a served inbox."""

import json
import os
import struct

import jobs
from bed import Broken


def run(bed, report, share):
    seeds = {".json": jobs.small(0), ".safetensors": tiny()}
    for ending, whole in seeds.items():
        cases = [("cut", k, whole[:k]) for k in range(len(whole))]
        for k in range(len(whole)):
            for bit in range(8):
                changed = bytearray(whole)
                changed[k] ^= 1 << bit
                cases.append(("bit", 8 * k + bit, bytes(changed)))
        chosen = share(cases, 100)
        with report.case(f"{len(chosen)} corrupt {ending} files"):
            states = drop(bed, ending, chosen)
            report.count(f"corrupt {ending} files through the daemon", len(chosen),
                         f"of {len(cases)}: " + ", ".join(f"{n} {s}" for s, n in sorted(states.items())))


def tiny():
    """One layer, in a safetensors file of a few hundred bytes."""
    job = {"version": 1, "network": {"type": "feed-forward", "layers": [{"weights": {"tensor": "w"}, "activation": "tanh"}]},
           "inputs": {"tensor": "x"}, "gradients": ["outputs"]}
    header = json.dumps({"__metadata__": {"nnjob": json.dumps(job)}, "w": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
                         "x": {"dtype": "F32", "shape": [1, 2], "data_offsets": [8, 16]}}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<4f", 1, 2, 3, 4)


def drop(bed, ending, cases):
    with bed.queue() as queue:
        # No patience: what is cut short is refused at once.
        with queue.daemon("--patience", 0):
            for kind, number, text in cases:
                queue.drop(f"{kind}{number}{ending}", text)
            rows = queue.settle(within=600)
        if len(rows) != len(cases) or len({r["name"] for r in rows}) != len(cases):
            raise Broken(f"{len(cases)} files became {len(rows)} rows")
        kept = set(os.listdir(queue.path / "jobs/refused"))
        states = {}
        for row in rows:
            states[row["state"]] = states.get(row["state"], 0) + 1
            if row["state"] == "refused":
                if not {row["file"], row["file"] + ".reason.txt"} <= kept:
                    raise Broken(f"{row['file']} is not kept with its reason")
                if (queue.path / "jobs/refused" / row["file"]).read_bytes() != queue.dropped[row["file"]]:
                    raise Broken(f"{row['file']} is not kept as it was")
            if row["reason_code"] == "quarantined" or row["state"] == "failed":
                raise Broken(f"{row['name']} got as far as a worker: {row['reason_text']}")
        check = queue.run("fsck")
        if check.returncode != 0:
            raise Broken(f"fsck: {check.stdout[-500:]}")
        return states
