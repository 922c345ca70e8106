"""What the agent's environment shows: its picture, or the numbers of the observation where it draws none."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui import theme as themes
from dqngui.gui.panels.steps import step_above
from dqngui.gui.playing import Playing
from dqngui.gui.theme import SECONDARY_PX, TICK_PX

CORNER = 6
ROW = 18


class Ringed(QWidget):
    """A widget that the keys can go to, with a ring around it where they were brought to it by a key."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._by_key = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        reason = Qt.FocusReason
        self._by_key = event.reason() in (reason.TabFocusReason, reason.BacktabFocusReason, reason.ShortcutFocusReason)
        super().focusInEvent(event)

    def draw_ring(self, painter: QPainter) -> None:
        """Draw it over everything else."""
        if self._by_key and self.hasFocus():
            painter.setPen(QPen(themes.current().color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), CORNER, CORNER)


class FrameView(Ringed):
    """A picture as large as there is room for, in its own proportions.

    Signals:
        resized(width, height): pixels of the screen that a picture may take.
    """

    resized = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Picture of the environment")
        self._image: QImage | None = None
        self._scaled: QImage | None = None

    def sizeHint(self) -> QSize:
        return QSize(300, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def set_image(self, image: QImage | None) -> None:
        """Show a picture; None shows an empty frame."""
        self._image, self._scaled = image, None
        self.update()

    def _fitted(self, image: QImage) -> QImage:
        """The picture in the size it is drawn in, scaled once."""
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
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Rounded by painting the card over the corners: a clipped picture takes several times longer.
        painter.fillPath(_corners(picture), theme.color("surface"))
        self.draw_ring(painter)


def _corners(area: QRectF) -> QPainterPath:
    path = QPainterPath()
    path.addRect(area)
    path.addRoundedRect(area, CORNER, CORNER)
    return path  # what is inside both is outside, by the odd-even rule


class NumbersView(Ringed):
    """The observation's entries as labelled bars, and why there is no picture.

    A bar begins at zero, in the middle if the entry was ever negative in this episode; its end is the largest
    magnitude of the episode so far, rounded up.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("What the agent sees, in numbers")
        self._reason = ""
        self._names: tuple[str, ...] = ()
        self._values = np.zeros(0)
        self._reach = np.zeros(0)
        self._signed = np.zeros(0, dtype=bool)
        self._known: tuple[int, int] | None = None

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def show_step(self, playing: Playing, t: int) -> None:
        """Draw the observation of step t, the last one if there is none."""
        ready, rows = playing.ready, playing.observation
        name = ready.environment or "This environment"
        self._reason = f"{ready.no_picture or f'{name}: the picture of this step was not kept'}."
        self._names = ready.features if rows.ndim == 2 and len(rows) and rows.shape[1] == len(ready.features) else ()
        if self._names:
            if self._known != (playing.number, len(rows)):
                self._known = playing.number, len(rows)
                self._reach = np.array([step_above(value) for value in np.abs(np.nan_to_num(rows)).max(axis=0)])
                self._signed = np.asarray(np.nan_to_num(rows).min(axis=0) < 0)
            self._values = rows[min(t, len(rows) - 1)]
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()), CORNER, CORNER)
        self.draw_ring(painter)
        inner = self.rect().adjusted(10, 8, -10, -8)
        painter.setFont(themes.font(SECONDARY_PX))
        painter.setPen(theme.color("muted"))
        flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        if not self._names:
            center = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter)
            painter.drawText(inner, center, self._reason)
            return
        said = painter.boundingRect(inner, flags, self._reason)
        painter.drawText(inner, flags, self._reason)
        rows = max(1, (inner.bottom() - said.bottom() - 6) // ROW)
        shown = len(self._names) if len(self._names) <= rows else rows - 1
        font = themes.font(TICK_PX)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        widest = max(metrics.horizontalAdvance(name) for name in self._names[: max(1, shown)]) + 4  # eliding is strict
        left = min(widest, inner.width() * 2 // 5)
        right = metrics.horizontalAdvance("−0.0000")
        y = said.bottom() + 6
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        for index in range(shown):
            value = float(self._values[index])
            painter.setPen(theme.color("muted"))
            name = metrics.elidedText(self._names[index], Qt.TextElideMode.ElideRight, left)
            painter.drawText(inner.left(), y, left, ROW, middle, name)
            painter.setPen(theme.color("text"))
            painter.drawText(
                inner.right() - right, y, right, ROW, middle | int(Qt.AlignmentFlag.AlignRight), _short(value)
            )
            bar = QRectF(inner.left() + left + 8, y + ROW / 2 - 4, inner.width() - left - right - 16, 8)
            self._draw_bar(painter, bar, value, index)
            y += ROW
        if shown < len(self._names):
            painter.setPen(theme.color("muted"))
            painter.drawText(
                inner.left(),
                y,
                inner.width(),
                ROW,
                middle,
                f"and {len(self._names) - shown:,} more numbers" if shown else f"{len(self._names):,} numbers",
            )

    def _draw_bar(self, painter: QPainter, bar: QRectF, value: float, index: int) -> None:
        theme = themes.current()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("line"))
        painter.drawRoundedRect(bar, 2, 2)
        if not np.isfinite(value) or not self._reach[index]:
            return
        zero = bar.center().x() if self._signed[index] else bar.left()
        span = bar.width() / 2 if self._signed[index] else bar.width()
        length = span * min(max(value / self._reach[index], -1.0), 1.0)
        painter.setBrush(theme.color("series0"))
        painter.drawRect(QRectF(min(zero, zero + length), bar.top(), max(abs(length), 1.0), bar.height()))


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
