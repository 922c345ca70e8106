"""Faithfulness: does a map of weights explain the agent? Places are removed from it, and the action values compared.

At each step of greedy episodes the k places with the largest weights along the view's last axis (averaged over its
other axes) are removed, and for comparison `draws` random choices of k of the places that could have weight. The other
weights of each row grow in proportion; the observation and the state before the step stay the same. A place is a slot,
a past step or a token. A token is removed from all views of attention over tokens, since otherwise it would still act
through the next layer; slots and past steps are removed from the one view.
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
"""Largest number of steps of an episode that are measured."""
MIN_EPISODES = 2
"""Smallest number of measured episodes: the bootstrap's interval of a single one would have no width."""
_NAMES = {"key": say("study.tokens"), "slot": say("study.slots"), "lag": say("study.steps")}
"""What the places along an axis are called."""


def faithfulness(agent: LoadedAgent, question: AskFaithfulness) -> Iterator[Event | None]:
    """Answer a question, yielding None between slices of work. Raises ConfigError if it cannot be answered."""
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
    """Total weight of each place in a view's weights (n, *axes), (n, K), and which places can have weight, bool
    (n, K).
    """
    there = candidate_places(spec, weights)
    if "query" in spec.axes and weights.shape[1 + spec.axes.index("query")] == weights.shape[-1]:
        shape = [len(weights)] + [1] * (weights.ndim - 1)  # rows of queries of absent tokens are not used
        shape[1 + spec.axes.index("query")] = weights.shape[-1]
        weights = weights * there.view(shape)
    return weights.flatten(1, -2).sum(1) if weights.ndim > 2 else weights, there


def concentration(weighed: Tensor, there: Tensor, k: int) -> Array:
    """How much more the k largest of (n, K) weigh than with even weights, from 0 to 1, (n,)."""
    share = weighed.topk(min(k, weighed.shape[-1]), dim=-1).values.sum(-1) / weighed.sum(-1).clamp(min=1e-12)
    even = (k / there.sum(-1).clamp(min=1)).clamp(max=1)
    found: Array = ((share - even) / (1 - even).clamp(min=1e-12)).clamp(0, 1).double().numpy()
    return found


def _removal_choices(weighed: Tensor, there: Tensor, question: AskFaithfulness, generator: torch.Generator) -> Tensor:
    """Which places are removed, bool (2 + draws, n, K): first none, then the k with the largest weights, then random
    ones.
    """
    random = torch.rand(question.draws, *there.shape, generator=generator)
    scores = torch.cat([weighed.unsqueeze(0), random]).masked_fill(~there, -1.0)
    chosen = scores.topk(min(question.k, scores.shape[-1]), dim=-1).indices
    gone = torch.zeros(scores.shape, dtype=torch.bool).scatter_(-1, chosen, True)
    return torch.cat([torch.zeros(1, *there.shape, dtype=torch.bool), gone])


def _effects(agent: LoadedAgent, spec: ViewSpec, step: ParallelStep, gone: Tensor) -> tuple[Array, NDArray[np.bool_]]:
    """Mean absolute change of q (1 + draws, n) by removing places, and whether the greedy action changes, likewise.

    The comparison, nothing removed, is in the same batch, since the size of a batch may change the last bits of q.
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
    action_changed: NDArray[np.bool_] = (q[1:].argmax(-1) != q[:1].argmax(-1)).numpy()
    return moved, action_changed


def _repeated(values: Tensor, rows: int, dim: int) -> Tensor:
    return torch.cat([values] * rows, dim=dim)


class _EffectSums:
    """Effects of removals, summed over the steps of each episode."""

    def __init__(self, episodes: int) -> None:
        self._sums = np.zeros((5, episodes))  # of the top places, then random ones; concentration
        self._counts = np.zeros(episodes)
        self._q: list[NDArray[np.float32]] = []

    @property
    def steps(self) -> int:
        return int(self._counts.sum())

    @property
    def episodes(self) -> int:
        return int((self._counts > 0).sum())

    def take(
        self,
        step: ParallelStep,
        counts: NDArray[np.bool_],
        concentrated: Array,
        moved: Array,
        action_changed: NDArray[np.bool_],
    ) -> None:
        self._q.append(step.q.numpy())
        rows = np.stack([moved[0], action_changed[0], moved[1:].mean(0), action_changed[1:].mean(0), concentrated])
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
        difference, concentrated = float(means[0] - means[2]), float(means[4])
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
            explains=between[0] > 0 and difference >= MIN_DIFFERENCE and concentrated >= MIN_CONCENTRATION,
            concentration=concentrated,
        )
