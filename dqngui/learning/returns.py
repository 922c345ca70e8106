"""n-step sums of rewards, cut where a step ends the learning but not the episode (`Replay.cuts`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def n_step_sums(reward: Floats, n_step: int, gamma: float, cuts: Flags | None = None) -> Floats:
    """n-step sums Σ_{i<n} γ^i r_{t+i} over rows (L, B); rows after the end count as 0, and so do those after the first
    cut from t on; `cuts` (L, B), None: there is none.
    """
    total = reward.copy()
    going = None if cuts is None else ~cuts
    for ahead in range(1, min(n_step, len(reward))):
        later = gamma**ahead * reward[ahead:]
        if cuts is None or going is None:
            total[:-ahead] += later
        else:
            total[:-ahead] += np.where(going[:-ahead], later, 0.0)
            going[:-ahead] &= ~cuts[ahead:]
    return total


def cut_ahead(cuts: Flags, n_step: int) -> Flags:
    """At which rows (L, B) one of the n steps from there on is a cut, so that nothing is bootstrapped."""
    found = cuts.copy()
    for ahead in range(1, min(n_step, len(cuts))):
        found[:-ahead] |= cuts[ahead:]
    return found
