"""Wrappers that add a part to an observation or blank one."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.part_wrappers import smaller


def wrapped(name: str, env_id: str = "CartPole-v1", **options: object) -> EnvConfig:
    return EnvConfig(id=env_id, wrappers=(Wrapper(name=name, options=dict(options)),))


def test_a_picture_beside_numbers_shows_what_they_say() -> None:
    envs = make_vector(wrapped("with_picture", side=24), 1)
    assert [(part.name, part.kind) for part in envs.spaces.parts] == [("numbers", "vector"), ("picture", "image")]
    assert envs.spaces.features == make_vector(EnvConfig(), 1).spaces.features
    plain = make_vector(EnvConfig(), 1)
    first, alone = envs.reset([3]), plain.reset([3])
    np.testing.assert_array_equal(first["numbers"], alone["observation"])
    for _ in range(8):
        later, *_ = envs.step(np.array([1]))
    assert (later["picture"] != first["picture"]).any()
    shape = make_env(wrapped("with_picture", side=9, colour=True)).observation_space["picture"].shape  # type: ignore[index]
    assert shape == (9, 9, 3)


def test_a_smaller_picture_has_the_means_of_its_pixels() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[:2, :3] = 200
    picture[0, 0] = (255, 0, 0)
    np.testing.assert_array_equal(smaller(picture, 2, True)[..., 1], [[round(5 * 200 / 6), 0], [0, 0]])
    assert smaller(picture, 2, False)[0, 0, 0] == round((5 * 200 + 85) / 6)
    np.testing.assert_array_equal(smaller(picture[:1, :1], 2, True)[..., 0], [[255, 255], [255, 255]])


def test_the_blank_of_a_part_lies_in_its_space() -> None:
    env = make_env(wrapped("without_part", part="observation"))
    assert not env.reset(seed=1)[0].any()
    odd = spaces.Dict({"far": spaces.Box(2.0, 3.0, (2,)), "from one": spaces.Discrete(3, start=1)})
    for part in odd.spaces:
        wrappers = (Wrapper(name="without_part", options={"part": part}),)
        config = EnvConfig(id="tests/Sampled-v0", kwargs={"observation_space": odd}, wrappers=wrappers)
        sampled = make_env(config)
        assert sampled.observation_space.contains(sampled.reset(seed=0)[0])


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (wrapped("without_part", part="sound"), "there is no entry 'sound'; the observation's keys are observation"),
        (
            wrapped("without_part", "dqngui/Senses-v0", part="smell"),
            "there is no entry 'smell'; the observation's keys are picture, sound, words",
        ),
        (wrapped("with_picture", "dqngui/Senses-v0"), "the observation has a part `picture` already"),
        (wrapped("with_picture", "tests/Sampled-v0"), "cannot draw pictures"),
    ],
)
def test_a_part_that_does_not_fit_is_a_sentence(config: EnvConfig, sentence: str) -> None:
    if config.id == "tests/Sampled-v0":
        config = EnvConfig(id=config.id, kwargs={"observation_space": spaces.Discrete(3)}, wrappers=config.wrappers)
    with pytest.raises(ConfigError) as error:
        make_env(config)
    assert sentence in str(error.value)
