"""Optuna's tree-structured Parzen estimator as a sampler, by ask and tell in one process (optional extra `optuna`).

The study is made anew from the trials so far each time, so nothing of it is stored, and a sweep goes on after any
interruption. Workers never see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dqngui.config import ConfigError
from dqngui.sweeps.axes import Point, points, setting_point
from dqngui.sweeps.samplers import Trial, trial_of
from dqngui.sweeps.sweep_file import Axis, Sweep
from dqngui.texts import say


def check_installed() -> None:
    """Raises ConfigError if Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise ConfigError("extra.missing", what=say("extra.tpe"), package="optuna", extra="sweeps") from None


def next_trial(sweep: Sweep, made: Sequence[Trial], scores: dict[int, float], maximize: bool) -> Trial:
    """The trial to make after those that were made, of which some have scores. Raises ConfigError."""
    check_installed()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=sweep.sampler_seed + len(made), constant_liar=True)
    study = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
    space = {f"{number}": _distribution(axis) for number, axis in enumerate(sweep.axes)}
    for trial in made:
        params = {name: _param(space[name], share) for name, share in zip(space, trial.shares, strict=True)}
        score = scores.get(trial.number)
        state = optuna.trial.TrialState.RUNNING if score is None else optuna.trial.TrialState.COMPLETE
        value = None if score is None else (score if math.isfinite(score) else (-1e30 if maximize else 1e30))
        study.add_trial(optuna.trial.create_trial(state=state, value=value, params=params, distributions=space))
    asked = study.ask(space).params
    chosen, shares = zip(
        *(_point(axis, asked[name]) for name, axis in zip(space, sweep.axes, strict=True)), strict=True
    )
    return trial_of(len(made), chosen, shares)


def _distribution(axis: Axis) -> Any:
    import optuna

    if axis.values or axis.choices:
        return optuna.distributions.CategoricalDistribution(list(range(len(points(axis)))))
    assert axis.low is not None and axis.high is not None
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def _param(distribution: Any, share: float) -> Any:
    return int(share) if hasattr(distribution, "choices") else share


def _point(axis: Axis, param: Any) -> tuple[Point, float]:
    """The value of an axis that Optuna chose, and the number by which it is told about it later."""
    if axis.values or axis.choices:
        return points(axis)[int(param)], float(param)
    from dqngui.sweeps.axes import is_whole

    value = round(param) if is_whole(axis.setting) else float(f"{param:.6g}")
    assert axis.low is not None and axis.high is not None
    return setting_point(axis.setting, value), min(max(float(param), axis.low), axis.high)
