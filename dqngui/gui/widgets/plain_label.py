"""Labels, message boxes and tooltips that show text as it is.

Qt takes a text for HTML if it looks so, and then follows its images: a run's title `<img src="pipe">` would be read
from the disk, and a pipe stops the window. What may hold a name or a message is therefore made here.
"""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

from dqngui.gui.widgets.wrapping import wrapped


def plain_label(text: str = "", parent: QWidget | None = None) -> QLabel:
    """A label that shows its text as it is."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def plain_box(icon: QMessageBox.Icon, title: str, text: str, parent: QWidget) -> QMessageBox:
    """A message box that shows its text as it is, without buttons."""
    box = QMessageBox(parent)
    box.setIcon(icon)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    return box


def plain_tip(text: str) -> str:
    """The text of a tooltip that shows `text` as it is, in lines that can be read: Qt has no tooltips that are never
    rich.
    """
    lines = wrapped(text)
    return f"<p style='white-space:pre-wrap'>{escape(lines)}</p>" if Qt.mightBeRichText(text) else lines
