"""A fork: a run that continues another run's last saved state with some settings changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.branching import check_branch, difference_message, differences, present, stays_whole
from dqngui.jobs.saved_state import check_meta, damage_named
from dqngui.jobs.training import Training, counters_of
from dqngui.learning.counters import Counters, next_evaluation, next_multiple
from dqngui.messages import Forked
from dqngui.runs.resume import LogMark, Stored, load_resume
from dqngui.runs.rewinding import branch
from dqngui.texts import Text


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork that has not started yet: the parent run's state and the fork's own experiment.

    Attributes:
        folder: of the parent run.
        stored: its last saved state.
        began: the parent's experiment, with the live settings of that state.
        experiment: the fork's experiment.
    """

    folder: Path
    stored: Stored
    began: Experiment
    experiment: Experiment

    @property
    def whole(self) -> bool:
        """Whether the whole training is copied, and not only the parameters that fit."""
        return all(stays_whole(path) for path, _, _ in differences(self.began, self.experiment))

    def mark(self, folder: Path) -> LogMark:
        """Prepare the fork's own folder. Raises ConfigError, OSError."""
        return branch(folder, self.folder, self.stored, whole=self.whole)

    def load(self, training: Training) -> tuple[list[str], list[str]]:
        """Bring `training` to the state from which the fork continues; no environment moves.

        Returns the names of what was taken over, and of what begins anew. Raises ConfigError for a damaged state.
        """
        meta = self.stored.meta
        parts = training.algorithm.parts
        with damage_named(self.folder):
            check_meta(meta)
            if self.whole:
                training.load(self.stored.arrays, self._carried(meta), self.stored.segments or ())
                return [*parts, *(name for name, _ in training.learner.layout)], []
            names, missing = training.inherit(self.stored.arrays, self._carried(meta))
            return names, [*parts, *missing]

    def begin(self, training: Training, taken: tuple[list[str], list[str]], warnings: list[Text]) -> Forked:
        """Start the episodes after `load`, which returned `taken`; adds what was not restored to `warnings`."""
        if self.whole:
            warnings += training.go_on()
        else:
            training.begin()
        kept, fresh = taken
        return Forked(
            step=training.counters.step,
            parent=Path(self.folder).absolute().name,
            changes=tuple(difference_message(*change) for change in differences(self.began, self.experiment)),
            kept=tuple(kept),
            fresh=tuple(fresh),
            manual=dict(training.knobs.manual),
        )

    def _carried(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """The plain data of the parent's state, with the fork's settings."""
        manual = dict(meta["knobs"]["manual"])
        for path in [path for path, _, _ in differences(self.began, self.experiment)]:
            manual.pop(path, None)  # a new schedule replaces a value set by hand
        learn, derived = msgspec.to_builtins(self.experiment.learn), list(self.experiment.derived)
        knobs = {"learn": learn, "manual": manual, "derived": derived}
        counters = counters_of(meta)
        _follow_periods(counters, self.began, self.experiment)
        return {**meta, "knobs": knobs, "counters": counters.saved()}


def load_fork(folder: Path, experiment: Experiment) -> Fork:
    """Read a fork of the run in `folder`, without changing anything. Raises ConfigError."""
    stored = load_resume(folder, best=True)
    check_branch(folder, stored.mark.step, experiment)
    fork = Fork(folder, stored, present(folder, stored.experiment, stored.meta), experiment)
    if not fork.whole and "layout" not in stored.meta:
        raise ConfigError("fork.old_version", folder=folder)
    return fork


def _follow_periods(count: Counters, old: Experiment, new: Experiment) -> None:
    """Move the next steps at which things are due to the new periods; an evaluation that is due already stays due."""
    step = count.step
    if new.learn.update_every != old.learn.update_every:
        count.next_update = min(count.next_update, max(count.learn_from, step + new.learn.update_every))
    if new.learn.target_every != old.learn.target_every:
        count.next_copy = min(count.next_copy, next_multiple(step, new.learn.target_every))
    if new.run.log_every != old.run.log_every:
        count.next_row = next_multiple(step, new.run.log_every)
    if new.run.checkpoint_every != old.run.checkpoint_every:
        count.next_checkpoint = next_multiple(step, new.run.checkpoint_every)
    due = old.run.eval_every and count.next_evaluation <= step
    if new.run.eval_every != old.run.eval_every and new.run.eval_every and not due:
        count.next_evaluation = next_evaluation(step, count.evaluation_steps, new.run)
