"""One open run: its state, what each state allows, its knobs and its counters. No widgets.

Buttons, menus and shortcuts read `Session.allowed`; they hold no rule of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from dqngui import messages as m
from dqngui import settings
from dqngui.config import ConfigError, Experiment, Schedule
from dqngui.gui.ledger import KnobLedger
from dqngui.gui.states import ALLOWED, Action, State
from dqngui.messages import Command, Event, Request
from dqngui.runs.folder import create, read_events

TICK_MS = 20
DRAIN_MS = 8.0


class Host(Protocol):
    """What the session needs of a host (see `dqngui.hosts`)."""

    def start(self) -> None: ...
    def send(self, command: Command) -> None: ...
    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]: ...
    @property
    def alive(self) -> bool: ...
    def join(self, timeout: float | None = None) -> bool: ...
    def kill(self) -> None: ...


def _open_host(kind: str, request: Request) -> Host:
    from dqngui.hosts import open_host

    return open_host(kind, request)


class Session(QObject):
    """One run, from an experiment to its end.

    Signals:
        changed: the state, the allowed actions or the experiment changed.
        received(list[Event]): the events of one tick, in order.
        knob(str): what is known about this knob changed (pending, answered, refused).
        cleared: a new run begins; everything drawn belongs to the former.
        weights(Weights): the weights that `request_weights` asked for.
        rewound(int): a resumed run goes on from this step; what was drawn behind it is lost.
    """

    changed = Signal()
    received = Signal(object)
    knob = Signal(str)
    cleared = Signal()
    weights = Signal(object)
    rewound = Signal(int)

    def __init__(
        self,
        experiment: Experiment,
        *,
        runs: Path | None = None,
        open_host: Callable[[str, Request], Host] = _open_host,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.experiment = experiment
        self.runs = runs
        self.problem = ""
        self.torch_loaded = False
        self.start_wanted = False
        self._open_host = open_host
        self._host: Host | None = None
        self._edits: dict[str, Any] = {}
        self._state = State.READY
        self._forget_run()
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    def _forget_run(self) -> None:
        """Counters and knobs of no run."""
        self.folder: Path | None = None
        self.device = ""
        self.parameters = 0
        self.step = 0
        self.learned: m.Learned | None = None
        self.checkpoint: int | None = None
        self.best: float | None = None
        self.failure: m.Failed | None = None
        self.notice = ""
        self.knobs = KnobLedger()
        self._reason = ""
        self._saved_at = time.monotonic()

    # -- what is so ------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._state

    @property
    def active(self) -> bool:
        """A job exists and must end before the window may close."""
        return self._host is not None

    @property
    def loading(self) -> bool:
        """A start was asked for and waits for torch."""
        return self._state is State.READY and self.start_wanted

    @property
    def allowed(self) -> frozenset[Action]:
        """What may be done now."""
        actions = ALLOWED[self._state]
        if self.problem or self.start_wanted:
            actions -= {Action.START}
        if not self.knobs.can_undo:
            actions -= {Action.UNDO_KNOB}
        if not self.resumable:
            actions -= {Action.RESUME_RUN}
        return actions

    @property
    def resumable(self) -> bool:
        """The run's folder holds a state to go on from."""
        return self.folder is not None and (self.folder / "resume").is_dir()

    @property
    def seconds_unsaved(self) -> float:
        """Seconds of training that quitting would lose: none if the run keeps a folder, since Stop saves."""
        if self.folder is not None or self._state not in (State.RUNNING, State.PAUSED):
            return 0.0
        return time.monotonic() - self._saved_at

    def value(self, path: str) -> Any:
        """The present value of a setting: a knob's last acknowledged one, or the experiment's."""
        if path in self.knobs.values:
            return self.knobs.values[path]
        if path in self._edits:
            return self._edits[path]
        return setting_value(self.experiment, path)

    # -- before a run ----------------------------------------------------------------------------

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the experiment; what does not fit is kept aside and named in `problem`."""
        if Action.EDIT not in self.allowed:
            return
        for slot in ("attention", "memory"):
            if f"net.{slot}" in changes:
                prefix = f"net.{slot}_options."
                self._edits = {path: value for path, value in self._edits.items() if not path.startswith(prefix)}
        self._edits |= changes
        try:
            self.experiment = settings.with_settings(self.experiment, self._edits)
        except ConfigError as error:
            self.problem = str(error)
        else:
            self.problem, self._edits = "", {}
        self.changed.emit()

    def load(self, experiment: Experiment) -> None:
        """Replace the experiment, keeping where and how it runs."""
        if Action.EDIT in self.allowed:
            run = self.experiment.run
            keep = {"run.device": run.device, "run.host": run.host, "run.seed": run.seed, "run.threads": run.threads}
            self._edits, self.problem = {}, ""
            self.experiment = settings.with_settings(experiment, keep)
            self.changed.emit()

    @Slot()
    def on_torch_loaded(self) -> None:
        """Torch can be used in this process; a remembered Start begins."""
        self.torch_loaded = True
        if self.start_wanted:
            self.start_wanted = False
            self.start()

    # -- actions ---------------------------------------------------------------------------------

    def do(self, action: Action) -> None:
        """Do an action of a button, menu or shortcut; one that is not allowed now does nothing."""
        if action in self.allowed:
            getattr(self, action.value)()

    def start(self) -> None:
        """Begin a new run (with a thread host, as soon as torch is loaded)."""
        if self.experiment.run.host != "process" and not self.torch_loaded:
            self.start_wanted = True
            self.changed.emit()
            return
        self._forget_run()
        self.cleared.emit()
        try:
            folder = self._new_folder()
        except OSError as error:
            self._fail(f"The run's folder cannot be made: {error.strerror or error}")
            return
        self.folder = folder
        self._run(Request(job="train", experiment=self.experiment, folder=str(folder) if folder else None))

    def _new_folder(self) -> Path | None:
        if self.runs is None:
            return None
        return create(self.runs, self.experiment)

    def resume_run(self) -> None:
        """Go on from the last checkpoint of the stopped or failed run."""
        folder = self.folder
        if folder is None:
            return
        self.failure, self.notice, self._reason = None, "", ""
        self._run(Request(job="train", folder=str(folder), resume=True))

    def new_run(self) -> None:
        """Back to a ready window with the same experiment."""
        self._forget_run()
        self._set_state(State.READY)
        self.cleared.emit()

    def pause(self) -> None:
        self._send(m.Pause())

    def unpause(self) -> None:
        self._send(m.Resume())

    def step_once(self) -> None:
        self._send(m.Step(until="step"))

    def step_update(self) -> None:
        self._send(m.Step(until="update"))

    def step_episode(self) -> None:
        self._send(m.Step(until="episode"))

    def save(self) -> None:
        self._send(m.SaveCheckpoint())

    def stop(self) -> None:
        """Save, then end."""
        self.start_wanted = False
        if self._host is not None and self._state is not State.STOPPING:
            self._set_state(State.STOPPING)
            self._send(m.Stop())

    def request_weights(self) -> None:
        """Ask the job for the weights that would be evaluated now; they come with `weights`."""
        self._send(m.SendWeights())

    def kill(self) -> None:
        """End the job without saving."""
        if self._host is not None:
            self._host.kill()

    # -- knobs -----------------------------------------------------------------------------------

    def set_knob(self, path: str, value: Any) -> None:
        """Ask the job for another value of a live setting; the answer comes as an event."""
        if Action.SET_KNOB in self.allowed:
            self.knobs.ask(path, value)
            self._send_knob(path, value)

    def undo_knob(self) -> None:
        """Ask for the value before the last change; history is not rewritten."""
        if (change := self.knobs.undo()) is not None:
            self._send_knob(*change)
            self.changed.emit()

    def _send_knob(self, path: str, value: Any) -> None:
        self._send(m.SetKnob(field=path, value=value))
        self.knob.emit(path)

    # -- the job ---------------------------------------------------------------------------------

    def _run(self, request: Request) -> None:
        self._set_state(State.STARTING)
        kind = self.experiment.run.host
        try:
            self._host = self._open_host(kind, request)
            self._host.start()
        except Exception as error:  # whatever a host does wrong, the window lives on and says so
            self._host = None
            self._fail(f"Training could not start: {error}", repr(error))
            return
        self._saved_at = time.monotonic()
        self._timer.start()

    def _send(self, command: Command) -> None:
        if self._host is not None:
            self._host.send(command)

    @Slot()
    def _tick(self) -> None:
        host = self._host
        if host is None:
            return
        events = host.drain(DRAIN_MS)
        if events:
            self._take(events)
            self.received.emit(events)
        if not host.alive and host.join(0.1):
            self._ended()

    def _ended(self) -> None:
        self._timer.stop()
        self._host = None
        for path in self.knobs.forget_asked():
            self.knob.emit(path)
        if self.failure is not None or self._reason == "failed":
            self._set_state(State.FAILED)
        else:
            self._set_state(State.STOPPED if self._reason == "stopped" else State.FINISHED)

    def _fail(self, text: str, details: str = "") -> None:
        self.failure = m.Failed(step=self.step, text=text, details=details)
        self._set_state(State.FAILED)

    def _set_state(self, state: State) -> None:
        self._state = state
        self.changed.emit()

    # -- events ----------------------------------------------------------------------------------

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            self.step = max(self.step, event.step)
            match event:
                case m.Learned():
                    self.learned = event
                case m.Evaluated(best=True):
                    self.best = event.mean
                case m.CheckpointSaved():
                    self.checkpoint, self._saved_at = event.step, time.monotonic()
                case m.KnobChanged():
                    self.knobs.accept(event, self.value(event.field))
                    self.knob.emit(event.field)
                    self.changed.emit()
                case m.KnobRefused():
                    self.knobs.refuse(event)
                    self.knob.emit(event.field)
                case m.Opened():
                    self._opened(event)
                case m.RunResumed():
                    self._resumed(event)
                case m.Paused() if self._state is State.RUNNING:
                    self._set_state(State.PAUSED)
                case m.Unpaused() if self._state is State.PAUSED:
                    self._set_state(State.RUNNING)
                case m.Weights():
                    self.weights.emit(event)
                case m.Warned():
                    self.notice = event.text
                    self.changed.emit()
                case m.Failed():
                    self.failure = event
                case m.Finished():
                    self._reason = event.reason

    def _opened(self, event: m.Opened) -> None:
        self.experiment = event.experiment
        self.folder = Path(event.folder) if event.folder else None
        self.device, self.parameters, self.step = event.device, event.parameters, event.step
        self.knobs.keep_only(path for path, value in self._scheduled(event.experiment))
        if self._state is State.STARTING:
            self._set_state(State.RUNNING)

    def _resumed(self, event: m.RunResumed) -> None:
        self.step = self.checkpoint = event.step
        if event.lost_steps:
            tweaks = f", and with them {'; '.join(event.lost_tweaks)}" if event.lost_tweaks else ""
            self.notice = f"Resumed from step {event.step:,}: {event.lost_steps:,} steps were lost{tweaks}."
            self._forget_lost_tweaks(event.step)
            self.rewound.emit(event.step)

    def _forget_lost_tweaks(self, step: int) -> None:
        """Scheduled knobs are as the log up to this step says; the others came with the experiment."""
        self.knobs.keep_only(())
        for event in read_events(self.folder) if self.folder is not None else ():
            if isinstance(event, m.KnobChanged) and event.step <= step:
                self.knobs.values[event.field] = event.new
        self.knobs.keep_only(path for path, _ in self._scheduled(self.experiment))

    @staticmethod
    def _scheduled(experiment: Experiment) -> Iterator[tuple[str, Schedule]]:
        for field in settings.live_fields():
            if isinstance(value := setting_value(experiment, field.path), Schedule):
                yield field.path, value


def setting_value(experiment: Experiment, path: str) -> Any:
    """The value of a setting by its dotted name, through structs and option dictionaries."""
    node: Any = experiment
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else getattr(node, name)
    return node
