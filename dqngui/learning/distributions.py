"""The objectives of Q-learning: targets and losses of values, of categorical distributions and of quantiles.

An objective works on the estimates of `nets.heads`: q (…, A), or N numbers per action (…, A, N). Its bootstrap is a
value (…), or the distribution (…, N), of the next action.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from dqngui.config import LearnConfig
from dqngui.learning.targets import bootstrap_value, elementwise_loss, rescaled, td_target, unscaled
from dqngui.nets.choices import OneChoice
from dqngui.nets.heads import Categorical, Mean, Quantiles, Reading
from dqngui.nets.legal import only_legal

R = TypeVar("R", bound=Reading)


class Objective(Generic[R]):
    """The objective of plain values: the mean of the return."""

    by_loss = False
    """Priorities are computed from the loss instead of the TD error."""

    def __init__(self, reading: R, actions: OneChoice | None = None) -> None:
        """`actions` says how the estimates of actions are read from the head's numbers; None: each has its own."""
        self.reading, self.actions = reading, actions or OneChoice()

    def bootstrap(self, target: Tensor, online: Tensor | None, legal: Tensor | None = None) -> Tensor:
        """The target network's value or distribution of the next action, chosen by the online network if that is
        given, among the actions that are `legal` there, (…, A); None: all are.
        """
        return bootstrap_value(target, online, legal, self.actions)

    def _next_action(self, target: Tensor, online: Tensor | None, legal: Tensor | None) -> Tensor:
        """The best legal action (…) of the online network's estimate, or of the target's if that is not given."""
        values = self.reading.values(target if online is None else online)
        return self.actions.greedy(only_legal(values, legal))

    def losses(
        self, estimate: Tensor, action: Tensor, returns: Tensor, discount: Tensor, bootstrap: Tensor, learn: LearnConfig
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Loss, predicted value and target value of each action, (…) each; only the loss needs a gradient.

        `returns` are n-step sums of rewards; `discount` is γ^k with the true k, and 0 after a termination, (…).
        """
        predicted = self.actions.value_of(estimate, action)
        target_value = _backed_up(returns, discount, bootstrap, learn.rescale)
        return elementwise_loss(predicted, target_value, learn.loss), predicted, target_value


class CategoricalObjective(Objective[Categorical]):
    """The objective of probabilities of fixed returns: Kullback-Leibler divergence from the projected target.

    Bellemare et al. 2017, arXiv:1707.06887, algorithm 1 (whose cross-entropy has the same gradient).
    """

    by_loss = True

    def bootstrap(self, target: Tensor, online: Tensor | None, legal: Tensor | None = None) -> Tensor:
        """Probabilities (…, N)."""
        return self.actions.numbers_of(target, self._next_action(target, online, legal)).softmax(-1)

    def losses(
        self, estimate: Tensor, action: Tensor, returns: Tensor, discount: Tensor, bootstrap: Tensor, learn: LearnConfig
    ) -> tuple[Tensor, Tensor, Tensor]:
        support = self.reading.support(estimate)
        log_share = self.actions.numbers_of(estimate, action).log_softmax(-1)  # (…, N)
        moved = _backed_up(returns.unsqueeze(-1), discount.unsqueeze(-1), support, learn.rescale)
        target_value = project(bootstrap, moved, self.reading)
        losses = (torch.xlogy(target_value, target_value) - target_value * log_share).sum(-1)
        return losses, log_share.detach().exp() @ support, target_value @ support


class QuantileObjective(Objective[Quantiles]):
    """The objective of quantiles: the quantile Huber loss. Dabney et al. 2018, arXiv:1710.10044, algorithm 1."""

    by_loss = True

    def bootstrap(self, target: Tensor, online: Tensor | None, legal: Tensor | None = None) -> Tensor:
        """Quantiles (…, N)."""
        return self.actions.numbers_of(target, self._next_action(target, online, legal))

    def losses(
        self, estimate: Tensor, action: Tensor, returns: Tensor, discount: Tensor, bootstrap: Tensor, learn: LearnConfig
    ) -> tuple[Tensor, Tensor, Tensor]:
        quantiles = self.actions.numbers_of(estimate, action)  # (…, N)
        target_value = _backed_up(returns.unsqueeze(-1), discount.unsqueeze(-1), bootstrap, learn.rescale)
        losses = quantile_huber(quantiles, target_value, self.reading.midpoints(estimate), learn.kappa)
        return losses, quantiles.detach().mean(-1), target_value.mean(-1)


def objective_of(
    reading: Reading, actions: OneChoice | None = None
) -> Objective[Mean] | CategoricalObjective | QuantileObjective:
    """The objective of a head with this kind of estimate, of actions that are read so."""
    match reading:
        case Categorical():
            return CategoricalObjective(reading, actions)
        case Quantiles():
            return QuantileObjective(reading, actions)
        case _:
            return Objective(reading, actions)


def _backed_up(returns: Tensor, discount: Tensor, bootstrap: Tensor, rescale: bool) -> Tensor:
    """The target Σ γ^i r + γ^k z; with rescaled values h(Σ γ^i r + γ^k h⁻¹(z))."""
    if rescale:
        return rescaled(td_target(returns, discount, unscaled(bootstrap)))
    return td_target(returns, discount, bootstrap)


def project(shares: Tensor, moved: Tensor, reading: Categorical) -> Tensor:
    """Probabilities `shares` (…, N) of the returns `moved` (…, N) as probabilities of the fixed returns, (…, N).

    Each probability is split between the two neighbouring fixed returns by distance; returns outside count at the ends.
    Bellemare et al. 2017, arXiv:1707.06887, equation 7.
    """
    position = ((moved.clamp(reading.low, reading.high) - reading.low) / reading.gap).clamp(0, reading.atoms - 1)
    below = position.floor()
    upper = (position - below) * shares
    index = below.long().clamp(0, reading.atoms - 1)  # NaN would give an invalid index
    projected = torch.zeros_like(upper)
    projected.scatter_add_(-1, index, shares - upper)
    return projected.scatter_add_(-1, (index + 1).clamp(max=reading.atoms - 1), upper)


def quantile_huber(quantiles: Tensor, target_value: Tensor, midpoints: Tensor, kappa: float) -> Tensor:
    """Σ_i E_j |τ̂_i − 1{u_ij < 0}| L_κ(u_ij)/κ with u_ij = target_j − quantile_i: (…, N), (…, M) -> (…).

    L_κ is Huber's loss, quadratic up to κ; κ = 0 is the plain quantile loss.
    Dabney et al. 2018, arXiv:1710.10044, equation 10.
    """
    return _QuantileHuber.apply(quantiles, target_value, midpoints, kappa)


class _QuantileHuber(torch.autograd.Function):
    """The quantile Huber loss with its gradient: autograd would read the N × M errors about ten times more."""

    @staticmethod
    def forward(ctx: Any, quantiles: Tensor, target_value: Tensor, midpoints: Tensor, kappa: float) -> Tensor:
        error = target_value.unsqueeze(-2) - quantiles.unsqueeze(-1)  # (…, N, M)
        tilt = torch.where(error < 0, 1 - midpoints.unsqueeze(-1), midpoints.unsqueeze(-1))
        if kappa > 0:
            slope = error.clamp(-kappa, kappa)  # κ times the slope of L_κ(u)/κ
            error = torch.add(error, slope, alpha=-0.5)
            tilt = tilt.mul_(slope).div_(kappa)
        else:
            tilt = tilt.mul_(error.sign())
        ctx.save_for_backward(tilt.mean(-1))
        return tilt.mul_(error).mean(-1).sum(-1)

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor, None, None, None]:
        (slope,) = ctx.saved_tensors
        return -slope * above[0].unsqueeze(-1), None, None, None
