"""Find: one of many entities tells where to go, the others do not.

Every step shows `entities` n things in a new order. Each has a name, a random word of `name` bits, and
lies in one of four directions: right, up, left or down, up to 30 degrees off and at a distance from 0.5
to 1. One of them is the relevant one, the only one of its name; the action that tells its direction is
rewarded with 1, any other with 0. How many entities are present is drawn at every step, each number from `fewest`
to n with equal chances; the relevant one always is. An episode has `steps` steps, each with entities of
its own, and ends then (terminated). Few entities are easier, so a small `fewest` teaches what many need.

Which entity is relevant is said in one of three ways, by `relevant`:
  "match"   the part `query` shows its name, a new one at every step.
  "recall"  the part `query` shows its name at the first step only; it stays the same for the episode.
  "mark"    it bears a mark, and there is no query.

Observation: Dict of `entities` float32 (n, 2 + name), or one more with "mark": x (right), y (up), the
bits of the name as ±1, the mark; a row of zeros is an absent entity. `query` float32 (name,).
Actions: right, up, left, down. `info`: `relevant` (row of the relevant entity), `answer` (its direction)
and `asked` (true while the episode lasts).

Oracle: `steps`. At random: steps/4. Who cannot tell the entities apart does best with the direction in
which most of them lie, right in a share c of the steps: 0.57, 0.49, 0.42 for n = 8, 16, 32 with
`fewest` = 1, and 0.44, 0.38, 0.34 where all are always present. Without memory: `steps` for "match" and
"mark", 1 + c (steps − 1) for "recall".
The name that is asked for has the largest product with itself: one softmax over products finds it, with
the same weights for every row. One linear layer over all rows has no such products.

Rendering: the entities where they lie, the query in the middle, a ring around the relevant one, green
where the direction taken was right.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import DIM, FLOOR, RIGHT, SIGNAL, WRONG, Canvas

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
        name: int = 8,
        fewest: int = 1,
        steps: int = 8,
        render_mode: str | None = None,
    ) -> None:
        if (
            not 1 <= fewest <= entities
            or steps < 1
            or not 1 <= name <= 30
            or relevant not in ("match", "recall", "mark")
        ):
            raise ValueError(
                "fewest and steps must be 1 or more, entities at least fewest, name from 1 to 30, "
                "and relevant match, recall or mark"
            )
        self.entities, self.relevant, self.name, self.fewest, self.steps = entities, relevant, name, fewest, steps
        self.render_mode = render_mode
        marked = relevant == "mark"
        self._features = 2 + name + marked  # of one entity
        names = tuple(f"name {index + 1}" for index in range(name))
        asks = tuple(f"asks for {index}" for index in names)
        self.feature_names = ("x", "y", *names, *(("mark",) if marked else asks))
        low = np.full((entities, self._features), -1, np.float32)
        low[:, 2 + name :] = 0
        parts: dict[str, Any] = {"entities": spaces.Box(low, np.ones_like(low))}
        if not marked:
            parts["query"] = spaces.Box(-1.0, 1.0, (name,), np.float32)
        self.observation_space: spaces.Space[Any] = spaces.Dict(parts)
        self.action_space: spaces.Space[Any] = spaces.Discrete(4)
        self._block = max(1, min(steps + 1, 2048 // entities))  # steps drawn together, which is much faster
        self._rows = low[None]
        self._words = self._places = self._directions = np.zeros(1, np.int64)
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
        if now == self._block - 1:
            self._scatter(int(self._words[now]))
        self._time += 1
        return self._observation(), float(right), self._time == self.steps, False, self._info()

    def _scatter(self, word: int | None) -> None:
        """Entities of the next block of steps, and which is relevant; `word` names the one that was so last."""
        draw, count, steps = self.np_random, self.entities, self._block
        directions = draw.integers(4, size=(steps, count))
        turn, distance, order = draw.random((3, steps, count))
        angles = directions * (math.pi / 2) + (2 * turn - 1) * _WIDEST
        distances = 0.5 + 0.5 * distance
        places, every = draw.integers(count, size=steps), np.arange(steps)
        asked = draw.integers(1 << self.name, size=steps)
        if self.relevant == "recall":
            asked[:] = asked[0] if word is None else word
        differ = draw.integers(1, 1 << self.name, size=(steps, count))  # in which bits the others' names do
        differ[every, places] = 0
        words = asked[:, None] ^ differ
        rows = np.zeros((steps, count, self._features), np.float32)
        rows[..., 0] = distances * np.cos(angles)
        rows[..., 1] = distances * np.sin(angles)
        rows[..., 2 : 2 + self.name] = 2 * (words[..., None] >> np.arange(self.name) & 1) - 1
        order[every, places] = -1  # the relevant one goes last
        present = draw.integers(self.fewest, count + 1, size=steps)
        rows[order.argsort(axis=1).argsort(axis=1) >= present[:, None]] = 0
        if self.relevant == "mark":
            rows[every, places, -1] = 1
        self._rows, self._words, self._places, self._directions = rows, asked, places, directions[every, places]

    def _name(self) -> np.ndarray:
        """The relevant entity's, (name,)."""
        now = self._time % self._block
        name: np.ndarray = self._rows[now, self._places[now], 2 : 2 + self.name]
        return name

    def _observation(self) -> dict[str, np.ndarray]:
        rows = self._rows[self._time % self._block]
        if self.relevant == "mark":
            return {"entities": rows}
        shown = self.relevant == "match" or self._time == 0
        return {"entities": rows, "query": self._name() if shown else np.zeros(self.name, np.float32)}

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
            canvas.disc(x, y, 8, _colour(row[2 : 2 + self.name]))
        if self.relevant == "match" or (self.relevant == "recall" and self._time == 0):
            canvas.disc(middle, middle, 20, _colour(self._name()))
        else:
            canvas.disc(middle, middle, 20, DIM, hole=18)
        if self._taken is not None:  # of the step before this picture
            action, right = self._taken
            x, y = _ARROWS[action]
            canvas.arrow(middle + 34 * x, middle + 34 * y, 9, (x, y), RIGHT if right else WRONG)
        return canvas.picture()


def _colour(name: np.ndarray) -> tuple[int, int, int]:
    """A colour for a name: similar names have similar ones."""
    bits = np.resize(name, max(6, len(name)))  # every third to a channel, earlier ones counting more
    weights = 0.5 ** np.arange(len(bits) // 3)
    red, green, blue = (
        int(140 + 100 * bits[channel::3][: len(weights)] @ weights / weights.sum()) for channel in range(3)
    )
    return red, green, blue
