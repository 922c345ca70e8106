"""The session: the run that the window shows, live or stored, and the actions on it. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.config import ConfigError, Experiment
from dqngui.hosts import OpenHost
from dqngui.hosts.elsewhere import is_elsewhere
from dqngui.hosts.log_reader import LogReader
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.session.draft import Draft
from dqngui.lab.session.history import History
from dqngui.lab.session.job import COMMANDS, TrainingJob, host_of_window
from dqngui.lab.session.launch import NOT_BEGUN, Launch, attachment, fork, new_run, resumption
from dqngui.lab.session.rules import ForkPlan, allowed_actions, fork_plan
from dqngui.lab.session.run import RunState
from dqngui.lab.session.run_trust import RunTrust
from dqngui.lab.session.states import ABOUT_NOW, Action, State, after
from dqngui.lab.session.stored_log import StoredLog
from dqngui.lab.session.unsaved import UnsavedTime
from dqngui.lab.session.waiting import WaitingAction
from dqngui.runs.folder import read_experiment
from dqngui.texts import Text, say

TICK_MS = 50  # a shorter interval would slow a training thread
READ_MS = 20  # while a log is read, nothing trains


class Session(QObject):
    """One run, from an experiment to its end, with its history and the draft of the next run.

    Attributes:
        run: the state of the run.
        job, log, trust: the training job, and a stored log while it is read; whether a stored run may import code.
        draft, runs: the edited experiment, which a fork or a new run would train; the folder for new runs, or None.
        history: the data that panels draw; a new object for each run and after `rewound`.
        ticker, torch_loaded: calls `tick` while events are expected; whether torch is imported in this process.
        waiting, after_stop: the action that waits for its environment or torch; what follows once the job has ended.

    Signals:
        changed: the state, the allowed actions, the experiment or its draft changed.
        cleared, received(list[Event]): another run is open, with an empty `history`; new events, added to `history`.
        rewound(int): the run continues from this earlier step; `history` ends there.
        knob(str), weights(Weights): this knob is pending, accepted or refused; weights that the job was asked for.
        message(Text, str): a sentence for the user, mostly why an action failed, and details for diagnostics.
    """

    changed = Signal()
    cleared = Signal()
    received = Signal(object)
    rewound = Signal(int)
    knob = Signal(str)
    weights = Signal(object)
    message = Signal(object, str)

    def __init__(
        self,
        experiment: Experiment,
        *,
        runs: Path | None = None,
        open_host: OpenHost = host_of_window,
        timing: Timing | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        timing = timing or Timing()
        self.run, self.runs = RunState(experiment), runs
        self.job, self.log = TrainingJob(open_host), StoredLog(timing.clock)
        self.draft, self.history, self.trust = Draft(experiment), History(), RunTrust()
        self.torch_loaded, self._state = False, State.READY
        self.waiting, self._unsaved = WaitingAction(), UnsavedTime()
        self.after_stop: Callable[[], None] | None = None
        self._launch: Launch | None = None  # kept until its job has begun
        self.ticker = TickTimer(TICK_MS, timing, parent=self)
        self.ticker.ticked.connect(self.tick)

    @property
    def state(self) -> State:
        """The state of the run."""
        return self._state

    @property
    def loading(self) -> bool:
        """Whether a start waits for torch."""
        return self.waiting.for_torch is not None

    @property
    def allowed(self) -> frozenset[Action]:
        """The actions that are allowed now."""
        trains, reading, waits = self.job.active, self.log.reading, self.waiting.action is not None
        actions = allowed_actions(self._state, self.run, self.draft, trains=trains, reading=reading, waiting=waits)
        return self.trust.limited(actions, self._state, self.draft.experiment.env)

    @property
    def fork_plan(self) -> ForkPlan:
        """The step where a fork would begin, or why no fork is possible."""
        return fork_plan(self.run, self.draft, trains=self.job.active)

    def value(self, path: str) -> Any:
        """The present value of a setting: a knob's last acknowledged one, or the experiment's."""
        editable = self._state is State.READY and path not in self.run.knobs.values
        return self.draft.value(path) if editable else self.run.value(path)

    def seconds_unsaved(self, now: float) -> float:
        """Seconds of training that quitting would lose; 0 if the run has a folder, since Stop saves it."""
        trains = self._state in (State.RUNNING, State.PAUSED)
        return self._unsaved.seconds(now) if trains and self.run.folder is None else 0.0

    def do(self, action: Action) -> None:
        """Do an action if it is allowed, or when what it needs is there: its environment was tried, torch is loaded."""
        if action not in self.allowed:
            return
        if self.waiting.hold(action, self.draft.experiment, torch_loaded=self.torch_loaded):
            self.changed.emit()
            self.waiting.begin_check()
            return
        if (command := COMMANDS.get(action)) is not None:
            self.job.send(command)
            if self.run.hits and isinstance(command, (m.Resume, m.Step)):
                self.run.hits = ()
                self.changed.emit()
        doing: dict[Action, Callable[[], None]] = {  # EDIT and SET_KNOB need more than their name: `edit`, `set_knob`
            Action.START: self.start,
            Action.START_DRAFT: partial(self._stop_then, partial(self.start, with_changes=True)),
            Action.RESUME_RUN: lambda: self._begin(resumption(self.run, self._state)),
            Action.TRAIN_ON: lambda: self._begin(resumption(self.run, self._state, self.waiting.total_steps)),
            Action.FORK: partial(self._stop_then, self._fork, save=True),
            Action.STOP: self.stop,
            Action.NEW_RUN: partial(self._stop_then, self.new_run),
            Action.UNDO_KNOB: self._undo_knob,
            Action.TRUST: lambda: self.show_message(self.trust.accept()),
            Action.DISCARD_DRAFT: lambda: self.change_draft(self.draft.reset),
        }
        doing.get(action, lambda: None)()
        if action is Action.TRUST:
            self.changed.emit()

    @Slot()
    def on_torch_loaded(self) -> None:
        """Note that torch is loaded, and do the action that waited for it."""
        self.torch_loaded = True
        if self.loading:
            self.do_waiting()

    def do_waiting(self, *, ready: bool = True) -> None:
        """Do the action that waits; with `ready=False` drop it, because what it waited for failed."""
        action = self.waiting.take()
        if action is not None and ready:
            self.do(action)
        self.changed.emit()

    def train_on(self, total_steps: int) -> None:
        """Resume a run that has made all of its steps, up to this number of steps."""
        self.waiting.total_steps = total_steps
        self.do(Action.TRAIN_ON)

    def start(self, *, with_changes: bool = False) -> None:
        """Start a new run at once; with `with_changes` of the draft, which then has no changes any more."""
        if with_changes:
            self.run.experiment = self.draft.accept()
        self._leave_run()
        self.cleared.emit()
        self._begin(new_run(self.runs, self.run, self._state))

    def _fork(self) -> None:
        self._begin(fork(self.runs, self.run, self.draft.forked(self.fork_plan.step), self._state))

    def new_run(self) -> None:
        """Close the run and prepare a new one with the edited experiment."""
        self._leave_run()
        if not self.draft.problem:
            self.run.experiment = self.draft.accept()
        self._set_state(State.READY)
        self.cleared.emit()

    def open_stored(self, folder: Path) -> bool:
        """Open a stored run, or watch one that trains elsewhere; False, with the reason in `message`, if that fails."""
        if self.job.active and not self.job.elsewhere:
            self.show_message(say("session.busy"))
            return False
        self.job.drop()
        try:
            experiment, reader = read_experiment(folder), LogReader(folder)
        except ConfigError as error:
            self.show_message(say("session.not_opened", problem=error))
            return False
        self._leave_run()
        self.trust.open(folder, experiment.env)
        self.draft.reset(self.run.open_folder(folder, experiment))
        if is_elsewhere(folder):
            self.cleared.emit()
            self._begin(attachment(self.run, folder, State.STORED))
            return True
        self.log.open(reader)
        self._state = State.STORED
        self.cleared.emit()
        self.changed.emit()
        self.ticker.start(READ_MS)
        return True

    def stop(self) -> None:
        """Save and end the training job; stop reading a log."""
        self.waiting.take()
        if self.log.close():
            self._on_log_ended()
        if self.job.active and self._state is not State.STOPPING:
            sent, self.after_stop = self.after_stop is not None, None
            self._set_state(State.STOPPING)
            if not sent:
                self.job.send(m.Stop())

    def close(self) -> None:
        """Save and end the training job, or leave it where it trains elsewhere; stop reading a log."""
        (self.job.leave if self.job.elsewhere else self.stop)()

    def kill(self) -> None:
        """End the job without saving."""
        self.job.kill()
        self.log.kill()

    def show_message(self, text: Text | str, details: str = "") -> None:
        """Show the user a sentence (see `message`), unless it is empty."""
        if text:
            self.message.emit(text, details)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Edit settings of the experiment before a run, later of the draft. `draft.problem` names an invalid value."""
        self.change_draft(partial(self.draft.edit, changes, new_agent=self._state is State.READY))

    def load(self, experiment: Experiment) -> None:
        """Replace the experiment, but keep device, host, seed and threads."""
        self.change_draft(partial(self.draft.load, experiment))

    def change_draft(self, edit: Callable[[], None]) -> None:
        """Change the draft with one of its methods, if it may be edited."""
        if Action.EDIT in self.allowed:
            edit()
            if self._state is State.READY and not self.draft.problem:
                self.run.experiment = self.draft.accept()
            self.changed.emit()

    def set_knob(self, path: str, value: Any) -> None:
        """Request a new value of a live knob; the answer comes as an event."""
        if Action.SET_KNOB in self.allowed:
            self.job.send(self.run.knobs.request(path, value))
            self.knob.emit(path)

    def _undo_knob(self) -> None:
        """Request the value before the last change; the history keeps both changes."""
        if (command := self.run.knobs.undo()) is not None:
            self.job.send(command)
            self.knob.emit(command.field)
            self.changed.emit()

    def break_at(self, hit: m.BreakpointHit) -> None:
        """Pause at a breakpoint that the window measured. It is not in the training log."""
        if Action.PAUSE in self.allowed:
            self.do(Action.PAUSE)
            self._take([hit])

    def _begin(self, launch: Launch) -> None:
        """Start a job. A failed launch leaves a resumed or forked run unchanged."""
        self._launch = launch
        try:
            request = launch.request()
            self._set_state(State.STARTING)
            self.job.start(launch.host, request)
        except Exception as error:  # any error of a host is shown; the window goes on
            text = say("session.not_started", problem=error)
            self.run.failure = m.Failed(step=self.run.step, text=text, details=repr(error))
            if not self._undo_launch():
                self._set_state(State.FAILED)
            return
        self._unsaved.restart()
        self.ticker.start(TICK_MS)

    def _stop_then(self, then: Callable[[], None], *, save: bool = False) -> None:
        """Call `then` once the present job has saved and ended, or is left elsewhere, where it saves first if asked."""
        if self.job.active:
            self.after_stop = then
            self._set_state(State.STARTING)
            if save and self.job.elsewhere:
                self.job.send(m.SaveCheckpoint())
            else:
                self.job.leave()
        else:
            then()

    @Slot(float)
    def tick(self, now: float) -> None:
        """Process new events; `now`: seconds of a monotonic clock."""
        self._unsaved.tick(now)
        self._take(self.log.drain() or self.job.drain())
        if self.log.end():
            self._on_log_ended()
        if self.job.end():
            self._on_job_ended()

    def _take(self, events: Sequence[m.Event]) -> None:
        """Update state and history from events, and emit them."""
        for event in self.run.advance(events):
            self._note(event)
        if knobs := {event.field for event in events if isinstance(event, m.KnobChanged)}:
            if self._state is not State.STORED:  # a stored run keeps its draft as it was opened
                self.draft.rebase(self.run.present())
            for path in knobs:
                self.knob.emit(path)
            self.changed.emit()
        if events:
            self.history.take(events)
            self.received.emit(events)

    def _note(self, event: m.Event) -> None:
        stored = self._state is State.STORED or self.job.catching_up
        if stored and isinstance(event, ABOUT_NOW):
            return
        if isinstance(event, m.Opened):
            self._leave_parent()
            if stored:
                self.trust.see(event.experiment.env)
            self.draft.rebase(event.experiment)
        self.run.note(event)
        if (state := after(self._state, event)) is not self._state:
            self._set_state(state)
        match event:
            case m.CheckpointSaved():
                self._unsaved.note_saved()
                if self.job.elsewhere and self.after_stop is not None:
                    self.job.leave()
            case m.KnobRefused():
                self.knob.emit(event.field)
            case m.RunResumed() if event.lost_steps or event.lost_changes:
                self.history = self.history.until(event.step)
                self.rewound.emit(event.step)
            case m.Weights():
                self.weights.emit(event)
            case m.BreakpointHit() | m.Warned() | m.Forked():
                self.changed.emit()

    def _leave_parent(self) -> None:
        """After the first event of a job: accept the launch. A fork replaces its parent only now."""
        launch, self._launch = self._launch, None
        if launch is not None and launch.forks:
            self.run.clear(keep_knobs=True)
            self.history = History()
            self.cleared.emit()

    def _leave_run(self) -> None:
        """Clear everything that belongs to the run."""
        if self.log.close():
            self.ticker.stop()
        self.waiting.take()
        self.after_stop = None
        self.run.clear()
        self.history = History()

    def _on_log_ended(self) -> None:
        self.ticker.stop()
        self.changed.emit()
        self.show_message(say("session.damaged_log", problem=self.log.problem) if self.log.problem else "")

    def _on_job_ended(self) -> None:
        run = self.run
        self.ticker.stop()
        for path in run.knobs.drop_unanswered():
            self.knob.emit(path)
        if self._undo_launch():
            return
        then, self.after_stop = self.after_stop, None
        state = run.end_state
        if self.job.elsewhere:
            state, run.trained_by = State.STORED if self.job.left else state, None
        if state is State.FAILED:
            self.draft.rebase(run.present(run.checkpoint))
        if then is None or not (self.job.left or run.whole):
            self._set_state(state)
        else:
            self._state = state
            then()

    def _undo_launch(self) -> bool:
        """Restore the run after a failed resume or fork, and show the reason; returns whether there was one."""
        launch, self._launch = self._launch, None
        if launch is None or not launch.undo():
            return False
        self._set_state(launch.state)
        if launch.failure is not None:
            self.show_message(say(NOT_BEGUN[launch.what], problem=launch.failure.text), launch.failure.details)
        return True

    def _set_state(self, state: State) -> None:
        self._state = state
        self.changed.emit()
