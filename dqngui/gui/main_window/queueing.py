"""What the window offers to add to the queue: the experiment, the open run, a fork of it, a sweep."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Qt, Slot
from PySide6.QtWidgets import QDialog, QDockWidget, QMenu, QToolButton

from dqngui.gui.main_window.actions import RunActions
from dqngui.gui.main_window.menus import MainMenu
from dqngui.gui.main_window.queue_dialog import AddToQueueDialog
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.sweep_sheet.sweep_sheet import SweepSheet
from dqngui.gui.widgets.unlit import unlight_after
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.session.rules import why_not
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action
from dqngui.texts import say


class Queueing(QObject):
    """The button beside Start, its menu and the dialogs behind it.

    Attributes:
        button: adds the experiment; its menu adds other things.
        dialog: the open dialog; None without one.
    """

    def __init__(self, session: Session, actions: RunActions, menu: MainMenu, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._session, self._actions, self._dock = session, actions, dock
        self._queue: RunQueue | None = None
        self.dialog: QDialog | None = None
        self._resume = menu.add(
            menu.run, "Resume in the queue", "playlist-play", "", "Train the open run on in its turn", self._add_resumed
        )
        self._fork = menu.add(
            menu.run, "Fork in the queue", "source-branch-plus", "",
            "Train a fork of the open run in its turn, from its last saved state", self._add_fork,
        )  # fmt: skip
        self._sweep = menu.add(
            menu.run, "Sweep…", "grid", "Ctrl+Shift+W", "Many runs that differ in settings and seeds", self.show_sweep
        )
        self.button = QToolButton()
        self.button.setText("Queue")
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.button.setIconSize(QSize(16, 16))
        self.button.setFixedHeight(30)
        themes.set_role(self.button, "button")
        entries = QMenu(self.button)
        entries.setToolTipsVisible(True)
        entries.addActions([actions[Action.QUEUE], self._resume, self._fork, self._sweep])
        self.button.setMenu(entries)
        unlight_after(entries, self.button)
        self.button.clicked.connect(actions[Action.QUEUE].trigger)
        session.changed.connect(self.refresh)
        self.restyle(themes.current())

    def use(self, queue: RunQueue) -> None:
        """Offer this queue."""
        self._queue = queue
        queue.added.connect(self._show_card)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Enable what is possible now."""
        session, available = self._session, self._queue is not None and self._queue.available
        add, allowed = self._actions[Action.QUEUE], Action.QUEUE in session.allowed
        self.button.setEnabled(allowed)
        self.button.setToolTip(add.toolTip())
        self._sweep.setEnabled(allowed)
        stored = available and session.run.folder is not None and not session.job.active
        self._resume.setEnabled(stored and Action.RESUME_RUN in session.allowed)
        self._fork.setEnabled(stored and Action.FORK in session.allowed)

    @Slot()
    def ask(self) -> None:
        """Ask for the seeds of the experiment."""
        if (queue := self._offered()) is not None:
            self._open(AddToQueueDialog(self._session, queue, self._dock.window()))

    def show_sweep(self) -> None:
        """Show the sheet that makes a sweep of the experiment."""
        if (queue := self._offered()) is not None:
            self._open(SweepSheet(self._session, queue, self._dock.window()))

    def _offered(self) -> RunQueue | None:
        """The queue; None, with a sentence in the window, if there is none."""
        if self._queue is not None and self._queue.available:
            return self._queue
        self._session.show_message(say("queue.no_folder"))
        return None

    def _open(self, dialog: QDialog) -> None:
        if self.dialog is not None:
            self.dialog.raise_()
            dialog.deleteLater()
            return
        self.dialog = dialog
        dialog.finished.connect(self._forget)
        dialog.open()

    @Slot()
    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = None

    def _add_resumed(self) -> None:
        folder = self._session.run.folder
        if self._queue is None or folder is None:
            return
        if Action.RESUME_RUN not in self._session.allowed:
            self._session.show_message(why_not(Action.RESUME_RUN, self._session.state, self._session.fork_plan))
            return
        self._queue.add_resumed([folder.absolute()])

    def _add_fork(self) -> None:
        if self._queue is not None:
            self._queue.add_fork()

    @Slot()
    def _show_card(self) -> None:
        """Bring the Queue card to the front of its tabs, if it is not hidden."""
        if not self._dock.isHidden():
            self._dock.raise_()

    def restyle(self, theme: Theme) -> None:
        self.button.setIcon(themes.icon("playlist-plus"))
        self.refresh()
