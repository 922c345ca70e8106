"""The result of a faithfulness test of a map of weights: its verdict, and its numbers as texts."""

from __future__ import annotations

from typing import Literal

from dqngui.jobs.study.thresholds import MIN_DIFFERENCE
from dqngui.messages import Faithfulness
from dqngui.texts import Text, say

Measure = Literal["changed_actions", "change"]
"""What a removal is measured by: the share of actions that change (`changed_actions`), or the change of the values."""
MIN_ACTION_EFFECT = 0.02
"""The verdict is about actions if the shares of changed actions differ by at least this; else about values."""

_PLACES = {
    "token": ("place.token", "place.tokens", "place.all_tokens"),
    "cell": ("place.cell", "place.cells", "place.all_cells"),
    "lag": ("place.step", "place.steps", "place.all_steps"),
}  # keys of one place, of some, and of all of them


def places(axis: str, count: int, cells: bool = False) -> Text:
    """What is removed on a view's last axis: `token`, `2 slots`, `past step`; `cells`: its keys are cells."""
    name = _name(axis, cells)
    if name in _PLACES:
        one, some, _ = _PLACES[name]
        return say(one) if count == 1 else say(some, count=count)
    return say("place.other", axis=name) if count == 1 else say("place.others", count=count, axis=name)


def measure_of(answer: Faithfulness) -> Measure:
    """The measure that shows the larger effect: how many actions change, or how far the values move."""
    return (
        "changed_actions"
        if abs(answer.top.changed_actions - answer.random.changed_actions) >= MIN_ACTION_EFFECT
        else "change"
    )


def value_text(value: float, measure: Measure) -> Text:
    """A share in percent, or a change in units of the values' spread."""
    if measure == "changed_actions":
        return say("effect.share", percent=100 * value)
    return say("effect.spread", value=value)


def interval_text(value: float, interval: tuple[float, float], measure: Measure) -> Text:
    """`61 % [55, 66]`, `0.80 [0.71, 0.92]`."""
    low, high = interval
    if measure == "changed_actions":
        return say("effect.share_in", percent=100 * value, low=100 * low, high=100 * high)
    return say("effect.spread_in", value=value, low=low, high=high)


def numbers(answer: Faithfulness, axis: str, cells: bool = False) -> Text:
    """`Removing the token with the largest weight changes 61 % of actions [55, 66], a random one 4 % [2, 6]`."""
    measure, what, k = measure_of(answer), places(axis, answer.k, cells), answer.k
    top, other = answer.top, answer.random
    if measure == "changed_actions":
        random = interval_text(other.changed_actions, other.changed_actions_interval, measure)
        share, (low, high) = 100 * top.changed_actions, (100 * each for each in top.changed_actions_interval)
        if k == 1:
            return say("effect.one_changes_actions", places=what, share=share, low=low, high=high, random=random)
        return say("effect.changes_actions", places=what, share=share, low=low, high=high, k=k, random=random)
    moved = interval_text(top.change, top.change_interval, measure)
    random = interval_text(other.change, other.change_interval, measure)
    if k == 1:
        return say("effect.one_moves", places=what, top=moved, random=random)
    return say("effect.moves", places=what, top=moved, k=k, random=random)


def verdict(answer: Faithfulness, axis: str, cells: bool = False) -> Text:
    """The verdict: whether the map explains the agent, with the reason."""
    if answer.explains:
        return say("map.explains")
    if answer.difference_interval[0] <= 0:
        return say("map.no_more")
    if answer.difference < MIN_DIFFERENCE:
        return say("map.hardly_more")
    name = _name(axis, cells)
    return say("map.even", places=say(_PLACES[name][2]) if name in _PLACES else say("place.all_others", axis=name))


def short_verdict(answer: Faithfulness) -> Text:
    """The short verdict."""
    measure = measure_of(answer)
    top, random = (value_text(getattr(each, measure), measure) for each in (answer.top, answer.random))
    if measure == "changed_actions":
        key = "map.explains_by_actions" if answer.explains else "map.does_not_by_actions"
    else:
        key = "map.explains_moved" if answer.explains else "map.does_not_moved"
    return say(key, top=top, random=random)


def _name(axis: str, cells: bool) -> str:
    """The axis, and for keys whether they are tokens or cells."""
    if axis == "key":
        return "cell" if cells else "token"
    return axis
