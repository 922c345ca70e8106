"""Wrappers of the catalog that change pictures: grey, another size, frames that are skipped.

Each is a function (env, options) -> env, as in `wrappers`. `grayscale` and `resize` change every picture of the
observation: the observation itself, or entries of a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces

from dqngui.catalog.wrappers import FrameSkipOptions, GrayscaleOptions, ResizeOptions
from dqngui.config import ConfigError
from dqngui.envs.pictures import axes_of, is_picture
from dqngui.envs.resizing import AreaResize

Env = gymnasium.Env[Any, Any]
Change = tuple[gym_spaces.Box, Callable[[np.ndarray], np.ndarray]]
"""The space of changed pictures, and what changes them."""


class _ChangedPictures(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Changes the pictures of the observation."""

    def __init__(self, env: Env, changes: dict[str | None, Change]) -> None:
        """`changes`: by the key of a dictionary; None: of the observation that is a picture."""
        super().__init__(env)
        self._changes = {key: change for key, (_, change) in changes.items()}
        if None in changes:
            self.observation_space = changes[None][0]
        else:
            inner: Any = env.observation_space
            changed = {key: changes[key][0] if key in changes else space for key, space in inner.spaces.items()}
            self.observation_space = gym_spaces.Dict(changed)

    def observation(self, observation: Any) -> Any:
        if None in self._changes:
            return self._changes[None](observation)
        return {key: self._changes[key](part) if key in self._changes else part for key, part in observation.items()}


def _pictures(env: Env) -> dict[str | None, gym_spaces.Box]:
    """The pictures of an observation with their keys. Raises ConfigError if there are none."""
    space = env.observation_space
    parts: dict[Any, Any] = dict(space.spaces) if isinstance(space, gym_spaces.Dict) else {None: space}
    found = {key: part for key, part in parts.items() if isinstance(part, gym_spaces.Box) and _axes(part)}
    if not found:
        raise ConfigError("wrapper.no_picture", space=str(space))
    return found


def _axes(space: gym_spaces.Box) -> str:
    """`hw` or `hwc`; "" for what is no picture, or has other axes."""
    axes = axes_of(tuple(space.shape), 0, False)
    if axes not in ("hw", "hwc") or not (space.dtype == np.uint8 or space.dtype.kind == "f"):
        return ""
    return axes if is_picture(space, dict(zip(axes, space.shape, strict=True))) else ""


# -- grey -----------------------------------------------------------------------------------------


def grayscale(env: Env, options: GrayscaleOptions) -> Env:
    """Colours (H, W, 3) become their brightness (H, W)."""
    changes = {key: _grey(space) for key, space in _pictures(env).items() if space.shape[2:] == (3,)}
    if not changes:
        raise ConfigError("wrapper.no_colours", space=str(env.observation_space))
    return _ChangedPictures(env, changes)


def _grey(space: gym_spaces.Box) -> Change:
    shape, dtype = space.shape[:2], space.dtype
    if dtype == np.uint8:
        return gym_spaces.Box(0, 255, shape, np.uint8), grey_bytes
    weights = np.array([0.299, 0.587, 0.114], dtype)
    low, high = space.low.min(-1), space.high.max(-1)
    return gym_spaces.Box(low, high, dtype=dtype.type), lambda picture: picture @ weights


def grey_bytes(picture: np.ndarray) -> np.ndarray:
    """The brightness (H, W) uint8 of colours (H, W, 3) uint8: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601)."""
    total = picture[..., 0] * np.uint16(77)
    total += picture[..., 1] * np.uint16(150)
    total += picture[..., 2] * np.uint16(29)
    total += np.uint16(128)
    total >>= np.uint16(8)
    return total.astype(np.uint8)


# -- size -----------------------------------------------------------------------------------------


def resize(env: Env, options: ResizeOptions) -> Env:
    """Every picture gets `rows` × `columns` pixels, each the mean of the area that it covers."""
    return _ChangedPictures(env, {key: _resized(space, options) for key, space in _pictures(env).items()})


def _resized(space: gym_spaces.Box, options: ResizeOptions) -> Change:
    rows, columns = options.rows, options.columns
    change = AreaResize((space.shape[0], space.shape[1]), rows, columns, space.dtype)
    low, high = float(space.low.min()), float(space.high.max())
    kind: Any = space.dtype.type
    return gym_spaces.Box(low, high, (rows, columns, *space.shape[2:]), kind), change


# -- frames ---------------------------------------------------------------------------------------


class _FrameSkip(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Repeats each action for some frames; the observation is the brighter of the last two where it is a picture."""

    def __init__(self, env: Env, frames: int, joined: bool) -> None:
        super().__init__(env)
        self._frames, self._joined = frames, joined
        self.skipped_frames = frames

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        total, before, learned = 0.0, None, True
        for frame in range(self._frames):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            learned = learned and not info.get("end_of_learning")
            if terminated or truncated:
                break
            if frame == self._frames - 2:
                before = observation.copy() if self._joined else None  # an environment may use its array again
        if before is not None:
            observation = np.maximum(before, observation)
        if not learned:
            info["end_of_learning"] = True
        return observation, total, terminated, truncated, info


def frame_skip(env: Env, options: FrameSkipOptions) -> Env:
    """Each action lasts for `frames` steps, whose rewards are summed."""
    space = env.observation_space
    joined = options.brighter and isinstance(space, gym_spaces.Box) and bool(_axes(space))
    return _FrameSkip(env, options.frames, joined)
