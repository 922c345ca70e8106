"""What the agent sees, drawn: numbers as bars, texts, a picture or grid of its own, with an overlay of weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.value_ranges import step_above
from dqngui.gui.scene.frame import CORNER, Ringed
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TICK_PX
from dqngui.lab.analysis.overlay import StepOverlay
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.step_descriptions import texts_of

ROW = 18
LOW, NARROW = 72, 260  # pixels: lower, lines are left out; narrower, none stand beside a picture
OPAQUE = 180  # of 255: a cell of an overlay that is drawn in full
_CELL = re.compile(r"\[\d+, \d+")
"""In the name of a number that is one of a picture's."""


@dataclass(frozen=True)
class Row:
    """One line: a name, what it is now, and a bar from `low` to `high` with its own text."""

    name: str
    value: float | None
    bar: float
    reach: float
    signed: bool
    weight: bool  # the bar is a weight of the overlay, not the value


class ObservationView(Ringed):
    """The observation's numbers as labelled bars, its texts, and its picture; why the environment draws none.

    A bar begins at zero, in the middle if the entry was ever negative in this episode; its end is the largest
    magnitude of the episode so far, rounded up. With an overlay the bars are its weights instead, and cells of the
    picture are coloured by theirs.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("What the agent sees")
        self._reason = ""
        self._caption = ""
        self._rows: list[Row] = []
        self._texts: dict[str, str] = {}
        self._picture: QImage | None = None
        self._laid: StepOverlay | None = None
        self._reach = np.zeros(0)
        self._signed = np.zeros(0, dtype=bool)
        self._known: tuple[int, int] | None = None

    def sizeHint(self) -> QSize:
        return QSize(200, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    @property
    def rows(self) -> list[Row]:
        """The lines that are drawn, as far as there is room."""
        return list(self._rows)

    @property
    def wanted_height(self) -> int | None:
        """Pixels for all that there is to draw; None: a picture is drawn as large as there is room."""
        if self._picture is not None or self._texts or not self._rows:
            return None
        return 16 + ROW * len(self._rows) + (ROW + 2 if self._caption else 0) + (ROW + 6 if self._reason else 0)

    def show_step(
        self,
        playing: PlayedEpisode,
        t: int,
        told: Mapping[str, Any] | None = None,
        laid: StepOverlay | None = None,
        *,
        caption: str = "",
        alone: bool = True,
    ) -> None:
        """Draw what is seen at step t; of a step that is not known, the last one.

        Args:
            told: what was described of the step (`dqngui.lab.playback.step_descriptions`).
            laid: the overlay.
            caption: what the overlay is.
            alone: it stands in the picture's place, and says why there is none.
        """
        told = {} if told is None else told
        ready = playing.ready
        name = ready.environment or "This environment"
        self._reason = f"{ready.no_picture or f'{name}: the picture of this step was not kept'}." if alone else ""
        self._caption, self._laid = caption, laid
        self._texts = texts_of(dict(told))
        self._picture = _as_image(told.get("picture"))
        values = self._values_at(playing, t, told)
        self._rows = self._weighed(ready.features, values, laid) if laid is not None else self._valued(ready, values)
        self.update()

    def _values_at(self, playing: PlayedEpisode, t: int, told: Mapping[str, Any]) -> npt.NDArray[Any]:
        """The numbers of step t (F,), and how far each ever reached."""
        rows = playing.observation
        count = len(playing.ready.features)
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != count:
            rows = np.zeros((0, count), np.float32)
        if self._known != (playing.number, len(rows)):
            self._known = playing.number, len(rows)
            finite = np.nan_to_num(rows)
            self._reach = np.array([step_above(value) for value in np.abs(finite).max(axis=0, initial=0.0)])
            self._signed = np.asarray(finite.min(axis=0, initial=0.0) < 0)
        described = np.asarray(told.get("observation", ()))
        if t >= len(rows) and described.shape == (count,):
            return described
        return rows[min(t, len(rows) - 1)] if len(rows) else np.zeros(0)

    def _valued(self, ready: Any, values: npt.NDArray[Any]) -> list[Row]:
        pictured = self._picture is not None
        return [
            Row(name, float(value), float(value), float(reach), bool(signed), weight=False)
            for name, value, reach, signed in zip(ready.features, values, self._reach, self._signed, strict=False)
            if not (pictured and _CELL.search(name))
        ]

    @staticmethod
    def _weighed(features: tuple[str, ...], values: npt.NDArray[Any], laid: StepOverlay) -> list[Row]:
        known, full = dict(zip(features, values.tolist(), strict=False)), laid.full
        return [
            Row(name, known.get(name), float(weight), full, laid.signed, weight=True)
            for name, weight in zip(laid.names, laid.weights, strict=True)
        ]

    # -- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()), CORNER, CORNER)
        self.draw_ring(painter)
        inner = self.rect().adjusted(10, 8, -10, -8)
        if not self._rows and self._picture is None and not self._texts:
            painter.setFont(themes.font(SECONDARY_PX))
            painter.setPen(theme.color("muted"))
            center = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter)
            painter.drawText(inner, center, self._reason or self._caption)
            return
        for text in (self._reason, *self._texts.values()):
            inner = self._write(painter, inner, text, "muted" if text == self._reason else "text")
        if self._caption and inner.height() >= LOW:
            foot = QRect(inner.left(), inner.bottom() - ROW + 1, inner.width(), ROW)
            inner.setBottom(foot.top() - 2)
            metrics = self._font(painter, TICK_PX, "muted")
            elided = metrics.elidedText(self._caption, Qt.TextElideMode.ElideRight, foot.width())
            painter.drawText(foot, int(Qt.AlignmentFlag.AlignVCenter), elided)
        if self._picture is not None:
            inner = self._draw_picture(painter, inner, self._picture)
        if self._rows and inner.height() >= ROW:
            self._draw_rows(painter, inner)

    @staticmethod
    def _font(painter: QPainter, px: int, token: str) -> QFontMetrics:
        font = themes.font(px)
        painter.setFont(font)
        painter.setPen(themes.current().color(token))
        return QFontMetrics(font)

    def _write(self, painter: QPainter, inner: QRect, text: str, token: str) -> QRect:
        """A text at the top, of two lines at most; the room that is left."""
        if not text:
            return inner
        metrics = self._font(painter, SECONDARY_PX, token)
        flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        said = painter.boundingRect(inner, flags, text)
        if said.height() > 2 * metrics.lineSpacing() + 2:
            said.setHeight(metrics.lineSpacing())
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(QRect(inner.left(), inner.top(), inner.width(), said.height()), flags, text)
        return inner.adjusted(0, said.height() + 6, 0, 0)

    def _draw_picture(self, painter: QPainter, inner: QRect, picture: QImage) -> QRect:
        """What is observed as a picture, with the overlay's cells; the room that is left for rows."""
        room, rest = QRect(inner), QRect()
        if inner.height() < LOW:
            rest = QRect(inner.left(), inner.bottom(), inner.width(), 0)  # the picture says more than its lines
        elif self._rows and inner.width() > max(1.4 * inner.height(), NARROW):
            room.setWidth(inner.width() // 2 - 6)
            rest = inner.adjusted(room.width() + 12, 0, 0, 0)
        elif self._rows:
            wanted = min(len(self._rows), max(1, inner.height() // (3 * ROW))) * ROW
            room.setHeight(inner.height() - wanted - 6)
            rest = inner.adjusted(0, room.height() + 6, 0, 0)
        size = picture.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        if size.isEmpty():
            return rest
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(QRectF(room).center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, picture.width() > size.width())
        painter.drawImage(place, picture)
        if self._laid is not None and self._laid.cells is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(place, heat(self._laid.cells, self._laid.full, signed=self._laid.signed))
        return rest

    def _draw_rows(self, painter: QPainter, inner: QRect) -> None:
        theme = themes.current()
        count, rows = len(self._rows), max(1, inner.height() // ROW)
        shown = self._rows if count <= rows else self._rows[: rows - 1]
        metrics = self._font(painter, TICK_PX, "muted")
        widest = max((metrics.horizontalAdvance(row.name) for row in shown), default=0) + 4  # eliding is strict
        left = min(widest, inner.width() * 2 // 5)
        valued = any(row.weight and row.value is not None for row in shown)
        texts = ["−0.0000", *(_short(row.value) for row in shown if row.weight and row.value is not None)]
        fits = valued and inner.width() > 220
        middle = max(metrics.horizontalAdvance(text) for text in texts) + 10 if fits else 0
        right = width_of_numbers(metrics, shown)
        upright, y = int(Qt.AlignmentFlag.AlignVCenter), inner.top()
        after = upright | int(Qt.AlignmentFlag.AlignRight)
        for row in shown:
            painter.setPen(theme.color("muted"))
            name = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, left)
            painter.drawText(inner.left(), y, left, ROW, upright, name)
            painter.setPen(theme.color("text"))
            if middle and row.value is not None:
                painter.drawText(inner.left() + left, y, middle, ROW, after, _short(row.value))
            painter.drawText(inner.right() - right, y, right, ROW, after, _told(row))
            start = inner.left() + left + middle + 8
            _draw_bar(painter, QRectF(start, y + ROW / 2 - 4, inner.right() - right - 8 - start, 8), row)
            y += ROW
        if len(shown) < count:
            painter.setPen(theme.color("muted"))
            more = f"and {count - len(shown):,} more" if shown else f"{count:,} numbers"
            painter.drawText(inner.left(), y, inner.width(), ROW, upright, more)


def width_of_numbers(metrics: QFontMetrics, rows: Sequence[Row]) -> int:
    """Room for the number of each row: the usual ones', so that it seldom changes, or more."""
    return max(metrics.horizontalAdvance(text) for text in ("−0.0000", *map(_told, rows)))


def _draw_bar(painter: QPainter, bar: QRectF, row: Row) -> None:
    theme = themes.current()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line"))
    painter.drawRoundedRect(bar, 2, 2)
    if not np.isfinite(row.bar) or not row.reach:
        return
    zero = bar.center().x() if row.signed else bar.left()
    span = bar.width() / 2 if row.signed else bar.width()
    length = span * min(max(row.bar / row.reach, -1.0), 1.0)
    painter.setBrush(_ink(row.bar, row.signed) if row.weight else theme.color("series0"))
    painter.drawRect(QRectF(min(zero, zero + length), bar.top(), max(abs(length), 1.0), bar.height()))


def _ink(weight: float, signed: bool) -> QColor:
    """The colour of a weight: one for shares, one for each sign of others."""
    theme = themes.current()
    if not signed:
        return theme.color("warn")
    return QColor(theme.diverging[0] if weight < 0 else theme.diverging[2])


def heat(cells: npt.NDArray[Any], most: float, *, signed: bool) -> QImage:
    """Cells (rows, columns) as a see-through picture of one pixel each, the heaviest the least so."""
    shares = np.nan_to_num(cells) / most if most > 0 else np.zeros(cells.shape)
    pixels = np.zeros((*cells.shape, 4), np.uint8)
    for sign in (1.0, -1.0):
        ink = _ink(sign, signed)
        where = shares * sign > 0
        pixels[where, :3] = (ink.red(), ink.green(), ink.blue())
    pixels[..., 3] = (OPAQUE * np.abs(shares).clip(0.0, 1.0)).astype(np.uint8)
    rows, columns = cells.shape
    return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()


def _as_image(pixels: npt.NDArray[np.uint8] | None) -> QImage | None:
    if pixels is None or not pixels.size:
        return None
    rows, columns, _ = pixels.shape
    packed = np.ascontiguousarray(pixels)
    return QImage(packed.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


def _told(row: Row) -> str:
    return f"{100 * row.bar:.0f} %" if row.weight and not row.signed else _short(row.bar)


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
