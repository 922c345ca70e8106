"""ε-greedy exploration: a ladder of ε over the environments, and random actions that are repeated for some steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.choices import Choices
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
        self,
        num_envs: int,
        actions: int,
        longest: int,
        generator: np.random.Generator,
        power: float = 2.0,
        several: Choices | None = None,
    ) -> None:
        """`several`: the choices that an action consists of, if their values are learned one by one."""
        self.actions, self.generator, self.several = actions, generator, several
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
        if self.several is not None and not repeats:
            return self._each_choice(self.several, greedy, epsilon, legal)
        random = self.generator.random(count) < begins
        drawn = self._drawn(count, legal)
        if not repeats:
            return np.where(random, drawn, greedy)
        lengths = 1 + np.searchsorted(self.cumulative, self.generator.random(count) * self.cumulative[-1])
        new = random & (self.left == 0)
        self.left = np.where(new, lengths, self.left)
        if legal is not None:
            new = new | ~self._allowed(legal)
        self.held = np.where(new, drawn, self.held)
        going = self.left > 0
        self.left -= going
        return np.where(going, self.held, greedy)

    def _each_choice(
        self, several: Choices, greedy: NDArray[np.int64], epsilon: NDArray[np.float64], legal: Mask | None
    ) -> NDArray[np.int64]:
        """Each choice is random for itself with the share ε, so that one of many is varied around the greedy others."""
        random = self.generator.random((len(greedy), len(several.sizes))) < epsilon[:, None]
        drawn = several.split(several.random(self.generator, len(greedy), legal))
        return several.join(np.where(random, drawn, several.split(greedy)))

    def _drawn(self, count: int, legal: Mask | None) -> NDArray[np.int64]:
        """Random actions (count,)."""
        if self.several is not None:
            return self.several.random(self.generator, count, legal)
        return random_actions(self.generator, self.actions, count, legal)

    def _allowed(self, legal: Mask) -> NDArray[np.bool_]:
        """Whether the repeated actions are legal, (N,)."""
        if self.several is not None:
            return self.several.allows(self.held, legal)
        allowed: NDArray[np.bool_] = legal[np.arange(len(self.held)), self.held]
        return allowed

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
