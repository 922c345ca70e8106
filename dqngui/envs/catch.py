"""Catch: a ball falls down a small picture and a paddle moves under it (after bsuite's, Osband et al. 2020).

The picture has `rows` × `columns` pixels. The paddle, one pixel wide, starts in the middle of the
bottom row, the ball at the top in a column drawn with equal probabilities. At every step the paddle goes
left, stays or goes right, as far as there is room, and the ball falls by one row. When the ball has reached
the bottom row, after rows − 1 steps, the episode ends with reward +1 if the paddle is under it, else −1;
all other rewards are 0.

The lowest `blind` rows do not show the ball (the bottom row included; they show the paddle), so it is
seen at the first V = rows − blind observations, and its column must be remembered from then on
(blind <= 1 hides nothing that is needed).

Observation: uint8 (rows, columns, 1), 255 where the ball or the paddle is. Actions: left, stay, right.
`info`: `column` of the ball, also as a fact, `paddle`, `answer` (the action towards the ball's column) and
`asked` (true while the episode lasts).

Let m = ⌊columns/2⌋, the middle. Oracle: +1, if rows − 1 >= m; a paddle that can move only r = rows − 1
times catches the columns within r of the middle. Without memory the agent can still use the paddle's
position as a memory while it sees the ball: V moves lead to 2V + 1 positions, each of which leads to one
column at most. So the best policy without memory catches min(columns, 2V + 1) columns out of `columns` (for an
odd number of columns and blind > 1): 3 of 9 with rows = 10, columns = 9, blind = 9, a mean return of
−1/3. A policy that ignores the ball, such as a random one: 2/columns − 1.

Rendering: the picture enlarged; a ring shows the ball where the agent does not see it.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BRIGHT, FLOOR, RIGHT, SIGNAL, WRONG, Drawing


class Catch(gymnasium.Env[np.ndarray, int]):
    """The falling ball of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}
    action_names = ("left", "stay", "right")

    def __init__(self, rows: int = 10, columns: int = 9, blind: int = 0, render_mode: str | None = None) -> None:
        if rows < 2 or columns < 1 or not 0 <= blind < rows:
            raise ValueError("rows must be 2 or more, columns 1 or more, and blind fewer than rows")
        self.rows, self.columns, self.blind = rows, columns, blind
        self.render_mode = render_mode
        self.observation_space: spaces.Space[Any] = spaces.Box(0, 255, (rows, columns, 1), np.uint8)
        self.action_space: spaces.Space[Any] = spaces.Discrete(3)
        self._ball = self._paddle = self._row = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._ball = int(self.np_random.integers(self.columns))
        self._paddle = self.columns // 2
        self._row = 0
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._paddle = min(max(self._paddle + int(action) - 1, 0), self.columns - 1)
        self._row += 1
        over = self._row == self.rows - 1
        reward = (1.0 if self._paddle == self._ball else -1.0) if over else 0.0
        return self._observation(), reward, over, False, self._info()

    def _observation(self) -> np.ndarray:
        picture = np.zeros((self.rows, self.columns, 1), np.uint8)
        if self._row < self.rows - self.blind:
            picture[self._row, self._ball] = 255
        picture[-1, self._paddle] = 255
        return picture

    def _info(self) -> dict[str, Any]:
        away = self._ball - self._paddle
        answer = 1 + (away > 0) - (away < 0)
        return {
            "column": self._ball,
            "paddle": self._paddle,
            "answer": answer,
            "asked": self._row < self.rows - 1,
            "facts": {"column": self._ball},
        }

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        cell = max(4, min(24, 400 // max(self.rows, self.columns)))
        drawing = Drawing((self.columns + 2) * cell, (self.rows + 2) * cell)
        right, hidden = (self.columns + 1) * cell, (self.rows + 1 - self.blind) * cell
        drawing.rectangle(cell, cell, right, (self.rows + 1) * cell, FLOOR)
        if self.blind:
            drawing.rectangle(cell, hidden, right, (self.rows + 1) * cell, (30, 35, 43))
        seen = self._row < self.rows - self.blind
        x, y = (self._ball + 1.5) * cell, (self._row + 1.5) * cell
        drawing.disc(x, y, cell * 0.38, SIGNAL, 0.0 if seen else cell * 0.26)
        colour = BRIGHT
        if self._row == self.rows - 1:
            colour = RIGHT if self._paddle == self._ball else WRONG
        left, top = (self._paddle + 1) * cell, self.rows * cell
        drawing.rectangle(left, top + cell * 0.55, left + cell, top + cell * 0.9, colour)
        return drawing.picture()
