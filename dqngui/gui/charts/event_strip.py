"""A strip of labels above a plot, for changed settings, forks and breakpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from dqngui.gui.charts.layout.text import Label, Letters
from dqngui.gui.charts.painted_text import WholeLetters, paint_labels
from dqngui.gui.charts.plot import Plot
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.session.event_words import Mark, mark_label, mark_text
from dqngui.texts import words

WIDEST = 120  # pixels of a label; longer ones end in an ellipsis
GAP = 8


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
        text = letters.shortened(words(mark_label(mark)), WIDEST)
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
            QToolTip.showText(event.globalPos(), plain_tip("\n".join(self.near(event.x()))), self)
            return True
        return bool(super().event(event))

    def near(self, x: float) -> list[str]:
        """The texts of the marks with label or line at a pixel."""
        under = [mark for place, _, mark in self.placed() if place.left() <= x < place.right()]
        close = [mark for mark in self._marks if abs(self._plot.x_of(mark.step) - x) <= 6]
        return [words(mark_text(mark)) for mark in self._marks if mark in under or mark in close]
