"""What random legal actions show about a task before a run: lengths of episodes, kinds of rewards, speed, repetition.

Defaults follow from these facts. Measuring them takes at most about 2,000 steps or two seconds, or ten seconds where
random actions found nothing (`held_actions`). Everything apart from the speed is the same at each measurement, unless
the time ran out before the steps did.
"""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from numpy.typing import NDArray

from dqngui.config import EnvConfig, ObservationFacts, TaskFacts
from dqngui.envs.held_actions import Found, search
from dqngui.envs.legal_actions import random_action
from dqngui.envs.offered_names import offered
from dqngui.envs.repetition import Clock, repetition_of
from dqngui.envs.seeds import MEASURE_SEEDS
from dqngui.envs.spaces import Spaces, walk
from dqngui.envs.trial import Trial
from dqngui.rules import FEWEST_FOUND, LONGEST_REPETITION, REPETITION_POWER

MOST_EPISODES = 100
SEARCH = 50
"""Where random actions found nothing, at most so many times more steps are played, and then as many with held actions.
Single actions find Acrobot's height in 2 of 100 episodes of 500 steps."""
COMPARED_WITH_BOUNDS = 100
"""Observations that are compared with the bounds of their space."""
_FIRST_SEED = MEASURE_SEEDS + 1000  # after those that `repetition_of` compares
_UNBOUNDED_FROM = 1e6  # bounds beyond this, such as the largest float32, bound nothing
_LIMIT_NAMES = ("max_steps", "max_episode_steps", "max_episode_length")  # where tasks cut episodes by themselves


def measure_task(
    config: EnvConfig, *, steps: int = 1000, seconds: float = 1.0, clock: Clock = time.perf_counter
) -> TaskFacts:
    """Play random actions in one environment, then compare episodes of different seeds.

    Args:
        steps: most steps of each of the two.
        seconds: most time of each of the two, for slow environments; a step and two resets are done in any case.
        clock: gives the time in seconds.

    Raises ConfigError if the environment cannot be made or used, or if it raises.
    """
    with closing(Trial(config)) as trial:
        return measure(trial, steps=steps, seconds=seconds, clock=clock)


