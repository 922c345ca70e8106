"""ε-greedy exploration: a ladder of ε over the environments, and random actions that are repeated for some steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.held_actions import repetition_shares
from dqngui.envs.legal_actions import Mask, random_actions


def epsilon_ladder(epsilon: float, num_envs: int, spread: float) -> NDArray[np.float64]:
    """ε of each environment: ε^(1 + i·spread/(n−1)), Horgan et al. 2018, arXiv:1803.00933, section 4.1.

    Environment 0 explores with ε itself, the last one least; ε = 0 and ε = 1 do not change.
    """
    if num_envs == 1 or spread == 0.0:
        return np.full(num_envs, epsilon)
    return epsilon ** (1.0 + spread * np.arange(num_envs) / (num_envs - 1))


class Exploration:
    """Replaces greedy actions of N environments by random ones, so that a share ε of all actions is random.

    A random action is repeated for n steps, n drawn with probability ∝ 1/n^`power` up to `longest` (ε z-greedy, Dabney
    et al. 2021, arXiv:2006.01782, whose μ is the power). A policy that dithers from step to step hardly leaves the
    place where it is; one that sometimes goes on in a direction does. Repetition ends with the episode.

    Attributes:
        left, held: steps for which the present random action is still repeated, and that action, (N,).
    """

    def __init__(
        self, num_envs: int, actions: int, longest: int, generator: np.random.Generator, power: float = 2.0
    ) -> None:
        self.actions, self.generator = actions, generator
        self.left, self.held = np.zeros(num_envs, np.int64), np.zeros(num_envs, np.int64)
        shares = repetition_shares(longest, power)
        self.cumulative = shares.cumsum()
        self.mean_length = float(shares @ np.arange(1, longest + 1))
        self._remembered: tuple[Any, NDArray[np.int64], NDArray[np.int64]] | None = None

    def replace(
        self, greedy: NDArray[np.int64], epsilon: NDArray[np.float64], legal: Mask | None = None
    ) -> NDArray[np.int64]:
        """The actions (N,) to take instead of the greedy ones, with the share ε (N,) of random ones.

        Args:
            legal: which actions can be drawn, (N, A); None: all. A repeated action that has become illegal is replaced
                by another random one for the rest of the repetition.
        """
        count, repeats = len(greedy), len(self.cumulative) > 1
        # So often a random action begins that the share of steps with one is ε.
        begins = epsilon / (self.mean_length * (1 - epsilon) + epsilon) if repeats else epsilon
        random = self.generator.random(count) < begins
        drawn = random_actions(self.generator, self.actions, count, legal)
        if not repeats:
            return np.where(random, drawn, greedy)
        lengths = 1 + np.searchsorted(self.cumulative, self.generator.random(count) * self.cumulative[-1])
        new = random & (self.left == 0)
        self.left = np.where(new, lengths, self.left)
        if legal is not None:
            new = new | ~legal[np.arange(count), self.held]
        self.held = np.where(new, drawn, self.held)
        going = self.left > 0
        self.left -= going
        return np.where(going, self.held, greedy)

    def remember(self) -> None:
        """Keep the state of the generator and of the repetitions, so that `forget` can undo what is drawn next."""
        self._remembered = self.generator.bit_generator.state, self.left, self.held  # `replace` makes new arrays

    def forget(self) -> None:
        """Undo what was drawn since `remember`."""
        if self._remembered is not None:
            self.generator.bit_generator.state, self.left, self.held = self._remembered

    def restart(self, which: NDArray[np.bool_]) -> None:
        """Stop repeating in the environments where `which` (N,) is true: their episodes have ended."""
        self.left[which] = 0

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """What `restore` needs, by name."""
        return {"explore.left": self.left.copy(), "explore.held": self.held.copy()}

    def restore(self, left: NDArray[np.int64], held: NDArray[np.int64]) -> None:
        """Take over what `arrays` gave."""
        self.left, self.held = left.copy(), held.copy()
