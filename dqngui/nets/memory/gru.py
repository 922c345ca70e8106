"""Gated recurrent unit (Cho et al. 2014), torch's fused path."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn

from dqngui.catalog.memories import RecurrentOptions
from dqngui.nets.initialise import chrono_bias
from dqngui.nets.memory.contract import Memory, State, StateView
from dqngui.nets.record import Record, ViewSpec


class GRU(Memory):
    """A GRU. State: hidden (B, D). Chrono initialisation sets the biases of the update gate (which keeps the old
    state).
    """

    output_view = "memory/hidden"

    def __init__(self, *, width: int, options: RecurrentOptions) -> None:
        super().__init__()
        self.width, self.chrono = width, options.chrono
        self.core = nn.GRU(width, width)

    def initialise(self, generator: Generator) -> None:
        """Initialise after the core; torch orders the gates reset, update, new."""
        if self.chrono > 1:
            D = self.width
            horizon = chrono_bias(D, self.chrono, generator)
            with torch.no_grad():
                _, _, bias_in, bias_back = self.core.parameters()
                bias_back[D : 2 * D] = 0.0
                bias_in[D : 2 * D] = horizon

    def initial_state(self, batch: int) -> State:
        return (next(self.core.parameters()).new_zeros(batch, self.width),)

    def state_views(self) -> Mapping[str, StateView]:
        return {"memory/hidden": StateView((0,))}

    def views(self) -> tuple[ViewSpec, ...]:
        gates = (ViewSpec(f"memory/gate/{gate}", ("unit",)) for gate in ("reset", "update"))
        return (ViewSpec("memory/hidden", ("unit",), signed=True), *gates)

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        if record is not None:
            return self._recorded(x, state or self.initial_state(x.shape[1]), record)
        y, hidden = self.core(x, None if state is None else state[0].unsqueeze(0))
        return y, (hidden.squeeze(0),)

    def _recorded(self, x: Tensor, state: State, record: Record) -> tuple[Tensor, State]:
        """The same computation gate by gate, so that the gates can be recorded."""
        (hidden,) = state
        weight_in, weight_back, bias_in, bias_back = self.core.parameters()
        driven = x @ weight_in.T + bias_in  # (T, B, 3D)
        kept: dict[str, list[Tensor]] = {spec.name: [] for spec in self.views()}
        for step in driven:
            r_in, z_in, n_in = step.chunk(3, dim=-1)
            r_back, z_back, n_back = (hidden @ weight_back.T + bias_back).chunk(3, dim=-1)
            r, z = (r_in + r_back).sigmoid(), (z_in + z_back).sigmoid()
            hidden = (1 - z) * (n_in + r * n_back).tanh() + z * hidden
            for row, value in zip(kept.values(), (hidden, r, z), strict=True):
                row.append(value)
        for name, rows in kept.items():
            record.add(name, torch.stack(rows))
        return torch.stack(kept["memory/hidden"]), (hidden,)
