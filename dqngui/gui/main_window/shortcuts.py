"""A table of all shortcuts, and the tab order of the window."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from dqngui.gui.cards.card import Card

SHARE = 0.8
"""Of the height of the screen and of the window, at most for the dialog."""
DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


class ShortcutDialog(QDialog):
    """Shows the table of all shortcuts; it scrolls, so it is never taller than the screen.

    Attributes:
        text: the table.
    """

    def __init__(self, window: QWidget, cards: Iterable[Card]) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self.text = QTextBrowser()
        self.text.setAccessibleName("Keyboard shortcuts")
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.setHtml(shortcut_table(window, cards))
        self.text.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.addWidget(self.text)
        box.addWidget(buttons)
        size = self.text.document().size().toSize()
        bar = self.text.verticalScrollBar().sizeHint().width()
        height = min(window.height(), window.screen().availableGeometry().height())
        self.resize(size.width() + bar + 48, min(size.height() + 80, round(SHARE * height)))


def shortcut_table(window: QWidget, cards: Iterable[Card]) -> str:
    """Rich text: the shortcuts of the window, then those of each card, which need the focus in the card."""
    groups = [
        (
            "Everywhere",
            [*map(_of_action, window.actions()), *map(_of_key, window.findChildren(QShortcut, options=DIRECT))],
        )
    ]
    groups += [
        (
            f"In {card.title}",
            [*map(_of_key, card.findChildren(QShortcut)), *map(_of_action, card.findChildren(QAction))],
        )
        for card in cards
    ]
    rows = ""
    seen: set[str] = set()
    for title, entries in groups:
        lines = ""
        for text, sequence in entries:
            keys = sequence.toString(QKeySequence.SequenceFormat.NativeText) if text else ""
            line = f"<tr><td>{text}</td><td>&nbsp;&nbsp;&nbsp;</td><td>{keys}</td></tr>"
            if keys and (title + line) not in seen:
                seen.add(title + line)
                lines += line
        if lines:
            rows += f"<tr><td colspan=3><b>{title}</b></td></tr>{lines}"
    return f"<table>{rows}</table>"


def _of_action(action: QAction) -> tuple[str, QKeySequence]:
    return action.text(), action.shortcut()


def _of_key(shortcut: QShortcut) -> tuple[str, QKeySequence]:
    return shortcut.whatsThis(), shortcut.key()


def tab_from(first: QWidget) -> None:
    """Put the widgets inside `first` at the beginning of the tab order, in the order of their creation."""
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
