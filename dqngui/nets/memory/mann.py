"""Memory-augmented network: an LSTM controller with an external matrix, addressed by content and by place.

The neural Turing machine of Graves et al. 2014, arXiv:1410.5401.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dqngui.catalog import MannOptions
from dqngui.nets.memory.addressing import BLANK, Controller, by_content
from dqngui.nets.memory.contract import Memory, State
from dqngui.nets.record import Record, ViewSpec

_TINY = 1e-20


class MANN(Memory):
    """Heads look for slots in the old matrix, write heads change it, read heads read the new one.

    State: matrix (B, N, M), weights of read and then write heads over the slots (B, H, N), hidden (B, D), cell (B, D).
    At an episode's start every head is at slot 0.
    """

    def __init__(self, *, width: int, options: MannOptions) -> None:
        super().__init__()
        self.width, self.slots, self.units = width, options.slots, options.slot_width
        self.readers, self.writers = options.read_heads, options.write_heads
        self.heads, self.reach = self.readers + self.writers, min(options.shift, (options.slots - 1) // 2)
        H, M = self.heads, self.units
        self.sizes = [H * M, 2 * H, H, self.writers * M, H * (2 * self.reach + 1), self.writers * M]
        self.controller = Controller(width, self.readers * M, options.chrono)
        self.interface = nn.Linear(width, sum(self.sizes))
        self.out = nn.Linear(width + self.readers * M, width)

    def initial_state(self, batch: int) -> State:
        like = self.out.weight
        matrix = like.new_full((batch, self.slots, self.units), BLANK)
        weights = like.new_zeros(batch, self.heads, self.slots)
        weights[..., 0] = 1.0
        hidden = like.new_zeros(batch, self.width)
        return matrix, weights, hidden, hidden.clone()

    def views(self) -> tuple[ViewSpec, ...]:
        return (
            ViewSpec("memory/matrix", ("slot", "unit"), signed=True),
            ViewSpec("memory/read", ("head", "slot")),
            ViewSpec("memory/write", ("head", "slot")),
            ViewSpec("memory/hidden", ("unit",), signed=True),
        )

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        matrix, weights, hidden, cell = state or self.initial_state(x.shape[1])
        reads = (weights[:, : self.readers] @ matrix).flatten(1)
        outputs, kept = [], []
        for driven in self.controller.drive(x):
            hidden, cell = self.controller.step(driven, hidden, cell, reads)
            matrix, weights = self._step(self.interface(hidden), matrix, weights)
            reads = (weights[:, : self.readers] @ matrix).flatten(1)
            outputs += [hidden, reads]
            if record is not None:
                kept.append((matrix, weights, hidden))
        if record is not None:
            matrices, addresses, hiddens = (torch.stack(rows) for rows in zip(*kept, strict=True))
            read, write = addresses.split([self.readers, self.writers], dim=2)
            for spec, value in zip(self.views(), (matrices, read, write, hiddens), strict=True):
                record.add(spec.name, value)
        y = self.out(torch.cat(outputs, dim=-1).view(x.shape[1], len(x), -1).transpose(0, 1))
        return y, (matrix, weights, hidden, cell)

    def _step(self, asked: Tensor, matrix: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """asked (B, P), the controller's words to the heads -> the next matrix and weights."""
        B, H, W = len(asked), self.heads, self.writers
        keys, positive, gate, erase, shift, add = asked.split(self.sizes, dim=-1)
        strength, sharpness = F.softplus(positive).chunk(2, dim=-1)
        shift = shift.view(B, H, -1).softmax(-1)
        content = by_content(keys.view(B, H, -1), strength, matrix)
        mixed = weights.lerp(content, gate.sigmoid().unsqueeze(-1))
        wide = torch.cat([mixed[..., -self.reach :], mixed, mixed[..., : self.reach]], dim=-1) if self.reach else mixed
        moved = (wide.unfold(-1, 2 * self.reach + 1, 1) @ shift.flip(-1).unsqueeze(-1)).squeeze(-1)
        weights = torch.softmax((1 + sharpness).unsqueeze(-1) * (moved + _TINY).log(), dim=-1)
        write = weights[:, -W:].unsqueeze(-1)  # (B, W, N, 1)
        kept = 1 - write * erase.sigmoid().view(B, W, 1, -1)
        return matrix * kept.prod(1) + (write * add.view(B, W, 1, -1)).sum(1), weights
