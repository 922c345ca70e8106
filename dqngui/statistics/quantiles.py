"""Quantiles of Student's t and of the normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def t_quantile(level: float, freedom: Any) -> Any:
    """Half width in standard errors of a two-sided Student's t interval: the (1 + level) / 2 quantile.

    `freedom` is the degrees of freedom, a float > 0 or an array; the result has its shape.
    """
    from scipy.special import stdtrit  # here, so that the window starts without scipy

    return stdtrit(freedom, (1 + level) / 2)


def normal_quantile(level: float) -> float:
    """Half width in standard deviations of a two-sided normal interval: the (1 + level) / 2 quantile."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def finite_values(values: npt.ArrayLike) -> Floats:
    """The finite ones of values of any shape, (N,)."""
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[np.isfinite(array)]
