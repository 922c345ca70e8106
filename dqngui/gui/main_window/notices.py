"""The place of notices: they lie over the lower edge of the cards, so that no card moves when one appears."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from dqngui.gui.style.theme import GAP

WIDEST = 820


class Notices(QWidget):
    """Holds the notices of a window, one above the other, in the middle above its status line."""

    def __init__(self, window: QMainWindow, parts: Sequence[QWidget]) -> None:
        super().__init__(window)
        self._window, self._parts = window, tuple(parts)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for part in parts:
            box.addWidget(part)
            part.installEventFilter(self)
        window.installEventFilter(self)
        self.place()

    def place(self) -> None:
        """Take the room that the shown notices need; none if none is shown."""
        box = self.layout()
        assert box is not None
        shown = not all(part.isHidden() for part in self._parts)
        self.setVisible(shown)
        if not shown:
            return
        width = min(WIDEST, self._window.width() - 4 * GAP)
        height = box.totalHeightForWidth(width) if box.hasHeightForWidth() else box.totalSizeHint().height()
        below = self._window.statusBar().height()
        self.setGeometry((self._window.width() - width) // 2, self._window.height() - below - height, width, height)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window, and each notice that appears, goes or gets another text."""
        kinds = (QEvent.Type.ShowToParent, QEvent.Type.HideToParent, QEvent.Type.LayoutRequest, QEvent.Type.Resize)
        if event.type() in kinds:
            self.place()
        return bool(super().eventFilter(watched, event))
