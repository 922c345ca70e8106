"""Charts of two episodes: actions taken, curves, and the action values of one step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.cursor import draw_line
from dqngui.gui.charts.layout.text import Label
from dqngui.gui.charts.layout_cache import LayoutCache
from dqngui.gui.charts.painted_text import WholeLetters, paint_labels
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.charts.trace import Trace
from dqngui.gui.panels.whatif.action_pairs import PAIR, ActionPairs, PairRow, lay_out, limits_of, pairs_at
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX
from dqngui.lab.playback.episode import PlayedEpisode

SIDES = ("series0", "series1")
"""Colours of the two episodes, the original first."""
MOST_LEGEND = 8  # actions whose colours are named in a line


def action_color(index: int, count: int) -> QColor:
    """A colour for each action, different from those of the two episodes."""
    theme = themes.current()
    if count <= 2:
        return theme.color(f"series{2 + index}")
    return QColor.fromHsvF((0.44 + index * 0.618034) % 1.0, 0.45, 0.8 if theme.name == "dark" else 0.65)


@dataclass(frozen=True, slots=True)
class Marks:
    """Steps that are marked over an episode.

    Attributes:
        changed: the first changed step.
        diverges: the first step at which the episodes diverge.
    """

    changed: int | None = None
    diverges: int | None = None

    def draw(self, painter: QPainter, canvas: StepCanvas) -> None:
        """Draw a dotted and a dashed line before these steps."""
        theme, place = themes.current(), canvas.place
        for t, token, style in (
            (self.changed, "muted", Qt.PenStyle.DotLine),
            (self.diverges, "text", Qt.PenStyle.DashLine),
        ):
            if t is not None and t < canvas.span:
                x = canvas.x_of(t - 0.5)
                draw_line(painter, QPen(theme.color(token), 1, style), x, place.top(), place.bottom())


@dataclass(frozen=True, slots=True)
class StripDrawn:
    """The layout of a strip of actions.

    Attributes:
        rows: places of the rows of both episodes.
        labels: names of the episodes, of the steps below and of the actions above.
        squares: the colours beside the names of the actions.
    """

    rows: tuple[QRectF, QRectF]
    labels: tuple[Label, ...]
    squares: tuple[QRectF, ...]


class ActionStrip(StepCanvas):
    """Two rows of coloured cells: the actions of each episode; the line above names the colours.

    Attributes:
        sides: the actions of each episode (steps,).
        labels: the names of the actions.
        drawn: the computed layout.
    """

    filled = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = self.letters.line + 4.0
        self.setMinimumHeight(math.ceil(self.head + 2 * (self.letters.line - 2) + 3))
        self.names: tuple[str, str] = ("original", "changed")
        self.marks = Marks()
        self.sides: list[npt.NDArray[np.int64]] = []
        self.labels: list[str] = []
        self.setAccessibleName("Actions of both episodes")

    def draw(self, actions: list[npt.NDArray[np.int64]], labels: list[str], marks: Marks) -> None:
        """Show the actions of up to two episodes (steps,), by the names of the actions."""
        self.sides, self.labels, self.marks = actions, labels, marks
        self.length = max((len(each) for each in actions), default=0)
        self.renew()

    @property
    def gutter_wanted(self) -> float:
        return max(self.letters.width(name) for name in self.names) + 10

    @property
    def drawn(self) -> StripDrawn:
        return self.layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> StripDrawn:
        place, line = self.place, self.letters.line
        row = place.height() / 2
        labels = list(self.axis_labels())
        rows = [QRectF(place.left(), place.top() + index * row, place.width(), row - 1) for index in (0, 1)]
        if row >= line - 5:
            labels += [
                Label(QRectF(0, place.top() + index * row, self.gutter - 6, row), name, "right", SIDES[index])
                for index, name in enumerate(self.names)
            ]
        squares, x = [], self.gutter
        for label in self.labels if len(self.labels) <= MOST_LEGEND else []:
            width = self.letters.width(label) + 2
            if x + 12 + width > self.width() - 4:
                break
            squares.append(QRectF(x, line / 2 - 3, 8, 8))
            labels.append(Label(QRectF(x + 12, 1, width, line), label))
            x += 12 + width + 12
        return StripDrawn((rows[0], rows[1]), tuple(labels), tuple(squares))

    def draw_frame(self, painter: QPainter) -> None:
        drawn = self.drawn
        for place, actions in zip(drawn.rows, self.sides, strict=False):
            painter.drawImage(place, self._colored(actions))
        for index, square in enumerate(drawn.squares):
            painter.fillRect(square, action_color(index, len(self.labels)))
        paint_labels(painter, drawn.labels)

    def _colored(self, actions: npt.NDArray[np.int64]) -> QImage:
        """An image one pixel high, so that the cost does not depend on the length of the episode."""
        count = len(self.labels)
        colors = [themes.current().color("raised"), *(action_color(index, count) for index in range(count))]
        table = np.array([color.rgb() for color in colors], np.uint32)
        width = max(1, round(self.place.width() * self.devicePixelRatioF()))
        t = ((np.arange(width) + 0.5) / width * self.span).astype(np.intp)
        row = np.zeros(width, np.intp)
        row[t < len(actions)] = actions[t[t < len(actions)]] + 1
        pixels = table[np.clip(row, 0, count)]
        return QImage(pixels.tobytes(), width, 1, QImage.Format.Format_RGB32).copy()

    def draw_over(self, painter: QPainter) -> None:
        self.marks.draw(painter, self)
        super().draw_over(painter)

    def words_at(self, t: int, y: float) -> str:
        parts = [
            f"{name} {self.labels[int(actions[t])]}"
            for name, actions in zip(self.names, self.sides, strict=False)
            if t < len(actions) and int(actions[t]) < len(self.labels)
        ]
        return " · ".join([f"t {t}", *parts])


class PairedTrace(Trace):
    """Curves of both episodes in one chart."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.marks = Marks()

    def draw_over(self, painter: QPainter) -> None:
        self.marks.draw(painter, self)
        super().draw_over(painter)


