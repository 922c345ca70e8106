"""The observation parts and actions of an environment, read from its gymnasium spaces.

An observation space is split into its leaves; each leaf is one named part, of one of the kinds in `parts`.
Dict and Tuple spaces, nested too, name their parts by key or index, joined with `/`; any other observation is one
part called `observation`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium
import msgspec
import numpy as np
from gymnasium import spaces as gym_spaces
from gymnasium.wrappers import FrameStackObservation

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.choices import MOST_COMBINED, Choices
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.observed import short
from dqngui.envs.offered_names import offered, offered_actions, offered_dimensions, offered_features, plain_names
from dqngui.envs.parts import ObservationPart, SpaceContext, is_text, part_of
from dqngui.envs.row_kinds import with_row_kinds
from dqngui.envs.suggested_wrappers import continuous
from dqngui.envs.words import word_ids
from dqngui.texts import Text, say

__all__ = ["ObservationLayout", "ObservationPart", "Spaces", "kind_of", "named", "spaces_of", "walk"]

MOST_JOINT = 100
"""Combinations of several choices that have a value each unless the experiment says otherwise; of more, each choice's
options have values of their own."""
LEAST_STACK = 1024
"""Stacks of fewer bytes are kept whole: building them would cost more than their room."""
MOST_ACTIONS = 100_000
"""Each action has a value and a name."""


class Spaces(msgspec.Struct, frozen=True):
    """The parts of an environment's observations and its number of actions.

    Attributes:
        actions: number of actions; of several choices at once, the number of their combinations.
        choices: the options of each of several choices whose values are learned one by one; empty: every action, or
            every combination, has a value of its own.
        option_names: one name per option of each choice, side by side; empty without `choices`.
        dimension_names: one name per choice; empty without `choices`.
        features: names of the entries of all vector parts and of a row's numbers, in the parts' order.
        action_names: one name per action.
        frames: number of last observations, the oldest first, that the environment says its observations join along
            their first axis; 0: it does not say so. It may be wrong.
    """

    parts: tuple[ObservationPart, ...]
    actions: int
    features: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()
    frames: int = 0
    choices: tuple[int, ...] = ()
    option_names: tuple[str, ...] = ()
    dimension_names: tuple[str, ...] = ()

    @property
    def several(self) -> Choices | None:
        """The choices that are made at once; None if every action has a value of its own."""
        return Choices(self.choices) if self.choices else None

    @property
    def options(self) -> int:
        """Entries of values and masks: one an action, or one an option of each choice."""
        return sum(self.choices) if self.choices else self.actions

    def frames_of(self, part: ObservationPart) -> int:
        """Number of frames of a part that a replay keeps frame by frame; 0: it keeps the part whole."""
        stack = self.frames >= 2 and part.raw_shape[:1] == (self.frames,)
        return self.frames if stack and part.bytes >= LEAST_STACK else 0

    def kept_bytes(self, part: ObservationPart) -> int:
        """Bytes of a part that a replay keeps of each step, each frame of a stack once."""
        return part.bytes // max(1, self.frames_of(part))


class _Leaf(msgspec.Struct, frozen=True):
    part: ObservationPart
    path: tuple[Any, ...]  # keys that lead to it
    start: Any = None  # smallest category if that is not 0; it is subtracted
    limits: Any = None  # of a Box of categories: their number in each entry, (F,)
    space: Any = None


class ObservationLayout:
    """Converts the observations of one space to stored arrays, part by part."""

    def __init__(
        self,
        space: gym_spaces.Space[Any],
        where: str = "env.id",
        context: SpaceContext | None = None,
        name: str = "the environment",
    ) -> None:
        """Raises ConfigError, naming `where`, for a space that no encoder reads. `name`: of the environment."""
        self._name = name
        known = context or SpaceContext()
        self._leaves = tuple(_leaf(path, leaf, space, where, known) for path, leaf in walk(space))
        if not self._leaves:
            raise ConfigError("observation.nothing", where=where)
        names = [leaf.part.name for leaf in self._leaves]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError("observation.twice", where=where, name=twice)

    @classmethod
    def of(cls, env: gymnasium.Env[Any, Any], config: EnvConfig) -> ObservationLayout:
        """The layout of an environment's observations. Raises ConfigError."""
        name = config.id.rpartition(":")[2]
        return cls(env.observation_space, context=space_context(env, config), name=name)

    @property
    def parts(self) -> tuple[ObservationPart, ...]:
        return tuple(leaf.part for leaf in self._leaves)

    def texts(self, observation: Any) -> dict[str, str]:
        """The texts in an observation, by part."""
        texts = {}
        for leaf in self._leaves:
            if leaf.part.kind == "text":
                value = observation
                for key in leaf.path:
                    value = value[key]
                texts[leaf.part.name] = str(value)
        return texts

    def gather(self, observations: Sequence[Any]) -> dict[str, np.ndarray]:
        """The observations of N environments as new arrays {part: (N, *shape)}.

        Raises EnvironmentFault for a category that is none of its part; `border` has checked everything else.
        """
        gathered = {}
        count = len(observations)
        for leaf in self._leaves:
            part = leaf.part
            values = observations
            for key in leaf.path:
                values = [value[key] for value in values]
            if part.kind == "text":
                rows = np.array([word_ids(text) for text in values])
            elif leaf.limits is not None:
                rows = self._categories(leaf, np.array(values))
            elif leaf.start is None:
                rows = np.array(values, part.dtype)
            else:
                rows = (np.array(values, np.int64) - leaf.start).astype(part.dtype)
            gathered[part.name] = rows.reshape(count, *part.shape)
        return gathered

    def _categories(self, leaf: _Leaf, values: np.ndarray) -> np.ndarray:
        """Categories (N, …) of a Box, as stored. Raises EnvironmentFault."""
        flat = values.reshape(len(values), -1)
        if values.dtype.kind not in "biu" or (flat >= leaf.limits).any() or flat.min() < 0:
            wrong = (flat >= leaf.limits) | (flat < 0) | (flat != np.floor(flat))
            if wrong.any():
                row, entry = np.argwhere(wrong)[0]
                text = say(
                    "fault.categories",
                    name=self._name,
                    value=str(flat[row, entry]),
                    part=leaf.part.name,
                    last=int(leaf.limits[entry]) - 1,
                    space=short(leaf.space),
                )
                raise EnvironmentFault(text)
        return values.astype(leaf.part.dtype)


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


