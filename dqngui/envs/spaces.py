"""What an agent sees and does: observation parts and actions, read from gymnasium's spaces.

An observation space is taken apart into its leaves; each leaf is one named part.

| space                           | kind       | stored as                                  | shape            |
|---------------------------------|------------|--------------------------------------------|------------------|
| Box of floats or integers       | vector     | float32                                    | (F,), flattened  |
| Box of uint8 (pictures)         | vector     | uint8, `scale` makes numbers from 0 to 1   | (F,), flattened  |
| MultiBinary, Box of bool        | vector     | uint8                                      | (F,), flattened  |
| Discrete, MultiDiscrete         | discrete   | int32 from 0, whatever the space's `start` | (number of them,)|

Dict and Tuple spaces, nested too, name their parts by key or index, joined with `/`; any other
observation is one part called `observation`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import gymnasium
import msgspec
import numpy as np
from gymnasium import spaces as gym_spaces

from dqngui.config import ConfigError, EnvConfig

MAX_CATEGORIES = 1_000_000
"""A discrete part with more categories than this would need a table that no one means to train."""


class Part(msgspec.Struct, frozen=True):
    """One part of an observation.

    Attributes:
        kind: `vector` holds numbers, `discrete` holds categories.
        shape: of one step's stored array, always one axis.
        dtype: of the stored array.
        sizes: number of categories of each entry of a discrete part.
        scale: a vector part's stored numbers times this is what the network should see.
        raw_shape: shape before flattening, to draw a picture from it.
    """

    name: str
    kind: Literal["vector", "discrete"]
    shape: tuple[int, ...]
    dtype: str
    sizes: tuple[int, ...] = ()
    scale: float = 1.0
    raw_shape: tuple[int, ...] = ()


class Spaces(msgspec.Struct, frozen=True):
    """Parts of an observation and number of actions.

    Attributes:
        features: names of the entries of all vector parts, in order.
        action_names: one name an action.
    """

    parts: tuple[Part, ...]
    actions: int
    features: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()


class _Leaf(msgspec.Struct, frozen=True):
    part: Part
    path: tuple[Any, ...]  # keys that lead to it
    start: Any = None  # smallest category where that is not 0, taken away


class Layout:
    """How observations of one space become stored arrays."""

    def __init__(self, space: gym_spaces.Space[Any], where: str = "env.id") -> None:
        """Raises ConfigError, naming `where`, for a space that no encoder reads."""
        self._leaves = tuple(_leaf(path, leaf, space, where) for path, leaf in walk(space))
        if not self._leaves:
            raise ConfigError(f"`{where}`: the observation has no entries")
        names = [leaf.part.name for leaf in self._leaves]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(f"`{where}`: two parts of the observation are called `{twice}`")

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(leaf.part for leaf in self._leaves)

    def gather(self, observations: Sequence[Any]) -> dict[str, np.ndarray]:
        """Observations of N environments to fresh arrays {part: (N, *shape)}."""
        gathered = {}
        count = len(observations)
        for leaf in self._leaves:
            part = leaf.part
            values = observations
            for key in leaf.path:
                values = [value[key] for value in values]
            if leaf.start is None:
                rows = np.array(values, part.dtype)
            else:
                rows = (np.array(values, np.int64) - leaf.start).astype(part.dtype)
            gathered[part.name] = rows.reshape(count, *part.shape)
        return gathered


def walk(space: gym_spaces.Space[Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Leaves of a space with the keys that lead to them, in the space's order."""
    if isinstance(space, gym_spaces.Dict):
        for key, inner in space.spaces.items():
            yield from walk(inner, (*path, key))
    elif isinstance(space, gym_spaces.Tuple):
        for index, inner in enumerate(space.spaces):
            yield from walk(inner, (*path, index))
    else:
        yield path, space


