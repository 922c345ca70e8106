"""Priorities of a replay's windows (Schaul et al. 2016, arXiv:1511.05952).

A priority belongs to all windows that begin at the same step, and a window is drawn with a probability in proportion to
it. A leaf of the sum tree weighs as much as the pieces (see `windows`) that begin there: its priority times their
number. So equal priorities draw all pieces, and with them all steps, equally often, and the importance weights
priority^−β correct towards exactly that. One more leaf of each environment stands for the pieces of its oldest episode
whose first rows are overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.learning.saved import require_between
from dqngui.learning.sumtree import SumTree
from dqngui.learning.windows import Steps, WindowRule

LARGEST_PRIORITY = 1e100  # of a saved state; sums of priorities stay finite


class WindowPriorities:
    """Priorities of the windows that begin at each of `rows` rows, and of each environment's cut windows.

    Attributes:
        priority: of each leaf; 0 where no window begins. New windows get the largest one so far, `top` (Horgan et al.
            2018, arXiv:1803.00933).
        pieces: number of pieces that begin at each leaf.
    """

    def __init__(self, rows: int, num_envs: int) -> None:
        self.rows = rows
        self.tree = SumTree(rows + num_envs)
        self.priority = np.zeros(rows + num_envs)
        self.priority[rows:] = 1.0
        self.pieces = np.zeros(rows + num_envs, dtype=np.int64)
        self.top = 1.0
        self._rule: WindowRule | None = None  # the rule whose windows have priorities

    def add(self, rows: Steps, age: Steps, rule: WindowRule) -> None:
        """Give the windows that begin at new rows of these ages the largest priority so far."""
        self.pieces[rows] = pieces = rule.pieces_at(age)
        self.priority[rows] = np.where(pieces > 0, self.top, 0.0)
        self.tree.set(rows, pieces * self.priority[rows])

    def remove(self, rows: Steps) -> None:
        """No window begins at these rows."""
        self.pieces[rows], self.priority[rows] = 0, 0.0
        self.tree.set(rows, 0.0)

    def set(self, leaves: Steps, priorities: NDArray[np.float64]) -> None:
        """Change the priorities (already to the power α) of some leaves."""
        self.priority[leaves] = priorities
        self.tree.set(leaves, self.pieces[leaves] * priorities)
        self.top = max(self.top, float(priorities.max()))

    def fits(self, rule: WindowRule) -> bool:
        """Whether the priorities are those of the windows of this rule."""
        return self._rule is not None and self._rule.cuts_as(rule)

    def assign(self, age: Steps, present: NDArray[np.bool_], rule: WindowRule) -> None:
        """Give priorities to the windows of `rule`, and to no others; windows that had one keep it.

        Args:
            age: of the step in each row.
            present: rows that hold a step with an action.
        """
        self._rule = rule
        self.pieces[: self.rows] = np.where(present, rule.pieces_at(age), 0)
        self.pieces[self.rows :] = rule.pieces_before
        self.priority[(self.pieces > 0) & (self.priority == 0.0)] = self.top
        self.priority[: self.rows][self.pieces[: self.rows] == 0] = 0.0
        self.tree.set(np.arange(len(self.priority)), self.pieces * self.priority)

    def draw(self, count: int, generator: np.random.Generator) -> tuple[Steps, Steps]:
        """Leaves, and which of the pieces that begin there, 0-based."""
        leaf = self.tree.draw(generator.random(count))
        pieces = self.pieces[leaf]
        if (pieces <= 1).all():
            return leaf, np.zeros_like(leaf)
        return leaf, (generator.random(count) * pieces).astype(np.int64)

    def importance(self, leaves: Steps, beta: float) -> NDArray[np.float32]:
        """Importance weights priority^−β, divided by the largest of them."""
        raw = self.priority[leaves] ** -beta
        return (raw / raw.max()).astype(np.float32)

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        kept = {"priority": self.priority[: self.rows], "edge_priority": self.priority[self.rows :]}
        return {**kept, "top_priority": np.array(self.top)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave; earlier versions had no windows that the ring's edge cuts."""
        require_between("top_priority", arrays["top_priority"], 0, LARGEST_PRIORITY)
        for name in ("priority", "edge_priority"):
            require_between(name, arrays.get(name, 0.0), 0, LARGEST_PRIORITY)
        self.top = float(arrays["top_priority"])
        self.priority[: self.rows] = arrays["priority"]
        self.priority[self.rows :] = arrays.get("edge_priority", self.top)
        self._rule = None
