"""Two episodes over each other: which actions were taken, curves, and the action values of one step side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.bar_ranges import bar_range
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.charts.trace import Trace
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX
from dqngui.lab.playback.episode import PlayedEpisode

SIDES = ("series0", "series1")
"""Colours of the two episodes, the one as it is first."""
MOST_LEGEND = 8  # actions whose colours are named in a line
PAIR = 26  # pixels of an action's two bars


def action_color(index: int, count: int) -> QColor:
    """A colour for each action, other than those of the two episodes; of many actions, hues that lie apart."""
    theme = themes.current()
    if count <= 2:
        return theme.color(f"series{2 + index}")
    return QColor.fromHsvF((0.44 + index * 0.618034) % 1.0, 0.45, 0.8 if theme.name == "dark" else 0.65)


@dataclass(frozen=True, slots=True)
class Marks:
    """Steps that are marked over an episode.

    Attributes:
        changed: the first one that is changed.
        diverges: the first one at which the episodes part.
    """

    changed: int | None = None
    diverges: int | None = None

    def draw(self, painter: QPainter, canvas: StepCanvas) -> None:
        """Lines before the steps, a dotted and a dashed one."""
        theme, place = themes.current(), canvas.place
        for t, token, style in (
            (self.changed, "muted", Qt.PenStyle.DotLine),
            (self.diverges, "text", Qt.PenStyle.DashLine),
        ):
            if t is not None and t < canvas.span:
                x = math.floor(place.left() + t / canvas.span * place.width()) + 0.5
                painter.setPen(QPen(theme.color(token), 1, style))
                painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))


class ActionStrip(StepCanvas):
    """Two rows of coloured cells: the actions of each episode; the line above names the colours."""

    filled = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = self.line + 4.0
        self.setMinimumHeight(math.ceil(self.head) + 2 * (self.line - 2) + 3)
        self.names: tuple[str, str] = ("original", "changed")
        self.marks = Marks()
        self._actions: list[npt.NDArray[np.int64]] = []
        self._labels: list[str] = []
        self.setAccessibleName("Actions of both episodes")

    def draw(self, actions: list[npt.NDArray[np.int64]], labels: list[str], marks: Marks) -> None:
        """Show the actions of up to two episodes (steps,), by the names of the actions."""
        self._actions, self._labels, self.marks = actions, labels, marks
        self.length = max((len(each) for each in actions), default=0)
        self.renew()

    @property
    def gutter_wanted(self) -> float:
        return max(self.metrics.horizontalAdvance(name) for name in self.names) + 10

    def draw_frame(self, painter: QPainter) -> None:
        super().draw_frame(painter)
        theme, place = themes.current(), self.place
        row = place.height() / 2
        for index, name in enumerate(self.names):
            at = QRectF(0, place.top() + index * row, self.gutter - 6, row)
            if row >= self.line - 5:
                self.words(painter, at, name, Qt.AlignmentFlag.AlignRight, theme.color(SIDES[index]))
        for index, actions in enumerate(self._actions):
            at = QRectF(place.left(), place.top() + index * row, place.width(), row - 1)
            painter.drawImage(at, self._colored(actions))
        self._draw_legend(painter)

    def _colored(self, actions: npt.NDArray[np.int64]) -> QImage:
        """A picture one pixel high: however long an episode is, it costs as much as the card is wide."""
        count = len(self._labels)
        colors = [themes.current().color("raised"), *(action_color(index, count) for index in range(count))]
        table = np.array([color.rgb() for color in colors], np.uint32)
        width = max(1, round(self.place.width() * self.devicePixelRatioF()))
        t = ((np.arange(width) + 0.5) / width * self.span).astype(np.intp)
        row = np.zeros(width, np.intp)
        row[t < len(actions)] = actions[t[t < len(actions)]] + 1
        pixels = table[np.clip(row, 0, count)]
        return QImage(pixels.tobytes(), width, 1, QImage.Format.Format_RGB32).copy()

    def _draw_legend(self, painter: QPainter) -> None:
        x, muted = self.gutter, themes.current().color("muted")
        for index, label in enumerate(self._labels if len(self._labels) <= MOST_LEGEND else []):
            width = self.metrics.horizontalAdvance(label) + 2
            if x + 12 + width > self.width() - 4:
                break
            painter.fillRect(QRectF(x, self.line / 2 - 3, 8, 8), action_color(index, len(self._labels)))
            self.words(painter, QRectF(x + 12, 1, width, self.line), label, Qt.AlignmentFlag.AlignLeft, muted)
            x += 12 + width + 12

    def draw_over(self, painter: QPainter) -> None:
        self.marks.draw(painter, self)
        super().draw_over(painter)

    def told(self, t: int, y: float) -> str:
        said = [
            f"{name} {self._labels[int(actions[t])]}"
            for name, actions in zip(self.names, self._actions, strict=False)
            if t < len(actions) and int(actions[t]) < len(self._labels)
        ]
        return " · ".join([f"t {t}", *said])


class PairedTrace(Trace):
    """Curves of both episodes over each other."""

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
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Action values in both episodes")
        self.setToolTip("Action values at the shown step: as it is above, changed below, and Δ, what the change adds")
        self._names: list[str] = []
        self._q: list[npt.NDArray[np.float32] | None] = [None, None]
        self._taken: list[int | None] = [None, None]
        self._range = (0.0, 1.0)
        self._of: object = None

    def show_step(self, one: PlayedEpisode | None, other: PlayedEpisode | None, t: int) -> None:
        """Draw step t, behind an episode's last step the values of that one; of one that is not so far, nothing."""
        sides = [one, other]
        if one is None or one.q.ndim != 2:
            self._names = []
            self.update()
            return
        self._names = one.labels("action", one.q.shape[1])
        known = one.ready.actions
        if len(known) == len(self._names):
            self._names = list(known)
        for index, playing in enumerate(sides):
            self._q[index] = self._taken[index] = None
            if playing is not None and playing.q.shape[1:] == one.q.shape[1:] and (t < playing.length or playing.ended):
                self._q[index] = playing.q[min(t, playing.length - 1)]
                self._taken[index] = int(playing.action[t]) if t < playing.length else None
        self._fit([playing for playing in sides if playing is not None], one.ready.judged == "value")
        self.update()

    def _fit(self, known: list[PlayedEpisode], spread: bool) -> None:
        of = tuple((id(playing), playing.length) for playing in known)
        if of == self._of:
            return
        self._of = of
        finite = np.concatenate([playing.q[np.isfinite(playing.q)] for playing in known if playing.q.ndim == 2])
        self._range = bar_range(float(finite.min()), float(finite.max())) if finite.size and spread else (0.0, 1.0)

    @property
    def described(self) -> str:
        """What is drawn, in words."""
        return " · ".join(" ".join((name, *self._texts(index))) for index, name in enumerate(self._names))

    def _texts(self, index: int) -> tuple[str, str, str]:
        """Both values of an action, and their difference."""
        values = [None if q is None else float(q[index]) for q in self._q]
        said = ["–" if value is None else _number(value) for value in values]
        if values[0] is None or values[1] is None:
            return said[0], said[1], ""
        difference = values[1] - values[0]
        return said[0], said[1], "" if difference == 0 else f"Δ {_signed(difference)}"

    def sizeHint(self) -> QSize:
        return QSize(220, PAIR * min(max(len(self._names), 2), 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, PAIR * min(max(len(self._names), 1), 2))

    def _shown(self) -> list[int]:
        """Actions in their order, as many as there is room for."""
        rows = max(1, self.height() // PAIR)
        every = list(range(len(self._names)))
        if len(every) <= rows:
            return every
        one, other = self._q
        apart = np.abs(other - one) if one is not None and other is not None else np.zeros(len(every))
        order = sorted(every, key=lambda index: (index not in self._taken, -float(np.nan_to_num(apart[index]))))
        return sorted(order[:rows])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._names:
            return
        font = themes.font(TICK_PX)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        shown = self._shown()
        texts = [self._texts(index) for index in shown]
        values = max(metrics.horizontalAdvance(text) for each in texts for text in (*each[:2], "−0.00"))
        deltas = max(metrics.horizontalAdvance(text) for text in (*(each[2] for each in texts), "Δ −0.00"))
        left = min(max(metrics.horizontalAdvance(self._names[index]) for index in shown) + 4, self.width() * 3 // 10)
        for row, (index, said) in enumerate(zip(shown, texts, strict=True)):
            self._paint_pair(painter, metrics, row * PAIR, index, said, (left, values, deltas))

    def _paint_pair(
        self,
        painter: QPainter,
        metrics: QFontMetrics,
        top: int,
        index: int,
        said: tuple[str, str, str],
        columns: tuple[int, int, int],
    ) -> None:
        theme = themes.current()
        left, values, deltas = columns
        middle, right = int(Qt.AlignmentFlag.AlignVCenter), int(Qt.AlignmentFlag.AlignRight)
        painter.setPen(theme.color("text" if index in self._taken else "muted"))
        name = metrics.elidedText(self._names[index], Qt.TextElideMode.ElideRight, left)
        painter.drawText(QRect(0, top, left, PAIR), middle, name)
        painter.setPen(theme.color("text" if said[2] else "muted"))
        painter.drawText(QRect(self.width() - deltas, top, deltas, PAIR), middle | right, said[2])
        bar_left, bar_right = left + 16, self.width() - deltas - values - 18
        for side in (0, 1):
            line = QRect(0, top + 1 + side * 12, self.width(), 12)
            painter.setPen(theme.color("muted"))
            place = QRect(bar_right + 8, line.top(), values, line.height())
            painter.drawText(place, middle | right, said[side])
            bar = QRectF(bar_left, line.top() + 2.5, max(bar_right - bar_left, 1), 7)
            painter.fillRect(bar, theme.color("raised"))
            q = self._q[side]
            if q is None:
                continue
            self._paint_bar(painter, bar, float(q[index]), theme.color(SIDES[side]))
            if self._taken[side] == index:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color(SIDES[side]))
                painter.drawEllipse(QPointF(bar_left - 7, line.top() + 6), 3, 3)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_bar(self, painter: QPainter, bar: QRectF, value: float, color: QColor) -> None:
        if not math.isfinite(value):
            return
        low, high = self._range
        a, b = sorted(min(max((each - low) / max(high - low, 1e-30), 0.0), 1.0) for each in (0.0, value))
        painter.fillRect(
            QRectF(bar.left() + a * bar.width(), bar.top(), max((b - a) * bar.width(), 1.0), bar.height()), color
        )


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "not finite"
    digits = 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def _signed(value: float) -> str:
    """With its sign, and small differences not as zero."""
    text = f"{value:+,.2f}" if abs(value) >= 0.005 else f"{value:+.0e}"
    return text.replace("-", "−")
