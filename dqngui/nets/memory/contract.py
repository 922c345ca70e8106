"""The contract of a memory.

`forward(x (T, B, D), state, record) -> (y (T, B, D), state)` carries information from step to step of one episode. A
state is a flat tuple of tensors, batch first, with fixed shapes; None means the initial state and may be cheaper.
`context` is None for a recurrent memory, else the number of past steps that an output can depend on. One step at a time
gives the same as one long call from the same state; outputs depend on the past only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from dqngui.nets.record import Record, ViewSpec

State = tuple[Tensor, ...]
Errors = dict[str, Tensor]
"""What the own loss of a memory is computed from (`learning.own_loss`), by name.

`error` (T, B, F), with gradients: its errors in forecasting the F numbers of the raw observation. `series` (T, B, F),
without gradients: the numbers that it forecasts, which may be differences of the observed ones. `known` (T, B) bool:
steps of which it had a forecast; the errors of the others are 0.
"""


@dataclass(frozen=True, slots=True)
class StateView:
    """The place in a state where a view's numbers are: `state[index][:, *within]` is (B, *axes of the view).

    Attributes:
        indices: of the tensors of the state that contain the numbers; they all contain the same ones.
        within: index after the batch axis: a layer, the newest of several steps, units in the view's order.
    """

    indices: tuple[int, ...]
    within: tuple[int | Sequence[int], ...] = ()

    def of(self, state: State) -> Tensor:
        """The view's numbers in a state, (B, *axes)."""
        return state[self.indices[0]][(slice(None), *self.within)]

    def put(self, value: Tensor, state: State) -> State:
        """A copy of the state with `value` (B, *axes) in place of the view's numbers."""
        parts = list(state)
        for index in self.indices:
            parts[index] = parts[index].clone()
            parts[index][(slice(None), *self.within)] = value
        return tuple(parts)


class Memory(nn.Module):
    """Base of all memories; subclasses are made with `(width=..., options=...)`.

    A memory that `sees_observation` is also made with `observation=F`, the size of the raw observation, which then
    follows the encoded step in x: (T, B, D + F). A memory that `has_own_loss` takes a fourth argument `errors`, which
    it fills.
    """

    context: int | None = None
    relu_input: ClassVar[bool] = True
    """Whether the memory's input first passes a ReLU (a transformer learns better without)."""

    sees_observation: ClassVar[bool] = False
    has_own_loss: ClassVar[bool] = False
    output_view: ClassVar[str] = ""
    """Name of the view that shows the output itself; empty if there is none."""
    width: int
    """Size D of the output."""

    def initial_state(self, batch: int) -> State:
        """State at an episode's start, for `batch` episodes."""
        raise NotImplementedError

    def views(self) -> tuple[ViewSpec, ...]:
        """What `forward` can record."""
        return ()

    def state_views(self) -> Mapping[str, StateView]:
        """Views of the state, and where it contains their numbers; a view shows them as they are after the step."""
        return {}

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Names of the entries along axes of its views, by the axis' name, if numbers would not explain them."""
        return {}

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        raise NotImplementedError
