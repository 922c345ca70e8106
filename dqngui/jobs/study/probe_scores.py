"""Scores of probes: of each network at each noise level, of the observation alone, and of a control task.

The control task follows Hewitt and Liang 2019, arXiv:1909.03368: every episode gets a random label, the fact of another
episode, and keeps it. The probe is fitted to all episodes and reads them again with other noise, so that it may
memorise them: what it reads of such labels is its own capacity and nothing that the memory holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dqngui.jobs.study.linear import Array, held_out
from dqngui.jobs.study.noisy_reading import folds_of, read_again, read_held_out
from dqngui.jobs.study.probe_data import StepData
from dqngui.jobs.study.thresholds import BASE_NOISE

NOISES = BASE_NOISE * 2.0 ** np.arange(6)
"""Noise levels, as shares of the root mean square of the whole state over units and steps."""
ROOM = 0.5
"""The noise is raised until untrained networks read less than this share of the way from guessing to perfect."""
CONTROLS = 5
"""Number of control tasks, over which the score is averaged."""


@dataclass(frozen=True, slots=True)
class StepScores:
    """Scores of the n episodes at one step; 1 is perfect.

    Attributes:
        networks: of each network and noise level, (N, L, n).
        control: of the agent's memory at each noise level, (L, n).
        observation: (n,).
        chance: score of always guessing the most frequent value, or the mean.
    """

    networks: Array
    control: Array
    observation: Array
    chance: float


def kinds_of(steps: list[StepData], counts: bool, most: int) -> Array | None:
    """The values of a fact that is a category; None for a quantity."""
    values = np.unique(np.concatenate([step.fact for step in steps]))
    return values if counts and len(values) <= most else None


def noise_levels(steps: list[StepData]) -> Array:
    """Standard deviations of the noise of each network, (N, L): shares of the RMS of its whole state."""
    networks = len(steps[0].numbers)
    squares = np.array([sum(float((step.numbers[i] ** 2).sum()) for step in steps) for i in range(networks)])
    sizes = np.array([sum(step.numbers[i].size for step in steps) for i in range(networks)])
    size = np.maximum(np.sqrt(squares / np.maximum(sizes, 1)), 1e-12)
    levels: Array = size[:, None] * NOISES
    return levels


def score_steps(steps: list[StepData], kinds: Array | None, together: bool) -> Iterator[StepScores]:
    """The scores of each step; with `together` one probe reads all steps, as a fact that is the time needs it."""
    noise = noise_levels(steps)
    if not together:
        for step in steps:
            yield _score(step, kinds, noise, float(step.fact.var()) if np.ptp(step.fact) > 0 else 0.0)
        return
    count = len(steps[0].numbers)
    whole = StepData(
        0,
        tuple(np.concatenate([step.numbers[i] for step in steps]) for i in range(count)),
        np.concatenate([step.q for step in steps]),
        np.concatenate([step.observation for step in steps]),
        np.concatenate([step.fact for step in steps]),
        np.concatenate([step.episode for step in steps]),
    )
    every = _score(whole, kinds, noise, float(whole.fact.var()))
    first = 0
    for step in steps:
        part = slice(first, first := first + len(step.fact))
        yield StepScores(every.networks[:, :, part], every.control[:, part], every.observation[part], every.chance)


def _score(step: StepData, kinds: Array | None, noise: Array, variance: float) -> StepScores:
    count = len(step.fact)
    if np.ptp(step.fact) == 0:  # the same in all episodes: there is nothing to read
        empty = np.full((len(noise), noise.shape[1], count), np.nan)
        return StepScores(empty, empty[0], empty[0, 0], np.nan)
    fold, target = folds_of(step.episode), _target(step.fact, kinds)
    networks = np.stack(
        [
            _right(read_held_out(numbers, target, fold, levels, step.t), step.fact, kinds, variance)
            for numbers, levels in zip(step.numbers, noise, strict=True)
        ]
    )
    labels = np.unique(step.episode, return_inverse=True)[1]
    control = np.zeros(networks.shape[1:])
    for seed in range(CONTROLS):
        fact = _random_labels(step.fact, labels, seed)
        read = read_again(step.numbers[0], _target(fact, kinds), noise[0], seed)
        control += _right(read, fact, kinds, variance) / CONTROLS
    seen = held_out(step.observation, target[:, None, :], fold)[None, None, :, 0]
    chance = 0.0 if kinds is None else float(np.unique(step.fact, return_counts=True)[1].max() / count)
    return StepScores(networks, control, _right(seen, step.fact, kinds, variance)[0], chance)


def _random_labels(fact: Array, episode: np.ndarray, seed: int) -> Array:
    """The facts of random other rows, the same for all rows of an episode."""
    drawn: Array = np.random.default_rng(seed).permutation(fact)[: int(episode.max()) + 1][episode]
    return drawn


def _target(fact: Array, kinds: Array | None) -> Array:
    target: Array = fact[:, None] if kinds is None else (fact[:, None] == kinds).astype(np.float64)
    return target


def _right(predicted: Array, fact: Array, kinds: Array | None, variance: float) -> Array:
    """Scores (L, n) of predictions (L, R, n, C), averaged over the draws of the noise."""
    if kinds is not None:
        right: Array = (kinds[predicted.argmax(-1)] == fact).mean(1)
        return right
    left: Array = 1 - ((predicted[..., 0] - fact) ** 2).mean(1) / variance
    return left
