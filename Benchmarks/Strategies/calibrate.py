"""Fits the constants of Sources/Jacobians/Recurrent/Planning/RecurrentCosts.swift to `strategybench calibrate`, read from standard input.

Least squares of relative errors, no constant negative; needs numpy. Of several runs one after another the least times
count. Ways that take more than three times as long as the best of their shape are left out: they are never chosen.
Prints the constants and how well they predict.
"""
import sys
import numpy as np

MOST = 3  # times as long as the best way of a shape

lines = [line.split() for line in sys.stdin if line.strip()]
head, least, best = lines[0], {}, {}
for line in lines:
    if line == head:
        continue
    shape, way, taken = tuple(line[:5]), tuple(line[:7]), float(line[7])
    if way not in least or taken < float(least[way][7]):
        least[way] = line
    best[shape] = min(taken, best.get(shape, taken))
rows = [line for way, line in least.items() if float(line[7]) <= MOST * best[way[:5]]]
seconds = np.array([float(r[7]) for r in rows])
work = np.array([[float(x) for x in r[8:]] for r in rows])
names = head[8:]
A = work / seconds[:, None]
scale = A.max(0)
A = A / scale
x = np.full(len(names), 1.0 / len(names))
for _ in range(200_000):  # multiplicative updates keep every constant positive
    x *= (A.T @ np.ones(len(rows))) / np.maximum(A.T @ (A @ x), 1e-30)
constants = x / scale
for name, c in zip(names, constants):
    print(f"{name:8s} {c:.3e}" + (f"  ({1 / c / 1e9:.1f} G/s)" if c > 0 and name in ("product", "pull", "forward", "bytes") else ""))
error = work @ constants / seconds
print("predicted / measured: quartiles", np.quantile(error, [0, .05, .25, .5, .75, .95, 1]).round(2))
for r, e in sorted(zip(rows, error), key=lambda p: abs(np.log(p[1])))[-8:]:
    print("worst:", *r[:8], round(e, 2))
