"""Windows of the replay: where they start and which of their steps are learned. Pure index arithmetic.

All positions count a single environment's steps since the run began. An episode covers `[start, end]`; the row `end`
holds its last observation, and has no action. A window is identified by its first learned step s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How long windows are and where they can start.

    Attributes:
        length: learned steps T.
        n_step: number of rewards before the bootstrap.
        burn_in: number of steps that refresh a recurrent state, without loss.
        stride: number of steps of an episode between stored recurrent states.
        context: number of past steps that a finite memory sees; None for a recurrent one.
        from_start: windows start with their episode.
        whole: all rows between a step and its bootstrap are needed, even of windows of one step.
    """

    length: int
    n_step: int
    burn_in: int = 0
    stride: int = 1
    context: int | None = 0
    from_start: bool = False
    whole: bool = False

    @property
    def single_steps(self) -> bool:
        """Whether windows are single steps that need no rows before or after them, except the one they bootstrap
        from.
        """
        return self.length == 1 and self.context == 0 and not self.whole

    def first_learned(self, position: Steps, start: Steps) -> Steps:
        """First learned step s ≤ position of the window in which `position` is learned.

        A recurrent window with burn-in starts where a state is stored, so s − burn_in is a multiple of the
        stride; within the first `burn_in` steps the initial state is exact and s is the episode's start.
        """
        if self.from_start:
            return start
        if self.context is not None:
            return position
        age = position - start
        stored = (age - self.burn_in) // self.stride * self.stride + self.burn_in
        return start + np.where(age >= self.burn_in, stored, 0)

    def first_row(self, s: Steps, start: Steps) -> Steps:
        """First row that the network must read so that its state at step s is exact (finite) or refreshed
        (recurrent).
        """
        before = self.burn_in if self.context is None else self.context
        return np.maximum(start, s - before)

    def starts_as(self, other: WindowRule) -> bool:
        """Whether windows start at the same steps by both rules."""
        mine, theirs = ((r.from_start, r.context, r.burn_in, r.stride) for r in (self, other))
        return mine == theirs

    def starts_window(self, age: Steps) -> NDArray[np.bool_]:
        """Whether a step of this age within its episode is the first learned step of some window."""
        if self.from_start:
            return age == 0
        if self.context is not None:
            return np.ones_like(age, dtype=bool)
        return (age == 0) | ((age >= self.burn_in) & ((age - self.burn_in) % self.stride == 0))
