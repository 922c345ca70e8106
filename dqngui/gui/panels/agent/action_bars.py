"""Draws the values or probabilities of the actions as bars; the action taken has the accent colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from dqngui.gui.charts.layout_cache import LayoutCache
from dqngui.gui.charts.painted_text import WholeLetters, paint_labels
from dqngui.gui.panels.agent.action_rows import (
    LOW_ROW,
    LOWEST_ROW,
    MOST_ROWS,
    ROW,
    ActionRow,
    UprightBars,
    Widths,
    lay_out_rows,
    lay_out_upright,
    rows_for,
)
from dqngui.gui.panels.agent.action_values import ActionValues, limits_of, values_at
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TICK_PX
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.playback.episode import PlayedEpisode

GREYED = 0.6  # opacity of the name of an action that is not legal
UPRIGHT = 64  # pixels of the height of upright bars
_MARKS = {
    "person": ("hand-back-right-outline", "accent"),
    "idle": ("sleep", "muted"),
    "agent": ("robot-outline", "muted"),
    "record": ("history", "warn"),
    "chance": ("dice-5-outline", "warn"),
}
"""Icon and colour for who chose an action."""


class ActionBars(QWidget):
    """One row per action: name, bar, value. All bars have the same range, which only grows during an episode.

    Attributes:
        drawn: the model of the drawn actions.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that Qt does not redraw the card behind it
        self.setAccessibleName("Action values")
        self.drawn = ActionValues()
        self._of: tuple[int, int] | None = None  # episode, and number of its steps that determined the limits
        self._layout = LayoutCache()
        self._letters: dict[int, WholeLetters] = {}
        self._widths: tuple[tuple[object, ...], Widths] = ((), Widths(0, 0, 0))

    def set_keys(self, keys: Sequence[str]) -> None:
        """Show the key of each action; an empty list: no keys."""
        if tuple(keys) != self.drawn.keys:
            self._set(replace(self.drawn, keys=tuple(keys)))
            self.updateGeometry()

    def show_step(self, playing: PlayedEpisode, t: int, actor: str = "") -> None:
        """Draw the values of step t."""
        q = playing.legal_q
        if q.ndim != 2 or not len(q):
            return
        of, limits = self._of, self.drawn.limits
        other = of is None or of[0] != playing.number or len(self.drawn.names) != q.shape[1]
        if other or of != (playing.number, len(q)):
            low, high = limits_of(q, playing.ready.output_kind)
            limits = (low, high) if other else (min(low, limits[0]), max(high, limits[1]))
            self._of = playing.number, len(q)
        self._set(values_at(playing, t, actor, limits, self.drawn.keys))
        if other:
            self.setAccessibleName("Action values" if self.drawn.judged == "value" else "Action probabilities")
            self.updateGeometry()

    def _set(self, drawn: ActionValues) -> None:
        self.drawn = drawn
        self._layout.forget()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # the zoom may be another one
            self._layout.forget()
            self.updateGeometry()

    # -- size --------------------------------------------------------------------------------------

    @property
    def _rows(self) -> int:
        return rows_for(len(self.drawn.names), self.width(), bool(self.drawn.keys))

    def sizeHint(self) -> QSize:
        row = themes.zoomed(ROW if self._rows <= 6 else LOW_ROW)
        return QSize(200, UPRIGHT if len(self.drawn.names) > MOST_ROWS else row * self._rows)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, UPRIGHT * 3 // 4 if len(self.drawn.names) > MOST_ROWS else LOWEST_ROW * self._rows)

    # -- painting ----------------------------------------------------------------------------------

    @property
    def laid_out(self) -> tuple[ActionRow, ...] | UprightBars:
        """The computed places: rows, or upright bars for many actions."""
        return self._layout.get(self.size(), self._lay_out)

    def _lay_out(self) -> tuple[ActionRow, ...] | UprightBars:
        drawn, size = self.drawn, (self.width(), self.height())
        letters = self._letters.setdefault(self._px, WholeLetters(themes.font(self._px)))
        if len(drawn.names) > MOST_ROWS:
            return lay_out_upright(drawn, size, letters)
        return lay_out_rows(drawn, size, letters, self._measured(self._px, letters))

    @property
    def _px(self) -> int:
        low = len(self.drawn.names) > MOST_ROWS or min(self.height() / self._rows, ROW) < 15
        return themes.zoomed(TICK_PX if low else SECONDARY_PX)

    def _measured(self, px: int, letters: WholeLetters) -> Widths:
        """Widths of keys, names and values; measured again only if they may be wider."""
        drawn = self.drawn
        key = px, drawn.names, max(map(len, drawn.texts)), drawn.keys
        if self._widths[0] != key:
            self._widths = key, Widths.of(drawn, letters)
        return self._widths[1]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), themes.current()
        painter.fillRect(self.rect(), theme.color("surface"))
        if not self.drawn.values:
            return
        painter.setFont(themes.font(self._px))
        full, other = theme.color("accent"), theme.mixed("muted", 0.75, over="raised")
        laid_out = self.laid_out
        if isinstance(laid_out, UprightBars):
            paint_labels(painter, [laid_out.head])
            painter.fillRect(laid_out.ground, theme.color("raised"))
            for column in laid_out.illegal:
                painter.fillRect(column, theme.color("surface"))
            for index, bar in enumerate(laid_out.bars):
                painter.fillRect(bar, full if index in laid_out.chosen else other)
            return
        for row in laid_out:
            painter.setOpacity(1.0 if row.legal else GREYED)
            paint_labels(painter, row.labels)
            if row.icon is not None:
                themes.icon(*_MARKS[self.drawn.actor]).paint(painter, row.icon)
            if row.legal:
                painter.fillRect(row.ground, theme.color("raised"))
                painter.fillRect(row.bar, full if row.chosen else other)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip(self.drawn.tip), self)
            return True
        return bool(super().event(event))
