"""The job that trains a run, in its host: it is started, given commands, drained of events and ended."""

from __future__ import annotations

from msgspec.structs import replace

from dqngui.hosts import Host, OpenHost, open_host
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
)

COMMANDS: dict[Action, Command] = {
    Action.PAUSE: Pause(),
    Action.UNPAUSE: Resume(),
    Action.STEP: Step(until="step"),
    Action.STEP_UPDATE: Step(until="update"),
    Action.STEP_EPISODE: Step(until="episode"),
    Action.SAVE: SaveCheckpoint(),
}
"""What a running job is sent for an action. The other actions need more than one command."""

END_S = 0.1
"""How long `end` waits for a job that has said everything, in seconds."""


def host_of_window(kind: str, request: Request) -> Host:
    """A host that leaves the window its event loop: `inline` becomes `thread`. Raises ConfigError."""
    return open_host("thread" if kind == "inline" else kind, request)


class TrainingJob:
    """At most one training job at a time; while there is none, commands go nowhere.

    Attributes:
        breakpoints: where training pauses, in the present job and in those that start later.
    """

    def __init__(self, open_host: OpenHost = host_of_window) -> None:
        self._open_host = open_host
        self._host: Host | None = None
        self.breakpoints: tuple[Breakpoint, ...] = ()

    @property
    def active(self) -> bool:
        """A job exists, and must end before the window may close."""
        return self._host is not None

    def start(self, kind: str, request: Request) -> None:
        """Start a job in a host of this kind. Raises whatever the host raises; then there is no job."""
        if self.breakpoints:
            request = replace(request, schedule=(SetBreakpoints(points=self.breakpoints),))
        host = self._open_host(kind, request)
        host.start()
        self._host = host

    def send(self, command: Command) -> None:
        """Give the job a command."""
        if self._host is not None:
            self._host.send(command)

    def set_breakpoints(self, points: tuple[Breakpoint, ...]) -> None:
        """Pause where one of these holds, now and in later jobs; they replace all earlier ones."""
        self.breakpoints = points
        self.send(SetBreakpoints(points=points))

    def request_weights(self) -> None:
        """Ask for the weights that would be evaluated now; they come as an event."""
        self.send(SendWeights())

    def drain(self) -> list[Event]:
        """The job's events since the last call, in order; never waits."""
        return [] if self._host is None else self._host.drain()

    def end(self) -> bool:
        """Let go of a job that has ended and was drained; whether there was one."""
        if self._host is None or self._host.alive or not self._host.join(END_S):
            return False
        self._host = None
        return True

    def kill(self) -> None:
        """End the job without saving; its last events are still to be drained."""
        if self._host is not None:
            self._host.kill()
