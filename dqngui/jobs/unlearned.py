"""Warnings that a run learns nothing, or not from all of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dqngui.jobs.training import Training
from dqngui.learning.acting import FinishedEpisode
from dqngui.messages import Warned
from dqngui.texts import say

_LATER_STEPS = "later steps"


class UnlearnedSteps:
    """Watches a training run for steps that are never learned, and warns of each kind once in a run.

    Attributes:
        warned: the kinds that the run was warned of; they are saved with its state.
        updates: updates before this run began, which are those of the parent in a fork.
    """

    def __init__(self) -> None:
        self.warned: set[str] = set()
        self.updates = 0

    def restore(self, warned: Iterable[str]) -> None:
        """Go on after the warnings of a saved state."""
        self.warned = set(warned)

    def check(self, training: Training, episodes: Sequence[FinishedEpisode]) -> Iterator[Warned]:
        """Warnings after a vector step and the episodes that it ended."""
        experiment, count = training.experiment, training.counters
        starved = None if count.starved else training.algorithm.starvation(experiment)
        if starved is not None:
            count.starved = True
            yield Warned(step=count.step, text=starved)
        if experiment.learn.window_from != "start" or training.algorithm.in_rollouts or _LATER_STEPS in self.warned:
            return
        longest = max((episode.length for episode in episodes), default=0)
        if longest > experiment.learn.window:
            self.warned.add(_LATER_STEPS)
            text = say("train.later_steps", window=experiment.learn.window, length=longest)
            yield Warned(step=count.step, text=text)

    def check_end(self, training: Training) -> Iterator[Warned]:
        """A warning at the end of a run that made no update, unless the reason was told already."""
        count, learn = training.counters, training.experiment.learn
        if count.updates != self.updates or count.starved:
            return
        text = say("train.no_update", steps=count.step, warmup=learn.warmup, window=learn.window)
        if training.algorithm.in_rollouts:
            text = say("train.no_update_rollout", steps=count.step, rollout=learn.rollout, envs=len(training.envs))
        yield Warned(step=count.step, text=text)
