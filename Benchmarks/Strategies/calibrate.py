"""Fits the constants of Sources/Jacobians/Recurrent/Planning/RecurrentCosts.swift to `strategybench calibrate`, read from standard input.

Least squares of relative errors, no constant negative; needs numpy. Prints the constants and how well they predict.
"""
import sys
import numpy as np

rows = [line.split() for line in sys.stdin if line.strip()]
head, rows = rows[0], rows[1:]
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
