"""The verdict of a probe: whether the memory holds the fact, whether the agent uses it, and why, with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dqngui.jobs.study.thresholds import BASE_NOISE, MIN_EPISODES, MIN_MARGIN, MIN_MOVED, MIN_PLAYED, PERFECT
from dqngui.lab.analysis.measured_words import score_text, share_text, tidy
from dqngui.messages import Held, Measured, Moved, Probed
from dqngui.texts import Text, say

HeldWord = Literal["held", "no better", "not held", "unknown"]
UsedWord = Literal["used", "not used", "unknown"]
Ends = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ProbeVerdict:
    """What a probe's answer says.

    Attributes:
        held: `no better`: it can be read, but no better than from untrained networks; `unknown`: the episodes do not
            tell.
        used: whether the actions follow when the memory is moved to another value, and return is lost by it.
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
    good, bad = (held, used) == ("held", "used"), held in ("no better", "not held") and used != "used"
    role: Literal["good", "warn", "bad"] = "good" if good else "bad" if bad else "warn"
    headline = say(_HEADLINES[held, used])
    return ProbeVerdict(held, used, role, headline, (_why_held(answer, answer.held, held), _why_used(answer, used)))


def held_word(answer: Probed) -> HeldWord:
    """Whether the memory holds the fact."""
    held = answer.held
    if held is None or held.base_interval is None or held.difference_interval is None:
        return "unknown"
    room = 1 - held.chance
    baseline = max(held.chance, held.observation, held.base_control)
    asked = min(baseline + MIN_MARGIN * room, held.chance + PERFECT * room)
    if held.base_score < asked:
        return "not held"
    if held.base_interval[0] <= asked:
        return "unknown"
    if held.score <= held.untrained_reach or held.difference < MIN_MARGIN * room:
        return "no better"  # what one more untrained network may reach
    return "held" if held.difference_interval[0] > 0 else "unknown"


def used_word(answer: Probed) -> UsedWord:
    """Whether the agent uses the fact."""
    moved = answer.moved
    if moved is None:
        return "unknown"
    if moved.expected == 0:
        return "not used"
    achieves = _compared(moved.achieved, 0.0)
    if achieves != "above":
        return "unknown"
    lost = _compared(moved.lost, MIN_PLAYED * moved.achieved.value)
    follows = _compared(moved.beyond_random, MIN_MOVED) if moved.episodes >= MIN_EPISODES else "unknown"
    if "below" in (lost, follows):
        return "not used"
    return "used" if (lost, follows) == ("above", "above") else "unknown"


def _compared(measured: Measured, least: float) -> Literal["above", "below", "unknown"]:
    """Whether a mean is at least `least`, and clearly above 0; or clearly less than `least`."""
    if measured.interval is None:
        return "unknown"
    low, high = measured.interval
    if low > 0 and measured.value >= least:
        return "above"
    return "below" if high < least else "unknown"


_HEADLINES: dict[tuple[HeldWord, UsedWord], str] = {
    ("held", "used"): "probe.held_used",
    ("held", "not used"): "probe.held_not_used",
    ("held", "unknown"): "probe.held_untested",
    ("no better", "used"): "probe.used_no_better",
    ("no better", "not used"): "probe.no_better",
    ("no better", "unknown"): "probe.no_better",
    ("not held", "used"): "probe.used_not_read",
    ("not held", "not used"): "probe.not_held_at_all",
    ("not held", "unknown"): "probe.not_held_at_all",
    ("unknown", "used"): "probe.used_unknown",
    ("unknown", "not used"): "probe.unknown_not_used",
    ("unknown", "unknown"): "probe.unknown",
}
_WHY_HELD = {"held": "probe.why_held", "no better": "probe.why_no_better", "not held": "probe.why_not_held"}


def _why_held(answer: Probed, held: Held, word: HeldWord) -> Text:
    if held.base_interval is None or held.difference_interval is None:
        return say("probe.too_few", fact=answer.fact, episodes=held.episodes)
    accuracy = answer.measure == "accuracy"
    base = word == "not held" or held.base_interval[0] <= max(held.chance, held.observation, held.base_control)
    score, ends = (held.base_score, held.base_interval) if base else (held.score, held.score_interval)
    return say(
        _WHY_HELD.get(word, "probe.why_unknown_base" if base else "probe.why_unknown"),
        fact=answer.fact,
        where=say("probe.at_choices" if held.decisive else "probe.at_all"),
        score=_number(score, accuracy, ends),
        untrained=_number(held.base_untrained if base else held.untrained, accuracy),
        reach=_number(held.untrained_reach, accuracy),
        difference=_points(held.difference, accuracy, held.difference_interval),
        noise=100 * (BASE_NOISE if base else answer.noise),
        observation=_number(held.observation, accuracy),
        control=_number(held.base_control if base else held.control, accuracy),
        chance=_number(held.chance, accuracy),
    )


def _why_used(answer: Probed, word: UsedWord) -> Text:
    moved = answer.moved
    if moved is None:
        return say("probe.shown" if answer.not_moved == "shown" else "probe.cannot_move", fact=answer.fact)
    if moved.expected == 0:
        return say("probe.same_action", fact=answer.fact, steps=moved.steps)
    if _compared(moved.achieved, 0.0) != "above":
        return say("probe.achieves_nothing", own=_return(moved.own_return), chance=_return(moved.chance_return))
    return _moved_text(answer.fact, moved, word)


def _moved_text(fact: str, moved: Moved, word: UsedWord) -> Text:
    return say(
        {"used": "probe.why_used", "not used": "probe.why_not_used", "unknown": "probe.why_use_unknown"}[word],
        fact=fact,
        effect=share_text(moved.effect),
        expected=moved.expected,
        where=say("probe.steps_of_choice" if moved.at_choices else "probe.steps_of_all"),
        random=share_text(Measured(moved.random)),
        own=_return(moved.own_return),
        moved=_return(moved.moved_return),
        random_return=_return(moved.random_return),
        lost=_return(moved.lost.value),
    )


def _number(value: float, accuracy: bool, ends: Ends = None) -> Text:
    measured = Measured(value, ends)
    return share_text(measured) if accuracy else score_text(measured)


def _points(value: float, accuracy: bool, ends: Ends) -> Text:
    """A difference of scores; of shares in percentage points."""
    number = _number(value, accuracy, ends)
    return say("probe.points", number=number) if accuracy else number


def _return(value: float) -> Text:
    return say("probe.return", value=tidy(value, 6))
