"""Senses: a picture, a sound and a sentence together say where to go, and no two of them do.

Every step is a question of its own. The picture shows four things, one in each quarter. Each of the four colours
(red, green, blue, yellow) and each of the four shapes (square, cross, ring, bar) is there once, in orders that are
drawn independently. The sound has one of four pitches: the first pitch means the first colour and the first shape, and
so on. The sentence says whether the colour or the shape counts, and where to go from the thing that has it: `to` it,
`across` from it (the other quarter of the diagonal), `beside` it (left or right) or `over or under` it. The action that
is this quarter gets reward 1, any other action 0. Everything is drawn uniformly and independently at every step. An
episode has `steps` steps and ends then (terminated).

The option `moves` is the number of these moves that occur, in the order above: 1 to 4.

Observation: Dict of
  `picture` uint8 (12, 12, 3): a quarter has 6 x 6 pixels, with a shape of 5 x 5 pixels in one of four positions, at a
            brightness from 0.6 to 1; the background is 0.
  `sound`   float32 (16,), from 0 to 1: a spectrum. Pitch p is a peak around band 4p + 1.5, up to one band off, with a
            deviation of 0.8 bands and a loudness from 0.5 to 1; every band has noise from 0 to 0.25. The loudest band
            is always one of 4p to 4p + 3.
  `words`   Text, such as `go to the colour you hear`.
Actions: the quarters upper left, upper right, lower left, lower right. `info`: `answer` (the right action) and `asked`
(true while the episode lasts); as facts the pitch, whether the shape counts, and the move.

Oracle: `steps`. At random, and from any one sense alone: steps/4. The best policy without the picture or without the
sound gets steps/4: every quarter is equally probable, whatever the other two say. Without the words it gets 5/8 of the
steps with 1 move, 3/8 with 2, 1/3 with 3 and 1/4 with 4: with all moves, no two senses say more than chance.

Rendering: the picture, the spectrum as bars, the words, and the action of the step before, green if it was right.
"""

from __future__ import annotations

import string
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BRIGHT, FLOOR, RIGHT, SIGNAL, WRONG, Drawing

COLOURS = np.array([[255, 40, 40], [40, 255, 40], [60, 60, 255], [255, 255, 40]])
"""Red, green, blue, yellow."""
SHAPES = np.array(
    [
        [[1, 1, 1, 1, 1]] * 5,
        [[0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]],
        [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]],
        [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
    ]
)
"""Square, cross, ring, bar."""
MOVES = (("to", 0), ("across from", 3), ("beside", 1), ("over or under", 2))
"""Words of a move, and what it changes in a quarter: bit 0 its column, bit 1 its row."""
PROPERTIES = ("colour", "shape")
BANDS, QUARTER = 16, 6
_WIDTH, _OFF, _NOISE = 0.8, 1.0, 0.25  # of a peak in bands, and of the noise
_SCALE, _BAR = 18, 12  # pixels of the rendered picture: a pixel of the observed one, the width of a band's bar


def sentence(property_: int, move: int) -> str:
    """The sentence for a property and a move, by their indices."""
    return f"go {MOVES[move][0]} the {PROPERTIES[property_]} you hear"


class Senses(gymnasium.Env[dict[str, Any], int]):
    """The task of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}
    action_names = ("upper left", "upper right", "lower left", "lower right")
    feature_names = tuple(f"band {band + 1}" for band in range(BANDS))

    def __init__(self, moves: int = 1, steps: int = 8, render_mode: str | None = None) -> None:
        if not 1 <= moves <= len(MOVES) or steps < 1:
            raise ValueError("moves must be from 1 to 4, and steps 1 or more")
        self.moves, self.steps, self.render_mode = moves, steps, render_mode
        longest = max(len(sentence(1, 0)), *(len(sentence(0, move)) for move in range(len(MOVES))))
        self.observation_space: spaces.Space[Any] = spaces.Dict(
            {
                "picture": spaces.Box(0, 255, (2 * QUARTER, 2 * QUARTER, 3), np.uint8),
                "sound": spaces.Box(0.0, 1.0, (BANDS,), np.float32),
                "words": spaces.Text(longest, charset=string.ascii_lowercase + " "),
            }
        )
        self.action_space: spaces.Space[Any] = spaces.Discrete(4)
        self._time = 0
        self._last_action: tuple[int, bool] | None = None
        self._question()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self._time, self._last_action = 0, None
        self._question()
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        right = bool(action == self._answer)
        self._last_action = int(action), right
        self._time += 1
        self._question()
        return self._observation(), float(right), self._time == self.steps, False, self._info()

    def _question(self) -> None:
        """Draw the next picture, sound and sentence."""
        draw = self.np_random
        orders = draw.permuted(np.tile(np.arange(4), (2, 1)), axis=1)  # colour and shape in each quarter
        self._pitch, self._property = int(draw.integers(4)), int(draw.integers(2))
        self._move = int(draw.integers(self.moves))
        thing = int(np.flatnonzero(orders[self._property] == self._pitch)[0])
        self._answer = thing ^ MOVES[self._move][1]
        self._picture = np.zeros((2 * QUARTER, 2 * QUARTER, 3), np.uint8)
        offsets, brightness = draw.integers(2, size=(4, 2)), draw.uniform(0.6, 1.0, size=4)
        for quarter, (colour, shape) in enumerate(orders.T):
            top, left = offsets[quarter] + QUARTER * np.array(divmod(quarter, 2))
            drawn = brightness[quarter] * COLOURS[colour] * SHAPES[shape][..., None]
            self._picture[top : top + 5, left : left + 5] = drawn.astype(np.uint8)
        peak = 4 * self._pitch + 1.5 + draw.uniform(-_OFF, _OFF)
        shape_ = np.exp(-0.5 * ((np.arange(BANDS) - peak) / _WIDTH) ** 2)
        sound = draw.uniform(0.5, 1.0) * shape_ + draw.uniform(0, _NOISE, size=BANDS)
        self._sound = np.minimum(sound, 1.0).astype(np.float32)

    def _observation(self) -> dict[str, Any]:
        return {"picture": self._picture, "sound": self._sound, "words": sentence(self._property, self._move)}

    def _info(self) -> dict[str, Any]:
        facts = {"pitch": self._pitch, "shape counts": self._property, "move": self._move}
        return {"answer": self._answer, "asked": self._time < self.steps, "facts": facts}

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._drawn() if self.render_mode == "rgb_array" else None

    def _drawn(self) -> np.ndarray:
        side, base = 2 * QUARTER * _SCALE, 12
        drawing = Drawing(side + 3 * base + BANDS * _BAR, side + 2 * base + 36)
        drawing.rectangle(base - 2, base - 2, base + side + 2, base + side + 2, FLOOR)
        for (row, column), _ in np.ndenumerate(self._picture[..., 0]):
            red, green, blue = (int(part) for part in self._picture[row, column])
            top, left = base + row * _SCALE, base + column * _SCALE
            drawing.rectangle(left, top, left + _SCALE, top + _SCALE, (red, green, blue))
        for band, loudness in enumerate(self._sound):
            left = 2 * base + side + band * _BAR
            drawing.rectangle(left, base + side - side * float(loudness), left + _BAR - 3, base + side, SIGNAL)
        drawing.text(drawing.width / 2, drawing.height - 24, 15, sentence(self._property, self._move).upper(), BRIGHT)
        if self._last_action is not None:  # of the step before this picture
            action, right = self._last_action
            top, left = (base + place * side / 2 for place in divmod(action, 2))
            drawing.frame(left, top, left + side / 2, top + side / 2, 3, RIGHT if right else WRONG)
        return drawing.picture()
