"""A line at the bottom of a card with the result of an action, and a button to undo it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label

SHOWN_MS = 20_000


class Note(QWidget):
    """A sentence with buttons; it disappears after 20 seconds."""

    def __init__(self, undo: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = plain_label()
        self.text.setWordWrap(True)
        themes.set_role(self.text, "muted")
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Restore the deleted runs (Ctrl+Z)")
        self.undo.setAccessibleName("Undo the deletion")
        self.undo.clicked.connect(undo)
        self.dismiss = QToolButton()
        self.dismiss.setIconSize(QSize(14, 14))
        self.dismiss.setMinimumSize(14, 14)
        self.dismiss.setToolTip("Dismiss")
        self.dismiss.setAccessibleName("Dismiss")
        self.dismiss.clicked.connect(self.hide)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 4, 8, 6)
        line.setSpacing(8)
        line.addWidget(self.text, 1)
        line.addWidget(self.undo)
        line.addWidget(self.dismiss)
        self._timer = QTimer(self, interval=SHOWN_MS, singleShot=True)
        self._timer.timeout.connect(self.hide)
        self.restyle(themes.current())
        self.hide()

    def show_text(self, text: str, *, undo: bool = False) -> None:
        """Show a sentence; `undo`: with the undo button."""
        self.text.setText(text)
        self.undo.setVisible(undo)
        self.show()
        self._timer.start()

    def restyle(self, theme: Theme) -> None:
        self.undo.setIcon(themes.icon("undo"))
        self.dismiss.setIcon(themes.icon("close", "muted"))
