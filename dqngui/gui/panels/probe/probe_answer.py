"""The verdict of a probe: a sentence with numbers, and where in the episode the fact can be read."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dqngui.messages import Probed

MIN_MARGIN = {"accuracy": 0.05, "R²": 0.1}
"""A fact can be read at a step if the lower end of the score's interval is above both the score of guessing and the
shuffled control by this margin."""
MIN_SHARE_YES = 0.9
"""Share of readable steps from which the answer is yes."""

Verdict = Literal["good", "warn", "bad"]


def verdict(answer: Probed) -> tuple[Verdict, str]:
    """Say whether the memory contains the fact: a role (colour) for the label, and a sentence with numbers."""
    t, score = answer.tensors["t"], answer.tensors["score"]
    known = np.flatnonzero(np.isfinite(score))
    if not len(known):
        return "warn", f"{answer.fact} was the same in all episodes, so there is nothing to predict."
    read = readable(answer)[known]
    last = known[-1]
    at_last = f"at step {t[last]:,}: {_score_text(answer, last)}"
    if read.all():
        return "good", f"Yes, {answer.fact} can be read at every step; {at_last}."
    if not read.any():
        return "bad", f"No, {answer.fact} cannot be read; {at_last}."
    first, end = int(read.argmax()), len(read) - int(read[::-1].argmax()) - 1
    if read[first : end + 1].all() and first == 0:
        return "warn", f"Until step {t[known[end]]:,} {answer.fact} can be read, then it is forgotten; {at_last}."
    if read[first : end + 1].all() and end == len(read) - 1:
        return "good", f"From step {t[known[first]]:,} on {answer.fact} can be read; {at_last}."
    part = f"{answer.fact} can be read at {_percent(read.mean())} of the steps; {at_last}."
    return ("good", f"Yes, {part}") if read.mean() >= MIN_SHARE_YES else ("warn", f"In part: {part}")


def readable(answer: Probed) -> np.ndarray:
    """Whether the fact can be read at each step of the answer, bool (n,)."""
    baseline = np.fmax(answer.tensors["control"], answer.chance)
    with np.errstate(invalid="ignore"):
        clear: np.ndarray = answer.tensors["low"] > np.minimum(baseline + MIN_MARGIN[answer.measure], 0.99)
    return clear


def _score_text(answer: Probed, at: int) -> str:
    score, control = (float(answer.tensors[name][at]) for name in ("score", "control"))
    if answer.measure == "accuracy":
        return f"{_percent(score)} right (chance {_percent(answer.chance)}, shuffled {_percent(control)})"
    return f"R²\u00a0{score:.2f} (shuffled\u00a0{control:.2f})".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
