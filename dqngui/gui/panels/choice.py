"""A small menu button in a card's header that shows its present choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from dqngui.gui import theme as themes
from dqngui.gui.theme import SECONDARY_PX

BESIDE = 28  # pixels of arrow, padding and border


class Choice(QToolButton):
    """One of several; where its text does not fit it is shortened, and the tooltip says it all."""

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        themes.set_role(self, "choice")
        self._tip, self._full = tooltip, ""
        self._texts: dict[str, str] = {}
        self._chosen = ""
        self.setToolTip(tooltip)
        self.setAccessibleName(tooltip)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(QMenu(self))
        self._group = QActionGroup(self)

    def offer(self, texts: Mapping[str, str], chosen: str, choose: Callable[[str], Any]) -> None:
        """Offer things by key, in words, in place of what was offered before."""
        if dict(texts) != self._texts:
            self._chosen = ""
            self._texts = dict(texts)
            self.menu().clear()
            for action in self._group.actions():
                self._group.removeAction(action)
                action.deleteLater()
            for key, text in texts.items():
                action = QAction(text, self)
                action.setCheckable(True)
                action.setData(key)
                action.triggered.connect(lambda _=False, key=key: choose(key))
                self._group.addAction(action)
                self.menu().addAction(action)
        self.set_chosen(chosen)

    def set_chosen(self, key: str) -> None:
        """Show which one it is."""
        if key == self._chosen:
            return
        self._chosen = key
        for action in self._group.actions():
            action.setChecked(action.data() == key)
        self._full = self._texts.get(key, "")
        self.setToolTip(f"{self._tip}: {self._full}")
        self._fit()
        self.updateGeometry()

    @property
    def offered(self) -> dict[str, str]:
        """What can be chosen, in words."""
        return dict(self._texts)

    def trigger(self, key: str) -> None:
        """Choose as the menu does."""
        next(action for action in self._group.actions() if action.data() == key).trigger()

    def _fit(self) -> None:
        room = max(0, self.width() - BESIDE)
        self.setText(self._letters().elidedText(self._full, Qt.TextElideMode.ElideRight, room))

    def _letters(self) -> QFontMetrics:
        return QFontMetrics(themes.font(SECONDARY_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self._letters().horizontalAdvance(self._full) + BESIDE + 1, 22)

    def minimumSizeHint(self) -> QSize:
        return QSize(BESIDE + 30, 22)
