"""T-maze: a cue at the start says which way to turn at the end of a corridor (Bakker 2001).

A corridor of `length` N cells leads to a junction with two arms, up and down. The reward is in one of
them. A cue, drawn with equal probabilities at every reset, says in which; the agent sees it in one place
only and must remember it for N steps.

Observation: float32 (3,): `cue` (+1 up, -1 down where it is shown, else 0), `corridor` (1 before the
junction, else 0), `junction` (1 at the junction, else 0). Neither position nor time can be seen.
`info` holds `cue` (+1 or -1), also as a fact, and `turn`, the action that is right at the junction.

**Passive** (`active=False`), 2 actions: up, down.
  The cue is shown at t = 0. Every action moves one cell forward, for t = 0 ... N-1, with reward 0.
  At t = N the agent stands at the junction and its action ends the episode: +1 if it matches the
  cue, -1 if not. Every episode has N + 1 steps.
  Oracle: +1. Best without memory: 0. (The best action values at the junction differ by 2.)
  There is one way to solve it without memory: a policy that sees its previous action can choose the action at
  t = 0 by the cue and then repeat it up to the junction, so that its actions store the cue. That takes
  N + 1 equal actions that are rewarded only together, so Q-learning has no gradient towards it: without memory, but
  with previous action and reward, it stayed between 40 and 57 % right, with no lasting difference of the values, in 8
  of 8 seeds for each of N = 1, 5, 10, 30.

**Active** (`active=True`), 4 actions: forward, back, up, down (after Ni et al. 2023, arXiv:2307.03864).
  The cue is one cell to the left of the start (x = -1) and is seen only there; the junction is at x = N.
  Forward and back move one cell, where there is one; up and down do nothing before the junction. Up
  or down at the junction ends the episode: +1 if it matches the cue, -1 if not. The way to the cue
  and back to the junction takes N + 2 moves, so the last step is step N + 3: the task ends then in
  any case (terminated, since the horizon belongs to the task), with reward 0 if it has not turned.
  Every step t = 1, 2, ... that does not turn costs 1/(N+2) if the agent is slower than the best
  policy, that is if x < t - 2 after the step.
  Oracle: back, forward N + 1 times, turn: +1. Best without memory: 0. A policy that repeats an action to
  store the cue stands still or walks too late, so the previous action does not help here.

Rendering (`rgb_array`): the corridor, the agent, the arms, and the cue where it is shown.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.envs.drawing import BRIGHT, DIM, FLOOR, RIGHT, SIGNAL, WRONG, Drawing

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
        turn = self._up if self._cue == UP else self._up + 1
        return {"cue": self._cue, "turn": turn, "facts": {"cue": self._cue}}

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        return self._picture() if self.render_mode == "rgb_array" else None

    def _picture(self) -> np.ndarray:
        """The maze from above, its cells made narrower the more there are."""
        drawing = Drawing(480, 160)
        margin, hall, middle = 24, 40, 80  # hall: width of the corridor
        cell = (drawing.width - 2 * margin - hall) / (self.length - self._first)

        def centre(x: int) -> float:
            return margin + hall / 2 + (x - self._first) * cell

        end, edge = centre(self.length), margin / 2
        drawing.rectangle(margin, middle - hall / 2, end + hall / 2, middle + hall / 2, FLOOR)
        drawing.rectangle(end - hall / 2, edge, end + hall / 2, drawing.height - edge, FLOOR)
        if cell >= 6:
            for x in range(self._first + 1, self.length):
                drawing.disc(centre(x), middle, 1, DIM)
        if self._turned:
            colour = RIGHT if self._turned == self._cue else WRONG
            top, bottom = (
                (edge, middle - hall / 2) if self._turned == UP else (middle + hall / 2, drawing.height - edge)
            )
            drawing.rectangle(end - hall / 2, top, end + hall / 2, bottom, colour)
        shown = self._x == self._first and not self._turned
        drawing.arrow(centre(self._first), middle, hall / 2 - 4, (0, -self._cue), SIGNAL if shown else _CUE_PAST)
        y = middle - self._turned * (middle - edge - hall / 2)
        drawing.disc(centre(self._x), y, 8, BRIGHT)
        return drawing.picture()


_CUE_PAST = (88, 80, 62)
