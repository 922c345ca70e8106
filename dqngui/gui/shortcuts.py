"""Every shortcut in a table, and the order in which Tab visits the window."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from dqngui.gui.cards import Card


def shortcut_table(window: QWidget, cards: Iterable[Card]) -> str:
    """Rich text: those of the whole window, then those of each card that has the focus."""
    groups = [("Everywhere", window.actions())]
    groups += [(f"In {card.title}", card.findChildren(QAction)) for card in cards]
    rows = ""
    seen: set[str] = set()
    for title, actions in groups:
        lines = ""
        for action in actions:
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            line = f"<tr><td>{action.text()}</td><td>&nbsp;&nbsp;&nbsp;</td><td>{keys}</td></tr>"
            if keys and (title + line) not in seen:
                seen.add(title + line)
                lines += line
        if lines:
            rows += f"<tr><td colspan=3><b>{title}</b></td></tr>{lines}"
    return f"<table>{rows}</table>"


def tab_from(first: QWidget) -> None:
    """Let Tab visit what is inside a widget before everything else in its window, each in the order it was made."""
    window = first.window()
    takes = [
        each
        for each in window.findChildren(QWidget)
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.window() is window and each.focusProxy() is None
    ]
    inside = [each for each in takes if first.isAncestorOf(each)]
    order = [*inside, *(each for each in takes if not first.isAncestorOf(each))]
    for one, other in pairwise(order):
        QWidget.setTabOrder(one, other)
