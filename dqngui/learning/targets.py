"""TD targets and losses: pure functions of tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dqngui.nets.choices import OneChoice
from dqngui.nets.legal import only_legal


def td_target(returns: Tensor, discount: Tensor, bootstrap: Tensor) -> Tensor:
    """n-step target Σ γ^i r_{t+i} + γ^k V(s_{t+k}), Sutton & Barto 2018, eq. 7.1; all shapes equal.

    `discount` is γ^k with the true number k of rewards, and 0 after a termination.
    """
    return torch.addcmul(returns, discount, bootstrap)


def bootstrap_value(
    target_q: Tensor, online_q: Tensor | None, legal: Tensor | None = None, reading: OneChoice | None = None
) -> Tensor:
    """Value of the next state, (…, A) -> (…): that of the best action that is `legal` there (…, A); None: all are.

    `reading` says how the values of actions are read; None: one number an action.
    With `online_q` the online network picks the action (double DQN, van Hasselt et al. 2016,
    arXiv:1509.06461); else the target network's largest value.
    """
    read = reading or OneChoice()
    if online_q is None:
        return read.largest(only_legal(target_q, legal))
    return read.value_of(target_q, read.greedy(only_legal(online_q, legal)))


def elementwise_loss(prediction: Tensor, target: Tensor, kind: str) -> Tensor:
    """`huber` (quadratic up to an error of 1, then linear) or `squared` (halved) loss of each prediction."""
    if kind == "squared":
        return 0.5 * (prediction - target).square()
    return F.huber_loss(prediction, target, reduction="none")


_SLOPE = 1e-3
"""ε of the rescaling: its slope far from zero."""


def rescaled(x: Tensor) -> Tensor:
    """h(x) = sgn(x)(√(|x|+1) − 1) + εx makes returns of any size similar (Pohlen et al. 2018, arXiv:1805.11593)."""
    return x.sign() * ((x.abs() + 1).sqrt() - 1) + _SLOPE * x


def unscaled(x: Tensor) -> Tensor:
    """h⁻¹(x) = sgn(x)(((√(1 + 4ε(|x|+1+ε)) − 1)/2ε)² − 1), proposition A.2 of the same paper.

    The difference of the root and 1 is written as a quotient, since the difference would leave three digits of a
    float32.
    """
    far = x.abs() + (1 + _SLOPE)
    root = (1 + 4 * _SLOPE * far).sqrt()
    return x.sign() * ((2 * far / (root + 1)).square() - 1)


def window_priority(error: Tensor, mask: Tensor, eta: float) -> Tensor:
    """η·max + (1−η)·mean of |TD error| over a window's learned steps, (L, B) -> (B,).

    Kapturowski et al. 2019 (R2D2), section 2.3.
    """
    size = error.abs() * mask
    return eta * size.amax(0) + (1 - eta) * size.sum(0) / mask.sum(0).clamp(min=1)
