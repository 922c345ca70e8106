"""Senses: solvable with all three senses, and no two of them say more than the specification states."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from reproducing import reproduces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.senses import COLOURS, MOVES, PROPERTIES, QUARTER, SHAPES, Senses, sentence


def seen(picture: np.ndarray) -> list[tuple[int, int]]:
    """The colour and the shape in each quarter, from the pixels alone."""
    found = []
    for quarter in range(4):
        top, left = QUARTER * np.array(divmod(quarter, 2))
        pixels = picture[top : top + QUARTER, left : left + QUARTER].astype(float)
        drawn = pixels.any(axis=2)
        brightest = pixels[drawn][0] / pixels[drawn][0].max()
        colour = int(np.abs(COLOURS / 255 - brightest).sum(axis=1).argmin())
        shape = {int(SHAPES[index].sum()): index for index in range(4)}[int(drawn.sum())]
        found.append((colour, shape))
    return found


def understood(observation: dict[str, Any]) -> tuple[list[tuple[int, int]], int, int, int]:
    """Things by quarter, pitch, property and move, each from its own sense."""
    words = observation["words"]
    property_, move = next((p, m) for p in range(len(PROPERTIES)) for m in range(len(MOVES)) if sentence(p, m) == words)
    return seen(observation["picture"]), int(observation["sound"].argmax()) // 4, property_, move


def goal(things: list[tuple[int, int]], pitch: int, property_: int, move: int) -> int:
    thing = next(quarter for quarter, thing in enumerate(things) if thing[property_] == pitch)
    return thing ^ MOVES[move][1]


@pytest.mark.parametrize("moves", [1, 2, 3, 4])
def test_the_oracle_reads_all_three_and_no_two_senses_say_more_than_the_bound(moves: int) -> None:
    env, steps = Senses(moves=moves, steps=800), 0
    rights = Counter[str]()
    observation, info = env.reset(seed=moves)
    over = False
    while not over:
        assert env.observation_space.contains(observation)
        things, pitch, property_, move = understood(observation)
        answer = goal(things, pitch, property_, move)
        assert info["answer"] == answer and info["asked"]
        every = range(4), range(2), range(moves)
        without_sound = Counter(goal(things, p, property_, move) for p in every[0])
        without_words = Counter(goal(things, pitch, p, m) for p in every[1] for m in every[2])
        assert set(without_sound.values()) == {1}  # every quarter is equally probable
        best = without_words.most_common(1)[0][0]
        rights["words"] += best == answer
        rights["sound"] += answer == without_sound.most_common(1)[0][0]
        rights["picture"] += answer == (3 * pitch + property_ + move) % 4  # any rule
        observation, reward, over, truncated, info = env.step(answer)
        assert reward == 1 and not truncated
        steps += 1
    assert not info["asked"]
    bounds = {"words": (5 / 8, 3 / 8, 1 / 3, 1 / 4)[moves - 1], "sound": 1 / 4, "picture": 1 / 4}
    for sense, bound in bounds.items():
        assert rights[sense] / steps == pytest.approx(bound, abs=0.06), sense


def test_the_window_sees_a_picture_a_sound_and_words_and_episodes_repeat() -> None:
    envs = make_vector(EnvConfig(id="dqngui/Senses-v0"), 1)
    assert [part.kind for part in envs.spaces.parts] == ["image", "vector", "text"]
    assert envs.spaces.features[0] == "band 1" and envs.spaces.action_names[3] == "lower right"
    assert reproduces(EnvConfig(id="dqngui/Senses-v0", kwargs={"moves": 4}), seed=5, steps=30)
    env = make_env(EnvConfig(id="dqngui/Senses-v0"), "rgb_array")
    env.reset(seed=1)
    before: Any = env.render()
    env.step(2)
    after: Any = env.render()
    assert before.dtype == np.uint8 and before.shape == after.shape and (before != after).any()
    with pytest.raises(ConfigError, match="moves"):
        make_env(EnvConfig(id="dqngui/Senses-v0", kwargs={"moves": 5}))


@pytest.mark.parametrize("part", ["picture", "sound", "words"])
def test_a_sense_that_is_removed_is_blank_and_the_others_stay(part: str) -> None:
    whole = make_vector(EnvConfig(id="dqngui/Senses-v0"), 2)
    wrappers = (Wrapper(name="without_part", options={"part": part}),)
    less = make_vector(EnvConfig(id="dqngui/Senses-v0", wrappers=wrappers), 2)
    assert less.spaces == whole.spaces  # so the network is the same
    one, other = whole.reset([3, 4]), less.reset([3, 4])
    assert not other[part].any() and one[part].any()
    for name in {"picture", "sound", "words"} - {part}:
        np.testing.assert_array_equal(one[name], other[name])