def _leaf(path: tuple[Any, ...], space: Any, whole: Any, where: str, context: SpaceContext) -> _Leaf:
    name = "/".join(str(key) for key in path) or "observation"
    try:
        part = part_of(name, space, context)
    except ConfigError as error:
        raise ConfigError("observation.wrong", where=where, problem=error) from None
    if part is None:
        raise ConfigError("observation.unreadable", where=where, name=name, kind=kind_of(space))
    if isinstance(space, gym_spaces.Box) and part.kind == "grid":
        return _Leaf(part, path, limits=_limits(part), space=space)
    if isinstance(space, gym_spaces.Discrete):
        return _Leaf(part, path, int(space.start) or None)
    if isinstance(space, gym_spaces.MultiDiscrete) and space.start.any():
        return _Leaf(part, path, space.start.astype(np.int64))
    return _Leaf(part, path)


def _limits(part: ObservationPart) -> np.ndarray:
    """The number of categories of each entry of a grid, (F,)."""
    by_channel = np.array(part.sizes).reshape(
        [size for axis, size in zip(part.axes, part.raw_shape, strict=True) if axis in "nc"]
    )
    outer = [index if axis in "nc" else None for index, axis in enumerate(part.axes)]
    shape = [size if place is not None else 1 for place, size in zip(outer, part.raw_shape, strict=True)]
    return np.broadcast_to(by_channel.reshape(shape), part.raw_shape).ravel().copy()


def space_context(env: gymnasium.Env[Any, Any], config: EnvConfig) -> SpaceContext:
    minigrid = sys.modules.get("minigrid.minigrid_env")  # if it is not imported, no environment is from there
    frames = offered(env, "joined_frames")
    frames = frames if type(frames) is int else 0  # an environment may use the name for something else
    known = minigrid is not None and isinstance(env.unwrapped, minigrid.MiniGridEnv)
    return SpaceContext(known, frames, config.boxes)


