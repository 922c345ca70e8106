"""The verdict of a probe: a sentence with numbers, and where in the episode the fact can be read."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dqngui.messages import Probed
from dqngui.texts import Text, say

MIN_MARGIN = {"accuracy": 0.05, "R²": 0.1}
"""A fact can be read at a step if the lower end of the score's interval is above both the score of guessing and the
shuffled control by this margin."""
MIN_SHARE_YES = 0.9
"""Share of readable steps from which the answer is yes."""

Verdict = Literal["good", "warn", "bad"]


def verdict(answer: Probed) -> tuple[Verdict, Text]:
    """Say whether the memory contains the fact: a role (colour), and a sentence with numbers."""
    t, score = answer.tensors["t"], answer.tensors["score"]
    known = np.flatnonzero(np.isfinite(score))
    if not len(known):
        return "warn", say("probe.constant", fact=answer.fact)
    read, fact = readable(answer)[known], answer.fact
    at_last = _score_at(answer, known[-1])
    if read.all():
        return "good", say("probe.always", fact=fact, at_last=at_last)
    if not read.any():
        return "bad", say("probe.never", fact=fact, at_last=at_last)
    first, end = int(read.argmax()), len(read) - int(read[::-1].argmax()) - 1
    if read[first : end + 1].all() and first == 0:
        return "warn", say("probe.forgotten", step=t[known[end]], fact=fact, at_last=at_last)
    if read[first : end + 1].all() and end == len(read) - 1:
        return "good", say("probe.learned", step=t[known[first]], fact=fact, at_last=at_last)
    share = 100 * read.mean()
    if read.mean() >= MIN_SHARE_YES:
        return "good", say("probe.mostly", fact=fact, share=share, at_last=at_last)
    return "warn", say("probe.in_part", fact=fact, share=share, at_last=at_last)


def readable(answer: Probed) -> np.ndarray:
    """Whether the fact can be read at each step of the answer, bool (n,)."""
    baseline = np.fmax(answer.tensors["control"], answer.chance)
    with np.errstate(invalid="ignore"):
        clear: np.ndarray = answer.tensors["low"] > np.minimum(baseline + MIN_MARGIN[answer.measure], 0.99)
    return clear


def _score_at(answer: Probed, at: int) -> Text:
    """The score of one step, with the scores that it is compared with."""
    step = answer.tensors["t"][at]
    score, control = (float(answer.tensors[name][at]) for name in ("score", "control"))
    if answer.measure == "accuracy":
        percent, chance, shuffled = 100 * score, 100 * answer.chance, 100 * control
        return say("probe.accuracy", step=step, score=percent, chance=chance, control=shuffled)
    return say("probe.r2", step=step, score=_number(score), control=_number(control))


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
