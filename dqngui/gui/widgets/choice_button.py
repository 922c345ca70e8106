"""A small menu button in a card's header that shows its present choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX
from dqngui.gui.widgets.unlit import unlight_after

MAX_MENU_ENTRIES = 24  # entries
EXTRA_PX = 28  # pixels of arrow, padding and border


class ChoiceButton(QToolButton):
    """A choice of one of several; a long text is shortened, and the tooltip has all of it.

    Attributes:
        full_text: the whole text of the present choice.
    """

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        themes.set_role(self, "choice")
        self._tip, self.full_text = tooltip, ""
        self._texts: dict[str, str] = {}
        self._below: dict[str, str] = {}
        self._submenu: QMenu | None = None
        self._choose: Callable[[str], Any] = lambda key: None
        self._chosen = ""
        self.setToolTip(tooltip)
        self.setAccessibleName(tooltip)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self.setMenu(menu)
        unlight_after(menu, self)
        self._group = QActionGroup(self)

    def offer(
        self,
        texts: Mapping[str, str],
        chosen: str,
        choose: Callable[[str], Any],
        *,
        below: Mapping[str, str] | None = None,
        title: str = "",
    ) -> None:
        """Replace the choices (key: text); those in `below` stand in a submenu named `title`."""
        below = below or {}
        if (dict(texts), dict(below)) != (self._texts, self._below):
            self._chosen = ""
            self._texts, self._below, self._choose = dict(texts), dict(below), choose
            self.menu().clear()
            for action in self._group.actions():
                self._group.removeAction(action)
                action.deleteLater()
            if self._submenu is not None:
                self._submenu.deleteLater()
                self._submenu = None
            self._add(self.menu(), texts)
            if below:
                self._submenu = self.menu().addMenu(title)
                self._part(self._submenu, list(below.items()))
        self.set_chosen(chosen)

    def _part(self, menu: QMenu, entries: list[tuple[str, str]]) -> None:
        """Add entries; many are divided into submenus, each named after its first and last entry."""
        if len(entries) <= MAX_MENU_ENTRIES:
            return self._add(menu, dict(entries))
        for first in range(0, len(entries), MAX_MENU_ENTRIES):
            part = entries[first : first + MAX_MENU_ENTRIES]
            self._add(menu.addMenu(f"{part[0][1]} … {part[-1][1]}"), dict(part))

    def _add(self, menu: QMenu, texts: Mapping[str, str]) -> None:
        for key, text in texts.items():
            action = QAction(text, self)
            action.setCheckable(True)
            action.setData(key)
            action.triggered.connect(lambda _=False, key=key: self._choose(key))
            self._group.addAction(action)
            menu.addAction(action)

    def set_chosen(self, key: str) -> None:
        """Show another choice."""
        if key == self._chosen:
            return
        self._chosen = key
        for action in self._group.actions():
            action.setChecked(action.data() == key)
        below = self._below.get(key)
        self.show_text(self._texts.get(key, "") if below is None else f"by {below}")

    def show_text(self, text: str) -> None:
        """Show a text as the present choice; the tooltip has it in full."""
        self.full_text = text
        self.setToolTip(f"{self._tip}: {text}")
        self._fit()
        self.updateGeometry()

    @property
    def offered(self) -> dict[str, str]:
        """The texts of all choices."""
        return self._texts | self._below

    def trigger(self, key: str) -> None:
        """Choose a key, like a click in the menu."""
        next(action for action in self._group.actions() if action.data() == key).trigger()

    def _fit(self) -> None:
        room = max(0, self.width() - EXTRA_PX)
        self.setText(self._letters().elidedText(self.full_text, Qt.TextElideMode.ElideRight, room))

    def _letters(self) -> QFontMetrics:
        return QFontMetrics(themes.font(themes.zoomed(SECONDARY_PX)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self._letters().horizontalAdvance(self.full_text) + EXTRA_PX + 1, 22)

    def minimumSizeHint(self) -> QSize:
        return QSize(EXTRA_PX + 30, 22)
