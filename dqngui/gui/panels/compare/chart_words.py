"""The words around the charts of a comparison: names of axes and of choices, and what one must know to read a chart."""

from __future__ import annotations

from dqngui.comparison.charts import Chart
from dqngui.comparison.curves import Axis, Statistic
from dqngui.comparison.scores import MMER, MMER_EPISODES, STEPS_TO, Score
from dqngui.statistics import MIN_VALUES

AXIS_LABELS: dict[Axis, str] = {
    "steps": "environment steps",
    "episodes": "training episodes",
    "time": "seconds of training",
    "updates": "updates",
}
AXIS_CHOICES: dict[str, str] = {"steps": "steps", "episodes": "episodes", "time": "time", "updates": "updates"}
STATISTIC_NAMES: dict[Statistic, str] = {"mean": "mean", "iqm": "interquartile mean", "median": "median"}
STATISTIC_CHOICES: dict[str, str] = {"mean": "mean", "iqm": "IQM", "median": "median"}
SMOOTHING_CHOICES: dict[str, str] = {"1": "not smoothed", "3": "mean of 3", "5": "mean of 5", "11": "mean of 11"}
RETURN_LABEL = "return of an evaluation"
SHARE_LABEL = "share of runs above"
_SCORES = {
    "best": "{what} of the best checkpoint",
    "final": "{what} of the last evaluation",
    "area": "mean {what} over the training",
}


def score_label(score: Score) -> str:
    """What a score is, on an axis: `return of the best checkpoint`, `steps to a return of 3.5`."""
    what = score.measure or "return"
    if score.name == MMER:
        return f"largest mean return of {MMER_EPISODES} training episodes (MMER)"
    if score.name in _SCORES:
        return _SCORES[score.name].format(what=what)
    return f"steps to {'a return' if what == 'return' else what} of {score.name.removeprefix(STEPS_TO)}"


def value_label(score: Score) -> str:
    """What a learning curve is of."""
    return f"{score.measure} of an evaluation" if score.measure else RETURN_LABEL


def curve_notes(chart: Chart, statistic: Statistic, smoothed: int, runs: bool) -> list[str]:
    """How to read the curves."""
    notes = [f"line: {STATISTIC_NAMES[statistic]} of n runs", "band: its 95 % interval at each place"]
    notes += [f"no band with fewer than {MIN_VALUES} runs"] if chart.lacks_bands else []
    notes += ["faint: each run"] if runs else []
    notes += [f"running mean of {smoothed} evaluations, faint: without it"] if smoothed > 1 else []
    notes += ["dotted: some of the runs"] if chart.has_fewer else []
    return notes


def profile_notes(chart: Chart) -> list[str]:
    """How to read the performance profiles."""
    notes = ["band: 95 % interval at each score"]
    return [*notes, f"no band with fewer than {MIN_VALUES} runs"] if chart.lacks_bands else notes
