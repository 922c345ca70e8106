"""A dialog with all shortcuts, and the tab order of the window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from dqngui.gui.cards.card import Card
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.gui.widgets.scroll_area import ScrollArea

Group = tuple[str, list[tuple[str, str]]]
"""A title, and the shortcuts below it: what each does, and its keys."""
COLUMNS = 3
ROOM = 80
"""Pixels of the window's size that the dialog leaves free; in a smaller window it scrolls."""
DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


class ShortcutDialog(QDialog):
    """Shows all shortcuts in columns. It scrolls where they do not fit, so it is never larger than the window.

    Attributes:
        scrolled: the columns.
    """

    def __init__(self, window: QWidget, cards: Iterable[Card]) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        content = QWidget()
        columns = QGridLayout(content)
        columns.setContentsMargins(12, 8, 12, 8)
        columns.setHorizontalSpacing(28)
        for number, groups in enumerate(in_columns(shortcut_groups(window, cards), COLUMNS)):
            columns.addLayout(_column(groups), 0, number, Qt.AlignmentFlag.AlignTop)
        self.scrolled = ScrollArea(content)
        self.scrolled.setAccessibleName("Keyboard shortcuts")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.addWidget(self.scrolled)
        box.addWidget(buttons)
        wanted = content.sizeHint()
        around = box.contentsMargins()
        width = wanted.width() + around.left() + around.right() + self.scrolled.verticalScrollBar().sizeHint().width()
        height = wanted.height() + around.top() + around.bottom() + box.spacing() + buttons.sizeHint().height()
        self.resize(min(width, window.width() - ROOM), min(height + 2, window.height() - ROOM))

    def shown_text(self) -> str:
        """All words and keys, a line each."""
        return "\n".join(label.text() for label in self.scrolled.findChildren(QLabel))


def _column(groups: Iterable[Group]) -> QGridLayout:
    column = QGridLayout()
    column.setHorizontalSpacing(18)
    column.setVerticalSpacing(3)
    column.setColumnStretch(0, 1)
    for title, entries in groups:
        row = column.rowCount()
        heading = plain_label(title)
        themes.set_role(heading, "title")
        heading.setContentsMargins(0, 0 if row == 1 else 10, 0, 2)
        column.addWidget(heading, row, 0, 1, 2)
        for place, (text, keys) in enumerate(entries, row + 1):
            column.addWidget(plain_label(text), place, 0)
            pressed = plain_label(keys)
            themes.set_role(pressed, "muted")
            column.addWidget(pressed, place, 1)
    return column


def in_columns(groups: Sequence[Group], count: int) -> list[list[Group]]:
    """The groups in order in at most `count` columns, so that the longest column is as short as possible.

    A group that is longer than that is continued in the next column, under its title again.
    """
    lines = sum(len(entries) + 2 for _, entries in groups)  # with the title and the space above it
    for most in range(-(-lines // count), lines + 1):
        columns = _filled(groups, most)
        if len(columns) <= count:
            return columns
    return [list(groups)]


def _filled(groups: Sequence[Group], most: int) -> list[list[Group]]:
    """The groups in as many columns of at most `most` lines as they need."""
    columns: list[list[Group]] = [[]]
    free = most
    for title, entries in groups:
        left = list(entries)
        if len(left) + 2 > free and len(left) + 2 <= most:  # whole in the next column
            columns.append([])
            free = most
        while left:
            if free < 4:
                columns.append([])
                free = most
            part, left = left[: free - 2], left[free - 2 :]
            columns[-1].append((title, part))
            free -= len(part) + 2
    return columns


def shortcut_groups(window: QWidget, cards: Iterable[Card]) -> list[Group]:
    """The shortcuts of the window, then those of each card, which need the focus in the card."""
    found = [
        (
            "Everywhere",
            [*map(_of_action, window.actions()), *map(_of_key, window.findChildren(QShortcut, options=DIRECT))],
        )
    ]
    found += [
        (
            f"In {card.title}",
            [*map(_of_key, card.findChildren(QShortcut)), *map(_of_action, card.findChildren(QAction))],
        )
        for card in cards
    ]
    groups = []
    for title, entries in found:
        keys: dict[tuple[str, str], None] = {}  # each once, in order
        for text, sequence in entries:
            pressed = sequence.toString(QKeySequence.SequenceFormat.NativeText) if text else ""
            if pressed:
                keys[text, pressed] = None
        if keys:
            groups.append((title, list(keys)))
    return groups


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
