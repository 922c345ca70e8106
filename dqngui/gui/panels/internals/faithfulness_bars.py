"""The result of a faithfulness test of a map as two bars: without its largest weights, and without random ones."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.analysis.faithfulness import return_text, share_text
from dqngui.messages import Faithfulness, Measured
from dqngui.texts import Text, words

BAR = 7  # pixels


@dataclass(frozen=True, slots=True)
class EffectBar:
    """One bar: its name, value and interval, their text, and its colour in the theme."""

    name: str
    value: float
    interval: tuple[float, float] | None
    words: str
    token: str


@dataclass(frozen=True, slots=True)
class FaithfulnessDrawn:
    """The two bars: what is lost by removing the places with the largest weights, and by removing random ones.

    Attributes:
        longest: the value at the end of the bars: all that is at stake.
        described: a text with both bars.
    """

    bars: tuple[EffectBar, EffectBar]
    longest: float
    described: str

    @classmethod
    def of(cls, answer: Faithfulness) -> FaithfulnessDrawn:
        """Bars of the lost return, or of the lost advantage where episodes were not played on or no return is lost."""
        top, random, title = answer.top.undone, answer.random.undone, "Advantage of the chosen action that is lost"
        say, longest = share_text, 1.0
        if answer.at_stake is not None and answer.at_stake.value > 0 and answer.top.lost and answer.random.lost:
            top, random, title = answer.top.lost, answer.random.lost, "Return that is lost"
            say, longest = return_text, answer.at_stake.value
        most, other = _bar("largest weights", top, say(top), "series0"), _bar("random", random, say(random), "muted")
        described = f"{title}: {most.name} {most.words}, {other.name} {other.words}"
        return cls((most, other), max(longest, most.value, other.value), described)


def _bar(name: str, measured: Measured, text: Text, token: str) -> EffectBar:
    return EffectBar(name, measured.value, measured.interval, words(text), token)


class FaithfulnessBars(QWidget):
    """Draws two bars with intervals, from nothing to all that is at stake.

    Attributes:
        drawn: the bars; None: nothing is drawn.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.drawn: FaithfulnessDrawn | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def draw(self, answer: Faithfulness | None) -> None:
        """Show an answer."""
        self.drawn = None if answer is None else FaithfulnessDrawn.of(answer)
        if self.drawn is not None:
            self.setAccessibleName(self.drawn.described)
            self.setToolTip(plain_tip(self.drawn.described))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(64, 2 * BAR + 3)

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        drawn = self.drawn
        if drawn is None:
            return
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = self.width() - 2.0
        scale = room / drawn.longest
        for index, bar in enumerate(drawn.bars):
            middle = (index + 0.5) * self.height() / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.mixed("muted", 0.18))
            painter.drawRoundedRect(QRectF(0, middle - BAR / 2, room, BAR), 2, 2)
            painter.setBrush(theme.color(bar.token))
            painter.drawRoundedRect(QRectF(0, middle - BAR / 2, max(1.0, bar.value * scale), BAR), 2, 2)
            if bar.interval is not None:
                low, high = (min(max(each * scale, 0.0), room) for each in bar.interval)
                self._interval(painter, low, high, middle, theme.color("text"))

    @staticmethod
    def _interval(painter: QPainter, low: float, high: float, middle: float, color: QColor) -> None:
        painter.setPen(QPen(color, 1.2))
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for x in (low, high):
            painter.drawLine(QPointF(x, middle - 2), QPointF(x, middle + 2))
