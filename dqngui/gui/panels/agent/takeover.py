"""Sends the key presses of a card to the driver while a person drives."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from dqngui.lab.playback.driver import Driver


class Takeover(QObject):
    """Filters the key presses of a card and of all its widgets while a person drives.

    Keys work only while the focus is in the card; when it leaves, all keys are released.
    """

    def __init__(self, card: QWidget, driver: Driver) -> None:
        super().__init__(card)
        self._card, self._driver = card, driver
        self._watched: list[QWidget] = []
        driver.changed.connect(self._on_driver)

    @Slot()
    def _on_driver(self) -> None:
        """Filter the keys from the beginning to the end of driving."""
        if self._driver.driving and not self._watched:
            self._watch()
            self._card.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not self._driver.driving and self._watched:
            self._unwatch()

    def _watch(self) -> None:
        self._watched = [self._card, *self._card.findChildren(QWidget)]
        for widget in self._watched:
            widget.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]

    def _unwatch(self) -> None:
        for widget in self._watched:
            widget.removeEventFilter(self)
        self._watched = []
        QApplication.instance().focusChanged.disconnect(self._on_focus)  # type: ignore[union-attr]

    def _on_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        if now is None or not (now is self._card or self._card.isAncestorOf(now)):
            self._driver.release_all()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Send keys to the driver; accepting the override event prevents shortcuts."""
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride):
            return False
        assert isinstance(event, QKeyEvent)
        held_with = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        key = int(event.key())
        returns = key == Qt.Key.Key_Escape
        if held_with != Qt.KeyboardModifier.NoModifier or not (returns or self._driver.keys.uses(key)):
            return False
        event.accept()
        if kind == QEvent.Type.KeyPress and returns:
            self._driver.hand_back()
        elif kind == QEvent.Type.KeyPress:
            self._driver.press(key, again=event.isAutoRepeat())
        elif kind == QEvent.Type.KeyRelease and not event.isAutoRepeat():
            self._driver.release(key)
        return True


def take_over_tip(driving: bool, possible: bool) -> str:
    """The tooltip of the button that takes over or hands back."""
    if not possible:
        return "Keys choose one action, and this agent makes several choices at once"
    return "Hand back: the agent continues from here (T or Esc)" if driving else "Take over: drive with the keys (T)"
