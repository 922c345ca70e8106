"""The result of a faithfulness test of a map of weights: its verdict as text, and two bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.layout.text import Label
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX
from dqngui.jobs.study.thresholds import MIN_DIFFERENCE
from dqngui.messages import Faithfulness

Measure = Literal["turned", "change"]
"""What a removal is measured by: the share of actions that change (`turned`), or the change of the values."""
_TITLES: dict[Measure, str] = {"turned": "Actions that change", "change": "Change of the values"}
MIN_ACTION_EFFECT = 0.02
"""The verdict is about actions if the shares of changed actions differ by at least this; else about values."""
MIN_SCALE = 0.5
"""The shortest scale of value changes, in units of the values' spread, so that small effects look small."""
BAR, LINE, NAME, VALUE = 7, 18, 64, 104  # pixels: heights of a bar and a labelled line, widths of names and numbers


def places(axis: str, count: int, cells: bool = False) -> str:
    """The name of what is removed on a view's last axis: `token`, `2 slots`, `past step`."""
    name = {"key": "cell" if cells else "token", "lag": "past step"}.get(axis, axis)
    return name if count == 1 else f"{count} {name}s"


def measure_of(answer: Faithfulness) -> Measure:
    """The measure that shows the larger effect: how many actions change, or how far the values move."""
    return "turned" if abs(answer.top.turned - answer.random.turned) >= MIN_ACTION_EFFECT else "change"


def value_words(value: float, measure: Measure) -> str:
    """A share in percent, or a change in units of the values' spread."""
    return f"{100 * value:.0f} %" if measure == "turned" else f"{value:.2f}"


def interval_words(value: float, interval: tuple[float, float], measure: Measure) -> str:
    """`61 % [55, 66]`, `0.80 [0.71, 0.92]`."""
    return f"{value_words(value, measure)} {_range(interval, measure)}"


def numbers(answer: Faithfulness, axis: str, cells: bool = False) -> str:
    """`Removing the token with the largest weight changes 61 % of actions [55, 66], a random one 4 % [2, 6]`."""
    measure, what = measure_of(answer), places(axis, answer.k, cells)
    other = "a random one" if answer.k == 1 else f"{answer.k} random ones"
    top, random = answer.top, answer.random
    if measure == "turned":
        share = value_words(top.turned, measure)
        does = f"changes {share} of actions {_range(top.turned_interval, measure)}, {other} "
        does += interval_words(random.turned, random.turned_interval, measure)
    else:
        moved = interval_words(top.change, top.change_interval, measure)
        does = f"moves the values by {moved} of their spread, {other} by "
        does += interval_words(random.change, random.change_interval, measure)
    largest = "largest weight" if answer.k == 1 else "largest weights"
    return f"Removing the {what} with the {largest} {does}"


def _range(interval: tuple[float, float], measure: Measure) -> str:
    low, high = (f"{100 * each:.0f}" if measure == "turned" else f"{each:.2f}" for each in interval)
    return f"[{low}, {high}]"


def verdict(answer: Faithfulness, axis: str, cells: bool = False) -> str:
    """The verdict: whether the map explains the agent."""
    if answer.explains:
        return "This map explains the agent."
    if answer.difference_interval[0] <= 0:
        return "This is not more than random removal does, so this map does not explain the agent."
    if answer.difference < MIN_DIFFERENCE:
        return "This is hardly more than random removal does, so this map does not explain the agent."
    all_of = places(axis, 2, cells).removeprefix("2 ")
    alike = f"But on average over its rows all {all_of} have nearly the same weight"
    return f"{alike}, so this map does not explain the agent."


def short_verdict(answer: Faithfulness) -> str:
    """The short verdict."""
    measure = measure_of(answer)
    top, random = (value_words(getattr(each, measure), measure) for each in (answer.top, answer.random))
    what = "of actions change" if measure == "turned" else "of the values' spread"
    return f"{'Explains' if answer.explains else 'Does not explain'}: {top} {what}, at random {random}"


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
            EffectBar(name, value, interval, interval_words(value, interval, measure), token)
            for name, value, interval, token in (
                ("weighed most", *_effect(answer.top, measure), "series0"),
                ("random", *_effect(answer.random, measure), "muted"),
            )
        )
        longest = 1.0 if measure == "turned" else max(MIN_SCALE, most.interval[1], random.interval[1])
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
        self.measure: Measure = "turned"
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
                words = Label(QRectF(left + room + 8, top, VALUE, LINE), bar.words, token="text")
                paint_labels(painter, [Label(QRectF(0, top, left - 6, LINE), bar.name), words])

    @staticmethod
    def _interval(painter: QPainter, low: float, high: float, middle: float, color: QColor) -> None:
        painter.setPen(QPen(color, 1.2))
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for x in (low, high):
            painter.drawLine(QPointF(x, middle - 2), QPointF(x, middle + 2))
