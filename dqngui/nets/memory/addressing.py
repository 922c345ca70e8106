"""Common parts of the memories with an external matrix: an LSTM controller, and addressing by cosine similarity.

Such a memory is a loop over time of many small operations, whose cost is mostly that of calling them. So the loop and
its gradient are written by hand: there is no autograd graph, and everything that does not depend on the recurrence
(products of the input, local derivatives, gradients of weights) is one operation over the whole window.
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
"""Added to squared lengths, so that the cosine of an almost empty slot stays finite and its gradient small."""

BLANK = 1e-2
"""Every entry of a matrix at an episode's start.

A constant works better than random values (Collier & Beel 2018, arXiv:1807.08518), and a learned one would never be
trained, since replay starts from stored states.
"""


class Heads:
    """Base of the heads of one window: driven by the controller's interface, they change the state
    (matrix, weights, …).

    Args:
        interface: the controller's output for the heads at every step, (T, B, P); in `step` the heads may overwrite
            that of the step with activated values.
        reads: where to write what was read, (T, B, R, M).
        keep: `back` will be called.
    """

    def __init__(self, interface: Tensor, reads: Tensor, keep: bool) -> None:
        self.interface, self.keep = interface, keep
        self.reads = reads.unbind(0)

    def step(self, t: int, state: State) -> State:
        """The state after step t; writes `reads[t]`."""
        raise NotImplementedError

    def start_back(self) -> Tensor:
        """Prepare for `back`; returns the tensor into which it writes the gradients of `interface`, (T, B, P)."""
        raise NotImplementedError

    def back(self, t: int, grads: State, d_read: Tensor) -> State:
        """Gradients of the state before step t, from those of the state after it and of what was read (B, R, M)."""
        raise NotImplementedError


class Controller(nn.Module):
    """An LSTM cell whose inputs are x and what the heads read a step before; it drives the heads and gives the output
    y.

    Args:
        width: D, of input, hidden state and output.
        read: number of numbers that are read in a step, R·M.
        interface_size: number of numbers P that drive the heads in a step.
        chrono: horizon of chrono initialisation; 0: none.
    """

    def __init__(self, *, width: int, read: int, interface_size: int, chrono: int) -> None:
        super().__init__()
        self.width, self.chrono = width, chrono
        self.drive = nn.Linear(width, 4 * width)
        self.recur = nn.Parameter(torch.empty(4 * width, width + read))
        self.ask = nn.Linear(width, interface_size)
        self.answer = nn.Linear(width + read, width)

    def initialise(self, generator: Generator) -> None:
        """Initialise after the children; the gates are in the order output, input, forget, cell."""
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
        """Run over a window x (T, B, D), from a state (hidden, cell, and the heads' own) and the last read (B, R, M).

        Returns y (T, B, D), the hidden states (T, B, D) and the next state. The cell (B, D) and the heads' states after
        each step are appended to `kept`.
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
    """The controller's tensors in a window, for its forward and backward pass.

    gates (T, B, 4, D), cells (T + 1, B, D), and seen (T + 1, B, D + R·M): the hidden state and what was read. Row t + 1
    is after step t.
    """

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
        """Backward pass, from the gradients of seen, of the last cell and of the heads' last state.

        Returns the gradients of the gates (T, B, 4, D), of the first seen (B, D + R·M), of the first cell and of the
        heads' first state.
        """
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
        # Aliases of the outputs: a node that kept its own output would never be freed.
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


def inverse_length(x: Tensor) -> Tensor:
    """1 / length of the vectors along the last axis, (..., 1): the factor in a cosine."""
    return (x * x).sum(-1, keepdim=True).add_(EPSILON).rsqrt_()


class Content:
    """Addressing by content: the softmax over slots of strength · cosine, and its gradient.

    keys (B, H, M), strength (B, H, 1), matrix (B, N, M) and its `inverse_length` give `weights` (B, H, N).
    """

    __slots__ = ("dots", "factor", "inverse_length", "keys", "matrix", "near", "strength", "weights")

    def __init__(self, keys: Tensor, strength: Tensor, matrix: Tensor, factor: Tensor) -> None:
        self.keys, self.strength, self.matrix, self.factor = keys, strength, matrix, factor.transpose(1, 2)
        self.inverse_length = inverse_length(keys)
        self.dots = torch.bmm(keys, matrix.transpose(1, 2))
        self.near = self.dots * self.factor
        self.weights = torch.softmax(self.near * (self.inverse_length * strength), dim=-1)

    def back(self, grad: Tensor, d_keys: Tensor, d_strength: Tensor, d_matrix: Tensor) -> Tensor:
        """From the gradient of the weights: writes those of keys and strength, and returns d_matrix plus that of the
        matrix.

        The factor (Σx² + ε)^−½ has the gradient −x · factor³.
        """
        score = softmax_back(grad, self.weights)
        d_scale = (score * self.near).sum(-1, keepdim=True)
        torch.mul(d_scale, self.inverse_length, out=d_strength)
        d_near = score * (self.inverse_length * self.strength)
        d_dots = d_near * self.factor
        pull = d_scale * self.strength * self.inverse_length.pow(3)
        torch.bmm(d_dots, self.matrix, out=d_keys)
        d_keys.addcmul_(self.keys, pull, value=-1)
        pull = (d_near * self.dots).sum(1, keepdim=True) * self.factor.pow(3)
        d_matrix = torch.addcmul(d_matrix, self.matrix, pull.transpose(1, 2), value=-1)
        return plus_outer(d_matrix, d_dots, self.keys)


def plus_outer(base: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """base (B, N, M) + Σ_h rows (B, H, N) × columns (B, H, M); for few heads faster than a matrix product."""
    for row, column in zip(rows.unsqueeze(-1).unbind(1), columns.unsqueeze(2).unbind(1), strict=True):
        base = torch.addcmul(base, row, column)
    return base


def softmax_back(grad: Tensor, shares: Tensor) -> Tensor:
    """Gradient of the input of a softmax over the last axis, from that of its output `shares`."""
    return torch._softmax_backward_data(grad, shares, -1, shares.dtype)
