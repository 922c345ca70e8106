"""What an agent needs so that it can use an environment: the wrappers that are missing, and the line that adds them."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
from gymnasium import spaces as gym_spaces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.actions import MOST_COMBINATIONS
from dqngui.envs.spaces import ObservationLayout, Spaces, space_context, spaces_of
from dqngui.envs.suggested_wrappers import discretize_wrapper, with_option, wrappers_data

Env = gymnasium.Env[Any, Any]


def usable_spaces(env: Env, config: EnvConfig) -> Spaces:
    """The observation parts and actions of an environment, as `spaces_of` gives them.

    Raises ConfigError if no agent here can use them, with the option to copy if other settings would help.
    """
    try:
        return spaces_of(env, config)
    except ConfigError as error:
        missing = missing_wrappers(env)
        counts = _counts(env, config, missing)
        if counts is None:  # no wrapper helps
            raise
        changes = {"env.wrappers": wrappers_data((*config.wrappers, *missing))} if missing else {}
        changes |= unfit_names(config, *counts)
        raise (with_option(error, changes) if changes else error) from None


def unfit_names(config: EnvConfig, features: int, actions: int) -> dict[str, Any]:
    """The settings of chosen names, emptied where these are not as many as there are named numbers or actions."""
    given = (("env.features", config.features, features), ("env.actions", config.actions, actions))
    return {path: [] for path, names, count in given if names and len(names) != count}


def _counts(env: Env, config: EnvConfig, missing: tuple[Wrapper, ...]) -> tuple[int, int] | None:
    """How many numbers of the observation have names, and how many actions there are, once these wrappers are added;
    None if the environment cannot be used even then.
    """
    observation, action = env.observation_space, env.action_space
    actions = int(action.n) if isinstance(action, gym_spaces.Discrete) else None
    for wrapper in missing:
        if wrapper.name == "keep":
            observation = _only(observation, wrapper.options["entries"])
        else:
            actions = wrapper.options["bins"] ** math.prod(action.shape or ())
    if actions is None or not _can_read(observation):
        return None
    parts = ObservationLayout(observation, context=space_context(env, config)).parts
    return sum(part.named_numbers for part in parts), actions


def missing_wrappers(env: gymnasium.Env[Any, Any], most_actions: int = MOST_COMBINATIONS) -> tuple[Wrapper, ...]:
    """Wrappers that leave out what no network reads and cut continuous actions into bins; () if none are needed, or if
    these do not make the environment usable with at most `most_actions` actions.
    """
    missing: list[Wrapper] = []
    if not _can_read(env.observation_space):
        entries = readable_entries(env.observation_space)
        if not entries or not _can_read(_only(env.observation_space, entries)):
            return ()
        missing.append(Wrapper(name="keep", options={"entries": entries}))
    if isinstance(env.action_space, gym_spaces.Box):
        discretize = discretize_wrapper(env.action_space, most_actions)
        if discretize is None:
            return ()
        missing.append(discretize)
    elif not isinstance(env.action_space, (gym_spaces.Discrete, gym_spaces.MultiDiscrete, gym_spaces.MultiBinary)):
        return ()
    return tuple(missing)


def readable_entries(space: gym_spaces.Space[Any]) -> list[int | str]:
    """Keys of a dictionary or members of a tuple that a network can read; none of another space."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(space, gym_spaces.Dict):
        inner = list(space.spaces.items())
    elif isinstance(space, gym_spaces.Tuple):
        inner = list(enumerate(space.spaces))
    return [key for key, part in inner if isinstance(key, (int, str)) and _can_read(part)]


def left_out_entries(env: Env) -> list[int | str]:
    """Keys or members of the observation that a wrapper `keep` around an environment leaves out."""
    kept = env.observation_space
    layer: Env | None = env
    while isinstance(layer, gymnasium.Wrapper):
        whole = layer.env.observation_space
        if _entries(whole) and len(_entries(whole)) > len(_entries(kept)):
            chosen = readable_entries(whole)
            return [key for key in _entries(whole) if key not in chosen]
        layer = layer.env
    return []


def _entries(space: gym_spaces.Space[Any]) -> list[int | str]:
    if isinstance(space, gym_spaces.Dict):
        return [key for key in space.spaces if isinstance(key, (int, str))]
    return list(range(len(space.spaces))) if isinstance(space, gym_spaces.Tuple) else []


def _only(space: Any, entries: list[int | str]) -> gym_spaces.Space[Any]:
    """The space of these entries of a dictionary or tuple."""
    chosen = [space[entry] for entry in entries]
    if isinstance(space, gym_spaces.Dict):
        return gym_spaces.Dict(dict(zip(map(str, entries), chosen, strict=True)))
    return gym_spaces.Tuple(chosen)


def _can_read(space: gym_spaces.Space[Any]) -> bool:
    try:
        ObservationLayout(space)
    except ConfigError:
        return False
    return True
