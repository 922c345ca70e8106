"""The values of the actions as bars, or their probabilities: the one that was taken in the accent's colour."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from dqngui.gui.charts.bar_ranges import bar_range
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TICK_PX
from dqngui.lab.playback.episode import PlayedEpisode

ROW, LOW_ROW, LOWEST_ROW = 20, 16, 13
MOST_ROWS = 18  # more actions than this stand side by side, as upright bars
UPRIGHT = 64
_ACTORS = {
    "person": ("hand-back-right-outline", "accent", "by hand"),
    "idle": ("sleep", "muted", "as no key was down"),
    "agent": ("robot-outline", "muted", "by the agent, as no key was down"),
    "record": ("history", "warn", "as recorded, though another is valued more"),
}
"""Who took an action of a driven or recorded episode: an icon, its colour, words."""


class ActionBars(QWidget):
    """One row an action: name, bar, value. All bars share a range that only grows while an episode is played."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # the card below need not be drawn again
        self.setAccessibleName("Action values")
        self._names: list[str] = []
        self._q = np.zeros(0)
        self._chosen: int | None = None
        self._random = self._explores = False
        self._judged = "value"
        self._range = (0.0, 1.0)
        self._of: tuple[int, int] | None = None  # episode and steps that the range is of
        self._texts: list[str] = []
        self._keys: list[str] = []
        self._actor = ""
        self._measured = ((0, 0, 0, ""), (0, 0, 0))

    # -- what is drawn ----------------------------------------------------------------------------

    def set_keys(self, keys: Sequence[str]) -> None:
        """Write before each action the key that does it; nothing without any."""
        if list(keys) != self._keys:
            self._keys = list(keys)
            self.updateGeometry()
            self.update()

    def show_step(self, playing: PlayedEpisode, t: int, actor: str = "") -> None:
        """Draw the values of step t; behind the last step those of the last one, with nothing chosen.

        `actor` is who took the action of a driven episode: `person`, `idle` or `agent`.
        """
        q = playing.q
        if q.ndim != 2 or not len(q):
            return
        row = min(t, len(q) - 1)
        if len(self._names) != q.shape[1] or self._of is None or self._of[0] != playing.number:
            count, known = q.shape[1], playing.ready.actions
            self._names = list(known) if len(known) == count else [f"action {index}" for index in range(count)]
            self._of = None
            self._judged = playing.ready.judged
            self.setAccessibleName("Action values" if self._judged == "value" else "Action probabilities")
            self.updateGeometry()
        self._fit(q, playing.number)
        self._q = q[row]
        action = int(playing.action[row])
        self._chosen = action if t < len(q) else None
        if playing.request.from_training and t < len(q) and action != int(np.argmax(self._q)):
            actor = "record"
        self._actor = actor
        self._explores = playing.epsilon > 0 or playing.request.from_training
        self._random = self._explores and not actor and t < len(q) and action != int(np.argmax(self._q))
        self._texts = [_value(value) for value in self._q]
        self.update()

    def _fit(self, q: np.ndarray, number: int) -> None:
        """The range of all values known of the episode."""
        if self._of == (number, len(q)):
            return
        fresh = self._of is None
        finite = q[np.isfinite(q)]
        spread = finite.size and self._judged == "value"
        low, high = bar_range(float(finite.min()), float(finite.max())) if spread else (0.0, 1.0)
        self._range = (low, high) if fresh else (min(low, self._range[0]), max(high, self._range[1]))
        self._of = number, len(q)

    @property
    def described(self) -> str:
        """What is drawn, in words."""
        if self._chosen is None:
            return ""
        how = f"taken {_ACTORS[self._actor][2]}" if self._actor else "taken at random" if self._random else "taken"
        return f"{self._names[self._chosen]} {how}, {self._judged} {self._texts[self._chosen]}"

    # -- size -------------------------------------------------------------------------------------

    @property
    def _columns(self) -> int:
        count, width = len(self._names), self.width()
        narrow = 560 if self._keys else 380  # half of it is too narrow for name and bar
        if count <= 6 or width < 200 or (count <= 9 and width < narrow):
            return 1
        return 2 if count <= 12 or width < 400 else 3

    def _rows(self) -> int:
        return math.ceil(len(self._names) / self._columns)

    def sizeHint(self) -> QSize:
        row = ROW if self._rows() <= 6 else LOW_ROW
        return QSize(200, UPRIGHT if len(self._names) > MOST_ROWS else row * self._rows())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, UPRIGHT * 3 // 4 if len(self._names) > MOST_ROWS else LOWEST_ROW * self._rows())

    # -- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), themes.current().color("surface"))
        if not len(self._q):
            return
        if len(self._names) > MOST_ROWS:
            self._paint_upright(painter)
            return
        columns, rows = self._columns, self._rows()
        height = min(self.height() / rows, float(ROW))
        font = themes.font(SECONDARY_PX if height >= 15 else TICK_PX)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        width = (self.width() - 12 * (columns - 1)) // columns
        keys, names, values = self._measure(metrics, font.pixelSize())
        mark = 16 if self._explores or self._keys else 0  # always, so that bars keep their place
        left = min(keys + names + mark, width * (3 if keys else 2) // 5)
        for index, name in enumerate(self._names):
            column, row = divmod(index, rows)
            area = QRect(column * (width + 12), round(row * height), width, round(height))
            if keys and index < len(self._keys):
                painter.setPen(themes.current().color("accent"))
                painter.drawText(
                    area.left(), area.top(), keys, area.height(), int(Qt.AlignmentFlag.AlignVCenter), self._keys[index]
                )
            self._paint_row(painter, metrics, area.adjusted(keys, 0, 0, 0), index, name, left - keys, values)

    def _measure(self, metrics: QFontMetrics, px: int) -> tuple[int, int, int]:
        """Widths of keys, names and values; measured again only where they may be wider."""
        key = px, self._of[0] if self._of else 0, max(map(len, self._texts)), "".join(self._keys)
        if self._measured[0] != key:
            keys = max((metrics.horizontalAdvance(sign) + 8 for sign in self._keys), default=0)
            names = max(metrics.horizontalAdvance(name) for name in self._names) + 4  # eliding is strict
            values = max(metrics.horizontalAdvance(text) for text in (*self._texts, "−0.00"))
            self._measured = key, (keys, names, values)
        return self._measured[1]

    def _paint_row(
        self, painter: QPainter, metrics: QFontMetrics, area: QRect, index: int, name: str, left: int, right: int
    ) -> None:
        theme, middle = themes.current(), int(Qt.AlignmentFlag.AlignVCenter)
        chosen = index == self._chosen
        painter.setPen(theme.color("text" if chosen else "muted"))
        room = left
        if chosen and (self._random or self._actor):
            icon, token, _ = _ACTORS[self._actor] if self._actor else ("dice-5-outline", "warn", "")
            size = min(14, area.height())
            at = QRect(area.left() + left - size, area.center().y() - size // 2 + 1, size, size)
            themes.icon(icon, token).paint(painter, at)
            room -= size + 2
        painter.drawText(
            area.left(), area.top(), room, area.height(), middle,
            metrics.elidedText(name, Qt.TextElideMode.ElideRight, room),
        )  # fmt: skip
        painter.drawText(
            area.right() - right + 1, area.top(), right, area.height(), middle | int(Qt.AlignmentFlag.AlignRight),
            self._texts[index],
        )  # fmt: skip
        thick = min(12.0, area.height() - 4.0)
        bar = QRectF(area.left() + left + 8, area.center().y() + 0.5 - thick / 2, 0, thick)
        bar.setRight(area.right() - right - 8)
        painter.fillRect(bar, theme.color("raised"))
        zero, end = self._place(0.0), self._place(float(self._q[index]))
        a, b = sorted((zero, end))
        filled = QRectF(bar.left() + a * bar.width(), bar.top(), max((b - a) * bar.width(), 1.0), thick)
        painter.fillRect(filled, theme.color("accent") if chosen else theme.mixed("muted", 0.75, over="raised"))

    def _place(self, value: float) -> float:
        """Where a value lies on the range, 0 … 1; the nearer end for what lies outside."""
        low, high = self._range
        share = (value - low) / (high - low) if high > low else 0.0
        return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0

    def _paint_upright(self, painter: QPainter) -> None:
        theme = themes.current()
        font = themes.font(TICK_PX)
        painter.setFont(font)
        metrics, said = QFontMetrics(font), self.described or "ended"
        head = metrics.height() + 2
        painter.setPen(theme.color("warn" if self._random else "text"))
        text = metrics.elidedText(said, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(0, 0, self.width(), head, int(Qt.AlignmentFlag.AlignVCenter), text)
        room = QRectF(0, head, self.width(), self.height() - head)
        painter.fillRect(room, theme.color("raised"))
        each = room.width() / len(self._q)
        zero = self._place(0.0)
        other = theme.mixed("muted", 0.75, over="raised")
        for index, value in enumerate(self._q):
            a, b = sorted((zero, self._place(float(value))))
            top = room.bottom() - b * room.height()
            bar = QRectF(index * each, top, max(each - 1, 1.0), max((b - a) * room.height(), 1.0))
            painter.fillRect(bar, theme.color("accent") if index == self._chosen else other)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip(), self)
            return True
        return bool(super().event(event))

    def _tip(self) -> str:
        low, high = self._range
        about = "A dice marks an action taken at random instead of the best one. " if self._random else ""
        if self._actor:
            about = f"{self.described[:1].upper()}{self.described[1:]}. "
        what = "Value of each action: the return still expected after it."
        if self._judged == "probability":
            what = "Probability of each action: how the policy chooses while it learns; here the likeliest is taken."
        return f"{what} {about}Bars from {low:.4g} to {high:.4g}."


def _value(value: float) -> str:
    if not math.isfinite(value):
        return "not finite"
    digits = 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")  # + 0.0: no minus before zero
