"""Finds everything in a window that can be pressed or chosen: buttons, entries of menus, choices of combo boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import shiboken6
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QComboBox, QMenu, QToolButton, QWidget

from dqngui.gui.cards.card import Card

Key = tuple[str, str, int]
"""Kind, name, and index among those of the same kind and name."""


def choosable(action: QAction) -> bool:
    group = action.actionGroup()
    in_use = group is not None and group.isExclusive() and action.isChecked()
    return action.isEnabled() and action.isVisible() and not in_use


@dataclass(frozen=True)
class Control:
    """Something that can be pressed: the widget or action, and how."""

    owner: QWidget | QAction
    press: Callable[[], object]

    @property
    def possible(self) -> bool:
        """Whether it still exists and can be pressed."""
        if not shiboken6.isValid(self.owner):
            return False
        if isinstance(self.owner, QAction):
            return choosable(self.owner)
        return self.owner.isVisible() and self.owner.isEnabled()


def controls(window: QWidget, choices: Callable[[QComboBox], Iterable[int]]) -> dict[Key, Control]:
    """Everything in sight that can be pressed now, by a name that stays the same.

    Args:
        window: the window.
        choices: which entries of a combo box count.
    """
    found: dict[Key, Control] = {}
    counts: Counter[tuple[str, str]] = Counter()

    def add(kind: str, name: str, owner: QWidget | QAction, press: Callable[[], object]) -> None:
        found[(kind, name, counts[kind, name])] = Control(owner, press)
        counts[kind, name] += 1

    for button in window.findChildren(QAbstractButton):
        if not (button.isVisible() and button.isEnabled()) or button.visibleRegion().isEmpty():
            continue
        if isinstance(button, QToolButton) and button.popupMode() == QToolButton.ToolButtonPopupMode.InstantPopup:
            continue  # its menu's entries are below
        add("button", button.text() or button.accessibleName(), button, button.click)
    for menu in window.findChildren(QMenu):
        card = _card_of(menu)
        if card is not None and card.visibleRegion().isEmpty():
            continue
        for action in menu.actions():
            if choosable(action) and not action.isSeparator() and not action.menu():
                owner = menu.parent()
                place = owner.accessibleName() if isinstance(owner, QWidget) else ""
                add(f"menu {menu.title() or place}", action.text(), action, action.trigger)
    for combo in window.findChildren(QComboBox):
        if combo.isVisible() and combo.isEnabled():
            for index in choices(combo):
                add(f"choice {combo.accessibleName()}", combo.itemText(index), combo, _choose(combo, index))
    return found


def _choose(combo: QComboBox, index: int) -> Callable[[], object]:
    def do() -> None:
        combo.setCurrentIndex(index)
        combo.activated.emit(index)

    return do


def _card_of(widget: QWidget) -> Card | None:
    """The card that a menu belongs to."""
    above: object = widget
    while above is not None and not isinstance(above, Card):
        above = above.parent() if isinstance(above, QWidget) else None
    return above if isinstance(above, Card) else None
