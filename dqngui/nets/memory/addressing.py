"""What memories with an external matrix share: an LSTM controller unrolled over a window, and cosines.

Such a memory is a loop over time of many small operations, whose cost is the calling of them. So the loop and its
gradient are written by hand: no graph is kept, everything that does not depend on the recurrence (the input's
products, local derivatives, the gradients of weights) is one operation over the whole window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.autograd.function import once_differentiable

from dqngui.nets.initialise import chrono_bias
from dqngui.nets.memory.contract import State

EPSILON = 1e-3
"""Added to squared lengths: keeps the cosine of a slot that holds next to nothing finite, and its gradient small."""

BLANK = 1e-2
"""Every entry of a matrix at an episode's start.

A constant does better than random values (Collier & Beel 2018, arXiv:1807.08518), and a learned one would never be
trained: replay hands over stored states.
"""


class Heads:
    """The heads of one window: they read the controller's words and change the state (matrix, weights, ...).

    Args:
        asked: what the controller says at every step, (T, B, P); heads may overwrite a step of it with activated
            values once they have been asked.
        reads: where to put what was read, (T, B, R, M).
        keep: `back` will be called.
    """

    def __init__(self, interface: Tensor, reads: Tensor, keep: bool) -> None:
        self.interface, self.keep = interface, keep
        self.reads = reads.unbind(0)

    def step(self, t: int, state: State) -> State:
        """The state after step t; writes `reads[t]`."""
        raise NotImplementedError

    def start_back(self) -> Tensor:
        """Get ready for `back`; returns where it puts the gradients of `interface`, (T, B, P)."""
        raise NotImplementedError

    def back(self, t: int, grads: State, d_read: Tensor) -> State:
        """Gradients of the state before step t from those behind it and of what was read (B, R, M)."""
        raise NotImplementedError


class Controller(nn.Module):
    """LSTM cell driven by the input and by what was read a step before; asks the heads, and answers with y.

    Args:
        width: D, of input, hidden state and output.
        read: how many numbers are read in a step, R·M.
        words: how many numbers P it says to the heads in a step.
        chrono: horizon of chrono initialisation, 0 for none.
    """

    def __init__(self, *, width: int, read: int, interface_size: int, chrono: int) -> None:
        super().__init__()
        self.width, self.chrono = width, chrono
        self.drive = nn.Linear(width, 4 * width)
        self.recur = nn.Parameter(torch.empty(4 * width, width + read))
        self.ask = nn.Linear(width, interface_size)
        self.answer = nn.Linear(width + read, width)

    def initialise(self, generator: Generator) -> None:
        """Called after the children's own. The gates' order is output, input, forget, cell."""
        D = self.width
        bound = 1 / math.sqrt(self.recur.shape[1])
        nn.init.uniform_(self.recur, -bound, bound, generator=generator)
        if self.chrono > 1:
            horizon = chrono_bias(D, self.chrono, generator)
            with torch.no_grad():
                self.drive.bias.zero_()
                self.drive.bias[D : 2 * D] = -horizon
                self.drive.bias[2 * D : 3 * D] = horizon

    def initial_state(self, batch: int) -> State:
        """Hidden and cell (B, D)."""
        zeros = self.recur.new_zeros(batch, self.width)
        return zeros, zeros.clone()

    def unroll(
        self, x: Tensor, state: State, read: Tensor, heads: Callable[..., Heads], kept: list[State] | None
    ) -> tuple[Tensor, Tensor, State]:
        """Over a window x (T, B, D) from a state (hidden, cell, and the heads' own) and the last step's read (B, R, M).

        Returns y (T, B, D), the hidden states (T, B, D) and the next state; the cell (B, D) and the heads' states after
        every step go to `kept`.
        """
        seen, cell, *own = _Unrolled.apply(
            partial(heads, keep=torch.is_grad_enabled()),
            kept,
            self.drive(x),
            self.recur,
            self.ask.weight,
            self.ask.bias,
            read,
            *state,
        )
        hidden = seen[..., : self.width]
        return self.answer(seen), hidden, (hidden[-1], cell, *own)


class _Loop:
    """The controller's part of a window: gates (T, B, 4, D), cells (T + 1, B, D), and seen (T + 1, B, D + R·M), the
    hidden state and what was read; row t + 1 is behind step t."""

    def __init__(self, driven: Tensor, recur: Tensor, ask: Tensor, bias: Tensor, read: Tensor, state: State) -> None:
        hidden, cell = state[:2]
        T, B, D = len(driven), *hidden.shape
        self.recur, self.ask = recur, ask
        self.gates = driven.new_empty(T, B, 4, D)
        self.cells, self.tanh = driven.new_empty(T + 1, B, D), driven.new_empty(T, B, D)
        self.seen = driven.new_empty(T + 1, B, recur.shape[1])
        self.interface = driven.new_empty(T, B, len(bias))
        self.cells[0] = cell
        self.seen[0, :, :D] = hidden
        self.seen[0, :, D:] = read.flatten(1)
        self.reads = self.seen[1:, :, D:].unflatten(-1, read.shape[1:])

    def run(self, driven: Tensor, bias: Tensor, heads: Heads, state: State, kept: list[State] | None) -> State:
        D = self.cells.shape[-1]
        recur, ask = self.recur.T, self.ask.T
        flat = self.gates.flatten(2)
        rows = zip(
            driven.unbind(0),
            self.seen.unbind(0),
            flat.unbind(0),
            flat[..., : 3 * D].unbind(0),
            *(gate.unbind(0) for gate in self.gates.unbind(2)),
            self.cells.unbind(0),
            self.cells[1:].unbind(0),
            self.tanh.unbind(0),
            self.seen[1:, :, :D].unbind(0),
            self.interface.unbind(0),
            strict=False,
        )
        for t, (drive, seen, gates, squashed, o, i, f, g, cell, after, tanh, hidden, interface) in enumerate(rows):
            torch.addmm(drive, seen, recur, out=gates)
            squashed.sigmoid_()
            g.tanh_()
            torch.mul(f, cell, out=after).addcmul_(i, g)
            torch.mul(o, torch.tanh(after, out=tanh), out=hidden)
            torch.addmm(bias, hidden, ask, out=interface)
            state = heads.step(t, state)
            if kept is not None:
                kept.append((after, *state))
        return state

    def back(self, d_seen: Tensor, d_cell: Tensor, grads: State, heads: Heads) -> tuple[Tensor, Tensor, Tensor, State]:
        """From the gradients of seen, the last cell and the heads' state: those of the gates (T, B, 4, D), of the
        first seen (B, D + R·M), of the first cell and of the heads' first state."""
        D = self.cells.shape[-1]
        o, i, f, g = self.gates.unbind(2)
        local = torch.stack([self.tanh * o * (1 - o), g * i * (1 - i), self.cells[:-1] * f * (1 - f), i - i * g * g], 2)
        d_gates = torch.empty_like(local)
        rows = zip(
            heads.start_back().unbind(0),
            (o - o * self.tanh.square()).unbind(0),
            local[:, :, 0].unbind(0),
            local[:, :, 1:].unbind(0),
            f.unbind(0),
            d_gates[:, :, 0].unbind(0),
            d_gates[:, :, 1:].unbind(0),
            d_gates.flatten(2).unbind(0),
            (None, *d_seen.unbind(0)[:-1]),
            strict=True,
        )
        later, d_cell = d_seen[-1], d_cell.clone()
        read_shape = self.reads.shape[2:]
        for t, (d_interface, through, by_o, by_cell, forget, d_o, d_rest, d_all, before) in reversed(
            list(enumerate(rows))
        ):
            grads = heads.back(t, grads, later[:, D:].unflatten(1, read_shape))
            d_hidden = torch.addmm(later[:, :D], d_interface, self.ask)
            d_cell.addcmul_(d_hidden, through)
            torch.mul(d_hidden, by_o, out=d_o)
            torch.mul(d_cell.unsqueeze(1), by_cell, out=d_rest)
            d_cell.mul_(forget)
            later = d_all @ self.recur if before is None else torch.addmm(before, d_all, self.recur)
        return d_gates, later, d_cell, grads


class _Unrolled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        make: Callable[[Tensor, Tensor], Heads],
        kept: list[State] | None,
        driven: Tensor,
        recur: Tensor,
        ask: Tensor,
        bias: Tensor,
        read: Tensor,
        *state: Tensor,
    ) -> tuple[Tensor, ...]:
        loop = _Loop(driven, recur, ask, bias, read, state)
        heads = make(loop.interface, loop.reads)
        last = loop.run(driven, bias, heads, state[2:], kept)
        if heads.keep:
            ctx.loop, ctx.heads = loop, heads
        # Aliases: an output that its own node kept would never be freed.
        return loop.seen[1:], loop.cells[-1].clone(), *(part.detach() for part in last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_seen: Tensor, d_cell: Tensor, *grads: Tensor) -> tuple[Tensor | None, ...]:
        loop, heads = ctx.loop, ctx.heads
        D = loop.cells.shape[-1]
        d_gates, d_first, d_cell, first = loop.back(d_seen, d_cell, grads, heads)
        d_driven = d_gates.flatten(2)
        d_interface = heads.d_interface.flatten(0, 1)
        d_recur = d_driven.flatten(0, 1).T @ loop.seen[:-1].flatten(0, 1)
        d_ask = d_interface.T @ loop.seen[1:, :, :D].flatten(0, 1)
        d_read = d_first[:, D:].unflatten(1, loop.reads.shape[2:])
        return None, None, d_driven, d_recur, d_ask, d_interface.sum(0), d_read, d_first[:, :D], d_cell, *first


