"""By hand in NumPy: what an expert writes who knows the structure, into memory that is kept between calls.

All use that ∂r/∂w of y's own parameters is zero, and that a layer's ∂/∂w is an outer product.
"""

import numpy as np


def trajectory(W, b, x, m):
    """z of every step, its slopes, and u(n) = (x(n), r(n−1))."""
    T, nx = x.shape
    fields = x @ W[:, :nx].T
    fields += b
    recurrent = np.ascontiguousarray(W[:, nx:])
    Z = np.zeros((T + 1, len(W)))
    r = Z[0, m:]
    for n in range(T):
        field = recurrent @ r
        field += fields[n]
        np.tanh(field, out=Z[n + 1])
        r = Z[n + 1, m:]
    U = np.empty((T, W.shape[1]))
    U[:, :nx] = x
    U[:, nx:] = Z[:-1, m:]
    return Z[1:], 1 - Z[1:] ** 2, U


class Rows:
    """The result (T, m, P) and its parts: W by unit, b by unit."""

    def __init__(self, T, m, R, columns):
        units = m + R
        self.array = np.zeros((T, m, units * (columns + 1)))
        self.weights = self.array[:, :, : units * columns].reshape(T, m, units, columns)
        self.biases = self.array[:, :, units * columns :]

    def add_own(self, F, U, m):
        """What y_o(n) owes to its own unit's parameters in step n: all they ever do."""
        for o in range(m):
            np.multiply(F[:, o, None], U, out=self.weights[:, o, o])
            self.biases[:, o, o] = F[:, o]


def forward(W, b, x, d, m):
    """The paper's recursion: S = ∂r/∂w is carried from step to step."""
    T, nx = x.shape
    R, columns = len(W) - m, W.shape[1]
    rows = Rows(T, m, R, columns)
    S, following = np.zeros((R, R * (columns + 1))), np.zeros((R, R * (columns + 1)))
    recurrent, unit = np.ascontiguousarray(W[:, nx:]), np.arange(R)

    def call():
        _, F, U = trajectory(W, b, x, m)
        rows.add_own(F, U, m)
        nonlocal S, following
        S[:] = 0
        for n in range(T):
            R_n = F[n, :, None] * recurrent
            past = R_n[:m] @ S
            rows.weights[n, :, m:] = past[:, : R * columns].reshape(m, R, columns)
            rows.biases[n, :, m:] = past[:, R * columns :]
            np.matmul(R_n[m:], S, out=following)
            following[:, : R * columns].reshape(R, R, columns)[unit, unit] += F[n, m:, None] * U[n]
            following[unit, R * columns + unit] += F[n, m:]
            S, following = following, S
        return rows.array

    return call


def adjoint(W, b, x, d, m, together=64):
    """Backpropagation through time of every output; the steps of a group go back together, then one product a step."""
    T, nx = x.shape
    R, columns = len(W) - m, W.shape[1]
    together = min(T, together)
    rows = Rows(T, m, R, columns)
    G = np.zeros((T, together, m, R))  # ∂y(n)/∂v(l): l, n within its group; stays zero where l ≥ n
    own, recurrent = np.ascontiguousarray(W[:m, nx:]), np.ascontiguousarray(W[m:, nx:])

    def call():
        _, F, U = trajectory(W, b, x, m)
        rows.add_own(F, U, m)
        for first in range(0, T, together):
            end = min(first + together, T)
            rows_back = F[first:end, :m, None] * own  # with respect to r(n−1)
            for l in range(end - 2, -1, -1):
                start = max(l + 1, first) - first
                g = G[l, start : end - first]
                np.multiply(rows_back[start:], F[l, m:], out=g)
                rows_back[start:] = (g.reshape(-1, R) @ recurrent).reshape(-1, m, R)
            for n in range(max(first, 1), end):
                past = G[:n, n - first]
                np.matmul(past.transpose(1, 2, 0), U[:n], out=rows.weights[n, :, m:])
                rows.biases[n, :, m:] = past.sum(axis=0)
        return rows.array

    return call


