"""A queue of questions about many episodes of the playing agent. A process, started by the first, answers them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.hosts import OpenHost, open_host
from dqngui.lab.background.elapsed import Elapsed
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.agent_process import AgentProcess
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.messages import Command, Event
from dqngui.texts import Text, say

TICK_MS = 40
DRAIN_MS = 4.0
END_S = 0.05  # longest wait for a process without further events

MakeQuestion = Callable[[int], Command | None]
"""Makes the command for a question from its number, when `Study.ready` is known; None cancels the question."""


class Study(QObject):
    """Asks questions about the player's agent and weights, one after the other.

    Attributes:
        ready: the questions that the agent allows; None until the first question has opened the agent.
        asked: number of the question being answered; 0 if there is none.
        progress, doing: its progress, 0 … 1, and what is done; empty if that is not known.
        elapsed: how long `doing` is the same already.

    Signals:
        changed: one of these attributes changed, or another agent plays.
        answered(object): `Faithfulness`, `Probed`, a row of `OverTraining`, or `Unanswered` with its reason.
        weights_requested: the owner of the training job should call `use_weights` with new weights.
    """

    changed = Signal()
    answered = Signal(object)
    weights_requested = Signal()

    def __init__(
        self,
        client: AgentClient,
        open_host: OpenHost = open_host,
        timing: Timing | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`client` is the player's; the questions are about its agent."""
        super().__init__(parent)
        self.ready: m.StudyReady | None = None
        self.asked = 0
        self.progress = 0.0
        self.doing: Text | str = ""
        self._client = client
        self._process = AgentProcess("study", open_host)
        self._subject: tuple[AgentRef, WeightsChoice] | None = None  # the agent that is open there or being opened
        self._opening = 0  # open requests without an answer; only the last one counts
        self._played = self._what_plays()
        self._number = 0
        self._waiting: dict[int, MakeQuestion] = {}
        self.elapsed = Elapsed()
        timing = timing or Timing()
        self._clock = timing.clock
        self._timer = TickTimer(TICK_MS, timing, parent=self)
        self._timer.ticked.connect(self.tick)
        client.changed.connect(self._on_client)

    # -- questions of panels -----------------------------------------------------------------------

    @property
    def can_ask(self) -> bool:
        """Whether an agent plays."""
        return self._played is not None and not self._process.ended

    def ask(self, make: MakeQuestion) -> int:
        """Queue a question and return its number; the signal `answered` gives the answer."""
        self._number += 1
        self._waiting[self._number] = make
        self._timer.start()
        self.changed.emit()
        return self._number

    def is_open(self, number: int) -> bool:
        """Whether the question waits or is being answered."""
        return number != 0 and (number == self.asked or number in self._waiting)

    def abandon(self, number: int) -> None:
        """Cancel a question; no signal about it follows."""
        self._waiting.pop(number, None)
        if number and number == self.asked:
            self._process.send(m.Abandon(number=number))
            self._end()
        self.changed.emit()

    def use_weights(self, weights: m.Weights) -> None:
        """Set newer weights of the agent in training, for later questions."""
        self._process.use_weights(weights)

    def forget_weights(self) -> None:
        """Drop the weights of the former training, because another training begins."""
        self._process.use_weights(None)

    # -- the agent ---------------------------------------------------------------------------------

    def _what_plays(self) -> tuple[AgentRef, WeightsChoice] | None:
        return None if self._client.agent is None else (self._client.agent, self._client.choice)

    @Slot()
    def _on_client(self) -> None:
        now, before = self._what_plays(), self._played
        if now == before:
            return
        if before is None or now is None or now[0].experiment != before[0].experiment:
            self._process.use_weights(None)
        self._played = now
        if self._subject is not None and self._subject != now:
            if self.asked:
                self._process.send(m.Abandon(number=self.asked))
            self._fail(say("question.other_agent"))
            self._subject = self.ready = None
        self.changed.emit()

    def _open_agent(self, agent: AgentRef, choice: WeightsChoice) -> None:
        self._subject, self.ready = (agent, choice), None
        self._process.forget_sent_weights()
        self._opening += 1
        folder = None if agent.folder is None else str(agent.folder)
        if choice == "newest":
            self._process.send(m.OpenAgent(experiment=agent.experiment, folder=folder))
        else:
            self._process.send(m.OpenAgent(folder=folder, checkpoint=choice))

    # -- the process -------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the process or its communication thread still runs."""
        return self._process.alive

    def stop(self) -> None:
        """End the process for good; it has nothing to save."""
        self._timer.stop()
        self._waiting.clear()
        self._process.stop()

    def join(self) -> None:
        """Release the process after it has ended (not `alive`)."""
        self._process.join()

    def _start(self) -> bool:
        if (failure := self._process.start()) is not None:
            self._fail(say("question.not_started", problem=failure))
        return self._process.running

    @Slot()
    def tick(self) -> None:
        """Process the new events, and do the next step towards asking the next question."""
        self._receive()
        if not self.asked and self._waiting:
            self._go_on()
        if self.elapsed.follow(self.doing, self._clock()):
            self.changed.emit()
        if not self.asked and not self._waiting:
            self._timer.stop()

    def _receive(self) -> None:
        for event in self._process.drain(DRAIN_MS):
            self._take(event)
        idle = self._idle
        if self._process.has_ended(END_S):
            self._subject, self.ready, self._opening = None, None, 0
            if not idle:
                self._fail(say("question.process_ended"))

    @property
    def _idle(self) -> bool:
        """Whether the process is idle or missing; its failure then answers no question."""
        return not self.asked and (self.ready is not None or self._subject is None)

    def _go_on(self) -> None:
        """Do the next step towards asking the next question: start the process, open the agent, send weights, ask."""
        if self._played is None:
            self._fail(say("question.no_agent"))
            return
        if not self._process.running and not self._start():
            return
        if self._subject is None:
            self._set_doing(say("player.loading"))
            self._open_agent(*self._played)
        if self.ready is None or self._subject is None:
            return
        if self._subject[1] == "newest" and not self._give_weights():
            return
        number, make = next(iter(self._waiting.items()))
        del self._waiting[number]
        question = make(number)
        if question is not None:
            self.asked, self.progress, self.doing = number, 0.0, say("question.playing")
            self._process.send(question)
        self.changed.emit()

    def _give_weights(self) -> bool:
        """Send the newest weights of the agent in training; False if there are none yet."""
        if self._process.weights is None:
            if self._set_doing(say("player.no_weights")):
                self.weights_requested.emit()
            return False
        self._process.send_weights()
        self.weights_requested.emit()  # for the next question
        return True

    def _set_doing(self, doing: Text) -> bool:
        """Set the text of a preparing step; False if it is unchanged."""
        if doing == self.doing:
            return False
        self.progress, self.doing = 0.0, doing
        self.changed.emit()
        return True

    # -- events of the process ---------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if isinstance(event, (m.StudyReady, m.Failed)) and self._opening:
            self._opening -= 1
            if self._opening or self._subject is None:
                return  # about an agent that was replaced
        match event:
            case m.StudyReady():
                self.ready = event
                self.changed.emit()
            case m.Progress() if event.number == self.asked:
                self.progress, self.doing = event.share, event.text or self.doing
                self.changed.emit()
            case m.OverTraining(last=False) if event.number == self.asked:
                self.answered.emit(event)
            case m.Faithfulness() | m.Probed() | m.OverTraining() | m.Unanswered() if event.number == self.asked:
                self._end()
                self.answered.emit(event)
                self.changed.emit()
            case m.Failed():
                idle = self._idle
                self._subject = self.ready = None
                if not idle:
                    self._fail(event.text)

    def _end(self) -> None:
        self.asked, self.progress, self.doing = 0, 0.0, ""

    def _fail(self, text: Text | str) -> None:
        """Answer all questions with a failure."""
        numbers = [self.asked] if self.asked else []
        numbers += self._waiting
        self._waiting.clear()
        self._end()
        for number in numbers:
            self.answered.emit(m.Unanswered(step=0, number=number, text=text))
        self.changed.emit()
