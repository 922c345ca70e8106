"""The plot that panels over training steps share: axes, zoom, pan, cursor, marks and readout, with pyqtgraph.

Ranges depend only on the data (`value_ranges`), so that two panels with the same history draw the same
picture. They change seldom, since a new range makes Python redraw every tick.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from dqngui.gui.charts.cursor import CURSOR, Readout, draw_line
from dqngui.gui.charts.layout.axis import ACROSS, UP, tick_spacing
from dqngui.gui.charts.value_ranges import Floats, rounded_range, training_span
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX, Theme
from dqngui.texts.numbers import short

LABEL_PX = 13  # pixels of height that the label of a tick needs
RIGHT = 4  # pixels at the right edge that a readout leaves free


class Axis(pg.AxisItem):
    """A thin axis with short numbers and ticks inwards."""

    def __init__(self, side: str) -> None:
        super().__init__(side, maxTickLength=-4)
        self.enableAutoSIPrefix(False)
        # A changed curve repaints everything below it. A cached axis is only copied.
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)
        self.setStyle(tickTextOffset=6, autoExpandTextSpace=False, hideOverlappingLabels=10)
        self.fit_text()

    def fit_text(self) -> None:
        """Write the numbers in the present size of text, and make room for them."""
        self.setStyle(tickFont=themes.font(themes.zoomed(TICK_PX)))
        if self.orientation == "left":
            self.setWidth(themes.zoomed(46))
        else:
            self.setStyle(tickTextHeight=themes.zoomed(14))
            self.setHeight(themes.zoomed(22))

    def boundingRect(self) -> QRectF:
        # With a grid, pyqtgraph drops labels at the ends for lack of room.
        rect: QRectF = super().boundingRect()
        return rect.adjusted(0, -8, 0, 8) if self.orientation == "left" else rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.width() >= 1 and self.height() >= 1:  # pyqtgraph cannot paint an axis without pixels
            super().paint(painter, option, widget)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [short(round(value, 12)) for value in values]

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """Major ticks only; on a low axis only as many as there is room for their labels."""
        if self.orientation == "bottom":
            return [(tick_spacing(low, high, size, ACROSS), 0.0)]
        return [(tick_spacing(low, high, size, UP, fewest=min(2.0, max(1.0, size / LABEL_PX))), 0.0)]


class Band(pg.GraphicsObject):
    """The area between two curves, in one flat colour; there is none where either curve has a gap.

    Attributes:
        polygons: its parts, in steps and values.
        color: its colour.
    """

    def __init__(self) -> None:
        super().__init__()
        self.polygons: list[QPolygonF] = []
        self.color = QColor("gray")
        self._bounds = QRectF()

    def set_color(self, color: QColor) -> None:
        self.color = color
        self.update()

    def setData(self, x: Floats, low: Floats, high: Floats) -> None:
        """Draw the area between (x, low) and (x, high), each (P,); NaN is a gap."""
        self.prepareGeometryChange()
        self.polygons, self._bounds = [], QRectF()
        known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
        for part in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if len(part) > 1:
                xs = np.concatenate([x[part], x[part][::-1]])
                ys = np.concatenate([low[part], high[part][::-1]])
                self.polygons.append(pg.functions.arrayToQPolygonF(xs, ys))
                self._bounds = self._bounds.united(self.polygons[-1].boundingRect())
        self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        for polygon in self.polygons:
            painter.drawPolygon(polygon)


class Lines(QGraphicsItem):
    """Vertical lines over the whole height of a plot: one item for any number of lines."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__(box)  # drawn in the box's pixels, and clipped by it
        self._box, self._pen = box, QPen()
        self.steps: list[float] = []
        box.sigRangeChanged.connect(self._on_range)

    def set_pen(self, pen: QPen) -> None:
        self._pen = pen
        self.update()

    def set_steps(self, steps: Sequence[float]) -> None:
        """Draw the lines at other steps."""
        if list(steps) != self.steps:  # an update is costly
            self.steps = list(steps)
            self.update()

    def _on_range(self, *_: object) -> None:
        self.update()  # the same steps are at other pixels now

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        (x0, x1), rect = self._box.viewRange()[0], self._box.rect()
        for step in self.steps:
            if x0 <= step <= x1:
                x = rect.left() + (step - x0) / (x1 - x0) * rect.width()
                draw_line(painter, self._pen, x, rect.top(), rect.bottom())


