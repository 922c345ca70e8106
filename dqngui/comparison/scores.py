"""One number for a run: how good it was, out of its greedy evaluations. NaN where the run never had one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dqngui.comparison.results import RunResult
from dqngui.config import ConfigError

STEPS_TO = "steps-to:"


@dataclass(frozen=True, slots=True)
class Score:
    """A score by name.

    Attributes:
        name: `best`, `final`, `area`, or `steps-to:R`.
        of: the score of a run; NaN where it has none.
        larger_is_better: False for steps.
        missing_is_worst: a run that was evaluated and has no score is worse than all that have one.
    """

    name: str
    of: Callable[[RunResult], float]
    larger_is_better: bool = True
    missing_is_worst: bool = False

    def __call__(self, result: RunResult) -> float:
        return self.of(result)


def best(result: RunResult) -> float:
    """Mean return of the best checkpoint, over the episodes that did not choose it (`Evaluated.score`)."""
    chosen = result.evaluations.score[result.evaluations.best]
    return float(chosen[-1]) if len(chosen) else math.nan


def final(result: RunResult) -> float:
    """Mean return of the last evaluation of the learning curve."""
    _, means = result.evaluations.of_role()
    return float(means[-1]) if len(means) else math.nan


def area(result: RunResult) -> float:
    """Area under the learning curve divided by its steps: the mean return over the training, in units of returns.

    By the trapezoidal rule, from the first evaluation to the last; of one evaluation, its mean.
    """
    steps, means = result.evaluations.of_role()
    if len(steps) < 2 or steps[-1] <= steps[0]:
        return float(means[-1]) if len(means) else math.nan
    return float(np.trapezoid(means, steps) / (steps[-1] - steps[0]))


def steps_to(result: RunResult, threshold: float) -> float:
    """Environment steps of the first evaluation whose mean return is at least `threshold`."""
    steps, means = result.evaluations.of_role()
    reached = np.flatnonzero(means >= threshold)
    return float(steps[reached[0]]) if len(reached) else math.nan


_PLAIN = {"best": best, "final": final, "area": area}
SCORE_NAMES = (*_PLAIN, f"{STEPS_TO}R")


def score_named(name: str) -> Score:
    """The score with this name: `best`, `final`, `area`, or `steps-to:R` with a return R. Raises ConfigError."""
    if name in _PLAIN:
        return Score(name, _PLAIN[name])
    if name.startswith(STEPS_TO):
        try:
            threshold = float(name.removeprefix(STEPS_TO))
        except ValueError:
            threshold = math.nan
        if math.isfinite(threshold):
            return Score(
                name, lambda result: steps_to(result, threshold), larger_is_better=False, missing_is_worst=True
            )
    raise ConfigError("compare.no_score", name=name, known=list(SCORE_NAMES))
