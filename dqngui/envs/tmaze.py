"""T-maze: a cue at the start says which way to turn at the end of a corridor (Bakker 2001).

A corridor of `length` N cells leads to a junction with two arms, up and down. The reward waits in
one of them. A cue, drawn with equal chances at every reset, says in which; the agent sees it in one
place only and must remember it for N steps.

Observation: float32 (3,): `cue` (+1 up, -1 down where it is shown, else 0), `corridor` (1 before the
junction, else 0), `junction` (1 at the junction, else 0). Neither position nor time can be seen.
`info` holds `cue` (+1 or -1) and `turn`, the action that is right at the junction.

**Passive** (`active=False`), 2 actions: up, down.
  The cue is shown at t = 0. Every action moves one cell forward, for t = 0 ... N-1, with reward 0.
  At t = N the agent stands at the junction and its action ends the episode: +1 if it matches the
  cue, -1 if not. Every episode has N + 1 steps.
  Oracle: +1. Best without memory: 0. (The best action values at the junction differ by 2.)
  One way round the memory exists: a policy that is given its previous action can say at t = 0 which
  cue it saw and then repeat itself up to the junction, writing the cue into its own actions. It
  takes N + 1 actions that agree with each other and are rewarded only together, so Q-learning has no
  slope towards it: without memory, but with previous action and reward, it stayed between 40 and
  57 % right, with no lasting difference of the values, in 8 of 8 seeds for each of N = 1, 5, 10, 30.

**Active** (`active=True`), 4 actions: forward, back, up, down (after Ni et al. 2023, arXiv:2307.03864).
  The cue stands one cell behind the start (x = -1) and is seen only there; the junction is at x = N.
  Forward and back move one cell, where there is one; up and down do nothing before the junction. Up
  or down at the junction ends the episode: +1 if it matches the cue, -1 if not. The way to the cue
  and back to the junction takes N + 2 moves, so the last step is the (N+3)rd: the task ends then in
  any case (terminated, since the horizon belongs to the task), with 0 for not having turned.
  Every step t = 1, 2, ... that does not turn costs 1/(N+2) if the agent has fallen behind the best
  schedule, that is if x < t - 2 after it.
  Oracle: back, forward N + 1 times, turn: +1. Best without memory: 0. Whoever repeats an action to
  remember the cue stands still or walks too late, so the previous action does not help here.

Rendering (`rgb_array`): the corridor, the agent, the arms, and the cue where it is shown.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

UP, DOWN = 1, -1
_FORWARD, _BACK = 0, 1


class TMaze(gymnasium.Env[np.ndarray, int]):
    """The T-maze of this module's specification."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    feature_names = ("cue", "corridor", "junction")

    def __init__(self, length: int = 30, active: bool = False, render_mode: str | None = None) -> None:
        if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= 10_000:
            raise ValueError(f"length must be a whole number from 1 to 10,000, got {length!r}")
        self.length = length
        self.active = active
        self.render_mode = render_mode
        self.action_names = ("forward", "back", "up", "down") if active else ("up", "down")
        self.observation_space = spaces.Box(np.array([-1, 0, 0], np.float32), np.ones(3, np.float32))
        self.action_space: spaces.Space[Any] = spaces.Discrete(len(self.action_names))
        self._first = -1 if active else 0  # where the cue is shown
        self._up = self.action_names.index("up")
        self._cue = UP
        self._x = 0
        self._time = 0
        self._turned = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._cue = UP if self.np_random.integers(2) else DOWN
        self._x = self._time = self._turned = 0
        return self._observation(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        at_junction = self._x == self.length
        self._time += 1
        if at_junction and action >= self._up:
            self._turned = UP if action == self._up else DOWN
            reward, terminated = (1.0 if self._turned == self._cue else -1.0), True
        elif self.active:
            move = {_FORWARD: 1, _BACK: -1}.get(int(action), 0)
            self._x = min(max(self._x + move, self._first), self.length)
            reward = -1 / (self.length + 2) if self._x < self._time - 2 else 0.0
            terminated = self._time == self.length + 3
        else:
            self._x += 1
            reward, terminated = 0.0, False
        return self._observation(), reward, terminated, False, self._info()

    def _observation(self) -> np.ndarray:
        junction = self._x == self.length
        shown = self._cue if self._x == self._first else 0
        return np.array([shown, not junction, junction], np.float32)

    def _info(self) -> dict[str, Any]:
        return {"cue": self._cue, "turn": self._up if self._cue == UP else self._up + 1}

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        """The maze from above, its cells made narrower the more there are."""
        scale = 2  # drawn twice as large and averaged, for smooth edges
        height, width, margin = 160 * scale, 480 * scale, 24 * scale
        hall = 40 * scale  # width of the corridor
        image = np.empty((height, width, 3), np.uint16)
        image[:] = _WALL
        cell = (width - 2 * margin - hall) / (self.length - self._first)
        left, middle = margin, height // 2

        def centre(x: int) -> int:
            return round(left + hall / 2 + (x - self._first) * cell)

        end = centre(self.length)
        image[middle - hall // 2 : middle + hall // 2, left : end + hall // 2] = _FLOOR
        image[margin // 2 : height - margin // 2, end - hall // 2 : end + hall // 2] = _FLOOR
        if cell >= 6 * scale:
            for x in range(self._first + 1, self.length):
                _disc(image, centre(x), middle, scale, _DOTS)
        if self._turned:
            colour = _RIGHT if self._turned == self._cue else _WRONG
            arm = (
                slice(margin // 2, middle - hall // 2)
                if self._turned == UP
                else slice(middle + hall // 2, height - margin // 2)
            )
            image[arm, end - hall // 2 : end + hall // 2] = colour
        shown = self._x == self._first and not self._turned
        _arrow(image, centre(self._first), middle, hall // 2 - 4 * scale, self._cue, _CUE if shown else _CUE_PAST)
        y = middle - self._turned * (height // 2 - margin // 2 - hall // 2)
        _disc(image, centre(self._x), y, 8 * scale, _AGENT)
        rows = image[0::scale] + image[1::scale]
        return ((rows[:, 0::scale] + rows[:, 1::scale] + scale) // scale**2).astype(np.uint8)


_WALL, _FLOOR, _DOTS = (18, 21, 26), (43, 50, 61), (93, 104, 120)
_AGENT, _CUE, _CUE_PAST = (232, 235, 240), (232, 178, 58), (88, 80, 62)
_RIGHT, _WRONG = (63, 191, 138), (239, 106, 106)


def _disc(image: np.ndarray, x: int, y: int, radius: int, colour: tuple[int, int, int]) -> None:
    window = image[y - radius : y + radius + 1, x - radius : x + radius + 1]
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    window[rows**2 + columns**2 <= radius**2] = colour


def _arrow(image: np.ndarray, x: int, y: int, size: int, direction: int, colour: tuple[int, int, int]) -> None:
    """A triangle of `size` above and below its middle, pointing up (1) or down (-1)."""
    window = image[y - size : y + size + 1, x - size : x + size + 1]
    rows, columns = np.ogrid[-size : size + 1, -size : size + 1]
    window[2 * np.abs(columns) <= size + direction * rows] = colour
