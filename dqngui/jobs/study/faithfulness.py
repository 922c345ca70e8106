"""Does a map of weights explain the agent? Its greatest places are removed, and random ones, and the agent asked again.

At each step of greedy episodes the k places that the view weighs most, along its last axis (its other axes averaged),
are taken away, and in comparison `draws` random choices of k among those that could be weighed. What is left of each
row of weights grows in proportion; observation and the state that enters the step stay what they were. A place is a
slot, a past step or a token. A token is removed from every view of the attention over tokens, since it would otherwise
still speak through the next layer; slots and past steps are removed from the view that was asked about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.config import ConfigError
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.interventions import removing_by_row
from dqngui.jobs.study.candidate_places import candidate_places
from dqngui.jobs.study.collecting import ParallelStep, parallel_steps, study_environments
from dqngui.jobs.study.linear import Array, interval, resamples
from dqngui.jobs.study.thresholds import MIN_CONCENTRATION, MIN_DIFFERENCE
from dqngui.messages import AskFaithfulness, Effect, Event, Faithfulness, Progress
from dqngui.nets.record import Record, ViewSpec
from dqngui.texts import say

MAX_STEPS = 300
"""Steps of an episode that are looked at."""
MIN_EPISODES = 2
"""Episodes that must have been measured: the bootstrap's interval of a single one would have no width."""
_NAMES = {"key": say("study.tokens"), "slot": say("study.slots"), "lag": say("study.steps")}
"""What the places along an axis are called."""


def faithfulness(agent: LoadedAgent, question: AskFaithfulness) -> Iterator[Event | None]:
    """Answer a question, with None between slices. Raises ConfigError where it cannot be answered."""
    spec = _weights_view(agent, question.view)
    generator = torch.Generator().manual_seed(0)
    measured = _EffectSums(question.episodes)
    with study_environments(agent, question.episodes) as envs:
        for step in parallel_steps(agent, envs, question.episodes, MAX_STEPS, record=True):
            weighed, there = place_weights(spec, step.views[spec.name])
            counts = ((there.sum(-1) > question.k) & (weighed.sum(-1) > 0)).numpy()
            gone = _removal_choices(weighed, there, question, generator)
            measured.take(step, counts, concentration(weighed, there, question.k), *_effects(agent, spec, step, gone))
            yield Progress(step=agent.step, number=question.number, share=step.done, text=say("study.removing"))
    what = _NAMES.get(spec.axes[-1], say("study.places"))
    if not measured.steps:
        raise ConfigError("study.no_choice", k=question.k, what=what)
    if measured.episodes < MIN_EPISODES:
        raise ConfigError(
            "study.few_episodes", measured=measured.episodes, episodes=question.episodes, k=question.k, what=what
        )
    yield measured.answer(agent.step, question)


def _weights_view(agent: LoadedAgent, view: str) -> ViewSpec:
    found = [spec for spec in agent.network.views() if spec.name == view and spec.weights]
    if not found:
        raise ConfigError("study.no_weights", view=view)
    return found[0]


def place_weights(spec: ViewSpec, weights: Tensor) -> tuple[Tensor, Tensor]:
    """How much a view's weights (n, *axes) weigh each place, (n, K), and which places can be weighed, bool (n, K)."""
    there = candidate_places(spec, weights)
    if "query" in spec.axes and weights.shape[1 + spec.axes.index("query")] == weights.shape[-1]:
        shape = [len(weights)] + [1] * (weights.ndim - 1)  # a token that is not there asks too, and nobody listens
        shape[1 + spec.axes.index("query")] = weights.shape[-1]
        weights = weights * there.view(shape)
    return weights.flatten(1, -2).sum(1) if weights.ndim > 2 else weights, there


def concentration(weighed: Tensor, there: Tensor, k: int) -> Array:
    """By how much the k greatest of (n, K) weigh more than they would if all did alike: 0 … 1, (n,)."""
    share = weighed.topk(min(k, weighed.shape[-1]), dim=-1).values.sum(-1) / weighed.sum(-1).clamp(min=1e-12)
    even = (k / there.sum(-1).clamp(min=1)).clamp(max=1)
    beyond: Array = ((share - even) / (1 - even).clamp(min=1e-12)).clamp(0, 1).double().numpy()
    return beyond


