"""Facts: hidden state of an environment that the agent does not observe, by name.

A task publishes its facts as `info["facts"]` at reset and at every step. An int is a category (the cue of a T-maze), a
float is a quantity (a velocity). What a wrapper leaves out of the observation is a fact too, and so is some hidden
state of well-known tasks. `facts_of` reads these from an environment only when it is called, so training pays nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import gymnasium
import numpy as np

Facts = dict[str, int | float]
Env = gymnasium.Env[Any, Any]


class HidesFacts(ABC):
    """Contract of a wrapper that leaves something out of the observation."""

    @abstractmethod
    def hidden(self) -> Facts:
        """What the wrapper left out of the last observation, by name."""


def facts_of(env: Env, info: Mapping[str, Any]) -> Facts:
    """The facts at the observation that `env` has just returned together with `info`."""
    facts: Facts = {}
    layer = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, HidesFacts):
            facts |= layer.hidden()
        layer = layer.env
    name = "" if env.spec is None else env.spec.id
    for prefix, read in _KNOWN.items():
        if name.startswith(prefix):
            with suppress(Exception):  # an environment of somebody else with a name of this kind
                facts |= read(env.unwrapped)
    published = info.get("facts")
    return facts | _numbers(published) if isinstance(published, Mapping) else facts


def _numbers(published: Mapping[Any, Any]) -> Facts:
    """The published facts that are numbers; others count as absent."""
    found: Facts = {}
    for name, value in published.items():
        if isinstance(value, (int, np.integer, np.bool_)):
            found[str(name)] = int(value)
        elif isinstance(value, (float, np.floating)):
            found[str(name)] = float(value)
    return found


# -- tasks of other packages ----------------------------------------------------------------------


def _place_in_grid(grid: Any) -> Facts:
    """MiniGrid shows what is in front of the agent, but not where the agent is."""
    x, y = grid.agent_pos
    return {"agent x": float(x), "agent y": float(y), "agent direction": int(grid.agent_dir)}


def _seen_object(grid: Any) -> Facts:
    """MiniGrid Memory: a key or a ball is in the first room, and the same object marks the correct side at the end."""
    middle = grid.height // 2
    cue = grid.grid.get(1, middle - 1)
    facts: Facts = {"side of the goal": int(grid.success_pos[1] < middle)}
    return facts if cue is None else {"cue (key or ball)": int(cue.type == "ball"), **facts}


_KNOWN: dict[str, Callable[[Any], Facts]] = {
    "MiniGrid-Memory": _seen_object,
    "MiniGrid-": _place_in_grid,
    "BabyAI-": _place_in_grid,
}
