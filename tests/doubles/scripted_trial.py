"""A host whose job is a script: it answers what suits a task when the test says so."""

from __future__ import annotations

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.hosts import DRAIN_MS


class ScriptedTrial:
    """Tells nothing until `find` or `fail`."""

    opened: list[ScriptedTrial] = []

    def __init__(self, kind: str, request: m.Request) -> None:
        self.kind, self.request = kind, request
        self.killed = False
        self._events: list[m.Event] = []
        ScriptedTrial.opened.append(self)

    def start(self) -> None:
        pass

    def find(self, experiment: Experiment) -> None:
        self._events.append(m.AgentSuited(step=0, experiment=experiment))

    def fail(self, text: str) -> None:
        self._events.append(m.Failed(step=0, text=text))

    def send(self, command: m.Command) -> None:
        pass

    def drain(self, budget_ms: float = DRAIN_MS) -> list[m.Event]:
        events, self._events = self._events, []
        return events

    @property
    def alive(self) -> bool:
        return not self.killed

    def join(self, timeout: float | None = None) -> bool:
        return self.killed

    def kill(self) -> None:
        self.killed = True
