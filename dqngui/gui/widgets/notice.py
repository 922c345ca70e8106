"""A notice shown instead of a picture: the reason for waiting, or a failure with a button to restart."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label


class Notice(QWidget):
    """An icon and a sentence; after a failure also a button."""

    def __init__(self, restart: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failed = False
        self._icon = plain_label()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text = plain_label("")
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        themes.set_role(self.text, "empty")
        self.button = QPushButton("Restart")
        self.button.setToolTip("Start the player again")
        self.button.clicked.connect(lambda: restart())
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self._icon)
        column.addWidget(self.text)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def show_text(self, text: str, *, failed: bool) -> None:
        """Show a sentence; `failed`: with the restart button."""
        text = text[:1].upper() + text[1:]
        self.text.setText(text if text.endswith((".", "…", "!", "?")) else f"{text}.")
        self.button.setVisible(failed)
        if failed != self._failed or self._icon.pixmap().isNull():
            self._failed = failed
            self.restyle(themes.current())

    def restyle(self, theme: Theme) -> None:
        name, token = ("alert-circle-outline", "bad") if self._failed else ("timer-sand", "muted")
        self._icon.setPixmap(themes.icon(name, token).pixmap(24, 24))
