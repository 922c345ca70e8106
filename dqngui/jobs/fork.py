"""A fork: training that begins where another run's last saved state stands, with some settings changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.branching import check_branch, difference_message, differences, present, stays_whole
from dqngui.jobs.training import Training, counters_of
from dqngui.learning.counters import Counters, next_multiple
from dqngui.messages import Forked
from dqngui.runs.resume import LogMark, Stored, branch, load_resume
from dqngui.texts import Text


@dataclass(frozen=True, slots=True)
class Fork:
    """What a run branches off from, and how.

    Attributes:
        folder: the parent's.
        stored: its state.
        began: the parent's experiment, with the live settings as they stood in that state.
        experiment: the fork's.
    """

    folder: Path
    stored: Stored
    began: Experiment
    experiment: Experiment

    @property
    def whole(self) -> bool:
        """The whole training is taken over, not only parameters that fit."""
        return all(stays_whole(path) for path, _, _ in differences(self.began, self.experiment))

    def mark(self, folder: Path) -> LogMark:
        """Prepare the fork's own folder. Raises ConfigError, OSError."""
        return branch(folder, self.folder, self.stored, whole=self.whole)

    def begin(self, training: Training, warnings: list[Text]) -> Forked:
        """Bring `training` to where the fork begins; adds what could not be brought back to `warnings`."""
        meta = self.stored.meta
        layout = [name for name, _ in training.learner.layout]
        parts = training.algorithm.parts
        if self.whole:
            warnings += training.restore(self.stored.arrays, self._carried(meta))
            kept, fresh = [*parts, *layout], []
        else:
            names, missing = training.inherit(self.stored.arrays, self._carried(meta))
            kept, fresh = names, [*parts, *missing]
        return Forked(
            step=training.counters.step,
            parent=Path(self.folder).absolute().name,
            changes=tuple(difference_message(*change) for change in differences(self.began, self.experiment)),
            kept=tuple(kept),
            fresh=tuple(fresh),
            manual=dict(training.knobs.manual),
        )

    def _carried(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """The parent's plain state with the fork's settings in it."""
        manual = dict(meta["knobs"]["manual"])
        if self.experiment.learn.epsilon != self.began.learn.epsilon:
            manual.pop("learn.epsilon", None)  # whoever writes a schedule wants it
        knobs = {"learn": msgspec.to_builtins(self.experiment.learn), "manual": manual}
        counters = counters_of(meta)
        _follow_periods(counters, self.began, self.experiment)
        return {**meta, "knobs": knobs, "counters": counters.saved()}


def load_fork(folder: Path, experiment: Experiment) -> Fork:
    """A fork of the run in `folder`; changes nothing. Raises ConfigError."""
    stored = load_resume(folder, best=True)
    check_branch(folder, stored.mark.step, experiment)
    fork = Fork(folder, stored, present(folder, stored.experiment, stored.meta), experiment)
    if not fork.whole and "layout" not in stored.meta:
        raise ConfigError("fork.old_version", folder=folder)
    return fork


def _follow_periods(count: Counters, old: Experiment, new: Experiment) -> None:
    """Let what is due by a changed period be due by the new one; an evaluation that is due already stays so."""
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
        count.next_evaluation = next_multiple(step, new.run.eval_every)