class PairedBars(QWidget):
    """The values of every action at one step in both episodes, one bar over the other, and their difference.

    A dot before a bar marks the action that was taken. Without room for all actions, those are shown that were taken,
    and then those whose values differ most.

    Attributes:
        drawn: the actions with their values.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Action values in both episodes")
        self.setToolTip("Action values at the shown step: original above, changed below, and Δ, their difference")
        self.drawn = ActionPairs()
        self._of: object = None  # the episodes, and number of their steps that determined the limits
        self._layout = LayoutCache()
        self._letters = WholeLetters(themes.font(TICK_PX))

    def show_step(self, one: PlayedEpisode | None, other: PlayedEpisode | None, t: int) -> None:
        """Draw the values of step t."""
        limits = self.drawn.limits
        self._layout.forget()
        self.update()
        if one is None or one.q.ndim != 2:
            self.drawn = ActionPairs((), limits)
            return
        known = [playing for playing in (one, other) if playing is not None]
        of = tuple((id(playing), playing.length) for playing in known)
        if of != self._of:
            self._of, limits = of, limits_of(known, one.ready.output_kind)
        self.drawn = pairs_at(one, other, t, limits)

    @property
    def described(self) -> str:
        """All values as text."""
        return self.drawn.described

    def sizeHint(self) -> QSize:
        return QSize(220, PAIR * min(max(len(self.drawn.pairs), 2), 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, PAIR * min(max(len(self.drawn.pairs), 1), 2))

    @property
    def rows(self) -> tuple[PairRow, ...]:
        """The layout of the actions for which there is room."""
        size = self.width(), self.height()
        return self._layout.get(self.size(), lambda: lay_out(self.drawn, size, self._letters))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), themes.current()
        painter.setFont(themes.font(TICK_PX))
        for row in self.rows:
            paint_labels(painter, row.labels)
            for side, token in zip(row.bars, SIDES, strict=True):
                painter.fillRect(side.ground, theme.color("raised"))
                if side.bar is not None:
                    painter.fillRect(side.bar, theme.color(token))
                if side.dot is not None:
                    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(theme.color(token))
                    painter.drawEllipse(side.dot, 3, 3)
                    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
