"""Auxiliary losses of a Q-learner: predicting the next observation, and the memory's own loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dqngui.config import LearnConfig, number
from dqngui.learning.own_loss import OwnLoss
from dqngui.learning.running_moments import SLOWEST, RunningMoments
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.network import QNetwork
from dqngui.nets.trunk import Inputs

_SMALLEST_SPREAD = 1e-3
_LARGEST = 10.0


class RunningStandardizer:
    """Numbers (F,) of an observation in standard deviations, by their running mean and variance.

    Args:
        as_given: which numbers have such a unit already and stay as they are, (F,).

    Attributes:
        once: that is so; false in a run of an earlier version, which standardised those numbers a second time.
    """

    def __init__(self, as_given: Tensor) -> None:
        self.moments, self.count = RunningMoments(len(as_given), as_given.device), 0
        self.as_given, self.once = as_given, True

    def update(self, raw: Tensor, mask: Tensor) -> None:
        """Include the steps of (T, B, F) where the mask (T, B) is true."""
        self.count += 1
        weight = (mask / mask.sum()).unsqueeze(-1).to(raw.dtype)
        self.moments.include(raw, weight, max(1 / self.count, SLOWEST))

    def standardized(self, raw: Tensor) -> Tensor:
        """Distance from the mean in standard deviations, clipped at ±10."""
        spread = self.moments.variance.sqrt().clamp(min=_SMALLEST_SPREAD)
        standardized = ((raw - self.moments.mean) / spread).clamp(-_LARGEST, _LARGEST)
        return torch.where(self.as_given, raw, standardized) if self.once else standardized


class AuxiliaryLosses:
    """The losses that are added to the TD loss, for networks with a predictor or with a memory that has its own loss.

    Attributes:
        active: the network has such a loss.
    """

    def __init__(self, network: QNetwork, device: torch.device) -> None:
        self.network, self.predictor = network, network.predictor
        measured = network.encoder.raw_standardised.to(device)
        self.standardizer = None if self.predictor is None else RunningStandardizer(measured)
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
        moments = self.standardizer.moments
        counts = {"count": torch.tensor(self.standardizer.count), "once": torch.tensor(self.standardizer.once)}
        kept = {"mean": moments.mean, "variance": moments.variance, **counts}
        return own | {f"observed.{name}": value for name, value in kept.items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        if self.own_loss is not None:
            self.own_loss.restore(arrays)
        if self.standardizer is not None:
            self.standardizer.moments.mean.copy_(torch.as_tensor(arrays["observed.mean"]))
            self.standardizer.moments.variance.copy_(torch.as_tensor(arrays["observed.variance"]))
            self.standardizer.count = int(arrays["observed.count"])
            self.standardizer.once = bool(arrays.get("observed.once", False))
