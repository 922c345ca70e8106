"""Memory-augmented network: an LSTM controller with an external matrix, addressed by content and by location.

The neural Turing machine of Graves et al. 2014, arXiv:1410.5401.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from dqngui.catalog.memories import MannOptions
from dqngui.nets.memory.addressing import BLANK, Content, Controller, Heads, inverse_length, plus_outer, softmax_back
from dqngui.nets.memory.contract import Memory, State, StateView
from dqngui.nets.record import Record, ViewSpec

_TINY = 1e-20


class MANN(Memory):
    """The MANN: heads address slots by the old matrix, write heads change the matrix, read heads read the new one.

    State: hidden (B, D), cell (B, D), matrix (B, N, M), weights of read and then write heads over the slots (B, H, N).
    At an episode's start every head is at slot 0.
    """

    def __init__(self, *, width: int, options: MannOptions) -> None:
        super().__init__()
        self.width, self.slots, self.units = width, options.slots, options.slot_width
        reach = min(options.shift, (options.slots - 1) // 2)  # a farther shift would reach the same slots again
        self.layout = MannInterface(options.read_heads, options.write_heads, options.slot_width, 2 * reach + 1)
        self.controller = Controller(
            width=width,
            read=options.read_heads * options.slot_width,
            interface_size=sum(self.layout.sizes),
            chrono=options.chrono,
        )

    def initial_state(self, batch: int) -> State:
        hidden, cell = self.controller.initial_state(batch)
        weights = hidden.new_zeros(batch, self.layout.heads, self.slots)
        weights[..., 0] = 1.0
        return hidden, cell, hidden.new_full((batch, self.slots, self.units), BLANK), weights

    def state_views(self) -> Mapping[str, StateView]:
        return {"memory/matrix": StateView((2,)), "memory/hidden": StateView((0,)), "memory/cell": StateView((1,))}

    def views(self) -> tuple[ViewSpec, ...]:
        return (
            ViewSpec("memory/matrix", ("slot", "unit"), signed=True),
            ViewSpec("memory/read", ("head", "slot"), weights=True),
            ViewSpec("memory/write", ("head", "slot"), weights=True),
            ViewSpec("memory/hidden", ("unit",), signed=True),
            ViewSpec("memory/cell", ("unit",), signed=True),
        )

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        state = state or self.initial_state(x.shape[1])
        readers = self.layout.readers
        matrix, weights = state[2:]
        kept: list[State] | None = None if record is None else []
        heads = partial(TuringHeads, layout=self.layout, record=record)
        y, hidden, state = self.controller.unroll(x, state, weights[:, :readers] @ matrix, heads, kept)
        if record is not None and kept is not None:
            cells, matrices, addresses = (torch.stack(rows) for rows in zip(*kept, strict=True))
            shown = (matrices, addresses[:, :, :readers], addresses[:, :, readers:], hidden, cells)
            for spec, value in zip(self.views(), shown, strict=True):
                record.add(spec.name, value)
        return y, state


@dataclass(frozen=True, slots=True)
class MannInterface:
    """The layout of the controller's interface vector for the heads in one step.

    In this order: keys (H, M), strength β and sharpness γ (2, H), interpolation gate (H), erase (W, M), shift (H, S),
    add (W, M). Shift j of S moves a head (S − 1)/2 − j slots up.
    """

    readers: int
    writers: int
    units: int
    shifts: int

    @property
    def heads(self) -> int:
        return self.readers + self.writers

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of numbers of each part."""
        H, change = self.heads, self.writers * self.units
        return H * self.units, 2 * H, H, change, H * self.shifts, change


