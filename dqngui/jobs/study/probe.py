"""Probing: how well a linear model reads a hidden fact from the memory, at each step of the episode.

Alain and Bengio 2017, arXiv:1610.01644; the control, with facts shuffled over the episodes, follows Hewitt and Liang
2019, arXiv:1909.03368. A probe shows that a fact can be read, not that the agent uses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.config import ConfigError
from dqngui.envs.facts import facts_of
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.study.collecting import ParallelStep, parallel_steps, study_environments
from dqngui.jobs.study.linear import FOLDS, Array, held_out, interval, resamples
from dqngui.messages import AskProbe, Event, Probed, Progress
from dqngui.texts import say

SINCE_START = "time since start"
MEMORY_OUTPUT = "memory/output"
MAX_STEPS = 1000
"""Largest number of steps of an episode that are played."""
MIN_EPISODES = 20
"""Smallest number of episodes that must have reached a step for a score at that step."""
MAX_STEPS_READ = 128
"""Largest number of steps that are probed: of longer episodes every second one, every fourth, and so on."""
MAX_NUMBERS = 256
"""Larger memories are projected onto this number of random directions, which keeps linear information well enough."""
MAX_KINDS = 32
SHUFFLES = 5


def facts_to_read(envs: Envs) -> tuple[str, ...]:
    """Names of the facts that can be probed. Starts an episode in the first environment."""
    _, info = envs.envs[0].reset(seed=0)
    return (*facts_of(envs.envs[0], info), SINCE_START)


def readable_views(agent: LoadedAgent) -> tuple[str, ...]:
    """Views that a probe can read: what the memory carries, and its output if that is something else."""
    network = agent.network
    if network.context == 0:
        return ()
    held = tuple(network.state_views())
    return held if network.memory.output_view or MEMORY_OUTPUT in held else (*held, MEMORY_OUTPUT)


def probe(agent: LoadedAgent, question: AskProbe) -> Iterator[Event | None]:
    """Answer a question, yielding None between slices of work. Raises ConfigError if it cannot be answered."""
    views = _views_to_read(agent, question)
    data = _ProbeData()
    number, trained = question.number, agent.step
    with study_environments(agent, question.episodes) as envs:
        for step in parallel_steps(agent, envs, question.episodes, MAX_STEPS, facts=True):
            data.take(step, _memory_numbers(agent, step, views), _facts(step, question.fact))
            text = say("study.playing", episodes=question.episodes)
            yield Progress(step=trained, number=number, share=0.8 * step.done, text=text)
    points = data.points()
    if not points:
        raise ConfigError("probe.few_episodes", fewest=MIN_EPISODES)
    yield Progress(step=trained, number=number, share=0.8, text=say("study.reading"))
    kinds = _kinds(points, data.counts)
    same_in_all = all(len(set(point.fact.tolist())) == 1 for point in points)
    scores: list[_Score] = []
    if same_in_all:  # the fact is the same in every episode, as the time is: one probe reads it at all steps
        scores = _score_all_steps(points, kinds)
    else:
        for index, point in enumerate(points):
            scores.append(_score_step(point, kinds))
            yield Progress(
                step=trained, number=number, share=0.8 + 0.2 * index / len(points), text=say("study.reading")
            )
    yield _answer(trained, question, points, scores, kinds, same_in_all)


def _views_to_read(agent: LoadedAgent, question: AskProbe) -> tuple[str, ...]:
    offered = readable_views(agent)
    if not offered:
        raise ConfigError("probe.nothing_held")
    for view in question.views:
        if view not in offered:
            raise ConfigError("probe.not_held", view=view, known=offered)
    return question.views or tuple(name for name in offered if name != MEMORY_OUTPUT) or offered


def _memory_numbers(agent: LoadedAgent, step: ParallelStep, views: tuple[str, ...]) -> NDArray[np.float32]:
    """The memory's numbers after the step, (n, F) with F at most `MAX_NUMBERS`."""
    held = agent.network.state_views()
    tensors = [held[name].of(step.next_state) if name in held else step.memory_output for name in views]
    numbers = torch.cat([tensor.flatten(1).float() for tensor in tensors if tensor is not None], dim=1)
    if numbers.shape[1] > MAX_NUMBERS:
        generator = torch.Generator().manual_seed(0)
        numbers = numbers @ torch.randn(numbers.shape[1], MAX_NUMBERS, generator=generator)
    return numbers.numpy()


def _facts(step: ParallelStep, name: str) -> list[float | int]:
    if name == SINCE_START:
        return [float(t) for t in step.t]
    missing = [facts for facts in step.facts if name not in facts]
    if missing:
        raise ConfigError("probe.no_fact", name=name, known=[*missing[0], SINCE_START])
    return [facts[name] for facts in step.facts]


# -- data -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _StepData:
    """Step t of all n episodes that were that long: `numbers` (n, F), `fact` (n,), `episode` (n,)."""

    t: int
    numbers: Array
    fact: Array
    episode: NDArray[np.int64]


