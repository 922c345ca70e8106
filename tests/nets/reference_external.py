"""Slow references of the external memories: one episode, one step, one head and one slot at a time, in float64.

Written from the papers' equations (Graves et al. 2014, arXiv:1410.5401; Graves et al. 2016, Nature 538, Methods), not
from the code they check. Parameters come by name; the controller is a plain LSTM.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EPSILON = 1e-3  # in the lengths of the cosine
BLANK = 1e-2  # every entry of the matrix at an episode's start
LEAST_USE = 1e-6
HANDICAP = 1e-5  # of a slot against the one before it, among those that are used alike


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softplus(x: Any) -> Any:
    return np.log1p(np.exp(x))


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max())
    return e / e.sum()


def cosine(a: Array, b: Array) -> float:
    return float(a @ b / np.sqrt((a @ a + EPSILON) * (b @ b + EPSILON)))


def by_content(key: Array, strength: float, matrix: Array) -> Array:
    return softmax(np.array([strength * cosine(key, row) for row in matrix]))


class InterfaceVector:
    """The controller's interface vector of one step, read part by part."""

    def __init__(self, said: Array) -> None:
        self.said, self.at = said, 0

    def take(self, *shape: int) -> Array:
        count = int(np.prod(shape))
        self.at += count
        return self.said[self.at - count : self.at].reshape(shape)


class Controller:
    """An LSTM whose input at each step is what `x` brings and what was read a step before."""

    def __init__(self, parameters: dict[str, Array]) -> None:
        self.p = parameters
        self.D = parameters["controller.answer.bias"].shape[0]
        self.h, self.c = np.zeros(self.D), np.zeros(self.D)

    def ask(self, x: Array, reads: Array) -> InterfaceVector:
        p, D = self.p, self.D
        recur = p["controller.recur"]
        z = p["controller.drive.weight"] @ x + p["controller.drive.bias"] + recur @ np.concatenate([self.h, reads])
        o, i, f, g = (z[k * D : (k + 1) * D] for k in range(4))
        self.c = sigmoid(f) * self.c + sigmoid(i) * np.tanh(g)
        self.h = sigmoid(o) * np.tanh(self.c)
        return InterfaceVector(p["controller.ask.weight"] @ self.h + p["controller.ask.bias"])

    def answer(self, reads: Array) -> Array:
        p = self.p
        return p["controller.answer.weight"] @ np.concatenate([self.h, reads]) + p["controller.answer.bias"]


def mann(
    parameters: dict[str, Array], x: Array, *, slots: int, units: int, readers: int, writers: int, shift: int
) -> tuple[Array, dict[str, Array]]:
    """x (T, D) -> y (T, D), and matrix, weights of every step."""
    controller = Controller(parameters)
    H, S = readers + writers, 2 * shift + 1
    M = np.full((slots, units), BLANK)
    w = np.zeros((H, slots))
    w[:, 0] = 1
    reads = (w[:readers] @ M).ravel()
    y, kept = [], {"matrix": [], "weights": []}
    for step in x:
        interface = controller.ask(step, reads)
        k, beta, gamma = interface.take(H, units), softplus(interface.take(H)), 1 + softplus(interface.take(H))
        g, e = sigmoid(interface.take(H)), sigmoid(interface.take(writers, units))
        s, a = interface.take(H, S), interface.take(writers, units)
        new = np.zeros_like(w)
        for h in range(H):
            content = by_content(k[h], beta[h], M)  # (5), (6)
            gated = g[h] * content + (1 - g[h]) * w[h]  # (7)
            moves = softmax(s[h])
            moved = np.zeros(slots)
            for i in range(slots):
                for j in range(S):  # (8): entry j is a move by shift − j
                    moved[(i + shift - j) % slots] += gated[i] * moves[j]
            sharp = moved ** gamma[h]  # (9)
            new[h] = sharp / sharp.sum()
        w = new
        M = M.copy()
        for h in range(writers):  # (3)
            for i in range(slots):
                M[i] = M[i] * (1 - w[readers + h, i] * e[h])
        for h in range(writers):  # (4)
            for i in range(slots):
                M[i] = M[i] + w[readers + h, i] * a[h]
        reads = np.concatenate([sum(w[h, i] * M[i] for i in range(slots)) for h in range(readers)])  # (2)
        y.append(controller.answer(reads))
        kept["matrix"].append(M)
        kept["weights"].append(w)
    return np.stack(y), {name: np.stack(rows) for name, rows in kept.items()}


def allocation(usage: Array) -> Array:
    """(1): the free list by rising usage."""
    u = usage * (1 - LEAST_USE) + LEAST_USE
    a, product = np.zeros_like(u), 1.0
    for slot in np.argsort(usage + HANDICAP * np.arange(len(u))):
        a[slot] = (1 - u[slot]) * product
        product *= u[slot]
    return a


def dnc(
    parameters: dict[str, Array], x: Array, *, slots: int, units: int, readers: int
) -> tuple[Array, dict[str, Array]]:
    """x (T, D) -> y (T, D), and matrix, usage, link, precedence, read and write weights of every step."""
    controller = Controller(parameters)
    N, R = slots, readers
    M, u, p = np.full((N, units), BLANK), np.zeros(N), np.zeros(N)
    L, wr, ww = np.zeros((N, N)), np.zeros((R, N)), np.zeros(N)
    reads = np.zeros(R * units)
    y: list[Array] = []
    kept: dict[str, list[Array]] = {name: [] for name in ("matrix", "usage", "link", "precedence", "read", "write")}
    for step in x:
        interface = controller.ask(step, reads)
        k, beta = interface.take(R + 1, units), 1 + softplus(interface.take(R + 1))
        f, ga, gw = sigmoid(interface.take(R)), sigmoid(interface.take(1)[0]), sigmoid(interface.take(1)[0])
        e, modes, v = sigmoid(interface.take(units)), interface.take(R, 3), interface.take(units)
        retained = np.ones(N)
        for r in range(R):
            retained *= 1 - f[r] * wr[r]
        u = (u + ww - u * ww) * retained
        ww = gw * (ga * allocation(u) + (1 - ga) * by_content(k[R], beta[R], M))
        M = M * (1 - np.outer(ww, e)) + np.outer(ww, v)
        new = np.zeros((N, N))
        for i in range(N):
            for j in range(N):
                if i != j:
                    new[i, j] = (1 - ww[i] - ww[j]) * L[i, j] + ww[i] * p[j]
        L = new
        p = (1 - ww.sum()) * p + ww
        before, wr = wr, np.zeros((R, N))
        for r in range(R):
            backward, content, forward = softmax(modes[r])
            wr[r] = backward * (L.T @ before[r]) + content * by_content(k[r], beta[r], M) + forward * (L @ before[r])
        reads = np.concatenate([M.T @ wr[r] for r in range(R)])
        y.append(controller.answer(reads))
        for name, value in (("matrix", M), ("usage", u), ("link", L), ("precedence", p), ("read", wr), ("write", ww)):
            kept[name].append(value)
    return np.stack(y), {name: np.stack(rows) for name, rows in kept.items()}
