"""Minimal gated recurrent unit: its gates depend on the present input only, so a window is one parallel scan."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.catalog.memories import MinGRUOptions
from dqngui.nets.initialise import chrono_bias
from dqngui.nets.memory.contract import Memory, State, StateView
from dqngui.nets.memory.scan import scan
from dqngui.nets.record import Record, ViewSpec

_SELECTIVE = 4.0
"""Factor of the gates' initial weights if there is a horizon; with 4 and more it learned, with 1 hardly."""


class MinGRU(Memory):
    """Layers x + W (h ∘ silu(V norm(x))), h_t = (1 − z_t) h_{t−1} + z_t h̃_t (Feng et al. 2024, arXiv:2410.01201).

    State: h of every layer (B, layers, D). Views: `memory/hidden/LAYER` and `memory/gate/update/LAYER` (unit).
    """

    relu_input = False

    def __init__(self, *, width: int, options: MinGRUOptions) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.ModuleList(_MinGRULayer(width, options.chrono) for _ in range(options.layers))
        self.norm = nn.LayerNorm(width)

    def initial_state(self, batch: int) -> State:
        return (self.norm.weight.new_zeros(batch, len(self.layers), self.width),)

    def state_views(self) -> Mapping[str, StateView]:
        return {f"memory/hidden/{index}": StateView((0,), (index,)) for index in range(len(self.layers))}

    def views(self) -> tuple[ViewSpec, ...]:
        layers = range(len(self.layers))
        hidden = (ViewSpec(f"memory/hidden/{index}", ("unit",), signed=True) for index in layers)
        return (*hidden, *(ViewSpec(f"memory/gate/update/{index}", ("unit",)) for index in layers))

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        last = []
        for index, layer in enumerate(self.layers):
            x, h, keep = layer(x, None if state is None else state[0][:, index])
            last.append(h[-1])
            if record is not None:
                record.add(f"memory/hidden/{index}", h)
                record.add(f"memory/gate/update/{index}", 1 - keep)
        return self.norm(x), (torch.stack(last, dim=1),)


class _MinGRULayer(nn.Module):
    """One layer: z and h̃ are computed from u_t = norm(x_t) alone, by linear layers, with a sigmoid for z.

    h is multiplied by a gate of u (as in Griffin, De et al. 2024, arXiv:2402.19427), so the present input decides which
    part of the past is used. With it a cue was learned in half the updates of a gate of h alone.
    """

    def __init__(self, width: int, chrono: int) -> None:
        super().__init__()
        self.width, self.chrono = width, chrono
        self.norm = nn.LayerNorm(width)
        self.drive = nn.Linear(width, 2 * width)  # the gate's keep = 1 − z, then h̃
        self.gate = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def initialise(self, generator: Generator) -> None:
        """Initialise after the linear layers: the biases of the keep gates hold h for 1 to `chrono` steps.

        The gates do not depend on the past, so with such biases every input would enter equally, and hardly at all.
        Larger weights make some units take in one input and keep it during others from the start.
        """
        if self.chrono > 1:
            with torch.no_grad():
                self.drive.bias[: self.width] = chrono_bias(self.width, self.chrono, generator)
                self.drive.weight[: self.width] *= _SELECTIVE

    def forward(self, x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """x (T, B, D), h (B, D) before it -> y, h, 1 − z, each (T, B, D)."""
        u = self.norm(x)
        gate, candidate = self.drive(u).chunk(2, dim=-1)
        keep = gate.sigmoid()
        hidden = scan(keep, torch.addcmul(candidate, keep, candidate, value=-1.0), h)
        return x + self.out(hidden * F.silu(self.gate(u))), hidden, keep
