"""Windows of the replay: which steps are learned together, and what the network reads for them. Pure index arithmetic.

All positions count a single environment's steps since the run began. An episode covers `[start, end]`; the row `end`
holds its last observation, and has no action. An age counts from the episode's start.

**Every step is learned equally often.** Cut an episode into pieces of T steps, with the first cut anywhere before its
start: each step then lies in exactly one piece. There are T ways to do so, so each step lies in T pieces. A window is
one of these pieces, drawn with equal probabilities from those of all episodes, so each step has the same probability. A
piece is named by the age at which it begins. Pieces that begin before the episode (ages −T + 1 to −1) or reach beyond
its end are cut to it: their windows are shorter. To draw a step and begin there would leave those out, and the first
steps of an episode would be learned rarely.

Nothing changes when all cuts move, as long as they keep their order. A recurrent memory uses this: cuts move up to the
next place at which its state is stored, and not into the steps of the burn-in after an episode's start, where the
initial state is exact. So most windows need no rows but those of the burn-in and the learned ones. If the window's
length, the burn-in and the stride have no large common divisor, a window may begin between two stored states; it then
reads the rows since the earlier one without learning them.

`window_from = "start"` learns the first T steps of each episode, by definition. Episodes are drawn with equal
probabilities, so these steps are learned equally often; what comes later in a longer episode is never learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
_NEVER = np.iinfo(np.int64).max // 2


@dataclass(frozen=True)
class WindowRule:
    """How long windows are and where they can start.

    Attributes:
        length: learned steps T, fewer where a window is cut.
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

    @cached_property
    def grid(self) -> int:
        """Windows begin at ages that are multiples of this."""
        return 1 if self.context is not None else gcd(self.length, self.stride, self.burn_in)

    @cached_property
    def uncut(self) -> int:
        """Number of first steps of an episode between which no window begins."""
        return 0 if self.context is not None else min(self.burn_in, self.length)

    @property
    def pieces_before(self) -> int:
        """Number of pieces that begin before an episode and reach into it."""
        return 0 if self.from_start else self.length - 1

    def cuts_as(self, other: WindowRule) -> bool:
        """Whether episodes are cut at the same ages by both rules."""
        mine, theirs = ((r.from_start, r.length, r.grid, r.uncut) for r in (self, other))
        return mine == theirs

    def cut(self, age: Steps) -> Steps:
        """Age to which a cut at this age moves."""
        if self.context is not None:
            return np.maximum(age, 0)
        moved = age if self.grid == 1 else age + -age % self.grid
        if self.uncut:
            moved = np.maximum(moved, self.uncut)
        return np.where(age > 0, moved, 0)

    def learned(self, piece: Steps, start: Steps) -> tuple[Steps, Steps]:
        """First learned step s of the window of a piece that begins at this position, and the step after its last one,
        both not yet cut to the episode's end and to what is stored.
        """
        if self.from_start:
            return start, start + self.length
        age = piece - start
        if self.grid == 1 and self.uncut <= 1:  # nothing moves, except what is before the episode
            return np.maximum(piece, start), piece + self.length
        first, stop = start + self.cut(np.stack((age, age + self.length)))
        return first, stop

    def pieces_at(self, age: Steps) -> Steps:
        """Number of pieces whose windows begin at this age of an episode: they begin at it and at the ages before it.

        0 for the ages at which no window begins.
        """
        if self.from_start:
            return np.where(age == 0, 1, 0)
        inner = np.where(age % self.grid == 0, self.grid, 0)
        if self.uncut:
            inner = np.where(age > self.uncut, inner, np.where(age == self.uncut, self.uncut, 0))
        return np.where(age == 0, self.length, inner)

    def oldest_learnable(self, start: Steps, oldest: Steps) -> Steps:
        """First step of an episode that can be learned if the rows before `oldest` are no longer stored.

        All rows that the network reads for it must be stored, with the row before them, which holds the previous action
        and reward.
        """
        if self.from_start:
            later: Steps | int = _NEVER
        elif self.context is not None:
            later = oldest + (1 + self.context)
        else:
            later = oldest + ((start - oldest - 1) % self.stride + 1 + self.burn_in)
        return np.where(oldest <= start, start, later)

    def first_read(self, s: Steps, start: Steps) -> Steps:
        """First row that the network reads with gradient for a window that learns from step s on.

        For a recurrent memory it is s, or up to stride − 1 steps earlier, so that a state is stored where the burn-in
        before it begins; in the first `burn_in` steps it is the episode's start, where the initial state is exact.
        """
        if self.context is not None:
            return np.maximum(start, s - self.context)
        if self.grid == self.stride and self.uncut == self.burn_in:
            return s
        age = s - start
        return np.where(age >= self.burn_in, s - (age - self.burn_in) % self.stride, start)

    def first_state(self, first: Steps, start: Steps) -> Steps:
        """Row whose stored state a recurrent memory begins with, if the row `first` is the first one with gradient."""
        return np.maximum(start, first - self.burn_in)
