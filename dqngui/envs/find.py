"""Find: one of many entities shows in which direction to go, the others do not matter.

Every step shows n `entities` in a new order. Each lies in one of four directions: right, up, left or
down, up to 30 degrees off and at a distance from 0.5 to 1. One of them is the relevant one; the action
that is its direction gets reward 1, any other action 0. The number of entities that are present is drawn
at every step, uniformly from `fewest` to n; the relevant one is always present. An episode has `steps`
steps, each with new entities, and ends then (terminated).

The option `relevant` says how the relevant entity can be recognised:
  "loudest" it is louder than all others, by 1/2 to 5/2, drawn for each of them. Its own loudness is drawn
            from −2 to 2 at every step, so a loudness alone does not show which entity is the loudest.
  "match"   it is the only one that has the name which the part `query` shows, drawn at every step. A name
            is a random word of `name` bits.
  "recall"  the same, but the part `query` shows the name at the first step only; the name stays the same
            during the episode.

Observation: Dict of `entities` float32, a row for each: x (right), y (up), and the loudness, (n, 3), or the
bits of the name as ±1, (n, 2 + name); a row of zeros is an absent entity. With names: `query`,
MultiDiscrete (name,): for each bit 1 or 2 where the entities have −1 or +1, 0 where no name is shown.
Actions: right, up, left, down. `info`: `relevant` (row of the relevant entity), `answer` (its direction)
and `asked` (true while the episode lasts); as facts its row, its direction, and for "recall" its name's bits.

Oracle: `steps`. At random: steps/4. The best policy that cannot recognise the relevant entity takes the
direction in which most entities lie, which is right in a share c of the steps: 0.57, 0.49, 0.42 for n = 8, 16, 32 with
`fewest` = 1, and 0.44, 0.38, 0.34 where all are always present. Without memory: `steps` for "loudest"
and "match", 1 + c (steps − 1) for "recall".
A softmax over loudness, which does not change if all are louder, finds the loudest entity, and a softmax
over products of names finds the one with the queried name, with the same weights for every row. A linear
layer over all rows needs separate weights for the comparison of every two rows.

Rendering: the entities at their positions, larger if louder, or coloured by their names, with the query in
the middle; a ring around the relevant one; and the action of the step before, green if it was right.
`entity_places` gives the positions in the picture.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BRIGHT, DIM, FLOOR, RIGHT, SIGNAL, WRONG, Drawing
from dqngui.envs.places import Places

_WIDEST = math.pi / 6
_LOUD = 2.0  # largest loudness of the loudest entity
_QUIETER_BY = (0.5, 2.5)  # range of how much less loud the others are
_ARROWS = ((1, 0), (0, -1), (-1, 0), (0, 1))  # on the screen, where down is positive
_SIDE, _REACH = 320, 140  # pixels: of the picture, and from its middle to an entity at distance 1


class Find(gymnasium.Env[dict[str, np.ndarray], int]):
    """The task of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}
    action_names = ("right", "up", "left", "down")
    entity_sets: ClassVar[dict[str, int | None]] = {"entities": None}

    def __init__(
        self,
        entities: int = 16,
        relevant: Literal["loudest", "match", "recall"] = "loudest",
        name: int = 8,
        fewest: int = 1,
        steps: int = 8,
        render_mode: str | None = None,
    ) -> None:
        known = ("loudest", "match", "recall")
        if not 1 <= fewest <= entities or steps < 1 or not 1 <= name <= 30 or relevant not in known:
            raise ValueError(
                "fewest and steps must be 1 or more, entities at least fewest, name from 1 to 30, "
                "and relevant loudest, match or recall"
            )
        self.entities, self.relevant, self.name, self.fewest, self.steps = entities, relevant, name, fewest, steps
        self.render_mode = render_mode
        self._named = relevant != "loudest"
        names = tuple(f"name {index + 1}" for index in range(name))
        self.feature_names = ("x", "y", *(names if self._named else ("loudness",)))
        self._shape = (entities, 2 + name if self._named else 3)
        high = np.ones(self._shape, np.float32)
        high[:, 2:] = 1.0 if self._named else _LOUD + _QUIETER_BY[1]
        parts: dict[str, Any] = {"entities": spaces.Box(-high, high)}
        if self._named:
            parts["query"] = spaces.MultiDiscrete([3] * name)
        self.observation_space: spaces.Space[Any] = spaces.Dict(parts)
        self.action_space: spaces.Space[Any] = spaces.Discrete(4)
        self._block = max(1, min(steps + 1, 2048 // entities))  # steps drawn together, which is much faster
        self._rows = high[None]
        self._asked_names = self._places = self._directions = np.zeros(1, np.int64)
        self._time = 0
        self._last_action: tuple[int, bool] | None = None
        self._name_facts: dict[str, int] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        self._time, self._last_action = 0, None
        self._scatter(None)
        if self.relevant == "recall":
            self._name_facts = {f"name {bit + 1}": int(value) for bit, value in enumerate(self._name().tolist())}
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        now = self._time % self._block
        right = bool(action == self._directions[now])
        self._last_action = int(action), right
        if now == self._block - 1:
            self._scatter(int(self._asked_names[now]))
        self._time += 1
        return self._observation(), float(right), self._time == self.steps, False, self._info()

    def _scatter(self, word: int | None) -> None:
        """Draw the entities of the next block of steps; `word` is the name of the last relevant one, None at the
        start.
        """
        draw, count, steps = self.np_random, self.entities, self._block
        directions = draw.integers(4, size=(steps, count))
        turn, distance, order = draw.random((3, steps, count))
        angles = directions * (math.pi / 2) + (2 * turn - 1) * _WIDEST
        distances = 0.5 + 0.5 * distance
        places, every = draw.integers(count, size=steps), np.arange(steps)
        asked = draw.integers(1 << self.name, size=steps)
        if self.relevant == "recall":
            asked[:] = asked[0] if word is None else word
        rows = np.zeros((steps, *self._shape), np.float32)
        rows[..., 0] = distances * np.cos(angles)
        rows[..., 1] = distances * np.sin(angles)
        rows[..., 2:] = self._names(asked, places) if self._named else self._loudness(places)
        order[every, places] = -1  # the relevant one is removed last
        present = draw.integers(self.fewest, count + 1, size=steps)
        rows[order.argsort(axis=1).argsort(axis=1) >= present[:, None]] = 0
        self._rows, self._asked_names, self._places, self._directions = rows, asked, places, directions[every, places]

    def _names(self, asked: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Bits of all names, (steps, n, name): the names `asked` (steps,) at the rows `places`, other names
        elsewhere.
        """
        differ = self.np_random.integers(1, 1 << self.name, size=(len(asked), self.entities))
        differ[np.arange(len(asked)), places] = 0
        words = asked[:, None] ^ differ
        bits: np.ndarray = 2 * (words[..., None] >> np.arange(self.name) & 1) - 1
        return bits

    def _loudness(self, places: np.ndarray) -> np.ndarray:
        """Loudness of all entities, (steps, n, 1); those at the rows `places` (steps,) are the loudest."""
        draw, steps = self.np_random, len(places)
        quieter_by = draw.uniform(*_QUIETER_BY, size=(steps, self.entities))
        quieter_by[np.arange(steps), places] = 0
        loudness: np.ndarray = draw.uniform(-_LOUD, _LOUD, size=(steps, 1)) - quieter_by
        return loudness[..., None]

    def _name(self) -> np.ndarray:
        """The bits of the relevant entity's name, (name,)."""
        now = self._time % self._block
        name: np.ndarray = self._rows[now, self._places[now], 2:]
        return name

    def _observation(self) -> dict[str, np.ndarray]:
        rows = self._rows[self._time % self._block]
        if not self._named:
            return {"entities": rows}
        shown = self.relevant == "match" or self._time == 0
        query = (self._name() > 0) + 1 if shown else np.zeros(self.name)
        return {"entities": rows, "query": query.astype(np.int64)}

    def _info(self) -> dict[str, Any]:
        now = self._time % self._block
        place, direction = int(self._places[now]), int(self._directions[now])
        facts = {"place": place, "direction": direction, **self._name_facts}
        return {"relevant": place, "answer": direction, "asked": self._time < self.steps, "facts": facts}

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def entity_places(self) -> Places:
        """Where the entities are drawn, (n, 2), as described in `dqngui.envs.places`."""
        rows = self._rows[self._time % self._block]
        places: Places = 0.5 + _REACH / _SIDE * rows[:, :2] * np.array([1, -1], np.float32)  # y is up in the rows
        places[~rows.any(axis=1)] = np.nan
        return places

    def _picture(self) -> np.ndarray:
        drawing = Drawing(_SIDE, _SIDE)
        middle, reach, now = _SIDE // 2, _REACH, self._time % self._block
        drawing.disc(middle, middle, reach + 8, FLOOR)
        for index, row in enumerate(self._rows[now]):
            if not row.any():
                continue
            x, y = middle + reach * float(row[0]), middle - reach * float(row[1])
            if index == self._places[now]:
                drawing.disc(x, y, 13, SIGNAL, hole=10)
            if self._named:
                drawing.disc(x, y, 8, _colour(row[2:]))
            else:
                drawing.disc(
                    x, y, 3 + 6 * float(row[2] + _LOUD + _QUIETER_BY[1]) / (2 * _LOUD + _QUIETER_BY[1]), BRIGHT
                )
        if self.relevant == "match" or (self.relevant == "recall" and self._time == 0):
            drawing.disc(middle, middle, 20, _colour(self._name()))
        elif self._named:
            drawing.disc(middle, middle, 20, DIM, hole=18)
        if self._last_action is not None:  # of the step before this picture
            action, right = self._last_action
            x, y = _ARROWS[action]
            drawing.arrow(middle + 34 * x, middle + 34 * y, 9, (x, y), RIGHT if right else WRONG)
        return drawing.picture()


def _colour(name: np.ndarray) -> tuple[int, int, int]:
    """A colour for a name; similar names get similar colours."""
    bits = np.resize(name, max(6, len(name)))  # every third to a channel, earlier ones counting more
    weights = 0.5 ** np.arange(len(bits) // 3)
    red, green, blue = (
        int(140 + 100 * bits[channel::3][: len(weights)] @ weights / weights.sum()) for channel in range(3)
    )
    return red, green, blue
