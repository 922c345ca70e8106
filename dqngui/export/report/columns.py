"""The scalars of one run as columns, by name, and its notes, for the charts and tables of a report."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dqngui.export.report.charts import Floats
from dqngui.export.scalars import Note, Scalar


@dataclass(slots=True)
class Columns:
    """Steps and values by name, and the notes, in the order of the log."""

    notes: list[Note] = field(default_factory=list)
    _values: dict[str, tuple[array[float], array[float]]] = field(default_factory=dict)

    def add(self, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        self.notes += notes
        for each in scalars:
            steps, values = self._values.setdefault(each.name, (array("d"), array("d")))
            steps.append(each.step)
            values.append(each.value)

    @property
    def names(self) -> list[str]:
        """The names of all scalars, in the order in which they came first."""
        return list(self._values)

    def of(self, name: str) -> tuple[Floats, Floats]:
        """Steps and values (N,) of a name; empty if it never came."""
        steps, values = self._values.get(name, (array("d"), array("d")))
        return np.array(steps, dtype=np.float64), np.array(values, dtype=np.float64)
