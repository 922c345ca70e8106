"""A panel's question to the study: at most one is open; it says how far the answer is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from dqngui.lab.analysis.study import MakeQuestion, Study
from dqngui.lab.playback.player import Player
from dqngui.messages import Event
from dqngui.texts import say, words


class StudyQuestion(QObject):
    """Asks the study for one panel, and passes on only the answers to that panel.

    Attributes:
        study: None before `attach`, and in a panel that stands alone: nothing can be asked then.
        number: of the question that was asked last; 0 before any, and after it was given up.

    Signals:
        changed: the study or the agent that plays; what is drawn of the question may be old.
        answered(object): an answer to this question, or `Unanswered` with its reason.
    """

    changed = Signal()
    answered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.study: Study | None = None
        self.number = 0
        self._player: Player | None = None

    def attach(self, study: Study | None, player: Player) -> None:
        """Take the study, if there is one, and the player; called once."""
        self.study, self._player = study, player
        player.changed.connect(self.changed)
        if self.study is not None:
            self.study.changed.connect(self.changed)
            self.study.answered.connect(self._on_answer)

    @property
    def can_ask(self) -> bool:
        """There is a study, and an agent plays."""
        return self.study is not None and self.study.can_ask

    @property
    def is_open(self) -> bool:
        """The question waits or is being answered."""
        return self.study is not None and self.study.is_open(self.number)

    def ask(self, make: MakeQuestion) -> None:
        """Ask this in place of the question before; only where `can_ask`."""
        assert self.study is not None
        self.give_up()
        self.number = self.study.ask(make)

    def give_up(self) -> None:
        """Want no answer any more."""
        if self.study is not None and self.is_open:
            self.study.abandon(self.number)
        self.number = 0

    @property
    def percent(self) -> int:
        """How far it is answered; 0 while it waits."""
        return round(100 * self.study.progress) if self.study is not None and self.study.asked == self.number else 0

    @property
    def words(self) -> str:
        """What is done about it."""
        here = self.study is not None and self.study.asked in (0, self.number)
        return words((self.study.doing if self.study is not None and here else "") or say("question.waiting"))

    @property
    def agent_key(self) -> object:
        """A value that differs between agents; it is the same for an agent that trains and for its trained weights."""
        agent = self._player.agent if self._player is not None else None
        return None if agent is None else agent.folder or agent.experiment

    @Slot(object)
    def _on_answer(self, event: Event) -> None:
        if getattr(event, "number", None) == self.number:
            self.answered.emit(event)
