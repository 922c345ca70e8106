"""The result of a faithfulness test of a map of weights as two bars: for the largest weights, and for random ones."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.layout.text import Label
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX
from dqngui.lab.analysis.faithfulness import Measure, interval_text
from dqngui.messages import Faithfulness
from dqngui.texts import words

_TITLES: dict[Measure, str] = {"changed_actions": "Actions that change", "change": "Change of the values"}
MIN_SCALE = 0.5
"""The shortest scale of value changes, in units of the values' spread, so that small effects look small."""
BAR, LINE, NAME, VALUE = 7, 18, 64, 104  # pixels: heights of a bar and a labelled line, widths of names and numbers


@dataclass(frozen=True, slots=True)
class EffectBar:
    """One bar: its name, value and interval, their text, and its colour in the theme."""

    name: str
    value: float
    interval: tuple[float, float]
    words: str
    token: str


@dataclass(frozen=True, slots=True)
class FaithfulnessDrawn:
    """The two bars: the effect of removing the places with the largest weights, and of removing random ones.

    Attributes:
        longest: the value at the end of the bars.
        described: a text with both bars.
    """

    bars: tuple[EffectBar, EffectBar]
    longest: float
    described: str

    @classmethod
    def of(cls, answer: Faithfulness, measure: Measure) -> FaithfulnessDrawn:
        """Make the bars of a measure."""
        most, random = (
            EffectBar(name, value, interval, words(interval_text(value, interval, measure)), token)
            for name, value, interval, token in (
                ("weighed most", *_effect(answer.top, measure), "series0"),
                ("random", *_effect(answer.random, measure), "muted"),
            )
        )
        longest = 1.0 if measure == "changed_actions" else max(MIN_SCALE, most.interval[1], random.interval[1])
        described = f"{_TITLES[measure]}: {most.name} {most.words}, {random.name} {random.words}"
        return cls((most, random), longest, described)


def _effect(effect: object, measure: Measure) -> tuple[float, tuple[float, float]]:
    return getattr(effect, measure), getattr(effect, f"{measure}_interval")


class FaithfulnessBars(QWidget):
    """Draws two bars with intervals: effect of removing the places with the largest weights, and random ones.

    Args:
        named: draw names and numbers next to the bars.

    Attributes:
        drawn: the bars; None: nothing is drawn.
    """

    def __init__(self, named: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._named = named
        self.drawn: FaithfulnessDrawn | None = None
        self.measure: Measure = "changed_actions"
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding if named else QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed
        )

    def draw(self, answer: Faithfulness | None, measure: Measure) -> None:
        """Show a measure of an answer."""
        self.measure = measure
        self.drawn = None if answer is None else FaithfulnessDrawn.of(answer, measure)
        if self.drawn is not None:
            self.setAccessibleName(self.drawn.described)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, 2 * LINE) if self._named else QSize(64, 2 * BAR + 3)

    minimumSizeHint = sizeHint

    def paintEvent(self, event: QPaintEvent) -> None:
        drawn = self.drawn
        if drawn is None:
            return
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(themes.font(TICK_PX))
        left = NAME + 18 if self._named else 0
        room = self.width() - left - (VALUE if self._named else 2)
        scale = room / drawn.longest
        for index, bar in enumerate(drawn.bars):
            middle = (index + 0.5) * self.height() / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.mixed("muted", 0.18))
            painter.drawRoundedRect(QRectF(left, middle - BAR / 2, room, BAR), 2, 2)
            painter.setBrush(theme.color(bar.token))
            painter.drawRoundedRect(QRectF(left, middle - BAR / 2, max(1.0, bar.value * scale), BAR), 2, 2)
            low, high = bar.interval
            self._interval(painter, left + low * scale, left + high * scale, middle, theme.color("text"))
            if self._named:
                top = middle - LINE / 2
                number = Label(QRectF(left + room + 8, top, VALUE, LINE), bar.words, token="text")
                paint_labels(painter, [Label(QRectF(0, top, left - 6, LINE), bar.name), number])

    @staticmethod
    def _interval(painter: QPainter, low: float, high: float, middle: float, color: QColor) -> None:
        painter.setPen(QPen(color, 1.2))
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for x in (low, high):
            painter.drawLine(QPointF(x, middle - 2), QPointF(x, middle + 2))