def _removal_choices(weighed: Tensor, there: Tensor, question: AskFaithfulness, generator: torch.Generator) -> Tensor:
    """Which places are removed, bool (2 + draws, n, K): none, the k that weigh most, random ones."""
    luck = torch.rand(question.draws, *there.shape, generator=generator)
    scores = torch.cat([weighed.unsqueeze(0), luck]).masked_fill(~there, -1.0)
    chosen = scores.topk(min(question.k, scores.shape[-1]), dim=-1).indices
    gone = torch.zeros(scores.shape, dtype=torch.bool).scatter_(-1, chosen, True)
    return torch.cat([torch.zeros(1, *there.shape, dtype=torch.bool), gone])


def _effects(agent: LoadedAgent, spec: ViewSpec, step: ParallelStep, gone: Tensor) -> tuple[Array, NDArray[np.bool_]]:
    """How far q moves (1 + draws, n) where places are gone, and whether the greedy action turns, likewise.

    What is compared with, nothing removed, is a part of the same batch, whose size may change the last bits of q.
    """
    rows = len(gone)
    pattern = "attention/*" if spec.axes[-1] == "key" else spec.name
    record = Record(changes=removing_by_row(agent.network.views(), pattern, gone.flatten(0, 1)))
    repeat = partial(_repeated, rows=rows)
    inputs = replace(
        step.inputs,
        observation={name: repeat(part, dim=1) for name, part in step.inputs.observation.items()},
        prev_action=repeat(step.inputs.prev_action, dim=1),
        prev_reward=repeat(step.inputs.prev_reward, dim=1),
    )
    with torch.inference_mode():
        q, _ = agent.network(inputs, tuple(repeat(part, dim=0) for part in step.state), record)
    q = q[0].unflatten(0, (rows, -1)).double()
    moved: Array = (q[1:] - q[:1]).abs().mean(-1).numpy()
    turned: NDArray[np.bool_] = (q[1:].argmax(-1) != q[:1].argmax(-1)).numpy()
    return moved, turned


def _repeated(values: Tensor, rows: int, dim: int) -> Tensor:
    return torch.cat([values] * rows, dim=dim)


class _EffectSums:
    """Effects by step, summed by episode."""

    def __init__(self, episodes: int) -> None:
        self._sums = np.zeros((5, episodes))  # change and turns of the top, then of random places; concentration
        self._counts = np.zeros(episodes)
        self._q: list[NDArray[np.float32]] = []

    @property
    def steps(self) -> int:
        return int(self._counts.sum())

    @property
    def episodes(self) -> int:
        return int((self._counts > 0).sum())

    def take(
        self, step: ParallelStep, counts: NDArray[np.bool_], beyond: Array, moved: Array, turned: NDArray[np.bool_]
    ) -> None:
        self._q.append(step.q.numpy())
        rows = np.stack([moved[0], turned[0], moved[1:].mean(0), turned[1:].mean(0), beyond])
        np.add.at(self._sums.T, step.episode[counts], rows.T[counts])
        np.add.at(self._counts, step.episode[counts], 1)

    def answer(self, step: int, question: AskFaithfulness) -> Faithfulness:
        spread = max(float(np.concatenate(self._q).std()), 1e-12)
        played = self._counts > 0
        sums, counts = self._sums[:, played], self._counts[played]
        sums = sums / np.array([[spread], [1.0], [spread], [1.0], [1.0]])
        chosen = resamples(len(counts))
        means = sums.sum(1) / counts.sum()
        drawn = (chosen @ sums.T) / (chosen @ counts)[:, None]  # (draws, 5)

        def effect(first: int) -> Effect:
            return Effect(
                float(means[first]), interval(drawn[:, first]), float(means[first + 1]), interval(drawn[:, first + 1])
            )

        top, random = effect(0), effect(2)
        difference, beyond = float(means[0] - means[2]), float(means[4])
        between = interval(drawn[:, 0] - drawn[:, 2])
        return Faithfulness(
            step=step,
            number=question.number,
            view=question.view,
            k=question.k,
            top=top,
            random=random,
            difference=difference,
            difference_interval=between,
            steps=self.steps,
            episodes=len(counts),
            explains=between[0] > 0 and difference >= MIN_DIFFERENCE and beyond >= MIN_CONCENTRATION,
            concentration=beyond,
        )
