"""The numbers of a probe's answer: scores with intervals, and differences to untrained networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.jobs.study.linear import Array
from dqngui.jobs.study.probe_data import StepData
from dqngui.jobs.study.probe_scores import NOISES, ROOM, StepScores
from dqngui.messages import Held
from dqngui.statistics import (
    clustered_mean_interval,
    clustered_proportion_interval,
    difference_of_estimates,
    mean_interval,
    prediction_interval,
    proportion_interval,
)

SHOWN = 0.95
"""A step at which the present observation alone scores this much says nothing about the memory: a share of the way from
guessing to perfect, so that a rare value is not shown by guessing the frequent one.
"""
Ends = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class NoiseLevel:
    """The level of the noise at which networks are compared: its index, and its share of the state's RMS."""

    index: int
    noise: float


def shown_by_observation(scores: list[StepScores]) -> NDArray[np.bool_]:
    """At which steps nothing is learned about the memory: the observation shows the fact, or it has one value, (S,)."""

    def is_shown(each: StepScores) -> bool:
        if not np.isfinite(each.observation).all():
            return True
        return float(each.observation.mean()) - each.chance >= SHOWN * (1 - each.chance)

    shown: NDArray[np.bool_] = np.array([is_shown(each) for each in scores])
    return shown


def holding(
    steps: list[StepData],
    scores: list[StepScores],
    decisive: list[NDArray[np.bool_]],
    accuracy: bool,
    fewest: int,
) -> tuple[Held | None, NoiseLevel]:
    """How well the memory holds the fact in the steps that count, and the level of the noise."""
    open_steps = np.flatnonzero(~shown_by_observation(scores))
    if not len(open_steps):
        return None, NoiseLevel(0, float(NOISES[0]))
    masks = {int(index): decisive[index] for index in open_steps}
    played = {episode for index, mask in masks.items() for episode in steps[index].episode[mask].tolist()}
    at_choices = len(played) >= fewest
    if not at_choices:
        masks = {index: np.ones(len(steps[index].fact), np.bool_) for index in masks}
    episode = np.concatenate([steps[index].episode[mask] for index, mask in masks.items()])
    networks = np.concatenate([scores[index].networks[:, :, mask] for index, mask in masks.items()], axis=2)
    control = np.concatenate([scores[index].control[:, mask] for index, mask in masks.items()], axis=1).mean(1)
    observation = float(np.concatenate([scores[index].observation[mask] for index, mask in masks.items()]).mean())
    weights = np.array([mask.sum() for mask in masks.values()])
    chance = float(np.average([scores[index].chance for index in masks], weights=weights))
    observation = max(observation, chance)  # a probe that sees nothing guesses a little worse than the best guess
    means = networks.mean(2)  # (N, L)
    room = np.flatnonzero(means[1:].mean(0) - chance <= ROOM * (1 - chance))
    level = int(room[0]) if len(room) else len(NOISES) - 1

    def ends(values: Array) -> Ends:
        sums, counts = np.bincount(episode, values), np.bincount(episode)
        make = clustered_proportion_interval if accuracy else clustered_mean_interval
        found = make(sums, counts)
        return None if found is None else (found.low, found.high)

    score, untrained = float(means[0, level]), means[1:, level]
    own = ends(networks[0, level])
    mean, reach = float(untrained.mean()), prediction_interval(untrained)
    held = Held(
        decisive=at_choices,
        episodes=len(np.unique(episode)),
        score=score,
        score_interval=own,
        untrained=mean,
        untrained_range=(float(untrained.min()), float(untrained.max())),
        untrained_reach=float("nan") if reach is None else reach.high,
        difference=score - mean,
        difference_interval=None if own is None or reach is None else difference_of_estimates(score, own, mean, reach),
        observation=observation,
        control=float(control[level]),
        chance=chance,
        base_score=float(means[0, 0]),
        base_interval=ends(networks[0, 0]),
        base_untrained=float(means[1:, 0].mean()),
        base_control=float(control[0]),
    )
    return held, NoiseLevel(level, float(NOISES[level]))


def per_step(
    steps: list[StepData],
    scores: list[StepScores],
    decisive: list[NDArray[np.bool_]],
    level: NoiseLevel,
    accuracy: bool,
) -> dict[str, Any]:
    """The columns of the answer."""
    names = ("score", "low", "high", "untrained", "untrained_low", "untrained_high", "observation", "control")
    rows = []
    for each in scores:
        values = each.networks[:, level.index]
        means, own = values.mean(1), values[0]
        if not np.isfinite(means).all():
            rows.append([np.nan] * len(names))
            continue
        found = proportion_interval(own.sum(), len(own)) if accuracy else mean_interval(own)
        low, high = (np.nan, np.nan) if found is None else found
        others = means[1:]
        observed, control = max(each.observation.mean(), each.chance), each.control[level.index].mean()
        rows.append([means[0], low, high, others.mean(), others.min(), others.max(), observed, control])
    columns = dict(zip(names, np.array(rows, np.float64).T, strict=True))
    counts = {"count": np.array([len(step.fact) for step in steps])}
    choices = {"decisive": np.array([mask.mean() for mask in decisive])}
    return {"t": np.array([step.t for step in steps]), **columns, **counts, **choices}
