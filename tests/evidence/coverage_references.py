"""How often an agent that is one more untrained network is told apart from the untrained ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dqngui.statistics import (
    clustered_mean_intervals,
    clustered_proportion_intervals,
    difference_of_estimates,
    prediction_interval,
)

NETWORKS = 8
"""Untrained networks, as many as the probe has."""


class ToldApart(NamedTuple):
    """Shares of the samples whose interval of the difference excludes 0.

    Attributes:
        above: all of it is above 0, so that the agent would be said to hold more than an untrained network.
        below: all of it is below 0.
    """

    above: float
    below: float


def told_apart(
    mean: float, spread: float, episodes: int, repeats: int, accuracy: bool, steps: int = 1, seed: int = 0
) -> ToldApart:
    """Simulates agents whose true score is drawn as those of the untrained networks: normal, with this spread.

    An accuracy is cut to 0 and 1 and measured at `steps` steps of each episode, which resemble each other (correlation
    0.5); another score has normal noise of 0.3 in each episode. The agent's own interval is that of the clusters.
    """
    rng = np.random.default_rng(seed)
    true = rng.normal(mean, spread, (NETWORKS + 1, 1, repeats))
    shape = NETWORKS + 1, episodes, repeats
    counts = np.full(episodes, steps)
    if accuracy:
        rates = np.clip(np.broadcast_to(true, shape), 1e-9, 1 - 1e-9)
        if steps > 1:
            rates = rng.beta(rates, 1 - rates)
        sums = rng.binomial(steps, rates).astype(np.float64)
        low, high = clustered_proportion_intervals(sums[0], counts)
    else:
        sums = steps * (true + 0.3 * rng.normal(size=shape))
        low, high = clustered_mean_intervals(sums[0], counts)
    scores = sums.mean(1) / steps
    above = below = 0
    for own, untrained, *ends in zip(scores[0], scores[1:].T, low, high, strict=True):
        expected = prediction_interval(untrained)
        assert expected is not None
        found = difference_of_estimates(own, (ends[0], ends[1]), float(untrained.mean()), expected)
        above, below = above + (found.low > 0), below + (found.high < 0)
    return ToldApart(above / repeats, below / repeats)
