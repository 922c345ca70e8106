"""The question how many steps a finished run shall train on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.number_box import WholeNumberBox
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.session.session import Session

MOST_STEPS = 2_000_000_000  # of a field with arrows
STEP = 10_000


class TrainOnDialog(QDialog):
    """Asks for more steps, and resumes the run with them. It does not block the window.

    Attributes:
        steps: how many more.
        said: how many were planned.
    """

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._planned = max(session.run.experiment.run.total_steps, session.run.checkpoint or 0)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Train on")
        self.said = plain_label(f"This run was planned for {self._planned:,} steps. It goes on where it ended.")
        self.steps = WholeNumberBox()
        self.steps.setAccessibleName("More steps")
        self.steps.setRange(1, max(1, MOST_STEPS - self._planned))
        self.steps.setSingleStep(STEP)
        self.steps.setValue(min(self._planned, self.steps.maximum()))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.train = buttons.addButton("Train on", QDialogButtonBox.ButtonRole.AcceptRole)
        self.train.setDefault(True)
        themes.set_role(self.train, "accent")
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        self.steps.lineEdit().textChanged.connect(self._on_text)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        for part in (self.said, plain_label("More steps"), self.steps, buttons):
            box.addWidget(part)

    @Slot()
    def _on_text(self) -> None:
        self.train.setEnabled(self.steps.hasAcceptableInput())

    @Slot()
    def _on_accepted(self) -> None:
        if self.steps.hasAcceptableInput():
            self._session.train_on(self._planned + self.steps.value())
            self.accept()


def ask_to_train_on(session: Session, parent: QWidget) -> TrainOnDialog:
    """Ask for more steps in a dialog that does not block the window."""
    dialog = TrainOnDialog(session, parent)
    dialog.open()
    return dialog
