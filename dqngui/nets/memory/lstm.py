"""Long short-term memory (Hochreiter & Schmidhuber 1997), torch's fused path."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn

from dqngui.catalog.memories import RecurrentOptions
from dqngui.nets.initialise import chrono_bias
from dqngui.nets.memory.contract import Memory, State, StateView
from dqngui.nets.record import Record, ViewSpec

_GATES = ("input", "forget", "output")


class LSTM(Memory):
    """An LSTM. State: hidden (B, D) and cell (B, D).

    Chrono initialisation sets the biases of the forget gates, and those of the input gates to their negatives.
    """

    output_view = "memory/hidden"

    def __init__(self, *, width: int, options: RecurrentOptions) -> None:
        super().__init__()
        self.width, self.chrono = width, options.chrono
        self.core = nn.LSTM(width, width)

    def initialise(self, generator: Generator) -> None:
        """Initialise after the core; torch orders the gates input, forget, cell, output."""
        if self.chrono > 1:
            D = self.width
            horizon = chrono_bias(D, self.chrono, generator)
            with torch.no_grad():
                _, _, bias_in, bias_back = self.core.parameters()
                bias_back.zero_()
                bias_in.zero_()
                bias_in[D : 2 * D] = horizon
                bias_in[:D] = -horizon

    def initial_state(self, batch: int) -> State:
        zeros = next(self.core.parameters()).new_zeros(batch, self.width)
        return zeros, zeros.clone()

    def state_views(self) -> Mapping[str, StateView]:
        return {"memory/hidden": StateView((0,)), "memory/cell": StateView((1,))}

    def views(self) -> tuple[ViewSpec, ...]:
        states = (ViewSpec("memory/hidden", ("unit",), signed=True), ViewSpec("memory/cell", ("unit",), signed=True))
        return (*states, *(ViewSpec(f"memory/gate/{gate}", ("unit",)) for gate in _GATES))

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        if record is not None:
            return self._recorded(x, state or self.initial_state(x.shape[1]), record)
        carried = None if state is None else (state[0].unsqueeze(0), state[1].unsqueeze(0))
        y, (hidden, cell) = self.core(x, carried)
        return y, (hidden.squeeze(0), cell.squeeze(0))

    def _recorded(self, x: Tensor, state: State, record: Record) -> tuple[Tensor, State]:
        """The same computation gate by gate, so that the gates can be recorded."""
        hidden, cell = state
        weight_in, weight_back, bias_in, bias_back = self.core.parameters()
        driven = x @ weight_in.T + bias_in  # (T, B, 4D)
        kept: dict[str, list[Tensor]] = {spec.name: [] for spec in self.views()}
        for step in driven:
            i, f, g, o = (step + hidden @ weight_back.T + bias_back).chunk(4, dim=-1)
            i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
            cell = f * cell + i * g.tanh()
            hidden = o * cell.tanh()
            for row, value in zip(kept.values(), (hidden, cell, i, f, o), strict=True):
                row.append(value)
        for name, rows in kept.items():
            record.add(name, torch.stack(rows))
        return torch.stack(kept["memory/hidden"]), (hidden, cell)
