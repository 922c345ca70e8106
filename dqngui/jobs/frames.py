"""Frames of an episode: a second environment replays the episode up to the wanted step and draws it.

An environment that is not reproducible (the same seed and actions give another episode) is drawn while it is
simulated, and only the frames of its newest steps are kept.
"""

from __future__ import annotations

import os
import time
import warnings
from collections import deque

import numpy as np

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.legal_actions import legal_instead
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.rendering import NO_PICTURE, as_picture
from dqngui.envs.vector import Envs
from dqngui.jobs.episode import SimulatedEpisode, digest
from dqngui.texts import reason_of

Size = tuple[int, int]
KEPT_FRAMES = 64  # of an environment that is not reproducible
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")


class NotReproducible(Exception):
    """The environment showed something else for the same seed and actions."""


class ReplayEnvironment:
    """A second environment that replays an episode, so that any step of it can be drawn or described.

    Attributes:
        envs: the one environment; it can draw if `draws`.
        position: the step that it stands before; None if it is in no episode.
    """

    def __init__(self, config: EnvConfig, *, draws: bool = True) -> None:
        """Raises ConfigError if it should draw and cannot."""
        self.envs = drawing_environment(config) if draws else make_vector(config, 1, longest=LONGEST_GREEDY)
        self.position: int | None = None

    def check(self, other: Envs, seed: int, steps: int = 3) -> None:
        """Play a few equal steps in this and in another environment. Raises NotReproducible if they differ."""
        shown = [digest(envs.reset([seed]), 0.0) for envs in (self.envs, other)]
        for _ in range(steps):
            if shown[0] != shown[1] or self.envs.ended[0] or other.ended[0]:
                break
            action = np.array([legal_instead(0, None if other.legal is None else other.legal[0])])
            outcomes = [envs.step(action) for envs in (self.envs, other)]
            shown = [digest(parts, float(reward[0])) for parts, reward, _, _ in outcomes]
        self.position = None
        if shown[0] != shown[1]:
            raise NotReproducible

    def forget_episode(self) -> None:
        """Leave the episode; the next `go_to` starts at the beginning of one."""
        self.position = None

    def go_to(self, episode: SimulatedEpisode, t: int, seconds: float) -> bool:
        """Replay the episode up to step t, for at most some `seconds`; returns whether it is there. Raises
        NotReproducible.
        """
        deadline = time.perf_counter() + seconds
        if self.position is None or self.position > t:
            self.position = 0
            if digest(self.envs.reset([episode.seed]), 0.0) != episode.digests[0]:
                raise NotReproducible
        while self.position < t:
            if self.envs.ended[0]:
                raise NotReproducible
            parts, reward, _, _ = self.envs.step(np.array([episode.actions[self.position]]))
            self.position += 1
            if digest(parts, float(reward[0])) != episode.digests[self.position]:
                raise NotReproducible
            if time.perf_counter() >= deadline:
                break
        return self.position == t

    def picture(self, size: Size) -> np.ndarray:
        """The picture of the present step, no larger than `size`."""
        return rendered(self.envs, size)

    def close(self) -> None:
        self.envs.close()


class RecordedFrames:
    """The newest frames of an environment that is drawn while it is simulated."""

    def __init__(self, envs: Envs, size: Size) -> None:
        self._envs, self.size = envs, size
        self._pictures: deque[tuple[int, np.ndarray]] = deque(maxlen=KEPT_FRAMES)

    def record(self, t: int) -> None:
        """Keep the frame of the present step t."""
        self._pictures.append((t, rendered(self._envs, self.size)))

    def at(self, t: int) -> np.ndarray:
        """The frame of step t; an empty one (0, 0, 3) if it was not kept."""
        return next((pixels for step, pixels in self._pictures if step == t), NO_PICTURE)


def drawing_environment(config: EnvConfig) -> Envs:
    """One environment that can draw. Raises ConfigError, with a sentence for the user, if it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # gymnasium also warns of what the error below says
            envs = make_vector(config, 1, render_mode="rgb_array", longest=LONGEST_GREEDY)
    except EnvironmentFault:
        raise  # it cannot be made at all
    except ConfigError:
        raise ConfigError("env.draws_nothing", env=config.id) from None
    try:
        envs.reset([0])
        pixels = rendered(envs, (64, 64))
    except Exception as error:
        envs.close()
        problem = error.problem if isinstance(error, EnvironmentFault) else " ".join(str(reason_of(error)).split())
        raise ConfigError("env.drawing_failed", env=config.id, problem=problem) from None
    if not pixels.size:
        envs.close()
        raise ConfigError("env.draws_nothing", env=config.id)
    return envs


def rendered(envs: Envs, size: Size) -> np.ndarray:
    """What the environment draws, (H, W, 3) uint8 no larger than `size` (width, height); (0, 0, 3) if it draws
    nothing.
    """
    picture = as_picture(envs.envs[0].render())
    return shrunk_to(picture, size) if picture.size else picture


def shrunk_to(pixels: np.ndarray, size: Size) -> np.ndarray:
    """A picture (H, W, 3) uint8, scaled down by averaging until it fits into `size`; its proportions stay."""
    height, width = pixels.shape[:2]
    factor = min(size[0] / width, size[1] / height)
    if factor >= 1:
        return pixels
    import pygame  # gymnasium's pictures need it anyway

    small = max(1, round(width * factor)), max(1, round(height * factor))
    surface = pygame.image.frombuffer(pixels.data, (width, height), "RGB")
    scaled = pygame.transform.smoothscale(surface, small)
    return np.frombuffer(pygame.image.tobytes(scaled, "RGB"), np.uint8).reshape(small[1], small[0], 3)