def blocked(W, b, x, d, m):
    """nnjobs' own strategy in NumPy: adjoint within blocks of time, S carried over their edges."""
    T, nx = x.shape
    R, columns = len(W) - m, W.shape[1]
    h = min(T, max(1, round(R * np.sqrt(2 / m))))
    rows = Rows(T, m, R, columns)
    own, recurrent = np.ascontiguousarray(W[:m, nx:]), np.ascontiguousarray(W[m:, nx:])
    G, Gr = np.zeros((h, h, m, R)), np.zeros((h, R, R))

    def call():
        _, F, U = trajectory(W, b, x, m)
        rows.add_own(F, U, m)
        SW, Sb = np.zeros((R, R * columns)), np.zeros((R, R))
        for first in range(0, T, h):
            end = min(first + h, T)
            H = end - first
            back = F[first:end, :m, None] * own
            for l in range(H - 2, -1, -1):
                np.multiply(back[l + 1 :], F[first + l, m:], out=G[l, l + 1 : H])
                back[l + 1 :] = (G[l, l + 1 : H].reshape(-1, R) @ recurrent).reshape(-1, m, R)
            edge = back.reshape(-1, R)
            if first:
                rows.weights[first:end, :, m:] = (edge @ SW).reshape(H, m, R, columns)
                rows.biases[first:end, :, m:] = (edge @ Sb).reshape(H, m, R)
            for n in range(1, H):
                past = G[:n, n]
                product = (past.reshape(n, m * R).T @ U[first : first + n]).reshape(m, R, columns)
                if first:
                    rows.weights[first + n, :, m:] += product
                    rows.biases[first + n, :, m:] += past.sum(axis=0)
                else:
                    rows.weights[n, :, m:] = product
                    rows.biases[n, :, m:] = past.sum(axis=0)
            if end < T:
                state = np.eye(R)
                for l in range(H - 1, -1, -1):
                    np.multiply(state, F[first + l, m:], out=Gr[l])
                    state = Gr[l] @ recurrent
                fresh = (Gr[:H].reshape(H, R * R).T @ U[first:end]).reshape(R, R * columns)
                SW, Sb = fresh + state @ SW, Gr[:H].sum(axis=0) + state @ Sb
        return rows.array

    return call


def sweep(W, b, x, d, m):
    """∂E/∂w by one reverse sweep."""
    T, nx = x.shape
    recurrent, D = np.ascontiguousarray(W[:, nx:]), np.empty((T, len(W)))

    def call():
        Z, F, U = trajectory(W, b, x, m)
        D[:, :m] = Z[:, :m] - d
        g = np.zeros(len(W) - m)
        for n in range(T - 1, -1, -1):
            row = D[n]
            row[m:] = g
            row *= F[n]
            g = row @ recurrent
        return np.concatenate([(D.T @ U).ravel(), D.sum(axis=0)])

    return call


def last(W, b, x, d, m):
    """∂y(T)/∂w by one reverse sweep of m rows."""
    T, nx = x.shape
    R, columns = len(W) - m, W.shape[1]
    own, recurrent = np.ascontiguousarray(W[:m, nx:]), np.ascontiguousarray(W[m:, nx:])
    rows, G = Rows(1, m, R, columns), np.empty((T - 1, m, R))

    def call():
        _, F, U = trajectory(W, b, x, m)
        rows.add_own(F[-1:], U[-1:], m)
        back = F[-1, :m, None] * own
        for l in range(T - 2, -1, -1):
            np.multiply(back, F[l, m:], out=G[l])
            back = G[l] @ recurrent
        rows.weights[0, :, m:] = (G.reshape(T - 1, m * R).T @ U[:-1]).reshape(m, R, columns)
        rows.biases[0, :, m:] = G.sum(axis=0)
        return rows.array[0]

    return call


PROGRAMS = {
    "all": {"forward": forward, "adjoint": adjoint, "blocked": blocked},
    "loss": {"by hand": sweep},
    "last": {"by hand": last},
}


def build(workload, program, data):
    """A call, and what makes its result the engine's layout."""
    return PROGRAMS[workload.wanted][program](*data, workload.outputs), lambda result: [result]
