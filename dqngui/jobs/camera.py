"""Pictures of an episode's steps, drawn by a second environment that is brought to each, so that any can be seen again.

An environment that does not repeat itself is drawn while it is simulated, and only its newest steps can be seen.
"""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from typing import Any

import numpy as np

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.vector import Envs
from dqngui.jobs.episode import Episode, digest

Size = tuple[int, int]
NOTHING = np.zeros((0, 0, 3), np.uint8)
REEL = 64  # pictures kept of an environment that does not repeat itself
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")


class DoesNotRepeat(Exception):
    """The same seed and actions showed something else."""


class Camera:
    """A second environment of the same kind.

    Attributes:
        envs: that one environment, with pictures unless it only looks on.
        position: the step it stands before, None in no episode.
    """

    def __init__(self, config: EnvConfig, *, draws: bool = True) -> None:
        """Raises ConfigError for an environment that draws no pictures, where it should."""
        self.envs = drawing(config) if draws else make_vector(config, 1, longest=LONGEST_GREEDY)
        self.position: int | None = None

    def check(self, other: Envs, seed: int, steps: int = 3) -> None:
        """Play a few steps beside another environment. Raises DoesNotRepeat where they differ."""
        shown = [digest(envs.reset([seed]), 0.0) for envs in (self.envs, other)]
        for _ in range(steps):
            if shown[0] != shown[1] or self.envs.ended[0] or other.ended[0]:
                break
            outcomes = [envs.step(np.zeros(1, np.int64)) for envs in (self.envs, other)]
            shown = [digest(parts, float(reward[0])) for parts, reward, _, _ in outcomes]
        self.position = None
        if shown[0] != shown[1]:
            raise DoesNotRepeat

    def leave(self) -> None:
        """Forget the episode; the next `approach` begins one."""
        self.position = None

    def approach(self, episode: Episode, t: int, seconds: float) -> bool:
        """Go to step t of the episode while the time lasts; whether it stands there. Raises DoesNotRepeat."""
        deadline = time.perf_counter() + seconds
        if self.position is None or self.position > t:
            self.position = 0
            if digest(self.envs.reset([episode.seed]), 0.0) != episode.digests[0]:
                raise DoesNotRepeat
        while self.position < t:
            if self.envs.ended[0]:
                raise DoesNotRepeat
            parts, reward, _, _ = self.envs.step(np.array([episode.actions[self.position]]))
            self.position += 1
            if digest(parts, float(reward[0])) != episode.digests[self.position]:
                raise DoesNotRepeat
            if time.perf_counter() >= deadline:
                break
        return self.position == t

    def shoot(self, size: Size) -> np.ndarray:
        """The picture of the present step, no larger than `size`."""
        return picture(self.envs, size)

    def close(self) -> None:
        self.envs.close()


class Reel:
    """The newest pictures of an environment that is drawn while it is simulated."""

    def __init__(self, envs: Envs, size: Size) -> None:
        self._envs, self.size = envs, size
        self._pictures: deque[tuple[int, np.ndarray]] = deque(maxlen=REEL)

    def shoot(self, t: int) -> None:
        """Keep the picture of the present step t."""
        self._pictures.append((t, picture(self._envs, self.size)))

    def at(self, t: int) -> np.ndarray:
        """The picture of step t, nothing (0, 0, 3) where it was not kept."""
        return next((pixels for step, pixels in self._pictures if step == t), NOTHING)


def drawing(config: EnvConfig) -> Envs:
    """One environment that draws. Raises ConfigError, in words for the user, where it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # gymnasium also warns of what is told here
            envs = make_vector(config, 1, render_mode="rgb_array", longest=LONGEST_GREEDY)
    except ConfigError:
        raise ConfigError("env.draws_nothing", env=config.id) from None
    try:
        envs.reset([0])
        pixels = picture(envs, (64, 64))
    except Exception as error:
        envs.close()
        raise ConfigError("env.drawing_failed", env=config.id, problem=" ".join(str(error).split())) from None
    if not pixels.size:
        envs.close()
        raise ConfigError("env.draws_nothing", env=config.id)
    return envs


def picture(envs: Envs, size: Size) -> np.ndarray:
    """What the environment draws, (H, W, 3) uint8 no larger than `size` (width, height); nothing: (0, 0, 3)."""
    drawn: Any = envs.envs[0].render()
    if isinstance(drawn, list):
        drawn = drawn[-1] if drawn else None
    if not isinstance(drawn, np.ndarray) or drawn.ndim not in (2, 3) or not drawn.size:
        return NOTHING
    if drawn.ndim == 2 or drawn.shape[2] == 1:
        drawn = np.repeat(drawn.reshape(*drawn.shape[:2], 1), 3, axis=2)
    return shrunk(np.ascontiguousarray(drawn[:, :, :3], np.uint8), size)


def shrunk(pixels: np.ndarray, size: Size) -> np.ndarray:
    """A picture (H, W, 3) uint8 scaled down by averaging until it fits into `size`, in its proportions."""
    height, width = pixels.shape[:2]
    factor = min(size[0] / width, size[1] / height)
    if factor >= 1:
        return pixels
    import pygame  # gymnasium's pictures need it anyway

    small = max(1, round(width * factor)), max(1, round(height * factor))
    surface = pygame.image.frombuffer(pixels.data, (width, height), "RGB")
    scaled = pygame.transform.smoothscale(surface, small)
    return np.frombuffer(pygame.image.tobytes(scaled, "RGB"), np.uint8).reshape(small[1], small[0], 3)
