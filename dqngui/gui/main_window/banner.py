"""The banner in the status bar: one sentence about a failure, a pause or a notice, with buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QGuiApplication, QIcon, QResizeEvent
from PySide6.QtWidgets import QMessageBox, QPushButton, QToolButton, QWidget

from dqngui.gui.main_window.notices import NoticeFrame
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_box

INFORMS_MS = 15_000
_ICONS = {"bad": "alert-circle-outline", "warn": "alert-outline", "muted": "information-outline"}


class Banner(NoticeFrame):
    """Shows one sentence until it is dismissed or replaced; hidden without one. A sentence that only informs, without a
    button, goes by itself after `INFORMS_MS`, unless the mouse is over it.

    Attributes:
        role: the kind of sentence, a name of a colour: bad (an error), warn or muted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.role, self._details = "muted", ""
        self.copy = QPushButton("Copy diagnostics")
        self.copy.setToolTip("Copy the reason, the traceback and the versions, for a report")
        self.copy.clicked.connect(self.copy_details)
        self.go_on = QPushButton()
        self.go_on.setAccessibleName("Suggested action")
        self.go_on.setIconSize(QSize(16, 16))
        self.go_on.clicked.connect(self._do)
        self._action: QAction | None = None
        self.more = self._tool("Show the whole text", self.show_whole)
        kept = self.more.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # otherwise the text would change its width when it is cut
        self.more.setSizePolicy(kept)
        self.dismiss = self._tool("Dismiss", self.hide)
        for widget in (self.more, self.go_on, self.copy, self.dismiss):
            self.add(widget)
        for button in (self.go_on, self.copy):
            themes.set_role(button, "small")
        self._leaving = QTimer(self, interval=INFORMS_MS, singleShot=True)
        self._leaving.timeout.connect(self._leave)
        self.hide()

    def _tool(self, name: str, do: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setIconSize(QSize(16, 16))
        button.setMinimumSize(16, 16)  # a layout without room gave it no height, and its icon no pixels
        button.setToolTip(name)
        button.setAccessibleName(name)
        button.clicked.connect(lambda: do())
        return button

    def show_whole(self) -> QMessageBox:
        """Show the whole text in a box that does not block the window."""
        box = plain_box(QMessageBox.Icon.NoIcon, "Notice", self.text.text(), self.window())
        box.setStandardButtons(QMessageBox.StandardButton.Close)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        return box

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._offer_whole()

    @Slot()
    def _offer_whole(self) -> None:
        self.more.setVisible(self.text.cut)

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
        QTimer.singleShot(0, self, self._offer_whole)  # once the layout has followed
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
        themes.set_role(self.frame, self.role)
        self.more.setIcon(themes.icon("arrow-expand", "muted"))
        self.icon.setPixmap(themes.icon(_ICONS[self.role], self.role).pixmap(18, 18))
        self.dismiss.setIcon(themes.icon("close", "muted"))
