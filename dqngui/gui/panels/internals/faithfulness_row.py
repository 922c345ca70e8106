"""A line below a map of weights that tests on request whether the map explains the agent."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from dqngui import messages as m
from dqngui.gui.cards.panel import Sources
from dqngui.gui.charts.trace import Series, Trace
from dqngui.gui.panels.internals.faithfulness_bars import FaithfulnessBars
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.lab.analysis.faithfulness import EffectOverSteps, brief_verdict, explanation, places, reason
from dqngui.lab.analysis.study_question import StudyQuestion
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import Faithfulness, View
from dqngui.texts import Text, say, words

LOW, LOW_REASON, LOW_OPEN, LOW_CURVE = 150, 200, 300, 360
"""Heights of a panel in pixels below which are left out: the whole line, the reason of a verdict, all numbers beside
the reason, and the curve.
"""
CURVE = 62  # pixels
COUNTS = (1, 2, 4)
Key = tuple[str, int, int | None]
QUESTION = "Does this map explain this agent?"
_HOW = (
    "Places with the largest weights, and for comparison random ones, are removed where the choice matters, and the "
    "episodes are played on. A map explains the agent if its choice and its return depend on these places clearly "
    "more. Brackets: 95 % intervals over episodes."
)


class MapPanel(Protocol):
    """The part of a panel that the row uses.

    Attributes:
        playing: the episode that the panel draws.
    """

    playing: PlayedEpisode | None

    @property
    def one_head(self) -> int | None:
        """The head that is shown alone; None: all heads."""
        ...

    @property
    def view(self) -> View | None:
        """The view that is chosen."""
        ...

    def has_content(self) -> bool:
        """Whether the view is drawn."""
        ...

    def seek_step(self, t: int) -> None:
        """Make the player show a step."""
        ...

    def isVisible(self) -> bool: ...

    def height(self) -> int: ...


class FaithfulnessRow(QWidget):
    """Asks the study whether the map above explains the agent, and shows the answer; hidden for other views.

    Attributes:
        answers: answers about the playing agent, by view, number of places and head.
        question: the question to the study.
    """

    def __init__(self, panel: MapPanel, parent: QWidget) -> None:
        super().__init__(parent)
        self.answers: dict[Key, Faithfulness] = {}
        self.question = StudyQuestion(self)
        self.question.changed.connect(self._on_change)
        self.question.answered.connect(self._on_answer)
        self._panel = panel
        self._k = COUNTS[0]
        self._requested_for: Key = ("", 0, None)
        self._problems: dict[Key, Text | str] = {}
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
        self.bars = FaithfulnessBars()
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
        self.more.setChecked(True)
        self.more.setIconSize(QSize(16, 16))
        self.more.setAccessibleName("Show what was measured")
        self.more.setToolTip("Show what was measured")
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
        self.details_text = plain_label()
        self.details_text.setWordWrap(True)
        themes.set_role(self.details_text, "secondary")
        self.curve = Trace()
        self.curve.setFixedHeight(CURVE)
        self.curve.setAccessibleName("What is at stake, and what is lost without places, over the steps")
        self.curve.setAccessibleDescription("A click shows that step")
        self.curve.stepped.connect(lambda t, y: self._panel.seek_step(t))
        column = QVBoxLayout(self.details)
        column.setContentsMargins(0, 0, 4, 4)
        column.setSpacing(3)
        column.addWidget(self.details_text)
        column.addWidget(self.curve)

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
        key = self._key(view)
        answer = self.answers.get(key)
        offers = [k for k in COUNTS if k < view.shape[-1]]
        here = self.question.is_open and self._requested_for == key
        self.progress.setVisible(here)
        self.progress.setValue(self.question.percent)
        self.bars.setVisible(answer is not None and not here)
        self.count.setVisible(len(offers) > 1 and not here)
        self.button.setText("Cancel" if here else "Measure")
        self.button.setVisible(here or answer is None or self.is_stale(answer))
        self.button.setEnabled(here or (bool(offers) and self.question.can_ask))
        what = places(view.axes[-1], self._k, self._cells)
        self.button.setToolTip(
            "Stop measuring"
            if here
            else plain_tip(
                f"Remove the {what} with the largest weight where the choice matters, and measure what is lost"
            )
        )
        role, text, tip = self._words(view, answer, here, bool(offers))
        themes.set_role(self.text, role)
        self.text.setText(text)
        self.text.setToolTip(plain_tip(tip))
        self._show_details(view, None if here else answer)

    def restyle(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self.more.setIcon(themes.icon("chevron-up" if self.more.isChecked() else "chevron-down", "muted"))
        self.bars.update()

    def follow(self, t: int) -> None:
        """Move the curve's cursor to a step."""
        self.curve.follow(t)

    # -- drawing -----------------------------------------------------------------------------------

    @property
    def weights(self) -> View | None:
        """The panel's view, if it has weights that can be removed."""
        playing, view = self._panel.playing, self._panel.view
        known = playing is not None and view is not None and view.name in playing.ready.weights
        return view if known and self._panel.has_content() else None

    def _key(self, view: View) -> Key:
        return view.name, self._k, self._panel.one_head if "head" in view.axes else None

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
        problem = self._problems.get(self._key(view))
        if problem:
            reason = words(say("answer.none", problem=problem))
            return "bad", reason, reason
        if not possible:
            what = places(view.axes[-1], 1, self._cells)
            return "muted", words(say("map.one_only", places=what)), _HOW
        if answer is None:
            return "muted", QUESTION, f"{QUESTION} {_HOW}"
        stale = self.is_stale(answer)
        text = say("map.short_at", verdict=brief_verdict(answer), step=answer.step) if stale else brief_verdict(answer)
        role = "muted" if stale else ("good" if answer.explains else "warn")
        return role, words(text), words(self._reason(view, answer))

    def _reason(self, view: View, answer: Faithfulness) -> Text:
        text = reason(answer, view.axes[-1], self._cells)
        return say("map.other_weights", answer=text, step=answer.step) if self.is_stale(answer) else text

    def _explanation(self, view: View, answer: Faithfulness) -> Text:
        text = explanation(answer, view.axes[-1], self._cells)
        return say("map.other_weights", answer=text, step=answer.step) if self.is_stale(answer) else text

    def _show_counts(self, view: View) -> None:
        offered = {str(k): words(places(view.axes[-1], k, self._cells)) for k in COUNTS if k < view.shape[-1]}
        if str(self._k) not in offered:
            self._k = COUNTS[0]
        self.count.offer(
            {k: f"1 {text}" if k == "1" else text for k, text in offered.items()}, str(self._k), self.choose
        )

    def _show_details(self, view: View, answer: Faithfulness | None) -> None:
        height = self._panel.height()
        self.more.setVisible(answer is not None and height >= LOW_REASON)
        opened = answer is not None and self.more.isChecked() and height >= LOW_REASON
        self.details.setVisible(opened)
        self.more.setIcon(themes.icon("chevron-up" if self.more.isChecked() else "chevron-down", "muted"))
        if answer is None:
            return
        self.bars.draw(answer)
        text = self._explanation(view, answer) if height >= LOW_OPEN else self._reason(view, answer)
        self.details_text.setText(words(text))
        self.details_text.setToolTip(plain_tip(_HOW))
        self.curve.setVisible(height >= LOW_CURVE)
        if opened and height >= LOW_CURVE:
            self._draw_curve(answer)

    def _draw_curve(self, answer: Faithfulness) -> None:
        over = EffectOverSteps.of(answer)
        self.curve.set_span(max(len(over.stake), 2))
        self.curve.draw(
            "",
            [
                Series("at stake", "muted", over.stake),
                Series("lost without the largest", "series0", over.top),
                Series("without random", "series1", over.random, dashed=True),
            ],
            over.limits,
        )
        self.curve.set_gutter(self.curve.gutter_wanted, True)

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
        self._requested_for = name, k, head = self._key(view)
        self._problems.pop(self._requested_for, None)
        self._agent = self.question.agent_key
        self.question.ask(lambda number: m.AskFaithfulness(number=number, view=name, k=k, head=head))
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
