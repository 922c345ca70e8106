"""The score of a trial: the interquartile mean over its seeds of a score of each run, read from the runs' logs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from dqngui.comparison.results import read_result
from dqngui.comparison.scores import STEPS_TO, Score, score_named
from dqngui.config import ConfigError, Experiment
from dqngui.statistics import iqm
from dqngui.sweeps.sweep_file import Objective


def score_of(objective: Objective) -> Score:
    """The score of runs that an objective names."""
    name = objective.score if objective.reach is None else f"{STEPS_TO}{objective.reach!r}"
    return score_named(name, objective.measure, objective.lower)


def maximizes(objective: Objective) -> bool:
    """Whether more is better."""
    return score_of(objective).larger_is_better


def run_score(objective: Objective, folder: Path, until: int | None = None) -> float | None:
    """The score of one run as far as it came, or up to `until` steps; None if it has none, as a run that has not
    reached the return of `steps_to`. Raises ConfigError if it cannot be read.
    """
    score = score_of(objective)(read_result(folder, until))
    return None if math.isnan(score) else score


def trial_score(scores: Sequence[float | None], objective: Objective) -> float:
    """The score of a trial: the interquartile mean over its seeds.

    A seed without a score counts as the worst. It lies in the quarter that is left out, if that is large enough; else
    the trial is infinitely bad.
    """
    upwards = maximizes(objective)
    known = [score for score in scores if score is not None]
    missing = len(scores) - len(known)
    if not known or missing > len(scores) // 4:
        return -math.inf if upwards else math.inf
    return iqm([*known, *[min(known) if upwards else max(known)] * missing])


def check_appears(experiment: Experiment) -> None:
    """Raises ConfigError if a run of this experiment has no evaluations, and so no score."""
    run = experiment.run
    if not run.eval_every or run.eval_every > run.total_steps:
        raise ConfigError("sweep.no_score", every=run.eval_every, total=run.total_steps)
