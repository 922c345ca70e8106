"""The picture that the agent's environment draws."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.scene.entity_marks import draw_entity_marks
from dqngui.gui.style import theme as themes
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
    """A picture scaled to the widget with its aspect ratio kept, with marks around entities.

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
        self._marks = NO_MARKS

    def sizeHint(self) -> QSize:
        return QSize(300, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def set_image(self, image: QImage | None) -> None:
        """Show a picture without marks; None: an empty frame."""
        self._image, self._scaled, self._marks = image, None, NO_MARKS
        self.update()

    def set_marks(self, marks: Numbers) -> None:
        """Set the marks (M, 3) of this picture, as given by `StepOverlay.marks`."""
        if not np.array_equal(marks, self._marks):
            self._marks = marks
            self.update()

    @property
    def marks(self) -> Numbers:
        """The marks in this picture."""
        return self._marks

    @property
    def picture(self) -> QImage | None:
        """The shown picture in its original size; None: an empty frame."""
        return self._image

    def _fitted(self, image: QImage) -> QImage:
        """The picture scaled to the size in which it is drawn."""
        ratio = self.devicePixelRatioF()
        room = QSize(round(self.width() * ratio), round(self.height() * ratio))
        size = image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        if size != image.size():
            image = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        image.setDevicePixelRatio(ratio)
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scaled = None
        ratio = self.devicePixelRatioF()
        self.resized.emit(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, area = themes.current(), self.rect()
        painter = QPainter(self)
        painter.fillRect(area, theme.color("raised" if self._image is None else "surface"))
        picture = QRectF(area)
        if self._image is not None:
            if self._scaled is None:
                self._scaled = self._fitted(self._image)
            size = self._scaled.deviceIndependentSize()
            left, top = round((area.width() - size.width()) / 2), round((area.height() - size.height()) / 2)
            painter.drawImage(left, top, self._scaled)
            picture = QRectF(QPointF(left, top), size)
            if len(self._marks):
                draw_entity_marks(painter, picture, self._marks)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # The corners are painted over with the card's colour, since clipping takes several times longer.
        painter.fillPath(_corners(picture), theme.color("surface"))
        self.draw_ring(painter)


def _corners(area: QRectF) -> QPainterPath:
    path = QPainterPath()
    path.addRect(area)
    path.addRoundedRect(area, CORNER, CORNER)
    return path  # odd-even rule: only the corners are filled
