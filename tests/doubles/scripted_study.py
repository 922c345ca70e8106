"""A study whose process is a script, for the tests of panels that ask it something."""

from __future__ import annotations

from typing import Any

from dqngui import messages as m
from dqngui.lab.analysis.study import Study
from dqngui.lab.background.timing import Timing
from dqngui.lab.playback.agent_client import AgentClient

READY = m.StudyReady(step=60_000, held=("memory/hidden", "memory/cell"), facts=("cue", "time since start"))


class Who(AgentClient):
    """A player and its client in one without a process: it says which agent plays, and notes the steps sought."""

    loading = ""

    def __init__(self) -> None:
        super().__init__()
        self.sought: list[int] = []

    @property
    def client(self) -> Who:
        return self

    def seek(self, t: int) -> None:
        self.sought.append(t)


class ScriptedStudy:
    """A host that is the study's process: it opens agents at once, and answers what a test lets it answer."""

    opened: list[ScriptedStudy] = []
    ready: m.Event | None = READY  # said of every agent; None: nothing is said yet

    def __init__(self, kind: str, request: m.Request) -> None:
        self.kind, self.request = kind, request
        self.sent: list[m.Command] = []
        self._queue: list[m.Event] = []
        self._over = False
        ScriptedStudy.opened.append(self)

    def start(self) -> None: ...

    def send(self, command: m.Command) -> None:
        self.sent.append(command)
        if isinstance(command, m.OpenAgent) and self.ready is not None:
            self.emit(self.ready)

    def emit(self, *events: m.Event) -> None:
        self._queue += events

    def drain(self, budget_ms: float = 8.0) -> list[m.Event]:
        events, self._queue = self._queue, []
        return events

    @property
    def alive(self) -> bool:
        return bool(self._queue) or not self._over

    def join(self, timeout: float | None = None) -> bool:
        return not self.alive

    def kill(self) -> None:
        self._queue, self._over = [], True

    def end_silently(self) -> None:
        """The process is gone, and has not said why."""
        self._over = True

    def die(self) -> None:
        self.emit(m.Failed(step=0, text="the job's process was killed by SIGKILL"))
        self._over = True

    def questions(self) -> list[Any]:
        asked = (m.AskProbe, m.AskFaithfulness, m.AskOverTraining)
        return [command for command in self.sent if isinstance(command, asked)]


class Turned(Study):
    """A study that ticks only when a test says so."""

    def __init__(self, client: AgentClient) -> None:
        super().__init__(client, open_host=ScriptedStudy, timing=Timing(automatic=False))

    def turn(self, times: int = 3) -> None:
        for _ in range(times):
            self.tick()
