"""How an action's value is read from a head's numbers: one number an action, or one an option of each choice.

Of several choices at once (`envs.choices`), the value of a combination is the mean of the values of its options:
Q(s, a) = 1/D Σ_d Q_d(s, a_d), so its maximum is found one choice at a time. Seyde et al. 2022 (DecQN),
arXiv:2210.12566, equation 4.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dqngui.envs.choices import Choices


class OneChoice:
    """Each action has a number of its own; estimates are (…, A), or (…, A, N) with N numbers an action."""

    sizes: tuple[int, ...] = ()

    def __init__(self, actions: int = 0) -> None:
        """`actions`: their number A, which only `marked` needs."""
        self.options = actions

    def greedy(self, preferences: Tensor) -> Tensor:
        """The actions (…) with the largest of the preferences (…, A)."""
        return preferences.argmax(-1)

    def largest(self, values: Tensor) -> Tensor:
        """The value (…) of the best action, from (…, A)."""
        return values.amax(-1)

    def value_of(self, values: Tensor, action: Tensor) -> Tensor:
        """The values (…) of actions (…), from (…, A)."""
        return values.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def numbers_of(self, estimate: Tensor, action: Tensor) -> Tensor:
        """The N numbers of actions (…), from (…, A, N): (…, N)."""
        index = action[..., None, None].expand(*action.shape, 1, estimate.shape[-1])
        return estimate.gather(-2, index).squeeze(-2)

    def marked(self, action: Tensor) -> Tensor:
        """Which entries an action has chosen, (…) -> (…, A) bool; −1 gives none."""
        return action.unsqueeze(-1) == torch.arange(self.options, device=action.device)


class SeveralChoices(OneChoice):
    """Each option of each choice has a number; estimates are (…, C) or (…, C, N) with the C options side by side."""

    def __init__(self, choices: Choices) -> None:
        super().__init__(choices.options)
        self.sizes = choices.sizes
        self._equal = len(set(choices.sizes)) == 1
        self._strides, self._first = torch.from_numpy(choices.strides), torch.from_numpy(choices.first)
        self._sizes = torch.from_numpy(np.array(choices.sizes))  # `torch.tensor` would follow a default device

    def greedy(self, preferences: Tensor) -> Tensor:
        """The combinations (…) of the best option of each choice."""
        best = torch.stack([part.argmax(-1) for part in self._parts(preferences)], -1)
        return (best * self._strides.to(best.device)).sum(-1)

    def largest(self, values: Tensor) -> Tensor:
        """The mean (…) of each choice's best value."""
        if self._equal:
            return values.unflatten(-1, (len(self.sizes), self.sizes[0])).amax(-1).mean(-1)
        return torch.stack([part.amax(-1) for part in self._parts(values)]).mean(0)

    def value_of(self, values: Tensor, action: Tensor) -> Tensor:
        """The means (…) of the chosen options' values."""
        return values.gather(-1, self._entries(action)).mean(-1)

    def numbers_of(self, estimate: Tensor, action: Tensor) -> Tensor:
        """The mean of the chosen options' N numbers, (…, C, N) -> (…, N)."""
        entries = self._entries(action)
        return estimate.gather(-2, entries.unsqueeze(-1).expand(*entries.shape, estimate.shape[-1])).mean(-2)

    def marked(self, action: Tensor) -> Tensor:
        """One entry a choice."""
        marks = torch.zeros(*action.shape, self.options, dtype=torch.bool, device=action.device)
        chosen = (action >= 0).unsqueeze(-1)
        return marks.scatter(-1, self._entries(action.clamp(min=0)), chosen.expand(*action.shape, len(self.sizes)))

    def _parts(self, values: Tensor) -> tuple[Tensor, ...]:
        return values.split(self.sizes, -1)

    def _entries(self, action: Tensor) -> Tensor:
        strides, sizes, first = (each.to(action.device) for each in (self._strides, self._sizes, self._first))
        return torch.div(action.unsqueeze(-1), strides, rounding_mode="floor") % sizes + first


def reading_of(choices: Choices | None, actions: int) -> OneChoice:
    """How actions are read from a head's numbers."""
    return OneChoice(actions) if choices is None else SeveralChoices(choices)
