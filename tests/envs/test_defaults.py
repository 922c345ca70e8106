"""The default agent suits each kind of observation part, whatever other parts there are."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import EnvConfig
from dqngui.defaults import default_experiment


def default_for(observation: spaces.Space[Any]) -> Any:
    sampled = partial(
        gymnasium.make, "tests/Sampled-v0", observation_space=observation
    )  # no kwargs: a space is no TOML
    gymnasium.register("tests/Sighted-v0", lambda: sampled(disable_env_checker=True))
    try:
        return default_experiment(EnvConfig(id="tests/Sighted-v0"))
    finally:
        del gymnasium.registry["tests/Sighted-v0"]


@pytest.mark.parametrize(
    ("space", "tokens", "attention", "width"),
    [
        (spaces.Box(-1, 1, (4,)), "feature", "none", 64),
        (spaces.Box(-1, 1, (17,)), "one", "none", 64),
        (spaces.Box(-1, 1, (64,)), "one", "none", 128),
        (spaces.Box(-1, 1, (5, 5)), "feature", "self", 64),
        (spaces.Box(-1, 1, (33, 1)), "one", "none", 64),
        (spaces.Box(-1, 1, (33, 5)), "one", "none", 128),
        (spaces.Box(0, 255, (84, 84, 4), np.uint8), "one", "none", 128),
        (spaces.Box(0, 1, (10, 10, 4), bool), "one", "none", 64),
        (spaces.Discrete(5), "one", "none", 64),
        (spaces.Tuple((spaces.Discrete(2), spaces.Discrete(4))), "one", "none", 64),
        (spaces.Dict({"pose": spaces.Box(-1, 1, (3,)), "gear": spaces.Discrete(4)}), "feature", "none", 64),
        (spaces.Text(5), "one", "none", 64),
        (spaces.Dict({"pose": spaces.Box(-1, 1, (3,)), "mission": spaces.Text(9)}), "feature", "self", 64),
        (spaces.Dict({"pose": spaces.Box(-1, 1, (3,)), "map": spaces.Box(0, 4, (7, 7), int)}), "one", "self", 64),
    ],
)
def test_tokens_attention_and_width(space: spaces.Space[Any], tokens: str, attention: str, width: int) -> None:
    net = default_for(space).net
    assert (net.tokens, net.attention, net.width) == (tokens, attention, width)


def test_what_no_network_reads_is_left_out() -> None:
    odd = spaces.Sequence(spaces.Discrete(2))
    experiment = default_for(spaces.Dict({"pose": spaces.Box(-1, 1, (3,)), "mission": spaces.Text(9), "odd": odd}))
    (keep,) = experiment.env.wrappers
    assert (keep.name, keep.options) == ("keep", {"entries": ["mission", "pose"]})


def test_the_replay_of_pictures_fits_into_memory() -> None:
    small = default_for(spaces.Box(0, 255, (84, 84, 4), np.uint8)).learn.replay_capacity
    assert default_for(spaces.Box(0, 255, (210, 160, 12), np.uint8)).learn.replay_capacity < small == 30_000
