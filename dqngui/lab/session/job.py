"""A run and the job that trains it: the commands it takes while it goes on."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.lab.session.run import RunState
from dqngui.lab.session.states import Action
from dqngui.messages import Command, Event, Request

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


def host_of_window(kind: str, request: Request) -> Host:
    """A host that leaves the window its event loop: inline becomes a thread. Raises ConfigError."""
    from dqngui.hosts import open_host

    return open_host("thread" if kind == "inline" else kind, request)


class SteeredRun(RunState):
    """A run that may have a job; without one, commands go nowhere.

    Attributes:
        breakpoints: what training pauses on, in this run and in those that begin after it.

    Signals (besides those of `RunState`):
        received(list[Event]): the events of one tick, in order.
    """

    received = Signal(object)

    def __init__(self, experiment: Experiment, parent: QObject | None = None) -> None:
        super().__init__(experiment, parent)
        self._host: Host | None = None
        self.breakpoints: tuple[m.Breakpoint, ...] = ()

    @property
    def allowed(self) -> frozenset[Action]:
        """What may be done now."""
        raise NotImplementedError

    @property
    def active(self) -> bool:
        """A job exists and must end before the window may close."""
        return self._host is not None

    def pause(self) -> None:
        self._send(m.Pause())

    def unpause(self) -> None:
        self._go_on(m.Resume())

    def step_once(self) -> None:
        self._go_on(m.Step(until="step"))

    def step_update(self) -> None:
        self._go_on(m.Step(until="update"))

    def step_episode(self) -> None:
        self._go_on(m.Step(until="episode"))

    def break_at(self, hit: m.BreakpointHit) -> None:
        """Pause for something that was measured outside of training, whose log does not know of it."""
        if Action.PAUSE in self.allowed:
            self.hits = (*self.hits, hit)
            self.pause()
            self.received.emit([hit])

    def _go_on(self, command: Command) -> None:
        self._send(command)
        if self.hits:
            self.hits = ()
            self.changed.emit()

    def set_breakpoints(self, points: tuple[m.Breakpoint, ...]) -> None:
        """Pause when one of these holds, now and in later runs; those of before are forgotten."""
        self.breakpoints = points
        self._send(m.SetBreakpoints(points=points))

    def save(self) -> None:
        self._send(m.SaveCheckpoint())

    def request_weights(self) -> None:
        """Ask the job for the weights that would be evaluated now; they come with `weights`."""
        self._send(m.SendWeights())

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

    def _send(self, command: Command) -> None:
        if self._host is not None:
            self._host.send(command)
