"""Recall with distractors: symbols shown at the start must be named at the end.

Each episode draws `cues` symbols, each one of `symbols` with equal probabilities. They are shown in their
order at random steps among the first E = cues + spread, marked by a flag. Any other step before the
question shows a symbol without the flag, a distractor, with probability `distractors`, else nothing.
`delay` steps after the first E comes the question, at t = E + delay: which symbol was the i-th cue?
i is drawn with equal probabilities, and the question shows no symbol. The action at the question ends the
episode: reward 1 if it names the symbol, else 0. All earlier actions change nothing and give 0, so an
episode has E + delay + 1 steps and its return is 1 or 0.

Observation: float32 (symbols + 1 + cues,): the shown symbol one-hot, the cue's flag, and one entry for
each i, 1 if the i-th cue is asked for. With `discrete`: MultiDiscrete([symbols + 1, cues + 2]), the
shown symbol (0: none) and the mark (0: none, 1: cue, 1 + i: the i-th cue is asked for).
Actions: one per symbol. `info`: `cues` (tuple of symbols), `place` (i − 1), `answer` (the action that is
right at the question), `asked` (whether the present observation is the question), and as facts the symbol that
will be asked for and, with several cues, each of them.

Oracle: 1. Without memory, and at random: 1/symbols. A policy that knows the cues but not their order
(cues > 1) earns less than 1. As in the passive T-maze, an agent that sees its previous action could store a
cue in its actions, but nothing rewards the first steps of that.

Rendering: the steps from left to right, with cues framed, and past steps dimmed, since the agent no longer
sees them; above them, what it sees now.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BACKGROUND, DIM, FLOOR, RIGHT, SIGNAL, WRONG, Drawing, hue


class Recall(gymnasium.Env[np.ndarray, int]):
    """The recall task of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}

    def __init__(
        self,
        delay: int = 20,
        symbols: int = 4,
        cues: int = 1,
        spread: int = 4,
        distractors: float = 1.0,
        discrete: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if min(delay, spread) < 0 or symbols < 2 or cues < 1 or not 0 <= distractors <= 1:
            raise ValueError("delay and spread must be 0 or more, symbols 2, cues 1, and distractors from 0 to 1")
        self.delay, self.symbols, self.cues, self.spread = delay, symbols, cues, spread
        self.distractors, self.discrete = distractors, discrete
        self.render_mode = render_mode
        self.action_names = tuple(f"symbol {symbol + 1}" for symbol in range(symbols))
        asks = tuple(f"asks cue {place + 1}" for place in range(cues)) if cues > 1 else ("asks",)
        self.feature_names = () if discrete else (*self.action_names, "cue", *asks)
        self.observation_space: spaces.Space[Any] = (
            spaces.MultiDiscrete([symbols + 1, cues + 2])
            if discrete
            else spaces.Box(0.0, 1.0, (symbols + 1 + cues,), np.float32)
        )
        self.action_space: spaces.Space[Any] = spaces.Discrete(symbols)
        self._early = cues + spread
        self._last = self._early + delay  # time of the question
        self._time = 0
        self._cues = np.zeros(cues, np.int64)
        self._place = 0
        self.shown = np.zeros((self._last + 2, 2), np.int64)  # symbol and mark of every step, as if discrete
        self._observations: np.ndarray = self.shown  # the observation of every step
        self._given_answer: int | None = None
        self._facts: dict[str, int] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        draw = self.np_random
        self._cues = draw.integers(self.symbols, size=self.cues)
        self._place = int(draw.integers(self.cues))
        times = np.sort(draw.permutation(self._early)[: self.cues])
        shown = self.shown = np.zeros((self._last + 2, 2), np.int64)
        before = shown[: self._last, 0]
        before[:] = draw.integers(1, self.symbols + 1, size=self._last)
        before[draw.random(self._last) >= self.distractors] = 0
        shown[times, 0], shown[times, 1] = self._cues + 1, 1
        shown[self._last, 1] = 2 + self._place
        self._observations = shown if self.discrete else self._one_hot(shown)
        self._time, self._given_answer = 0, None
        symbols = self._cues.tolist()
        self._facts = {"asked symbol": symbols[self._place]}
        if self.cues > 1:
            self._facts |= {f"cue {place + 1}": symbol for place, symbol in enumerate(symbols)}
        return self._observations[0], self._info()

    def _one_hot(self, shown: np.ndarray) -> np.ndarray:
        observations = np.zeros((len(shown), self.symbols + 1 + self.cues), np.float32)
        symbol, mark = np.flatnonzero(shown[:, 0]), np.flatnonzero(shown[:, 1])
        observations[symbol, shown[symbol, 0] - 1] = 1
        observations[mark, self.symbols + shown[mark, 1] - 1] = 1
        return observations

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        asked = self._time == self._last
        reward = 0.0
        if asked:
            self._given_answer = int(action)
            reward = float(action == self._cues[self._place])
        self._time += 1
        return self._observations[self._time], reward, asked, False, self._info()

    def _info(self) -> dict[str, Any]:
        return {
            "cues": tuple(self._cues.tolist()),
            "place": self._place,
            "answer": int(self._cues[self._place]),
            "asked": self._time == self._last,
            "facts": self._facts,
        }

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        drawing = Drawing(480, 160)
        time = min(self._time, self._last)
        cell = min(28.0, (drawing.width - 32) / (self._last + 1))
        left = (drawing.width - cell * (self._last + 1)) / 2
        gap = 2 if cell >= 8 else 0
        for step in range(self._last + 1):
            symbol, mark = self.shown[step].tolist()
            x = left + step * cell
            if step > time:
                drawing.rectangle(x + gap, 128, x + cell - gap, 132, FLOOR)
                continue
            if symbol:
                colour = hue(symbol - 1, self.symbols, 1.0 if step == time else 0.45)
                drawing.rectangle(x + gap, 116, x + cell - gap, 144, colour)
            else:
                drawing.rectangle(x + gap, 128, x + cell - gap, 132, DIM)
            if mark:
                drawing.rectangle(x + gap, 108, x + max(2, cell - gap), 112, SIGNAL)
        symbol, mark = self.shown[time].tolist()
        self._draw_present(drawing, symbol, mark)
        return drawing.picture()

    def _draw_present(self, drawing: Drawing, symbol: int, mark: int) -> None:
        middle = drawing.width / 2
        if mark > 1:
            drawing.text(middle - 40, 52, 50, "?" if self.cues == 1 else f"{self._place + 1}?", SIGNAL)
        if symbol:
            self._tile(drawing, middle, symbol - 1)
            if mark:
                drawing.frame(middle - 38, 14, middle + 38, 90, 4, SIGNAL)
        if self._given_answer is not None:
            self._tile(drawing, middle + 60, self._given_answer)
            right = self._given_answer == self._cues[self._place]
            drawing.frame(middle + 22, 14, middle + 98, 90, 4, RIGHT if right else WRONG)

    def _tile(self, drawing: Drawing, x: float, symbol: int) -> None:
        drawing.rectangle(x - 30, 22, x + 30, 82, hue(symbol, self.symbols))
        drawing.text(x, 52, 30, str(symbol + 1), BACKGROUND)
