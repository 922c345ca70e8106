"""The picture that the agent's environment draws."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.layout_cache import LayoutCache
from dqngui.gui.scene.attention_lines import paint_lines
from dqngui.gui.scene.entity_marks import paint_rings
from dqngui.gui.scene.frame_drawn import FrameDrawn, frame_drawn
from dqngui.gui.scene.lines_drawn import lines_drawn
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.attention_lines import NO_LINES
from dqngui.lab.analysis.overlay import NO_MARKS, Numbers

CORNER = 6


class FocusRingWidget(QWidget):
    """A focusable widget that draws a ring around itself if a key gave it the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._by_key = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        reason = Qt.FocusReason
        self._by_key = event.reason() in (reason.TabFocusReason, reason.BacktabFocusReason, reason.ShortcutFocusReason)
        super().focusInEvent(event)

    def draw_ring(self, painter: QPainter) -> None:
        """Draw the ring, over everything else."""
        if self._by_key and self.hasFocus():
            painter.setPen(QPen(themes.current().color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), CORNER, CORNER)


class FrameView(FocusRingWidget):
    """A picture scaled to the widget with its aspect ratio kept, with marks around entities and lines between them.

    Attributes:
        drawn: where the picture and its rings are, as they are painted.

    Signals:
        resized(width, height): size available for a picture, in device pixels.
    """

    resized = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Picture of the environment")
        self._image: QImage | None = None
        self._scaled: QImage | None = None
        self._marks, self._lines = NO_MARKS, NO_LINES
        self._layout_cache = LayoutCache()

    def sizeHint(self) -> QSize:
        return QSize(300, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def set_image(self, image: QImage | None) -> None:
        """Show a picture without marks and lines; None: an empty frame."""
        self._image, self._scaled, self._marks, self._lines = image, None, NO_MARKS, NO_LINES
        self._layout_cache.forget()
        self.update()

    def set_marks(self, marks: Numbers) -> None:
        """Set the marks (M, 3) of this picture, as given by `StepOverlay.marks`."""
        if not np.array_equal(marks, self._marks):
            self._marks = marks
            self._layout_cache.forget()
            self.update()

    def set_lines(self, lines: Numbers) -> None:
        """Set the lines (M, 6) of this picture, as given by `attention_lines`."""
        if not np.array_equal(lines, self._lines):
            self._lines = lines
            self.update()

    @property
    def lines(self) -> Numbers:
        """The lines in this picture."""
        return self._lines

    @property
    def marks(self) -> Numbers:
        """The marks in this picture."""
        return self._marks

    @property
    def picture(self) -> QImage | None:
        """The shown picture in its original size; None: an empty frame."""
        return self._image

    @property
    def drawn(self) -> FrameDrawn:
        return self._layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> FrameDrawn:
        picture = None if self._image is None else self._image.size()
        return frame_drawn(self.size(), self.devicePixelRatioF(), picture, self._marks)

    def _scaled_to(self, image: QImage, size: QSize) -> QImage:
        """The picture in the size in which it is drawn, in device pixels."""
        if size != image.size():
            image = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        image.setDevicePixelRatio(self.devicePixelRatioF())
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scaled = None
        self._layout_cache.forget()
        ratio = self.devicePixelRatioF()
        self.resized.emit(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, drawn = themes.current(), self.drawn
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color(drawn.ground))
        if self._image is not None and drawn.scaled_to is not None:
            if self._scaled is None:
                self._scaled = self._scaled_to(self._image, drawn.scaled_to)
            painter.drawImage(drawn.place.topLeft(), self._scaled)
            if drawn.rings:
                paint_rings(painter, drawn.place, drawn.rings)
            if len(self._lines):
                paint_lines(painter, drawn.place, lines_drawn(drawn.place, self._lines))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # The corners are painted over with the card's colour, since clipping takes several times longer.
        painter.fillPath(_corners(drawn.place), theme.color("surface"))
        self.draw_ring(painter)


def _corners(area: QRectF) -> QPainterPath:
    path = QPainterPath()
    path.addRect(area)
    path.addRoundedRect(area, CORNER, CORNER)
    return path  # odd-even rule: only the corners are filled
