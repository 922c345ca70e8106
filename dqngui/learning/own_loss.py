"""The own loss of a memory: how badly it forecasts, in units that do not depend on those of the observation.

A number's squared errors are divided by a running variance: that of the series which is forecast (differenced, if the
memory differences it), or the mean square of the errors where this is larger. The loss is then at most about 1, near 1
without a forecast that is better than the mean, and its gradient stays small both while the level of a series is not
yet known (the errors are large) and when it is forecast well (the errors are small).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dqngui.learning.running_moments import SLOWEST, RunningMoments
from dqngui.nets.memory.contract import Errors

_TINY = 1e-30


class OwnLoss:
    """Mean squared errors in units of their running variance; the moments are saved with the learner.

    Args:
        numbers: F, how many numbers the memory forecasts.
    """

    def __init__(self, numbers: int, device: torch.device) -> None:
        self.moments, self.mean_square = RunningMoments(numbers, device), torch.zeros(numbers, device=device)
        self.count = torch.zeros((), device=device)  # updates with a known step

    def of(self, errors: Errors, mask: Tensor) -> Tensor:
        """The loss of the steps where the mask (T, B) is true, 0-d. Their errors count in the running moments first.

        Args:
            errors: `error`, `series` and `known`, as `nets.memory.contract.Errors` describes them.
        """
        error, known = errors["error"], errors["known"] & mask
        self._measure(error.detach(), errors["series"], known)
        unit = torch.maximum(self.moments.variance, self.mean_square).clamp(min=_TINY)
        counted = known.unsqueeze(-1).to(error.dtype)
        return (error.square() * counted / unit).mean(-1).sum() / mask.sum()

    def _measure(self, error: Tensor, series: Tensor, known: Tensor) -> None:
        """Include the known steps of errors and series (T, B, F). Nothing here waits for the device."""
        total = known.sum()
        some = (total > 0).to(error.dtype)
        weight = (known / total.clamp(min=1)).unsqueeze(-1).to(error.dtype)
        self.count += some
        rate = some * (1 / self.count.clamp(min=1)).clamp(min=SLOWEST)
        self.moments.include(series, weight, rate)
        self.mean_square.lerp_((error.square() * weight).sum((0, 1)), rate)

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        kept = {"mean": self.moments.mean, "variance": self.moments.variance}
        kept |= {"mean_square": self.mean_square, "count": self.count}
        return {f"own_loss.{name}": value for name, value in kept.items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave; states of earlier versions have nothing, and the moments start anew."""
        for name, value in self.arrays().items():
            if name in arrays:
                value.copy_(torch.as_tensor(arrays[name]))
