"""Wrappers that fit an environment to what an agent can use, and the option of the command line that adds them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces as gym_spaces

from dqngui.config import ConfigError, Wrapper
from dqngui.envs.actions import MOST_COMBINATIONS
from dqngui.envs.choices import MOST_COMBINED
from dqngui.settings import as_assignment, field_at
from dqngui.texts import Text, say

MOST_DEFAULT_ACTIONS = 81
"""Actions of a discretised space that nobody chose: each action is an output that must be learned."""
_FEWEST_WITH_MIDDLE = 3
_BINS = (5, _FEWEST_WITH_MIDDLE, 2)  # odd numbers have a bin in the middle, which for most tasks is to do nothing


class UnfitWrapper(ConfigError):
    """The error of a wrapper that does not fit its environment; its sentence is without the path of the setting.

    Attributes:
        instead: the wrappers that would fit in its place; None if none would.
    """

    def __init__(self, key: str | Text, /, instead: Sequence[Wrapper] | None = None, **args: Any) -> None:
        super().__init__(key, **args)
        self.instead = None if instead is None else tuple(instead)


def discretize_wrapper(space: gym_spaces.Box, most: int = MOST_COMBINATIONS) -> Wrapper | None:
    """The wrapper that cuts a continuous action space into at most `most` actions; None if that is not possible.

    It has 5 or 3 bins for each number of an action if these make few actions, else 2. With the usual `most` there may
    be more actions than that: their values are learned dimension by dimension then.
    """
    size = math.prod(space.shape)
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        return None
    fewest = _BINS[-1]
    for bins, limit in (*((bins, min(MOST_DEFAULT_ACTIONS, most)) for bins in _BINS), (fewest, most)):
        if 0 < size <= math.log(limit, bins) + 1e-9:
            return Wrapper(name="discretize", options={"bins": bins})
    if most == MOST_COMBINATIONS and 0 < size <= math.log(MOST_COMBINED, _FEWEST_WITH_MIDDLE):
        return Wrapper(name="discretize", options={"bins": _FEWEST_WITH_MIDDLE})  # whose values are learned one by one
    return None


def continuous(space: gym_spaces.Box) -> Text:
    """Why a continuous action space cannot be used as it is."""
    count = math.prod(space.shape)
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        return say("env.unbounded_actions")
    if discretize_wrapper(space) is None:
        return say("env.many_continuous_actions", count=count, most=MOST_COMBINATIONS)
    return say("env.continuous_actions", count=count)


def wrappers_data(wrappers: Sequence[Wrapper]) -> list[dict[str, Any]]:
    """Wrappers as plain data, as short as they can be written."""
    return [{"name": each.name, **({"options": each.options} if each.options else {})} for each in wrappers]


def with_option(problem: ConfigError, changes: Mapping[str, Any]) -> ConfigError:
    """The same error with the option that makes these changes of settings, to be copied into a shell."""
    values = " ".join(shlex.quote(as_assignment(path, value)) for path, value in changes.items())
    fields = [field_at(path).label for path in changes]
    return ConfigError("env.with_option", problem=problem, option=f"--set {values}", fields=fields)
