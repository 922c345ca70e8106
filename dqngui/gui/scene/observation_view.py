"""Draws the agent's observation: numbers as bars, texts, and a picture or grid, with an overlay of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.layout.text import Label
from dqngui.gui.charts.painted_text import WholeLetters, paint_labels
from dqngui.gui.scene.frame import CORNER, FocusRingWidget
from dqngui.gui.scene.observation_drawn import (
    ROW,
    EpisodeExtent,
    ObservationDrawn,
    Row,
    observation_drawn,
    row_columns,
    three_digits,
)
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TICK_PX
from dqngui.lab.analysis.overlay import StepOverlay
from dqngui.lab.playback.episode import PlayedEpisode

LOW, NARROW = 72, 260  # pixels: below this height, no lines; below this width, no lines next to a picture
OPAQUE = 180  # of 255: alpha of a cell with the full weight


class ObservationView(FocusRingWidget):
    """The observation's numbers as labelled bars, its texts and its picture, and why the environment draws none.

    A bar begins at zero, in the middle if the entry was ever negative in this episode; its end is the largest
    magnitude of the episode so far, rounded up. With an overlay the bars show its weights, and cells of the
    picture are coloured by their weights.

    Attributes:
        drawn: the model of the shown step.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("What the agent sees")
        self.drawn = ObservationDrawn()
        self._reach = EpisodeExtent()
        self._picture: QImage | None = None
        self._letters = WholeLetters(themes.font(TICK_PX))

    def sizeHint(self) -> QSize:
        return QSize(200, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    @property
    def rows(self) -> list[Row]:
        """The lines for which there is room."""
        return list(self.drawn.rows)

    @property
    def wanted_height(self) -> int | None:
        """Height in pixels for all parts; None if a picture uses all available room."""
        return self.drawn.wanted_height

    def show_step(
        self,
        playing: PlayedEpisode,
        t: int,
        described: Mapping[str, Any] | None = None,
        overlay: StepOverlay | None = None,
        *,
        caption: str = "",
        alone: bool = True,
    ) -> None:
        """Draw the observation of step t, with an overlay if it is given."""
        known = {} if described is None else described
        self.drawn = observation_drawn(playing, t, known, overlay, self._reach, caption=caption, alone=alone)
        self._picture = None if self.drawn.picture is None else _as_image(self.drawn.picture)
        self.update()

    # -- painting ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()), CORNER, CORNER)
        self.draw_ring(painter)
        inner = self.rect().adjusted(10, 8, -10, -8)
        drawn = self.drawn
        if drawn.empty:
            painter.setFont(themes.font(SECONDARY_PX))
            painter.setPen(theme.color("muted"))
            center = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter)
            painter.drawText(inner, center, drawn.reason or drawn.caption)
            return
        for text in drawn.lines_of_text:
            inner = self._write(painter, inner, text, "muted" if text == drawn.reason else "text")
        if drawn.caption and inner.height() >= LOW:
            foot = QRect(inner.left(), inner.bottom() - ROW + 1, inner.width(), ROW)
            inner.setBottom(foot.top() - 2)
            metrics = self._font(painter, TICK_PX, "muted")
            elided = metrics.elidedText(drawn.caption, Qt.TextElideMode.ElideRight, foot.width())
            painter.drawText(foot, int(Qt.AlignmentFlag.AlignVCenter), elided)
        if self._picture is not None:
            inner = self._draw_picture(painter, inner, self._picture)
        if drawn.rows and inner.height() >= ROW:
            self._draw_rows(painter, inner)

    @staticmethod
    def _font(painter: QPainter, px: int, token: str) -> QFontMetrics:
        font = themes.font(px)
        painter.setFont(font)
        painter.setPen(themes.current().color(token))
        return QFontMetrics(font)

    def _write(self, painter: QPainter, inner: QRect, text: str, token: str) -> QRect:
        """Write a text of at most two lines at the top; returns the remaining area."""
        metrics = self._font(painter, SECONDARY_PX, token)
        flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        area = painter.boundingRect(inner, flags, text)
        if area.height() > 2 * metrics.lineSpacing() + 2:
            area.setHeight(metrics.lineSpacing())
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(QRect(inner.left(), inner.top(), inner.width(), area.height()), flags, text)
        return inner.adjusted(0, area.height() + 6, 0, 0)

    def _draw_picture(self, painter: QPainter, inner: QRect, picture: QImage) -> QRect:
        """Draw the observed picture with the overlay's cells; returns the area for the lines."""
        room, rest = QRect(inner), QRect()
        if inner.height() < LOW:
            rest = QRect(inner.left(), inner.bottom(), inner.width(), 0)  # the picture gets all the room
        elif self.drawn.rows and inner.width() > max(1.4 * inner.height(), NARROW):
            room.setWidth(inner.width() // 2 - 6)
            rest = inner.adjusted(room.width() + 12, 0, 0, 0)
        elif self.drawn.rows:
            wanted = min(len(self.drawn.rows), max(1, inner.height() // (3 * ROW))) * ROW
            room.setHeight(inner.height() - wanted - 6)
            rest = inner.adjusted(0, room.height() + 6, 0, 0)
        size = picture.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        if size.isEmpty():
            return rest
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(QRectF(room).center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() > size.width())
        painter.drawImage(place, picture)
        overlay = self.drawn.overlay
        if overlay is not None and overlay.cells is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(place, heat(overlay.cells, overlay.full, signed=overlay.signed))
        return rest

    def _draw_rows(self, painter: QPainter, inner: QRect) -> None:
        count, room = len(self.drawn.rows), max(1, inner.height() // ROW)
        shown = self.drawn.rows if count <= room else self.drawn.rows[: room - 1]
        painter.setFont(themes.font(TICK_PX))
        columns = row_columns(shown, inner.width(), self._letters)
        left, right, y = inner.left(), inner.right(), inner.top()
        start = left + columns.name + columns.value + 8
        for row in shown:
            name = self._letters.shortened(row.name, columns.name)
            labels = [Label(QRectF(left, y, columns.name, ROW), name)]
            if columns.value and row.value is not None:
                at = QRectF(left + columns.name, y, columns.value, ROW)
                labels.append(Label(at, three_digits(row.value), "right", "text"))
            labels.append(Label(QRectF(right - columns.number, y, columns.number, ROW), row.number, "right", "text"))
            paint_labels(painter, labels)
            _draw_bar(painter, QRectF(start, y + ROW / 2 - 4, right - columns.number - 8 - start, 8), row)
            y += ROW
        if len(shown) < count:
            more = f"and {count - len(shown):,} more" if shown else f"{count:,} numbers"
            paint_labels(painter, [Label(QRectF(left, y, inner.width(), ROW), more)])


def _draw_bar(painter: QPainter, bar: QRectF, row: Row) -> None:
    theme = themes.current()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line"))
    painter.drawRoundedRect(bar, 2, 2)
    if row.share is None:
        return
    zero = bar.center().x() if row.signed else bar.left()
    span = bar.width() / 2 if row.signed else bar.width()
    length = span * row.share
    painter.setBrush(_ink(row.bar, row.signed) if row.weight else theme.color("series0"))
    painter.drawRect(QRectF(min(zero, zero + length), bar.top(), max(abs(length), 1.0), bar.height()))


def _ink(weight: float, signed: bool) -> QColor:
    """The colour of a weight: one colour for shares, two for signed weights."""
    theme = themes.current()
    if not signed:
        return theme.color("warn")
    return QColor(theme.diverging[0] if weight < 0 else theme.diverging[2])


def heat(cells: npt.NDArray[Any], most: float, *, signed: bool) -> QImage:
    """An image with one translucent pixel per cell (rows, columns); larger weights are more opaque."""
    shares = np.nan_to_num(cells) / most if most > 0 else np.zeros(cells.shape)
    pixels = np.zeros((*cells.shape, 4), np.uint8)
    for sign in (1.0, -1.0):
        ink = _ink(sign, signed)
        where = shares * sign > 0
        pixels[where, :3] = (ink.red(), ink.green(), ink.blue())
    pixels[..., 3] = (OPAQUE * np.abs(shares).clip(0.0, 1.0)).astype(np.uint8)
    rows, columns = cells.shape
    return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()


def _as_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    rows, columns, _ = pixels.shape
    packed = np.ascontiguousarray(pixels)
    return QImage(packed.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
