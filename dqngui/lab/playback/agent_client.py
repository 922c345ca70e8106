"""The process behind the player: who plays there, with which weights, and what happens when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.hosts import Host, open_host
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice, has_checkpoint, source_name
from dqngui.lab.playback.episode import EpisodeRequest
from dqngui.messages import Command, Event, Request

WEIGHTS_S = 1.0  # between two requests for newer weights


class AgentClient(QObject):
    """A process for the window's whole life, and the agent that it has open.

    Attributes:
        agent, choice: who plays, with which of its weights.
        problem: why nothing plays; `restart` tries again.
        notice: what should be known of the agent that plays.

    Signals:
        changed: any of these changed.
        weights_wanted: somebody who trains the agent should call `use_weights`.
    """

    changed = Signal()
    weights_wanted = Signal()

    def __init__(self, open_host: Callable[[str, Request], Host] = open_host, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.agent: AgentRef | None = None
        self.choice: WeightsChoice = "best"
        self.problem = self.notice = ""
        self._open_host = open_host
        self._host: Host | None = None
        self._ends = 0  # of the process, since it was last started by hand
        self._over = False
        self._ready: m.PlayerReady | None = None
        self._opening = self._reopen = False  # an agent is being opened; another one was asked for meanwhile
        self._begun = False  # the episode that was asked for last
        self._asked = EpisodeRequest(PLAY_SEEDS)
        self._finishing = False
        self._weights: m.Weights | None = None
        self._weights_sent = False
        self._weights_asked = 0.0

    # -- what the player does about it ------------------------------------------------------------

    def _begin(self, asked: EpisodeRequest) -> None:
        """Begin an episode."""
        raise NotImplementedError

    def _wake(self) -> None:
        """Something will come."""
        raise NotImplementedError

    def _blank(self) -> None:
        """Another agent: show nothing of the former."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Nothing that was asked for will come any more."""
        raise NotImplementedError

    # -- the process ------------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the process; from here on it lives as long as the window."""
        if self._host is None and not self._over:
            try:
                self._opening = self._reopen = False
                self._host = self._open_host("process", Request(job="play"))
                self._host.start()
            except Exception as error:  # whatever a host does wrong, the window lives on and says so
                self._host = None
                self._fail(f"the player could not start: {error}")
                return
            self._open_agent()
            self._wake()
            self.changed.emit()

    @property
    def alive(self) -> bool:
        """The process, or a thread that talks with it, is there."""
        return self._host is not None and not self._host.join(0)

    def stop(self) -> None:
        """End the process, for good: it has nothing to save."""
        self._over = True
        if self._host is not None:
            self._host.kill()

    def join(self) -> None:
        """Let go of the process, once it is not `alive`."""
        self._host = None

    def restart(self) -> None:
        """After a problem: once more from the beginning."""
        self.problem = ""
        self._ends = 0
        if self._host is None:
            self.start()
        else:
            self._open_agent()
            self.changed.emit()
            self._wake()

    def _ended(self) -> None:
        """The process has gone, though nobody asked it to."""
        self._host = None
        self._ends += 1
        reason, self.problem = self.problem, ""
        if self._ends == 1:
            self.start()
        else:
            self._fail(reason or "the player's process ended")

    def _fail(self, text: str) -> None:
        self.problem = text
        self._leave()
        self.changed.emit()

    def _send(self, command: Command) -> None:
        if self._host is not None and not self._over:
            self._host.send(command)

    # -- who plays --------------------------------------------------------------------------------

    def open(
        self,
        *,
        experiment: Experiment | None = None,
        folder: Path | None = None,
        checkpoint: WeightsChoice = "best",
        source: str = "",
    ) -> None:
        """Play another agent: of a stored run, or (with an experiment) one whose weights come with `use_weights`."""
        self.agent = AgentRef(experiment, folder, source)
        self.choice = "newest" if experiment is not None else checkpoint
        self._weights, self._finishing = None, False
        self._blank()
        self._open_agent()
        self.changed.emit()

    def close(self) -> None:
        """Play nothing."""
        self.agent, self._ready, self._begun, self._reopen, self.problem = None, None, False, False, ""
        self._blank()
        self.changed.emit()

    def finish(self, folder: Path | None) -> None:
        """The agent's training has ended: the best checkpoint plays from the next episode on, unless one was chosen."""
        if self.agent is not None and folder is not None and has_checkpoint(folder):
            if self.choice == "newest":
                self._finishing = True
            self.agent = AgentRef(self.agent.experiment if self._finishing else None, folder)
            self.changed.emit()
            if self._finishing and not self._begun:
                self._use_best()

    def _use_best(self) -> None:
        assert self.agent is not None
        self.agent, self.choice, self._finishing = AgentRef(None, self.agent.folder), "best", False
        self._open_agent()
        self.changed.emit()

    def choose(self, weights: WeightsChoice) -> None:
        """Play other weights of the same agent, from the start of an episode with the same seed."""
        if self.agent is not None and weights != self.choice:
            self.choice, self._finishing = weights, False
            self._asked = replace(self._asked, at=0)
            self._open_agent()
            self.changed.emit()

    @property
    def choices(self) -> list[WeightsChoice]:
        """The weights that can be chosen now; looks into the run's folder."""
        agent = self.agent
        return [] if agent is None else agent.choices()

    @property
    def source(self) -> str:
        """Where the weights come from, in words."""
        if self.agent is not None and self.agent.name and self.choice == "best":
            return self.agent.name
        return source_name(self.choice)

    def use_weights(self, weights: m.Weights) -> None:
        """Newer weights of the agent that trains; they play from the next episode on."""
        first = self._weights is None
        self._weights, self._weights_sent = weights, False
        if first and self._ready is not None and not self._begun and self.choice == "newest":
            self._begin(self._asked)

    def _open_agent(self) -> None:
        """Open the agent; while one is being opened only the newest is remembered, so that nothing queues."""
        agent = self.agent
        if agent is None or self._host is None:
            return
        self._ready, self._begun = None, False
        self.problem = self.notice = ""
        self._leave()
        if self._opening:
            self._reopen = True
            return
        self._opening = True
        if self.choice == "newest":
            self._weights_sent = False
            self._send(m.OpenAgent(experiment=agent.experiment))
        else:
            self._send(m.OpenAgent(folder=str(agent.folder), checkpoint=self.choice))
        self._wake()

    def _drain(self, budget_ms: float) -> Iterator[Event]:
        """What the process says now, but for the answer about an agent that is not wanted any more."""
        if self._host is None:
            return
        for event in self._host.drain(budget_ms):
            if self._opening and isinstance(event, (m.PlayerReady, m.Failed)):
                self._opening, reopen, self._reopen = False, self._reopen, False
                if reopen:
                    self._open_agent()
                    continue
            yield event

    def _ask_weights(self) -> None:
        """Ask for newer weights, at most once a second."""
        now = time.perf_counter()
        if self.choice == "newest" and now - self._weights_asked > WEIGHTS_S:
            self._weights_asked = now
            self.weights_wanted.emit()
