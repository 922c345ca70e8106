"""Polynomials in the lag operator B (B x_t = x_{t−1}): (degree + 1, F) coefficients, one polynomial per feature."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def from_partial(partial: Tensor) -> Tensor:
    """Coefficients φ (n, F) with all roots of 1 − φ_1 z − … − φ_n z^n outside the unit circle.

    Args:
        partial: partial autocorrelations (n, F) in (−1, 1). The Durbin–Levinson recursion maps them one to one to
            the stationary autoregressions (Monahan 1984, Biometrika 71:403).
    """
    phi = partial[:0]
    for last in partial.unbind(0):
        phi = torch.cat([phi - last * phi.flip(0), last.unsqueeze(0)])
    return phi


def lagged(coefficients: Tensor, stride: int = 1) -> Tensor:
    """1 + c_1 B^s + … + c_n B^(n·s) of coefficients (n, F), with s = stride."""
    n, features = coefficients.shape
    apart = F.pad(coefficients.unsqueeze(1), (0, 0, stride - 1, 0)).reshape(n * stride, features)
    return torch.cat([coefficients.new_ones(1, features), apart])


def difference(like: Tensor, order: int, stride: int = 1) -> Tensor:
    """(1 − B^s)^order with s = stride, for as many features as `like` (…, F) has."""
    features = like.shape[-1]
    result, once = like.new_ones(1, features), lagged(like.new_full((1, features), -1.0), stride)
    for _ in range(order):
        result = product(result, once)
    return result


def product(a: Tensor, b: Tensor) -> Tensor:
    """a(B) · b(B)."""
    if len(a) > len(b):
        a, b = b, a
    rows = [F.pad(term * b, (0, 0, index, len(a) - 1 - index)) for index, term in enumerate(a.unbind(0))]
    return torch.stack(rows).sum(0)
