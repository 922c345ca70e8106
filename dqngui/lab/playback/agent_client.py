"""The agent that a playing process has open: which one, with which weights, and what goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.hosts import OpenHost, open_host
from dqngui.lab.playback.agent_process import AgentProcess
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice, has_checkpoint, source_name
from dqngui.lab.playback.timing import Timing
from dqngui.messages import Command, Event

WEIGHTS_S = 1.0  # between two requests for newer weights


class AgentClient(QObject):
    """Talks with a process that plays, and knows which agent that has open.

    Whoever has a client sends commands with `send` and takes the answers from `drain`.

    Attributes:
        agent, choice: who plays, with which of its weights.
        ready: what the process said of the agent; None until it is open.
        finishing: the agent's training has ended, and its best checkpoint plays from the next episode on.
        problem: why nothing plays; `restart` tries again.
        notice: what should be known of the agent that plays.

    Signals:
        changed: the agent, the weights, the problem or the notice changed.
        agent_left: another agent is chosen, or none: nothing of the former one should be shown.
        opened: the agent is open; an episode can begin.
        first_weights: the first weights of an agent that trains have come, after it was opened.
        interrupted: what was asked of the process will not be answered. Without `ready`, nor will its episode go on.
        sent: the process was given something to do; `drain` brings the answer.
        weights_wanted: somebody who trains the agent should call `use_weights`.
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
        self.problem = self.notice = ""
        self._clock = (timing or Timing()).clock
        self._process = AgentProcess("play", open_host)
        self._ends = 0  # of the process, since it was last started by hand
        self._opening = self._reopen = False  # an agent is being opened; another one was asked for meanwhile
        self._weights_asked_at = self._clock() - 2 * WEIGHTS_S

    # -- the process ------------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the process; from here on it lives as long as the window."""
        if self._process.running or self._process.ended:
            return
        self._opening = self._reopen = False
        if failure := self._process.start():
            self._fail(f"the player could not start: {failure}")
            return
        self.reopen()
        self.sent.emit()
        self.changed.emit()

    @property
    def running(self) -> bool:
        """The process was started, and nobody has seen it end."""
        return self._process.running

    @property
    def stopped(self) -> bool:
        """`stop` was called."""
        return self._process.ended

    @property
    def alive(self) -> bool:
        """The process, or a thread that talks with it, is there."""
        return self._process.alive

    def stop(self) -> None:
        """End the process, for good: it has nothing to save."""
        self._process.stop()

    def join(self) -> None:
        """Let go of the process, once it is not `alive`."""
        self._process.join()

    def restart(self) -> None:
        """Try once more from the beginning, after a problem."""
        self.problem = ""
        self.allow_restart()
        if not self._process.running:
            self.start()
        else:
            self.reopen()
            self.changed.emit()
            self.sent.emit()

    def allow_restart(self) -> None:
        """Start the process once more by itself if it ends, though that was done before."""
        self._ends = 0

    def restart_if_ended(self, wait_s: float = 0.0) -> bool:
        """Start the process again if it has ended by itself; at the second time say why. Whether it had ended."""
        if not self._process.has_ended(wait_s):
            return False
        self._ends += 1
        reason, self.problem = self.problem, ""
        if self._ends == 1:
            self.start()
        else:
            self._fail(reason or "the player's process ended")
        return True

    def send(self, command: Command) -> None:
        """Give the process a command; nothing happens while there is none."""
        if self._process.send(command):
            self.sent.emit()

    def drain(self, budget_ms: float) -> Iterator[Event]:
        """What the process has said of episodes; what it says of the agent changes this client."""
        for event in self._process.drain(budget_ms):
            if self._opening and isinstance(event, (m.PlayerReady, m.Failed)):
                self._opening, reopen, self._reopen = False, self._reopen, False
                if reopen:  # the answer is about an agent that is not wanted any more
                    self.reopen()
                    continue
            match event:
                case m.PlayerReady():
                    self._take_ready(event)
                case m.Warned():
                    if self.ready is not None:  # else it is about the former agent
                        self.notice = event.words
                        self.changed.emit()
                case m.Failed():
                    self._fail(event.words)
                case _:
                    yield event

    def _take_ready(self, ready: m.PlayerReady) -> None:
        if self.agent is not None:
            self.ready, self.problem = ready, ""
            self.opened.emit()
            self.changed.emit()

    def _fail(self, text: str) -> None:
        self.problem = text
        self.interrupted.emit()
        self.changed.emit()

    def clear_problem(self) -> None:
        """An episode plays after all."""
        self.problem = ""

    # -- the agent --------------------------------------------------------------------------------

    def open(
        self,
        *,
        experiment: Experiment | None = None,
        folder: Path | None = None,
        checkpoint: WeightsChoice = "best",
        source: str = "",
    ) -> None:
        """Play another agent: of a stored run, or (with an experiment) one whose weights come with `use_weights`."""
        self.open_agent(AgentRef(experiment, folder, source), "newest" if experiment is not None else checkpoint)

    def open_agent(self, agent: AgentRef, choice: WeightsChoice) -> None:
        """Play another agent with these of its weights."""
        self.choose_silently(agent, choice)
        self._process.use_weights(None)
        self.agent_left.emit()
        self.reopen()
        self.changed.emit()

    def close(self) -> None:
        """Play nothing."""
        self.agent, self.ready, self._reopen, self.problem = None, None, False, ""
        self.interrupted.emit()
        self.agent_left.emit()
        self.changed.emit()

    def choose_silently(self, agent: AgentRef | None, choice: WeightsChoice, *, finishing: bool = False) -> None:
        """Remember another agent and its weights; `reopen` opens them, and what is shown stays until then."""
        self.agent, self.choice, self.finishing = agent, choice, finishing

    def choose(self, weights: WeightsChoice) -> None:
        """Play other weights of the same agent."""
        if self.agent is not None and weights != self.choice:
            self.choice, self.finishing = weights, False
            self.reopen()
            self.changed.emit()

    def finish(self, folder: Path | None) -> None:
        """The agent's training has ended: the best checkpoint plays from the next episode on, unless one was chosen."""
        if self.agent is not None and folder is not None and has_checkpoint(folder):
            if self.choice == "newest":
                self.finishing = True
            self.agent = AgentRef(self.agent.experiment if self.finishing else None, folder)
            self.changed.emit()

    def use_best(self) -> None:
        """Play the best checkpoint of the agent, whose training has ended."""
        assert self.agent is not None
        self.choose_silently(AgentRef(None, self.agent.folder), "best")
        self.reopen()
        self.changed.emit()

    def reopen(self) -> None:
        """Open the agent; while one is being opened only the newest is remembered, so that nothing queues."""
        agent = self.agent
        if agent is None or not self._process.running:
            return
        self.ready = None
        self.problem = self.notice = ""
        self.interrupted.emit()
        if self._opening:
            self._reopen = True
            return
        self._opening = True
        if self.choice == "newest":
            self._process.forget_sent_weights()
            self.send(m.OpenAgent(experiment=agent.experiment))
        else:
            self.send(m.OpenAgent(folder=str(agent.folder), checkpoint=self.choice))

    @property
    def choices(self) -> list[WeightsChoice]:
        """The weights that can be chosen now; looks into the run's folder."""
        return [] if self.agent is None else self.agent.choices()

    @property
    def source(self) -> str:
        """Where the weights come from, in words."""
        if self.agent is not None and self.agent.name and self.choice == "best":
            return self.agent.name
        return source_name(self.choice)

    # -- weights of an agent that trains ----------------------------------------------------------

    @property
    def weights(self) -> m.Weights | None:
        """The newest weights of the agent that trains; None before the first."""
        return self._process.weights

    @Slot(object)
    def use_weights(self, weights: m.Weights) -> None:
        """Newer weights of the agent that trains; they play from the next episode on."""
        first = self._process.weights is None
        self._process.use_weights(weights)
        if first and self.ready is not None and self.choice == "newest":
            self.first_weights.emit()

    def send_weights(self) -> bool:
        """Send the newest weights; False if there are none, or the process has them."""
        return self._process.send_weights()

    def ask_weights(self) -> None:
        """Ask for newer weights, at most once a second."""
        now = self._clock()
        if self.choice == "newest" and now - self._weights_asked_at > WEIGHTS_S:
            self._weights_asked_at = now
            self.weights_requested.emit()
