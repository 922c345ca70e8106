"""The named arrangements of cards for each window size, and the switch that chooses one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from dqngui.gui.docking.tiles import Part, cards, column, row
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_tip


class Arrangement(NamedTuple):
    text: str
    keys: str
    tip: str
    icon: str


ARRANGEMENTS = {
    "train": Arrangement("Train", "Ctrl+1", "Experiment, knobs and curves, with the agent next to them", "chart-line"),
    "watch": Arrangement("Watch", "Ctrl+2", "The agent in large, with its attention and memory", "eye-outline"),
    "inspect": Arrangement(
        "Inspect",
        "Ctrl+3",
        "One episode in every card: What if, Probe and Memory next to the return curve",
        "magnify-scan",
    ),
    "compare": Arrangement(
        "Compare", "Ctrl+4", "Runs in groups: curves over seeds, final figures and settings", "chart-multiple"
    ),
}
STUDY_CARDS = ("whatif", "probe", "over_training")
"""Cards that study an agent; hidden in tabs behind the Memory card, except in Inspect."""
BEHIND = (*STUDY_CARDS, "compare")
"""Cards that are hidden behind others while a run trains or plays."""
LISTS = ("runs", "queue")
"""Cards that list runs, in tabs of one place where there is little room."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One layout of an arrangement; `smallest`: the smallest window size for it, in pixels."""

    part: Part
    hidden: frozenset[str] = frozenset()
    smallest: tuple[int, int] = (0, 0)

    def takes(self, size: QSize) -> bool:
        return size.width() >= self.smallest[0] and size.height() >= self.smallest[1]


