"""Auxiliary losses of a Q-learner: predicting the next observation, and the memory's own loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dqngui.config import LearnConfig, number
from dqngui.learning.own_loss import OwnLoss
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.network import QNetwork
from dqngui.nets.trunk import Inputs

_SLOWEST = 1e-3
_SMALLEST_SPREAD = 1e-3
_LARGEST = 10.0


class RunningStandardizer:
    """Running mean and variance of a raw observation's numbers (F,), over about the last thousand updates.

    The variance is not computed from the mean of squares: for numbers far from zero, such as a price, that would cancel
    in float32.
    """

    def __init__(self, numbers: int, device: torch.device) -> None:
        self.mean, self.variance = (torch.zeros(numbers, device=device) for _ in range(2))
        self.count = 0

    def update(self, raw: Tensor, mask: Tensor) -> None:
        """Include the steps of (T, B, F) where the mask (T, B) is true."""
        self.count += 1
        rate = max(1 / self.count, _SLOWEST)
        # Weighted by the mask, not indexed with it: an index would wait until the device has counted the steps.
        weight = (mask / mask.sum()).unsqueeze(-1).to(raw.dtype)
        mean = (raw * weight).sum((0, 1))
        variance = ((raw - mean).square() * weight).sum((0, 1))
        between = rate * (1 - rate) * (mean - self.mean).square()
        self.variance.lerp_(variance, rate).add_(between)
        self.mean.lerp_(mean, rate)

    def standardized(self, raw: Tensor) -> Tensor:
        """Distance from the mean in standard deviations, clipped at ±10."""
        spread = self.variance.sqrt().clamp(min=_SMALLEST_SPREAD)
        return ((raw - self.mean) / spread).clamp(-_LARGEST, _LARGEST)


class AuxiliaryLosses:
    """The losses that are added to the TD loss, for networks with a predictor or with a memory that has its own loss.

    Attributes:
        active: the network has such a loss.
    """

    def __init__(self, network: QNetwork, device: torch.device) -> None:
        self.network, self.predictor = network, network.predictor
        self.standardizer = None if self.predictor is None else RunningStandardizer(network.encoder.raw_size, device)
        self.own_loss = OwnLoss(network.encoder.raw_size, device) if network.memory.has_own_loss else None
        self.active = self.predictor is not None or self.own_loss is not None

    def estimate(
        self,
        inputs: Inputs,
        unnoised: Inputs,
        state: State | None,
        action: Tensor,
        mask: Tensor,
        learn: LearnConfig,
        pretraining: bool,
    ) -> tuple[Tensor, Tensor]:
        """The network's estimate (L, B, A, …) of a window, and the weighted sum of its auxiliary losses, 0-d.

        Args:
            inputs: the network's inputs, (L, B, …).
            unnoised: the same without noise; the next steps of these are predicted.
            action, mask: the actions, and which rows count in the loss, (L, B).
            pretraining: the prediction is all that is learned, so its weight is 1.
        """
        errors: Errors = {}
        h, z, _ = self.network.features(inputs, state, None, errors)
        loss = h.new_zeros(())
        if self.own_loss is not None:
            loss = loss + number(learn.self_weight) * self.own_loss.of(errors, mask)
        weight = 1.0 if pretraining else number(learn.predict_next)
        if self.predictor is not None and weight > 0:
            loss = loss + weight * self._prediction_loss(h, unnoised, action, mask)
        return self.network.head_estimate(h, z), loss

    def _prediction_loss(self, h: Tensor, unnoised: Inputs, action: Tensor, mask: Tensor) -> Tensor:
        """Mean squared error of the next observations, in units of their spread, over the learned steps.

        The step after a learned step is always a row of the same window, if only the last observation of the episode.
        """
        assert self.predictor is not None and self.standardizer is not None
        raw, mask = self.network.encoder.raw(unnoised.observation)[1:], mask[:-1]
        self.standardizer.update(raw, mask)
        error = self.predictor(h[:-1], action[:-1]) - self.standardizer.standardized(raw)
        return (error.square().mean(-1) * mask).sum() / mask.sum()

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        own = {} if self.own_loss is None else self.own_loss.arrays()
        if self.standardizer is None:
            return own
        standardizer = self.standardizer
        kept = {"mean": standardizer.mean, "variance": standardizer.variance, "count": torch.tensor(standardizer.count)}
        return own | {f"observed.{name}": value for name, value in kept.items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        if self.own_loss is not None:
            self.own_loss.restore(arrays)
        if self.standardizer is not None:
            self.standardizer.mean.copy_(torch.as_tensor(arrays["observed.mean"]))
            self.standardizer.variance.copy_(torch.as_tensor(arrays["observed.variance"]))
            self.standardizer.count = int(arrays["observed.count"])
