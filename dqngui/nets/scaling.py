"""The units in which a network sees numbers: observations in standard deviations, rewards in a unit of returns.

Both are measured while a run trains (`learning.scaling`), are part of a checkpoint, and make learning independent of
the units of the environment.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from dqngui.envs.parts import ObservationPart

LARGEST_DEVIATION = 10.0
"""Standardised numbers are clipped here."""


class Standardise(nn.Module):
    """The numbers of a part (…, F) as their distance from the mean in standard deviations, clipped at ±10.

    Of a set of entities (…, N·F), the numbers of all rows have the same mean and deviation, (F,), and an absent row
    stays zeros. Of a picture, all numbers of a channel have the same. Until something is measured the mean is 0 and the
    deviation 1. Of a number that never varied, the deviation stays 1.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, part: ObservationPart) -> None:
        super().__init__()
        self.entities = part if part.kind == "entities" else None
        self.picture = part if part.kind == "image" else None
        self.register_buffer("mean", torch.empty(part.measured_numbers))
        self.register_buffer("deviation", torch.empty(part.measured_numbers))

    def initialise(self, generator: Generator) -> None:
        self.mean.zero_()
        self.deviation.fill_(1.0)

    def forward(self, x: Tensor) -> Tensor:
        if self.picture is not None:
            return self._scaled(x.unflatten(-1, self.picture.raw_shape)).flatten(-len(self.picture.raw_shape))
        if self.entities is None:
            return self._scaled(x)
        rows = x.unflatten(-1, self.entities.raw_shape)
        present = self.entities.present(rows).unsqueeze(-1)
        return torch.where(present, self._scaled(rows), 0.0).flatten(-2)

    def middle(self, x: Tensor) -> Tensor:
        """The numbers that become 0 in place of these (…, F): the means; an absent row stays zeros."""
        if self.picture is not None:
            shape = self.picture.raw_shape
            return self._by_channel(self.mean).expand(*x.shape[:-1], *shape).flatten(-len(shape))
        if self.entities is None:
            return self.mean.expand_as(x)
        rows = x.unflatten(-1, self.entities.raw_shape)
        return torch.where(self.entities.present(rows).unsqueeze(-1), self.mean, 0.0).flatten(-2)

    def _scaled(self, x: Tensor) -> Tensor:
        mean, deviation = self._by_channel(self.mean), self._by_channel(self.deviation)
        return ((x - mean) / deviation).clamp_(-LARGEST_DEVIATION, LARGEST_DEVIATION)

    def _by_channel(self, measured: Tensor) -> Tensor:
        """A mean or deviation per channel with the axes of a picture; of other parts as it is."""
        if self.picture is None:
            return measured
        return measured.view([-1 if axis == "c" else 1 for axis in self.picture.axes])

    def set(self, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        """Use these from now on, (F,) each."""
        self.mean.copy_(torch.as_tensor(mean))
        self.deviation.copy_(torch.as_tensor(deviation))

    def measured(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Mean and deviation in use, (F,) each."""
        return self.mean.cpu().numpy().copy(), self.deviation.cpu().numpy().copy()


class RewardUnit(nn.Module):
    """How much reward counts as 1 for the network: a fixed amount.

    Attributes:
        unit: that amount, in the environment's rewards, > 0.
    """

    measured = False

    def __init__(self, unit: float) -> None:
        super().__init__()
        self.unit = unit

    @property
    def shown(self) -> float:
        """Factor from learned values to those in the environment's rewards; 1 while no reward was seen."""
        return self.unit if math.isfinite(self.unit) else 1.0

    def learned(self, rewards: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Rewards or returns in the unit that the network learns in, of the same shape.

        They are divided in float64, so that rewards in another unit give the same float32 numbers.
        """
        learned: NDArray[np.float32] = (np.asarray(rewards, np.float64) / self.unit).astype(np.float32)
        return learned


class MeasuredRewardUnit(RewardUnit):
    """How much reward counts as 1 for the network: an amount that is measured in training and saved with the weights.

    Until a reward was seen it is infinite, so that the network sees none. A plain number and not a buffer: it is needed
    in float64, which some devices do not have.
    """

    measured = True

    def __init__(self) -> None:
        super().__init__(math.inf)

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.unit, dtype=torch.float64)

    def set_extra_state(self, state: Any) -> None:
        self.unit = float(state)


def reward_unit(reward_scale: float | None) -> RewardUnit:
    """The unit for the setting `learn.reward_scale`: its inverse, or measured where it is not given."""
    return MeasuredRewardUnit() if reward_scale is None else RewardUnit(1.0 / reward_scale)
