"""A process that runs one job for the window's whole life, and the newest weights that it should get."""

from __future__ import annotations

from dqngui import messages as m
from dqngui.hosts import Host, OpenHost
from dqngui.messages import Command, Event, Request


class AgentProcess:
    """A process that opens agents: it is started when it is first needed, and ended with the window.

    Attributes:
        weights: the newest ones of an agent that trains; None before the first.
        ended: `stop` was called; it does not start again.
    """

    def __init__(self, job: str, open_host: OpenHost) -> None:
        self.weights: m.Weights | None = None
        self.ended = False
        self._job, self._open_host = job, open_host
        self._host: Host | None = None
        self._weights_sent = False

    @property
    def running(self) -> bool:
        """It was started, and nobody has seen it end."""
        return self._host is not None

    @property
    def alive(self) -> bool:
        """The process, or a thread that talks with it, is there."""
        return self._host is not None and not self._host.join(0)

    def start(self) -> str:
        """Start it; why that failed, empty if it did not."""
        try:
            self._host = self._open_host("process", Request(job=self._job))
            self._host.start()
        except Exception as error:  # whatever a host does wrong, the window lives on and says so
            self._host = None
            return f"{error}"
        return ""

    def stop(self) -> None:
        """End it, for good: it has nothing to save."""
        self.ended = True
        if self._host is not None:
            self._host.kill()

    def join(self) -> None:
        """Let go of the process, once it is not `alive`."""
        self._host = None

    def send(self, command: Command) -> bool:
        """Give it a command; False if it is not there."""
        if self._host is None or self.ended:
            return False
        self._host.send(command)
        return True

    def drain(self, budget_ms: float) -> list[Event]:
        """What it has said since the last call."""
        return [] if self._host is None else self._host.drain(budget_ms)

    def has_ended(self, wait_s: float = 0.0) -> bool:
        """Whether the process has ended though nobody asked it to; it is let go of then."""
        host = self._host
        if host is None or host.alive or not host.join(wait_s):
            return False
        self._host = None
        return True

    # -- weights of an agent that trains ----------------------------------------------------------

    def use_weights(self, weights: m.Weights | None) -> None:
        """Newer weights; None: those that are there are of another agent."""
        self.weights, self._weights_sent = weights, False

    def forget_sent_weights(self) -> None:
        """An agent is opened anew: it has no weights yet."""
        self._weights_sent = False

    def send_weights(self) -> bool:
        """Send the newest weights; False if there are none, or it has them."""
        if self.weights is None or self._weights_sent:
            return False
        self._weights_sent = True
        self.send(m.UseWeights(step=self.weights.step, tensors=self.weights.tensors))
        return True