class PlotArea(pg.ViewBox):
    """The drawing area: the wheel zooms in along the steps, dragging pans, and there is no menu."""

    clicked = Signal(float, float)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)
        self.setDefaultPadding(0.0)
        self.disableAutoRange()

    def mouseClickEvent(self, event: object) -> None:
        if event.button() == Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            event.accept()  # type: ignore[attr-defined]
            at = self.mapToView(event.pos())  # type: ignore[attr-defined]
            self.clicked.emit(at.x(), at.y())


class Plot(pg.GraphicsView):
    """A plot over environment steps.

    It uses parts of pyqtgraph, but not PlotItem, which builds a large context menu for every plot.

    Attributes:
        fitted: whether the range follows the data; False after the user zoomed or panned.

    Signals:
        moved: the shown steps or their width in pixels changed, so the curves must be queried again.
        hovered(object): the step under the mouse, or None; `hovered_at(object)`: (the step, the value there), or None.
        clicked(float): a step was clicked; `clicked_at(float, float)`: the step, and the value there.
    """

    moved = Signal()
    hovered = Signal(object)
    hovered_at = Signal(object)
    clicked = Signal(float)
    clicked_at = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = PlotArea()
        self.bottom, self.left = Axis("bottom"), Axis("left")
        frame = pg.GraphicsWidget()
        grid = QGraphicsGridLayout(frame)
        grid.setContentsMargins(0, 6, 8, 0)
        grid.setSpacing(0)
        grid.addItem(self.left, 0, 0)
        grid.addItem(self.box, 0, 1)
        grid.addItem(self.bottom, 1, 1)
        grid.setRowStretchFactor(0, 1)
        grid.setColumnStretchFactor(1, 1)
        self.setCentralItem(frame)
        for axis in (self.bottom, self.left):
            axis.linkToView(self.box)
        self.setMinimumSize(QSize(120, 60))
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.left.setZValue(-200)  # its grid lies behind the curves
        self.fitted = True
        self._full_span: tuple[float, float] = (0.0, 1000.0)
        self._y: tuple[float, float] | None = None
        self.marks, self.cursor_line, self.hover_line = Lines(self.box), Lines(self.box), Lines(self.box)
        self.marks.setZValue(-5)  # behind the points
        self.cursor_line.setZValue(30)
        self.hover_line.setZValue(25)
        self.readout = Readout(self, rich=True)
        self.box.sigRangeChangedManually.connect(self._on_manual)
        self.box.clicked.connect(lambda step, _: self.clicked.emit(step))
        self.box.clicked.connect(self.clicked_at)
        self.box.setXRange(*self._full_span)
        self.box.setYRange(0, 1)
        self.restyle(themes.current())

    @property
    def pixels(self) -> int:
        """Width of the drawing area in pixels."""
        return max(50, int(self.box.width()))

    @property
    def span(self) -> tuple[float, float]:
        """The steps that are shown."""
        low, high = self.box.viewRange()[0]
        return float(low), float(high)

    def pen(self, color: QColor, width: float) -> QPen:
        """A pen of a width in pixels of the interface (pens here count those of the screen)."""
        return pg.mkPen(color, width=max(1, round(width * self.devicePixelRatioF())))

    def add(self, item: QGraphicsItem, level: float) -> None:
        """Put a curve or the like into the plot; higher levels are painted over lower ones."""
        item.setZValue(level)
        self.box.addItem(item, ignoreBounds=True)

    def steps_in(self, pixels: float) -> float:
        """The number of steps that correspond to a number of pixels."""
        return pixels * (self.span[1] - self.span[0]) / self.pixels

    def values_in(self, pixels: float) -> float:
        """The extent of the vertical axis that corresponds to a number of pixels."""
        low, high = self.box.viewRange()[1]
        return float(pixels * (high - low) / max(1.0, self.box.height()))

    def reach(self, last_step: float, first_step: float = 0.0) -> None:
        """Make room for data between two steps, and show all of them while the plot is fitted."""
        self._full_span = (first_step, first_step + training_span(last_step - first_step))
        self.box.setLimits(xMin=first_step, xMax=self._full_span[1], minXRange=20.0)
        if self.fitted and self.span != self._full_span:
            self.box.setXRange(*self._full_span)

    def reach_exactly(self, low: float, high: float) -> None:
        """As `reach`, from low to high, where the axis has other units than steps."""
        self._full_span = (low, high)
        self.box.setLimits(xMin=low, xMax=high, minXRange=(high - low) / 1000)
        if self.fitted and self.span != self._full_span:
            self.box.setXRange(*self._full_span)

    def hold(self, ranges: Sequence[tuple[float, float] | None]) -> None:
        """Show values within these ranges, rounded; None is an empty range."""
        known = [each for each in ranges if each is not None]
        wanted = (0.0, 1.0)
        if known:
            wanted = rounded_range(min(low for low, _ in known), max(high for _, high in known))
        if wanted != self._y:
            self._y = wanted
            self.box.setYRange(*wanted)

    def fit(self) -> None:
        """Show everything again, and follow new data."""
        self.fitted = True
        self.box.setXRange(*self._full_span)
        self.moved.emit()

    def set_marks(self, steps: Sequence[float]) -> None:
        self.marks.set_steps(steps)

    def set_cursor(self, step: float | None) -> None:
        self.cursor_line.set_steps([] if step is None else [step])

    def set_hover(self, step: float | None) -> None:
        self.hover_line.set_steps([] if step is None else [step])

    def show_text(self, text: str, step: float) -> None:
        """Show the readout next to a step; an empty text hides it."""
        self.readout.show_text(text, self.x_of(step) if text else 0.0, None, self.size() - QSize(RIGHT, 0))

    def x_of(self, step: float) -> float:
        """Pixels from the widget's left edge to a step."""
        return float(self.mapFromScene(self.box.mapViewToScene(QPointF(step, 0))).x())

    def restyle(self, theme: Theme) -> None:
        self.setBackground(theme.color("surface"))
        for axis in (self.bottom, self.left):
            axis.fit_text()
            axis.setPen(pg.mkPen(theme.color("line")))
            axis.setTextPen(pg.mkPen(theme.color("muted")))
            axis.setTickPen(pg.mkPen(theme.color("line")))
        self.left.setGrid(150 if theme.name == "dark" else 190)
        marks = self.pen(theme.mixed("muted", 0.65), 1)
        marks.setDashPattern([3, 3])
        self.marks.set_pen(marks)
        self.cursor_line.set_pen(self.pen(theme.color(CURSOR), 1))
        self.hover_line.set_pen(self.pen(theme.mixed("muted", 0.6), 1))

    # -- events ------------------------------------------------------------------------------------

    def _on_manual(self, *_: object) -> None:
        self.fitted = self.span == self._full_span
        self.moved.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "readout"):  # pyqtgraph resizes while it builds
            self.moved.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        inside = self.box.sceneBoundingRect().contains(self.mapToScene(event.position().toPoint()))
        free = event.buttons() == Qt.MouseButton.NoButton
        at = self.box.mapSceneToView(self.mapToScene(event.position().toPoint()))
        self._say_hovered((float(at.x()), float(at.y())) if inside and free else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._say_hovered(None)

    def _say_hovered(self, at: tuple[float, float] | None) -> None:
        self.hovered.emit(None if at is None else at[0])
        self.hovered_at.emit(at)
