"""The dialog that asks for an environment of one's own, and tries it before it closes."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from dqngui.gui.settings_form.setting_words import readable, trying_text
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.lab.session.suited_agent import SuitedAgent
from dqngui.texts import words

WIDTH = 460
REFRESH_MS = 500
_HELP = (
    "The id of a gymnasium environment, for example Acrobot-v1. For one of your own write module:Id, for example "
    "my_task:Maze-v0: the module registers the id, and Python must find it where dqngui was started or where packages "
    "are installed. Everything that was set for the former task is removed."
)


class EnvironmentDialog(QDialog):
    """Chooses an environment by its id. It stays open while the environment is tried, and if that fails."""

    def __init__(self, session: Session, suited: SuitedAgent, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._suited = session, suited
        self._asked = False
        self.setWindowTitle("Other environment")
        self.setFixedWidth(WIDTH)
        self.id = QLineEdit()
        self.id.setPlaceholderText("Acrobot-v1 or my_task:Maze-v0")
        self.id.setAccessibleName("Id of the environment")
        self.help, self.said = plain_label(_HELP), plain_label()
        themes.set_role(self.help, "muted")
        for label in (self.help, self.said):
            label.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.use = self.buttons.addButton("Use it", QDialogButtonBox.ButtonRole.ActionRole)
        self.use.setDefault(True)
        self.use.setToolTip("Try the environment, and prepare a run in it with the agent that suits it (Enter)")
        themes.set_role(self.use, "accent")
        self.use.clicked.connect(self._use)
        self.buttons.rejected.connect(self.reject)
        self.id.textChanged.connect(self._on_text)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        for part in (plain_label("Environment"), self.id, self.help, self.said, self.buttons):
            box.addWidget(part)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self._refresh)
        suited.changed.connect(self._refresh)
        self.finished.connect(self._on_finished)
        self._on_text()

    @Slot()
    def _on_text(self) -> None:
        self._asked = False
        self.said.hide()
        self.use.setEnabled(bool(self.id.text().strip()))
        self.adjustSize()

    @Slot()
    def _use(self) -> None:
        self._suited.choose(self.id.text().strip())
        self._asked = True  # what is said of the former id is gone
        if self._session.state is not State.READY:  # the draft of a run is tried when it starts
            self.accept()
            return
        self._timer.start()
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        """Say that the environment is being tried, or why it cannot be used; close once it works."""
        if not self._asked:
            return
        suited = self._suited
        self.use.setEnabled(not suited.trying)
        if suited.trying:
            themes.set_role(self.said, "muted")
            self.said.setText(trying_text(suited.seconds))
        elif suited.problem:
            themes.set_role(self.said, "bad")
            self.said.setText(readable(words(suited.problem)))
            self._timer.stop()
        else:
            self.accept()
            return
        self.said.show()
        self.adjustSize()

    @Slot()
    def _on_finished(self) -> None:
        self._asked = False
        self._timer.stop()
        self.deleteLater()
