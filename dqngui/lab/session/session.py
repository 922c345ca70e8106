"""One open run, live or stored, and what may be done with it. No widgets.

Buttons, menus and shortcuts read `Session.allowed`; they hold no rule of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from dqngui import messages as m
from dqngui.config import ConfigError, Experiment
from dqngui.hosts.log_reader import LogReader
from dqngui.jobs.branching import branch_point
from dqngui.lab.session.attempt import Attempt
from dqngui.lab.session.draft import Draft
from dqngui.lab.session.drafted_run import DraftedRun
from dqngui.lab.session.job import DRAIN_MS, Host, host_of_window
from dqngui.lab.session.states import ALLOWED, Action, State
from dqngui.messages import Request
from dqngui.runs.folder import create, read_experiment, summary_of

TICK_MS = 50  # often enough for curves and answers; every wake-up takes the interpreter from a training thread
READ_MS = 20  # while a log is read, nothing trains
_WAIT_FOR_TORCH = {Action.START, Action.RESUME_RUN, Action.FORK, Action.START_DRAFT}
_WHOLE_LOG = {Action.RESUME_RUN, Action.FORK, Action.START_DRAFT}


class Session(DraftedRun):
    """One run, from an experiment to its end, with the draft of the next.

    Signals (besides those of `SteeredRun`):
        cleared: another run begins; everything drawn belongs to the former.
        told(str, str): a sentence about something that was asked for and not done, with details for diagnostics.
    """

    cleared = Signal()
    told = Signal(str, str)

    def __init__(
        self,
        experiment: Experiment,
        *,
        runs: Path | None = None,
        open_host: Callable[[str, Request], Host] = host_of_window,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(experiment, parent)
        self.runs = runs
        self.torch_loaded = False
        self._wanted: Action | None = None
        self._open_host = open_host
        self._reader: LogReader | None = None
        self._then: Callable[[], None] | None = None  # once the present job has ended
        self._attempt: Attempt | None = None
        self._trained_by = 0
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    # -- what is so ------------------------------------------------------------------------------

    @property
    def loading(self) -> bool:
        """A start was asked for and waits for torch."""
        return self._wanted is not None

    @property
    def loading_share(self) -> float:
        """How much of a stored run's log was read, 0…1."""
        return 1.0 if self._reader is None else self._reader.share

    @property
    def allowed(self) -> frozenset[Action]:
        """What may be done now."""
        actions = ALLOWED[self._state]
        if self.problem:
            actions -= {Action.START, Action.FORK, Action.START_DRAFT}
        if self.loading:
            actions -= _WAIT_FOR_TORCH
        if self._reader is not None:
            actions -= _WHOLE_LOG
        if not self.knobs.can_undo:
            actions -= {Action.UNDO_KNOB}
        if Action.RESUME_RUN in actions and (not self.resumable or self._complete):
            actions -= {Action.RESUME_RUN}
        if Action.FORK in actions and self.fork_problem:
            actions -= {Action.FORK}
        if not self.draft:
            actions -= {Action.START_DRAFT, Action.DISCARD_DRAFT}
        return actions

    @property
    def resumable(self) -> bool:
        """The run's folder holds a state to go on from, and nobody else is writing it."""
        return self._saved and not self._trained_by

    @property
    def _complete(self) -> bool:
        return self.checkpoint is not None and self.checkpoint >= self.experiment.run.total_steps

    @property
    def _saved(self) -> bool:
        return self.folder is not None and (self.folder / "resume").is_dir()

    @property
    def fork_step(self) -> int:
        """The step at which a fork would begin: now of a run that trains, else where it was saved."""
        return self.step if self.active or self.checkpoint is None else self.checkpoint

    @property
    def fork_problem(self) -> str:
        """Why no fork can be made, as a sentence; empty if one can."""
        if self.folder is None:
            return "This run keeps no files, so there is nothing to fork."
        if not self.active and not self._saved:
            return "This run was never saved, so there is nothing to fork."
        total = self.proposed.run.total_steps
        if not self.active and total <= self.fork_step:
            return f"The run has made all of its {total:,} steps. Raise Total steps to fork it."
        return ""

    @property
    def seconds_unsaved(self) -> float:
        """Seconds of training that quitting would lose: none if the run keeps a folder, since Stop saves."""
        if self.folder is not None or self._state not in (State.RUNNING, State.PAUSED):
            return 0.0
        return time.monotonic() - self._saved_at

    # -- beginning and ending --------------------------------------------------------------------

    @Slot()
    def on_torch_loaded(self) -> None:
        """Torch can be used in this process; a remembered Start begins."""
        self.torch_loaded = True
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.do(wanted)

    def _waits_for_torch(self, action: Action) -> bool:
        """Remember an action that needs torch in this process before it is loaded."""
        if self.torch_loaded or self.proposed.run.host == "process":
            return False
        self._wanted = action
        self.changed.emit()
        return True

    def do(self, action: Action) -> None:
        """Do an action of a button, menu or shortcut; one that is not allowed now does nothing."""
        if action in self.allowed:
            getattr(self, action.value)()

    def start(self) -> None:
        """Begin a new run (with a thread host, as soon as torch is loaded)."""
        if self._waits_for_torch(Action.START):
            return
        self._forget_former()
        self.cleared.emit()
        try:
            folder = create(self.runs, self.experiment) if self.runs is not None else None
        except (OSError, ConfigError) as error:
            self._fail(f"The run's folder cannot be made: {_reason(error)}")
            return
        self.folder = folder
        request = Request(job="train", experiment=self.experiment, folder=str(folder) if folder else None)
        self._run(request, self.experiment)

    def start_draft(self) -> None:
        """Stop and save this run, then begin a new one with the draft's experiment."""
        if not self._waits_for_torch(Action.START_DRAFT):
            self._after_stop(self._start_proposed)

    def _start_proposed(self) -> None:
        self.experiment = self.proposed
        self._draft = Draft(self.experiment)
        self.start()

    def resume_run(self) -> None:
        """Go on from the last checkpoint of the stopped, failed or stored run."""
        folder = self.folder
        if folder is None or self._waits_for_torch(Action.RESUME_RUN):
            return
        if self._state is State.STORED:
            self._attempt = Attempt("resumed", State.STORED, self.failure, self.notice)
        self.failure, self.notice, self._reason = None, "", ""
        self._run(Request(job="train", folder=str(folder), resume=True), self.experiment)

    def fork(self) -> None:
        """Branch: a run of its own goes on from this one's present state with the draft's experiment."""
        if not self._waits_for_torch(Action.FORK):
            self._after_stop(self._fork)

    def _fork(self) -> None:
        parent, experiment, back_to = self.folder, self.proposed, self._state
        assert parent is not None
        try:
            folder = create(self.runs or parent.parent, experiment)
        except (OSError, ConfigError) as error:
            self._set_state(back_to)
            self.told.emit(f"The fork could not start: {_reason(error)}", repr(error))
            return
        self._attempt = Attempt("forked", back_to, self.failure, self.notice, folder)
        self.failure, self.notice, self._reason = None, "", ""
        request = Request(job="train", experiment=experiment, folder=str(folder), fork=str(parent))
        self._run(request, experiment)

    def new_run(self) -> None:
        """Back to a ready window with the same experiment, as edited."""
        self._forget_former()
        if not self.problem:
            self.experiment = self.proposed
            self._draft = Draft(self.experiment)
        self._set_state(State.READY)
        self.cleared.emit()

    def open_stored(self, folder: Path) -> bool:
        """Open a stored run read-only; False, with the reason in `told`, leaves everything as it is."""
        if self.active:
            self.told.emit("A run is being trained here. Stop it before opening another one.", "")
            return False
        folder = Path(folder)
        try:
            experiment, reader = read_experiment(folder), LogReader(folder)
        except ConfigError as error:
            self.told.emit(f"The run cannot be opened: {error}", "")
            return False
        self._forget_former()
        self.experiment, self.folder = experiment, folder
        summary = summary_of(folder)
        if summary is not None:
            self.step, self.best = summary.step, summary.best
            self._trained_by = summary.pid if summary.state == "running" else 0
        self._draft = Draft(experiment)
        try:
            self.checkpoint, at_checkpoint = branch_point(folder)
            self._draft = Draft(at_checkpoint)
        except ConfigError:
            pass  # never saved: it can be looked at
        self._reader = reader
        self._state = State.STORED
        self.notice = self._stored_notice()
        self.cleared.emit()
        self.changed.emit()
        reader.start()
        self._timer.start(READ_MS)
        return True

    def _stored_notice(self) -> str:
        if self._trained_by:
            return f"This run is read-only here: process {self._trained_by} trains it now."
        if self.checkpoint is None:
            return "This stored run is read-only. New run trains its experiment from the beginning."
        how = f"Resume goes on from step {self.checkpoint:,}, Fork branches from there"
        if self._complete:
            how = "It has made all of its steps: raise Total steps to fork it"
        return f"This stored run is read-only. {how}, New run trains its experiment from the beginning."

    def _forget_former(self) -> None:
        """No run any more, and nothing that belonged to it."""
        if self._reader is not None:
            self._reader.kill()
            self._reader.join(1.0)
            self._reader = None
            self._timer.stop()
        self._wanted = self._then = None
        self._trained_by = 0
        self._forget_run()

    # -- steering --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Save, then end; a log that is being read is read no further."""
        self._wanted = None
        if self._reader is not None:
            self._reader.kill()
            self._reader.join(1.0)
            self._log_read()
        if self._host is not None and self._state is not State.STOPPING:
            stopping = self._then is not None
            self._then = None
            self._set_state(State.STOPPING)
            if not stopping:
                self._send(m.Stop())

    def _after_stop(self, then: Callable[[], None]) -> None:
        """Do something once the present job, if there is one, has saved and ended."""
        if self._host is None:
            then()
            return
        self._then = then
        self._set_state(State.STARTING)
        self._send(m.Stop())

    def kill(self) -> None:
        """End the job without saving."""
        for source in (self._host, self._reader):
            if source is not None:
                source.kill()

    # -- the job ---------------------------------------------------------------------------------

    def _run(self, request: Request, experiment: Experiment) -> None:
        self._set_state(State.STARTING)
        if self.breakpoints:
            request = replace(request, schedule=(m.SetBreakpoints(points=self.breakpoints),))
        try:
            self._host = self._open_host(experiment.run.host, request)
            self._host.start()
        except Exception as error:  # whatever a host does wrong, the window lives on and says so
            self._host = None
            text = f"Training could not start: {error}"
            self.failure = m.Failed(step=self.step, text=text, details=repr(error))
            if not self._gave_up():
                self._set_state(State.FAILED)
            return
        self._saved_at = time.monotonic()
        self._timer.start(TICK_MS)

    @Slot()
    def _tick(self) -> None:
        source = self._host or self._reader
        if source is None:
            return
        began = time.perf_counter()
        events = source.drain(DRAIN_MS)
        if events:
            self._take(events)
            self.received.emit(events)
            if self._reader is not None:
                self._reader.took(time.perf_counter() - began)
        if not source.alive and source.join(0.1):
            if self._host is not None:
                self._ended()
            else:
                self._log_read()

    def _log_read(self) -> None:
        assert self._reader is not None
        problem, self._reader = self._reader.problem, None
        self._timer.stop()
        self.changed.emit()
        if problem:
            self.told.emit(f"{problem}. What comes before it is shown.", "")

    def _opened(self, event: m.Opened) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None and attempt.folder is not None:  # only now is the parent left
            kept = self.knobs
            self._forget_run()
            self.knobs.values = kept.values
            self.cleared.emit()
        self._draft.rebase(event.experiment)
        super()._opened(event)

    def _ended(self) -> None:
        self._timer.stop()
        self._host = None
        for path in self.knobs.forget_asked():
            self.knob.emit(path)
        if self._gave_up():
            return
        then, self._then = self._then, None
        if self.failure is not None or self._reason == "failed":
            self._draft.rebase(self.present(self.checkpoint))
            self._set_state(State.FAILED)
            return
        state = State.STOPPED if self._reason == "stopped" else State.FINISHED
        if then is not None and (self.folder is None or self.resumable):
            self._state = state
            then()
        else:
            self._set_state(state)

    def _gave_up(self) -> bool:
        """A resumption or a fork that never began leaves the run as it was, and says why."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return False
        failure, self.failure, self.notice = self.failure, attempt.failure, attempt.notice
        attempt.clean_up()
        self._set_state(attempt.back_to)
        if failure is not None:
            self.told.emit(f"The run could not be {attempt.what}: {failure.words}", failure.details)
        return True

    def _fail(self, text: str, details: str = "") -> None:
        self.failure = m.Failed(step=self.step, text=text, details=details)
        self._set_state(State.FAILED)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
