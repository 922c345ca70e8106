"""Views: named arrays with named axes that a network records, and weights that it changes, only when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

WeightChange = Callable[[Tensor], Tensor]
"""From weights to those that are used in their place, of the same shape."""


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What a module can record, known before anything runs.

    Attributes:
        name: path such as `attention/self/0`.
        axes: names of the axes behind time and batch.
        signed: values lie around zero (drawn with a diverging map); else they are shares in 0…1.
        weights: shares that a softmax made along the last axis, by which something is averaged: they pass
            `Record.changed` before they are used.
    """

    name: str
    axes: tuple[str, ...]
    signed: bool = False
    weights: bool = False


@dataclass(slots=True)
class Record:
    """Collects views during one forward pass: `values[name]` has shape (T, B, *axes).

    Attributes:
        changes: what is done to weights, by the name of their view, before they are used. Meant for one step at a time
            (T = 1) and without gradients.
    """

    values: dict[str, Tensor] = field(default_factory=dict)
    changes: Mapping[str, WeightChange] = field(default_factory=dict)

    def add(self, name: str, value: Tensor) -> None:
        """Keep a detached view (T, B, *axes)."""
        self.values[name] = value.detach()

    def changed(self, name: str, weights: Tensor) -> Tensor:
        """The weights (T·B, *axes of the view) to use; without a change of this name they are the very same tensor."""
        change = self.changes.get(name)
        return weights if change is None else change(weights)

    def change_for(self, name: str, squeezed: int | None = None) -> WeightChange:
        """`changed` of this name, for weights that have an axis of length 1 more, at `squeezed`."""

        def change(weights: Tensor) -> Tensor:
            if name not in self.changes:
                return weights
            if squeezed is None:
                return self.changed(name, weights)
            return self.changed(name, weights.squeeze(squeezed)).unsqueeze(squeezed)

        return change
