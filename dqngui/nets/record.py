"""Views: named arrays with named axes that a network records only when asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What a module can record, known before anything runs.

    Attributes:
        name: path such as `attention/self/0`.
        axes: names of the axes behind time and batch.
        signed: values lie around zero (drawn with a diverging map); else they are shares in 0…1.
    """

    name: str
    axes: tuple[str, ...]
    signed: bool = False


@dataclass(slots=True)
class Record:
    """Collects views during one forward pass: `values[name]` has shape (T, B, *axes)."""

    values: dict[str, Tensor] = field(default_factory=dict)

    def add(self, name: str, value: Tensor) -> None:
        """Keep a detached view (T, B, *axes)."""
        self.values[name] = value.detach()
