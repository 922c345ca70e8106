"""The dialog for the path of an export, and the message box for a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from dqngui.gui.widgets.plain_label import plain_box


def ask_save_path(
    parent: QWidget, title: str, name: str, kinds: Mapping[str, str], save: Callable[[str], None]
) -> QFileDialog:
    """Open a file dialog with a proposed name, and call `save` with the chosen path.

    `kinds`: a description for each suffix (`{"csv": "Table (*.csv)"}`), the default first.
    """
    suffixes = {text: suffix for suffix, text in kinds.items()}
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(next(iter(kinds)))
    dialog.setNameFilters(list(suffixes))
    dialog.filterSelected.connect(lambda text: dialog.setDefaultSuffix(suffixes[text]))
    dialog.selectFile(name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(save)
    dialog.open()
    return dialog


def show_problem(parent: QWidget, title: str, problem: str, details: str = "") -> QMessageBox:
    """Show in a message box why an export failed."""
    box = plain_box(QMessageBox.Icon.Warning, title, f"{problem}\n\n{details}" if details else problem, parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
