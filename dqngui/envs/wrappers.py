"""The environment wrappers of the catalog.

Each is a function (env, options) -> env that raises ConfigError, without the setting's path, if it does not fit;
`make_env` adds the path. No wrapper keeps anything from one episode to the next.
"""

from __future__ import annotations

import copy
import math
from collections import deque
from functools import partial
from operator import mul
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from gymnasium.wrappers import DiscretizeAction, TimeLimit, TransformReward

from dqngui.catalog.wrappers import (
    DiscretizeOptions,
    FrameStackOptions,
    KeepOptions,
    RewardScaleOptions,
    TimeLimitOptions,
)
from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.actions import MOST_COMBINATIONS
from dqngui.envs.choices import MOST_COMBINED
from dqngui.envs.facts import Facts, HidesFacts
from dqngui.envs.missing_wrappers import readable_entries
from dqngui.envs.offered_names import LONGEST, offered_dimensions, offered_features
from dqngui.envs.spaces import ObservationLayout, kind_of, named
from dqngui.envs.suggested_wrappers import UnfitWrapper, discretize_wrapper
from dqngui.texts import say

Env = gymnasium.Env[Any, Any]
MOST_FACTS = 32
"""A part with more numbers than this counts as a picture; if it is left out, its numbers are not facts."""


# -- keep -----------------------------------------------------------------------------------------


class _KeepEntries(gymnasium.ObservationWrapper[Any, Any, Any], HidesFacts):
    """Keeps some entries of a vector."""

    def __init__(self, env: Env, indices: list[int]) -> None:
        super().__init__(env)
        self._indices = np.array(indices)
        self.observation_space = _chosen(env.observation_space, self._indices)
        names = _entry_names(env)
        self.feature_names = tuple(names[index] for index in indices) if names else ()
        dropped = sorted(set(range(env.observation_space.shape[0])) - set(indices))  # type: ignore[index]
        dropped = dropped if len(dropped) <= MOST_FACTS else []
        self._dropped = {names[index] if names else f"entry {index}": index for index in dropped}
        self._whole = np.zeros(0)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        self._whole = observation
        return observation.take(self._indices)

    def hidden(self) -> Facts:
        return {name: self._whole[index].item() for name, index in self._dropped.items()}


class _KeepKeys(gymnasium.ObservationWrapper[Any, Any, Any], HidesFacts):
    """Keeps some keys of a dictionary, or some members of a tuple."""

    def __init__(self, env: Env, keys: list[Any]) -> None:
        super().__init__(env)
        self._keys = keys
        space: Any = env.observation_space
        self._make: Any = tuple
        if isinstance(space, gym_spaces.Dict):
            self._make = lambda values: dict(zip(keys, values, strict=True))
            self.observation_space = gym_spaces.Dict({key: space[key] for key in keys})
        else:
            self.observation_space = gym_spaces.Tuple([space[key] for key in keys])
        every = list(space.spaces) if isinstance(space, gym_spaces.Dict) else list(range(len(space.spaces)))
        self._dropped = [key for key in every if key not in keys and _is_short(space[key])]
        self._whole: Any = {}

    def observation(self, observation: Any) -> Any:
        self._whole = observation
        return self._make([observation[key] for key in self._keys])

    def hidden(self) -> Facts:
        facts: Facts = {}
        for key in self._dropped:
            numbers = np.ravel(self._whole[key]).tolist()
            facts |= {f"{key}[{place}]" if len(numbers) > 1 else str(key): n for place, n in enumerate(numbers)}
        return facts


def _entry_names(env: Env) -> tuple[str, ...]:
    """Names of all numbers of the observation, if it is one array; () if they have none."""
    space = env.observation_space
    names = named(env, "feature_names", math.prod(space.shape or (0,)))
    if names or not isinstance(space, gym_spaces.Box):
        return names
    parts = ObservationLayout.of(env, EnvConfig()).parts
    return offered_features(env, parts) if parts[0].kind == "vector" else ()


def _is_short(space: gym_spaces.Space[Any]) -> bool:
    """Whether a space is a few numbers, and not a picture or a text."""
    return space.shape is not None and math.prod(space.shape) <= MOST_FACTS


