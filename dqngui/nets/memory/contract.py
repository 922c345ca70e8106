"""The contract of a memory.

`forward(x (T, B, D), state, record) -> (y (T, B, D), state)` carries information from step to step of one
episode. A state is a flat tuple of tensors, batch first, with fixed shapes; None stands for the initial
state and may take a cheaper path. `context` is None for a recurrent memory, else the number of past steps
that an output can depend on. One step at a time equals one long call from the same state; outputs depend on
the past only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from dqngui.nets.record import Record, ViewSpec

State = tuple[Tensor, ...]
Errors = dict[str, Tensor]
"""Errors (T, B) that a module makes learning by itself, by name, with their gradients; the learner adds their mean."""


@dataclass(frozen=True, slots=True)
class StateView:
    """Where a state carries what a view shows: `state[index][:, *within]` is (B, *axes of the view).

    Attributes:
        indices: tensors of the state that all hold it: equal, as long as nobody changes one of them alone.
        within: behind the batch: a layer, the newest of several steps, units in the view's order.
    """

    indices: tuple[int, ...]
    within: tuple[int | Sequence[int], ...] = ()

    def of(self, state: State) -> Tensor:
        """What is held, (B, *axes)."""
        return state[self.indices[0]][(slice(None), *self.within)]

    def put(self, value: Tensor, state: State) -> State:
        """The state with `value` (B, *axes) in its place; the given one stays as it is."""
        parts = list(state)
        for index in self.indices:
            parts[index] = parts[index].clone()
            parts[index][(slice(None), *self.within)] = value
        return tuple(parts)


class Memory(nn.Module):
    """Base of all memories; subclasses are made with `(width=..., options=...)`.

    One that `sees_observation` is made with `observation=F` as well, the size of the raw observation, which then
    follows the encoded step in x: (T, B, D + F). One that `has_own_loss` takes a fourth argument `errors`.
    """

    context: int | None = None
    relu_input: ClassVar[bool] = True
    """The memory's input passes a ReLU first (a transformer does better without)."""

    sees_observation: ClassVar[bool] = False
    has_own_loss: ClassVar[bool] = False
    output_view: ClassVar[str] = ""
    """Name of the view that is the output itself, if one is."""
    width: int
    """Size D of the output."""

    def initial_state(self, batch: int) -> State:
        """State at an episode's start, for `batch` episodes."""
        raise NotImplementedError

    def views(self) -> tuple[ViewSpec, ...]:
        """What `forward` records when asked."""
        return ()

    def state_views(self) -> Mapping[str, StateView]:
        """Views of what is carried from step to step, and where: a view shows it as the step leaves it."""
        return {}

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Names along axes of its views, by the axis' name, where counting would not tell what is what."""
        return {}

    def forward(self, x: Tensor, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        raise NotImplementedError
