"""What is known of one run: its state, counters and knobs, as its events tell them. No widgets, no job.

`Session` adds what may be done with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from dqngui import messages as m
from dqngui import settings
from dqngui.config import Experiment, Schedule
from dqngui.lab.session.knob_ledger import KnobLedger
from dqngui.lab.session.states import State
from dqngui.messages import Event
from dqngui.runs.folder import summary_of


class RunState(QObject):
    """One run, live or stored.

    Attributes:
        experiment: as asked for; live knobs may have moved since (`value`, `present`).
        folder: where it keeps its files; None: nowhere.
        step, learned, checkpoint, best: newest step, row of the learning curves, saved step, best evaluation.
        forked_from: name of the run that this one branched from; empty if it is none's branch.
        failure, notice: why it failed; a sentence that the user should know.
        hits: the breakpoints that it pauses at; () once it has gone on.

    Signals:
        changed: the state, the allowed actions or the experiment changed.
        knob(str): what is known about this knob changed (pending, answered, refused).
        weights(Weights): the weights that `request_weights` asked for.
        rewound(int): a resumed run goes on from this step; what was drawn behind it is lost.
    """

    changed = Signal()
    knob = Signal(str)
    weights = Signal(object)
    rewound = Signal(int)

    def __init__(self, experiment: Experiment, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.experiment = experiment
        self._state = State.READY
        self._forget_run()

    def _forget_run(self) -> None:
        """Counters and knobs of no run."""
        self.folder: Path | None = None
        self.device = ""
        self.parameters = 0
        self.step = 0
        self.learned: m.Learned | None = None
        self.checkpoint: int | None = None
        self.best: float | None = None
        self.forked_from = ""
        self.failure: m.Failed | None = None
        self.notice = ""
        self.hits: tuple[m.BreakpointHit, ...] = ()
        self.knobs = KnobLedger()
        self._tweaks: list[m.KnobChanged] = []
        self._manual: dict[str, float] = {}  # schedules that a fork took over as moved by hand
        self._reason = ""
        self._saved_at = time.monotonic()

    @property
    def state(self) -> State:
        return self._state

    def value(self, path: str) -> Any:
        """The present value of a setting: a knob's last acknowledged one, or the experiment's."""
        if path in self.knobs.values:
            return self.knobs.values[path]
        return setting_value(self.experiment, path)

    def present(self, until: int | None = None) -> Experiment:
        """The experiment with the knobs as they are now (or were at a step); a schedule stays a schedule."""
        scheduled = {path for path, _ in _scheduled(self.experiment)}
        values: dict[str, Any] = {}
        for tweak in self._tweaks:
            if tweak.field not in scheduled:
                values.setdefault(tweak.field, tweak.old)
                if until is None or tweak.step <= until:
                    values[tweak.field] = tweak.new
        return settings.with_settings(self.experiment, values) if values else self.experiment

    def _set_state(self, state: State) -> None:
        self._state = state
        self.changed.emit()

    # -- events ----------------------------------------------------------------------------------

    def _take(self, events: Sequence[Event]) -> None:
        """Note what events tell; there may be thousands of them in one tick."""
        tweaks = len(self._tweaks)
        step = self.step
        for event in events:
            if event.step > step:
                step = event.step
            if isinstance(event, m.EpisodeEnded):  # by far the most
                continue
            if isinstance(event, m.Learned):
                self.learned = event
                continue
            self.step = step
            self._note(event)
            step = self.step
        self.step = step
        if len(self._tweaks) > tweaks:
            self._knobs_moved()
            for path in {tweak.field for tweak in self._tweaks[tweaks:]}:
                self.knob.emit(path)
            self.changed.emit()

    def _note(self, event: Event) -> None:
        match event:
            case m.Evaluated(best=True):
                self.best = event.judged
            case m.CheckpointSaved():
                self.checkpoint, self._saved_at = event.step, time.monotonic()
            case m.KnobChanged():
                self.knobs.accept(event, self.value(event.field))
                self._tweaks.append(event)
            case m.KnobRefused():
                self.knobs.refuse(event)
                self.knob.emit(event.field)
            case m.Opened():
                self._opened(event)
            case m.RunResumed():
                self._resumed(event)
            case m.Forked():
                self._forked(event)
            case m.BreakpointHit() if self._state is not State.STORED:
                self.hits = (*self.hits, event)
                self.changed.emit()
            case m.Paused() if self._state is State.RUNNING:
                self._set_state(State.PAUSED)
            case m.Unpaused() if self._state is State.PAUSED:
                self._set_state(State.RUNNING)
            case m.Weights():
                self.weights.emit(event)
            case m.Warned() if self._state is not State.STORED:
                self.notice = event.words
                self.changed.emit()
            case m.Failed():
                self.failure = event
            case m.Finished():
                self._reason = event.reason

    def _knobs_moved(self) -> None:
        """Knobs were acknowledged; `_tweaks` has them."""

    def _opened(self, event: m.Opened) -> None:
        self.experiment = event.experiment
        self.folder = Path(event.folder) if event.folder else None
        self.device, self.parameters, self.step = event.device, event.parameters, event.step
        self.hits = ()
        self.knobs.keep_only(path for path, value in _scheduled(event.experiment))
        if self._state is State.STARTING:
            self._set_state(State.RUNNING)

    def _resumed(self, event: m.RunResumed) -> None:
        self.step = self.checkpoint = event.step
        if event.lost_steps or event.lost_tweaks:
            tweaks = f", and with them {'; '.join(event.tweaks_in_words)}" if event.lost_tweaks else ""
            self.notice = f"Resumed from step {event.step:,}: {event.lost_steps:,} steps were lost{tweaks}."
            self._forget_lost_tweaks(event.step, len(event.lost_tweaks))
            if self.folder is not None and (summary := summary_of(self.folder)) is not None:
                self.best = summary.best  # an evaluation behind the saved state is lost too
            self.rewound.emit(event.step)

    def _forget_lost_tweaks(self, step: int, lost: int) -> None:
        """Scheduled knobs are as the tweaks before the saved state say; the others came with the experiment."""
        kept = [tweak for tweak in self._tweaks if tweak.step <= step]
        lost -= len(self._tweaks) - len(kept)
        while lost > 0 and kept and kept[-1].step == step:  # made while it paused, after it was saved there
            kept.pop()
            lost -= 1
        self._tweaks = kept
        self.knobs.keep_only(())
        self.knobs.values |= self._manual | {tweak.field: tweak.new for tweak in self._tweaks}
        self.knobs.keep_only(path for path, _ in _scheduled(self.experiment))

    def _forked(self, event: m.Forked) -> None:
        self.forked_from = event.parent
        self._manual = dict(event.manual)
        self.knobs.values = dict(event.manual)
        if self.best is None and self.folder is not None and (summary := summary_of(self.folder)) is not None:
            self.best = summary.best  # a fork that keeps all of the training keeps its best checkpoint too
        self.changed.emit()


def setting_value(experiment: Experiment, path: str) -> Any:
    """The value of a setting by its dotted name, through structs and option dictionaries."""
    node: Any = experiment
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else getattr(node, name)
    return node


def _scheduled(experiment: Experiment) -> Iterator[tuple[str, Schedule]]:
    for field in settings.live_fields():
        if isinstance(value := setting_value(experiment, field.path), Schedule):
            yield field.path, value
