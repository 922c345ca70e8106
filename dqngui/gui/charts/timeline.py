"""Drawings over the steps of an episode: an axis that grows in steps, the shared cursor, clicks that seek."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import Canvas
from dqngui.gui.charts.plot import short
from dqngui.gui.style import theme as themes

RIGHT = 10.0
FEWEST = 64
TICK = 4.0  # pixels of a tick's height


def span_of(length: int, ended: bool) -> int:
    """Steps on the axis: 64 · 1.25^k while the episode goes on, its length when it has ended."""
    if ended:
        return max(length, 1)
    growths = max(0, math.ceil(math.log(max(length, 1) / FEWEST) / math.log(1.25) - 1e-9))
    return round(FEWEST * 1.25**growths)


class StepCanvas(Canvas):
    """Drawn over steps 0 … span − 1 of an episode.

    Attributes:
        span: steps on the axis.
        t: where the cursor is; None: nowhere.
        gutter: pixels left of the drawing, the same for all that stand above each other.
        axis_shown: numbers of steps stand below it.
        filled: colours everywhere, on which the cursor needs an edge.
        marked: steps (n,), rising, with a tick at the top: what was done there is not what the agent values most.

    Signals:
        stepped(int, float): a step was clicked or dragged to; the height in pixels is that of the press.
    """

    stepped = Signal(int, float)
    filled = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.span, self.gutter, self.axis_shown = FEWEST, 40.0, True
        self.axis_title = "step of the episode"
        self.t: int | None = None
        self.marked: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._ticks_at: tuple[QRectF, int] | None = None
        self._tick_edges: list[QRectF] = []
        self._tick_rects: list[QRectF] = []
        self.head = 0.0  # pixels above the drawing
        self.length = 0
        self._pressed = 0.0
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    # -- geometry ---------------------------------------------------------------------------------

    @property
    def place(self) -> QRectF:
        """Where values are drawn, in pixels."""
        below = (self.line + 4.0) * self.axis_shown + self._titled * (self.line - 1)
        height = max(1.0, self.height() - self.head - max(below, 3.0))
        return QRectF(self.gutter, self.head, max(1.0, self.width() - self.gutter - RIGHT), height)

    @property
    def _titled(self) -> bool:
        return self.axis_shown and self.height() >= 96

    def bins(self) -> int:
        """Steps in one column of pixels at most: a power of two, so that it seldom changes."""
        pixels = max(1.0, self.place.width() * self.devicePixelRatioF())
        return int(2 ** max(0, math.ceil(math.log2(self.span / pixels))))

    def x_of(self, t: float) -> float:
        """Pixels from the left edge to the middle of a step."""
        return self.place.left() + (t + 0.5) / self.span * self.place.width()

    def step_at(self, x: float) -> int | None:
        """The known step under a pixel; None beside them."""
        place = self.place
        t = math.floor((x - place.left()) / place.width() * self.span)
        return t if 0 <= t < self.length else None

    # -- the contract with the panel --------------------------------------------------------------

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
        """Put ticks at these steps (n,), which rise."""
        if not np.array_equal(steps, self.marked):
            self.marked, self._ticks_at = steps, None
            self.update()

    def follow(self, t: int | None) -> None:
        """Move the cursor; only two strips are painted again."""
        if t == self.t:
            return
        for each in (self.t, t):
            if each is not None:
                self.update(int(self.x_of(each)) - 3, 0, 7, self.height())
        self.t = t

    # -- painting ---------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        if not self.axis_shown:
            return
        muted = themes.current().color("muted")
        place, right = self.place, self.width() - 2.0
        if not self._titled and place.width() >= 200:
            width = self.metrics.horizontalAdvance("step") + 2
            at = QRectF(right - width, place.bottom() + 2, width, self.line)
            self.words(painter, at, "step", Qt.AlignmentFlag.AlignRight, muted)
            right -= width + 8
        for t in self._ticks():
            text = short(t)
            width = self.metrics.horizontalAdvance(text) + 2
            x = max(self.x_of(t) - width / 2, 0.0)
            if x + width > right:
                break
            at = QRectF(x, place.bottom() + 2, width, self.line)
            self.words(painter, at, text, Qt.AlignmentFlag.AlignHCenter, muted)
        if self._titled:
            at = QRectF(place.left(), place.bottom() + self.line + 1, place.width(), self.line)
            self.words(painter, at, self.axis_title, Qt.AlignmentFlag.AlignHCenter, muted)

    def _ticks(self) -> Iterator[int]:
        room = max(1.0, self.place.width() / 60)
        raw = max(1.0, self.span / room)
        power = 10 ** math.floor(math.log10(raw))
        every = next(power * n for n in (1, 2, 5, 10) if power * n >= raw)
        return iter(range(0, self.span, every))

    def draw_over(self, painter: QPainter) -> None:
        self._draw_ticks(painter)
        if self.t is None or not self.length:
            return
        x = math.floor(self.x_of(min(self.t, self.span - 1))) + 0.5
        place = self.place
        theme = themes.current()
        if self.filled:
            painter.fillRect(QRectF(x - 1.5, place.top(), 3, place.height()), theme.color("surface"))
        painter.setPen(QPen(theme.color("accent"), 1))
        painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))

    def _draw_ticks(self, painter: QPainter) -> None:
        """One a column of pixels at most; they stay where they are while the cursor moves over them."""
        if not len(self.marked):
            return
        place, theme = self.place, themes.current()
        if self._ticks_at != (place, self.span):
            self._ticks_at = place, self.span
            steps = self.marked[self.marked < self.span]
            columns = np.unique(np.floor(place.left() + (steps + 0.5) / self.span * place.width())).tolist()
            self._tick_edges = [QRectF(x - 2, place.top(), 5, TICK + 1) for x in columns]
            self._tick_rects = [QRectF(x - 1, place.top(), 3, TICK) for x in columns]
        painter.setPen(Qt.PenStyle.NoPen)
        for rects, token in ((self._tick_edges, "surface"), (self._tick_rects, "warn")):
            painter.setBrush(theme.color(token))
            painter.drawRects(rects)

    # -- mouse ------------------------------------------------------------------------------------

    def told(self, t: int, y: float) -> str:
        """What is under the mouse at step t, in words."""
        return ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        t, y = self.step_at(event.position().x()), event.position().y()
        said = "" if t is None else self.told(t, y)
        marked = said and t is not None and np.isin(t, self.marked)
        self.say(f"{said} · another action is valued more" if marked else said, event.position())
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
