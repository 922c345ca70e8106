"""Rows × steps of the playing episode as colours: units of a memory, shares of attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import color_table, widest
from dqngui.gui.charts.growing_image import AT_ONCE, GrowingImage
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme

LATER_MS = 30  # between two parts of a map that takes long
WIDEST_LABELS = 0.3  # of the width, for the names of rows


class TimeMap(StepCanvas):
    """A map (rows, steps) that grows to the right; only new columns are turned into colours.

    Attributes:
        rows: names of the rows in the order of the values.
        order: which row of the values is drawn at each place from the top.
        chosen: the row of the values that is marked.
        figure: of the shown step, at the right of the caption.
        says: what a row is at a step, in words; None: its name and the step.
    """

    filled = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = 3.0
        self.rows: tuple[str, ...] = ()
        self.order: npt.NDArray[np.intp] = np.empty(0, np.intp)
        self.chosen: int | None = None
        self.values: npt.NDArray[np.float32] = np.empty((0, 0), np.float32)
        self.title = self.caption = self.figure = ""
        self.says: Callable[[int, int], str] | None = None
        self._names: tuple[str, ...] = ()
        self._widest = 0.0
        self._signed, self._limits = False, (0.0, 1.0)
        self._table = color_table(False)
        self._picture_of_values = GrowingImage()
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self.touch)

    def arrange(self, rows: Sequence[str], title: str, shown: Sequence[str] | None = None) -> None:
        """Name the rows and their axis; `shown`: names of the places from the top, where rows are sorted."""
        names = (tuple(rows), title, tuple(shown if shown is not None else rows))
        if names != (self.rows, self.title, self._names):
            self.rows, self.title, self._names = names
            self._widest = widest(self._names, self.metrics)
            if len(self.order) != len(rows):
                self.order = np.arange(len(rows))
            self._picture_of_values.forget()
            self.renew()

    def say_above(self, caption: str) -> None:
        """A line above the map."""
        if caption != self.caption:
            self.caption = caption
            self.head = self.line + 3.0 if caption else 3.0
            self._picture_of_values.forget()
            self.renew()

    def tell(self, figure: str) -> None:
        """Say a figure of the shown step, where there is a caption."""
        if figure != self.figure:
            self.figure = figure
            self.update(0, 0, self.width(), int(self.head))

    def sort(self, order: npt.NDArray[np.intp]) -> None:
        """Draw the rows in another order."""
        if not np.array_equal(order, self.order):
            self.order = order
            self._picture_of_values.forget()
            self.renew()

    def draw(self, values: npt.NDArray[np.float32], *, signed: bool, limits: tuple[float, float], fresh: bool) -> None:
        """Show values (steps, rows) between two levels; `fresh`: other values than before, not just more."""
        if signed != self._signed:
            self._signed, self._table = signed, color_table(signed)
            fresh = True
        if fresh:
            self._picture_of_values.forget()
        self.values, self._limits, self.length = values, limits, len(values)
        self.touch()

    def choose(self, row: int | None) -> None:
        if row != self.chosen:
            self.chosen = row
            self.update()

    def restyle(self, theme: Theme) -> None:
        self._table = color_table(self._signed)
        self._picture_of_values.forget()
        super().restyle(theme)

    @property
    def gutter_wanted(self) -> float:
        """Pixels left of the map that its labels take."""
        return float((self.line + 4 if self.title else 4) + min(self._widest, WIDEST_LABELS * self.width()) + 13)

    # -- painting ---------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        super().draw_frame(painter)
        place = self.place
        if self.caption:
            at = QRectF(place.left(), 1, place.width(), self.line)
            text = self.metrics.elidedText(self.caption, Qt.TextElideMode.ElideRight, place.width())
            self.words(painter, at, text, Qt.AlignmentFlag.AlignLeft, themes.current().color("muted"))
        self.row_labels(painter, self._names, place, self.line + 4.0 if self.title else 4.0)
        self.upright(painter, self.title, place.top(), place.bottom())

    def draw_data(self, painter: QPainter) -> None:
        if not len(self.order) or not self.length:
            return
        place, picture = QRectF(self.place.toRect()), self._picture_of_values
        picture.add(
            self.values[: self.length], self.order, span=self.span, size=self.bins(),
            lines=int(self.place.height() * self.devicePixelRatioF()), signed=self._signed, limits=self._limits,
            table=self._table, at_once=None if self.exported else AT_ONCE,
        )  # fmt: skip
        if picture.done < self.length:
            self._later.start()
        width = place.width() * picture.columns * picture.size / self.span
        painter.save()
        painter.setClipRect(place)
        painter.drawImage(QRectF(place.left(), place.top(), width, place.height()), picture.image)
        painter.restore()

    def draw_over(self, painter: QPainter) -> None:
        super().draw_over(painter)
        if self.caption and self.figure:
            place, theme = self.place, themes.current()
            width = self.metrics.horizontalAdvance(self.figure) + 2
            if width + 12 + self.metrics.horizontalAdvance(self.caption) <= place.width():
                corner = QRectF(place.right() - width, 1, width, self.line)
                self.words(painter, corner, self.figure, Qt.AlignmentFlag.AlignRight, theme.color("text"))
        if self.chosen is not None and self.chosen < len(self.order):
            place = self.place
            row = place.height() / len(self.order)
            at = int(np.flatnonzero(self.order == self.chosen)[0])
            self.marker(painter, place.left(), place.top() + (at + 0.5) * row)

    # -- mouse ------------------------------------------------------------------------------------

    def row_at(self, y: float) -> int | None:
        """The row of the values at a height in pixels."""
        place = self.place
        at = int((y - place.top()) // (place.height() / max(len(self.order), 1)))
        return int(self.order[at]) if 0 <= at < len(self.order) else None

    def told(self, t: int, y: float) -> str:
        row = self.row_at(y)
        if row is None:
            return ""
        value = self.values[t, row]
        number = f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "nothing"
        place = self.says(t, row) if self.says is not None else f"{self.rows[row]} · t {t}"
        return f"{place} · {number}"
