"""A line above a panel that names the pinned episode, with a button back to live."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.cursor.pinning import Pinning

ICON = 14


class PinnedBadge(QWidget):
    """Names the pinned episode and its weights, and has a button back to live; hidden while live."""

    def __init__(self, pinning: Pinning, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pinning = pinning
        self._pin = plain_label()
        self._warns = False
        self.text = ElidedLabel()
        themes.set_role(self.text, "muted")
        self.live = QToolButton()
        self.live.setText("Live")
        self.live.setToolTip("Unpin the episode; the player returns to what it played before (Esc)")
        self.live.setAccessibleName("Live")
        self.live.clicked.connect(pinning.live)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 6, 2)
        row.setSpacing(6)
        row.addWidget(self._pin)
        row.addWidget(self.text, 1)
        row.addWidget(self.live)
        pinning.changed.connect(self._refresh)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        words, pinned = self._pinning.words, self._pinning.pinned
        self.text.setText(words)
        self.text.setAccessibleName(words)
        warns = pinned is not None and pinned.differs
        if warns != self._warns or self._pin.pixmap().isNull():
            self._warns = warns
            themes.set_role(self.text, "warn" if warns else "muted")
            self._draw_pin()
        self.setVisible(bool(words))

    def _draw_pin(self) -> None:
        name, token = ("alert-outline", "warn") if self._warns else ("pin", "accent")
        self._pin.setPixmap(themes.icon(name, token).pixmap(ICON, ICON))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and not self._pin.pixmap().isNull():
            self._draw_pin()  # the theme has changed
