"""Wrappers of the catalog for games: chance in what is done, how episodes begin and where learning ends, rewards.

Each is a function (env, options) -> env, as in `wrappers`. What is drawn at random follows from the seed of the episode
alone, so an episode is still its seed and its actions.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import TransformReward

from dqngui.catalog.wrappers import (
    ClipRewardOptions,
    FireOnResetOptions,
    LifeLossOptions,
    NoopStartOptions,
    StickyActionsOptions,
)
from dqngui.config import ConfigError
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.offered_names import offered
from dqngui.texts import say

Env = gymnasium.Env[Any, Any]
Reset = tuple[Any, dict[str, Any]]
Step = tuple[Any, Any, bool, bool, dict[str, Any]]
_STICKY, _NOOPS = 1, 2  # streams of random numbers of an episode's seed


class _Seeded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Base of wrappers that draw at random: `generator` is that of the episode."""

    stream: int
    generator: np.random.Generator

    def seeded(self, seed: int | None) -> None:
        """Begin an episode; without a seed its numbers differ each time."""
        self.generator = np.random.default_rng(None if seed is None else [self.stream, seed])


# -- sticky actions -------------------------------------------------------------------------------


class _StickyActions(_Seeded):
    """Repeats the previous action at some steps (Machado et al. 2018, arXiv:1709.06009, section 5.2)."""

    stream = _STICKY

    def __init__(self, env: Env, probability: float) -> None:
        super().__init__(env)
        self._probability = probability
        self._previous: Any = None  # no action yet in this episode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Reset:
        self.seeded(seed)
        self._previous = None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Step:
        if self.generator.random() >= self._probability or self._previous is None:
            self._previous = action
        return self.env.step(self._previous)


def sticky_actions(env: Env, options: StickyActionsOptions) -> Env:
    """With `probability`, a step repeats the action of the step before, whatever was chosen."""
    return _StickyActions(env, options.probability)


# -- how episodes begin ---------------------------------------------------------------------------


class _NoopStart(_Seeded):
    """Does nothing for 1 to `most` steps at the start, so that episodes begin differently (Mnih et al. 2015)."""

    stream = _NOOPS

    def __init__(self, env: Env, most: int) -> None:
        super().__init__(env)
        self._most = most

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Reset:
        self.seeded(seed)
        observation, info = self.env.reset(seed=seed, options=options)
        for _ in range(int(self.generator.integers(1, self._most + 1))):
            observation, _, terminated, truncated, info = self.env.step(0)
            if terminated or truncated:
                return self.env.reset(seed=seed, options=options)
        return observation, info


def noop_start(env: Env, options: NoopStartOptions) -> Env:
    """Episodes begin with 1 to `most` steps of the action that does nothing."""
    if meanings(env)[:1] != ["NOOP"]:
        raise ConfigError("wrapper.no_noop")
    return _NoopStart(env, options.most)


class _Fire(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Presses the fire button for one step when a life begins, which many games wait for."""

    def __init__(self, env: Env, button: int) -> None:
        super().__init__(env)
        self._button = button
        self._lives = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Reset:
        observation, info = self.env.reset(seed=seed, options=options)
        self._lives = info.get("lives", 0)
        observation, _, terminated, truncated, info = self.env.step(self._button)
        if terminated or truncated:
            return self.env.reset(seed=seed, options=options)
        return observation, info

    def step(self, action: Any) -> Step:
        result = self.env.step(action)
        lives = result[4].get("lives", 0)
        if lives < self._lives and not (result[2] or result[3]):
            observation, reward, terminated, truncated, info = self.env.step(self._button)
            result = observation, float(result[1]) + float(reward), terminated, truncated, info
        self._lives = lives
        return result


def fire_on_reset(env: Env, options: FireOnResetOptions) -> Env:
    """The fire button is pressed at the start and after each lost life; a game without one stays as it is."""
    known = meanings(env)
    if not known:
        raise ConfigError("wrapper.no_buttons")
    return _Fire(env, known.index("FIRE")) if "FIRE" in known else env


def meanings(env: Env) -> list[str]:
    """Names of the actions as the Arcade Learning Environment writes them; [] for another environment."""
    read = offered(env, "get_action_meanings")
    try:
        return [str(name) for name in read()] if callable(read) else []
    except Exception:  # it means something else in another package
        return []


# -- where learning ends --------------------------------------------------------------------------


class _LifeLoss(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Tells `info["end_of_learning"]` at the steps where a life is lost, while the episode goes on."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self._lives = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Reset:
        observation, info = self.env.reset(seed=seed, options=options)
        if "lives" not in info:
            raise EnvironmentFault(say("wrapper.no_lives"))
        self._lives = info["lives"]
        return observation, info

    def step(self, action: Any) -> Step:
        result = self.env.step(action)
        lives = result[4].get("lives", self._lives)
        if lives < self._lives and not (result[2] or result[3]):
            result[4]["end_of_learning"] = True
        self._lives = lives
        return result


def life_loss(env: Env, options: LifeLossOptions) -> Env:
    """A lost life ends what is learned from, as an end of the episode would; the episode goes on (Mnih et al. 2015)."""
    return _LifeLoss(env)


# -- rewards --------------------------------------------------------------------------------------


def _sign(reward: Any) -> float:
    return float(np.sign(reward))


def clip_reward(env: Env, options: ClipRewardOptions) -> Env:
    """Rewards become their signs, or are cut at −`limit` and `limit`: curves and evaluations show these."""
    if options.to == "sign":
        return TransformReward(env, _sign)
    limit = options.limit
    return TransformReward(env, lambda reward: min(max(float(reward), -limit), limit))
