"""Find: one of many entities tells where to go, the others do not.

Every step shows `entities` n things in a new order. Each has a colour of its own, one of n, and lies in
one of four directions: right, up, left or down, up to 30 degrees off and at a distance from 0.5 to 1. One
of them is the relevant one; the action that names its direction is rewarded with 1, any other with 0.
All but the relevant one are absent with the chance `absent`. An episode has `steps` steps, each with
entities of its own, and ends then (terminated).

Which entity is relevant is said in one of three ways, by `relevant`:
  "match"   the part `query` shows its colour, a new one at every step.
  "recall"  the part `query` shows its colour at the first step only; it stays the same for the episode.
  "mark"    it bears a mark, and there is no query.

Observation: Dict of `entities` float32 (n, 2 + n), or (n, 3 + n) with "mark": x (right), y (up), the
colour one-hot, the mark; a row of zeros is an absent entity. `query` float32 (n,): the colour one-hot.
Actions: right, up, left, down. `info`: `relevant` (row of the relevant entity), `answer` (its direction)
and `asked` (true while the episode lasts).

Oracle: `steps`. At random, and for whoever cannot tell the entities apart: steps/4 with many entities
(the mean of all rows tells a little with few). Without memory: `steps` for "match" and "mark"; for
"recall" 1 + (steps − 1)/4 to be had by the first step alone and a guess at all others.
One linear layer over all rows must learn every pair of colour and row by itself, n² of them; attention
learns one comparison that holds for all rows.

Rendering: the entities where they lie, the query in the middle, a ring around the relevant one, green
where the direction taken was right.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import DIM, FLOOR, RIGHT, SIGNAL, WRONG, Canvas, hue

_WIDEST = math.pi / 6
_ARROWS = ((1, 0), (0, -1), (-1, 0), (0, 1))  # on the screen, where down is positive


class Find(gymnasium.Env[dict[str, np.ndarray], int]):
    """The task of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}
    action_names = ("right", "up", "left", "down")

    def __init__(
        self,
        entities: int = 16,
        relevant: Literal["match", "recall", "mark"] = "match",
        absent: float = 0.0,
        steps: int = 8,
        render_mode: str | None = None,
    ) -> None:
        if entities < 1 or steps < 1 or not 0 <= absent < 1 or relevant not in ("match", "recall", "mark"):
            raise ValueError("entities and steps must be 1 or more, absent in 0..1, relevant match, recall or mark")
        self.entities, self.relevant, self.absent, self.steps = entities, relevant, absent, steps
        self.render_mode = render_mode
        marked = relevant == "mark"
        colours = tuple(f"colour {colour + 1}" for colour in range(entities))
        self._features = 2 + entities + marked  # of one entity
        asks = tuple(f"asks for {colour}" for colour in colours)
        self.feature_names = ("x", "y", *colours, *(("mark",) if marked else asks))
        low = np.zeros((entities, self._features), np.float32)
        low[:, :2] = -1
        parts: dict[str, Any] = {"entities": spaces.Box(low, np.ones_like(low))}
        if not marked:
            parts["query"] = spaces.Box(0.0, 1.0, (entities,), np.float32)
        self.observation_space: spaces.Space[Any] = spaces.Dict(parts)
        self.action_space: spaces.Space[Any] = spaces.Discrete(4)
        self._block = max(1, min(steps + 1, 2048 // entities))  # steps drawn together, which is much faster
        self._rows = low[None]
        self._colours = self._places = self._directions = np.zeros(1, np.int64)
        self._time = 0
        self._taken: tuple[int, bool] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        self._time, self._taken = 0, None
        self._scatter(None)
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        now = self._time % self._block
        right = bool(action == self._directions[now])
        self._taken = int(action), right
        self._time += 1
        if now == self._block - 1:
            self._scatter(int(self._colours[now]))
        return self._observation(), float(right), self._time == self.steps, False, self._info()

    def _scatter(self, colour: int | None) -> None:
        """Entities of the next block of steps, and which is relevant; `colour` is the one that was so last."""
        draw, count, steps = self.np_random, self.entities, self._block
        asked = draw.integers(count, size=steps)
        if self.relevant == "recall":
            asked[:] = asked[0] if colour is None else colour
        directions = draw.integers(4, size=(steps, count))
        turn, distance, gone, order = draw.random((4, steps, count))
        angles = directions * (math.pi / 2) + (2 * turn - 1) * _WIDEST
        distances = 0.5 + 0.5 * distance
        colours = order.argsort(axis=1)  # one permutation a step
        every, things = np.arange(steps), np.arange(count)
        rows = np.zeros((steps, count, self._features), np.float32)
        rows[..., 0] = distances * np.cos(angles)
        rows[..., 1] = distances * np.sin(angles)
        rows[every[:, None], things, 2 + colours] = 1
        places = (colours == asked[:, None]).argmax(axis=1)
        absent = gone < self.absent
        absent[every, places] = False
        rows[absent] = 0
        if self.relevant == "mark":
            rows[every, places, -1] = 1
        self._rows, self._colours, self._places, self._directions = rows, asked, places, directions[every, places]

    def _observation(self) -> dict[str, np.ndarray]:
        now = self._time % self._block
        if self.relevant == "mark":
            return {"entities": self._rows[now]}
        query = np.zeros(self.entities, np.float32)
        query[self._colours[now]] = self.relevant == "match" or self._time == 0
        return {"entities": self._rows[now], "query": query}

    def _info(self) -> dict[str, Any]:
        now = self._time % self._block
        return {
            "relevant": int(self._places[now]),
            "answer": int(self._directions[now]),
            "asked": self._time < self.steps,
        }

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        canvas = Canvas(320, 320)
        middle, reach, now = 160, 140, self._time % self._block
        canvas.disc(middle, middle, reach + 8, FLOOR)
        for index, row in enumerate(self._rows[now]):
            if not row.any():
                continue
            x, y = middle + reach * float(row[0]), middle - reach * float(row[1])
            if index == self._places[now]:
                canvas.disc(x, y, 13, SIGNAL, hole=10)
            canvas.disc(x, y, 8, hue(int(row[2 : 2 + self.entities].argmax()), self.entities))
        shown = self.relevant == "match" or (self.relevant == "recall" and self._time == 0)
        canvas.disc(middle, middle, 20, DIM if not shown else hue(int(self._colours[now]), self.entities))
        if not shown:
            canvas.disc(middle, middle, 18, FLOOR)
        if self._taken is not None:  # of the step before this picture
            action, right = self._taken
            x, y = _ARROWS[action]
            canvas.arrow(middle + 34 * x, middle + 34 * y, 9, (x, y), RIGHT if right else WRONG)
        return canvas.picture()
