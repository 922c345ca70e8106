"""Views: named arrays with named axes that a network records on request, and changes to its attention weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

WeightChange = Callable[[Tensor], Tensor]
"""Maps weights to the weights that are used instead, of the same shape."""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """The description of a view that a module can record; known before anything runs.

    Attributes:
        name: path such as `attention/self/0`.
        axes: names of the axes after time and batch.
        signed: values are positive and negative (drawn with a diverging colour map); else they are shares from 0 to 1.
        weights: the values are weights of a softmax along the last axis; they pass `Record.changed` before they are
            used.
    """

    name: str
    axes: tuple[str, ...]
    signed: bool = False
    weights: bool = False


@dataclass(slots=True)
class Record:
    """Collects views during one forward pass: `values[name]` has shape (T, B, *axes).

    Attributes:
        changes: functions that change weights before they are used, by the name of their view. Meant for one step at a
            time (T = 1) and without gradients.
    """

    values: dict[str, Tensor] = field(default_factory=dict)
    changes: Mapping[str, WeightChange] = field(default_factory=dict)

    def add(self, name: str, value: Tensor) -> None:
        """Keep a detached view (T, B, *axes)."""
        self.values[name] = value.detach()

    def changed(self, name: str, weights: Tensor) -> Tensor:
        """The weights (T·B, *axes of the view) to use; without a change of this name, the same tensor."""
        change = self.changes.get(name)
        return weights if change is None else change(weights)

    def change_for(self, name: str, squeezed: int | None = None) -> WeightChange:
        """A function that applies the change of this name, to weights with an additional axis of length 1 at
        `squeezed`.
        """

        def change(weights: Tensor) -> Tensor:
            if name not in self.changes:
                return weights
            if squeezed is None:
                return self.changed(name, weights)
            return self.changed(name, weights.squeeze(squeezed)).unsqueeze(squeezed)

        return change
