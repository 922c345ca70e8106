"""Facts: what is so in an environment although the agent cannot see it, by name.

A task publishes its own as `info["facts"]` at reset and at every step. An int says which of several kinds it is (the
cue of a T-maze), a float is a quantity (a velocity). What a wrapper leaves out of the observation is a fact too, and
so is what well-known tasks hide without saying so. Those are read here, from an environment as it stands, by whoever
wants them: training, which wants none, pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium

Facts = dict[str, int | float]
Env = gymnasium.Env[Any, Any]


class HidesFacts:
    """A wrapper that leaves something out of the observation."""

    def hidden(self) -> Facts:
        """What it left out of the last observation."""
        raise NotImplementedError


def facts_of(env: Env, info: Mapping[str, Any]) -> Facts:
    """The facts behind the observation that `env` has just given together with `info`."""
    facts: Facts = {}
    layer = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, HidesFacts):
            facts |= layer.hidden()
        layer = layer.env
    name = "" if env.spec is None else env.spec.id
    for prefix, read in _KNOWN.items():
        if name.startswith(prefix):
            facts |= read(env.unwrapped)
    published = info.get("facts")
    return facts | dict(published) if isinstance(published, Mapping) else facts


# -- tasks of others ------------------------------------------------------------------------------


def _place_in_grid(grid: Any) -> Facts:
    """MiniGrid shows what lies before the agent, and not where that is."""
    x, y = grid.agent_pos
    return {"agent x": float(x), "agent y": float(y), "agent direction": int(grid.agent_dir)}


def _seen_object(grid: Any) -> Facts:
    """MiniGrid Memory: a key or a ball lies in the first room, and the same thing marks the right way at the end."""
    middle = grid.height // 2
    cue = grid.grid.get(1, middle - 1)
    facts: Facts = {"side of the goal": int(grid.success_pos[1] < middle)}
    return facts if cue is None else {"cue (key or ball)": int(cue.type == "ball"), **facts}


_KNOWN: dict[str, Callable[[Any], Facts]] = {
    "MiniGrid-Memory": _seen_object,
    "MiniGrid-": _place_in_grid,
    "BabyAI-": _place_in_grid,
}
