"""Episodes for the tests of panels about the agent."""

from __future__ import annotations

from typing import Any

import numpy as np

from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import EpisodeBegan, Played, PlayerReady, View

SELF = View("attention/self/0", ("head", "query", "key"), (4, 2, 2))
POOL = View("attention/pool", ("head", "key"), (4, 2))
ACTIONS = View("attention/action/0", ("head", "action", "key"), (2, 3, 2))
LAGS = View("memory/attention/0", ("head", "lag"), (4, 16))
HIDDEN = View("memory/hidden", ("unit",), (64,), signed=True)
CELL = View("memory/cell", ("unit",), (64,), signed=True)
GATE = View("memory/gate/forget", ("unit",), (64,))
SLOTS = View("memory/slots", ("slot", "unit"), (3, 5), signed=True)
RECURRENT = (SELF, POOL, HIDDEN, CELL, GATE)
TOKENS = ("cart position", "pole angle")


def rows_of(views: tuple[View, ...], steps: int, seed: int = 0) -> dict[str, Any]:
    """Values of every view, `steps` of them: shares that sum to one along the last axis, or signed ones."""
    generator = np.random.default_rng(seed)
    tensors: dict[str, Any] = {"action": np.zeros(steps, np.int64), "q": np.zeros((steps, 2), np.float32)}
    tensors |= {"reward": np.ones(steps), "observation": np.zeros((steps, 2), np.float32)}
    for view in views:
        drawn = generator.standard_normal((steps, *view.shape)).astype(np.float32)
        if not view.signed:
            drawn = np.exp(drawn)
            drawn /= drawn.sum(-1, keepdims=True) if view.axes != ("unit",) else drawn.max()
        tensors[f"view/{view.name}"] = drawn
    return tensors


def began(views: tuple[View, ...] = RECURRENT, recorded: bool = True) -> PlayedEpisode:
    """An episode without a step yet."""
    ready = PlayerReady(step=5_000, environment="E", views=views, labels={"query": TOKENS, "key": TOKENS})
    return PlayedEpisode(ready, EpisodeBegan(step=5_000, number=0, seed=1, recorded=recorded), "demo")


def extend(playing: PlayedEpisode, tensors: dict[str, Any], until: int, ended: bool = False) -> PlayedEpisode:
    """Give the episode its steps up to `until`."""
    part = {name: rows[playing.length : until] for name, rows in tensors.items()}
    playing.take(Played(step=5_000, number=0, first=playing.length, tensors=part, ended=ended))
    return playing


def episode(views: tuple[View, ...] = RECURRENT, steps: int = 100, ended: bool = False, t: int = 0) -> PlayedEpisode:
    """An episode with this number of steps that shows step t."""
    playing = extend(began(views), rows_of(views, steps), steps, ended)
    playing.t = t
    return playing
