"""Plans of cards: side by side, one below the other, or in tabs; and how a plan is applied to the docks of a window."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QDockWidget, QMainWindow

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import GAP

TAB_PX = 34  # a row of tabs and the space below it
TAB_EDGES = 28  # of a tab, in addition to its text
Docks = Mapping[str, QDockWidget]
Across, Down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
AREA = Qt.DockWidgetArea.LeftDockWidgetArea


@dataclass(frozen=True, slots=True)
class Cards:
    """One card, or several in tabs of one place; the first is on top.

    Attributes:
        weight: share of the room among its neighbours.
        asks: it gets the height of its size hint if there is room; its neighbours share the rest.
    """

    names: tuple[str, ...]
    weight: float = 1.0
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """Parts side by side (`Across`) or one below the other (`Down`).

    Attributes:
        pixels: desired extent in pixels, instead of a share by weight.
    """

    along: Qt.Orientation
    parts: tuple[Part, ...]
    weight: float = 1.0
    pixels: int | None = None


Part = Cards | Split


def cards(*names: str, weight: float = 1.0, asks: bool = False) -> Cards:
    return Cards(names, weight, asks)


def row(*parts: Part, weight: float = 1.0) -> Split:
    return Split(Across, parts, weight)


def column(*parts: Part, weight: float = 1.0, pixels: int | None = None) -> Split:
    return Split(Down, parts, weight, pixels)


def only(part: Part, names: Collection[str]) -> Part | None:
    """The plan with only these cards; None if none is left."""
    if isinstance(part, Cards):
        kept = tuple(name for name in part.names if name in names)
        return replace(part, names=kept) if kept else None
    parts = tuple(left for each in part.parts if (left := only(each, names)) is not None)
    return replace(part, parts=parts) if parts else None


def leaves(part: Part) -> Iterator[Cards]:
    """The places of a plan, in reading order."""
    if isinstance(part, Cards):
        yield part
    else:
        for each in part.parts:
            yield from leaves(each)


def first(part: Part) -> str:
    return next(leaves(part)).names[0]


def least(part: Part, docks: Docks, along: Qt.Orientation) -> int:
    """The least extent of a plan in pixels."""
    if isinstance(part, Cards):
        inside = max(_least(docks[name], along) for name in part.names)
        if len(part.names) == 1:
            return inside
        tabs = sum(_bold().horizontalAdvance(docks[name].windowTitle()) + TAB_EDGES for name in part.names)
        return max(inside, tabs) if along == Across else inside + TAB_PX
    each = [least(one, docks, along) for one in part.parts]
    return sum(each) + GAP * (len(each) - 1) if along == part.along else max(each)


@cache
def _bold() -> QFontMetrics:
    return QFontMetrics(themes.font(weight=QFont.Weight.DemiBold))


def _least(dock: QDockWidget, along: Qt.Orientation) -> int:
    size = dock.minimumSizeHint().expandedTo(dock.minimumSize())
    return size.width() if along == Across else size.height()


def sizes(part: Part, docks: Docks, width: int, height: int) -> dict[str, tuple[int, int]]:
    """(width, height) of the place of every card, tabs included, in a plan of this size."""
    if isinstance(part, Cards):
        return dict.fromkeys(part.names, (width, height))
    room = (width if part.along == Across else height) - GAP * (len(part.parts) - 1)
    found: dict[str, tuple[int, int]] = {}
    for each, extent in zip(part.parts, _shares(part, docks, room), strict=True):
        found |= sizes(each, docks, *((extent, height) if part.along == Across else (width, extent)))
    return found


def _shares(split: Split, docks: Docks, room: int) -> list[int]:
    lowest = [least(each, docks, split.along) for each in split.parts]
    wished = [_wish(each, docks, low) for each, low in zip(split.parts, lowest, strict=True)]
    fixed = sum(wish for wish in wished if wish is not None)
    rest = room - fixed
    weights = [0.0 if wish is not None else each.weight for each, wish in zip(split.parts, wished, strict=True)]
    if not any(weights):  # all use size hints: the last one gets the rest
        scale = min(1.0, room / fixed) if fixed else 1.0
        shares = [round((wish or 0) * scale) for wish in wished]
        shares[-1] = room - sum(shares[:-1])
        return shares
    short = sum(low for low, wish in zip(lowest, wished, strict=True) if wish is None)
    if rest < short and fixed:  # parts with size hints shrink as far as possible
        spare = [wish - low if wish is not None else 0 for low, wish in zip(lowest, wished, strict=True)]
        give = min(1.0, (short - rest) / sum(spare)) if sum(spare) else 0.0
        wished = [
            wish - round(give * free) if wish is not None else None for wish, free in zip(wished, spare, strict=True)
        ]
        rest = room - sum(wish for wish in wished if wish is not None)
    return _weighed(wished, weights, lowest, rest)


def _wish(part: Part, docks: Docks, lowest: int) -> int | None:
    if isinstance(part, Split):
        return None if part.pixels is None else max(part.pixels, lowest)
    return max(lowest, *(docks[name].sizeHint().height() for name in part.names)) if part.asks else None


def _weighed(wished: list[int | None], weights: list[float], lowest: list[int], rest: int) -> list[int]:
    """Extents by weight, none below the least extent of its part."""
    open_ = {index for index, wish in enumerate(wished) if wish is None}
    shares = [wish or 0 for wish in wished]
    while open_:
        total = sum(weights[index] for index in open_)
        tight = {index for index in open_ if rest * weights[index] / total < lowest[index]}
        for index in tight or open_:
            shares[index] = lowest[index] if tight else round(rest * weights[index] / total)
        if not tight:
            break
        rest -= sum(lowest[index] for index in tight)
        open_ -= tight
    return shares


def place(window: QMainWindow, docks: Docks, part: Part, hidden: Collection[str] = ()) -> None:
    """Dock the plan's cards; hidden ones keep their places."""
    for dock in docks.values():
        window.removeDockWidget(dock)
    start = docks[first(part)]
    window.addDockWidget(AREA, start)
    _split(window, docks, part)
    for leaf in leaves(part):
        for name in leaf.names:
            docks[name].setFloating(False)
            docks[name].setVisible(name not in hidden)
        docks[next((name for name in leaf.names if name not in hidden), leaf.names[0])].raise_()


def _split(window: QMainWindow, docks: Docks, part: Part) -> None:
    if isinstance(part, Cards):
        for before, name in zip(part.names, part.names[1:], strict=False):
            window.tabifyDockWidget(docks[before], docks[name])
        return
    # Split all parts of one level before their inner parts; otherwise inner parts would be split.
    for left, each in zip(part.parts, part.parts[1:], strict=False):
        window.splitDockWidget(docks[first(left)], docks[first(each)], part.along)
    for each in part.parts:
        _split(window, docks, each)


def resize(window: QMainWindow, docks: Docks, part: Part, width: int, height: int) -> None:
    """Resize the docked cards of a plan for this size."""
    wanted = sizes(part, docks, width, height)
    some = [leaf.names[0] for leaf in leaves(part)]
    for along, extents in ((Across, [wanted[name][0] for name in some]), (Down, [wanted[name][1] for name in some])):
        window.resizeDocks([docks[name] for name in some], extents, along)
