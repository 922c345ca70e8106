"""A pinned training episode: which one it is, which weights replay it, and whether the replay equals the log."""

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
from dqngui.texts import Text, say

RETURN_TOLERANCE = 1e-6  # relative and absolute; two sums of the same rewards may differ by rounding


@dataclass(frozen=True, slots=True)
class RunEpisodes:
    """The training episodes of one run.

    Attributes:
        folder: folder of the run; None if it keeps no files.
        name: name of an ancestor of the open run; empty for the open run itself.
        history: the curves of the run.
        count: number of its episodes; of an ancestor only those before the fork.
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
        """Environment step at which its first episode ended; infinite without episodes."""
        return self.step(0) if self.count else math.inf

    def nearest(self, step: float) -> int:
        """Number of the episode that ended nearest to an environment step; -1 if there are no episodes."""
        ends = self.history.returns.x.values[: self.count]
        if not self.count:
            return -1
        after = min(int(np.searchsorted(ends, step)), self.count - 1)
        return after - 1 if after and step - ends[after - 1] <= ends[after] - step else after

    def span(self, number: int, envs: int) -> tuple[int, int]:
        """Environment steps at which the episode began and ended; `envs` environments run in parallel."""
        end, length = self.step(number), self.history.lengths.y.values[number]
        return max(0, end - int(length) * envs), end

    def same(self, other: RunEpisodes) -> bool:
        """Whether this is the same run."""
        return (self.folder, self.name) == (other.folder, other.name)

    def title(self, number: int) -> Text:
        """`Episode 812`, `Episode 812 of first try`."""
        if self.name:
            return say("pin.episode_of", number=number + 1, run=self.name)
        return say("pin.episode", number=number + 1)


@dataclass(frozen=True, slots=True, eq=False)
class PinnedEpisode:
    """One pinned episode.

    Attributes:
        run, number: the run in which it ended, and its index among the episodes of that run, from 0.
        trace: its seed and actions, and the environment steps of the run when it ended.
        checkpoint: step of the weights that replay it: the last checkpoint before it began, or else the first of all.
        begin: environment step of the run at which it began.
        weights_changed: the weights changed while it was played.
        compared: the replay has reached the end and was compared with the log.
        differs: the return or the length of the replay differs from the log.
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
    def name(self) -> Text:
        """`pinned · episode 812`, `pinned · episode 812 of first try`."""
        if self.run.name:
            return say("pin.pinned_of", number=self.number + 1, run=self.run.name)
        return say("pin.pinned", number=self.number + 1)

    def weights_text(self, step: int) -> Text:
        """`seen by the checkpoint of step 60,000`, with a note if they were stored during or after the episode."""
        if step <= self.begin:
            return say("pin.weights", step=step)
        return say("pin.weights_during" if step <= self.trace.step else "pin.weights_after", step=step)

    def compare(self, playing: PlayedEpisode) -> PinnedEpisode:
        """A copy with the result of comparing a complete replay with the log."""
        logged = float(self.run.history.returns.y.values[self.number])
        length = len(self.trace.actions)
        same = playing.ended and playing.length == length
        played_return = float(playing.reward.sum()) if playing.length else 0.0
        if same and math.isfinite(logged):
            same = math.isclose(played_return, logged, rel_tol=RETURN_TOLERANCE, abs_tol=RETURN_TOLERANCE)
        return replace(self, compared=True, differs=not same)


def nearest_checkpoint(steps: Sequence[int], begin: int) -> int | None:
    """The last of ascending checkpoint steps before an episode began, or the first; None without checkpoints."""
    if not steps:
        return None
    return steps[max(bisect_right(steps, begin) - 1, 0)]


def weights_changed_within(experiment: Experiment, history: History, begin: int, end: int) -> bool:
    """Whether the weights changed between two environment steps, by the logged updates and by the update interval."""
    loss = history.learned["loss"]
    first, stop = np.searchsorted(loss.x.values, [begin, end], "right")
    if np.isfinite(loss.y.values[first:stop]).any():
        return True
    learn, envs = experiment.learn, experiment.env.num_envs
    if learn.algorithm == "ppo":  # it updates after whole rollouts
        return end // (learn.rollout * envs) > begin // (learn.rollout * envs)
    every = max(learn.update_every, envs)
    return end >= learn.warmup and end // every > begin // every
