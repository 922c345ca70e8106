"""A client of an agent process: opens an agent with chosen weights there, and reports problems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.hosts import OpenHost, open_host
from dqngui.lab.background.timing import Timing
from dqngui.lab.playback.agent_process import AgentProcess
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice, has_checkpoint, source_name
from dqngui.messages import Command, Event
from dqngui.texts import Text, say

WEIGHTS_S = 1.0  # least time between two requests for newer weights


class AgentClient(QObject):
    """Controls an agent process, and knows which agent is open in it.

    The owner of the client sends commands with `send` and reads the answers from `drain`.

    Attributes:
        agent, choice: the chosen agent, and its chosen weights.
        ready: the process's description of the agent; None until the agent is open.
        finishing: the training has ended; from the next episode on the best checkpoint plays.
        problem: why no agent plays; `restart` tries again.
        notice: a warning about the playing agent.

    Signals:
        changed: the agent, the weights, the problem or the notice changed.
        agent_left: another agent, or none, is chosen; receivers must stop showing the former agent.
        opened: the agent is open, so an episode can begin.
        first_weights: the first weights of an agent in training arrived after it was opened.
        interrupted: open requests will not be answered; without `ready` the episode does not continue either.
        sent: a command was sent; `drain` returns the answer.
        weights_requested: the owner of the training job should call `use_weights` with new weights.
    """

    changed = Signal()
    agent_left = Signal()
    opened = Signal()
    first_weights = Signal()
    interrupted = Signal()
    sent = Signal()
    weights_requested = Signal()

    def __init__(
        self, open_host: OpenHost = open_host, timing: Timing | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.agent: AgentRef | None = None
        self.choice: WeightsChoice = "best"
        self.ready: m.PlayerReady | None = None
        self.finishing = False
        self.problem: Text | str = ""
        self.notice: Text | str = ""
        self._clock = (timing or Timing()).clock
        self._process = AgentProcess("play", open_host)
        self._ends = 0  # how often the process ended since the user last started it
        self._opening = self._reopen = False  # an agent is being opened; another one must be opened after it
        self._weights_asked_at = self._clock() - 2 * WEIGHTS_S

    # -- the process -------------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the process, which then runs as long as the window."""
        if self._process.running or self._process.ended:
            return
        self._opening = self._reopen = False
        if (failure := self._process.start()) is not None:
            self._fail(say("player.not_started", problem=failure))
            return
        self.reopen()
        self.sent.emit()
        self.changed.emit()

    @property
    def running(self) -> bool:
        """Whether the process was started and its end was not noticed yet."""
        return self._process.running

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._process.ended

    @property
    def alive(self) -> bool:
        """Whether the process or its communication thread still runs."""
        return self._process.alive

    def stop(self) -> None:
        """End the process for good; it has nothing to save."""
        self._process.stop()

    def join(self) -> None:
        """Release the process after it has ended (not `alive`)."""
        self._process.join()

    def restart(self) -> None:
        """Start again from the beginning after a problem."""
        self.problem = ""
        self.allow_restart()
        if not self._process.running:
            self.start()
        else:
            self.reopen()
            self.changed.emit()
            self.sent.emit()

    def allow_restart(self) -> None:
        """Allow one more automatic restart of the process."""
        self._ends = 0

    def restart_if_ended(self, wait_s: float = 0.0) -> bool:
        """Restart a process that has ended by itself, but only once; then report why. Returns whether it had ended."""
        if not self._process.has_ended(wait_s):
            return False
        self._ends += 1
        reason, self.problem = self.problem, ""
        if self._ends == 1:
            self.start()
        else:
            self._fail(reason or say("player.ended"))
        return True

    def send(self, command: Command) -> None:
        """Send a command to the process; ignored if there is no process."""
        if self._process.send(command):
            self.sent.emit()

    def drain(self, budget_ms: float) -> Iterator[Event]:
        """Yield the new events about episodes; events about the agent are handled here."""
        for event in self._process.drain(budget_ms):
            if self._opening and isinstance(event, (m.PlayerReady, m.Failed)):
                self._opening, reopen, self._reopen = False, self._reopen, False
                if reopen:  # the answer is about an agent that was replaced meanwhile
                    self.reopen()
                    continue
            match event:
                case m.PlayerReady():
                    self._take_ready(event)
                case m.Warned():
                    if self.ready is not None:  # otherwise the event is about the former agent
                        self.notice = event.text
                        self.changed.emit()
                case m.Failed():
                    self._fail(event.text)
                case _:
                    yield event

    def _take_ready(self, ready: m.PlayerReady) -> None:
        if self.agent is not None:
            self.ready, self.problem = ready, ""
            self.opened.emit()
            self.changed.emit()

    def _fail(self, text: Text | str) -> None:
        self.problem = text
        self.interrupted.emit()
        self.changed.emit()

    def clear_problem(self) -> None:
        """Clear the problem, because an episode plays."""
        self.problem = ""

    # -- the agent ---------------------------------------------------------------------------------

    def open(
        self,
        *,
        experiment: Experiment | None = None,
        folder: Path | None = None,
        checkpoint: WeightsChoice = "best",
        source: str = "",
    ) -> None:
        """Open another agent: of a stored run, or with `experiment` one in training."""
        self.open_agent(AgentRef(experiment, folder, source), "newest" if experiment is not None else checkpoint)

    def open_agent(self, agent: AgentRef, choice: WeightsChoice) -> None:
        """Open another agent with these weights."""
        self.choose_silently(agent, choice)
        self._process.use_weights(None)
        self.agent_left.emit()
        self.reopen()
        self.changed.emit()

    def close(self) -> None:
        """Close the agent; nothing plays."""
        self.agent, self.ready, self._reopen, self.problem = None, None, False, ""
        self.interrupted.emit()
        self.agent_left.emit()
        self.changed.emit()

    def choose_silently(self, agent: AgentRef | None, choice: WeightsChoice, *, finishing: bool = False) -> None:
        """Set another agent and weights without a signal. `reopen` opens them; until then the display stays."""
        self.agent, self.choice, self.finishing = agent, choice, finishing

    def choose(self, weights: WeightsChoice) -> None:
        """Open other weights of the same agent."""
        if self.agent is not None and weights != self.choice:
            self.choice, self.finishing = weights, False
            self.reopen()
            self.changed.emit()

    def finish(self, folder: Path | None) -> None:
        """Note the end of training: from the next episode on the best checkpoint plays, unless one was chosen."""
        if self.agent is not None and folder is not None and has_checkpoint(folder):
            if self.choice == "newest":
                self.finishing = True
            self.agent = AgentRef(self.agent.experiment if self.finishing else None, folder)
            self.changed.emit()

    def use_best(self) -> None:
        """Open the best checkpoint of the agent after its training has ended."""
        assert self.agent is not None
        self.choose_silently(AgentRef(None, self.agent.folder), "best")
        self.reopen()
        self.changed.emit()

    def reopen(self) -> None:
        """Open the agent. While another one is being opened, only the newest request is kept."""
        agent = self.agent
        if agent is None or not self._process.running:
            return
        self.ready = None
        self.problem = self.notice = ""
        self.interrupted.emit()
        if self._opening:
            self._reopen = True
            self.sent.emit()  # the answer about the former agent is awaited
            return
        self._opening = True
        if self.choice == "newest":
            self._process.forget_sent_weights()
            self.send(m.OpenAgent(experiment=agent.experiment))
        else:
            self.send(m.OpenAgent(folder=str(agent.folder), checkpoint=self.choice))

    @property
    def choices(self) -> list[WeightsChoice]:
        """The weights that can be chosen now; reads the run's folder."""
        return [] if self.agent is None else self.agent.choices()

    @property
    def source(self) -> str:
        """The name of the playing weights."""
        if self.agent is not None and self.agent.name and self.choice == "best":
            return self.agent.name
        return source_name(self.choice)

    # -- weights of an agent in training -----------------------------------------------------------

    @property
    def weights(self) -> m.Weights | None:
        """The newest weights of the agent in training; None before the first."""
        return self._process.weights

    @Slot(object)
    def use_weights(self, weights: m.Weights) -> None:
        """Set newer weights of the agent in training; they play from the next episode on."""
        first = self._process.weights is None
        self._process.use_weights(weights)
        if first and self.ready is not None and self.choice == "newest":
            self.first_weights.emit()

    def send_weights(self) -> bool:
        """Send the newest weights; False if there are none or they were sent before."""
        return self._process.send_weights()

    def ask_weights(self) -> None:
        """Request newer weights, at most once a second."""
        now = self._clock()
        if self.choice == "newest" and now - self._weights_asked_at > WEIGHTS_S:
            self._weights_asked_at = now
            self.weights_requested.emit()
