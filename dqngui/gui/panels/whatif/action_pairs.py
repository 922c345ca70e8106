"""A model of the action values of two episodes at one step, and its layout. It needs no widget and no screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from dqngui.gui.charts.layout.axis import value_text
from dqngui.gui.charts.layout.text import Label, Letters
from dqngui.gui.charts.value_ranges import bar_range, bar_share
from dqngui.lab.playback.episode import PlayedEpisode

PAIR = 26  # pixels of an action's two bars


@dataclass(frozen=True, slots=True)
class ActionPair:
    """One action: its value in both episodes (None: not known, or not legal), in which of them it was taken, and in
    which it is not legal.
    """

    name: str
    values: tuple[float | None, float | None]
    taken: tuple[bool, bool]
    illegal: tuple[bool, bool] = (False, False)

    @property
    def texts(self) -> tuple[str, str, str]:
        """Both values, and their difference; empty where there is none."""
        one, other = self.values
        texts = [
            "not legal" if illegal else "–" if value is None else value_text(value)
            for value, illegal in zip(self.values, self.illegal, strict=True)
        ]
        if one is None or other is None or other - one == 0:
            return texts[0], texts[1], ""
        return texts[0], texts[1], f"Δ {_signed(other - one)}"


@dataclass(frozen=True, slots=True)
class ActionPairs:
    """All actions, and the values at both ends of the bars."""

    pairs: tuple[ActionPair, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def described(self) -> str:
        """All values in words."""
        return " · ".join(" ".join((pair.name, *pair.texts)) for pair in self.pairs)

    def chosen_for(self, rows: int) -> tuple[ActionPair, ...]:
        """The most important actions for `rows` rows: those taken, then those whose values differ most."""
        if len(self.pairs) <= rows:
            return self.pairs
        every = range(len(self.pairs))
        order = sorted(every, key=lambda index: (not any(self.pairs[index].taken), -_apart(self.pairs[index])))
        return tuple(self.pairs[index] for index in sorted(order[:rows]))


def pairs_at(one: PlayedEpisode, other: PlayedEpisode | None, t: int, limits: tuple[float, float]) -> ActionPairs:
    """The values of step t; after an episode's end those of its last step; None for a step not played yet."""
    count = one.q.shape[1]
    known = one.option_names
    names = list(known) if len(known) == count else one.labels("action", count)
    sides: list[npt.NDArray[Any] | None] = [None, None]
    taken: list[tuple[int, ...]] = [(), ()]
    legal: list[tuple[bool, ...]] = [(), ()]
    for index, playing in enumerate((one, other)):
        if playing is not None and playing.q.shape[1:] == one.q.shape[1:] and (t < playing.length or playing.ended):
            sides[index] = playing.q[min(t, playing.length - 1)]
            taken[index] = playing.taken(t) if t < playing.length else ()
            legal[index] = playing.legal_at(min(t, playing.length - 1))
    values = [[None] * count if q is None else q.tolist() for q in sides]

    def pair(index: int, name: str) -> ActionPair:
        illegal = tuple(bool(allowed) and not allowed[index] for allowed in legal)
        shown = tuple(None if not_legal else side[index] for side, not_legal in zip(values, illegal, strict=True))
        return ActionPair(name, shown, (index in taken[0], index in taken[1]), illegal)  # type: ignore[arg-type]

    return ActionPairs(tuple(pair(index, name) for index, name in enumerate(names)), limits)


def limits_of(episodes: Sequence[PlayedEpisode], judged: str) -> tuple[float, float]:
    """Ends of the bars for all values of some episodes; probabilities lie between 0 and 1."""
    finite = np.concatenate(
        [playing.legal_q[np.isfinite(playing.legal_q)] for playing in episodes if playing.q.ndim == 2]
    )
    return bar_range(float(finite.min()), float(finite.max())) if finite.size and judged == "value" else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class SideBar:
    """One episode's bar: its whole length, its filled part (None: not known), and a dot where the action was taken."""

    ground: QRectF
    bar: QRectF | None
    dot: QPointF | None


@dataclass(frozen=True, slots=True)
class PairRow:
    """One action: labels (name, difference, both values), and the bars of both episodes."""

    labels: tuple[Label, ...]
    bars: tuple[SideBar, SideBar]


def lay_out(actions: ActionPairs, size: tuple[int, int], letters: Letters) -> tuple[PairRow, ...]:
    """A row for each action, as many as there is room for."""
    shown = actions.chosen_for(max(1, size[1] // PAIR))
    if not shown:
        return ()
    texts = [pair.texts for pair in shown]
    values = max(letters.width(text) for each in texts for text in (*each[:2], "−0.00"))
    deltas = max(letters.width(text) for text in (*(each[2] for each in texts), "Δ −0.00"))
    left = min(max(letters.width(pair.name) for pair in shown) + 4, size[0] * 3 // 10)
    found = []
    for row, (pair, written) in enumerate(zip(shown, texts, strict=True)):
        top = row * PAIR
        right = size[0] - deltas - values - 18  # right end of the bars
        labels = [
            Label(QRectF(0, top, left, PAIR), letters.shortened(pair.name, left), "left", _token(any(pair.taken))),
            Label(QRectF(size[0] - deltas, top, deltas, PAIR), written[2], "right", _token(bool(written[2]))),
        ]
        bars = []
        for side in (0, 1):
            line = top + 1 + side * 12
            labels.append(Label(QRectF(right + 8, line, values, 12), written[side], "right"))
            ground = QRectF(left + 16, line + 2.5, max(right - left - 16, 1), 7)
            dot = QPointF(left + 9, line + 6) if pair.taken[side] else None
            bars.append(SideBar(ground, _bar(actions, ground, pair.values[side]), dot))
        found.append(PairRow(tuple(labels), (bars[0], bars[1])))
    return tuple(found)


def _bar(actions: ActionPairs, ground: QRectF, value: float | None) -> QRectF | None:
    if value is None or not math.isfinite(value):
        return None
    a, b = sorted((bar_share(0.0, actions.limits), bar_share(value, actions.limits)))
    return QRectF(ground.left() + a * ground.width(), ground.top(), max((b - a) * ground.width(), 1.0), ground.height())


def _token(strong: bool) -> str:
    return "text" if strong else "muted"


def _apart(pair: ActionPair) -> float:
    one, other = pair.values
    apart = abs(other - one) if one is not None and other is not None else 0.0
    return 0.0 if math.isnan(apart) else apart


def _signed(value: float) -> str:
    """A number with its sign; a small difference is not written as zero."""
    text = f"{value:+,.2f}" if abs(value) >= 0.005 else f"{value:+.0e}"
    return text.replace("-", "−")
