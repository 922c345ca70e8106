"""A simulated user for benchmarks: opens the real window with real processes, and uses mouse, keys and menus.

It does not wait with `QTest.qWait`, which holds the GIL: a training thread would stop.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QTabBar, QWidget

from dqngui.config import Experiment
from dqngui.gui.app.app import App
from dqngui.lab.session.states import State

PATIENCE_S, TRAINING_S = 120.0, 900.0
SIZE = (1600, 1000)
KEYS_S = 1 / 30  # between two repeats of a held key
DRAG_S = 0.04  # between two mouse moves of a drag

Kind = TypeVar("Kind")


@contextmanager
def opened(experiment: Experiment, runs: Path | None = None) -> Iterator[App]:
    """Open a new window, by default with an empty runs' folder; at the end everything is closed and deleted."""
    qt = QApplication.instance() or QApplication(["dqngui"])
    with tempfile.TemporaryDirectory() as place:
        kept = QSettings(str(Path(place) / "settings.ini"), QSettings.Format.IniFormat)
        app = App(experiment, runs=runs or Path(place) / "runs", settings=kept, theme="dark")
        app.window.resize(*SIZE)
        app.window.show()
        try:
            yield app
        finally:
            app.closing.begin(ask=False)
            while not app.closing.done:
                qt.processEvents()
            app.window.deleteLater()
            app.deleteLater()
            # DeferredDelete: nothing may outlive the measurement
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


class Hand:
    """Waits, moves the mouse, presses keys, and uses menus, tabs and dialogs."""

    def __init__(self, app: App) -> None:
        self.app = app

    # -- waiting ----------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Run the event loop for some seconds."""
        loop = QEventLoop()
        QTimer.singleShot(max(1, round(1000 * seconds)), loop.quit)
        loop.exec()

    def until(self, reached: Callable[[], object], what: str = "", patience_s: float = PATIENCE_S) -> None:
        """Wait for a condition. Raises SystemExit if it does not become true in time, or the run fails."""
        latest = time.perf_counter() + patience_s
        while not reached():
            failure = self.app.session.run.failure
            if failure is not None or time.perf_counter() > latest:
                raise SystemExit(f"waited in vain{f': {what}' if what else ''}: {failure or self.app.player.problem}")
            self.wait(0.002)

    def train(self, steps: int) -> None:
        """Start training, and wait until it has made more than this number of steps."""
        session = self.app.session
        self.until(lambda: session.torch_loaded, "torch")
        session.start()
        self.until(lambda: session.state is State.RUNNING and session.run.step > steps, "training", TRAINING_S)

    # -- the mouse --------------------------------------------------------------------------------

    def click(self, widget: QWidget, at: QPoint | QPointF | None = None) -> None:
        """Click with the left button, by default in the centre."""
        point = widget.rect().center() if at is None else QPointF(at).toPoint()
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)

    def hover(self, widget: QWidget, at: QPointF) -> None:
        """Move the mouse there without a button."""
        self._mouse(QEvent.Type.MouseMove, widget, at, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)

    def drag(self, widget: QWidget, path: list[QPointF]) -> None:
        """Press at the first point, move through all points, release at the last."""
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        self._mouse(QEvent.Type.MouseButtonPress, widget, path[0], left, left)
        for at in path:
            self._mouse(QEvent.Type.MouseMove, widget, at, none, left)
            self.wait(DRAG_S)
        self._mouse(QEvent.Type.MouseButtonRelease, widget, path[-1], left, none)

    @staticmethod
    def _mouse(kind: QEvent.Type, widget: QWidget, at: QPointF, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
        none, anywhere = Qt.KeyboardModifier.NoModifier, QPointF(widget.mapToGlobal(at))
        QApplication.sendEvent(widget, QMouseEvent(kind, at, anywhere, button, held, none))

    # -- keys -------------------------------------------------------------------------------------

    def press(self, widget: QWidget, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press and release a key."""
        QTest.keyClick(widget, key, held)

    def hold(
        self, widget: QWidget, key: Qt.Key, times: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Hold a key, so that it repeats."""
        for _ in range(times):
            self.press(widget, key, held)
            self.wait(KEYS_S)

    # -- menus, tabs, dialogs ---------------------------------------------------------------------

    def choose(self, menu: QMenu, beside: QWidget, *path: str) -> None:
        """Open a menu and choose an entry: each text of `path` starts an entry, the next one in its submenu."""
        menu.popup(beside.mapToGlobal(beside.rect().bottomLeft()))
        for start in path:
            self.until(menu.isVisible, f"the menu with {start!r}")
            self.wait(0.05)
            found = [each for each in menu.actions() if each.text().startswith(start) and each.isEnabled()]
            if not found:
                raise SystemExit(f"no {start!r} among {[each.text() for each in menu.actions()]}")
            below = found[0].menu()
            self.click(menu, menu.actionGeometry(found[0]).center())
            menu = below if isinstance(below, QMenu) else menu

    def bring(self, name: str) -> None:
        """Show a card, with a click on its tab if another card covers it."""
        dock = self.app.window.docks[name]
        for bar in self.app.window.findChildren(QTabBar):
            for index in range(bar.count()) if bar.isVisible() else ():
                if bar.tabText(index) == dock.windowTitle():
                    self.click(bar, bar.tabRect(index).center())
        self.until(lambda: not dock.visibleRegion().isEmpty(), f"the card {name}")

    def save_as(self, path: Path) -> None:
        """Type a file name into the open file dialog and confirm it."""
        dialogs: list[QFileDialog] = []

        def asked() -> bool:
            dialogs[:] = [each for each in self.app.window.findChildren(QFileDialog) if each.isVisible()]
            return bool(dialogs)

        self.until(asked, "the dialog")
        self.wait(0.1)
        name = dialogs[0].findChild(QLineEdit)
        assert isinstance(name, QLineEdit)
        name.setText(str(path))
        self.press(name, Qt.Key.Key_Return)
        self.come_back()

    def come_back(self) -> None:
        """Give the window the keyboard focus after a dialog, as a window manager would."""
        self.app.window.activateWindow()
        self.until(self.app.window.isActiveWindow, "the window")

    def panel(self, name: str, kind: type[Kind]) -> Kind:
        """The panel of a card."""
        panel = self.app.window.panel_docks.panels[name]
        assert isinstance(panel, kind)
        return panel
