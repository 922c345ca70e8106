"""A line below a map of weights that tests on request whether the map explains the agent."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from dqngui import messages as m
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.internals.faithfulness_bars import FaithfulnessBars
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.lab.analysis.faithfulness import measure_of, numbers, places, short_verdict, verdict
from dqngui.lab.analysis.study_question import StudyQuestion
from dqngui.lab.analysis.views import in_words
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import Faithfulness, View
from dqngui.texts import Text, say, words

LOW, LOW_OPEN = 150, 300
"""Heights of a panel in pixels below which the line is hidden, and below which its details stay closed."""
COUNTS = (1, 2, 4)
QUESTION = "Does this map explain this agent?"
_HOW = (
    "In greedy episodes the places with the largest weights, and for comparison random ones, are removed at each step; "
    "the other weights of a row are scaled up. A map explains the agent if removing the largest weights changes its "
    "action values clearly more. Brackets: 95 % intervals over episodes."
)


class MapPanel(Protocol):
    """The part of a panel that the row uses.

    Attributes:
        playing: the episode that the panel draws.
    """

    playing: PlayedEpisode | None

    @property
    def view(self) -> View | None:
        """The view that is chosen."""
        ...

    def has_content(self) -> bool:
        """Whether the view is drawn."""
        ...

    def announced(self) -> list[View]:
        """All views that can be drawn."""
        ...

    def offered(self) -> dict[str, str]:
        """The choices of views in the panel's header; may be empty."""
        ...

    def isVisible(self) -> bool: ...

    def height(self) -> int: ...