def keep(env: Env, options: KeepOptions) -> Env:
    """Only the named entries of a vector, dictionary or tuple, in the order given."""
    space = env.observation_space
    entries = options.entries
    if not entries or len(set(entries)) < len(entries):
        raise ConfigError("wrapper.no_entries")
    if isinstance(space, gym_spaces.Dict):
        _check_entries(entries, list(space.spaces), "wrapper.no_key")
        return _KeepKeys(env, entries)
    if isinstance(space, gym_spaces.Tuple):
        _check_entries(entries, list(range(len(space.spaces))), "wrapper.no_member")
        return _KeepKeys(env, entries)
    vector = isinstance(space, (gym_spaces.Box, gym_spaces.MultiDiscrete, gym_spaces.MultiBinary))
    if not vector or len(space.shape or ()) != 1:
        raise ConfigError("wrapper.keep_needs", space=str(space))
    _check_entries(entries, list(range(space.shape[0])), "wrapper.no_entry")  # type: ignore[index]
    return _KeepEntries(env, [int(entry) for entry in entries])


def _check_entries(
    entries: list[int | str], known: list[Any], key: Literal["wrapper.no_key", "wrapper.no_member", "wrapper.no_entry"]
) -> None:
    """Raises ConfigError with this key for an entry that is not known."""
    for entry in entries:
        if entry not in known:
            short = isinstance(known[0], str) or len(known) < 4
            raise ConfigError(
                key, entry=repr(entry), known=map(str, known) if short else say("wrapper.up_to", last=known[-1])
            )


def _chosen(space: Any, indices: np.ndarray) -> gym_spaces.Space[Any]:
    if isinstance(space, gym_spaces.Box):
        return gym_spaces.Box(space.low[indices], space.high[indices], dtype=space.dtype.type)
    if isinstance(space, gym_spaces.MultiDiscrete):
        return gym_spaces.MultiDiscrete(space.nvec[indices], dtype=space.dtype.type, start=space.start[indices])
    return gym_spaces.MultiBinary(len(indices))


# -- frame stack ----------------------------------------------------------------------------------


