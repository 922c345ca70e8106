"""The question how many steps a finished run shall train on."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QSpinBox, QWidget

from dqngui.lab.session.session import Session

MOST_STEPS = 2_000_000_000  # of the dialog's numbers
STEP = 10_000


def ask_to_train_on(session: Session, parent: QWidget) -> QInputDialog:
    """Ask for more steps in a dialog that does not block the window, and resume the run with them."""
    planned = max(session.run.experiment.run.total_steps, session.run.checkpoint or 0)
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Train on")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setLabelText(f"This run was planned for {planned:,} steps. It goes on where it ended.\n\nMore steps:")
    dialog.setIntRange(1, max(1, MOST_STEPS - planned))
    dialog.setIntStep(STEP)
    dialog.setIntValue(min(planned, MOST_STEPS - planned))
    for number in dialog.findChildren(QSpinBox):
        number.setGroupSeparatorShown(True)
    dialog.setOkButtonText("Train on")
    dialog.intValueSelected.connect(partial(_train_on, session, planned))
    dialog.open()
    return dialog


def _train_on(session: Session, planned: int, more: int) -> None:
    session.train_on(planned + more)
