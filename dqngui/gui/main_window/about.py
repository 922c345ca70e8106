"""The box that says what this program is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

import dqngui


def show_about(window: QWidget) -> None:
    """Show version and licence."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "About dqngui", "", QMessageBox.StandardButton.Close, window)
    box.setTextFormat(Qt.TextFormat.RichText)  # only texts of our own
    box.setText(
        f"<b>dqngui {dqngui.__version__}</b><br>A laboratory for deep Q-networks with attention and memory.<br>"
        "MIT licence."
    )
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