def measure(trial: Trial, *, steps: int = 1000, seconds: float = 1.0, clock: Clock = time.perf_counter) -> TaskFacts:
    """The same of an environment that was made already. Raises ConfigError if it raises."""
    played = _Played()
    played.play(trial, steps, seconds, clock)
    repeated = repetition_of(trial, steps=steps, seconds=seconds, clock=clock)
    lengths = sorted(played.lengths)
    rewards = np.array(played.rewards)
    single = held = Found(0, 0)
    if played.terminated == 0 and rewards.min() == rewards.max():
        more = partial(search, trial, float(rewards[0]), steps=SEARCH * steps, clock=clock)
        single = more(longest=1, power=1.0, seconds=6 * seconds, enough=1)
        if single.found == 0:
            held = more(longest=LONGEST_REPETITION, power=REPETITION_POWER, seconds=2 * seconds, enough=FEWEST_FOUND)
    return TaskFacts(
        steps=len(rewards),
        time_limit=time_limit_of(trial.env),
        episodes=len(lengths),
        shortest=lengths[0] if lengths else None,
        median=lengths[len(lengths) // 2] if lengths else None,
        longest=lengths[-1] if lengths else None,
        unfinished=len(rewards) - sum(lengths),
        terminated=played.terminated,
        rewarded=float((rewards != 0).mean()),
        reward_at_end=played.rewarded_ends > 0 and played.rewarded_ends == int((rewards != 0).sum()),
        reward_low=float(rewards.min()),
        reward_high=float(rewards.max()),
        mean_return=float(np.mean(played.returns)) if lengths else None,
        bounded=_is_bounded(trial.env.observation_space),
        largest_number=played.largest,
        strayed=played.strayed,
        constant_parts=tuple(name for name in played.first if name not in played.changed),
        deterministic=repeated.deterministic,
        compared_steps=repeated.steps,
        single_episodes=single.episodes,
        single_found=single.found,
        held_episodes=held.episodes,
        held_found=held.found,
        steps_per_second=1 / max(played.seconds_per_step, 1e-9),
        observation=observation_facts(trial.spaces),
    )


def observation_facts(spaces: Spaces) -> ObservationFacts:
    """What an environment with these spaces shows at every step."""
    parts = spaces.parts
    tables = [part for part in parts if part.kind in ("rows", "entities")]
    sides = [min(part.map_shape[1:]) for part in parts if part.kind == "image"]
    return ObservationFacts(
        parts=len(parts),
        only_numbers=all(part.kind in ("vector", "discrete") for part in parts),
        numbers=sum(part.shape[0] for part in parts if part.kind == "vector"),
        categories=sum(sum(part.sizes) for part in parts if part.kind == "discrete"),
        rows=sum(part.raw_shape[0] for part in tables),
        row_numbers=sum(part.shape[0] for part in tables),
        maps=sum(part.kind in ("image", "grid") for part in parts),
        picture_side=max(sides, default=0),
        step_bytes=sum(map(spaces.kept_bytes, parts)),
    )


def time_limit_of(env: gymnasium.Env[Any, Any]) -> int | None:
    """The fewest steps after which an environment or one of its wrappers says that it cuts an episode; None: it does
    not say.
    """
    limits: list[object] = []
    layer: gymnasium.Env[Any, Any] | None = env
    while layer is not None:
        if layer.spec is not None:
            limits.append(layer.spec.max_episode_steps)
        layer = layer.env if isinstance(layer, gymnasium.Wrapper) else None
    limits += [offered(env.unwrapped, name) for name in _LIMIT_NAMES]
    return min((limit for limit in limits if type(limit) is int and limit > 0), default=None)


class _Played:
    """Counts what happens in episodes of random actions."""

    def __init__(self) -> None:
        self.rewards: list[float] = []
        self.lengths: list[int] = []
        self.returns: list[float] = []
        self.terminated = 0
        self.rewarded_ends = 0  # episodes that ended with a reward other than 0
        self.first: dict[str, bytes] = {}
        self.changed: set[str] = set()
        self.largest = 0.0
        self.seconds_per_step = 0.0
        self.strayed: tuple[str, float, float, float] | None = None
        self._bounds: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._compared = 0

    def play(self, trial: Trial, steps: int, seconds: float, clock: Clock) -> None:
        """Episodes until there are enough steps or episodes, or the time is over."""
        generator = np.random.default_rng(_FIRST_SEED)
        numeric = [part.name for part in trial.spaces.parts if part.kind in ("vector", "rows", "entities")]
        self._bounds = _bounds_of(trial.env.observation_space, trial.spaces)
        seed = _FIRST_SEED
        self._see(trial.reset(seed), numeric)
        start, began = clock(), 0
        times = [start]
        while True:
            parts, reward, terminated, truncated = trial.step(
                random_action(generator, trial.spaces.actions, trial.legal)
            )
            self.rewards.append(reward)
            self._see(parts, numeric)
            if terminated or truncated:
                self.lengths.append(len(self.rewards) - began)
                self.returns.append(sum(self.rewards[began:]))
                self.terminated += terminated
                self.rewarded_ends += reward != 0
                began = len(self.rewards)
            times.append(clock())
            enough = len(self.rewards) >= steps or len(self.lengths) >= MOST_EPISODES
            over = enough or times[-1] - start >= seconds
            if over:
                break
            if terminated or truncated:
                seed += 1
                self._see(trial.reset(seed), numeric)
        self.seconds_per_step = _usual_mean(np.diff(times))

    def _see(self, parts: dict[str, np.ndarray], numeric: list[str]) -> None:
        for name, values in parts.items():
            if name not in self.changed and self.first.setdefault(name, values.tobytes()) != values.tobytes():
                self.changed.add(name)
        if self._compared < COMPARED_WITH_BOUNDS and self.strayed is None:
            self._compared += 1
            self._compare_with_bounds(parts)
        for name in numeric:
            finite = np.abs(parts[name], dtype=np.float64)
            self.largest = max(self.largest, float(finite.max(where=np.isfinite(finite), initial=0.0)))

    def _compare_with_bounds(self, parts: dict[str, np.ndarray]) -> None:
        for name, (low, high, margin) in self._bounds.items():
            values = parts[name][0]
            outside = np.flatnonzero((values < low - margin) | (values > high + margin))
            if outside.size:
                first = outside[0]
                self.strayed = name, float(values[first]), float(low[first]), float(high[first])
                return


def _bounds_of(space: gym_spaces.Space[Any], spaces: Spaces) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The bounds of all parts of numbers and how far rounding may lead beyond them, (F,) each."""
    bounds = {}
    for part, (_, leaf) in zip(spaces.parts, walk(space), strict=True):
        if isinstance(leaf, gym_spaces.Box) and part.kind in ("vector", "rows", "entities", "image"):
            low, high = leaf.low.ravel().astype(np.float64), leaf.high.ravel().astype(np.float64)
            bounds[part.name] = low, high, 1e-5 * np.minimum(1e30, np.maximum(np.abs(low), np.abs(high)))
    return bounds


def _usual_mean(seconds: NDArray[np.float64]) -> float:
    """Mean without the hundredth of the steps that took longest: there the machine did something else meanwhile."""
    kept = np.sort(seconds)[: max(1, len(seconds) * 99 // 100)]
    return float(kept.mean())


def _is_bounded(space: gym_spaces.Space[Any]) -> bool:
    return all(
        not isinstance(leaf, gym_spaces.Box)
        or bool((np.abs(leaf.low) < _UNBOUNDED_FROM).all() and (np.abs(leaf.high) < _UNBOUNDED_FROM).all())
        for _, leaf in walk(space)
    )
