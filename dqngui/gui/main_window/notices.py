"""The place of notices: beside the progress in the window's status bar, so that they cover no card and move none."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label

LINES = 2
"""Lines of text that the status bar has room for."""


class NoticeFrame(QWidget):
    """An icon, a text of at most two lines, and buttons. The text gives way where the room is small.

    Attributes:
        text: the text; a text that does not fit ends in an ellipsis.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.frame = QFrame(self)
        self.frame.setObjectName("notice")
        self.icon = plain_label()
        self.icon.setFixedSize(18, 18)
        self.text = ElidedLabel(gives_way=False, lines=LINES)
        self.text.setProperty("role", "notice")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.frame)
        self._line = QHBoxLayout(self.frame)
        self._line.setContentsMargins(10, 0, 6, 0)
        self._line.setSpacing(6)
        self._line.addWidget(self.icon)
        self._line.addWidget(self.text, 1)

    def add(self, widget: QWidget) -> None:
        """Put a button at the right."""
        self._line.addWidget(widget)


class Notices(QWidget):
    """Holds the notices of a window: one that an event shows at the left, one that a person's edits show at the right.

    Signals:
        changed(bool): whether any notice is shown now.
    """

    changed = Signal(bool)

    def __init__(self, left: QWidget, right: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = left, right
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 4)
        line.setSpacing(8)
        for part in self._parts:
            line.addWidget(part)
            part.installEventFilter(self)
        self.setVisible(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow each notice that appears or goes."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            shown = not all(part.isHidden() for part in self._parts)
            if shown == self.isHidden():
                self.setVisible(shown)
                self.changed.emit(shown)
        return bool(super().eventFilter(watched, event))
