"""Periodic: a market with a hidden season, in which the same changes come again every `period` steps.

Each episode draws a pattern of s = `period` numbers from the standard normal distribution. The change
at step t is x_t = pattern[t mod s] + noise · ε_t, with ε_t standard normal. At t = 0, 1, ..., steps−1 the
agent sees x_t and takes a position for the next step, short (0) or long (1). It earns ±1 for the side
(`reward = "sign"`: +1 if long and x_{t+1} > 0 or short and x_{t+1} <= 0, else −1), or what the position
earns (`"profit"`: x_{t+1} if long, −x_{t+1} if short). Actions change nothing that comes later. After
`steps` steps the episode is truncated: the market goes on.

Observation: float32 (1,), the change x_t, or with `price` the price P_t = x_0 + ... + x_t, whose
differences are the changes. `info`: `pattern` (s,), `answer` (the action that the next change proves
right), `asked` (always true but after the last step), and as facts the `phase` t mod s and the `next change`
without its noise.

x_{t+1} is independent of the s − 1 latest changes x_t ... x_{t−s+2}: a policy that remembers fewer than s of
them, the present one included, earns 0 on average, as does a random one. From t = s − 1 on the
seasonal forecast x̂_{t+1} = x_{t+1−s}, which is linear, is right with the probability
1/2 + asin(ρ)/π, ρ = 1/(1 + noise²). The best forecast is the mean of all k changes seen in the same
phase, with ρ_k = 1/√((1 + noise²/k)(1 + noise²)) (`expected_return` sums it up):

    expected return of an episode, "sign":  Σ_{t=s−1}^{steps−1} (2/π) asin(ρ_k),  k = ⌊(t+1)/s⌋,
    "profit": each term is ρ_k √((1 + noise²) 2/π) instead.

With `price` a memory must first take differences, x_t = P_t − P_{t−1}: d = 1, and then the season. The
price alone then gives a little information: it has more often gone up before a change that is up (the best
policy without memory follows the sign of P_t and earns about a fifth of a step's reward at s = 8).

Rendering: the changes as bars, coloured by whether the position at that step was right, and the
price above them; the line marks one season back from the change that is to come.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BRIGHT, DIM, FLOOR, RIGHT, SIGNAL, WRONG, Drawing

SHORT, LONG = 0, 1


class Periodic(gymnasium.Env[np.ndarray, int]):
    """The seasonal market of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    action_names = ("short", "long")

    def __init__(
        self,
        period: int = 8,
        noise: float = 0.1,
        steps: int = 64,
        price: bool = False,
        reward: Literal["sign", "profit"] = "sign",
        render_mode: str | None = None,
    ) -> None:
        if period < 1 or steps < 1 or noise < 0 or reward not in ("sign", "profit"):
            raise ValueError("period and steps must be 1 or more, noise 0 or more, and reward `sign` or `profit`")
        self.period, self.noise, self.steps, self.price, self.reward = period, noise, steps, price, reward
        self.render_mode = render_mode
        self.feature_names = ("price",) if price else ("change",)
        self.observation_space: spaces.Space[Any] = spaces.Box(-np.inf, np.inf, (1,), np.float32)
        self.action_space: spaces.Space[Any] = spaces.Discrete(2)
        self._pattern = np.zeros(period)
        self._changes = np.zeros(steps + 1)  # x_0 ... x_steps
        self._seen = np.zeros((steps + 1, 1), np.float32)
        self._time = 0
        self._actions: list[int] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        draw, count = self.np_random, self.steps + 1
        self._pattern = draw.standard_normal(self.period)
        self._changes = np.resize(self._pattern, count) + self.noise * draw.standard_normal(count)
        seen = self._changes.cumsum() if self.price else self._changes
        self._seen = seen.astype(np.float32)[:, None]
        self._time, self._actions = 0, []
        return self._seen[0], self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._actions.append(int(action))
        self._time += 1
        change = float(self._changes[self._time])
        if self.reward == "sign":
            reward = 1.0 if (change > 0) == (action == LONG) else -1.0
        else:
            reward = change if action == LONG else -change
        return self._seen[self._time], reward, False, self._time == self.steps, self._info()

    def _info(self) -> dict[str, Any]:
        asked = self._time < self.steps
        answer = int(self._changes[self._time + 1] > 0) if asked else SHORT
        coming = float(self._pattern[(self._time + 1) % self.period])
        facts = {"phase": self._time % self.period, "next change": coming}
        return {"pattern": self._pattern, "answer": answer, "asked": asked, "facts": facts}

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        drawing = Drawing(480, 200)
        margin, middle, half = 16, 146, 42
        cell = (drawing.width - 2 * margin) / (self.steps + 1)
        gap = 0.15 * cell if cell >= 4 else 0.0
        drawing.rectangle(margin, middle - 0.5, drawing.width - margin, middle + 0.5, FLOOR)
        changes = self._changes[: self._time + 1]
        scale = half / max(2.5, float(np.abs(changes).max()))
        for step, change in enumerate(changes.tolist()):
            left = margin + step * cell
            top, bottom = sorted((middle, middle - change * scale))
            colour = DIM
            if step:
                right = (change > 0) == (self._actions[step - 1] == LONG)
                colour = RIGHT if right else WRONG
            drawing.rectangle(left + gap, top, left + cell - gap, max(bottom, top + 1), colour)
        self._draw_price(drawing, changes.cumsum(), margin, cell)
        if self._time < self.steps and self._time + 1 >= self.period:
            past = margin + (self._time + 1 - self.period) * cell
            drawing.frame(past, middle - half - 4, past + cell, middle + half + 4, min(1.5, cell / 4), SIGNAL)
        return drawing.picture()

    def _draw_price(self, drawing: Drawing, prices: np.ndarray, margin: float, cell: float) -> None:
        top, bottom = 16, 84
        low, high = min(0.0, float(prices.min())), max(0.0, float(prices.max()))
        scale = (bottom - top) / max(1.0, high - low)
        y = bottom - (prices - low) * scale
        for step in range(1, len(y)):
            left = margin + (step - 0.5) * cell
            upper, lower = sorted((float(y[step - 1]), float(y[step])))
            drawing.rectangle(left + cell - 1, upper, left + cell + 1, lower, DIM)
            drawing.rectangle(left, y[step - 1] - 1, left + cell, y[step - 1] + 1, DIM)
        drawing.disc(margin + (len(y) - 0.5) * cell, float(y[-1]), 4, BRIGHT)


def expected_return(period: int, noise: float, steps: int, reward: str = "sign", persistent: bool = False) -> float:
    """Mean return of an episode under the best forecast, or under the persistent one x̂_{t+1} = x_{t+1−s}."""
    total = 0.0
    for time in range(period - 1, steps):
        seen = 1 if persistent else (time + 1) // period
        correlation = 1 / math.sqrt((1 + noise**2 / seen) * (1 + noise**2))
        if reward == "sign":
            total += 2 / math.pi * math.asin(correlation)
        else:
            total += correlation * math.sqrt((1 + noise**2) * 2 / math.pi)
    return total
