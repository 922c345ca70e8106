"""Computes the places of the names, bars and values of actions for a given size. It needs no widget and no screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF

from dqngui.gui.charts.layout.text import Label, Letters
from dqngui.gui.charts.value_ranges import bar_share
from dqngui.gui.panels.agent.action_values import NOT_LEGAL, ActionValues

ROW, LOW_ROW, LOWEST_ROW = 20, 16, 13  # pixels of a row's height
MOST_ROWS = 18  # more actions than this stand side by side, as upright bars
BETWEEN = 12  # pixels between two columns
ICON, ICON_ROOM = 14, 16


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action: labels (key, name, value), bar, and an icon if someone other than the greedy agent chose it.

    Attributes:
        ground: area of a full bar.
        bar: area from zero, or from the nearer end, to the value.
        icon: place of the icon for who chose the action; None without one.
        legal: whether the action is legal; else it has no bar.
    """

    labels: tuple[Label, ...]
    ground: QRectF
    bar: QRectF
    chosen: bool
    icon: QRect | None = None
    legal: bool = True


@dataclass(frozen=True, slots=True)
class UprightBars:
    """Many actions side by side: a line above that names the action taken, and a bar for each action.

    Attributes:
        head: the line above.
        ground: area of all bars.
        illegal: the columns of actions that are not legal; they have no bars.
    """

    head: Label
    ground: QRectF
    bars: tuple[QRectF, ...]
    chosen: tuple[int, ...]
    illegal: tuple[QRectF, ...] = ()


def columns_for(count: int, width: float, keyed: bool) -> int:
    """The number of columns for `count` actions; `keyed`: with a key before each name."""
    narrow = 560 if keyed else 380  # half of it is too narrow for name and bar
    if count <= 6 or width < 200 or (count <= 9 and width < narrow):
        return 1
    return 2 if count <= 12 or width < 400 else 3


def rows_for(count: int, width: float, keyed: bool) -> int:
    """The number of rows for `count` actions."""
    return math.ceil(count / columns_for(count, width, keyed))


@dataclass(frozen=True, slots=True)
class Widths:
    """Pixels of the widest key, name and value."""

    keys: int
    names: int
    values: int

    @classmethod
    def of(cls, actions: ActionValues, letters: Letters) -> Widths:
        """Measure all of them."""
        return cls(
            int(max((letters.width(key) + 8 for key in actions.keys), default=0)),
            int(max(letters.width(name) for name in actions.names) + 4),  # eliding is strict
            int(
                max(letters.width(text) for text in (*actions.texts, "−0.00", *(NOT_LEGAL for _ in actions.legal[:1])))
            ),
        )


def lay_out_rows(
    actions: ActionValues, size: tuple[int, int], letters: Letters, widths: Widths
) -> tuple[ActionRow, ...]:
    """A row for each action, in one to three columns."""
    count, keyed = len(actions.names), bool(actions.keys)
    columns, rows = columns_for(count, size[0], keyed), rows_for(count, size[0], keyed)
    height = min(size[1] / rows, float(ROW))
    width = (size[0] - BETWEEN * (columns - 1)) // columns
    mark = ICON_ROOM if actions.explores or keyed else 0  # in every step, so that the bars do not move
    left = min(widths.keys + widths.names + mark, width * (3 if widths.keys else 2) // 5)
    found = []
    for index in range(count):
        column, row = divmod(index, rows)
        area = QRect(column * (width + BETWEEN), round(row * height), width, round(height))
        found.append(_row(actions, index, area, left, widths, letters))
    return tuple(found)


def _row(actions: ActionValues, index: int, area: QRect, left: int, widths: Widths, letters: Letters) -> ActionRow:
    chosen = actions.taken(index)
    legal = actions.allows(index)
    token = "text" if chosen else "muted"
    labels = []
    if index < len(actions.keys):
        labels.append(Label(_part(area, area.left(), widths.keys), actions.keys[index], token="accent"))
    room, icon = left - widths.keys, None
    if chosen and actions.actor:
        side = min(ICON, area.height())
        icon = QRect(area.left() + left - side, area.center().y() - side // 2 + 1, side, side)
        room -= side + 2
    name = letters.shortened(actions.names[index], room)
    labels.append(Label(_part(area, area.left() + widths.keys, room), name, token=token))
    value = _part(area, area.right() - widths.values + 1, widths.values)
    labels.append(Label(value, actions.texts[index], "right", token))
    thick = min(12.0, area.height() - 4.0)
    ground = QRectF(area.left() + left + 8, area.center().y() + 0.5 - thick / 2, 0, thick)
    ground.setRight(area.right() - widths.values - 8)
    a, b = sorted((bar_share(0.0, actions.limits), bar_share(actions.values[index], actions.limits)))
    bar = QRectF(ground.left() + a * ground.width(), ground.top(), max((b - a) * ground.width(), 1.0), thick)
    return ActionRow(tuple(labels), ground, bar if legal else QRectF(), chosen, icon, legal)


def _part(area: QRect, left: int, width: int) -> QRectF:
    return QRectF(left, area.top(), width, area.height())


def lay_out_upright(actions: ActionValues, size: tuple[int, int], letters: Letters) -> UprightBars:
    """A thin upright bar for each action."""
    width, head = size[0], letters.line + 2
    text = actions.described or "ended"
    if actions.legal:
        text += f" · {sum(actions.legal)} of {len(actions.legal)} actions legal"
    text = letters.shortened(text, width)
    line = Label(QRectF(0, 0, width, head), text, token="warn" if actions.actor == "chance" else "text")
    ground = QRectF(0, head, width, size[1] - head)
    each, zero = ground.width() / len(actions.values), bar_share(0.0, actions.limits)
    bars, illegal = [], []
    for index, value in enumerate(actions.values):
        if not actions.allows(index):
            bars.append(QRectF())
            illegal.append(QRectF(index * each, ground.top(), max(each - 1, 1.0), ground.height()))
            continue
        a, b = sorted((zero, bar_share(value, actions.limits)))
        top = ground.bottom() - b * ground.height()
        bars.append(QRectF(index * each, top, max(each - 1, 1.0), max((b - a) * ground.height(), 1.0)))
    return UprightBars(line, ground, tuple(bars), tuple(filter(actions.taken, range(len(bars)))), tuple(illegal))
