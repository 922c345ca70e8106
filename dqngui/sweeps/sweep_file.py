"""A sweep as it is written in a TOML file: a base experiment, what is varied, seeds, objective, pruning and budget.

Reading never runs code, and says what is wrong in one sentence that names the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from dqngui.bounded import MOST_TEXT, found, read_file, toml_data
from dqngui.comparison.scores import score_named
from dqngui.config import ConfigError
from dqngui.presets import package_data
from dqngui.schema import Options, setting
from dqngui.settings import field_at, options_from, without_none

SHIPPED = "sweeps"
MOST_TRIALS = 10_000
MOST_RUNS = 50_000
MOST_AXES, MOST_VALUES = 16, 1_000


class Choice(Options, frozen=True):
    """One value of an axis whose settings go together."""

    label: Annotated[str, setting("Name of this choice in tables and legends.")] = ""
    agent: Annotated[str, setting("A shipped agent by name, which replaces the settings of `net` and `learn`.")] = ""
    settings: Annotated[dict[str, Any], setting("Settings by dotted name, for example `net.memory`.")] = {}


class Axis(Options, frozen=True):
    """What is varied: a setting with a list of values or a range, or choices of several settings."""

    setting: Annotated[str, setting("The setting that is varied, for example `learn.lr`; empty with `choices`.")] = ""
    values: Annotated[tuple[Any, ...], setting("The values to try.")] = ()
    low: Annotated[float | None, setting("The smallest value of a range.")] = None
    high: Annotated[float | None, setting("The largest value of a range.")] = None
    log: Annotated[bool, setting("The values of the range are spread over its magnitudes.")] = False
    count: Annotated[int, setting("How many values of the range a grid tries.", ge=2, le=MOST_VALUES)] | None = None
    choices: Annotated[tuple[Choice, ...], setting("Settings that go together, or agents by name.")] = ()


class Base(Options, frozen=True):
    """The experiment that every trial starts from."""

    file: Annotated[str, setting("A preset, or a TOML file with an experiment.")] = ""
    env: Annotated[str, setting("Instead of a file: the default agent on this environment.")] = ""
    agent: Annotated[str, setting("A shipped agent by name, which replaces that of the file.")] = ""
    settings: Annotated[dict[str, Any], setting("Settings by dotted name that every trial has.")] = {}


class Objective(Options, frozen=True):
    """What trials are compared by: the interquartile mean over the seeds of a score of each run."""

    score: Annotated[
        Literal["best", "final", "area", "steps_to", "mmer"],
        setting(
            "`best`: mean return of the best checkpoint; `final`: of the last evaluation; `area`: of all of "
            "the training; `steps_to`: steps until an evaluation reaches `reach` (fewer are better); `mmer`: largest "
            "mean return of 100 training episodes."
        ),
    ] = "best"
    reach: Annotated[float | None, setting("The return of `steps_to`.")] = None
    measure: Annotated[str, setting("A measure that the task names, such as `success`, instead of the return.")] = ""
    lower: Annotated[bool, setting("Less of the measure is better, as of collisions.")] = False


class Pruning(Options, frozen=True):
    """Successive halving: trials are paused at rungs, and the best go on (`halving`)."""

    first: Annotated[int, setting("Environment steps of the first rung.", ge=1)]
    factor: Annotated[int, setting("Each rung has so many times the steps of the one before, and one trial of so many "
                                   "goes on. Raise it to stop more trials early.", ge=2, le=16)] = 3  # fmt: skip


class Budget(Options, frozen=True):
    """After which no further trial begins; those that have begun are finished."""

    steps: Annotated[int, setting("Environment steps of all runs together.", ge=1)] | None = None
    hours: Annotated[float, setting("Hours of work of all runs together.", gt=0)] | None = None


class Sweep(Options, frozen=True):
    """Many experiments: every trial is the base with other values, trained once for each seed."""

    base: Annotated[Base, setting("The experiment that every trial starts from.")]
    axes: Annotated[tuple[Axis, ...], setting("What is varied.")]
    name: Annotated[str, setting("Name of the sweep, and of its folder.", label="Name")] = ""
    seeds: Annotated[str, setting("Seeds of each trial: `0-4` or `0,3,7`.")] = "0-4"
    sampler: Annotated[
        Literal["grid", "random", "tpe"],
        setting(
            "`grid`: all combinations; `random`: drawn at random; `tpe`: Optuna's, which learns from the trials so far."
        ),
    ] = "grid"
    trials: Annotated[int, setting("How many trials `random` and `tpe` make.", ge=1, le=MOST_TRIALS)] | None = None
    sampler_seed: Annotated[int, setting("Seed of the random choices of `random` and `tpe`.", ge=0, le=2**31)] = 0
    objective: Annotated[Objective, setting("What trials are compared by.")] = Objective()
    pruning: Annotated[Pruning | None, setting("Pause bad trials early; none: all are trained to their end.")] = None
    budget: Annotated[Budget, setting("After which no further trial begins.")] = Budget()


def shipped_sweeps() -> list[str]:
    """Names of the shipped sweeps."""
    files = (path.name for path in (package_data("configs") / SHIPPED).iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def read_sweep(path: Path) -> Sweep:
    """The sweep in a TOML file that the user named, or a shipped one by its name. Raises ConfigError."""
    if not path.suffix and not found(Path.exists, path):
        if path.name not in shipped_sweeps():
            raise ConfigError("sweep.none", name=path.name, known=shipped_sweeps())
        path = Path(str(package_data("configs") / SHIPPED / f"{path.name}.toml"))
    try:
        text = read_file(path, MOST_TEXT, follow=True).decode("utf-8-sig")
        data = toml_data(text)
    except OSError as error:
        raise ConfigError("file.unreadable", path=path, problem=error.strerror) from None
    except UnicodeDecodeError:
        raise ConfigError("preset.not_utf8", source=path) from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError("preset.not_toml", source=path, problem=error) from None
    try:
        return sweep_from(data)
    except ConfigError as error:
        raise ConfigError("preset.wrong", source=path, problem=error) from None


def sweep_from(data: Mapping[str, Any]) -> Sweep:
    """A checked sweep from plain data. Raises ConfigError."""
    sweep = options_from(Sweep, data, "sweep")
    assert isinstance(sweep, Sweep)
    _check(sweep)
    return sweep


def to_toml(sweep: Sweep) -> str:
    """TOML text of a complete sweep."""
    return tomli_w.dumps(without_none(msgspec.to_builtins(sweep)))


def _check(sweep: Sweep) -> None:
    if bool(sweep.base.file) == bool(sweep.base.env):
        raise ConfigError("sweep.base")
    if not sweep.axes or len(sweep.axes) > MOST_AXES:
        raise ConfigError("sweep.axes", most=MOST_AXES)
    varied: set[str] = set()
    for number, axis in enumerate(sweep.axes):
        for path in _check_axis(f"sweep.axes[{number}]", axis, grid=sweep.sampler == "grid"):
            if path == "run.seed":
                raise ConfigError("sweep.seed_axis")
            if path in varied:
                raise ConfigError("sweep.twice", setting=path)
            varied.add(path)
    if sweep.sampler != "grid" and sweep.trials is None:
        raise ConfigError("sweep.trials_missing", sampler=sweep.sampler)
    if sweep.sampler == "grid" and sweep.trials is not None:
        raise ConfigError("sweep.trials_of_grid")
    if (sweep.objective.score == "steps_to") != (sweep.objective.reach is not None):
        raise ConfigError("sweep.reach")
    objective = sweep.objective
    score_named("best" if objective.score == "steps_to" else objective.score, objective.measure)
    if objective.lower and not objective.measure:
        raise ConfigError("sweep.lower")
    if sweep.sampler == "tpe" and sweep.pruning is not None:
        raise ConfigError("sweep.tpe_pruning")


def _check_axis(where: str, axis: Axis, *, grid: bool) -> list[str]:
    """Check one axis; the settings that it varies."""
    is_range = axis.low is not None or axis.high is not None
    if sum((bool(axis.values), is_range, bool(axis.choices))) != 1:
        raise ConfigError("sweep.axis_kind", axis=where)
    if axis.choices:
        return _check_choices(where, axis)
    if not axis.setting:
        raise ConfigError("sweep.no_setting", axis=where)
    field_or_option(axis.setting)
    if len(axis.values) > MOST_VALUES:
        raise ConfigError("sweep.too_many_values", axis=where, most=MOST_VALUES)
    if is_range:
        low, high = axis.low, axis.high
        if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)) or low >= high:
            raise ConfigError("sweep.range", axis=where)
        if axis.log and low <= 0:
            raise ConfigError("sweep.log_range", axis=where, low=low)
        if grid and axis.count is None:
            raise ConfigError("sweep.count", axis=where)
    elif axis.count is not None or axis.log:
        raise ConfigError("sweep.not_range", axis=where)
    return [axis.setting]


def _check_choices(where: str, axis: Axis) -> list[str]:
    if axis.setting or axis.count is not None or axis.log:
        raise ConfigError("sweep.choices_alone", axis=where)
    if len(axis.choices) > MOST_VALUES:
        raise ConfigError("sweep.too_many_values", axis=where, most=MOST_VALUES)
    paths: set[str] = set()
    for choice in axis.choices:
        if not choice.agent and not choice.settings:
            raise ConfigError("sweep.empty_choice", axis=where)
        for path in choice.settings:
            field_or_option(path)
        paths |= choice.settings.keys() | ({"agent"} if choice.agent else set())
    return sorted(paths)


def field_or_option(path: str) -> None:
    """Raises ConfigError for a dotted name that is neither a setting nor one of a module's, a task's or a wrapper's."""
    for prefix in ("net.attention_options.", "net.memory_options.", "env.kwargs."):
        if path.startswith(prefix) and len(path) > len(prefix):
            return  # checked with the module that the trial uses
    field_at(path)
