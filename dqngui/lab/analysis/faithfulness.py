"""The result of a faithfulness test of a map of weights: its verdict, its numbers and the reason, as texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dqngui.jobs.study.thresholds import MIN_MULTIPLE
from dqngui.lab.analysis.measured_words import return_text, share_text
from dqngui.messages import Faithfulness, MeterVerdict
from dqngui.texts import Text, say

_PLACES = {
    "token": ("place.token", "place.tokens", "place.all_tokens"),
    "cell": ("place.cell", "place.cells", "place.all_cells"),
    "lag": ("place.step", "place.steps", "place.all_steps"),
}  # keys of one place, of some, and of all of them
_SHORT: dict[MeterVerdict, str] = {
    "explains": "map.explains",
    "nothing_at_stake": "map.nothing_at_stake",
    "even": "map.even",
    "not_more_than_random": "map.not_more",
    "hardly_more_than_random": "map.hardly_more",
    "same_return": "map.same_return",
    "not_repeatable": "map.not_repeatable",
}
_WHY: dict[MeterVerdict, str] = {
    "explains": "map.why_explains",
    "nothing_at_stake": "map.why_nothing_at_stake",
    "even": "map.why_even",
    "not_more_than_random": "map.why_not_more",
    "hardly_more_than_random": "map.why_hardly_more",
    "same_return": "map.why_same_return",
    "not_repeatable": "map.why_not_repeatable",
}


def places(axis: str, count: int, cells: bool = False) -> Text:
    """What is removed on a view's last axis: `token`, `2 slots`, `past step`; `cells`: its keys are cells."""
    name = _name(axis, cells)
    if name in _PLACES:
        one, some, _ = _PLACES[name]
        return say(one) if count == 1 else say(some, count=count)
    return say("place.other", axis=name) if count == 1 else say("place.others", count=count, axis=name)


def short_verdict(answer: Faithfulness) -> Text:
    """The verdict in a line."""
    return say(_SHORT[answer.verdict])


def brief_verdict(answer: Faithfulness) -> Text:
    """The verdict in a word or three, for a narrow line."""
    if answer.verdict in ("nothing_at_stake", "not_repeatable"):
        return say("map.brief_no_verdict")
    return say("map.brief_explains" if answer.explains else "map.brief_does_not")


def stake_sentence(answer: Faithfulness) -> Text:
    """At how many steps the choice matters, and what another action would lose there."""
    deciding, steps, episodes = answer.deciding, answer.steps, answer.episodes
    if answer.at_stake is None:
        return say("map.stake", deciding=deciding, steps=steps, episodes=episodes, stake=answer.stake)
    lost = return_text(answer.at_stake)
    return say("map.stake_played", deciding=deciding, steps=steps, episodes=episodes, lost=lost)


def removal_sentence(answer: Faithfulness, axis: str, cells: bool = False) -> Text:
    """What was removed, what changed, and what changed without random places instead."""
    what = places(axis, answer.k, cells)
    of = say("map.of_head", places=what, head=answer.head + 1) if answer.head is not None else what
    without = say("map.without_one", places=of) if answer.k == 1 else say("map.without_some", places=of)
    instead = say("map.random_one") if answer.k == 1 else say("map.random_some", k=answer.k)
    top, random = answer.top, answer.random
    if top.lost is None or random.lost is None:
        return say(
            "map.removed",
            without=without,
            top=share_text(top.undone),
            top_actions=100 * top.changed_actions,
            instead=instead,
            random=share_text(random.undone),
            random_actions=100 * random.changed_actions,
        )
    return say(
        "map.removed_played",
        without=without,
        top=share_text(top.undone),
        top_actions=100 * top.changed_actions,
        top_return=return_text(top.lost),
        instead=instead,
        random=share_text(random.undone),
        random_actions=100 * random.changed_actions,
        random_return=return_text(random.lost),
    )


def reason(answer: Faithfulness, axis: str, cells: bool = False) -> Text:
    """Why the verdict is what it is."""
    name = _name(axis, cells)
    every = say(_PLACES[name][2]) if name in _PLACES else say("place.all_others", axis=name)
    return say(_WHY[answer.verdict], places=every, multiple=answer.multiple, needed=MIN_MULTIPLE)


def explanation(answer: Faithfulness, axis: str, cells: bool = False) -> Text:
    """The verdict, what was removed, what changed, against random, and why the verdict."""
    return say(
        "map.explanation",
        verdict=short_verdict(answer),
        stake=stake_sentence(answer),
        removal=removal_sentence(answer, axis, cells),
        reason=reason(answer, axis, cells),
    )


@dataclass(frozen=True, slots=True, eq=False)
class EffectOverSteps:
    """Stake and effects by step of the episode, (T,) each from step 0, in the unit of the action values' spread; NaN
    where nothing was measured.
    """

    stake: npt.NDArray[np.float32]
    top: npt.NDArray[np.float32]
    random: npt.NDArray[np.float32]

    @classmethod
    def of(cls, answer: Faithfulness) -> EffectOverSteps:
        """The curves of an answer."""
        t = np.asarray(answer.tensors.get("t", np.empty(0)), np.int64)
        length = int(t.max()) + 1 if len(t) else 0

        def dense(name: str) -> npt.NDArray[np.float32]:
            values = np.full(length, np.nan, np.float32)
            if length:
                values[t] = answer.tensors[name]
            return values

        return cls(dense("stake"), dense("top"), dense("random"))

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and highest value of all curves, and zero."""
        known = np.concatenate([self.stake, self.top, self.random])
        known = known[np.isfinite(known)]
        return min(0.0, float(known.min(initial=0.0))), max(0.01, float(known.max(initial=0.0)))


def _name(axis: str, cells: bool) -> str:
    """The axis, and for keys whether they are tokens or cells."""
    if axis == "key":
        return "cell" if cells else "token"
    return axis
