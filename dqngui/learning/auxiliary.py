"""What a Q-learner learns besides values: the next observation, and what a memory teaches itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dqngui.config import LearnConfig
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.network import QNetwork
from dqngui.nets.trunk import Inputs

_SLOWEST = 1e-3
_SMALLEST_SPREAD = 1e-3
_FARTHEST = 10.0


class Standard:
    """Running mean and variance of a raw observation's numbers (F,), over about the last thousand updates.

    Never by the mean of squares: far from zero, that of a price for instance, float32 would lose the spread in it.
    """

    def __init__(self, numbers: int, device: torch.device) -> None:
        self.mean, self.variance = (torch.zeros(numbers, device=device) for _ in range(2))
        self.count = 0

    def take(self, raw: Tensor, mask: Tensor) -> None:
        """Count in the masked steps of (T, B, F)."""
        self.count += 1
        seen = raw[mask]
        rate = max(1 / self.count, _SLOWEST)
        variance, mean = torch.var_mean(seen, 0, correction=0)
        between = rate * (1 - rate) * (mean - self.mean).square()
        self.variance.lerp_(variance, rate).add_(between)
        self.mean.lerp_(mean, rate)

    def of(self, raw: Tensor) -> Tensor:
        """In units of the spread, from the mean; what lies far outside is cut off."""
        spread = self.variance.sqrt().clamp(min=_SMALLEST_SPREAD)
        return ((raw - self.mean) / spread).clamp(-_FARTHEST, _FARTHEST)


class Auxiliary:
    """Losses beside the TD loss, for networks that have what they teach.

    Attributes:
        active: there is such a loss.
    """

    def __init__(self, network: QNetwork, device: torch.device) -> None:
        self.network, self.predictor = network, network.predictor
        self.standard = None if self.predictor is None else Standard(network.encoder.raw_size, device)
        self.active = self.predictor is not None or network.memory.teaches_itself

    def estimate(
        self,
        inputs: Inputs,
        shown: Inputs,
        state: State | None,
        taken: Tensor,
        mask: Tensor,
        learn: LearnConfig,
        alone: bool,
    ) -> tuple[Tensor, Tensor]:
        """The network's estimate (L, B, A, …) of a window, and the weighted sum of the losses, 0-d.

        `inputs` are what the network sees and `shown` the same without noise, whose next step is to be predicted;
        `alone` says that foresight is all that is learned, whatever its weight.
        """
        errors: Errors = {}
        h, z, _ = self.network.features(inputs, state, None, errors)
        loss = h.new_zeros(())
        for error in errors.values():
            loss = loss + learn.self_weight * (error * mask).sum() / mask.sum()
        weight = 1.0 if alone else learn.predict_next
        if self.predictor is not None and weight > 0:
            loss = loss + weight * self._foresight(h, shown, taken, mask)
        return self.network.judge(h, z), loss

    def _foresight(self, h: Tensor, shown: Inputs, taken: Tensor, mask: Tensor) -> Tensor:
        """Mean squared error of the next observations, in units of their spread, over the learned steps.

        A learned step's successor always is a row of its window, be it the last observation of the episode.
        """
        assert self.predictor is not None and self.standard is not None
        raw, mask = self.network.encoder.raw(shown.observation)[1:], mask[:-1]
        self.standard.take(raw, mask)
        error = self.predictor(h[:-1], taken[:-1]) - self.standard.of(raw)
        return (error.square().mean(-1) * mask).sum() / mask.sum()

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        if self.standard is None:
            return {}
        standard = self.standard
        kept = {"mean": standard.mean, "variance": standard.variance, "count": torch.tensor(standard.count)}
        return {f"observed.{name}": value for name, value in kept.items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        if self.standard is not None:
            self.standard.mean.copy_(torch.as_tensor(arrays["observed.mean"]))
            self.standard.variance.copy_(torch.as_tensor(arrays["observed.variance"]))
            self.standard.count = int(arrays["observed.count"])
