"""Sentences below the table of the queue: what was added, why a run failed, and that nobody trains what waits."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.texts import sentence

SHOWN_MS = 20_000
REASON_LINES = 3


class QueueNotes(QWidget):
    """Up to three lines; each is there only while it says something.

    Attributes:
        told: what has happened just now; it disappears after 20 seconds.
        reason: why the selected run has failed or was paused; `copy` copies it.
        waiting: that runs wait and no worker lives; `train` starts one.
    """

    def __init__(self, train_now: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason = ""
        self.told = plain_label()
        self.told.setWordWrap(True)
        themes.set_role(self.told, "muted")
        self.reason = ElidedLabel(lines=REASON_LINES)
        themes.set_role(self.reason, "muted")
        self.copy = QToolButton()
        self.copy.setIconSize(QSize(14, 14))
        self.copy.setToolTip("Copy the reason")
        self.copy.setAccessibleName("Copy the reason")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._reason))
        self.waiting = plain_label()
        self.waiting.setWordWrap(True)
        themes.set_role(self.waiting, "muted")
        self.train = QPushButton("Train now")
        self.train.setToolTip("Start the worker, which trains what waits; it goes on\nwhen this window is closed")
        themes.set_role(self.train, "smallAccent")
        self.train.clicked.connect(train_now)
        self._lines = [_line(self.told), _line(self.reason, self.copy), _line(self.waiting, self.train)]
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 0, 8, 4)
        column.setSpacing(2)
        for line in self._lines:
            column.addWidget(line)
            line.hide()
        self.hide()
        self._timer = QTimer(self, interval=SHOWN_MS, singleShot=True)
        self._timer.timeout.connect(lambda: self._show(0, False))
        self.restyle(themes.current())

    def tell(self, text: str, *, bad: bool = False) -> None:
        """Show what has happened."""
        self.told.setText(text)
        themes.set_role(self.told, "bad" if bad else "muted")
        self._show(0, True)
        self._timer.start()

    def show_reason(self, reason: str, name: str) -> None:
        """Show why a run has failed or was paused; "": hide it."""
        self._reason = f"{name}: {reason}"
        self.reason.setText(sentence(reason) if reason else "")
        self._show(1, bool(reason))

    def show_waiting(self, count: int, *, paused: bool) -> None:
        """Say that so many runs wait and no worker trains them; 0: hide it."""
        wait = f"{counted(count, 'run')} wait{'s' if count == 1 else ''}"
        self.waiting.setText(f"{wait}; the queue is paused." if paused else f"{wait}, and no worker trains them.")
        self._show(2, bool(count))

    def _show(self, place: int, shown: bool) -> None:
        self._lines[place].setVisible(shown)
        self.setVisible(not all(line.isHidden() for line in self._lines))

    def restyle(self, theme: Theme) -> None:
        self.copy.setIcon(themes.icon("content-copy", "muted"))


def _line(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 2, 0, 2)
    row.setSpacing(8)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place == 0 else 0, Qt.AlignmentFlag.AlignVCenter)
    return holder