def kind_of(space: gym_spaces.Space[Any]) -> Text:
    """What a space holds, for an error."""
    return say("space.text") if is_text(space) else say("space.other", name=type(space).__name__)


# -- names and actions ----------------------------------------------------------------------------


def spaces_of(env: gymnasium.Env[Any, Any], config: EnvConfig) -> Spaces:
    """The observation parts and actions of an environment. Raises ConfigError if no agent here can use them."""
    parts = ObservationLayout.of(env, config).parts
    sizes = chosen_apart(env, config)
    actions = _actions(env, apart=bool(sizes))
    count = sum(part.named_numbers for part in parts)
    if config.features and len(config.features) != count:
        raise ConfigError("env.wrong_features", given=len(config.features), count=count)
    if config.actions and len(config.actions) != actions:
        raise ConfigError("env.wrong_actions", given=len(config.actions), count=actions)
    features = (
        config.features or named(env, "feature_names", count) or offered_features(env, parts) or _numbered_names(parts)
    )
    if sizes:
        options, dimensions = names_of_choices(env, sizes)
        rows = with_row_kinds(parts, features, env, config.rows)
        return Spaces(rows, actions, features, (), joined_frames(env), sizes, options, dimensions)
    return Spaces(
        with_row_kinds(parts, features, env, config.rows),
        actions,
        features,
        config.actions
        or named(env, "action_names", actions)
        or offered_actions(env, actions)
        or tuple(str(index) for index in range(actions)),
        joined_frames(env),
    )


def chosen_apart(env: gymnasium.Env[Any, Any], config: EnvConfig) -> tuple[int, ...]:
    """The options of each of several choices, if their values are to be learned one by one; else ()."""
    sizes = tuple(int(size) for size in offered(env, "choices") or ())
    few = math.prod(sizes) <= MOST_JOINT
    if len(sizes) < 2 or config.several == "joint" or (config.several == "auto" and few):
        return ()
    return sizes


def names_of_choices(env: gymnasium.Env[Any, Any], sizes: tuple[int, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of all options, side by side, and of the choices."""
    total, dimensions = sum(sizes), offered_dimensions(env, len(sizes))
    options = named(env, "option_names", total) or tuple(str(index) for size in sizes for index in range(size))
    return options, dimensions or tuple(f"action[{index}]" for index in range(len(sizes)))


def joined_frames(env: gymnasium.Env[Any, Any]) -> int:
    """Number of frames that a wrapper around an environment joins: ours, gymnasium's, or any that has the whole number
    `frame_stack`; 0 without one.
    """
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, FrameStackObservation):
            return int(layer.stack_size)
        for name in ("joined_frames", "frame_stack"):
            frames = vars(layer).get(name)
            if type(frames) is int and frames >= 2:
                return frames
        layer = layer.env
    frames = offered(env, "frame_stack")
    return frames if type(frames) is int and frames >= 2 else 0


def _actions(env: gymnasium.Env[Any, Any], apart: bool = False) -> int:
    space = env.action_space
    if isinstance(space, gym_spaces.Discrete):
        if space.n > (MOST_COMBINED if apart else MOST_ACTIONS):
            raise ConfigError("env.too_many_actions", count=int(space.n), most=MOST_ACTIONS)
        return int(space.n)
    if isinstance(space, gym_spaces.Box):
        raise ConfigError(continuous(space))
    raise ConfigError("env.actions_of_space", space=type(space).__name__)


def named(env: gymnasium.Env[Any, Any], attribute: str, count: int) -> tuple[str, ...]:
    """Names of the entries from an attribute of the environment or a wrapper; () if there are none, or too few or
    many, or if they are no plain text.
    """
    return plain_names(offered(env, attribute), count)


def _numbered_names(parts: tuple[ObservationPart, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for part in parts:
        prefix = "x" if part.name == "observation" else part.name
        if part.kind == "rows":
            names += [f"{prefix}[{index}]" for index in range(part.raw_shape[1])]
        if part.kind != "vector":
            continue
        if part.shape[0] == 1:
            names.append(prefix)
        elif len(part.raw_shape) == 1:
            names += [f"{prefix}[{index}]" for index in range(part.shape[0])]
        else:
            names += [f"{prefix}{list(index)}" for index in np.ndindex(*part.raw_shape)]
    return tuple(names)
