"""The values of an axis, and what a trial is made of: settings and a label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from dqngui.config import ConfigError, Experiment
from dqngui.presets import read_agent, with_agent
from dqngui.settings import experiment_fields, with_settings
from dqngui.sweeps.sweep_file import Axis, Choice
from dqngui.texts.numbers import exact


class Point(msgspec.Struct, frozen=True):
    """One value of an axis.

    Attributes:
        label: as it is shown: `memory=gru`.
        settings: settings by dotted name.
        agent: a shipped agent by name; empty for none.
    """

    label: str
    settings: dict[str, Any] = {}
    agent: str = ""


def points(axis: Axis) -> list[Point]:
    """All values that a grid tries, in order."""
    if axis.choices:
        return [choice_point(choice, number) for number, choice in enumerate(axis.choices)]
    if axis.values:
        return [setting_point(axis.setting, value) for value in axis.values]
    count = axis.count or 2
    values = [at_share(axis, index / (count - 1)) for index in range(count)]
    return [setting_point(axis.setting, value) for value in dict.fromkeys(values)]


def at_share(axis: Axis, share: float) -> int | float:
    """The value of a range at a share of its way, from 0 (low) to 1 (high); a whole number where the setting is one."""
    assert axis.low is not None and axis.high is not None
    if axis.log:
        value = math.exp(math.log(axis.low) + share * (math.log(axis.high) - math.log(axis.low)))
    else:
        value = axis.low + share * (axis.high - axis.low)
    value = min(max(value, axis.low), axis.high)
    return round(value) if is_whole(axis.setting) else float(f"{value:.6g}")


def point_at_end(axis: Axis, *, last: bool) -> Point:
    """The first or the last value of an axis."""
    if axis.values or axis.choices:
        return points(axis)[-1 if last else 0]
    return setting_point(axis.setting, at_share(axis, float(last)))


def is_whole(setting: str) -> bool:
    """Whether a setting takes whole numbers only."""
    return any(field.path == setting and field.kind == "int" for field in experiment_fields())


def setting_point(setting: str, value: Any) -> Point:
    """A value of a setting."""
    return Point(f"{setting.rsplit('.', 1)[-1]}={_shown(value)}", {setting: value})


def choice_point(choice: Choice, number: int) -> Point:
    """A choice of several settings."""
    parts = [choice.agent] if choice.agent else []
    parts += [f"{path.rsplit('.', 1)[-1]}={_shown(value)}" for path, value in choice.settings.items()]
    return Point(choice.label or ", ".join(parts) or str(number), dict(choice.settings), choice.agent)


def trial_experiment(base: Experiment, settings: Mapping[str, Any], agent: str, seed: int) -> Experiment:
    """The experiment of one run of a trial. Raises ConfigError if its settings do not fit together."""
    experiment = with_agent(base, read_agent(agent)) if agent else base
    changed = with_settings(experiment, {**settings, "run.seed": seed})
    return changed if "title" in settings else msgspec.structs.replace(changed, title=base.title)


def merged(chosen: list[Point]) -> tuple[dict[str, Any], str]:
    """The settings and the agent of one value of each axis. Raises ConfigError for two agents."""
    agents = [point.agent for point in chosen if point.agent]
    if len(agents) > 1:
        raise ConfigError("sweep.twice", setting="agent")
    return {path: value for point in chosen for path, value in point.settings.items()}, "".join(agents)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return exact(float(f"{value:.4g}")) if isinstance(value, float) else str(value)