class _FrameStack(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Joins the last frames along a new first axis, oldest first; an episode starts with copies of its first frame.

    Unlike gymnasium's wrapper, categories stay categories: a stack of them is a MultiDiscrete space.
    """

    def __init__(self, env: Env, frames: int) -> None:
        super().__init__(env)
        self._inner = env.observation_space
        self._frames: deque[Any] = deque(maxlen=frames)
        self.joined_frames = frames  # tells observation parts that the first axis is time
        self.observation_space = _stacked_space(self._inner, frames)
        names = _entry_names(env)
        self.feature_names = tuple(
            f"{name} (t−{back})" if back else name for back in range(frames)[::-1] for name in names
        )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._frames.extend([copy.deepcopy(observation)] * (self._frames.maxlen or 1))
        return _stacked(self._inner, list(self._frames)), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._frames.append(copy.deepcopy(observation))  # some environments reuse their array
        return _stacked(self._inner, list(self._frames)), reward, terminated, truncated, info


def frame_stack(env: Env, options: FrameStackOptions) -> Env:
    """The last `frames` observations as one."""
    try:
        return _FrameStack(env, options.frames)
    except UnfitWrapper as error:
        stacked = Wrapper(name="frame_stack", options={"frames": options.frames})
        entries = [entry for entry in readable_entries(env.observation_space) if _stacks(env.observation_space[entry])]  # type: ignore[index]
        instead = (Wrapper(name="keep", options={"entries": entries}), stacked) if entries else None
        raise UnfitWrapper(error.text, instead=instead) from None


def _stacks(space: gym_spaces.Space[Any]) -> bool:
    try:
        _stacked_space(space, 2)
    except ConfigError:
        return False
    return True


def _stacked_space(space: Any, frames: int) -> gym_spaces.Space[Any]:
    def repeat(values: Any) -> np.ndarray:
        return np.repeat(np.asarray(values)[None], frames, axis=0)

    match space:
        case gym_spaces.Dict():
            return gym_spaces.Dict({key: _stacked_space(inner, frames) for key, inner in space.spaces.items()})
        case gym_spaces.Tuple():
            return gym_spaces.Tuple([_stacked_space(inner, frames) for inner in space.spaces])
        case gym_spaces.Box():
            return gym_spaces.Box(repeat(space.low), repeat(space.high), dtype=space.dtype.type)
        case gym_spaces.Discrete():
            return gym_spaces.MultiDiscrete(repeat(space.n), start=repeat(space.start))
        case gym_spaces.MultiDiscrete():
            return gym_spaces.MultiDiscrete(repeat(space.nvec), dtype=space.dtype.type, start=repeat(space.start))
        case gym_spaces.MultiBinary():
            return gym_spaces.MultiBinary([frames, *space.shape])
    raise UnfitWrapper("wrapper.not_stacked", what=kind_of(space))


def _stacked(space: Any, observations: list[Any]) -> Any:
    if isinstance(space, gym_spaces.Dict):
        return {key: _stacked(inner, [o[key] for o in observations]) for key, inner in space.spaces.items()}
    if isinstance(space, gym_spaces.Tuple):
        return tuple(_stacked(inner, [o[i] for o in observations]) for i, inner in enumerate(space.spaces))
    return np.stack(observations)


# -- reward, time, actions ------------------------------------------------------------------------


def reward_scale(env: Env, options: RewardScaleOptions) -> Env:
    """Every reward times `factor`: curves and evaluations show the scaled ones."""
    return TransformReward(env, partial(mul, options.factor))


def time_limit(env: Env, options: TimeLimitOptions) -> Env:
    """Episodes are truncated after `steps`, or earlier where the task has a shorter limit of its own."""
    return TimeLimit(env, options.steps)


class _Discretize(DiscretizeAction[Any, Any, Any]):
    """gymnasium's wrapper, with names for its actions: the values in the middle of the bins, or from end to end.

    Attributes:
        choices: the bins of each dimension; a combination of them is one action, the last dimension's varying fastest.
    """

    def __init__(self, env: Env, bins: tuple[int, ...], ends: bool) -> None:
        super().__init__(env, bins)
        self.choices = tuple(int(each) for each in self.bins)
        self.action_space = gym_spaces.Discrete(math.prod(self.choices))
        if ends:
            bounds = zip(self.low, self.high, self.choices, strict=True)
            self.bin_centers = [np.linspace(low, high, count) for low, high, count in bounds]

    @property
    def option_names(self) -> tuple[str, ...]:
        """The value of each bin, dimension by dimension."""
        spans = np.repeat(self.high - self.low, self.choices)
        values = np.concatenate(self.bin_centers).astype(np.float64)
        values[np.abs(values) < 1e-6 * spans] = 0.0
        return tuple(f"{value:.3g}" for value in values)

    @property
    def action_names(self) -> tuple[str, ...]:
        """One name a combination; none where there are many."""
        if math.prod(self.choices) > MOST_COMBINATIONS:
            return ()
        values = np.array([np.ravel(self.action(index)) for index in range(math.prod(self.choices))], np.float64)
        values[np.abs(values) < 1e-6 * (self.high - self.low)] = 0.0  # the middle of -1 and 1 is not exactly 0
        numbers = [[f"{number:.3g}" for number in row] for row in values]
        dimensions = offered_dimensions(self, len(self.bins))
        if dimensions:
            named_ = tuple(", ".join(map(" ".join, zip(dimensions, row, strict=True))) for row in numbers)
            if max(map(len, named_)) <= LONGEST:
                return named_
        return tuple(map(" ".join, numbers))


def discretize(env: Env, options: DiscretizeOptions) -> Env:
    """Continuous actions as one choice among all combinations of the dimensions' bins."""
    space = env.action_space
    if not isinstance(space, gym_spaces.Box):
        raise UnfitWrapper("wrapper.discrete_already", instead=(), space=str(space))
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise ConfigError("wrapper.no_bounds")
    size = math.prod(space.shape)
    fitting = discretize_wrapper(space)
    instead = None if fitting is None else (fitting,)
    bins = [options.bins] * size if isinstance(options.bins, int) else options.bins
    if len(bins) != size:
        raise UnfitWrapper("wrapper.bins_count", instead=instead, given=len(bins), needed=size)
    if min(bins) < 2:
        raise UnfitWrapper("wrapper.bins_few", instead=instead, least=min(bins))
    if math.prod(bins) > MOST_COMBINED:
        raise UnfitWrapper("wrapper.bins_far_too_many", instead=instead, dimensions=size)
    return _Discretize(env, tuple(bins), options.ends)
