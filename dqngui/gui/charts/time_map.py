"""A map of rows × steps of the playing episode as colours: units of a memory, or shares of attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import color_table
from dqngui.gui.charts.growing_image import AT_ONCE, GrowingImage
from dqngui.gui.charts.layout.axis import two_digits
from dqngui.gui.charts.layout.color_range import ColorRange
from dqngui.gui.charts.layout.map_labels import gutter
from dqngui.gui.charts.layout.text import Label, widest
from dqngui.gui.charts.layout.time_map import MapTexts, TimeMapDrawn, map_labels, time_map_drawn
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.style.theme import Theme

LATER_MS = 30  # between two parts of a slow map


class TimeMap(StepCanvas):
    """A map (rows, steps) that grows to the right; only new columns are turned into colours.

    Attributes:
        rows: names of the rows in the order of the values.
        order: which row of the values is drawn at each place from the top.
        chosen: the row of the values that is marked.
        figure: number of the shown step, after the caption.
        cell_words: gives the text of (step, row) for the readout; None: name of the row, and step.
        picture: the values as colours, as far as they have been turned into colours.
        drawn: labels, coloured values and the marked row, as they are painted.
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
        self.cell_words: Callable[[int, int], str] | None = None
        self._names: tuple[str, ...] = ()
        self._widest = 0.0
        self._colors = ColorRange()
        self._table = color_table(False)
        self.picture = GrowingImage()
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self.touch)

    def arrange(self, rows: Sequence[str], title: str, shown: Sequence[str] | None = None) -> None:
        """Name the rows and their axis; `shown`: names of the places from the top, where rows are sorted."""
        names = (tuple(rows), title, tuple(shown if shown is not None else rows))
        if names != (self.rows, self.title, self._names):
            self.rows, self.title, self._names = names
            self._widest = widest(self._names, self.letters)
            if len(self.order) != len(rows):
                self.order = np.arange(len(rows))
            self.picture.forget()
            self.renew()

    def set_caption(self, caption: str) -> None:
        """Set the line above the map; empty: no line."""
        if caption != self.caption:
            self.caption = caption
            self.head = self.letters.line + 3.0 if caption else 3.0
            self.picture.forget()
            self.renew()

    def set_figure(self, figure: str) -> None:
        """Set the number of the shown step after the caption."""
        if figure != self.figure:
            self.figure = figure
            self.data_cache.forget()
            self.update(0, 0, self.width(), int(self.head))

    def sort(self, order: npt.NDArray[np.intp]) -> None:
        """Draw the rows in another order."""
        if not np.array_equal(order, self.order):
            self.order = order
            self.picture.forget()
            self.renew()

    def draw(self, values: npt.NDArray[np.float32], *, signed: bool, limits: tuple[float, float], fresh: bool) -> None:
        """Show values (steps, rows) between two levels; `fresh`: replace all values instead of adding new steps."""
        if signed != self._colors.signed:
            self._table = color_table(signed)
            fresh = True
        if fresh:
            self.picture.forget()
        self.values, self._colors, self.length = values, ColorRange(signed, *limits), len(values)
        self.touch()

    def choose(self, row: int | None) -> None:
        if row != self.chosen:
            self.chosen = row
            self.data_cache.forget()
            self.update()

    def restyle(self, theme: Theme) -> None:
        self._table = color_table(self._colors.signed)
        self.picture.forget()
        super().restyle(theme)

    @property
    def gutter_wanted(self) -> float:
        """Pixels left of the map that its labels take."""
        return gutter(bool(self.title), self._widest, self.width(), self.letters)

    # -- painting ----------------------------------------------------------------------------------

    @property
    def drawn(self) -> TimeMapDrawn:
        return self.data_cache.get(self.size(), self._with_values)

    def _with_values(self) -> TimeMapDrawn:
        labels = self.layout_cache.get(self.size(), self._lay_out)
        return time_map_drawn(
            self._texts, labels, self.place, self.span, self.values, self.order, self._colors, self.chosen, self.letters
        )

    def _lay_out(self) -> tuple[Label, ...]:
        return (*self.axis_labels(), *map_labels(self._texts, self.place, self.height(), self.letters))

    @property
    def _texts(self) -> MapTexts:
        return MapTexts(self._names, self.title, self.caption, self.figure)

    def draw_frame(self, painter: QPainter) -> None:
        paint_labels(painter, self.drawn.labels)

    def draw_data(self, painter: QPainter) -> None:
        drawn, picture = self.drawn, self.picture
        if not len(drawn.order) or not len(drawn.values):
            return
        place = QRectF(drawn.place.toRect())
        picture.add(
            drawn.values, drawn.order, span=drawn.span, size=self.bins(),
            lines=int(drawn.place.height() * self.devicePixelRatioF()), signed=drawn.colors.signed,
            limits=drawn.colors.limits, table=self._table, at_once=None if self.exported else AT_ONCE,
        )  # fmt: skip
        if picture.done < len(drawn.values):
            self._later.start()
        width = place.width() * picture.columns * picture.size / drawn.span
        painter.save()
        painter.setClipRect(place)
        painter.drawImage(QRectF(place.left(), place.top(), width, place.height()), picture.image)
        painter.restore()

    def draw_over(self, painter: QPainter) -> None:
        super().draw_over(painter)
        drawn = self.drawn
        if drawn.figure is not None:
            paint_labels(painter, [drawn.figure])
        if drawn.marker is not None:
            self.marker(painter, drawn.marker.x(), drawn.marker.y())

    # -- mouse -------------------------------------------------------------------------------------

    def row_at(self, y: float) -> int | None:
        """The row of the values at a height in pixels."""
        place = self.place
        at = int((y - place.top()) // (place.height() / max(len(self.order), 1)))
        return int(self.order[at]) if 0 <= at < len(self.order) else None

    def words_at(self, t: int, y: float) -> str:
        row = self.row_at(y)
        if row is None:
            return ""
        place = self.cell_words(t, row) if self.cell_words is not None else f"{self.rows[row]} · t {t}"
        return f"{place} · {two_digits(self.values[t, row])}"
