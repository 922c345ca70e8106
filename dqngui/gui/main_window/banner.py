"""The banner over the lower edge of the cards: one sentence about a failure, a pause or a notice, with buttons."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer, Slot
from PySide6.QtGui import QAction, QGuiApplication, QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import GAP, Theme
from dqngui.gui.widgets.plain_label import plain_label

INFORMS_MS = 15_000
_ICONS = {"bad": "alert-circle-outline", "warn": "alert-outline", "muted": "information-outline"}


class Banner(QWidget):
    """Shows one sentence until it is dismissed or replaced; hidden without one. A sentence that only informs, without a
    button, goes by itself after `INFORMS_MS`, unless the mouse is over it.

    Attributes:
        role: the kind of sentence, a name of a colour: bad (an error), warn or muted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        frame = QFrame(self)
        frame.setObjectName("notice")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, GAP)
        outer.addWidget(frame)
        self.role, self._details = "muted", ""
        self._icon = plain_label()
        self._icon.setFixedSize(18, 18)
        self.text = plain_label()
        self.text.setWordWrap(True)
        self.text.setMinimumHeight(20)
        self.copy = QPushButton("Copy diagnostics")
        self.copy.setToolTip("Copy the reason, the traceback and the versions, for a report")
        self.copy.clicked.connect(self.copy_details)
        self.go_on = QPushButton()
        self.go_on.setAccessibleName("Suggested action")
        self.go_on.setIconSize(QSize(16, 16))
        self.go_on.clicked.connect(self._do)
        self._action: QAction | None = None
        self.dismiss = QToolButton()
        self.dismiss.setIconSize(QSize(16, 16))
        self.dismiss.setMinimumSize(16, 16)  # a layout without room gave it no height, and its icon no pixels
        self.dismiss.setToolTip("Dismiss")
        self.dismiss.setAccessibleName("Dismiss")
        self.dismiss.clicked.connect(self.hide)
        line = QHBoxLayout(frame)
        line.setContentsMargins(12, 6, 8, 6)
        line.setSpacing(8)
        line.addWidget(self._icon)
        line.addWidget(self.text, 1)
        for widget in (self.go_on, self.copy, self.dismiss):
            line.addWidget(widget)
        self._leaving = QTimer(self, interval=INFORMS_MS, singleShot=True)
        self._leaving.timeout.connect(self._leave)
        self.hide()

    def show_text(self, text: str, role: str = "muted", details: str = "", action: QAction | None = None) -> None:
        """Show a sentence; `details`: text for *Copy diagnostics*; `action`: action of the button."""
        self.role, self._details, self._action = role, details, action
        if action is not None:
            self.go_on.setText(action.text())
            self.go_on.setAccessibleName(action.text())
            self.go_on.setToolTip(action.toolTip())
        self.go_on.setVisible(action is not None)
        self.text.setText(text)
        self.copy.setVisible(bool(details))
        self.restyle(themes.current())
        self.show()
        if role == "muted" and action is None:
            self._leaving.start()
        else:
            self._leaving.stop()

    @Slot()
    def _leave(self) -> None:
        if self.underMouse():
            self._leaving.start()
        else:
            self.hide()

    def _do(self) -> None:
        if self._action is not None:
            self._action.trigger()

    def copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self._details)
        self.copy.setText("Copied")

    def restyle(self, theme: Theme) -> None:
        self.copy.setText("Copy diagnostics")
        self.go_on.setIcon(self._action.icon() if self._action is not None else QIcon())
        self._icon.setPixmap(themes.icon(_ICONS[self.role], self.role).pixmap(18, 18))
        self.dismiss.setIcon(themes.icon("close", "muted"))
