"""A process that runs one job until the window closes, with the newest weights to send to it."""

from __future__ import annotations

from dqngui import messages as m
from dqngui.hosts import Host, OpenHost
from dqngui.messages import Command, Event, Request
from dqngui.texts import Text, reason_of


class AgentProcess:
    """A process in which agents are opened. It starts on first use and ends with the window.

    Attributes:
        weights: the newest weights of an agent in training; None before the first.
        ended: `stop` was called; the process does not start again.
    """

    def __init__(self, job: str, open_host: OpenHost) -> None:
        self.weights: m.Weights | None = None
        self.ended = False
        self._job, self._open_host = job, open_host
        self._host: Host | None = None
        self._weights_sent = False

    @property
    def running(self) -> bool:
        """Whether it was started and its end was not noticed yet."""
        return self._host is not None

    @property
    def alive(self) -> bool:
        """Whether the process or its communication thread still runs."""
        return self._host is not None and not self._host.join(0)

    def start(self) -> Text | str | None:
        """Start the process. Returns None, or if that failed the reason, which is never empty."""
        try:
            self._host = self._open_host("process", Request(job=self._job))
            self._host.start()
        except Exception as error:  # any error of a host is shown; the window goes on
            self._host = None
            return reason_of(error)
        return None

    def stop(self) -> None:
        """End the process for good; it has nothing to save."""
        self.ended = True
        if self._host is not None:
            self._host.kill()

    def join(self) -> None:
        """Release the process after it has ended (not `alive`)."""
        self._host = None

    def send(self, command: Command) -> bool:
        """Send a command; False if the process does not run."""
        if self._host is None or self.ended:
            return False
        self._host.send(command)
        return True

    def drain(self, budget_ms: float) -> list[Event]:
        """The events since the last call, for at most `budget_ms`."""
        return [] if self._host is None else self._host.drain(budget_ms)

    def has_ended(self, wait_s: float = 0.0) -> bool:
        """Whether the process ended without `stop`; if so it is released."""
        host = self._host
        if host is None or host.alive or not host.join(wait_s):
            return False
        self._host = None
        return True

    # -- weights of an agent in training -----------------------------------------------------------

    def use_weights(self, weights: m.Weights | None) -> None:
        """Set newer weights; None drops the weights of another agent."""
        self.weights, self._weights_sent = weights, False

    def forget_sent_weights(self) -> None:
        """Note that an agent was opened anew and has no weights yet."""
        self._weights_sent = False

    def send_weights(self) -> bool:
        """Send the newest weights; False if there are none or they were sent before."""
        if self.weights is None or self._weights_sent:
            return False
        self._weights_sent = True
        self.send(m.UseWeights(step=self.weights.step, tensors=self.weights.tensors))
        return True
