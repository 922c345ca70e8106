"""The verdict of a probe: whether the memory holds the fact, whether the agent uses it, and why, with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dqngui.jobs.study.thresholds import MIN_MARGIN, MIN_MOVED
from dqngui.messages import Held, Moved, Probed
from dqngui.texts import Text, say

HeldWord = Literal["held", "no better", "not held", "unknown"]
UsedWord = Literal["used", "not used", "unknown"]
Ends = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ProbeVerdict:
    """What a probe's answer says.

    Attributes:
        held: `no better`: it can be read, but no better than from untrained networks.
        used: whether the actions follow when the memory is moved to another value.
        role: colour of the headline.
        headline: the verdict in a few words.
        reasons: a sentence with numbers for each of the two.
    """

    held: HeldWord
    used: UsedWord
    role: Literal["good", "warn", "bad"]
    headline: Text
    reasons: tuple[Text, ...]


def verdict(answer: Probed) -> ProbeVerdict:
    """The verdict of an answer."""
    if answer.held is None:
        key = "probe.shown" if answer.not_moved == "shown" else "probe.constant"
        return ProbeVerdict("unknown", "unknown", "warn", say("probe.nothing"), (say(key, fact=answer.fact),))
    held, used = held_word(answer), used_word(answer)
    both = held == "held" and used == "used"
    role: Literal["good", "warn", "bad"] = "good" if both else "warn" if held == "held" else "bad"
    headline = say(_HEADLINES[held, used] if held == "held" else _HELD_ONLY[held])
    return ProbeVerdict(held, used, role, headline, (_why_held(answer, answer.held, held), _why_used(answer, used)))


def held_word(answer: Probed) -> HeldWord:
    """Whether the memory holds the fact."""
    held, margin = answer.held, MIN_MARGIN[answer.measure]
    if held is None or held.base_interval is None or held.difference_interval is None:
        return "unknown"
    baseline = max(held.chance, held.observation, held.base_control)
    if held.base_interval[0] <= min(baseline + margin, 0.97):
        return "not held"
    return "held" if held.difference_interval[0] > 0 and held.difference >= margin else "no better"


def used_word(answer: Probed) -> UsedWord:
    """Whether the agent uses the fact."""
    moved = answer.moved
    if moved is None:
        return "not used" if answer.not_moved == "stake" else "unknown"
    if moved.random_interval is None or moved.untrained_interval is None:
        return "unknown"
    clear = moved.random_interval[0] > 0 and moved.untrained_interval[0] > 0
    return "used" if clear and moved.effect - max(moved.random, moved.untrained) >= MIN_MOVED else "not used"


_HEADLINES = {
    ("held", "used"): "probe.held_used",
    ("held", "not used"): "probe.held_not_used",
    ("held", "unknown"): "probe.held_untested",
}
_HELD_ONLY = {"no better": "probe.no_better", "not held": "probe.not_held_at_all", "unknown": "probe.unknown"}
_WHY_HELD = {"held": "probe.why_held", "no better": "probe.why_no_better", "not held": "probe.why_not_held"}


def _why_held(answer: Probed, held: Held, word: HeldWord) -> Text:
    if word == "unknown":
        return say("probe.too_few", fact=answer.fact, episodes=held.episodes)
    accuracy = answer.measure == "accuracy"
    where = say("probe.at_choices" if held.decisive else "probe.at_all")
    base = word == "not held"
    score, ends = (held.base_score, held.base_interval) if base else (held.score, held.score_interval)
    return say(
        _WHY_HELD[word],
        fact=answer.fact,
        where=where,
        score=_number(score, accuracy, ends),
        untrained=_number(held.base_untrained if base else held.untrained, accuracy),
        difference=_number(held.difference, accuracy, held.difference_interval),
        noise=100 * (0.05 if base else answer.noise),
        observation=_number(held.observation, accuracy),
        control=_number(held.base_control if base else held.control, accuracy),
        chance=_number(held.chance, accuracy),
    )


def _why_used(answer: Probed, word: UsedWord) -> Text:
    moved = answer.moved
    if moved is None:
        keys = {"stake": "probe.no_stake", "shown": "probe.shown", "constant": "probe.cannot_move"}
        return say(keys.get(answer.not_moved, "probe.cannot_move"), fact=answer.fact)
    return _moved_text(moved, "probe.why_used" if word == "used" else "probe.why_not_used", answer.fact)


def _moved_text(moved: Moved, key: str, fact: str) -> Text:
    return say(
        key,
        fact=fact,
        effect=_number(moved.effect, True, moved.effect_interval),
        random=_number(moved.random, True),
        untrained=_number(moved.untrained, True),
    )


def _number(value: float, percent: bool, ends: Ends = None) -> Text:
    if percent:
        if ends is None:
            return say("effect.share", percent=100 * value)
        return say("effect.share_in", percent=100 * value, low=100 * ends[0], high=100 * ends[1])
    return (
        say("probe.number", value=value)
        if ends is None
        else say("probe.number_in", value=value, low=ends[0], high=ends[1])
    )
