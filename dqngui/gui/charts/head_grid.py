"""All heads of all layers as small maps: a row for each layer, a column for each head, the same colours for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import Canvas, color_table, image_of
from dqngui.gui.charts.cursor import draw_cursor
from dqngui.gui.charts.growing_image import AT_ONCE, GrowingImage
from dqngui.gui.charts.layout.head_grid import (
    MapGrid,
    StepGridDrawn,
    TimeGridDrawn,
    lay_out,
    step_grid_drawn,
    time_grid_drawn,
)
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme

LATER_MS = 30


class HeadGrid(Canvas):
    """The places and names of the maps; subclasses draw their content.

    Attributes:
        layers, heads: names of the rows and columns.
        pointed: (layer, head) of the map under the mouse.
        maps: places and labels as they are painted.

    Signals:
        clicked(layer, head): a map was clicked.
    """

    clicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers: tuple[str, ...] = ("",)
        self.heads: tuple[str, ...] = ("",)
        self.axes = ("", "")
        self.pointed: tuple[int, int] | None = None
        self._high, self._table = 1.0, color_table(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def arrange(self, layers: Sequence[str], heads: Sequence[str], axes: tuple[str, str]) -> None:
        """Name the rows and columns of maps, and the axes inside each of them."""
        if (tuple(layers), tuple(heads), axes) != (self.layers, self.heads, self.axes):
            self.layers, self.heads, self.axes = tuple(layers), tuple(heads), axes
            self.renew()

    def restyle(self, theme: Theme) -> None:
        self._table = color_table(False)
        super().restyle(theme)

    # -- geometry ----------------------------------------------------------------------------------

    @property
    def maps(self) -> MapGrid:
        return self.layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> MapGrid:
        return lay_out(self.layers, self.heads, self.axes, (float(self.width()), float(self.height())), self.letters)

    def place(self, layer: int, head: int) -> QRectF:
        """The place of a map, in pixels."""
        return self.maps.place(layer, head)

    def named(self, layer: int, head: int) -> str:
        """A map in words: `layer 2 · head 3`."""
        return " · ".join(name for name in (self.layers[layer], self.heads[head]) if name)

    # -- painting ----------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        paint_labels(painter, self.maps.labels)

    def draw_over(self, painter: QPainter) -> None:
        if self.pointed is not None:
            painter.setPen(QPen(themes.current().color("accent"), 1))
            painter.drawRect(self.maps.frame(*self.pointed))

    # -- mouse -------------------------------------------------------------------------------------

    def words_at(self, layer: int, head: int, x: float, y: float) -> str:
        """The text for a position (0 … 1) in a map."""
        return self.named(layer, head)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self._point_at(self.maps.map_at(at))
        text = ""
        if self.pointed is not None:
            place = self.place(*self.pointed)
            x, y = (at.x() - place.left()) / place.width(), (at.y() - place.top()) / place.height()
            text = self.words_at(*self.pointed, min(x, 1 - 1e-9), min(y, 1 - 1e-9))
        self.show_text(text, at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.maps.map_at(event.position())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*found)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def _point_at(self, pointed: tuple[int, int] | None) -> None:
        if pointed != self.pointed:
            self.pointed = pointed
            self.update()


class StepGrid(HeadGrid):
    """Maps (layers, heads, rows, columns) of one step.

    Attributes:
        rows, columns: their names, for the readout.
        drawn: places, labels and coloured values, as they are painted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[str] = ()
        self.columns: Sequence[str] = ()
        self.values: npt.NDArray[Any] = np.empty((0, 0, 0, 0))

    def draw(self, values: npt.NDArray[Any], high: float) -> None:
        """Show shares (layers, heads, rows, columns) between 0 and a level."""
        self.values, self._high = values, high
        self.touch()

    @property
    def drawn(self) -> StepGridDrawn:
        return step_grid_drawn(self.maps, self.values, self._high)

    def draw_data(self, painter: QPainter) -> None:
        drawn = self.drawn
        if drawn.values is None:
            return
        cells = np.ascontiguousarray(drawn.colors.indices(drawn.values))
        for layer, head in np.ndindex(cells.shape[:2]):
            painter.drawImage(drawn.maps.pixels(layer, head), image_of(cells[layer, head], self._table))

    def words_at(self, layer: int, head: int, x: float, y: float) -> str:
        if self.drawn.values is None:
            return self.named(layer, head)
        row, column = int(y * self.values.shape[2]), int(x * self.values.shape[3])
        cell = [
            f"{axis} {names[place]}" if names[place].lstrip("−").isdigit() else names[place]
            for axis, names, place in ((self.axes[0], self.rows, row), (self.axes[1], self.columns, column))
            if place < len(names)
        ]
        parts = [self.named(layer, head), *cell, f"{self.values[layer, head, row, column]:.2f}"]
        return " · ".join(part for part in parts if part)


