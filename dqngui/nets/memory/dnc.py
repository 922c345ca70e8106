"""Differentiable neural computer: an external matrix with usage, allocation and links in the order of writing.

Graves et al. 2016, "Hybrid computing using a neural network with dynamic external memory", Nature 538.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from dqngui.catalog.memories import DncOptions
from dqngui.nets.memory.addressing import BLANK, Content, Controller, Heads, inverse_length, plus_outer, softmax_back
from dqngui.nets.memory.contract import Memory, State, StateView
from dqngui.nets.record import Record, ViewSpec

_LEAST_USE = 1e-6
"""Smallest usage in the computation of the allocation, whose gradient divides by the usage."""

_HANDICAP = 1e-5
"""Slots of equal usage are allocated in their order: each counts as used by this much more than the one before.

Slots that were never treated differently have equal usage except for rounding, which must not decide between them.
"""


class DNC(Memory):
    """The DNC: one write head that can take the least used slot, and read heads that can follow the order of writing.

    State: hidden (B, D), cell (B, D), matrix (B, N, M), usage (B, N), link (B, N, N), precedence (B, N), weights of
    the read heads and last the write head over the slots (B, R + 1, N). Weights sum to at most one.
    """

    def __init__(self, *, width: int, options: DncOptions) -> None:
        super().__init__()
        self.width, self.slots, self.units = width, options.slots, options.slot_width
        self.layout = DncInterface(options.read_heads, options.slot_width)
        read = options.read_heads * options.slot_width
        self.controller = Controller(
            width=width, read=read, interface_size=sum(self.layout.sizes), chrono=options.chrono
        )

    def initial_state(self, batch: int) -> State:
        hidden, cell = self.controller.initial_state(batch)
        N = self.slots
        zeros = ((N,), (N, N), (N,), (self.layout.readers + 1, N))
        matrix = hidden.new_full((batch, N, self.units), BLANK)
        return hidden, cell, matrix, *(hidden.new_zeros(batch, *shape) for shape in zeros)

    def state_views(self) -> Mapping[str, StateView]:
        names = ("hidden", "cell", "matrix", "usage", "link", "precedence")
        return {f"memory/{name}": StateView((index,)) for index, name in enumerate(names)}

    def views(self) -> tuple[ViewSpec, ...]:
        return (
            ViewSpec("memory/matrix", ("slot", "unit"), signed=True),
            ViewSpec("memory/usage", ("slot",)),
            ViewSpec("memory/link", ("slot", "slot")),
            ViewSpec("memory/precedence", ("slot",)),
            ViewSpec("memory/read", ("head", "slot"), weights=True),
            ViewSpec("memory/write", ("head", "slot"), weights=True),
            ViewSpec("memory/hidden", ("unit",), signed=True),
            ViewSpec("memory/cell", ("unit",), signed=True),
        )

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        state = state or self.initial_state(x.shape[1])
        readers = self.layout.readers
        kept: list[State] | None = None if record is None else []
        read = state[-1][:, :readers] @ state[2]
        heads = partial(ComputerHeads, layout=self.layout, record=record)
        y, hidden, state = self.controller.unroll(x, state, read, heads, kept)
        if record is not None and kept is not None:
            cells, *shown, weights = (torch.stack(rows) for rows in zip(*kept, strict=True))
            shown += [weights[:, :, :readers], weights[:, :, readers:], hidden, cells]
            for spec, value in zip(self.views(), shown, strict=True):
                record.add(spec.name, value if spec.signed else value.clamp(0.0, 1.0))  # outside by rounding only
        return y, state


@dataclass(frozen=True, slots=True)
class DncInterface:
    """The layout of the controller's interface vector for the heads in one step.

    In this order: keys (R + 1, M), strengths β (R + 1), free gates (R), allocation gate, write gate, erase (M), read
    modes (R, 3: backward, content, forward), write (M).
    """

    readers: int
    units: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of numbers of each part."""
        R, M = self.readers, self.units
        return (R + 1) * M, R + 1, R, 1, 1, M, 3 * R, M


class Allocation:
    """Weights (B, N) of the allocation of the least used slot, and their gradient.

    a[φ_j] = (1 − u[φ_j]) Π_{i<j} u[φ_i] where φ are the slots by rising usage u (plus a handicap that separates equal
    ones): differences of a cumulative product.
    """

    __slots__ = ("order", "products", "sorted", "weights")

    def __init__(self, usage: Tensor, handicap: Tensor) -> None:
        self.order = torch.argsort(usage + handicap, dim=-1, stable=True)
        self.sorted = usage.gather(-1, self.order).mul_(1 - _LEAST_USE).add_(_LEAST_USE)
        self.products = self.sorted.cumprod(-1)
        shares = F.pad(self.products[:, :-1], (1, 0), value=1.0).sub_(self.products)
        self.weights = torch.empty_like(usage).scatter_(-1, self.order, shares)

    def back(self, grad: Tensor) -> Tensor:
        """Gradient of the usage."""
        shares = grad.gather(-1, self.order)
        terms = F.pad(shares[:, 1:], (0, 1)).sub_(shares).mul_(self.products)
        later_sums = terms.flip(-1).cumsum(-1).flip(-1)
        return torch.empty_like(grad).scatter_(-1, self.order, later_sums.div_(self.sorted)).mul_(1 - _LEAST_USE)


