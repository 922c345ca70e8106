"""A panel's question to the study, with its progress; at most one is open."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from dqngui.lab.analysis.study import MakeQuestion, Study
from dqngui.lab.playback.player import Player
from dqngui.messages import Event
from dqngui.texts import say, words


class StudyQuestion(QObject):
    """Asks the study on behalf of one panel, and forwards only the answers for it.

    Attributes:
        study: the study; None before `attach` or without a study: nothing can be asked then.
        number: number of the last question; 0 before the first, and after it was cancelled.

    Signals:
        changed: the study or the playing agent changed, so the display may be outdated.
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
        """Whether there is a study and an agent plays."""
        return self.study is not None and self.study.can_ask

    @property
    def is_open(self) -> bool:
        """Whether the question waits or is being answered."""
        return self.study is not None and self.study.is_open(self.number)

    def ask(self, make: MakeQuestion) -> None:
        """Ask a question in place of the one before; only if `can_ask`."""
        assert self.study is not None
        self.give_up()
        self.number = self.study.ask(make)

    def give_up(self) -> None:
        """Cancel the question."""
        if self.study is not None and self.is_open:
            self.study.abandon(self.number)
        self.number = 0

    @property
    def percent(self) -> int:
        """Progress of the answer in percent; 0 while it waits."""
        return round(100 * self.study.progress) if self.study is not None and self.study.asked == self.number else 0

    @property
    def words(self) -> str:
        """A text about the progress."""
        here = self.study is not None and self.study.asked in (0, self.number)
        doing = self.study.elapsed.with_seconds(self.study.doing) if self.study is not None and here else ""
        return words(doing or say("question.waiting"))

    @property
    def agent_key(self) -> object:
        """A value that identifies the agent; the same during its training and afterwards."""
        agent = self._player.client.agent if self._player is not None else None
        return None if agent is None else agent.folder or agent.experiment

    @Slot(object)
    def _on_answer(self, event: Event) -> None:
        if getattr(event, "number", None) == self.number:
            self.answered.emit(event)
