"""One number for a run: how good it was, out of its greedy evaluations. NaN where the run never had one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dqngui.comparison.results import RunResult
from dqngui.config import ConfigError
from dqngui.messages.measures import is_name

STEPS_TO = "steps-to:"
MMER = "mmer"
MMER_EPISODES = 100
"""Training episodes in a mean of `mmer`."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score by name.

    Attributes:
        name: `best`, `final`, `area`, `mmer` or `steps-to:R`.
        of: the score of a run; NaN where it has none.
        measure: what is scored: a measure that the task names; empty for the return.
        larger_is_better: False for steps, and for a measure of which less is better.
        missing_is_worst: a run that was evaluated and has no score is worse than all that have one.
    """

    name: str
    of: Callable[[RunResult], float]
    measure: str = ""
    larger_is_better: bool = True
    missing_is_worst: bool = False

    def __call__(self, result: RunResult) -> float:
        return self.of(result)

    @property
    def title(self) -> str:
        """Name and measure, for the head of a column."""
        return f"{self.name} {self.measure}".rstrip()


def best(result: RunResult, measure: str = "") -> float:
    """Mean of the best checkpoint, over the episodes that did not choose it (`Evaluated.score`)."""
    found = result.evaluations
    chosen = (found.means_of(measure) if measure else found.score)[found.best]
    return float(chosen[-1]) if len(chosen) else math.nan


def final(result: RunResult, measure: str = "") -> float:
    """Mean of the last evaluation of the learning curve."""
    _, means = result.evaluations.of_role(measure=measure)
    return float(means[-1]) if len(means) else math.nan


def area(result: RunResult, measure: str = "") -> float:
    """Area under the learning curve divided by its steps: the mean over the training, in units of returns.

    By the trapezoidal rule, from the first evaluation to the last; of one evaluation, its mean.
    """
    steps, means = result.evaluations.of_role(measure=measure)
    if len(steps) < 2 or steps[-1] <= steps[0]:
        return float(means[-1]) if len(means) else math.nan
    return float(np.trapezoid(means, steps) / (steps[-1] - steps[0]))


def mmer(result: RunResult) -> float:
    """Maximum mean episodic reward: the largest mean return of consecutive training episodes.

    So POPGym states results (Morad et al. 2023, arXiv:2303.01859), with a mean over the episodes of each of PPO's
    batches. Here it is over MMER_EPISODES episodes, which include exploration; of fewer, it is the mean of all.
    The largest of many means flatters, so it compares only with other MMERs.
    """
    returns = result.episodes.ret
    if not len(returns) or not np.isfinite(returns).all():
        return math.nan
    window = min(MMER_EPISODES, len(returns))
    sums = np.cumsum(np.append(0.0, returns))
    return float((sums[window:] - sums[:-window]).max() / window)


def steps_to(result: RunResult, threshold: float, measure: str = "", lower: bool = False) -> float:
    """Environment steps of the first evaluation whose mean is at least `threshold`; with `lower`, at most."""
    steps, means = result.evaluations.of_role(measure=measure)
    reached = np.flatnonzero(means <= threshold if lower else means >= threshold)
    return float(steps[reached[0]]) if len(reached) else math.nan


_PLAIN = {"best": best, "final": final, "area": area}
SCORE_NAMES = (*_PLAIN, MMER, f"{STEPS_TO}R")


def measures_of(results: Iterable[RunResult]) -> list[str]:
    """The measures that any of these runs has, in their order."""
    return list(dict.fromkeys(name for result in results for name in result.evaluations.named))


def check_measure(score: Score, results: Sequence[RunResult]) -> None:
    """Raises ConfigError if a score is of a measure that none of these runs has."""
    known = measures_of(results)
    if score.measure and not known:
        raise ConfigError("compare.no_measures", name=score.measure)
    if score.measure and score.measure not in known:
        raise ConfigError("compare.not_measured", name=score.measure, known=known)


def score_named(name: str, measure: str = "", lower: bool = False) -> Score:
    """The score with this name: `best`, `final`, `area`, `mmer`, or `steps-to:R` with a return R.

    Args:
        measure: score this measure and not the return.
        lower: less of the measure is better, as of collisions.

    Raises ConfigError.
    """
    if measure and not is_name(measure):
        raise ConfigError("compare.no_measure", name=measure)
    if name in _PLAIN:
        of = _PLAIN[name]
        return Score(name, lambda result: of(result, measure), measure, larger_is_better=not lower)
    if name == MMER:
        if measure:
            raise ConfigError("compare.mmer_measure")
        return Score(name, mmer)
    if name.startswith(STEPS_TO):
        try:
            threshold = float(name.removeprefix(STEPS_TO))
        except ValueError:
            threshold = math.nan
        if math.isfinite(threshold):
            return Score(
                name,
                lambda result: steps_to(result, threshold, measure, lower),
                measure,
                larger_is_better=False,
                missing_is_worst=True,
            )
    raise ConfigError("compare.no_score", name=name, known=list(SCORE_NAMES))
