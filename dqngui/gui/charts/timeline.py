"""Charts over the steps of an episode: an axis that grows in steps, a common cursor, and clicks that choose a step."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import Canvas
from dqngui.gui.charts.cursor import draw_cursor
from dqngui.gui.charts.layout.step_axis import StepScale
from dqngui.gui.charts.layout.text import Label
from dqngui.gui.charts.value_ranges import SHORTEST_SPAN
from dqngui.gui.style import theme as themes

RIGHT = 10.0
TITLED_FROM = 96  # pixels; a lower chart has no title below its axis


class StepCanvas(Canvas):
    """A chart over steps 0 … span − 1 of an episode.

    Attributes:
        span: steps on the axis.
        t: where the cursor is; None: nowhere.
        gutter: pixels left of the drawing, equal for charts above each other.
        axis_shown: whether step numbers are written below.
        filled: whether the area is filled with colours, so that the cursor needs edges.
        marked: ascending steps (n,) with a tick at the top, at which a non-greedy action was taken.
        head: pixels above the drawing.
        length: number of known steps.

    Signals:
        stepped(int, float): a step was clicked or dragged to; the height in pixels is that of the press.
    """

    stepped = Signal(int, float)
    filled = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.span, self.gutter, self.axis_shown = SHORTEST_SPAN, 40.0, True
        self.axis_title = "step of the episode"
        self.t: int | None = None
        self.marked: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._marks_at: StepScale | None = None
        self._marks: list[QRectF] = []
        self._mark_edges: list[QRectF] = []
        self.head = 0.0
        self.length = 0
        self._pressed = 0.0
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    # -- geometry ----------------------------------------------------------------------------------

    @property
    def place(self) -> QRectF:
        """The area of the values, in pixels."""
        line = self.letters.line
        below = (line + 4.0) * self.axis_shown + self._titled * (line - 1)
        height = max(1.0, self.height() - self.head - max(below, 3.0))
        return QRectF(self.gutter, self.head, max(1.0, self.width() - self.gutter - RIGHT), height)

    @property
    def scale(self) -> StepScale:
        """Steps as pixels."""
        return StepScale(self.place, self.span)

    @property
    def _titled(self) -> bool:
        return self.axis_shown and self.height() >= TITLED_FROM

    def bins(self) -> int:
        """Steps in one column of pixels at most: a power of two, so that it seldom changes."""
        pixels = max(1.0, self.place.width() * self.devicePixelRatioF())
        return int(2 ** max(0, math.ceil(math.log2(self.span / pixels))))

    def x_of(self, t: float) -> float:
        """Pixels from the left edge to the middle of a step."""
        return self.scale.x_of(t)

    def step_at(self, x: float) -> int | None:
        """The known step under a pixel; None outside the known steps."""
        t = self.scale.step_at(x)
        return t if 0 <= t < self.length else None

    # -- calls of the panel ------------------------------------------------------------------------

    @property
    def gutter_wanted(self) -> float:
        """Pixels left of the drawing that its labels take."""
        return 0.0

    def set_span(self, span: int) -> None:
        if span != self.span:
            self.span = span
            self.renew()

    def set_gutter(self, gutter: float, axis_shown: bool) -> None:
        if (gutter, axis_shown) != (self.gutter, self.axis_shown):
            self.gutter, self.axis_shown = gutter, axis_shown
            self.renew()

    def mark(self, steps: npt.NDArray[np.int64]) -> None:
        """Set ticks at ascending steps (n,)."""
        if not np.array_equal(steps, self.marked):
            self.marked, self._marks_at = steps, None
            self.update()

    def follow(self, t: int | None) -> None:
        """Move the cursor; only two strips are painted again."""
        if t == self.t:
            return
        for each in (self.t, t):
            if each is not None:
                self.update(int(self.x_of(each)) - 3, 0, 7, self.height())
        self.t = t

    # -- painting ----------------------------------------------------------------------------------

    def axis_labels(self) -> tuple[Label, ...]:
        """Numbers of steps below the drawing, where they are shown."""
        if not self.axis_shown:
            return ()
        return self.scale.labels(self.width(), self.letters, self.axis_title if self._titled else None)

    def draw_over(self, painter: QPainter) -> None:
        self._draw_marks(painter)
        if self.t is not None and self.length:
            place = self.place
            x = self.x_of(min(self.t, self.span - 1))
            draw_cursor(painter, x, place.top(), place.bottom(), edged=self.filled)

    def _draw_marks(self, painter: QPainter) -> None:
        """Draw ticks at the marked steps; they are placed once, not for every move of the cursor."""
        if not len(self.marked):
            return
        scale, theme = self.scale, themes.current()
        if self._marks_at != scale:
            self._marks_at = scale
            self._marks = list(scale.marks(self.marked))
            self._mark_edges = [mark.adjusted(-1, 0, 1, 1) for mark in self._marks]
        painter.setPen(Qt.PenStyle.NoPen)
        for rects, token in ((self._mark_edges, "surface"), (self._marks, "warn")):
            painter.setBrush(theme.color(token))
            painter.drawRects(rects)

    # -- mouse -------------------------------------------------------------------------------------

    def words_at(self, t: int, y: float) -> str:
        """The readout at step t and height y, in words."""
        return ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        t, y = self.step_at(event.position().x()), event.position().y()
        text = "" if t is None else self.words_at(t, y)
        marked = text and t is not None and np.isin(t, self.marked)
        self.show_text(f"{text} · non-greedy action" if marked else text, event.position())
        if t is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.stepped.emit(t, self._pressed)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        t = self.step_at(event.position().x())
        if t is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position().y()
            self.stepped.emit(t, self._pressed)


def extremes(values: npt.NDArray[np.float32], size: int, signed: bool) -> npt.NDArray[np.float32]:
    """One row for every `size` rows of values (n, R): the highest, or of signed ones the farthest from zero."""
    if size == 1 or not len(values):
        return values
    starts = np.arange(0, len(values), size)
    high = np.fmax.reduceat(values, starts, axis=0)
    if not signed:
        return high
    low = np.fmin.reduceat(values, starts, axis=0)
    return np.where(-low > high, low, high)
