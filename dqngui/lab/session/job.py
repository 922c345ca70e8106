"""The training job of a run: starts it in a host, sends it commands, collects its events and ends it."""

from __future__ import annotations

from msgspec.structs import replace

from dqngui.config import Experiment
from dqngui.envs.foreign import is_foreign
from dqngui.hosts import ELSEWHERE, Host, OpenHost, open_host
from dqngui.lab.session.states import Action
from dqngui.messages import (
    Breakpoint,
    Command,
    Event,
    Pause,
    Request,
    Resume,
    SaveCheckpoint,
    SendWeights,
    SetBreakpoints,
    Step,
    Stop,
)

COMMANDS: dict[Action, Command] = {
    Action.PAUSE: Pause(),
    Action.UNPAUSE: Resume(),
    Action.STEP: Step(until="step"),
    Action.STEP_UPDATE: Step(until="update"),
    Action.STEP_EPISODE: Step(until="episode"),
    Action.SAVE: SaveCheckpoint(),
}
"""The command for each action that needs only one."""

END_S = 0.1
"""Seconds that `end` waits for a job without further events."""


def kind_of_host(experiment: Experiment) -> str:
    """Where the window trains: a task of a package that is not known here in a process of its own instead of a thread,
    since a step that crashes or does not return would take the window along. `inline` always trains in a thread.
    """
    kind = experiment.run.host
    return "process" if kind == "thread" and is_foreign(experiment.env) else kind


def host_in_use(experiment: Experiment) -> str:
    """The kind of host in which the window trains an experiment: `thread` or `process`."""
    kind = kind_of_host(experiment)
    return "thread" if kind == "inline" else kind


def host_of_window(kind: str, request: Request) -> Host:
    """Make a host that does not block the window: `inline` becomes `thread`. Raises ConfigError."""
    return open_host("thread" if kind == "inline" else kind, request)


class TrainingJob:
    """Holds at most one training job; without a job, commands are ignored.

    Attributes:
        breakpoints: where training pauses, in the present job and in those that start later.
        elsewhere: another process trains the run: it is watched and steered, and goes on without this window.
        left: the job goes on elsewhere, and is not watched any more.
    """

    def __init__(self, open_host: OpenHost = host_of_window) -> None:
        self._open_host = open_host
        self._host: Host | None = None
        self.breakpoints: tuple[Breakpoint, ...] = ()
        self.elsewhere = self.left = False

    @property
    def active(self) -> bool:
        """Whether a job exists; it must end before the window closes."""
        return self._host is not None

    def start(self, kind: str, request: Request) -> None:
        """Start a job in a host of this kind. If the host raises an error, there is no job."""
        self.elsewhere, self.left = kind == ELSEWHERE, False
        if self.breakpoints and not self.elsewhere:
            request = replace(request, schedule=(SetBreakpoints(points=self.breakpoints),))
        host = self._open_host(kind, request)
        host.start()
        self._host = host

    def send(self, command: Command) -> None:
        """Give the job a command."""
        if self._host is not None:
            self._host.send(command)

    @property
    def catching_up(self) -> bool:
        """Whether the events that come are those of the past of a run that trains elsewhere."""
        return bool(getattr(self._host, "catching_up", False))

    def leave(self) -> None:
        """Ask the job to save and end; one elsewhere goes on, and is not watched any more."""
        if self.elsewhere:
            self.left = True
            self.kill()
        else:
            self.send(Stop())

    def drop(self) -> None:
        """Stop watching a job elsewhere, at once and without its last events."""
        if self.elsewhere and self._host is not None:
            self._host.kill()
            self._host = None

    def set_breakpoints(self, points: tuple[Breakpoint, ...]) -> None:
        """Replace the breakpoints, of the present job and of later ones."""
        self.breakpoints = points
        self.send(SetBreakpoints(points=points))

    def request_weights(self) -> None:
        """Request the weights that an evaluation would use now; they arrive as an event."""
        self.send(SendWeights())

    def drain(self) -> list[Event]:
        """The job's events since the last call, in order; never waits."""
        return [] if self._host is None else self._host.drain()

    def end(self) -> bool:
        """Drop the job if it has ended and all its events were collected; returns whether it was dropped."""
        if self._host is None or self._host.alive or not self._host.join(END_S):
            return False
        self._host = None
        return True

    def interrupt(self) -> None:
        """After `Stop`: interrupt an environment's step that does not return, so that the job can save."""
        if self._host is not None:
            self._host.interrupt()

    def kill(self) -> None:
        """End the job without saving; its last events can still be drained."""
        if self._host is not None:
            self._host.kill()
