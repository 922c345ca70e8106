"""The answer of the faithfulness meter: from what was measured at each step, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dqngui.jobs.study.stakes import Kind, MeasuredSteps, PlayedBranch
from dqngui.jobs.study.thresholds import (
    MIN_CONCENTRATION,
    MIN_DIFFERENCE,
    MIN_EPISODES,
    MIN_LOST,
    MIN_MULTIPLE,
    MIN_STAKE,
)
from dqngui.messages import AskFaithfulness, Effect, Faithfulness, Measured, MeterVerdict
from dqngui.statistics import Interval, clustered_mean_interval, mean_interval

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lost:
    """What the return loses when episodes are played on, a mean over the steps of each episode, (N,) each.

    Attributes:
        other: with another action at the step.
        top, random: with the action that follows from removing the largest weights, or random ones.
        steps: number of steps from which the episodes were played on.
    """

    other: Array
    top: Array
    random: Array
    steps: int

    @classmethod
    def of(cls, measured: MeasuredSteps, branches: Sequence[PlayedBranch], returns: Array) -> Lost:
        """From the returns (len(branches),) of the branches; steps without a branch of a kind lose nothing."""
        played = measured.played_steps()
        lost: dict[tuple[int, Kind], float] = {}
        for branch, value in zip(branches, returns.tolist(), strict=True):
            key = branch.episode, branch.kind
            lost[key] = lost.get(key, 0.0) + (measured.returns[branch.episode] - value) / branch.weight

        def column(kind: Kind) -> Array:
            return np.array([lost.get((episode, kind), 0.0) / len(steps) for episode, steps in sorted(played.items())])

        return cls(column("other"), column("top"), column("random"), sum(map(len, played.values())))


def answer_of(step: int, question: AskFaithfulness, measured: MeasuredSteps, lost: Lost | None) -> Faithfulness:
    """The answer. `lost` is None if the environment does not repeat itself, so that nothing could be played on."""
    episode, t, values = measured.columns()
    deciding = values["deciding"]

    def sums(column: Array) -> Array:
        return np.bincount(episode, column * deciding).astype(np.float64)

    stakes, counts = sums(values["stake"]), np.bincount(episode, deciding)

    def share(column: Array) -> Measured:
        """A part of the stake, as a share of it."""
        parts, whole = sums(column), max(float(stakes.sum()), 1e-12)
        return Measured(float(parts.sum() / whole), _pair(clustered_mean_interval(parts, stakes)))

    def changed(column: Array) -> float:
        return float(sums(column).sum() / counts.sum())

    undone = share(values["top"] - values["random"])
    difference = None if lost is None else _mean(lost.top - lost.random)
    at_stake = None if lost is None else _mean(lost.other)

    def by_stake(name: str) -> float:
        return float((values[name] * values["stake"] * deciding).sum() / max(stakes.sum(), 1e-12))

    concentrated, multiple = by_stake("concentration"), by_stake("multiple")
    spread = measured.spread
    stake = float(stakes.sum() / counts.sum() / spread)
    verdict = verdict_of(
        stake=stake,
        even=concentrated < MIN_CONCENTRATION and multiple < MIN_MULTIPLE,
        undone=undone,
        undone_by_episode=(sums(values["top"] - values["random"]) / np.maximum(stakes, 1e-12))[stakes > 0],
        lost=lost,
    )
    return Faithfulness(
        step=step,
        number=question.number,
        view=question.view,
        k=question.k,
        head=question.head,
        verdict=verdict,
        stake=stake,
        at_stake=at_stake,
        top=Effect(share(values["top"]), changed(values["top_changed"]), None if lost is None else _mean(lost.top)),
        random=Effect(
            share(values["random"]), changed(values["random_changed"]), None if lost is None else _mean(lost.random)
        ),
        undone=undone,
        lost=difference,
        concentration=concentrated,
        multiple=multiple,
        deciding=int(deciding.sum()),
        steps=len(t),
        episodes=int((counts > 0).sum()),
        played=0 if lost is None else lost.steps,
        tensors=_by_step(t, values, spread),
    )


def verdict_of(
    *, stake: float, even: bool, undone: Measured, undone_by_episode: Array, lost: Lost | None
) -> MeterVerdict:
    """The first reason why the map does not explain the agent, or that it does."""
    if lost is None:
        return "not_repeatable"
    if stake < MIN_STAKE or not _above_zero(_mean(lost.other).interval, lost.other):
        return "nothing_at_stake"
    if not _above_zero(undone.interval, undone_by_episode):
        return "not_more_than_random"
    if undone.value < MIN_DIFFERENCE:
        return "hardly_more_than_random"
    difference = lost.top - lost.random
    if not _above_zero(_mean(difference).interval, difference) or difference.mean() < MIN_LOST * lost.other.mean():
        return "same_return"
    return "even" if even else "explains"


def _above_zero(interval: tuple[float, float] | None, values: Array) -> bool:
    """Whether the mean is above zero: its interval is, or all of the values are equal, positive and so many that the
    sign test at 5 % (two-sided) calls them so.
    """
    if interval is not None:
        return interval[0] > 0
    alike = len(values) >= MIN_EPISODES and float(np.ptp(values)) <= 1e-9 * float(np.abs(values).max())
    return alike and bool((values > 0).all())


def _mean(values: Array) -> Measured:
    return Measured(float(values.mean()), _pair(mean_interval(values)))


def _pair(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)


def _by_step(t: NDArray[np.int64], values: dict[str, Array], spread: float) -> dict[str, Array | NDArray[np.int64]]:
    """Means over the episodes by step of the episode, for steps that any episode reached."""
    counts = np.bincount(t)
    reached = np.flatnonzero(counts)

    def mean(name: str, unit: float = 1.0) -> Array:
        found: Array = np.bincount(t, values[name])[reached] / counts[reached] / unit
        return found

    return {
        "t": reached,
        "stake": mean("stake", spread),
        "top": mean("top", spread),
        "random": mean("random", spread),
        "concentration": mean("concentration"),
        "deciding": mean("deciding"),
        "episodes": counts[reached],
    }
