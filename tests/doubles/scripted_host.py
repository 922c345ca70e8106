"""A host whose job is a script: it answers commands as a training job does, without training."""

from __future__ import annotations

from pathlib import Path

from dqngui import config, settings
from dqngui import messages as m
from dqngui.hosts import DRAIN_MS


class ScriptedHost:
    """Answers at the next drain.

    Attributes:
        sent: every command, in order.
        answers: False holds back the answers to knobs.
        stops: False ignores Stop, like a job that hangs.
        hangs: it hangs in a step that can be interrupted.
        interrupted: a step was to be interrupted.
        refuses: why the next hosts fail before their job has begun.
        silent: tells nothing yet, like a job whose process is still loading.
    """

    opened: list[ScriptedHost] = []
    refuses = ""

    def __init__(self, kind: str, request: m.Request) -> None:
        self.kind, self.request = kind, request
        self.sent: list[m.Command] = []
        self.answers = True
        self.stops = True
        self.hangs = self.interrupted = False
        self.silent = False
        self.step = 0
        self.killed = False
        self.joined = False
        self._events: list[m.Event] = []
        self._over = False
        self._values: dict[str, object] = {}
        ScriptedHost.opened.append(self)

    def start(self) -> None:
        if ScriptedHost.refuses:
            self.fail(ScriptedHost.refuses)
            return
        request = self.request
        experiment = request.experiment or config.Experiment()
        self.step = ScriptedHost.opened[-2].step if request.fork and len(ScriptedHost.opened) > 1 else 0
        self.emit(m.Opened(step=self.step, folder=request.folder, experiment=experiment, device="cpu", parameters=1234))
        if request.fork:
            self.emit(m.Forked(step=self.step, parent=Path(request.fork).name))

    def emit(self, *events: m.Event) -> None:
        self._events.extend(events)
        self.step = max([self.step, *(event.step for event in events)])

    def replace_first(self, event: m.Event) -> None:
        """Give this event in place of the first that waits."""
        self._events[0] = event

    def end(self, reason: str = "completed") -> None:
        self.emit(m.Finished(step=self.step, seconds=1.0, steps_per_second=1.0, reason=reason))  # type: ignore[arg-type]
        self._over = True

    def fail(self, text: str) -> None:
        self.emit(m.Failed(step=self.step, text=text, details="Traceback: " + text))
        self.end("failed")

    def send(self, command: m.Command) -> None:
        self.sent.append(command)
        match command:
            case m.Pause():
                self.emit(m.Paused(step=self.step))
            case m.Resume():
                self.emit(m.Unpaused(step=self.step))
            case m.Stop() if self.stops:
                self.save()
                self.end("stopped")
            case m.SaveCheckpoint():
                self.save()
            case m.SetKnob() if self.answers:
                self.answer(command)

    def interrupt(self) -> None:
        """A step that hangs is undone; then the job saves and ends."""
        self.interrupted = True
        if self.hangs:
            self.save()
            self.end("stopped")

    def save(self) -> None:
        """A checkpoint, of which the folder only shows that there is one."""
        if self.request.folder is not None:
            (Path(self.request.folder) / "resume").mkdir(exist_ok=True)
        self.emit(m.CheckpointSaved(step=self.step, seconds=0.01))

    def answer(self, command: m.SetKnob) -> None:
        """Answer a knob as the job does: its value checked by the config."""
        field = command.field
        old = self._values.get(field)
        try:
            value = settings.knob_value(field, command.value)
        except config.ConfigError as error:
            self.emit(m.KnobRefused(step=self.step, field=field, value=command.value, kept=old, reason=str(error)))
        else:
            self._values[field] = value
            self.emit(m.KnobChanged(step=self.step, field=field, old=old, new=value))

    def drain(self, budget_ms: float = DRAIN_MS) -> list[m.Event]:
        if self.silent:
            return []
        events, self._events = self._events, []
        return events

    @property
    def alive(self) -> bool:
        return bool(self._events) or not self._over

    def join(self, timeout: float | None = None) -> bool:
        self.joined = not self.alive
        return self.joined

    def kill(self) -> None:
        self.killed, self.silent = True, False
        self.end("failed")
