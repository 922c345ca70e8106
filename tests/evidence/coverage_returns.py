"""Coverage for the returns that were stored: each test of 100 episodes is the population from which samples come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import skew

from dqngui.statistics import mean_intervals

EVIDENCE = Path(__file__).resolve().parents[2] / "assets" / "evidence"
FEWEST_EPISODES, FEWEST_RETURNS = 50, 3


class Returns(NamedTuple):
    """One stored test: its task and its returns (N,)."""

    task: str
    values: npt.NDArray[np.float64]

    @property
    def skewness(self) -> float:
        return float(skew(self.values, bias=False))

    def coverage(self, count: int, repeats: int) -> float:
        """Share of the shown `mean_interval`s of `count` of the returns, drawn with replacement, that contain their
        mean.
        """
        drawn = np.random.default_rng(0).choice(self.values, (count, repeats))
        low, high = mean_intervals(drawn)
        there, mean = np.isfinite(low), self.values.mean()
        inside = (low - 1e-9 <= mean) & (mean <= high + 1e-9)
        return float(inside[there].mean()) if there.any() else float("nan")


def stored_returns(folder: Path = EVIDENCE) -> list[Returns]:
    """The tests of at least 50 episodes with three or more distinct returns, in the order of their names."""
    found = []
    for path in sorted(folder.glob("*/*.json")):
        values = np.array(json.loads(path.read_text(encoding="utf-8")).get("returns", []), dtype=np.float64)
        if len(values) >= FEWEST_EPISODES and len(np.unique(values)) >= FEWEST_RETURNS:
            found.append(Returns(path.parent.name, values))
    return found
