"""What memories with an external matrix share: their controller, and addressing slots by content."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from dqngui.nets.initialise import chrono_bias

EPSILON = 1e-3
"""Added to squared lengths: keeps the cosine of a slot that holds next to nothing finite, and its gradient small."""

BLANK = 1e-2
"""Every entry of a memory at an episode's start.

A constant does better than random values (Collier & Beel 2018, arXiv:1807.08518), and a learned one would never be
trained: replay hands over stored states.
"""


class Controller(nn.Module):
    """LSTM cell driven by the input and by what was read a step before.

    All that does not depend on the recurrence is one product over the whole window: `driven` (T, B, 4D).
    """

    def __init__(self, width: int, reads: int, chrono: int) -> None:
        super().__init__()
        self.width, self.chrono = width, chrono
        self.drive = nn.Linear(width, 4 * width)
        self.back = nn.Parameter(torch.empty(4 * width, width + reads))

    def initialise(self, generator: Generator) -> None:
        """As torch's LSTM; chrono initialisation on the forget gate (order: input, forget, output, cell)."""
        D = self.width
        bound = 1 / math.sqrt(self.back.shape[1])
        nn.init.uniform_(self.back, -bound, bound, generator=generator)
        if self.chrono > 1:
            horizon = chrono_bias(D, self.chrono, generator)
            with torch.no_grad():
                self.drive.bias.zero_()
                self.drive.bias[D : 2 * D] = horizon
                self.drive.bias[:D] = -horizon

    def step(self, driven: Tensor, hidden: Tensor, cell: Tensor, reads: Tensor) -> tuple[Tensor, Tensor]:
        """driven (B, 4D), hidden and cell (B, D), reads (B, R·M) -> the next hidden and cell."""
        D = self.width
        gates = torch.addmm(driven, torch.cat([hidden, reads], dim=-1), self.back.T)
        i, f, o = gates[:, : 3 * D].sigmoid().chunk(3, dim=-1)
        cell = f * cell + i * gates[:, 3 * D :].tanh()
        return o * cell.tanh(), cell


def unit(x: Tensor) -> Tensor:
    """Vectors of length one along the last axis; short ones stay shorter, and zero stays zero."""
    return x * (x.square().sum(-1, keepdim=True) + EPSILON).rsqrt()


def by_content(keys: Tensor, strength: Tensor, matrix: Tensor) -> Tensor:
    """Softmax over slots of strength · cosine: keys (B, H, M), strength (B, H), matrix (B, N, M) -> (B, H, N)."""
    cosine = unit(keys) @ unit(matrix).transpose(1, 2)
    return torch.softmax(strength.unsqueeze(-1) * cosine, dim=-1)
