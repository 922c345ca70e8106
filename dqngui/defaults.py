"""The default agent for any environment: sizes and memory that suit what it shows.

A few numbers, and the rows of a table, are one token each. Many numbers, a picture or a grid are one token together.
Attention weighs the rows of a table, and several parts of which one is a picture, a grid, a text or a table. The tokens
of numbers and of categories alone are concatenated: all of them matter at every step, and attention over them made an
update two to three times as slow and learning slower or equal (CartPole with and without velocities, T-maze, Acrobot;
one to five seeds). The replay is limited to a fixed number of bytes, which matters for pictures only.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import msgspec
import numpy as np

from dqngui.config import EnvConfig, Experiment, LearnConfig
from dqngui.envs.spaces import Spaces
from dqngui.envs.task_facts import measure
from dqngui.envs.trial import Trial
from dqngui.settings import experiment_from, with_settings, without_none

MOST_FEATURE_TOKENS = 16
MOST_ROW_TOKENS = 32
PLAIN = ("vector", "discrete")
"""Kinds of parts that attention is not needed for."""
WIDE_FROM = 64
"""With at least this many numbers, the encoder gets a hidden layer and the agent twice the width; with this many
categories, the agent gets twice the width."""
LARGE_PICTURE = 24
"""With at least this many pixels on its shorter side, a picture gets twice the width."""
REPLAY_BYTES = 1_000_000_000


def default_experiment(env: EnvConfig) -> Experiment:
    """The default agent on one task. If `env` chooses no wrappers, those are added without which no agent could use it:
    `keep` leaves out what no network reads, `discretize` cuts continuous actions into bins.

    Raises ConfigError if the environment cannot be made or used.
    """
    with closing(Trial(env, add_wrappers=True)) as trial:
        added = () if env.wrappers else tuple(wrapper.name for wrapper in trial.config.wrappers)
        facts = msgspec.structs.replace(measure(trial), added_wrappers=added)
        data = {"env": msgspec.to_builtins(trial.config), "task": without_none(msgspec.to_builtins(facts))}
        return with_settings(experiment_from(data), _sizes(trial.spaces, env.num_envs))


def _sizes(spaces: Spaces, num_envs: int) -> dict[str, Any]:
    numbers = sum(part.shape[0] for part in spaces.parts if part.kind == "vector")
    categories = sum(sum(part.sizes) for part in spaces.parts if part.kind == "discrete")
    tables = [part for part in spaces.parts if part.kind in ("rows", "entities")]
    rows = sum(part.raw_shape[0] for part in tables)
    maps = [part for part in spaces.parts if part.kind in ("image", "grid")]
    few = numbers <= MOST_FEATURE_TOKENS and rows <= MOST_ROW_TOKENS
    as_features = few and numbers + rows > 0 and not maps
    if not as_features:
        numbers += sum(part.shape[0] for part in tables)
    changes: dict[str, Any] = {"net.tokens": "feature" if as_features else "one"}
    weighed = (as_features and rows > 0) or (
        len(spaces.parts) > 1 and any(part.kind not in PLAIN for part in spaces.parts)
    )
    if not weighed:
        changes["net.attention"] = "none"
    if numbers >= WIDE_FROM:
        changes |= {"net.hidden": [256], "net.width": 128}
    if categories >= WIDE_FROM:
        changes["net.width"] = 128
    if any(part.kind == "image" and min(part.map_shape[1:]) >= LARGE_PICTURE for part in maps):
        changes["net.width"] = 128
    learn = LearnConfig()
    step_bytes = sum(np.dtype(part.dtype).itemsize * part.shape[0] for part in spaces.parts)
    affordable = int(REPLAY_BYTES / max(1, step_bytes))
    needed = 4 * num_envs * (learn.window + learn.burn_in + learn.n_step)
    changes["learn.replay_capacity"] = max(needed, min(learn.replay_capacity, affordable))
    return changes