class _ProbeData:
    """The memory's numbers and the fact's value, at some steps of every episode."""

    def __init__(self) -> None:
        self.counts = True  # the fact is a category rather than a quantity
        self._every = 1
        self._rows: dict[int, list[tuple[int, NDArray[np.float32], float]]] = {}

    def take(self, step: ParallelStep, numbers: NDArray[np.float32], facts: list[float | int]) -> None:
        for episode, t, row, fact in zip(step.episode.tolist(), step.t.tolist(), numbers, facts, strict=True):
            self.counts = self.counts and not isinstance(fact, (float, np.floating))
            if t % self._every == 0 and math.isfinite(fact):
                self._rows.setdefault(t, []).append((episode, row.copy(), float(fact)))
        if len(self._rows) > MAX_STEPS_READ:
            self._every *= 2
            self._rows = {t: rows for t, rows in self._rows.items() if t % self._every == 0}

    def points(self) -> list[_StepData]:
        """Data of the steps that enough episodes reached, in order."""
        return [
            _StepData(
                t,
                np.array([row for _, row, _ in rows], np.float64),
                np.array([fact for _, _, fact in rows]),
                np.array([episode for episode, _, _ in rows]),
            )
            for t, rows in sorted(self._rows.items())
            if len(rows) >= MIN_EPISODES
        ]


# -- probes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Score:
    score: float
    low: float
    high: float
    control: float
    commonest: float


def _kinds(points: list[_StepData], counts: bool) -> Array | None:
    """The values of a fact that is a category; None for a quantity."""
    values = np.unique(np.concatenate([point.fact for point in points]))
    return values if counts and len(values) <= MAX_KINDS else None


def _score_step(point: _StepData, kinds: Array | None) -> _Score:
    """Score of a probe of one step, with one row per episode."""
    shuffled = [np.random.default_rng(seed).permutation(point.fact) for seed in range(SHUFFLES)]
    facts = np.stack([point.fact, *shuffled], axis=1)  # (n, 1 + SHUFFLES)
    predicted = _predictions(point.numbers, facts, point.episode, kinds)
    whole = None if kinds is not None else _variance(point.fact)
    return _scored(predicted, facts, whole)


def _score_all_steps(points: list[_StepData], kinds: Array | None) -> list[_Score]:
    """Scores of all steps by one probe of all steps together."""
    numbers = np.concatenate([point.numbers for point in points])
    fact, episode = (np.concatenate([getattr(point, name) for point in points]) for name in ("fact", "episode"))
    shuffled = [np.random.default_rng(seed).permutation(fact) for seed in range(SHUFFLES)]
    facts = np.stack([fact, *shuffled], axis=1)
    predicted = _predictions(numbers, facts, episode, kinds)
    ends = np.cumsum([len(point.fact) for point in points])
    parts = [slice(end - len(point.fact), end) for end, point in zip(ends, points, strict=True)]
    whole = None if kinds is not None else _variance(fact)
    return [_scored(predicted[part], facts[part], whole) for part in parts]


def _variance(fact: Array) -> float:
    """Variance; exactly 0 if all values are equal, which rounding of their mean would hide."""
    return float(fact.var()) if np.ptp(fact) > 0 else 0.0


def _predictions(numbers: Array, facts: Array, episode: NDArray[np.int64], kinds: Array | None) -> Array:
    """Predicted facts (n, G); each row is predicted by probes that were fitted without its episode's fold."""
    fold = np.unique(episode, return_inverse=True)[1] % FOLDS  # equal numbers of the episodes that reached this step
    if kinds is None:
        predicted: Array = held_out(numbers, facts[:, :, None], fold)[:, :, 0]
        return predicted
    answers = held_out(numbers, (facts[:, :, None] == kinds).astype(np.float64), fold)
    chosen: Array = kinds[answers.argmax(-1)]
    return chosen


def _scored(predicted: Array, facts: Array, whole: float | None) -> _Score:
    """Score of n episodes: accuracy if `whole` is None, else R² with `whole` as the fact's variance."""
    count = len(facts)
    chosen = resamples(count)
    if whole is None:
        right = (predicted == facts).astype(np.float64)
        commonest = float(np.unique(facts[:, 0], return_counts=True)[1].max() / count)
        low, high = interval(chosen @ right[:, 0] / count)
        return _Score(float(right[:, 0].mean()), low, high, float(right[:, 1:].mean()), commonest)
    if whole <= 0:
        return _Score(math.nan, math.nan, math.nan, math.nan, 0.0)
    wrong = (predicted - facts) ** 2
    control = 1 - float(wrong[:, 1:].mean()) / whole
    low, high = interval(1 - chosen @ wrong[:, 0] / count / whole)
    return _Score(1 - float(wrong[:, 0].mean()) / whole, low, high, control, 0.0)


def _answer(
    step: int, question: AskProbe, points: list[_StepData], scores: list[_Score], kinds: Array | None, same_in_all: bool
) -> Probed:
    measure: Literal["accuracy", "R²"] = "R²" if kinds is None else "accuracy"
    if kinds is not None and same_in_all:
        every = np.concatenate([point.fact for point in points])
        chance = float(np.unique(every, return_counts=True)[1].max() / len(every))
    else:
        chance = float(np.mean([score.commonest for score in scores]))
    columns = {name: np.array([getattr(each, name) for each in scores]) for name in ("score", "low", "high", "control")}
    counts = np.array([len(point.fact) for point in points])
    tensors = {"t": np.array([point.t for point in points]), "count": counts, **columns}
    return Probed(
        step=step, number=question.number, fact=question.fact, measure=measure, chance=chance, tensors=tensors
    )
