"""Measures, while a run trains, the units in which its network sees observations and returns.

The unit of rewards is the spread of the discounted returns of the episodes that were played lately (as return
normalisation in Engstrom et al. 2020, arXiv:2005.12729, but of whole returns and not of running sums). When it changes,
the last layer is divided by the change, so that all values stay what they were (van Hasselt et al. 2016, PopArt,
arXiv:1602.07714). So the unit of an environment's rewards makes no difference to learning. Observed numbers are
standardised by their running mean and deviation (`learning.number_moments`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.spaces import ObservationPart
from dqngui.learning.acting import ObservationParts, Transition
from dqngui.learning.number_moments import MEMORY, NumberMoments
from dqngui.learning.saved import check_like, pieces, require, require_between, require_finite
from dqngui.nets.trunk import Trunk

LARGEST_RETURN = 10.0
"""No measured return is more than this number of units."""
MEAN_SHARE = 0.1
"""Share of the mean return that counts as spread: where all returns are alike, their spread alone would be no unit."""
LONGEST = 2_000
"""Largest number of rewards from which a return is computed."""
GROWTH = 1.1
"""Units are set again when this many times more steps were seen, or after a tenth of `MEMORY`."""
SMALLEST_CHANGE = 0.02
"""A smaller relative change of the unit of rewards is not made."""


class ReturnMoments:
    """Mean, spread and largest size of the discounted returns from all steps of `num_envs` environments.

    Attributes:
        pending: rewards of the running episodes whose returns are not counted yet, by environment.
    """

    def __init__(self, num_envs: int) -> None:
        self.pending: list[list[float]] = [[] for _ in range(num_envs)]
        self.sums = np.zeros(3)  # count, sum and sum of squares
        self.largest = np.zeros(2)  # of the present and of the former `MEMORY` steps
        self.block = 0  # returns in the present one

    def observe(self, reward: NDArray[np.float64], ended: NDArray[np.bool_], gamma: float) -> None:
        """Include one step of every environment, (N,) each."""
        chunk = min(LONGEST, max(64, round(10 / max(1 - gamma, 1e-9))))
        for env, (value, rewards) in enumerate(zip(reward.tolist(), self.pending, strict=True)):
            rewards.append(value)
            if ended[env]:
                self._count(discounted(rewards, gamma))
                rewards.clear()
            elif len(rewards) >= chunk:
                half = len(rewards) // 2  # the later returns still miss rewards
                self._count(discounted(rewards, gamma)[:half])
                del rewards[:half]

    def _count(self, returns: NDArray[np.float64]) -> None:
        self.sums += _moments(returns)
        self.block += len(returns)
        self.largest[0] = max(self.largest[0], float(np.abs(returns).max(initial=0.0)))
        if self.sums[0] > MEMORY:
            self.sums *= MEMORY / self.sums[0]
        if self.block > MEMORY:
            self.block, self.largest[1], self.largest[0] = 0, self.largest[0], 0.0

    def measured(self, gamma: float) -> tuple[float, float]:
        """Spread and largest size of the returns so far, running episodes included as if they ended now."""
        returns = [discounted(rewards, gamma) for rewards in self.pending if rewards]
        running = np.concatenate(returns) if returns else np.zeros(0)
        count, total, squares = self.sums + _moments(running)
        if not count:
            return 0.0, 0.0
        mean = total / count
        variance = max(0.0, squares / count - mean * mean)
        largest = max(float(self.largest.max()), float(np.abs(running).max(initial=0.0)))
        return float(np.sqrt(variance + (MEAN_SHARE * mean) ** 2)), largest

    def abandon(self, which: NDArray[np.bool_]) -> None:
        """Forget the rewards of running episodes that are given up, where `which` (N,) is true."""
        for env in np.flatnonzero(which):
            self.pending[env].clear()

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "return.sums": self.sums.copy(),
            "return.largest": self.largest.copy(),
            "return.block": np.array(self.block),
            "return.pending": np.array([reward for rewards in self.pending for reward in rewards], np.float64),
            "return.lengths": np.array([len(rewards) for rewards in self.pending], np.int64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        rewards = pieces("return.pending", arrays["return.pending"], arrays["return.lengths"], len(self.pending))
        self.sums, self.largest = arrays["return.sums"].copy(), arrays["return.largest"].copy()
        self.block = int(arrays["return.block"])
        self.pending = [each.tolist() for each in rewards]


def discounted(rewards: Sequence[float], gamma: float) -> NDArray[np.float64]:
    """Discounted returns from each step of an episode to its end, Σ γ^i r_{t+i}, (T,)."""
    returns, total = np.empty(len(rewards)), 0.0
    for index in range(len(rewards) - 1, -1, -1):
        total = rewards[index] + gamma * total
        returns[index] = total
    return returns


def _moments(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([len(values), values.sum(), np.square(values).sum()])


class Scaling:
    """Measures what the environments show and pay, and sets the units of a run's networks by it.

    Args:
        networks: they share their units, which are those of the first one.
    """

    def __init__(self, parts: Sequence[ObservationPart], networks: Sequence[Trunk], num_envs: int) -> None:
        self.networks = networks
        self.unit = networks[0].reward_unit
        self.standardised = networks[0].encoder.standardised
        for network in networks[1:]:
            network.share_units(networks[0])
        self.numbers = [NumberMoments(part) for part in parts if part.name in self.standardised]
        self.returns = ReturnMoments(num_envs) if self.unit.measured else None
        self.active = bool(self.numbers) or self.returns is not None
        self.seen = self.next = 0
        self.rewarded = False  # a reward was seen, so that the unit of rewards is a measured one
        self.given = False  # observations are standardised as in another run
        self.observed = False  # what the environments show now was included already: the step after it was undone

    def observe(self, parts: ObservationParts) -> None:
        """Include what every environment shows, before the network sees it.

        Until units are set for the first time, observations are standardised anew at each step, so that no number is
        seen as it is. Only rare outliers are clipped by that: the largest of n numbers has at most √(n − 1) deviations.
        Nothing that is learned comes from these steps with changing units, except stored states of a memory.
        """
        if self.observed:
            return
        self.observed = True
        for numbers in self.numbers:
            numbers.observe(parts[numbers.name])
        if self.next == 0 and not self.given:
            self._standardise()

    def observe_rewards(self, transition: Transition, gamma: float) -> None:
        """Include the rewards of one step of every environment, which is complete with this."""
        self.observed = False
        self.seen += len(transition.reward)
        if self.returns is not None:
            self.returns.observe(transition.reward, transition.ended, gamma)

    def abandon(self, lost: NDArray[np.bool_]) -> None:
        """Forget the running episodes of the environments `lost` (N,)."""
        self.observed = False
        if self.returns is not None:
            self.returns.abandon(lost)

    def set_units(self, gamma: float) -> None:
        """Set the units by what was seen, if enough of it is new."""
        if not self.active or self.seen < self.next:
            return
        self.next = min(int(self.seen * GROWTH), self.seen + MEMORY // 10) + 1
        self._standardise()
        if self.returns is not None:
            self._set_unit(*self.returns.measured(gamma))

    def _standardise(self) -> None:
        for numbers in self.numbers:
            measured = numbers.measured()
            if measured is not None:
                self.standardised[numbers.name].set(*measured)

    def _set_unit(self, spread: float, largest: float) -> None:
        if largest <= 0:
            return  # without any reward, no unit matters
        unit, present = max(spread, largest / LARGEST_RETURN), self.unit.unit
        smallest = SMALLEST_CHANGE
        bound = self.networks[0].value_bound
        if bound is not None:  # such values cannot follow a small change, and have to cover all returns
            unit, smallest = largest / (0.8 * bound), 0.2
        if self.rewarded and abs(np.log(unit / present)) < smallest:
            return
        self.unit.unit = unit
        if self.rewarded:
            for network in self.networks:
                network.divide_values(unit / present)
        self.rewarded = True

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        kept: dict[str, NDArray[Any]] = {}
        for name, standardise in self.standardised.items():
            kept[f"{name}.mean"], kept[f"{name}.deviation"] = standardise.measured()
        for each in (*self.numbers, *(() if self.returns is None else (self.returns,))):
            kept |= each.arrays()
        counts = {"unit": self.unit.unit, "seen": self.seen, "next": self.next, "rewarded": self.rewarded}
        counts |= {"given": self.given, "observed": self.observed}
        return kept | {name: np.array(value) for name, value in counts.items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave; nothing if an earlier version saved the state."""
        arrays = {name: np.asarray(value) for name, value in arrays.items()}
        if "seen" not in arrays:
            return
        changing = [name for name in arrays if name.endswith((".origin", ".pending", ".ends"))]
        check_like(arrays, self.arrays(), changing)
        for name in ("seen", "next", "return.block"):
            require_between(name, arrays.get(name, 0), 0, 2**53)
        self.take_over(arrays)
        for each in (*self.numbers, *(() if self.returns is None else (self.returns,))):
            each.restore(arrays)
        self.seen, self.next = int(arrays["seen"]), int(arrays["next"])
        self.rewarded = bool(arrays["rewarded"])
        self.given = bool(arrays.get("given", True))  # earlier versions standardised nothing before the first units
        self.observed = bool(arrays.get("observed", False))

    def take_over(self, arrays: Mapping[str, Any]) -> None:
        """Use the units of another run's `arrays` where they fit, and go on measuring anew."""
        for name, standardise in self.standardised.items():
            found = [np.asarray(arrays.get(f"{name}.{key}", ())) for key in ("mean", "deviation")]
            if all(each.shape == standardise.mean.shape for each in found):
                require_finite(f"{name}.mean", found[0])
                require(bool((found[1] > 0).all()), f"{name}.deviation")
                standardise.set(*found)
                self.given = True
        if self.unit.measured and "unit" in arrays:
            require(float(arrays["unit"]) > 0, "unit")  # infinite while no reward was seen
            self.unit.unit = float(arrays["unit"])
            self.rewarded = bool(arrays["rewarded"])
