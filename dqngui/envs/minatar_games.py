"""The five games of MinAtar (Young and Tian 2019, arXiv:1903.03176): Atari games made small, 10 × 10 cells.

The rules are those of the package MinAtar, which must be installed; here is what stands between it and an agent. Its
own gymnasium class keeps the last action from one episode to the next, and draws with seaborn; this one does neither.

Each step repeats the previous action with probability `sticky`, whatever the agent chose (Machado et al. 2018,
arXiv:1709.06009). With `ramping` SpaceInvaders, Asterix and Seaquest become faster as the episode goes on. `actions` is
"minimal", those that do something in the game, or "all" six. All chance follows from the seed of the episode: the same
seed and actions give the same episode, in a new environment and in one that was used.

Observation: bool (10, 10, C), which channel of the game is where; `channel_names` says what they are. Reward: of the
game, mostly 1 for what is hit or collected. Episodes end when the game is lost, Freeway after 2,500 steps.

Returns of random actions (100 episodes, the defaults): Asterix 0.5, Breakout 0.4, Freeway 0.3, Seaquest 0.1,
SpaceInvaders 4.5.

Rendering: one colour a channel; where several are in a cell, the last is seen, and trails only where nothing else is.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BACKGROUND, hue

GAMES = ("asterix", "breakout", "freeway", "seaquest", "space_invaders")
ACTIONS = ("stay", "left", "up", "right", "down", "fire")
_CELL = 32  # pixels of the picture
_DIM = 0.35  # strength of the colour of a trail


class MinAtar(gymnasium.Env[np.ndarray, int]):
    """One of the games of this module's specification.

    Attributes:
        channel_names: what each channel of the observation shows.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}

    def __init__(
        self,
        game: str = "breakout",
        sticky: float = 0.1,
        ramping: bool = True,
        actions: str = "minimal",
        render_mode: str | None = None,
    ) -> None:
        """Raises ModuleNotFoundError if the package MinAtar is missing."""
        if game not in GAMES:
            raise ValueError(f"game must be one of {', '.join(GAMES)}")
        if actions not in ("minimal", "all") or not 0 <= sticky < 1:
            raise ValueError("actions must be minimal or all, and sticky at least 0 and less than 1")
        self._game = _rules(game).Env(ramping=ramping)
        self._sticky = sticky
        numbers = self._game.minimal_action_set() if actions == "minimal" else range(len(ACTIONS))
        self._actions = [int(number) for number in numbers]
        self.action_names = tuple(ACTIONS[number] for number in self._actions)
        places = sorted(self._game.channels.items(), key=lambda place: place[1])
        self.channel_names = tuple(name.replace("guage", "gauge").replace("_", " ") for name, _ in places)
        self.render_mode = render_mode
        self.observation_space: spaces.Space[Any] = spaces.Box(0, 1, tuple(self._game.state_shape()), np.bool_)
        self.action_space: spaces.Space[Any] = spaces.Discrete(len(self._actions))
        self._last = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._game.random = np.random.RandomState(int(self.np_random.integers(2**32)))
        self._game.reset()
        self._last = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if self.np_random.random() >= self._sticky:
            self._last = self._actions[action]
        reward, over = self._game.act(self._last)
        return self._observation(), float(reward), bool(over), False, {}

    def _observation(self) -> np.ndarray:
        return np.asarray(self._game.state(), np.bool_)

    def render(self) -> np.ndarray | None:
        """A picture (320, 320, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        shown = self._observation()
        trails = [place for place, name in enumerate(self.channel_names) if _is_trail(name)]
        colours = [
            hue(place, len(self.channel_names), _DIM if place in trails else 1.0)
            for place in range(len(self.channel_names))
        ]
        cells = np.full((*shown.shape[:2], 3), BACKGROUND, np.uint8)
        for place in (*trails, *(place for place in range(len(colours)) if place not in trails)):
            cells[shown[..., place]] = colours[place]
        picture = cells.repeat(_CELL, 0).repeat(_CELL, 1)
        picture[::_CELL] = picture[:, ::_CELL] = BACKGROUND  # lines between the cells
        return picture


def _is_trail(name: str) -> bool:
    """Whether a channel shows motion beside what moves."""
    return name == "trail" or name.startswith(("speed", "alien "))


@cache
def _rules(game: str) -> Any:
    """The module of a game, without the rest of its package, which would import matplotlib and seaborn to draw."""
    package = importlib.util.find_spec("minatar")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'minatar'", name="minatar")
    path = Path(package.submodule_search_locations[0]) / "environments" / f"{game}.py"
    spec = importlib.util.spec_from_file_location(f"minatar.environments.{game}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
