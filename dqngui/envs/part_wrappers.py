"""Wrappers that add a part to the observation or blank one, as `dqngui.envs.wrappers` describes wrappers."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces

from dqngui.catalog.wrappers import WithoutPartOptions, WithPictureOptions
from dqngui.config import ConfigError
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.parts import is_text
from dqngui.envs.rendering import as_picture
from dqngui.texts import say

Env = gymnasium.Env[Any, Any]
NUMBERS, PICTURE = "numbers", "picture"


class _WithPicture(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Adds the rendered picture, made smaller, to the observation."""

    def __init__(self, env: Env, options: WithPictureOptions) -> None:
        super().__init__(env)
        self._side, self._colour = options.side, options.colour
        space: Any = env.observation_space
        self._dictionary = isinstance(space, gym_spaces.Dict)
        inner = dict(space.spaces) if self._dictionary else {NUMBERS: space}
        picture = gym_spaces.Box(0, 255, (self._side, self._side, 3 if self._colour else 1), np.uint8)
        self.observation_space = gym_spaces.Dict({**inner, PICTURE: picture})

    def observation(self, observation: Any) -> dict[str, Any]:
        drawn = as_picture(self.env.render())
        if not drawn.size:
            name = "" if self.spec is None else self.spec.id
            raise EnvironmentFault(say("fault.no_picture", name=name))
        picture = smaller(drawn, self._side, self._colour)
        return {**(observation if self._dictionary else {NUMBERS: observation}), PICTURE: picture}


def with_picture(env: Env, options: WithPictureOptions) -> Env:
    """The observation and, as its part `picture`, what the environment draws; other observations become `numbers`."""
    space = env.observation_space
    if isinstance(space, gym_spaces.Tuple):
        raise ConfigError("wrapper.picture_needs", space=str(space))
    if isinstance(space, gym_spaces.Dict) and PICTURE in space.spaces:
        raise ConfigError("wrapper.picture_there", part=PICTURE)
    return _WithPicture(env, options)


def smaller(picture: np.ndarray, side: int, colour: bool) -> np.ndarray:
    """A picture (H, W, 3) as (side, side, 3 or 1) uint8: each pixel is the mean of those that it replaces."""
    (height, width), values = picture.shape[:2], picture
    rows, columns = (np.arange(side) * size // side for size in (height, width))
    if height >= side:  # whole rows first: they lie together in memory
        sums = np.add.reduceat(values.reshape(height, -1), rows, axis=0, dtype=np.float32)
        values = (sums / np.diff(rows, append=height)[:, None]).reshape(side, width, 3)
    else:
        values = values[rows]
    if width >= side:
        values = np.add.reduceat(values, columns, axis=1, dtype=np.float32)
        values = values / np.diff(columns, append=width)[:, None]
    else:
        values = values[:, columns]
    if not colour:
        values = values.mean(axis=2, keepdims=True)
    return np.rint(values).astype(np.uint8)


# -- without a part -------------------------------------------------------------------------------


class _WithoutPart(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Shows a blank in place of one part."""

    def __init__(self, env: Env, part: str, whole: bool, blank: Any) -> None:
        super().__init__(env)
        self._part, self._whole, self._blank = part, whole, blank

    def observation(self, observation: Any) -> Any:
        return self._blank if self._whole else {**observation, self._part: self._blank}


def without_part(env: Env, options: WithoutPartOptions) -> Env:
    """The observation with one part blank, always the same: zeros or what is nearest to them, or an empty text.

    The network stays as it is, so that what an agent loses is the part and nothing else.
    """
    space: Any = env.observation_space
    whole = not isinstance(space, gym_spaces.Dict)
    known = ["observation"] if whole else list(space.spaces)
    if options.part not in known:
        raise ConfigError("wrapper.no_key", entry=repr(options.part), known=known)
    blank = _blank(space if whole else space[options.part])
    if blank is None:
        raise ConfigError("wrapper.no_blank", part=options.part, space=str(space[options.part] if not whole else space))
    return _WithoutPart(env, options.part, whole, blank)


def _blank(space: Any) -> Any:
    """The emptiest member of a space; None for spaces of spaces."""
    match space:
        case gym_spaces.Box():
            return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
        case gym_spaces.Discrete():
            return space.start
        case gym_spaces.MultiDiscrete():
            return space.start.copy()
        case gym_spaces.MultiBinary():
            return np.zeros(space.shape, space.dtype)
    return "" if is_text(space) else None