class TimeGrid(HeadGrid):
    """Maps (past steps, steps of the episode), with the cursor in each of them.

    Attributes:
        values: of each layer (steps, heads, past steps), the oldest past step first.
        span: number of steps on a map's axis.
        t: step of the cursor.
        drawn: places, labels and coloured values, as they are painted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values: list[npt.NDArray[np.float32]] = []
        self.span, self.t = 1, None  # type: int, int | None
        self._pictures: dict[tuple[int, int], GrowingImage] = {}
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self.touch)

    def draw(self, values: Sequence[npt.NDArray[np.float32]], high: float, *, span: int, fresh: bool) -> None:
        """Show shares between 0 and a level; `fresh`: replace all values instead of adding new steps."""
        if fresh:
            self._pictures = {}
        if span != self.span:
            self.span = span
            self.renew()
        self.values, self._high = list(values), high
        self.touch()

    def restyle(self, theme: Theme) -> None:
        self._pictures = {}
        super().restyle(theme)

    def follow(self, t: int) -> None:
        """Move the cursors; only strips are painted again."""
        if t == self.t:
            return
        drawn = self.drawn
        for step in (self.t, t):
            for head in range(len(self.heads)) if step is not None else ():
                self.update(int(drawn.cursor_x(head, step or 0)) - 3, 0, 7, self.height())
        self.t = t

    @property
    def _length(self) -> int:
        return min((len(each) for each in self.values), default=0)

    @property
    def drawn(self) -> TimeGridDrawn:
        return time_grid_drawn(self.maps, self.values, self._high, self.span)

    def draw_data(self, painter: QPainter) -> None:
        drawn, ratio = self.drawn, self.devicePixelRatioF()
        if not drawn.values:
            return
        at_once = None if self.exported else AT_ONCE // (len(self.layers) * len(self.heads))
        for layer, head in np.ndindex(len(self.layers), len(self.heads)):
            values = drawn.values[layer][:, head]
            place = drawn.maps.pixels(layer, head)
            picture = self._pictures.setdefault((layer, head), GrowingImage())
            size = 2 ** max(0, math.ceil(math.log2(drawn.span / max(1.0, place.width() * ratio))))
            picture.add(
                values, np.arange(values.shape[1]), span=drawn.span, size=size, lines=int(place.height() * ratio),
                signed=drawn.colors.signed, limits=drawn.colors.limits, table=self._table, at_once=at_once,
            )  # fmt: skip
            if picture.done < len(values):
                self._later.start()
            painter.save()
            painter.setClipRect(place)
            painter.fillRect(place, themes.current().color("raised"))  # steps that are not played yet
            painter.setClipRect(drawn.known(layer, head))
            width = place.width() * picture.columns * picture.size / drawn.span
            painter.drawImage(QRectF(place.left(), place.top(), width, place.height()), picture.image)
            painter.restore()

    def draw_over(self, painter: QPainter) -> None:
        super().draw_over(painter)
        if self.t is None or not self._length:
            return
        drawn = self.drawn
        for layer, head in np.ndindex(len(self.layers), len(self.heads)):
            place = drawn.maps.place(layer, head)
            x = drawn.cursor_x(head, min(self.t, self.span - 1))
            draw_cursor(painter, x, place.top(), place.bottom(), edged=True)

    def words_at(self, layer: int, head: int, x: float, y: float) -> str:
        t = int(x * self.span)
        if layer >= len(self.values) or t >= len(self.values[layer]):
            return self.named(layer, head)
        values = self.values[layer]
        back = values.shape[2] - 1 - int(y * values.shape[2])
        return f"{self.named(layer, head)} · {read_at(t, back)} · {values[t, head, values.shape[2] - 1 - back]:.2f}"


def read_at(t: int, back: int) -> str:
    """A text: which step the step t attends to, `back` steps before it."""
    if back > t:
        return f"t {t} · nothing {back} steps back"
    return f"t {t} reads itself" if back == 0 else f"t {t} reads t {t - back}, {back} back"
