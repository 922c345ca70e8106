"""A run and what was edited beside it: settings that are fixed in it and wait for a fork or a new run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject

from dqngui import settings
from dqngui.config import Experiment
from dqngui.lab.session.draft import Changes, Draft
from dqngui.lab.session.job import SteeredRun
from dqngui.lab.session.run import setting_value
from dqngui.lab.session.states import Action, State


class DraftedRun(SteeredRun):
    """A run with the draft of its fork; before it begins, the draft is the experiment."""

    def __init__(self, experiment: Experiment, parent: QObject | None = None) -> None:
        super().__init__(experiment, parent)
        self._draft = Draft(experiment)

    @property
    def problem(self) -> str:
        """The first edit that does not fit, as a sentence; empty if all fit."""
        return self._draft.problem

    @property
    def draft(self) -> Changes:
        """What a fork would change: (old, new) by setting. Before a run there is none: edits are in force at once."""
        return {} if self._state is State.READY else self._draft.changes

    @property
    def proposed(self) -> Experiment:
        """The experiment that a fork or a new run would train."""
        return self._draft.experiment

    def proposed_value(self, path: str) -> Any:
        """What the form shows: a setting as it was edited last, whether it fits or not."""
        return self._draft.value(path, setting_value(self.proposed, path))

    def value(self, path: str) -> Any:
        """The present value of a setting: a knob's last acknowledged one, or the experiment's."""
        if self._state is State.READY and path not in self.knobs.values:
            return self.proposed_value(path)
        return super().value(path)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Change settings: of the experiment before a run, else of the draft. What does not fit is in `problem`."""
        if Action.EDIT in self.allowed:
            self._draft.edit(changes)
            self._edited()

    def load(self, experiment: Experiment) -> None:
        """Replace the experiment, keeping where and how it runs."""
        if Action.EDIT in self.allowed:
            run = self.proposed.run
            keep = {"run.device": run.device, "run.host": run.host, "run.seed": run.seed, "run.threads": run.threads}
            self._draft.replace(settings.with_settings(experiment, keep))
            self._edited()

    def discard_draft(self) -> None:
        """Forget all edits."""
        self._draft = Draft(self._draft.base)
        self.changed.emit()

    def _edited(self) -> None:
        if self._state is State.READY and not self.problem:
            self.experiment = self.proposed
            self._draft = Draft(self.experiment)
        self.changed.emit()

    def _knobs_moved(self) -> None:
        if self._state is not State.STORED:  # its draft begins where it was saved
            self._draft.rebase(self.present())