class Sides:
    """Widths of the outer columns: those set by the user, or a share of the window."""

    def __init__(self, width: int, own: Mapping[str, int]) -> None:
        self._room = width
        self.left = min(own.get("experiment", min(max(330, width // 6), 420)), max(330, width * 3 // 10))
        self.right = min(own.get("agent", min(max(300, width * 22 // 100), 600)), max(300, width * 4 // 10))


def plans(name: str, sides: Sides) -> Iterator[Plan]:
    """The layouts of an arrangement, largest first; the last one fits the smallest window."""
    ways: dict[str, Callable[[], Iterator[Plan]]] = {
        "train": partial(_train, sides),
        "watch": _watch,
        "inspect": _inspect,
        "compare": _compare,
    }
    yield from ways[name]()


def _train(sides: Sides) -> Iterator[Plan]:
    hidden = frozenset(BEHIND)
    experiment, knobs = cards("experiment", asks=True), cards("knobs", asks=True)
    left = column(experiment, knobs, pixels=sides.left)
    inner = row(cards("attention"), cards("memory", *BEHIND), weight=1.2)
    curves = row(cards("learning"), cards("exploration"))
    tall = column(experiment, knobs, cards("log"), pixels=sides.left)
    large = column(cards("agent", weight=2.4), cards("runs"), cards("queue"), pixels=sides.right)
    middle = column(cards("return", weight=1.7), curves, inner)
    yield Plan(row(tall, middle, large), hidden, smallest=(1800, 1250))
    yield Plan(
        row(
            left,
            middle,
            column(cards("agent", weight=2.6), cards(*LISTS), cards("log"), pixels=sides.right),
        ),
        hidden,
        smallest=(1440, 880),
    )
    below = column(cards("agent", weight=2.2), cards(*LISTS, "log"), pixels=sides.right)
    pairs = row(cards("learning", "exploration"), cards("attention", "memory", *BEHIND))
    yield Plan(row(left, column(cards("return", weight=1.15), pairs), below), hidden, smallest=(1180, 700))
    one = cards("learning", "exploration", "attention", "memory", *BEHIND)
    plots = column(cards("return"), one)
    yield Plan(row(left, plots, below), hidden)
    narrow = column(cards("experiment", "knobs"), pixels=min(sides.left, 310))
    yield Plan(row(narrow, plots, below), hidden)
    yield Plan(row(narrow, plots, column(cards("agent", *LISTS, "log"), pixels=min(sides.right, 310))), hidden)
    yield Plan(
        row(narrow, column(cards("return", "learning", "exploration", "log"), cards("agent", *one.names[2:], *LISTS))),
        hidden,
    )


def _out_of_sight() -> Part:
    """The place of form and knobs if the user shows them in an arrangement that hides them."""
    return column(cards("experiment", asks=True), cards("knobs", asks=True), pixels=330)


def _watch() -> Iterator[Plan]:
    hidden = frozenset({"experiment", "knobs", "learning", "exploration", "log", *BEHIND})
    left, inside = _out_of_sight(), column(cards("attention"), cards("memory", *BEHIND))
    agent = column(cards("agent", weight=2.6), row(cards("return", "learning", "exploration"), cards(*LISTS, "log")))
    yield Plan(row(left, agent, inside), hidden=hidden, smallest=(1180, 700))
    yield Plan(
        row(
            left,
            column(cards("agent", weight=1.6), cards("return", "learning", "exploration", *LISTS, "log")),
            inside,
        ),
        hidden=hidden,
    )
    rest = cards("attention", "memory", *BEHIND, "return", "learning", "exploration", *LISTS, "log")
    yield Plan(row(left, column(cards("agent")), column(rest)), hidden=hidden)


def _inspect() -> Iterator[Plan]:
    hidden = frozenset({"experiment", "knobs", "compare"})
    left, inside = _out_of_sight(), column(cards("attention"), cards("memory"), weight=1.05)
    lists, curves = (*LISTS, "log", "compare"), ("learning", "exploration")
    strip = row(cards("return", weight=2.1), cards(*lists, *curves), weight=0.75)
    apart = column(cards("whatif", weight=1.6), cards("probe", "over_training"), weight=1.15)
    tabs = cards(*STUDY_CARDS, weight=1.15)
    wide = row(cards("return", weight=2), cards(*curves), cards(*lists), weight=0.6)
    yield Plan(row(left, column(wide, row(cards("agent"), inside, apart, weight=3))), hidden, smallest=(1800, 1250))
    yield Plan(row(left, column(strip, row(cards("agent"), inside, tabs, weight=3))), hidden, smallest=(1440, 880))
    above = column(cards("return", *lists, *curves, weight=0.8), cards("agent", weight=2))
    yield Plan(row(left, above, inside, tabs), hidden, smallest=(1180, 700))
    yield Plan(row(left, above, cards(*STUDY_CARDS, "attention", "memory")), hidden)
    yield Plan(row(left, cards("agent", "return", *lists, *curves), cards(*STUDY_CARDS, "attention", "memory")), hidden)


def _compare() -> Iterator[Plan]:
    agent = ("agent", "attention", "memory", *STUDY_CARDS)
    hidden = frozenset({"experiment", "knobs", *agent})
    left, curves = _out_of_sight(), ("return", "learning", "exploration", "log")
    listed = column(cards(*LISTS, weight=1.5), cards(*curves), weight=0.62)
    yield Plan(row(left, listed, cards("compare", *agent)), hidden, smallest=(1180, 700))
    yield Plan(row(left, column(cards(*LISTS, *curves, weight=0.6), cards("compare", *agent))), hidden)


class ArrangementSwitch(QWidget):
    """Buttons that choose the arrangement; the present one is pressed.

    Signals:
        chosen(str): a key of `ARRANGEMENTS`.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 8, 0)
        line.setSpacing(2)
        group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        for name, (text, keys, tip, _) in ARRANGEMENTS.items():
            button = QPushButton(text)
            button.setCheckable(True)
            button.setFixedHeight(30)
            button.setToolTip(plain_tip(f"{tip} ({keys})"))
            button.setAccessibleName(f"Arrangement {text}")
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            themes.set_role(button, "flat")
            group.addButton(button)
            line.addWidget(button)
            self.buttons[name] = button

    def show_chosen(self, name: str) -> None:
        self.buttons[name].setChecked(True)