def shortening(x: Tensor) -> Tensor:
    """1 / length of vectors along the last axis, (..., 1), as a cosine divides by it."""
    return (x * x).sum(-1, keepdim=True).add_(EPSILON).rsqrt_()


class Content:
    """Addressing by content: softmax over slots of strength · cosine, and its gradient.

    keys (B, H, M), strength (B, H, 1), matrix (B, N, M) and its `shortening` give `weights` (B, H, N).
    """

    __slots__ = ("dots", "factor", "keys", "matrix", "near", "shortening", "strength", "weights")

    def __init__(self, keys: Tensor, strength: Tensor, matrix: Tensor, factor: Tensor) -> None:
        self.keys, self.strength, self.matrix, self.factor = keys, strength, matrix, factor.transpose(1, 2)
        self.shortening = shortening(keys)
        self.dots = torch.bmm(keys, matrix.transpose(1, 2))
        self.near = self.dots * self.factor
        self.weights = torch.softmax(self.near * (self.shortening * strength), dim=-1)

    def back(self, grad: Tensor, d_keys: Tensor, d_strength: Tensor, d_matrix: Tensor) -> Tensor:
        """From the gradient of the weights: writes those of keys and strength, returns d_matrix with that of it added.

        A factor (Σx² + ε)^−½ has the gradient −x · factor³.
        """
        score = softmax_back(grad, self.weights)
        d_scale = (score * self.near).sum(-1, keepdim=True)
        torch.mul(d_scale, self.shortening, out=d_strength)
        d_near = score * (self.shortening * self.strength)
        d_dots = d_near * self.factor
        pull = d_scale * self.strength * self.shortening.pow(3)
        torch.bmm(d_dots, self.matrix, out=d_keys)
        d_keys.addcmul_(self.keys, pull, value=-1)
        pull = (d_near * self.dots).sum(1, keepdim=True) * self.factor.pow(3)
        d_matrix = torch.addcmul(d_matrix, self.matrix, pull.transpose(1, 2), value=-1)
        return plus_outer(d_matrix, d_dots, self.keys)


def plus_outer(base: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """base (B, N, M) + Σ_h rows (B, H, N) × columns (B, H, M): for the few heads there are, quicker than a product."""
    for row, column in zip(rows.unsqueeze(-1).unbind(1), columns.unsqueeze(2).unbind(1), strict=True):
        base = torch.addcmul(base, row, column)
    return base


def softmax_back(grad: Tensor, shares: Tensor) -> Tensor:
    """Gradient of what a softmax over the last axis was given."""
    return torch._softmax_backward_data(grad, shares, -1, shares.dtype)
