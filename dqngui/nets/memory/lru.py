"""Linear recurrent units: a memory with linear steps, so that a whole window is computed by one parallel scan."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.catalog.memories import LRUOptions
from dqngui.nets.memory.contract import Memory, State, StateView
from dqngui.nets.memory.scan import scan
from dqngui.nets.record import Record, ViewSpec


class LRU(Memory):
    """Layers x + W (h ∘ silu(V u)), where h is a linear recurrence of u = norm(x) (Orvieto et al. 2023,
    arXiv:2303.06349).

    State: h of every layer (B, layers, 2N), N complex units as pairs (real, imaginary); 2N is the width, rounded up to
    an even number. Views: `memory/hidden/LAYER` (unit), first the real, then the imaginary parts.
    """

    relu_input = False

    def __init__(self, *, width: int, options: LRUOptions) -> None:
        super().__init__()
        self.size = width + width % 2
        self.layers = nn.ModuleList(_LRULayer(width, self.size // 2, options) for _ in range(options.layers))
        self.norm = nn.LayerNorm(width)

    def initial_state(self, batch: int) -> State:
        return (self.norm.weight.new_zeros(batch, len(self.layers), self.size),)

    def state_views(self) -> Mapping[str, StateView]:
        units = [*range(0, self.size, 2), *range(1, self.size, 2)]  # real parts first, as in the view
        return {f"memory/hidden/{index}": StateView((0,), (index, units)) for index in range(len(self.layers))}

    def views(self) -> tuple[ViewSpec, ...]:
        return tuple(ViewSpec(f"memory/hidden/{index}", ("unit",), signed=True) for index in range(len(self.layers)))

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        last = []
        for index, layer in enumerate(self.layers):
            x, h = layer(x, None if state is None else state[0][:, index])
            last.append(h[-1])
            if record is not None:
                record.add(f"memory/hidden/{index}", torch.cat([h[..., ::2], h[..., 1::2]], dim=-1))
        return self.norm(x), (torch.stack(last, dim=1),)


class _LRULayer(nn.Module):
    """h_t = λ h_{t−1} + γ B u_t, complex and diagonal; output x + W (h ∘ silu(V u)), real on both parts of h.

    λ = exp(−exp ν + i exp θ) is always inside the unit circle. The gate is that of Griffin (De et al. 2024,
    arXiv:2402.19427), which depends on the present input, and not that of the paper, which depends on h alone: with it
    a cue was learned in a third to a half of the updates, at the same cost.
    """

    def __init__(self, width: int, units: int, options: LRUOptions) -> None:
        super().__init__()
        self.options = options
        self.norm = nn.LayerNorm(width)
        self.drive = nn.Linear(width, 2 * units, bias=False)
        self.log_decay = nn.Parameter(torch.empty(units))  # ν
        self.log_phase = nn.Parameter(torch.empty(units))  # log θ
        self.log_gain = nn.Parameter(torch.empty(units))  # log γ
        self.gate = nn.Linear(width, 2 * units)
        self.out = nn.Linear(2 * units, width)

    def initialise(self, generator: Generator) -> None:
        """Draw the eigenvalues; γ = √(1 − |λ|²) keeps h as large as its input.

        Without a horizon they are uniform in a disc, as in the paper. With a horizon, |λ| = exp(−1/τ) with times τ
        uniform up to it (as in chrono initialisation): in a disc, hardly any unit remembers for long.
        """
        options, units = self.options, len(self.log_decay)
        area, turn = (torch.empty(units).uniform_(0, 1, generator=generator) for _ in range(2))
        if options.chrono > 1:
            decay = 1 / (1 + area * (options.chrono - 1))
        else:
            decay = -0.5 * (area * options.max_radius**2).clamp(min=1e-6).log()
        with torch.no_grad():
            self.log_decay.copy_(decay.log())
            self.log_phase.copy_((2 * math.pi * options.max_turn * turn).clamp(min=1e-4).log())
            self.log_gain.copy_(0.5 * (-torch.expm1(-2 * decay)).log())

    def forward(self, x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (T, B, D), h (B, 2N) before it -> y (T, B, D), h (T, B, 2N)."""
        radius, angle = (-self.log_decay.exp()).exp(), self.log_phase.exp()
        factors = torch.view_as_complex(torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1))  # λ (N,)
        weight = self.drive.weight * self.log_gain.exp().repeat_interleave(2).unsqueeze(1)
        u = self.norm(x)
        driven = torch.view_as_complex(F.linear(u, weight).unflatten(-1, (-1, 2)))
        before = None if h is None else torch.view_as_complex(h.unflatten(-1, (-1, 2)).contiguous())
        hidden = torch.view_as_real(scan(factors, driven, before)).flatten(-2)  # (T, B, 2N)
        return x + self.out(hidden * F.silu(self.gate(u))), hidden