class FaithfulnessRow(QWidget):
    """Asks the study whether the map above explains the agent, and shows the answer; hidden for other views.

    Attributes:
        answers: answers about the playing agent, by view and number of places.
        question: the question to the study.
    """

    def __init__(self, panel: MapPanel, parent: QWidget) -> None:
        super().__init__(parent)
        self.answers: dict[tuple[str, int], Faithfulness] = {}
        self.question = StudyQuestion(self)
        self.question.changed.connect(self._on_change)
        self.question.answered.connect(self._on_answer)
        self._panel = panel
        self._k = COUNTS[0]
        self._requested_for: tuple[str, int] = ("", 0)
        self._problems: dict[tuple[str, int], Text | str] = {}
        self._agent: object = None
        self._make_line()
        self._make_details()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 4, 0)
        column.setSpacing(2)
        column.addLayout(self._line)
        column.addWidget(self.details)
        self.hide()

    def _make_line(self) -> None:
        self.bars = FaithfulnessBars(named=False)
        self.text = ElidedLabel()
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(64, 6)
        self.progress.setAccessibleName("Progress of measuring")
        self.count = ChoiceButton("Number of removed places", self)
        self.button = QPushButton("Measure")
        themes.set_role(self.button, "small")
        self.button.clicked.connect(self._on_button)
        self.more = QToolButton()
        self.more.setCheckable(True)
        self.more.setIconSize(QSize(16, 16))
        self.more.setAccessibleName("Show the measured numbers")
        self.more.setToolTip("Show the measured numbers")
        self.more.toggled.connect(self.refresh)
        self._line = QHBoxLayout()
        self._line.setSpacing(8)
        for widget in (self.bars, self.progress):
            self._line.addWidget(widget)
        self._line.addWidget(self.text, 1)
        for control in (self.count, self.button, self.more):
            self._line.addWidget(control)

    def _make_details(self) -> None:
        self.details = QWidget()
        self.details_text = QLabel()
        self.details_text.setWordWrap(True)
        self.changed_actions, self.change = FaithfulnessBars(named=True), FaithfulnessBars(named=True)
        column = QVBoxLayout(self.details)
        column.setContentsMargins(0, 0, 8, 4)
        column.setSpacing(3)
        column.addWidget(self.details_text)
        for bars, title in (
            (self.changed_actions, "Actions that change"),
            (self.change, "Change of the values, in their spread"),
        ):
            label = QLabel(title)
            themes.set_role(label, "muted")
            column.addWidget(label)
            column.addWidget(bars)

    # -- calls of the panel ------------------------------------------------------------------------

    def attach(self, sources: Sources) -> None:
        """Set the study; without one the line is never shown."""
        self.question.attach(sources.study, sources.player)

    @Slot()
    def _on_change(self) -> None:
        if self._panel.isVisible():
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the answer for the drawn map."""
        if self.question.study is None:
            return
        self._forget_others()
        view = self.weights
        self.setVisible(view is not None and self._panel.height() >= LOW)
        if view is None or self.isHidden():
            return
        self._show_counts(view)
        answer = self.answers.get((view.name, self._k))
        offers = [k for k in COUNTS if k < view.shape[-1]]
        here = self.question.is_open and self._requested_for == (view.name, self._k)
        self.progress.setVisible(here)
        self.progress.setValue(self.question.percent)
        self.bars.setVisible(answer is not None and not here)
        self.count.setVisible(len(offers) > 1 and not here)
        self.button.setText("Cancel" if here else "Measure")
        self.button.setVisible(here or answer is None or self.is_stale(answer))
        self.button.setEnabled(here or (bool(offers) and self.question.can_ask))
        what = places(view.axes[-1], self._k, self._cells)
        self.button.setToolTip(
            "Stop measuring" if here else f"Remove the {what} with the largest weight, and measure what changes"
        )
        role, text, tip = self._words(view, answer, here, bool(offers))
        themes.set_role(self.text, role)
        self.text.setText(text)
        self.text.setToolTip(tip)
        self._show_details(view, None if here else answer)

    def restyle(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self.more.setIcon(themes.icon("chevron-up" if self.more.isChecked() else "chevron-down", "muted"))
        for bars in (self.bars, self.changed_actions, self.change):
            bars.update()

    # -- drawing -----------------------------------------------------------------------------------

    @property
    def weights(self) -> View | None:
        """The panel's view, if it has weights that can be removed."""
        playing, view = self._panel.playing, self._panel.view
        known = playing is not None and view is not None and view.name in playing.ready.weights
        return view if known and self._panel.has_content() else None

    @property
    def _cells(self) -> bool:
        return self._panel.playing is not None and self._panel.playing.ready.cells is not None

    def is_stale(self, answer: Faithfulness | None) -> bool:
        """Whether other weights play now than those of the answer."""
        playing = self._panel.playing
        return answer is not None and playing is not None and playing.weights_step != answer.step

    def _words(self, view: View, answer: Faithfulness | None, busy: bool, possible: bool) -> tuple[str, str, str]:
        """Role, text and tooltip of the line."""
        if busy:
            return "muted", self.question.words, _HOW
        problem = self._problems.get((view.name, self._k))
        if problem:
            reason = words(say("answer.none", problem=problem))
            return "bad", reason, reason
        if not possible:
            what = places(view.axes[-1], 1, self._cells)
            return "muted", words(say("map.one_only", places=what)), _HOW
        if answer is None:
            return "muted", QUESTION, f"{QUESTION} {_HOW}"
        stale = self.is_stale(answer)
        text = say("map.short_at", verdict=short_verdict(answer), step=answer.step) if stale else short_verdict(answer)
        role = "muted" if stale else ("good" if answer.explains else "warn")
        return role, words(text), words(self._sentence(view, answer))

    def _sentence(self, view: View, answer: Faithfulness) -> Text:
        axis, cells = view.axes[-1], self._cells
        effect, meaning = numbers(answer, axis, cells), verdict(answer, axis, cells)
        if self._panel.offered() and len(self._panel.announced()) > 1:
            text = say("map.answer_of", view=in_words(view.name).capitalize(), numbers=effect, verdict=meaning)
        else:
            text = say("map.answer", numbers=effect, verdict=meaning)
        return say("map.other_weights", answer=text, step=answer.step) if self.is_stale(answer) else text

    def _show_counts(self, view: View) -> None:
        offered = {str(k): words(places(view.axes[-1], k, self._cells)) for k in COUNTS if k < view.shape[-1]}
        if str(self._k) not in offered:
            self._k = COUNTS[0]
        self.count.offer(
            {k: f"1 {text}" if k == "1" else text for k, text in offered.items()}, str(self._k), self.choose
        )

    def _show_details(self, view: View, answer: Faithfulness | None) -> None:
        self.more.setVisible(answer is not None and self._panel.height() >= LOW_OPEN)
        opened = answer is not None and self.more.isChecked() and not self.more.isHidden()
        self.details.setVisible(opened)
        self.more.setIcon(themes.icon("chevron-up" if self.more.isChecked() else "chevron-down", "muted"))
        if answer is None:
            return
        self.bars.draw(answer, measure_of(answer))
        self.changed_actions.draw(answer, "changed_actions")
        self.change.draw(answer, "change")
        text = say("map.measured", answer=self._sentence(view, answer), steps=answer.steps, episodes=answer.episodes)
        self.details_text.setText(words(text))
        self.details.setToolTip(_HOW)

    # -- requests ----------------------------------------------------------------------------------

    def choose(self, k: str) -> None:
        """Choose the number of places to remove."""
        self._k = int(k)
        self.count.set_chosen(k)
        self.refresh()

    def measure(self) -> None:
        """Ask the study about the drawn map."""
        view = self.weights
        if view is None or not self.question.can_ask:
            return
        self.question.give_up()
        self._requested_for = name, k = view.name, self._k
        self._problems.pop(self._requested_for, None)
        self._agent = self.question.agent_key
        self.question.ask(lambda number: m.AskFaithfulness(number=number, view=name, k=k))
        self.refresh()

    @Slot()
    def _on_button(self) -> None:
        if self.question.is_open and self.button.text() == "Cancel":
            self.question.give_up()
            self.refresh()
        else:
            self.measure()

    @Slot(object)
    def _on_answer(self, event: m.Event) -> None:
        match event:
            case m.Faithfulness():
                self.answers[self._requested_for] = event
            case m.Unanswered():
                self._problems[self._requested_for] = event.text
        self._on_change()

    def _forget_others(self) -> None:
        """Drop answers about another agent."""
        if self._agent != self.question.agent_key:
            self._agent = self.question.agent_key
            self.answers.clear()
            self._problems.clear()
