"""Takes the highlight from a button whose menu was closed elsewhere: Qt does not tell it that the mouse left."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QToolButton


def unlight_after(menu: QMenu, button: QToolButton) -> None:
    """Draw the button without highlight after its menu has closed, unless the mouse is over it."""

    def unlight() -> None:
        button.setDown(False)
        if not button.rect().contains(button.mapFromGlobal(QCursor.pos())):
            button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
        button.update()

    menu.aboutToHide.connect(lambda: QTimer.singleShot(0, button, unlight))
