"""A replay that keeps each frame of a stack once gives, bit for bit, what one gives that keeps whole stacks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import FrameStackObservation, TransformReward
from hypothesis import given, settings
from hypothesis import strategies as st

from dqngui.catalog.wrappers import FrameStackOptions as Frames
from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.parts import ObservationPart
from dqngui.envs.spaces import Spaces, spaces_of
from dqngui.envs.task_facts import observation_facts
from dqngui.envs.wrappers import frame_stack
from dqngui.learning import replay as replay_module
from dqngui.learning import stored_observations
from dqngui.learning.batches import Batch, OneStepBatch
from dqngui.learning.replay import Replay, bytes_of_replay
from dqngui.learning.windows import WindowRule

FRAMES, SIDE = 4, 16
RULES = {
    "single": WindowRule(length=1, n_step=1),
    "n steps": WindowRule(length=1, n_step=3),
    "transformer": WindowRule(length=5, n_step=2, context=4),
    "recurrent": WindowRule(length=6, n_step=2, burn_in=3, stride=3, context=None),
}


def spaces(frames: int, dtype: str = "uint8") -> Spaces:
    """One picture that is a stack, and a number beside it."""
    shape = (FRAMES, SIDE, SIDE)
    picture = ObservationPart("picture", "image", (FRAMES * SIDE**2,), dtype, raw_shape=shape, axes="nhw")
    return Spaces((picture, ObservationPart("age", "vector", (1,), "float32", raw_shape=(1,))), 5, frames=frames)


@pytest.fixture(autouse=True, scope="module")
def _all_replays_are_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_module, "LARGE", 0)
        yield


class Episodes:
    """Random episodes of several environments, fed to any number of replays.

    Args:
        start: what an episode begins with: copies of its first frame, zeros, or frames of its own.
        jumps: share of the steps at which a stack is all new.
    """

    def __init__(self, envs: int, seed: int, start: str, jumps: float, dtype: str = "uint8") -> None:
        self.random = np.random.default_rng(seed)
        self.envs, self.start, self.jumps, self.dtype = envs, start, jumps, dtype
        self.stacks = np.stack([self.first() for _ in range(envs)])
        self.age = np.zeros(envs, dtype=int)

    def frames(self, count: int) -> np.ndarray:
        drawn = self.random.integers(0, 3, (count, SIDE**2))  # equal frames and black ones occur
        drawn *= self.random.integers(0, 2, (count, 1))
        return np.where(drawn == 2, -0.0, drawn).astype(self.dtype) if self.dtype == "float32" else drawn.astype("u1")

    def first(self) -> np.ndarray:
        frames = self.frames(FRAMES)
        if self.start == "copies":
            frames[:] = frames[-1]
        elif self.start == "zeros":
            frames[:-1] = 0
        return frames

    def shown(self) -> dict[str, np.ndarray]:
        return {"picture": self.stacks.reshape(self.envs, -1).copy(), "age": self.age[:, None].astype(np.float32)}

    def step(self, *replays: Replay, rule: WindowRule | None = None) -> None:
        before, action = self.shown(), self.random.integers(0, 5, self.envs)
        reward, state = self.random.random(self.envs), [self.random.random((self.envs, 2)).astype(np.float32)]
        cut = self.random.random(self.envs) < 0.1
        for env in range(self.envs):
            self.stacks[env] = np.concatenate([self.stacks[env][1:], self.frames(1)])
            if self.random.random() < self.jumps:
                self.stacks[env] = self.frames(FRAMES)
        self.age += 1
        ended = self.random.random(self.envs) < 0.1
        truncated = ended & (self.random.random(self.envs) < 0.5)
        for replay in replays:
            replay.add(before, action, reward, state if replay.states else None, rule, cut=cut)
            if ended.any():
                replay.end_episodes(np.flatnonzero(ended), self.shown(), truncated)
        for env in np.flatnonzero(ended):
            self.stacks[env], self.age[env] = self.first(), 0


def run(episodes: Episodes, *replays: Replay, steps: int) -> None:
    for _ in range(steps):
        episodes.step(*replays)


def made(frames: int, envs: int, rule: WindowRule, *, capacity: int = 120, dtype: str = "uint8") -> Replay:
    return Replay(
        spaces(frames, dtype),
        num_envs=envs,
        capacity=capacity,
        generator=np.random.default_rng(7),
        initial_state=[np.zeros((1, 2), np.float32)] if rule.context is None else None,
        stride=rule.stride,
        prioritized=rule.length > 5,
    )


def numbers(batch: Batch | OneStepBatch | None) -> Iterator[bytes]:
    """All arrays in a batch."""

    def walk(value: Any) -> Iterator[bytes]:
        if isinstance(value, np.ndarray):
            yield f"{value.shape} {value.dtype}".encode()
            yield value.tobytes()
        elif isinstance(value, dict):
            for each in value.values():
                yield from walk(each)
        elif isinstance(value, tuple):
            for each in value:
                yield from walk(each)

    if batch is not None:
        for name in batch.__dataclass_fields__:
            yield from walk(getattr(batch, name))


def assert_same_samples(one: Replay, other: Replay, rule: WindowRule) -> None:
    state = one.generator.bit_generator.state
    other.generator.bit_generator.state = state
    drawn = [list(numbers(replay.sample(9, rule, 0.9, 0.5))) for replay in (one, other)]
    assert drawn[0] == drawn[1]


def grown(replay: Replay, cuts: list[int]) -> Any:
    """The rows of a replay in several pieces."""
    assert replay.growing is not None
    first, stop = (np.array(each) for each in replay.growing.extent())
    bounds = [first, *((first + (stop - first) * share / 9).astype(int) for share in sorted(cuts)), stop]
    for a, b in pairwise(bounds):
        yield a.tolist(), b.tolist(), replay.growing.columns(a.tolist(), b.tolist())


@settings(max_examples=20, deadline=None)
@given(
    rule=st.sampled_from(sorted(RULES)),
    envs=st.integers(1, 3),
    steps=st.integers(1, 150),
    seed=st.integers(0, 2**32),
    start=st.sampled_from(["copies", "zeros", "own"]),
    jumps=st.sampled_from([0.0, 0.1]),
    dtype=st.sampled_from(["uint8", "float32"]),
    cuts=st.lists(st.integers(0, 9), max_size=3),
)
def test_frames_are_stacked_as_they_came(
    rule: str, envs: int, steps: int, seed: int, start: str, jumps: float, dtype: str, cuts: list[int]
) -> None:
    """Also beyond the end of the ring, after saving whole, piece by piece, and by a version that kept whole stacks."""
    windows = RULES[rule]
    frames, whole, *others = (made(n, envs, windows, dtype=dtype) for n in (FRAMES, 0, FRAMES, FRAMES, FRAMES, 0))
    assert frames.bytes_of_steps < 0.4 * whole.bytes_of_steps
    episodes = Episodes(envs, seed, start, jumps, dtype)
    for _ in range(steps):
        episodes.step(frames, whole, rule=windows)
    assert_same_samples(frames, whole, windows)
    saved, rest = frames.arrays(), frames.arrays(whole=False)
    others[0].restore(saved)
    others[1].restore(rest, grown(frames, cuts))
    others[2].restore(whole.arrays())
    others[3].restore(rest, grown(whole, cuts))
    for other in others:
        other.generator.bit_generator.state = frames.generator.bit_generator.state
        assert_same_samples(other, frames, windows)
    for _ in range(20):
        episodes.step(frames, whole, *others, rule=windows)
    for other in (whole, *others):
        assert_same_samples(other, frames, windows)


def test_stacks_that_are_none_are_kept_whole_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment may say wrongly that it shows stacks; its replay is refused once it would not fit."""
    monkeypatch.setattr(stored_observations, "_FIRST_LOOK", 20)
    rule = RULES["single"]
    lying, honest = made(FRAMES, 1, rule), made(0, 1, rule)
    episodes = Episodes(1, 3, "own", 1.0)
    run(episodes, lying, honest, steps=60)
    assert_same_samples(lying, honest, rule)
    monkeypatch.setattr(stored_observations, "memory_of_process", lambda: honest.bytes_of_steps)
    with pytest.raises(ConfigError, match="not made of the last frames"):
        run(episodes, lying, steps=60)


@pytest.mark.parametrize("wrap", [lambda env: FrameStackObservation(env, 4), lambda env: frame_stack(env, Frames())])
def test_wrappers_that_join_frames_are_known_by_others_around_them(wrap: Any) -> None:
    class Black(gymnasium.Env[np.ndarray, int]):
        observation_space, action_space = gymnasium.spaces.Box(0, 255, (84, 84), np.uint8), gymnasium.spaces.Discrete(3)

    found = spaces_of(TransformReward(wrap(Black()), abs), EnvConfig())
    assert found.frames_of(found.parts[0]) == 4 and spaces_of(Black(), EnvConfig()).frames == 0
    steps, _ = bytes_of_replay(found, num_envs=1, capacity=1_000_000)
    assert 7.05e9 < steps < 7.2e9
    assert observation_facts(found).step_bytes == 84 * 84  # by which the replay is made smaller for pictures
