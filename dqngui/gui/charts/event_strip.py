"""Marks in a plot for changed settings, forks and breakpoints: their texts, and a strip of labels above the plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from dqngui.config import ConfigError
from dqngui.gui.charts.layout.text import Label, Letters
from dqngui.gui.charts.painted_text import WholeLetters, paint_labels
from dqngui.gui.charts.plot import Plot
from dqngui.jobs.breakpoints import hit_words, point_words
from dqngui.messages import BreakpointHit, Forked, KnobChanged
from dqngui.settings import field_at

WIDEST = 120  # pixels of a label; longer ones end in an ellipsis
GAP = 8
Mark = KnobChanged | Forked | BreakpointHit


def value_text(value: Any) -> str:
    """A setting's value in few characters; None means back on its schedule."""
    if value is None:
        return "schedule"
    if isinstance(value, float):
        if 0 < abs(value) < 0.01 or abs(value) >= 1e5:
            digits, power = f"{value:.2e}".split("e")
            return f"{float(digits):g}e{int(power)}"
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def label_of(path: str) -> str | None:
    """A setting's label; None if there is no such setting."""
    try:
        return field_at(path).label
    except ConfigError:  # a log of another version may name a setting that is gone
        return None


def short_name(path: str) -> str:
    """`lr`, `batch size`, `n-step`; the Greek letter of a label that ends in one."""
    name = path.rsplit(".", 1)[-1].replace("_", " ")
    label = label_of(path) or name
    if "α" <= label[-1:] <= "ω":
        return label[-1]
    return label.lower() if len(label) <= 10 else name


def describe(mark: Mark) -> str:
    """A mark in words: `41,200: Learning rate 1e-3 → 5e-4`, `60,000: fork of NAME with learn.lr: 1e-3 → 5e-4`."""
    if isinstance(mark, Forked):
        changes = f" with {', '.join(mark.changes_in_words)}" if mark.changes else " without a change"
        return f"{mark.step:,}: fork of {mark.parent}{changes}"
    if isinstance(mark, BreakpointHit):
        return f"{mark.step:,}: breakpoint, {hit_words(mark, at_step=False)}"
    label = label_of(mark.field) or mark.field
    return f"{mark.step:,}: {label} {value_text(mark.old)} → {value_text(mark.new)}"


def words(mark: Mark) -> str:
    """The short label at the mark's line."""
    if isinstance(mark, BreakpointHit):
        return point_words(mark.point)
    return "fork" if isinstance(mark, Forked) else f"{short_name(mark.field)} {value_text(mark.new)}"


class PlacedMark(NamedTuple):
    """The label of a mark, with its place and text."""

    place: QRectF
    text: str
    mark: Mark


def place_marks(
    marks: Sequence[Mark], xs: Sequence[float], size: tuple[float, float], letters: Letters
) -> tuple[PlacedMark, ...]:
    """Place labels at the pixels `xs` of marks sorted by step, without overlap; the newer of two is kept."""
    right, placed = size[0] - 2, list[PlacedMark]()
    for mark, line in reversed(list(zip(marks, xs, strict=True))):
        text = letters.shortened(words(mark), WIDEST)
        width = letters.width(text) + 2
        x = int(line) - 1
        for left in (min(x, right - width), x - width):  # right of its line, or else left of it
            place = QRectF(left, 0, width, size[1])
            if left >= 0 and not any(place.adjusted(-GAP, 0, GAP, 0).intersects(each.place) for each in placed):
                placed.append(PlacedMark(place, text, mark))
                break
    return tuple(placed)


class EventStrip(QWidget):
    """Labels of changed settings, forks and breakpoints, each at its line, along the plot's top edge.

    Labels never overlap: the newer of two is shown. A tooltip lists all.
    """

    def __init__(self, plot: Plot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot = plot
        self._marks: Sequence[Mark] = ()
        self.setFixedHeight(16)
        plot.moved.connect(self.update)
        plot.box.sigXRangeChanged.connect(self.update)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Set the marks, sorted by step."""
        self._marks = tuple(marks)
        self.update()

    def placed(self) -> tuple[PlacedMark, ...]:
        """The labels with their places, without overlap."""
        x0, x1 = self._plot.span
        shown = [mark for mark in self._marks if x0 <= mark.step <= x1]
        size = float(self.width()), float(self.height())
        return place_marks(shown, [self._plot.x_of(mark.step) for mark in shown], size, WholeLetters(self.font()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        paint_labels(painter, [Label(each.place, each.text) for each in self.placed()])

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), "\n".join(self.near(event.x())), self)
            return True
        return bool(super().event(event))

    def near(self, x: float) -> list[str]:
        """The texts of the marks with label or line at a pixel."""
        under = [mark for place, _, mark in self.placed() if place.left() <= x < place.right()]
        close = [mark for mark in self._marks if abs(self._plot.x_of(mark.step) - x) <= 6]
        return [describe(mark) for mark in self._marks if mark in under or mark in close]
