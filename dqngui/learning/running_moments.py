"""Running mean and variance of numbers over the last updates of a learner."""

from __future__ import annotations

import torch
from torch import Tensor

SLOWEST = 1e-3
"""Smallest share of an update in the moments: they follow about the last thousand updates."""


class RunningMoments:
    """Mean and variance (F,) of the numbers of windows, over about the last thousand updates.

    The variance is computed from distances to the mean: squares of numbers far from zero, such as a price, would cancel
    in float32.
    """

    def __init__(self, numbers: int, device: torch.device) -> None:
        self.mean, self.variance = (torch.zeros(numbers, device=device) for _ in range(2))

    def include(self, values: Tensor, weight: Tensor, rate: float | Tensor) -> None:
        """Include the steps of one update.

        Args:
            values: (T, B, F).
            weight: share of each step in the update's mean, (T, B, 1), with the sum 1. A weight and not an index of
                steps: an index would wait until the device has counted them.
            rate: share of this update in the moments, 0-d.
        """
        mean = (values * weight).sum((0, 1))
        variance = ((values - mean).square() * weight).sum((0, 1))
        between = rate * (1 - rate) * (mean - self.mean).square()
        self.variance.lerp_(variance, rate).add_(between)
        self.mean.lerp_(mean, rate)