def _leaf(path: tuple[Any, ...], space: Any, whole: Any, where: str) -> _Leaf:
    name = "/".join(str(key) for key in path) or "observation"
    if isinstance(space, gym_spaces.Discrete):
        _check_categories(int(space.n), name, where)
        part = Part(name, "discrete", (1,), "int32", sizes=(int(space.n),))
        return _Leaf(part, path, int(space.start) or None)
    if isinstance(space, gym_spaces.MultiDiscrete):
        sizes = tuple(int(size) for size in space.nvec.ravel())
        _check_categories(sum(sizes), name, where)
        part = Part(name, "discrete", (len(sizes),), "int32", sizes=sizes, raw_shape=space.shape)
        return _Leaf(part, path, space.start.astype(np.int64) if space.start.any() else None)
    if isinstance(space, gym_spaces.MultiBinary):
        return _Leaf(_vector(name, space.shape, "uint8"), path)
    if isinstance(space, gym_spaces.Box):
        kind = space.dtype.kind
        if 0 in space.shape:
            raise ConfigError(f"`{where}`: the observation part `{name}` is empty (shape {space.shape})")
        if kind == "b":
            return _Leaf(_vector(name, space.shape, "uint8"), path)
        if space.dtype == np.uint8:
            return _Leaf(_vector(name, space.shape, "uint8", scale=1.0 / max(1, int(space.high.max()))), path)
        if kind in "iuf":
            return _Leaf(_vector(name, space.shape, "float32"), path)
    raise ConfigError(_unreadable(name, path, space, whole, where))


def kind_of(space: gym_spaces.Space[Any]) -> str:
    """What a space holds, in words for an error."""
    text = space.dtype is not None and space.dtype.kind == "U"  # minigrid's missions are no gymnasium Text
    return "text" if text or isinstance(space, gym_spaces.Text) else f"a {type(space).__name__} space"


def _vector(name: str, shape: tuple[int, ...], dtype: str, scale: float = 1.0) -> Part:
    return Part(name, "vector", (math.prod(shape),), dtype, scale=scale, raw_shape=tuple(shape))


def _check_categories(count: int, name: str, where: str) -> None:
    if count > MAX_CATEGORIES:
        raise ConfigError(
            f"`{where}`: the observation part `{name}` has {count:,} categories; at most {MAX_CATEGORIES:,} can be used"
        )


def _unreadable(name: str, path: tuple[Any, ...], space: Any, whole: Any, where: str) -> str:
    problem = f"`{where}`: the observation part `{name}` is {kind_of(space)}, which no network here reads"
    if not path:
        return f"{problem}; supported are Box, Discrete, MultiDiscrete, MultiBinary, and Dict or Tuple of them"
    keys = whole.spaces if isinstance(whole, gym_spaces.Dict) else range(len(whole.spaces))
    others = [key for key in keys if key != path[0]]
    example = msgspec.json.encode(others).decode()
    return f"{problem}; leave it out with the wrapper `keep`, for example with entries = {example}"


# -- names and actions ----------------------------------------------------------------------------


def spaces_of(env: gymnasium.Env[Any, Any], config: EnvConfig) -> Spaces:
    """What an environment shows and takes. Raises ConfigError for what no agent here can use."""
    parts = Layout(env.observation_space).parts
    actions = _actions(env)
    count = sum(part.shape[0] for part in parts if part.kind == "vector")
    features = _names(config.features, "features", count, "entries in the observation")
    action_names = _names(config.actions, "actions", actions, "actions")
    return Spaces(
        parts,
        actions,
        features or named(env, "feature_names", count) or _numbered(parts),
        action_names or named(env, "action_names", actions) or tuple(str(index) for index in range(actions)),
    )


def _actions(env: gymnasium.Env[Any, Any]) -> int:
    space = env.action_space
    if isinstance(space, gym_spaces.Discrete):
        return int(space.n)
    if isinstance(space, gym_spaces.Box):
        raise ConfigError("`env.id`: the actions are continuous; add the wrapper `discretize` to cut them into bins")
    raise ConfigError(
        f"`env.id`: the actions are a {type(space).__name__} space; a Q-network needs one Discrete choice"
    )


def _names(given: tuple[str, ...], field: str, count: int, what: str) -> tuple[str, ...]:
    if given and len(given) != count:
        raise ConfigError(f"`env.{field}`: {len(given)} names for {count} {what}")
    return given


def named(env: gymnasium.Env[Any, Any], attribute: str, count: int) -> tuple[str, ...]:
    """Names that the environment or its outermost wrapper gives its entries, or () if they do not fit."""
    if not env.has_wrapper_attr(attribute):
        return ()
    names = tuple(env.get_wrapper_attr(attribute))
    return names if len(names) == count else ()


def _numbered(parts: tuple[Part, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for part in parts:
        if part.kind != "vector":
            continue
        prefix = "x" if part.name == "observation" else part.name
        if part.shape[0] == 1:
            names.append(prefix)
        elif len(part.raw_shape) == 1:
            names += [f"{prefix}[{index}]" for index in range(part.shape[0])]
        else:
            names += [f"{prefix}{list(index)}" for index in np.ndindex(*part.raw_shape)]
    return tuple(names)