class TuringHeads(Heads):
    """The heads of equations 2–9 of the paper, forward and backward, all heads at once."""

    def __init__(
        self, interface: Tensor, reads: Tensor, keep: bool, layout: MannInterface, record: Record | None = None
    ) -> None:
        super().__init__(interface, reads, keep)
        self.layout, self.record = layout, record
        self.parts = self._parts(interface)
        self.steps: list[tuple[Tensor, ...]] = []
        self.contents: list[Content] = []
        self.erased: list[list[tuple[Tensor, Tensor]]] = []

    def _parts(self, interface: Tensor) -> list[tuple[Tensor, ...]]:
        """Views of the parts of every step's interface.

        Keys, positive, squashed (gate and erase together), gate, erase, shift, add.
        """
        W, H, M = self.layout.writers, self.layout.heads, self.layout.units
        keys, positive, gate, erase, shift, add = interface.split(self.layout.sizes, dim=-1)
        first = keys.shape[-1] + positive.shape[-1]
        parts = (
            keys.unflatten(-1, (H, M)),
            positive.unflatten(-1, (2, H)),
            interface[..., first : first + H + W * M],
            gate.unsqueeze(-1),
            erase.unflatten(-1, (W, M)),
            shift.unflatten(-1, (H, -1)),
            add.unflatten(-1, (W, M)),
        )
        return list(zip(*(part.unbind(0) for part in parts), strict=True))

    def step(self, t: int, state: State) -> State:
        matrix, old = state
        keys, positive, squashed, gate, erase, shift_in, add = self.parts[t]
        R = self.layout.readers
        strength, sharpness = F.softplus(positive).unsqueeze(-1).unbind(1)  # (B, H, 1); γ = 1 + sharpness
        squashed.sigmoid_()
        shift = torch.softmax(shift_in, dim=-1)
        content = Content(keys, strength, matrix, inverse_length(matrix))
        change = content.weights - old
        wide = self._around(torch.addcmul(old, gate, change))
        moved = self._moved(wide, shift).add_(_TINY)
        logs = moved.log()
        weights = torch.softmax(torch.addcmul(logs, sharpness, logs), dim=-1)
        if self.record is not None:
            weights = self._changed(self.record, weights)
        write, erased, after = weights[:, R:], [], matrix
        for w, e in zip(write.unsqueeze(-1).unbind(1), erase.unsqueeze(2).unbind(1), strict=True):
            share = w * e  # (B, N, M)
            erased.append((after, share))
            after = torch.addcmul(after, after, share, value=-1)
        after = plus_outer(after, write, add)
        torch.bmm(weights[:, :R], after, out=self.reads[t])
        if self.keep:
            self.erased.append(erased)
            self.contents.append(content)
            self.steps.append((sharpness, shift, change, wide, moved, logs, weights, after))
        return after, weights

    def _changed(self, record: Record, weights: Tensor) -> Tensor:
        parts = self.layout.readers, self.layout.writers
        read, write = weights.split(parts, dim=1)
        changed = record.changed("memory/read", read), record.changed("memory/write", write)
        return weights if changed[0] is read and changed[1] is write else torch.cat(changed, dim=1)

    def _around(self, weights: Tensor) -> Tensor:
        """Circular padding (B, H, N) -> (B, H, N + S − 1): the last slots come before the first, the first after the
        last.
        """
        reach = self.layout.shifts // 2
        return torch.cat([weights[..., -reach:], weights, weights[..., :reach]], dim=-1) if reach else weights

    def _moved(self, wide: Tensor, shift: Tensor) -> Tensor:
        """Circular convolution of what `_around` gave with shift (B, H, S) -> (B, H, N)."""
        slots = wide.shape[-1] - self.layout.shifts + 1
        moved = wide[..., :slots] * shift[..., :1]
        for j in range(1, self.layout.shifts):
            moved.addcmul_(wide[..., j : j + slots], shift[..., j : j + 1])
        return moved

    def start_back(self) -> Tensor:
        self.d_interface = torch.empty_like(self.interface)
        self.d_parts = self._parts(self.d_interface)
        sizes = self.layout.sizes
        local = torch.ones_like(self.interface)
        _, positive, gate, erase, _, _ = local.split(sizes, dim=-1)
        _, raw, opened, wiped, _, _ = self.interface.split(sizes, dim=-1)
        positive.copy_(raw.sigmoid())
        gate.copy_(opened - opened.square())
        erase.copy_(wiped.square() - wiped)  # erasing reduces
        self.local = local.unbind(0)
        self.flipped = torch.stack([step[1] for step in self.steps]).flip(-1).unbind(0)
        self.d_rows = self.d_interface.unbind(0)
        return self.d_interface

    def back(self, t: int, grads: State, d_read: Tensor) -> State:
        d_matrix, d_weights = grads
        d_keys, d_positive, _, d_gate, d_erase, d_shift, d_add = self.d_parts[t]
        _, _, _, gate, erase, _, add = self.parts[t]
        sharpness, shift, change, wide, moved, logs, weights, after = self.steps[t]
        R = self.layout.readers
        write = weights[:, R:]
        d_matrix = plus_outer(d_matrix, weights[:, :R], d_read)
        torch.bmm(write, d_matrix, out=d_add)
        d_write = torch.baddbmm(d_weights[:, R:], add, d_matrix.transpose(1, 2))
        for h in range(self.layout.writers - 1, -1, -1):
            before, share = self.erased[t][h]
            lost = d_matrix * before  # (B, N, M)
            d_write[:, h : h + 1].baddbmm_(erase[:, h : h + 1], lost.transpose(1, 2), alpha=-1)
            torch.bmm(write[:, h : h + 1], lost, out=d_erase[:, h : h + 1])
            d_matrix = torch.addcmul(d_matrix, d_matrix, share, value=-1)
        d_read_weights = torch.baddbmm(d_weights[:, :R], d_read, after.transpose(1, 2))
        d_sharp = softmax_back(torch.cat([d_read_weights, d_write], dim=1), weights)
        torch.sum(d_sharp * logs, dim=-1, out=d_positive[:, 1])
        d_moved = torch.addcmul(d_sharp, sharpness, d_sharp).div_(moved)
        slots = moved.shape[-1]
        for j in range(self.layout.shifts):
            torch.sum(d_moved * wide[..., j : j + slots], dim=-1, out=d_shift[..., j])
        d_shift.copy_(softmax_back(d_shift, shift))
        d_mixed = self._moved(self._around(d_moved), self.flipped[t])
        torch.sum(d_mixed * change, dim=-1, keepdim=True, out=d_gate)
        d_content = d_mixed * gate
        d_matrix = self.contents[t].back(d_content, d_keys, d_positive[:, 0].unsqueeze(-1), d_matrix)
        self.d_rows[t].mul_(self.local[t])
        return d_matrix, d_mixed.sub_(d_content)
