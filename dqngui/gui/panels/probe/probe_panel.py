"""The Probe panel: whether a fact, such as the cue, can be read from the agent's memory at each step."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from dqngui import messages as m
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.panels.probe.probe_curve import ProbeCurve
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.gui.widgets.scroll_area import ScrollArea
from dqngui.lab.analysis.probe_verdict import verdict
from dqngui.lab.analysis.study import Study
from dqngui.lab.analysis.study_question import StudyQuestion
from dqngui.lab.analysis.table import Table
from dqngui.lab.analysis.views import in_words
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.texts import Text, say, words

EPISODES = (50, 200, 1000)
ALL = "all"
WIDE_PX = 400  # card width from which the header has room for all choices
REASONS = 0.4
"""Largest share of the card's height that the reasons take from the curve."""
COLUMNS = (
    "t", "score", "low", "high", "untrained", "untrained_low", "untrained_high", "observation", "control", "decisive",
    "count",
)  # fmt: skip


class ProbePanel(Panel):
    """Asks the study to read a fact from the memory, and draws how well that works at each step.

    Attributes:
        answer: the last answer.
        problem: why the study could not answer; empty if it could.
        question: the question to the study.
    """

    title = "Probe"
    needs_agent = True
    promise = (
        "Tests what the agent's memory contains, such as a cue that it saw or a velocity that it does not observe. "
        "The curve over the episode shows whether it remembers."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.answer: m.Probed | None = None
        self.question = StudyQuestion(self)
        self.question.changed.connect(self.again_if_visible)
        self.question.answered.connect(self._on_answer)
        self.problem: Text | str = ""
        self._read_of: object = None  # the agent of the answer
        self._fact, self._view, self._episodes = "", ALL, EPISODES[1]
        self.fact = ChoiceButton("The fact to read from the memory", self)
        self.view = ChoiceButton("The part of the memory to read from", self)
        self.episodes = ChoiceButton("Number of episodes to play: more episodes give a narrower interval", self)
        self.header_widgets = [self.fact, self.view, self.episodes]
        self.start = self.offer(
            "Read its memory",
            "head-question-outline",
            "Play episodes and test which facts the memory contains",
            self.read,
        )
        self.curve = ProbeCurve()
        self.curve.setAccessibleName("How well the fact is read at each step of the episode")
        self.curve.stepped.connect(self._seek)
        self._arrange()
        self.add_exports()
        self.restyle(themes.current())

    def _arrange(self) -> None:
        self.words, self.reasons, self.stale = plain_label(), plain_label(), ElidedLabel()
        self.words.setWordWrap(True)
        self.reasons.setWordWrap(True)
        self.scrolled = ScrollArea(self.reasons)
        self.scrolled.setAccessibleName("Why the probe says so")
        self.words.setToolTip(
            plain_tip(
                "A linear model predicts the fact from the memory, to which noise was added; for each episode it was "
                "trained on other episodes. Untrained networks with the same architecture read the same episodes."
            )
        )
        themes.set_role(self.stale, "warn")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 100)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of reading")
        self.button = QPushButton("Read")
        self.button.clicked.connect(self._on_button)
        texts = QVBoxLayout()
        texts.setSpacing(4)
        for widget in (self.words, self.bar):
            texts.addWidget(widget)
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addLayout(texts, 1)
        top.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(12, 2, 12, 6)
        column.setSpacing(6)
        column.addLayout(top)
        column.addWidget(self.scrolled)  # in a small card the reasons scroll, so that none of them is cut off
        column.addWidget(self.stale)
        column.addWidget(self.curve, 1)

    # -- the contract ------------------------------------------------------------------------------

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        self.question.attach(sources.study, sources.player)

    def has_content(self) -> bool:
        asked = self.question.is_open or self.answer is not None or bool(self.problem)
        return self.question.study is not None and (asked or bool(self._facts))

    def why_empty(self) -> str:
        study = self.question.study
        if study is not None and study.ready is not None and not study.ready.held:
            return "This agent carries nothing from one step to the next: it has no memory to read from."
        return self.promise

    def redraw(self) -> None:
        study = self.question.study
        self.start.setVisible(study is not None and study.can_ask and (study.ready is None or bool(study.ready.held)))
        if study is None or not self.has_content():
            return
        self._redraw_choices(study)
        asking = self.question.is_open
        self.bar.setVisible(asking)
        self.button.setText("Cancel" if asking else "Read")
        self.button.setToolTip(
            "Stop; the last answer stays" if asking else "Play episodes and read the fact from the memory at each step"
        )
        self.button.setEnabled(asking or study.can_ask)
        role, text = self._sentence()
        themes.set_role(self.words, role)
        self.words.setText(text)
        reasons = self._reasons()
        self.reasons.setText(reasons)
        self.scrolled.setVisible(bool(reasons))
        self._fit_reasons()
        self.bar.setValue(self.question.percent)
        stale = "" if asking else self.why_stale()
        self.stale.setText(stale)
        self.stale.setVisible(bool(stale))
        self.curve.draw(self.answer)
        if self.playing is not None:
            self.follow(self.playing.t)

    def follow(self, t: int) -> None:
        self.curve.follow(t)

    def take_views(self, playing: PlayedEpisode | None) -> None:
        another = playing is None or self.playing is None or playing.weights_step != self.playing.weights_step
        self.playing = playing
        self._changed = self._changed or another  # further steps of the same episode change nothing here

    def clear(self, reason: str = "") -> None:
        self.question.give_up()
        self.answer, self.problem = None, ""
        super().clear(reason)

    def restyle(self, theme: Theme) -> None:
        self.curve.restyle(theme)
        super().restyle(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.has_content():
            self.episodes.setVisible(self.width() >= WIDE_PX)
            self._fit_reasons()

    def _fit_reasons(self) -> None:
        """Make the reasons as high as their text, and their area no higher; in a high card all of them are seen."""
        margins = self.content.contentsMargins()
        room = (
            self.width() - 24 - margins.left() - margins.right() - self.scrolled.verticalScrollBar().sizeHint().width()
        )
        height = max(self.reasons.heightForWidth(max(room, 1)), 0)
        self.reasons.setMinimumHeight(height)
        self.scrolled.setMinimumHeight(min(height + 2, round(REASONS * self.height())))
        self.scrolled.setMaximumHeight(height + 2)

    # -- requests ----------------------------------------------------------------------------------

    @property
    def _facts(self) -> tuple[str, ...]:
        """The facts that can be asked about this agent; () if it has no memory or is not known yet."""
        study = self.question.study
        ready = None if study is None else study.ready
        return ready.facts if ready is not None and ready.held else ()

    def read(self) -> None:
        """Ask the study; the first answer also tells which facts can be read."""
        if self.question.can_ask:
            self.problem, self._read_of = "", self.question.agent_key
            self.question.ask(self._request)
            self.again_if_visible()

    def _request(self, number: int) -> m.AskProbe:
        study = self.question.study
        held = study.ready.held if study is not None and study.ready is not None else ()
        views = (self._view,) if self._view in held else ()
        return m.AskProbe(number=number, fact=self._chosen_fact(), views=views, episodes=self._episodes)

    def _chosen_fact(self) -> str:
        """The chosen fact if the agent has it, otherwise the agent's first fact (the task's own facts come first)."""
        facts = self._facts
        return self._fact if self._fact in facts or not facts else facts[0]

    @Slot()
    def _on_button(self) -> None:
        if self.question.is_open:
            self.question.give_up()
            self.again_if_visible()
        else:
            self.read()

    @Slot(object)
    def _on_answer(self, event: m.Event) -> None:
        match event:
            case m.Probed():
                self.answer = event
            case m.Unanswered():
                self.problem = event.text
        self.again_if_visible()

    def _redraw_choices(self, study: Study) -> None:
        facts = self._facts or ((self._chosen_fact(),) if self._fact else ())
        self.fact.offer({fact: fact for fact in facts}, self._chosen_fact(), self._choose_fact)
        held = study.ready.held if study.ready is not None else ()
        views = {ALL: "whole memory"} | {name: in_words(name) for name in held}
        self.view.offer(views, self._view if self._view in views else ALL, self._choose_view)
        every = {str(count): f"{count:,} episodes" for count in EPISODES}
        self.episodes.offer(every, str(self._episodes), self._choose_episodes)
        self.fact.setVisible(bool(facts))
        self.view.setVisible(len(held) > 1)
        self.episodes.setVisible(self.width() >= WIDE_PX)

    def _choose_fact(self, fact: str) -> None:
        self._fact = fact
        self.read()

    def _choose_view(self, view: str) -> None:
        self._view = view
        self.read()

    def _choose_episodes(self, episodes: str) -> None:
        self._episodes = int(episodes)
        self.read()

    # -- texts -------------------------------------------------------------------------------------

    def _sentence(self) -> tuple[str, str]:
        if self.question.is_open:
            return "muted", self.question.words
        if self.problem:
            return "bad", words(say("probe.no_answer", problem=self.problem))
        if self.answer is not None:
            found = verdict(self.answer)
            return found.role, words(found.headline)
        return (
            "muted",
            f"Press Read to test whether the memory contains {self._chosen_fact()} at each step of the episode.",
        )

    def _reasons(self) -> str:
        """Why the verdict is what it is, with the numbers; empty without one."""
        if self.question.is_open or self.problem or self.answer is None:
            return ""
        return "\n".join(words(reason) for reason in verdict(self.answer).reasons)

    def why_stale(self) -> str:
        """Why the answer may not hold for the agent that plays now; empty if it does."""
        answer, playing = self.answer, self.playing
        if answer is None:
            return ""
        if self._read_of != self.question.agent_key:
            return words(say("probe.other_agent"))
        if playing is not None and playing.weights_step != answer.step:
            return words(say("probe.other_weights", step=answer.step, now=playing.weights_step))
        return ""

    def _seek(self, t: int, _: float) -> None:
        if self.sources is not None:
            self.sources.player.seek(t)

    # -- export ------------------------------------------------------------------------------------

    def exported_table(self) -> Table:
        """The curve, one row per step, with fact, measure and the score of guessing."""
        header = (*COLUMNS, "chance", "measure", "fact")
        if self.answer is None:
            return Table(header)
        rows = np.stack([self.answer.tensors[name] for name in COLUMNS], axis=1)
        rest = (self.answer.chance, self.answer.measure, self.answer.fact)
        return Table(header, ((int(row[0]), *row[1:-1].tolist(), int(row[-1]), *rest) for row in rows))
