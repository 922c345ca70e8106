"""Breakpoints: conditions on which training pauses, so that the user can inspect the state where something went wrong.

They are checked after each vector step, never by the clock: the same schedule of commands gives the same hits in every
host. A condition that stays true hits again only after it was false, or was removed and set anew; setting another one
does not change it. A quantity without a new value (no row of the log, no episode that ended) is not checked.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Literal

from dqngui.config import ConfigError
from dqngui.messages import Breakpoint, BreakpointHit, EpisodeEnded, Evaluated, Event, Learned
from dqngui.statistics import mean_of
from dqngui.texts import ReadableError, Text, say
from dqngui.texts.numbers import exact, measured, minus
from dqngui.texts.reading_numbers import parse as parse_number

EPISODES = 20
"""Number of training episodes in the mean that is called `return`; before that many have ended there is none."""
LEARNED_QUANTITIES = (
    "loss", "td_error", "q_mean", "grad_norm", "epsilon", "policy_loss", "value_error", "entropy", "kl", "clip_share",
    "explained",
)  # fmt: skip
"""Fields of `Learned` that breakpoints can be set on; those of the clock would differ from run to run."""
QUANTITIES = ("return", "evaluation", *LEARNED_QUANTITIES)
"""All quantities that training knows."""

_NAMES = {
    "return": "quantity.return", "evaluation": "quantity.evaluation", "loss": "quantity.loss",
    "td_error": "quantity.td_error", "q_mean": "quantity.q_mean", "grad_norm": "quantity.grad_norm",
    "epsilon": "quantity.epsilon", "policy_loss": "quantity.policy_loss", "value_error": "quantity.value_error",
    "entropy": "quantity.entropy", "kl": "quantity.kl", "clip_share": "quantity.clip_share",
    "explained": "quantity.explained", "attention_entropy": "quantity.attention_entropy",
    "memory_saturation": "quantity.memory_saturation",
}  # fmt: skip
_SIGNS: dict[str, Literal["above", "below"]] = {">": "above", "<": "below"}
_TEXT = re.compile(r"\s*(\w+)\s*(?:([<>])\s*(\S.*?)|(?:is\s+)?nan)\s*", re.IGNORECASE)


def holds(point: Breakpoint, value: float) -> bool:
    """Whether a value meets a breakpoint's condition."""
    if point.is_ == "nan":
        return not math.isfinite(value)
    return value > point.value if point.is_ == "above" else value < point.value


def name_of(quantity: str) -> Text | str:
    """The name of a quantity, as it is shown."""
    key = _NAMES.get(quantity)
    return quantity if key is None else say(key)


def number_text(value: float) -> Text | str:
    """A measured number, in words if it is not finite."""
    if not math.isfinite(value):
        return say("number.nan") if math.isnan(value) else say("number.infinite")
    return measured(value)


def point_text(point: Breakpoint) -> Text:
    """A breakpoint: `loss above 10`, `loss not finite`."""
    quantity, limit = name_of(point.quantity), minus(exact(point.value))
    match point.is_:
        case "above":
            return say("breakpoint.above", quantity=quantity, limit=limit)
        case "below":
            return say("breakpoint.below", quantity=quantity, limit=limit)
    return say("breakpoint.nan", quantity=quantity)


def hit_text(hit: BreakpointHit, *, at_step: bool = True) -> Text:
    """A hit: `loss rose above 10 (12.3) at step 41,200`."""
    point, value = hit.point, number_text(hit.value)
    quantity, limit = name_of(point.quantity), minus(exact(point.value))
    match point.is_:
        case "above":
            text = say("breakpoint.rose", quantity=quantity, limit=limit, value=value)
        case "below":
            text = say("breakpoint.fell", quantity=quantity, limit=limit, value=value)
        case "nan":
            text = say("breakpoint.became", quantity=quantity, value=value)
    return say("breakpoint.hit_at", hit=text, step=hit.step) if at_step else text


def parse(text: str) -> Breakpoint:
    """The breakpoint of `loss > 10`, `return < 50` or `loss nan`. Raises ConfigError."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ConfigError("breakpoint.unreadable", given=text)
    quantity, sign, number = found.groups()
    if quantity not in QUANTITIES:
        raise ConfigError("breakpoint.unknown", known=QUANTITIES, quantity=quantity)
    if sign is None:
        return Breakpoint(quantity, "nan")
    try:
        value = parse_number(number, False)
    except ReadableError as error:
        raise ConfigError("breakpoint.no_number", given=text, problem=error.text) from None
    return Breakpoint(quantity, _SIGNS[sign], value)


class Breakpoints:
    """The breakpoints of one job, with the newest values of the quantities that they watch.

    Args:
        returns: of the last training episodes, if the run continues from a saved state.
    """

    def __init__(self, returns: Iterable[float] = ()) -> None:
        self.points: tuple[Breakpoint, ...] = ()
        self._holding: set[Breakpoint] = set()
        self._returns = deque(returns, EPISODES)
        self._ended = False
        self._values: dict[str, float] = {}

    @property
    def returns(self) -> list[float]:
        """Returns of the last training episodes, for a saved state."""
        return list(self._returns)

    def set(self, points: tuple[Breakpoint, ...]) -> bool:
        """Replace all breakpoints; returns whether that changes anything."""
        points = tuple(dict.fromkeys(points))
        changed = points != self.points
        self.points = points
        self._holding &= set(points)
        return changed

    def note(self, event: Event) -> None:
        """Keep the quantities in an event."""
        match event:
            case EpisodeEnded():
                self._returns.append(event.ret)
                self._ended = True
            case Learned():
                self.note_values(
                    {name: value for name in LEARNED_QUANTITIES if (value := getattr(event, name)) is not None}
                )
            case Evaluated(role="selection"):
                self._values["evaluation"] = event.mean

    def note_values(self, measured: Mapping[str, float]) -> None:
        """Keep quantities by name."""
        self._values.update(measured)

    def hits(self) -> list[tuple[Breakpoint, float]]:
        """The breakpoints whose condition has become true since the last call, each with the value of its quantity."""
        values, self._values = self._values, {}
        ended, self._ended = self._ended, False
        if not self.points:
            return []
        if ended and len(self._returns) == EPISODES:
            values["return"] = mean_of(self._returns)
        found = []
        for point in self.points:
            value = values.get(point.quantity)
            if value is None:
                continue
            if not holds(point, value):
                self._holding.discard(point)
            elif point not in self._holding:
                self._holding.add(point)
                found.append((point, value))
        return found
