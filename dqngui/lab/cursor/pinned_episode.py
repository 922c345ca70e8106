"""A training episode that is pinned: which one, which weights play it, and whether it repeats what was logged."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dqngui.config import Experiment
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.runs.episodes import EpisodeTrace

RETURN_TOLERANCE = 1e-6  # two sums of the same rewards


@dataclass(frozen=True, slots=True)
class RunEpisodes:
    """The training episodes of one run.

    Attributes:
        folder: of the run; None where it keeps no files.
        name: of a run that the open one branched from; empty for the open one itself.
        history: its curves.
        count: how many of its episodes belong to it here: of a run that was left by a fork, those before that.
    """

    folder: Path | None
    name: str
    history: History
    count: int

    def step(self, number: int) -> int:
        """Environment steps of the run when the episode ended."""
        return int(self.history.returns.x.values[number])

    @property
    def first(self) -> float:
        """Where its first episode ended; infinite without any."""
        return self.step(0) if self.count else math.inf

    def nearest(self, step: float) -> int:
        """The episode that ended nearest to an environment step; -1 where there is none."""
        ends = self.history.returns.x.values[: self.count]
        if not self.count:
            return -1
        after = min(int(np.searchsorted(ends, step)), self.count - 1)
        return after - 1 if after and step - ends[after - 1] <= ends[after] - step else after

    def span(self, number: int, envs: int) -> tuple[int, int]:
        """Environment steps of the run when the episode began and ended, of `envs` that step together."""
        end, length = self.step(number), self.history.lengths.y.values[number]
        return max(0, end - int(length) * envs), end

    def same(self, other: RunEpisodes) -> bool:
        """The same run."""
        return (self.folder, self.name) == (other.folder, other.name)

    def title(self, number: int) -> str:
        """`Episode 812`, `Episode 812 of first try`."""
        return f"Episode {number + 1:,}" + (f" of {self.name}" if self.name else "")


@dataclass(frozen=True, slots=True, eq=False)
class PinnedEpisode:
    """One pinned episode.

    Attributes:
        stretch, number: the run in which it ended, and its index among the episodes of that run, from 0.
        trace: its seed and actions, and the environment steps of the run when it ended.
        checkpoint: the weights that play it: the last ones stored before it began, or the first ones of all.
        begin: environment steps of the run when it began.
        weights_changed: the weights changed while it was played.
        compared: it was played again to its end.
        differs: return or length were not those of the log.
    """

    run: RunEpisodes
    number: int
    trace: EpisodeTrace
    checkpoint: int
    begin: int
    weights_changed: bool
    compared: bool = False
    differs: bool = False

    @property
    def name(self) -> str:
        """`episode 812`."""
        title = self.run.title(self.number)
        return title[0].lower() + title[1:]

    def weights_words(self, step: int) -> str:
        """`weights of 60,000`, and whether they were stored during the episode or after it."""
        if step <= self.begin:
            return f"weights of {step:,}"
        return f"weights of {step:,}, " + ("stored during it" if step <= self.trace.step else "stored after it")

    def compare(self, playing: PlayedEpisode) -> PinnedEpisode:
        """The same with the result of a comparison: the episode was played again to its recorded end."""
        logged = float(self.run.history.returns.y.values[self.number])
        length = len(self.trace.actions)
        same = playing.ended and playing.length == length
        played_return = float(playing.reward.sum()) if playing.length else 0.0
        if same and math.isfinite(logged):
            same = math.isclose(played_return, logged, rel_tol=RETURN_TOLERANCE, abs_tol=RETURN_TOLERANCE)
        return replace(self, compared=True, differs=not same)


def nearest_checkpoint(steps: Sequence[int], begin: int) -> int | None:
    """Of stored steps, which rise: the last one before an episode began, or else the first; None of none."""
    if not steps:
        return None
    return steps[max(bisect_right(steps, begin) - 1, 0)]


def weights_changed_within(experiment: Experiment, history: History, begin: int, end: int) -> bool:
    """Whether weights changed between two environment steps: by the rows of learning, and by how often updates come."""
    loss = history.learned["loss"]
    first, stop = np.searchsorted(loss.x.values, [begin, end], "right")
    if np.isfinite(loss.y.values[first:stop]).any():
        return True
    learn, envs = experiment.learn, experiment.env.num_envs
    if learn.algorithm == "ppo":  # it updates after whole rollouts
        return end // (learn.rollout * envs) > begin // (learn.rollout * envs)
    every = max(learn.update_every, envs)
    return end >= learn.warmup and end // every > begin // every
