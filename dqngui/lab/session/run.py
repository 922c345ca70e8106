"""The state of one run, from its events and its folder. It uses neither the job nor Qt.

`dqngui.lab.session.rules` decides which actions are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dqngui import messages as m
from dqngui import settings
from dqngui.config import ConfigError, Experiment, Schedule
from dqngui.jobs.branching import branch_point
from dqngui.lab.session.knob_ledger import KnobLedger
from dqngui.lab.session.states import State
from dqngui.messages import Event
from dqngui.runs.folder import summary_of
from dqngui.texts import Text, say


class RunState:
    """One run, live or stored.

    Attributes:
        experiment: the experiment at the start of the run; live knobs may have changed since (`value`, `present`).
        folder: folder of the run's files; None if it keeps none.
        device, parameters: the device it trains on, and the number of trainable parameters.
        step, learned, checkpoint, best: newest step, newest `Learned` event, saved step, best evaluation.
        forked_from: name of the run that this one was forked from; empty if it is no fork.
        trained_by: id of another process that trains this run now, 0 if it does not say it; None if there is none.
        failure, notice: the failure event, if it failed; what the user should know; empty if there is nothing.
        hits: the breakpoints that paused it; () after it continues.
        knobs: requested and answered changes of live knobs.
        end_reason: the reason in its `Finished` event; empty until then.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.knobs = KnobLedger()
        self.clear()

    def clear(self, *, keep_knobs: bool = False) -> None:
        """Reset everything except the experiment; `keep_knobs` keeps the values of the knobs, for a fork."""
        values = self.knobs.values if keep_knobs else {}
        self.folder: Path | None = None
        self.device = ""
        self.parameters = 0
        self.step = 0
        self.learned: m.Learned | None = None
        self.checkpoint: int | None = None
        self.best: float | None = None
        self.forked_from = ""
        self.trained_by: int | None = None
        self.failure: m.Failed | None = None
        self.notice: Text | str = ""
        self.hits: tuple[m.BreakpointHit, ...] = ()
        self.knobs = KnobLedger()
        self.knobs.values = values
        self.end_reason = ""
        self._knob_changes: list[m.KnobChanged] = []
        self._manual: dict[str, float] = {}  # scheduled knobs that were manual in the parent of this fork

    def clear_failure(self) -> None:
        """Clear failure, notice and end reason, before the run continues."""
        self.failure, self.notice, self.end_reason = None, "", ""

    # -- state -------------------------------------------------------------------------------------

    @property
    def saved(self) -> bool:
        """Whether the folder contains a resume state."""
        return self.folder is not None and (self.folder / "resume").is_dir()

    @property
    def resumable(self) -> bool:
        """Whether it was saved and no other process trains it."""
        return self.saved and self.trained_by is None

    @property
    def complete(self) -> bool:
        """Whether all steps are trained and saved."""
        return self.checkpoint is not None and self.checkpoint >= self.experiment.run.total_steps

    @property
    def end_state(self) -> State:
        """The final state of the run; valid after the job has ended."""
        if self.failure is not None or self.end_reason == "failed":
            return State.FAILED
        return State.STOPPED if self.end_reason == "stopped" else State.FINISHED

    @property
    def whole(self) -> bool:
        """Whether what it trained is saved where it has files; valid after the job has ended."""
        return self.end_state is not State.FAILED and (self.folder is None or self.resumable)

    def value(self, path: str) -> Any:
        """The present value of a setting: the knob's last accepted value, or else the experiment's."""
        if path in self.knobs.values:
            return self.knobs.values[path]
        return setting_value(self.experiment, path)

    def present(self, until: int | None = None) -> Experiment:
        """The experiment with the present values of the knobs, or those at step `until`; schedules are kept."""
        scheduled = {path for path, _ in _scheduled(self.experiment)}
        values: dict[str, Any] = {}
        for change in self._knob_changes:
            if change.field not in scheduled:
                values.setdefault(change.field, change.old)
                if until is None or change.step <= until:
                    values[change.field] = change.new
        try:
            return settings.with_settings(self.experiment, values, follow=False) if values else self.experiment
        except ConfigError:  # changes that do not fit together, in the log of a stranger
            return self.experiment

    # -- a stored run ------------------------------------------------------------------------------

    def open_folder(self, folder: Path, experiment: Experiment) -> Experiment:
        """Load the state of a stored run, and return the experiment with the saved values of its knobs."""
        self.experiment, self.folder = experiment, folder
        summary = summary_of(folder)
        if summary is not None:
            self.step, self.best = summary.step, summary.best
            self.trained_by = max(0, summary.pid) if summary.state == "running" else None
        saved = experiment
        try:
            self.checkpoint, saved = branch_point(folder)
            self.experiment = msgspec.structs.replace(experiment, run=saved.run)  # resuming may have lengthened it
        except ConfigError:
            pass  # never saved: it can still be viewed
        self.notice = self._stored_notice()
        return saved

    def _stored_notice(self) -> Text:
        if self.trained_by == 0:
            return say("stored.busy_somewhere")
        if self.trained_by is not None:
            return say("stored.busy", pid=self.trained_by)
        if self.checkpoint is None:
            return say("stored.never_saved")
        return say("stored.complete") if self.complete else say("stored.saved", step=self.checkpoint)

    # -- events ------------------------------------------------------------------------------------

    def advance(self, events: Sequence[Event]) -> Iterator[Event]:
        """Read steps and `Learned` events here, and yield all other events in order, for `note`.

        There may be thousands of events in one call; nearly all are ended episodes.
        """
        step = self.step
        for event in events:
            if event.step > step:
                step = event.step
            if isinstance(event, m.EpisodeEnded):
                continue
            if isinstance(event, m.Learned):
                self.learned = event
                continue
            self.step = step
            yield event
            step = self.step
        self.step = step

    def note(self, event: Event) -> None:
        """Update the state from one event."""
        match event:
            case m.Evaluated(best=True):
                self.best = event.ranking_score
            case m.CheckpointSaved():
                self.checkpoint = event.step
            case m.KnobChanged():
                self.knobs.accept(event, self.value(event.field))
                self._knob_changes.append(event)
            case m.KnobRefused():
                self.knobs.refuse(event)
            case m.Opened():
                self._note_opened(event)
            case m.RunResumed():
                self._note_resumed(event)
            case m.Forked():
                self._note_forked(event)
            case m.BreakpointHit():
                self.hits = (*self.hits, event)
            case m.Warned():
                self.notice = event.text
            case m.Failed():
                self.failure = event
            case m.Finished():
                self.end_reason = event.reason

    def _note_opened(self, event: m.Opened) -> None:
        self.experiment = event.experiment
        self.folder = Path(event.folder) if event.folder else None
        self.device, self.parameters, self.step = event.device, event.parameters, event.step
        self.hits = ()
        self.knobs.keep_only(path for path, value in _scheduled(event.experiment))

    def _note_resumed(self, event: m.RunResumed) -> None:
        self.step = self.checkpoint = event.step
        if event.lost_steps or event.lost_changes:
            self.notice = say("session.lost", step=event.step, lost=event.lost_steps)
            if event.lost_changes:
                self.notice = say(
                    "session.lost_with", step=event.step, lost=event.lost_steps, changes=event.lost_changes
                )
            self._forget_lost_changes(event.step, len(event.lost_changes))
            if self.folder is not None and (summary := summary_of(self.folder)) is not None:
                self.best = summary.best  # evaluations after the saved state are lost too

    def _forget_lost_changes(self, step: int, lost: int) -> None:
        """Drop the knob changes after the saved state. Knobs without a schedule have their values in the experiment."""
        kept = [change for change in self._knob_changes if change.step <= step]
        lost -= len(self._knob_changes) - len(kept)
        while lost > 0 and kept and kept[-1].step == step:  # changed while training was paused after the save
            kept.pop()
            lost -= 1
        self._knob_changes = kept
        self.knobs.keep_only(())
        self.knobs.values |= self._manual | {change.field: change.new for change in self._knob_changes}
        self.knobs.keep_only(path for path, _ in _scheduled(self.experiment))

    def _note_forked(self, event: m.Forked) -> None:
        self.forked_from = event.parent
        self._manual = dict(event.manual)
        self.knobs.values = dict(event.manual)
        if self.best is None and self.folder is not None and (summary := summary_of(self.folder)) is not None:
            self.best = summary.best  # such a fork keeps the best checkpoint too


def setting_value(experiment: Experiment, path: str) -> Any:
    """The value of a setting by its dotted name, through structs and option dictionaries."""
    node: Any = experiment
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else getattr(node, name)
    return node


def _scheduled(experiment: Experiment) -> Iterator[tuple[str, Schedule]]:
    """The live settings that follow a schedule, with their schedules."""
    for field in settings.live_fields():
        if isinstance(value := setting_value(experiment, field.path), Schedule):
            yield field.path, value
