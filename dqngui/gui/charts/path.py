"""Draws an episode as a path in a plane: coloured by step, with earlier episodes faint and a dot at the shown step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import Canvas
from dqngui.gui.charts.layout.path import Colouring, PathDrawn, lay_out
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.charts.value_ranges import tenths_range
from dqngui.gui.style import theme as themes

CLICK_RADIUS = 14.0  # largest distance of a click from its step, in pixels
MAX_DRAWN = 3_000  # steps of a path; of a longer path every second, third, … step is drawn
MAX_DOTTED = 160  # steps of the longest path whose steps are drawn as points too


class Path(Canvas):
    """Places (steps, 2) joined by lines.

    Attributes:
        places, past: path of the episode, and paths of earlier episodes.
        t: the step with the dot.
        empty: a sentence while there is no path yet.
        step_words: gives the text of a step for the readout.
        drawn: where the path is, its titles and legend, as they are painted.

    Signals:
        stepped(int): the nearest step to a click or drag.
    """

    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.places: npt.NDArray[np.float32] = np.empty((0, 2), np.float32)
        self.past: list[npt.NDArray[np.float32]] = []
        self.colouring = Colouring((), np.empty(0, np.intp), ())
        self.titles = ("", "")
        self.t: int | None = None
        self.empty = ""
        self.step_words: Callable[[int], str] = lambda t: f"t {t}"
        self._extents = ((0.0, 1.0), (0.0, 1.0))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumHeight(60)

    def draw(
        self,
        places: npt.NDArray[np.float32],
        colouring: Colouring,
        titles: tuple[str, str],
        past: Sequence[npt.NDArray[np.float32]] = (),
        empty: str = "",
    ) -> None:
        """Show a path, its axes' titles and other paths; `empty` says why there is none."""
        self.places, self.colouring, self.titles = places, colouring, titles
        self.past, self.empty = list(past), empty
        every = np.concatenate([places, *self.past])
        self._extents = tenths_range(every[:, 0]), tenths_range(every[:, 1])
        self.renew()

    def follow(self, t: int) -> None:
        """Move the dot to step t; only its old and new places are repainted."""
        if t != self.t:
            for each in (self.t, t):
                at = self._dot(each)
                if at is not None:
                    self.update(QRectF(at.x() - 8, at.y() - 8, 16, 16).toAlignedRect())
            self.t = t

    # -- geometry ----------------------------------------------------------------------------------

    @property
    def drawn(self) -> PathDrawn:
        return self.layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> PathDrawn:
        size = float(self.width()), float(self.height())
        return lay_out(self.places, self.colouring, self.titles, self._extents, size, self.letters)

    @property
    def place(self) -> QRectF:
        """The place of the path, in pixels."""
        return self.drawn.place

    def pixels(self, places: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Places (n, 2) as pixels (n, 2)."""
        return self.drawn.pixels(places)

    def _dot(self, t: int | None) -> QPointF | None:
        if t is None or not len(self.places):
            return None
        x, y = self.pixels(self.places[min(t, len(self.places) - 1)][None])[0]
        return QPointF(x, y) if math.isfinite(x) and math.isfinite(y) else None

    def step_at(self, at: QPointF) -> int | None:
        """The step nearest to a point; None if none is near."""
        if not len(self.places):
            return None
        away = np.hypot(*(self.pixels(self.places) - [at.x(), at.y()]).T)
        nearest = int(np.nanargmin(np.where(np.isfinite(away), away, np.inf)))
        return nearest if away[nearest] <= CLICK_RADIUS else None

    # -- painting ----------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        theme, drawn = themes.current(), self.drawn
        if not len(self.places):
            painter.setPen(theme.color("muted"))
            center = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(12, 0, -12, 0), center, self.empty)
            return
        for square in drawn.squares:
            painter.fillRect(square.place, theme.color(square.token))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawRect(QRectF(drawn.place.toRect()))
        paint_labels(painter, drawn.labels)

    def draw_data(self, painter: QPainter) -> None:
        theme = themes.current()
        if not len(self.places):
            return
        painter.save()
        painter.setClipRect(self.place)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for each in self.past:
            painter.setPen(QPen(theme.mixed("muted", 0.4), 1))
            self._lines(painter, self.pixels(each[:: _every(len(each))]), None)
        every = _every(len(self.places))
        at, index = self.pixels(self.places[::every]), self.colouring.index[: len(self.places)][::every]
        for color in np.unique(index):
            painter.setPen(QPen(theme.color(self.colouring.colors[color]), 1))  # a wider pen is many times slower
            self._lines(painter, at, index == color)
        if len(at) <= MAX_DOTTED:
            self._points(painter, at, index)
        if np.isfinite(at[0]).all():
            painter.setBrush(theme.color("surface"))
            painter.setPen(QPen(theme.color("text"), 1.5))
            painter.drawEllipse(QPointF(*at[0]), 3.5, 3.5)  # the start
        painter.restore()

    @staticmethod
    def _lines(painter: QPainter, at: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_] | None) -> None:
        """Draw lines from the chosen steps to the next ones; None: from all steps."""
        ends = np.stack([at[:-1], at[1:]], axis=1)  # (n - 1, 2 ends, 2)
        some = np.isfinite(ends).all(axis=(1, 2)) & (True if chosen is None else chosen[:-1])
        flat = ends[some].reshape(-1, 2)
        if len(flat):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(pg.functions.arrayToQPath(flat[:, 0], flat[:, 1], connect="pairs"))

    def _points(self, painter: QPainter, at: npt.NDArray[np.float64], index: npt.NDArray[np.intp]) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for (x, y), color in zip(at, index, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                painter.setBrush(themes.current().color(self.colouring.colors[color]))
                painter.drawEllipse(QPointF(x, y), 2, 2)

    def draw_over(self, painter: QPainter) -> None:
        at = self._dot(self.t)
        if at is not None:
            theme = themes.current()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.color("surface"), 2))
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(at, 5, 5)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # -- mouse -------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        t = self.step_at(event.position())
        self.show_text("" if t is None else self.step_words(t), event.position())
        if t is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.stepped.emit(t)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        t = self.step_at(event.position())
        if t is not None and event.button() == Qt.MouseButton.LeftButton:
            self.stepped.emit(t)


def _every(count: int) -> int:
    return max(1, math.ceil(count / MAX_DRAWN))
