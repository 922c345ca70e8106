"""Wrappers for games: pictures, frames, chance, lives and rewards; each on small games that are written here."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env
from dqngui.envs.measured_tasks import human_normalised
from dqngui.envs.picture_wrappers import grey_bytes
from dqngui.envs.resizing import AreaResize


class Game(gymnasium.Env[Any, Any]):
    """A game of coloured pictures, of one brightness each: the number of the frame; every third frame costs a life, of
    which there are four; the reward is the action minus 1."""

    def __init__(self, blinking: bool = False) -> None:
        self.observation_space = spaces.Box(0, 255, (6, 8, 3), np.uint8)
        self.action_space = spaces.Discrete(4)
        self.done: list[int] = []
        self._blinking = blinking

    def get_action_meanings(self) -> list[str]:
        return ["NOOP", "FIRE", "LEFT", "RIGHT"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.done = []
        return self._seen()

    def _seen(self) -> tuple[Any, dict[str, Any]]:
        frame = len(self.done)
        shown = 0 if self._blinking and frame % 2 == 0 else frame
        return np.full((6, 8, 3), shown, np.uint8), {"lives": 4 - frame // 3}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.done.append(int(action))
        observation, info = self._seen()
        return observation, float(action) - 1, info["lives"] == 0, False, info


gymnasium.register("tests/Game-v0", entry_point=Game)


def wrapped(*names: str, blinking: bool = False, **options: Any) -> gymnasium.Env[Any, Any]:
    """The game with some wrappers; the options are those of the last one."""
    wrappers = [Wrapper(name=name) for name in names[:-1]] + [Wrapper(name=names[-1], options=options)]
    return make_env(EnvConfig(id="tests/Game-v0", kwargs={"blinking": blinking}, wrappers=tuple(wrappers)))


def played(env: gymnasium.Env[Any, Any], seed: int, actions: list[int]) -> tuple[list[int], list[Any]]:
    """What the game got to do in an episode, and what it returned."""
    results: list[Any] = [env.reset(seed=seed)[0].tolist()]
    for action in actions:
        observation, *rest, info = env.step(action)
        results.append((observation.tolist(), *rest, info))
        if rest[1] or rest[2]:
            break
    return list(env.unwrapped.done), results  # type: ignore[attr-defined]


# -- pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(210, 160), (7, 12, 3), (5, 3)])
@pytest.mark.parametrize("size", [(84, 84), (3, 5)])
def test_a_resized_pixel_is_the_mean_of_the_area_that_it_covers(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    fine = picture.astype(np.float64)
    for axis in (0, 1):  # each pixel is made size² ones, which new pixels cover as a whole
        fine = fine.repeat(size[axis], axis)
        fine = np.moveaxis(fine, axis, 0).reshape(size[axis], shape[axis], *np.moveaxis(fine, axis, 0).shape[1:])
        fine = np.moveaxis(fine.mean(1), 0, axis)
    resized = AreaResize((shape[0], shape[1]), *size, np.dtype(np.uint8))(picture)
    assert (resized == np.floor(fine + 0.5 + 1e-9)).all() and resized.dtype == np.uint8
    floats = AreaResize((shape[0], shape[1]), *size, np.dtype(np.float32))(picture.astype(np.float32))
    np.testing.assert_allclose(floats, fine, rtol=1e-6)


def test_grey_pictures_are_as_bright_as_their_colours_seem() -> None:
    env = wrapped("grayscale", "resize", rows=3, columns=4)
    assert env.observation_space == spaces.Box(0, 255, (3, 4), np.uint8)
    env.reset(seed=0)
    assert (env.step(0)[0] == 1).all()
    assert grey_bytes(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)).tolist() == [
        [77, 149, 29, 255]
    ]


def test_wrappers_of_pictures_refuse_what_is_none() -> None:
    for name in ("grayscale", "resize"):
        with pytest.raises(ConfigError, match=rf"env\.wrappers\[0\].*{name}.*picture"):
            make_env(EnvConfig(wrappers=(Wrapper(name=name),)))
    with pytest.raises(ConfigError, match=r"ALE/Pong-v5"):
        make_env(EnvConfig(wrappers=(Wrapper(name="atari"),)))


def test_a_skipped_frame_is_played_and_the_last_two_are_joined() -> None:
    done, results = played(wrapped("frame_skip", frames=2), 0, [2, 3])
    assert done == [2, 2, 3, 3]
    assert [result[1] for result in results[1:]] == [2.0, 4.0]
    _, results = played(wrapped("frame_skip", frames=2, blinking=True), 0, [2, 3])
    assert [np.max(result[0]) for result in results[1:]] == [1, 3]  # the even frames are dark


# -- chance ---------------------------------------------------------------------------------------


def test_sticky_actions_repeat_the_action_before_with_their_probability() -> None:
    env = wrapped("sticky_actions", probability=0.25)
    pairs = [
        (done[i], done[i - 1], i % 4)
        for done, _ in (played(env, s, [0, 1, 2, 3] * 3) for s in range(150))
        for i in range(1, len(done))
    ]
    stuck = np.mean([now == before for now, before, _ in pairs])
    assert abs(stuck - 0.25) < 0.04
    assert all(now in (before, chosen) for now, before, chosen in pairs)


@pytest.mark.parametrize("name", ["sticky_actions", "noop_start"])
def test_chance_follows_from_the_seed_of_the_episode(name: str) -> None:
    options = {"most": 5} if name == "noop_start" else {}
    env, fresh = wrapped(name, **options), wrapped(name, **options)
    actions = [3, 1, 2, 0, 1, 3]
    first = played(env, 7, actions)
    others = [played(env, seed, actions) for seed in range(20)]
    assert played(env, 7, actions) == first == played(fresh, 7, actions)
    assert any(other != first for other in others)


def test_episodes_begin_with_no_ops_and_fire() -> None:
    env = wrapped("noop_start", most=5)
    counts = set()
    for seed in range(60):
        env.reset(seed=seed)
        counts.add(len(env.unwrapped.done))  # type: ignore[attr-defined]
        assert not any(env.unwrapped.done)  # type: ignore[attr-defined]
    assert counts == {1, 2, 3, 4, 5}
    done, _ = played(wrapped("fire_on_reset"), 0, [2] * 20)
    assert done == [1, 2, 2] * 4  # frames 3, 6 and 9 cost a life


# -- lives and rewards ----------------------------------------------------------------------------


def test_a_lost_life_ends_learning_but_not_the_episode() -> None:
    for names in (("life_loss",), ("life_loss", "frame_skip"), ("frame_skip", "life_loss")):
        options = {"frames": 2} if names[-1] == "frame_skip" else {}
        _, results = played(wrapped(*names, **options), 0, [1] * 20)
        ends = [bool(result[4].get("end_of_learning")) for result in results[1:]]
        if names == ("life_loss",):
            assert ends == [frame % 3 == 0 and frame < 12 for frame in range(1, 13)]
        assert sum(ends) == (3 if len(names) == 1 or names[-1] == "frame_skip" else 2) and results[-1][2]
        assert not any(result[2] or result[3] for result in results[1:-1])
    with pytest.raises(ConfigError, match="lives"):
        make_env(EnvConfig(wrappers=(Wrapper(name="life_loss"),))).reset(seed=0)


def test_rewards_are_clipped() -> None:
    def rewards(**options: Any) -> list[float]:
        return [result[1] for result in played(wrapped("reward_scale", "clip_reward", **options), 0, [0, 1, 3])[1][1:]]

    assert rewards() == [-1.0, 0.0, 1.0] and rewards(to="limit", limit=1.5) == [-1.0, 0.0, 1.5]


def test_human_normalised_scores_are_zero_for_random_and_one_for_human() -> None:
    assert human_normalised("Pong", -20.7) == 0 and human_normalised("Pong", 14.6) == 1
    assert human_normalised("Unknown", 3) is None


# -- games of other packages ----------------------------------------------------------------------

_ASSAULT = EnvConfig(  # keeps something from one episode to the next unless the ROM is loaded anew
    id="ALE/Assault-v5",
    kwargs={"frameskip": 1, "repeat_action_probability": 0.0},
    wrappers=(Wrapper(name="atari", options={"noops": 10, "most_frames": 120}),),
)


def test_atari_games_repeat_by_seed_and_tell_their_score() -> None:
    pytest.importorskip("ale_py")
    env = make_env(_ASSAULT)
    assert env.observation_space == spaces.Box(0, 255, (4, 84, 84), np.uint8)
    actions = [2, 3] * 20

    def episode(seed: int) -> list[Any]:
        results: list[Any] = [env.reset(seed=seed)[0].tobytes()]
        for action in actions:
            observation, *rest, info = env.step(action)
            results.append((observation.tobytes(), *rest, info["measures"]))
        return results

    first = episode(1)
    assert episode(2) != first and episode(1) == first
    assert first[30][3] and set(first[30][4]) == {"score", "human-normalised score"}
    with pytest.raises(ConfigError, match=r"frameskip=1"):
        make_env(EnvConfig(id="ALE/Pong-v5", wrappers=(Wrapper(name="atari"),)))


def test_minigrid_tells_success() -> None:
    pytest.importorskip("minigrid")
    env = make_env(EnvConfig(id="MiniGrid-Empty-5x5-v0"))
    env.reset(seed=0)
    told = [env.step(action)[4]["measures"] for action in (2, 2, 1, 2, 2)]
    assert [each["success"] for each in told] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("game", ["breakout", "seaquest", "space_invaders"])
def test_minatar_repeats_by_seed_also_after_another_episode(game: str) -> None:
    pytest.importorskip("minatar.environments.breakout")
    env = make_env(EnvConfig(id="dqngui/MinAtar-v0", kwargs={"game": game}), "rgb_array")

    def episode(seed: int) -> list[Any]:
        results: list[Any] = [env.reset(seed=seed)[0].tobytes()]
        for action in [1, 2, 0] * 30:
            observation, *rest, _ = env.step(action)
            results.append((observation.tobytes(), rest))
            if rest[1]:
                break
        return results

    first = episode(1)
    assert episode(2) != first and episode(1) == first
    assert env.render().shape == (320, 320, 3)  # type: ignore[union-attr]
