"""What a probe has found, in words."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dqngui.messages import Probed

CLEARLY = {"accuracy": 0.05, "R²": 0.1}
"""A fact can be read where the score's interval lies so far above guessing, and above the shuffled control."""
NEARLY_ALL = 0.9
"""Of the steps."""

Verdict = Literal["good", "warn", "bad"]


def verdict(told: Probed) -> tuple[Verdict, str]:
    """Does it remember? A role for the label, and a sentence with numbers."""
    t, score = told.tensors["t"], told.tensors["score"]
    known = np.flatnonzero(np.isfinite(score))
    if not len(known):
        return "warn", f"{told.fact} was the same in all episodes, so that there was nothing to tell apart."
    read = readable(told)[known]
    last = known[-1]
    at_last = f"at step {t[last]:,}: {_number(told, last)}"
    if read.all():
        return "good", f"Yes, {told.fact} can be read at every step; {at_last}."
    if not read.any():
        return "bad", f"No, {told.fact} cannot be read; {at_last}."
    first, end = int(read.argmax()), len(read) - int(read[::-1].argmax()) - 1
    if read[first : end + 1].all() and first == 0:
        return "warn", f"Until step {t[known[end]]:,}, then {told.fact} is forgotten; {at_last}."
    if read[first : end + 1].all() and end == len(read) - 1:
        return "good", f"From step {t[known[first]]:,} on {told.fact} can be read; {at_last}."
    often = f"{told.fact} can be read at {_percent(read.mean())} of the steps; {at_last}."
    return ("good", f"Yes, {often}") if read.mean() >= NEARLY_ALL else ("warn", f"In part: {often}")


def readable(told: Probed) -> np.ndarray:
    """At which of its steps the fact can be read, bool (n,)."""
    guessed = np.fmax(told.tensors["control"], told.chance)
    with np.errstate(invalid="ignore"):
        clear: np.ndarray = told.tensors["low"] > np.minimum(guessed + CLEARLY[told.measure], 0.99)
    return clear


def _number(told: Probed, at: int) -> str:
    score, control = (float(told.tensors[name][at]) for name in ("score", "control"))
    if told.measure == "accuracy":
        return f"{_percent(score)} right (chance {_percent(told.chance)}, shuffled {_percent(control)})"
    return f"R²\u00a0{score:.2f} (shuffled\u00a0{control:.2f})".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
