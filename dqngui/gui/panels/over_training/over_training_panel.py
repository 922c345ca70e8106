"""The Over training panel: entropy of attention, and its mean distance in steps, at every stored checkpoint."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from dqngui import messages as m
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.charts.head_plot import HeadPlot
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.lab.analysis.study_question import StudyQuestion
from dqngui.lab.analysis.table import Table
from dqngui.lab.analysis.views import in_words
from dqngui.lab.cursor.cursor import Cursor
from dqngui.messages import OverTraining
from dqngui.texts import Text, say, words

Floats = npt.NDArray[np.float64]
WIDE_RATIO = 1.5  # width / height from which the plots stand side by side


class OverTrainingPanel(Panel):
    """Asks the study to play every checkpoint, and draws one point per checkpoint: for each head, and their mean.

    Attributes:
        rows: the answer, one row per checkpoint, in order.
        question: the question to the study.
    """

    title = "Over training"
    needs_agent = True
    promise = (
        "Shows how attention changed during training: its entropy, and how many steps it looks back, at every stored "
        "checkpoint. All checkpoints play the same episodes."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[OverTraining] = []
        self.question = StudyQuestion(self)
        self.question.changed.connect(self.again_if_visible)
        self.question.answered.connect(self._on_answer)
        self._fresh: list[OverTraining] | None = None  # rows of the open question; the first one replaces `rows`
        self._name = ""
        self._problem: Text | str = ""
        self._of: object = None  # the agent of the curves
        self.view = ChoiceButton("The view that the curves show", self)
        self.button = QPushButton("Measure", self)
        themes.set_role(self.button, "small")
        self.button.clicked.connect(self._on_button)
        self.header_widgets = [self.view, self.button]
        self.start = self.offer(
            "Measure over training", "chart-timeline-variant", "Play every stored checkpoint", self.measure
        )
        self.entropy = HeadPlot(
            "Entropy", "%", "Mean entropy of attention, in percent of the entropy of uniform attention"
        )
        self.distance = HeadPlot("Distance", "steps", "Mean number of steps that attention looks back")
        self._arrange()
        for plot in (self.entropy, self.distance):
            plot.picked.connect(self._pick_near)
        self.entropy.plot.moved.connect(lambda: self._follow(self.entropy, self.distance))
        self.distance.plot.moved.connect(lambda: self._follow(self.distance, self.entropy))
        self._moving = False
        self.add_exports()
        self.restyle(themes.current())

    def _arrange(self) -> None:
        self.status = ElidedLabel()
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(90, 6)
        self.progress.setAccessibleName("Progress over the checkpoints")
        self._line = QWidget()
        line = QHBoxLayout(self._line)
        line.setContentsMargins(8, 0, 8, 0)
        line.setSpacing(8)
        line.addWidget(self.progress)
        line.addWidget(self.status, 1)
        self._plots = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._plots.setSpacing(4)
        for plot in (self.entropy, self.distance):
            self._plots.addWidget(plot, 1)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(4, 0, 4, 6)
        column.setSpacing(2)
        column.addWidget(self._line)
        column.addLayout(self._plots, 1)
        column.addStretch(0)

    # -- the contract ------------------------------------------------------------------------------

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        self.question.attach(sources.study, sources.player)

    def has_content(self) -> bool:
        return bool(self.rows) or self.question.is_open

    def why_empty(self) -> str:
        return words(say("answer.none", problem=self._problem)) if self._problem else self.promise

    def clear(self, reason: str = "") -> None:
        self._leave()
        self.rows, self._problem = [], ""
        super().clear(reason)

    def redraw(self) -> None:
        self._forget_others()
        asking, can_ask = self.question.is_open, self.question.can_ask
        self.start.setVisible(can_ask)
        self.button.setText("Cancel" if asking else "Measure")
        self.button.setToolTip("Stop; the points so far stay" if asking else "Play every stored checkpoint")
        self.button.setEnabled(asking or can_ask)
        self.progress.setVisible(asking)
        self._line.setVisible(asking or bool(self._problem))
        if asking:
            self.progress.setValue(self.question.percent)
            self.status.setText(self.question.words)
        elif self._problem:
            self.status.setText(words(say("answer.none", problem=self._problem)))
        themes.set_role(self.status, "muted" if asking else "bad")
        self._draw_curves()

    def seek(self, cursor: Cursor | None) -> None:
        super().seek(cursor)
        for each in (self.entropy, self.distance):
            each.plot.set_cursor(cursor.step if cursor else None)

    def restyle(self, theme: Theme) -> None:
        self.entropy.restyle(theme)
        self.distance.restyle(theme)
        super().restyle(theme)

    # -- curves ------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The views for which there are curves."""
        return list(self.rows[0].entropy) if self.rows else []

    @property
    def chosen(self) -> str:
        names = self.names()
        return self._name if self._name in names else next(iter(names), "")

    def choose_view(self, name: str) -> None:
        """Draw the curves of another view."""
        self._name = name
        self.again_if_visible()

    def curves_of(self, kind: str) -> Floats:
        """`entropy` in percent or `distance` in steps of the chosen view: (checkpoints, heads); (n, 0) if none."""
        heads = [getattr(row, kind).get(self.chosen, ()) for row in self.rows]
        values = np.array(heads, float).reshape(len(heads), len(heads[0]) if heads else 0)
        return 100 * values if kind == "entropy" else values

    def _draw_curves(self) -> None:
        names = self.names()
        self.view.offer({name: in_words(name) for name in names}, self.chosen, self.choose_view)
        self.view.setVisible(len(names) > 1)
        steps = np.array([row.step for row in self.rows], float)
        distances = self.curves_of("distance")
        self.distance.setVisible(distances.shape[1] > 0)
        self.entropy.setVisible(bool(self.rows))
        last = max([float(self.history.last_step), *steps.tolist()])
        pinned = self.cursor_at.step if self.cursor_at else None
        self.entropy.draw(steps, self.curves_of("entropy"), last, pinned)
        self.distance.draw(steps, distances, last, pinned)

    def _follow(self, leader: HeadPlot, other: HeadPlot) -> None:
        """Show the same range of steps in the other plot."""
        if not self._moving and not other.isHidden():
            self._moving = True
            other.plot.fitted = leader.plot.fitted
            other.plot.box.setXRange(*leader.plot.span)
            self._moving = False

    def _pick_near(self, step: float) -> None:
        """Move the cursor to the checkpoint nearest to a click."""
        if self.rows:
            near = min((row.step for row in self.rows), key=lambda each: abs(each - step))
            self.pick(near, 0.0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() > WIDE_RATIO * self.height()
        self._plots.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    # -- requests ----------------------------------------------------------------------------------

    def measure(self) -> None:
        """Ask the study; the old curves stay until the first new point comes."""
        if self.question.can_ask:
            self._problem, self._of, self._fresh = "", self.question.agent_key, []
            self.question.ask(lambda number: m.AskOverTraining(number=number))
            self.again_if_visible()

    def _leave(self) -> None:
        self.question.give_up()
        self._fresh = None

    @Slot()
    def _on_button(self) -> None:
        if self.question.is_open:
            self._leave()
            self.again_if_visible()
        else:
            self.measure()

    @Slot(object)
    def _on_answer(self, event: m.Event) -> None:
        match event:
            case m.OverTraining() if self._fresh is not None:
                self._fresh.append(event)
                self.rows = self._fresh
            case m.Unanswered():
                self._problem = event.text
        self.again_if_visible()

    def _forget_others(self) -> None:
        """Remove the curves if another agent plays now."""
        if self.rows and self._of != self.question.agent_key:
            self.rows, self._problem = [], ""
            self.again_if_visible()

    # -- export ------------------------------------------------------------------------------------

    def exported_table(self) -> Table:
        """One row for each checkpoint, view and head."""
        rows: list[tuple[object, ...]] = []
        for row in self.rows:
            for name, heads in row.entropy.items():
                far = row.distance.get(name, ())
                rows += [
                    (row.step, name, head, share, far[head] if head < len(far) else "")
                    for head, share in enumerate(heads)
                ]
        return Table(("step", "view", "head", "entropy", "distance"), rows)