class ComputerHeads(Heads):
    """The heads of the paper's Methods section, forward and backward, R read heads at once."""

    def __init__(
        self, interface: Tensor, reads: Tensor, keep: bool, layout: DncInterface, record: Record | None = None
    ) -> None:
        super().__init__(interface, reads, keep)
        self.layout, self.record = layout, record
        self.parts = self._parts(interface)
        self.steps: list[tuple[Tensor, ...]] = []
        self.lookups: list[tuple[Allocation, Content, Content, list[tuple[Tensor, Tensor]]]] = []
        self.links: list[Tensor] = []
        self.factor: Tensor | None = None
        self.handicap: Tensor | None = None

    def _parts(self, interface: Tensor) -> list[tuple[Tensor, ...]]:
        """Views of the parts of every step's interface.

        Keys, strengths, all gates and erase together, free gates, allocation gate, write gate, erase, modes, write.
        """
        R, M = self.layout.readers, self.layout.units
        keys, strength, free, allocate, write, erase, modes, add = interface.split(self.layout.sizes, dim=-1)
        first = keys.shape[-1] + strength.shape[-1]
        parts = (
            keys.unflatten(-1, (R + 1, M)),
            strength.unsqueeze(-1),
            interface[..., first : first + R + 2 + M],
            free.unsqueeze(-1),
            allocate,
            write,
            erase.unsqueeze(-2),
            modes.unflatten(-1, (R, 3)),
            add.unsqueeze(-2),
        )
        return list(zip(*(part.unbind(0) for part in parts), strict=True))

    def step(self, t: int, state: State) -> State:
        matrix, usage, link, precedence, weights = state
        keys, positive, squashed, free, allocate, write_gate, erase, modes_in, add = self.parts[t]
        R = self.layout.readers
        strength = F.softplus(positive).add_(1.0)
        squashed.sigmoid_()
        modes = torch.softmax(modes_in, dim=-1)
        old_read, old_write = weights[:, :R], weights[:, R]
        usage_now, freed = self._used(usage, old_write, free, old_read)
        allocation = Allocation(usage_now, self._handicap(usage_now))
        factor = inverse_length(matrix) if self.factor is None else self.factor
        sought = Content(keys[:, R:], strength[:, R:], matrix, factor)
        place = torch.lerp(sought.weights[:, 0], allocation.weights, allocate)
        write = place * write_gate
        if self.record is not None:
            write = self.record.changed("memory/write", write.unsqueeze(1)).squeeze(1)
        row, column = write.unsqueeze(1), write.unsqueeze(2)
        share = column * erase
        after = torch.addcmul(matrix, matrix, share, value=-1).addcmul_(column, add)
        both = column + row
        link_now = torch.addcmul(link, link, both, value=-1).addcmul_(column, precedence.unsqueeze(1))
        link_now.diagonal(dim1=1, dim2=2).zero_()
        rest = 1 - write.sum(-1, keepdim=True)
        precedence_now = torch.addcmul(write, precedence, rest)
        self.factor = inverse_length(after)
        found = Content(keys[:, :R], strength[:, :R], after, self.factor)
        along = torch.bmm(old_read, link_now.transpose(1, 2))
        ways = torch.stack([torch.bmm(old_read, link_now), found.weights, along], dim=2)  # (B, R, 3, N)
        read = (ways * modes.unsqueeze(-1)).sum(2)
        if self.record is not None:
            read = self.record.changed("memory/read", read)
        torch.bmm(read, after, out=self.reads[t])
        if self.keep:
            self.lookups.append((allocation, sought, found, freed))
            self.steps.append(
                (matrix, usage, link, precedence, weights, modes, place, write, share, both, rest, ways, read, after)
            )
            self.links.append(link_now)
        return after, usage_now, link_now, precedence_now, torch.cat([read, row], dim=1)

    def _handicap(self, usage: Tensor) -> Tensor:
        if self.handicap is None:
            self.handicap = torch.arange(usage.shape[-1], dtype=usage.dtype, device=usage.device) * _HANDICAP
        return self.handicap

    def _used(
        self, usage: Tensor, old_write: Tensor, free: Tensor, old_read: Tensor
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Usage after the last write and after what the read heads free; also the factors of each step of this."""
        usage = torch.addcmul(usage + old_write, usage, old_write, value=-1)
        freed = []
        for gate, weights in zip(free.unbind(1), old_read.unbind(1), strict=True):
            share = gate * weights
            freed.append((usage, share))
            usage = torch.addcmul(usage, usage, share, value=-1)
        return usage, freed

    def start_back(self) -> Tensor:
        self.d_interface = torch.empty_like(self.interface)
        self.d_parts = self._parts(self.d_interface)
        local = torch.ones_like(self.interface)
        _, strength, free, allocate, write, erase, _, _ = zip(
            local.split(self.layout.sizes, dim=-1), self.interface.split(self.layout.sizes, dim=-1), strict=True
        )
        strength[0].copy_(strength[1].sigmoid())
        for slope, gate in (allocate, write):
            slope.copy_(gate - gate.square())
        for slope, gate in (free, erase):  # these reduce
            slope.copy_(gate.square() - gate)
        self.local = local.unbind(0)
        self.d_rows = self.d_interface.unbind(0)
        return self.d_interface

    def back(self, t: int, grads: State, d_read: Tensor) -> State:
        d_after, d_usage, d_link, d_precedence, d_weights = grads
        matrix, usage, link, precedence, weights, modes, place, write, share, both, rest, ways, read, after = (
            self.steps[t]
        )
        allocation, sought, found, freed = self.lookups[t]
        _, _, _, free, allocate, write_gate, erase, _, add = self.parts[t]
        d_keys, d_strength, _, d_free, d_allocate, d_write_gate, d_erase, d_modes, d_add = self.d_parts[t]
        R = self.layout.readers
        old_read, old_write = weights[:, :R], weights[:, R]
        row = write.unsqueeze(1)

        # Reading: by content, and along the links.
        d_after = plus_outer(d_after, read, d_read)
        d_shares = torch.baddbmm(d_weights[:, :R], d_read, after.transpose(1, 2)).unsqueeze(2)
        d_modes.copy_(softmax_back((ways * d_shares).sum(-1), modes))
        d_backward, d_found, d_forward = (d_shares * modes.unsqueeze(-1)).unbind(2)
        d_after = found.back(d_found, d_keys[:, :R], d_strength[:, :R], d_after)
        link_now = self.links[t]
        d_old_read = torch.baddbmm(torch.bmm(d_forward, link_now), d_backward, link_now.transpose(1, 2))
        d_link = plus_outer(plus_outer(d_link, d_forward, old_read), old_read, d_backward)
        d_link.diagonal(dim1=1, dim2=2).zero_()

        # Links and precedence.
        d_write = d_precedence + d_weights[:, R]
        d_write.sub_((d_precedence * precedence).sum(-1, keepdim=True))
        lost = d_link * link
        d_write.sub_(lost.sum(1)).sub_(lost.sum(2))
        d_write.add_(torch.bmm(d_link, precedence.unsqueeze(2)).squeeze(2))
        d_precedence = torch.addcmul(torch.bmm(row, d_link).squeeze(1), d_precedence, rest)
        d_link = torch.addcmul(d_link, d_link, both, value=-1)

        # Writing: where, and what.
        torch.bmm(row, d_after, out=d_add)
        lost = d_after * matrix
        torch.bmm(row, lost, out=d_erase)
        d_write.add_(torch.bmm(add, d_after.transpose(1, 2)).squeeze(1))
        d_write.sub_(torch.bmm(erase, lost.transpose(1, 2)).squeeze(1))
        d_matrix = torch.addcmul(d_after, d_after, share, value=-1)
        torch.sum(d_write * place, dim=-1, keepdim=True, out=d_write_gate)
        d_place = d_write * write_gate
        difference = allocation.weights - sought.weights[:, 0]
        torch.sum(d_place * difference, dim=-1, keepdim=True, out=d_allocate)
        d_allocated = d_place * allocate
        d_matrix = sought.back((d_place - d_allocated).unsqueeze(1), d_keys[:, R:], d_strength[:, R:], d_matrix)

        # Usage.
        d_usage = d_usage + allocation.back(d_allocated)
        for r in range(R - 1, -1, -1):
            before, freed_share = freed[r]
            lost = d_usage * before
            torch.sum(lost * old_read[:, r], dim=-1, keepdim=True, out=d_free[:, r])
            d_old_read[:, r].addcmul_(lost, free[:, r], value=-1)
            d_usage = torch.addcmul(d_usage, d_usage, freed_share, value=-1)
        d_old_write = torch.addcmul(d_usage, d_usage, usage, value=-1)
        d_usage = torch.addcmul(d_usage, d_usage, old_write, value=-1)
        self.d_rows[t].mul_(self.local[t])
        return d_matrix, d_usage, d_link, d_precedence, torch.cat([d_old_read, d_old_write.unsqueeze(1)], dim=1)
