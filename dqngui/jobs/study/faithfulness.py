"""Faithfulness: does a map of weights explain the agent's choices? Places are removed from it where a choice matters.

At each step of greedy episodes the k places with the largest weights along the view's last axis (of one head, or
averaged over the view's other axes) are removed, and for comparison `draws` random choices of k of the places that
could have weight. The other weights of each row grow in proportion; the observation and the state before the step stay
the same. A place is a slot, a past step or a token. A token is removed from all views of attention over tokens, since
otherwise it would still act through the next layer; slots, past steps and the places of one head are removed from the
one view.

Two things are measured. How far the removal undoes the choice: the chosen action's advantage over the others that is
lost, at the steps where most is at stake. And what that costs: from the steps with the most at stake the episode is
played on with the action that follows from the removal, and its return is compared with that of the unchanged episode.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.config import ConfigError
from dqngui.envs.legal_actions import Mask
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.interventions import removing_by_row
from dqngui.jobs.study.candidate_places import candidate_places
from dqngui.jobs.study.collecting import ParallelStep, parallel_steps, study_environments
from dqngui.jobs.study.meter import Lost, answer_of
from dqngui.jobs.study.playing_on import NotRepeatable, play_on
from dqngui.jobs.study.stakes import MeasuredStep, MeasuredSteps
from dqngui.jobs.study.thresholds import MIN_EPISODES
from dqngui.messages import AskFaithfulness, Event, Progress
from dqngui.nets.legal import only_legal
from dqngui.nets.record import Record, ViewSpec
from dqngui.texts import Text, say

MAX_STEPS = 300
"""Largest number of steps of an episode that are measured."""
Array = NDArray[np.float64]
REMOVING = 0.6
"""Share of the work that is the measuring of all steps; the rest is playing on."""
_NAMES = {"key": say("study.tokens"), "slot": say("study.slots"), "lag": say("study.steps")}
"""What the places along an axis are called."""


def faithfulness(agent: LoadedAgent, question: AskFaithfulness) -> Iterator[Event | None]:
    """Answer a question, yielding None between slices of work. Raises ConfigError if it cannot be answered."""
    spec = _weights_view(agent, question)
    if agent.spaces.choices:
        raise ConfigError("study.several_choices")
    if agent.spaces.actions < 2:
        raise ConfigError("study.one_action")
    generator = torch.Generator().manual_seed(0)
    measured = MeasuredSteps()
    with study_environments(agent, question.episodes) as envs:
        for step in parallel_steps(agent, envs, question.episodes, MAX_STEPS, record=True):
            measured.take(step, _measured(agent, spec, step, question, generator))
            yield _progress(agent, question, REMOVING * step.done, say("study.removing"))
        _check(measured, spec, question)
        lost = yield from _lost_returns(agent, envs, measured, question)
    yield answer_of(agent.step, question, measured, lost)


def _progress(agent: LoadedAgent, question: AskFaithfulness, share: float, text: Text) -> Progress:
    return Progress(step=agent.step, number=question.number, share=share, text=text)


def _check(measured: MeasuredSteps, spec: ViewSpec, question: AskFaithfulness) -> None:
    """Raises ConfigError if too little could be measured."""
    what = _NAMES.get(spec.axes[-1], say("study.places"))
    if not measured.eligible_episodes:
        raise ConfigError("study.no_choice", k=question.k, what=what)
    if (count := measured.eligible_episodes) < MIN_EPISODES:
        raise ConfigError("study.few_episodes", measured=count, episodes=question.episodes, k=question.k, what=what)
    if measured.all_alike:
        raise ConfigError("study.same_episodes", episodes=question.episodes)


def _lost_returns(
    agent: LoadedAgent, envs: Envs, measured: MeasuredSteps, question: AskFaithfulness
) -> Generator[Event | None, None, Lost | None]:
    """Play the branches on, and return what they lose, or None if the environment does not repeat itself."""
    branches = measured.branches()
    returns = np.zeros(len(branches))
    if not branches:
        return Lost.of(measured, branches, returns)
    text = say("study.playing_on")
    try:
        for share in play_on(agent, envs, [each.branch for each in branches], MAX_STEPS, returns):
            yield _progress(agent, question, REMOVING + (1 - REMOVING) * share, text)
    except NotRepeatable:
        return None
    return Lost.of(measured, branches, returns)


def _weights_view(agent: LoadedAgent, question: AskFaithfulness) -> ViewSpec:
    found = [spec for spec in agent.network.views() if spec.name == question.view and spec.weights]
    if not found:
        raise ConfigError("study.no_weights", view=question.view)
    if question.head is not None and "head" not in found[0].axes:
        raise ConfigError("study.no_heads", view=question.view)
    return found[0]


def place_weights(spec: ViewSpec, weights: Tensor, head: int | None = None) -> tuple[Tensor, Tensor]:
    """Total weight of each place in a view's weights (n, *axes), (n, K), and which places can have weight, bool
    (n, K). `head`: only the weights of this head count.
    """
    there = candidate_places(spec, weights)
    if "query" in spec.axes and weights.shape[1 + spec.axes.index("query")] == weights.shape[-1]:
        shape = [len(weights)] + [1] * (weights.ndim - 1)  # rows of queries of absent tokens are not used
        shape[1 + spec.axes.index("query")] = weights.shape[-1]
        weights = weights * there.view(shape)
    if head is not None:
        weights = weights.select(1 + spec.axes.index("head"), head)
    return weights.flatten(1, -2).sum(1) if weights.ndim > 2 else weights, there


def concentration(weighed: Tensor, there: Tensor, k: int) -> tuple[Array, Array]:
    """How much more the k largest of (n, K) weigh than with even weights, (n,) each: from 0 to 1, and as a multiple."""
    share = weighed.topk(min(k, weighed.shape[-1]), dim=-1).values.sum(-1) / weighed.sum(-1).clamp(min=1e-12)
    even = (k / there.sum(-1).clamp(min=1)).clamp(max=1)
    found: Array = ((share - even) / (1 - even).clamp(min=1e-12)).clamp(0, 1).double().numpy()
    multiple: Array = (share / even).double().numpy()
    return found, multiple


def _measured(
    agent: LoadedAgent, spec: ViewSpec, step: ParallelStep, question: AskFaithfulness, generator: torch.Generator
) -> MeasuredStep:
    weighed, there = place_weights(spec, step.views[spec.name], question.head)
    removed = _removals(agent, spec, step, _removal_choices(weighed, there, question, generator), question.head)
    concentrated, multiple = concentration(weighed, there, question.k)
    return MeasuredStep(
        eligible=((there.sum(-1) > question.k) & (weighed.sum(-1) > 0)).numpy() & _has_choice(step.legal, len(step.t)),
        concentration=concentrated,
        multiple=multiple,
        q=removed.q,
        states=removed.states,
        other=_other_actions(removed.q[0], generator, step.legal),
    )


def _removal_choices(weighed: Tensor, there: Tensor, question: AskFaithfulness, generator: torch.Generator) -> Tensor:
    """Which places are removed, bool (2 + draws, n, K): first none, then the k with the largest weights, then random
    ones.
    """
    random = torch.rand(question.draws, *there.shape, generator=generator)
    scores = torch.cat([weighed.unsqueeze(0), random]).masked_fill(~there, -1.0)
    chosen = scores.topk(min(question.k, scores.shape[-1]), dim=-1).indices
    gone = torch.zeros(scores.shape, dtype=torch.bool).scatter_(-1, chosen, True)
    return torch.cat([torch.zeros(1, *there.shape, dtype=torch.bool), gone])


def _has_choice(legal: Mask | None, count: int) -> NDArray[np.bool_]:
    """Whether at least two actions are legal, (count,); `legal` (count, A): None if all of them are."""
    return np.ones(count, np.bool_) if legal is None else np.asarray(legal.sum(1) > 1)


def _other_actions(q: Tensor, generator: torch.Generator, legal: Mask | None) -> NDArray[np.int64]:
    """For each row of q (n, A) a legal action that is not the greedy one, drawn evenly, (n,); where only one action is
    legal, that one.
    """
    count, actions = q.shape
    if legal is not None:
        order = torch.rand(count, actions, generator=generator).masked_fill(~torch.from_numpy(legal), -1.0)
        greedy = only_legal(q, legal).argmax(-1, keepdim=True)
        return np.asarray(order.scatter(-1, greedy, -0.5).argmax(-1).numpy(), np.int64)
    by = torch.randint(1, actions, (count,), generator=generator)
    other: NDArray[np.int64] = ((q.argmax(-1) + by) % actions).numpy()
    return other


@dataclass(frozen=True, slots=True)
class _Removed:
    """q (2 + draws, n, A), and the next state, each part (2 + draws, n, ...)."""

    q: Tensor
    states: tuple[Tensor, ...]


def _removals(agent: LoadedAgent, spec: ViewSpec, step: ParallelStep, gone: Tensor, head: int | None) -> _Removed:
    """What follows from each removal (R, n, K).

    The comparison, nothing removed, is in the same batch, since the size of a batch may change the last bits of q.
    """
    rows = len(gone)
    pattern = "attention/*" if spec.axes[-1] == "key" and head is None else spec.name
    one = None if head is None else (spec.axes.index("head"), head)
    record = Record(changes=removing_by_row(agent.network.views(), pattern, gone.flatten(0, 1), one))
    repeat = partial(_repeated, rows=rows)
    inputs = replace(
        step.inputs,
        observation={name: repeat(part, dim=1) for name, part in step.inputs.observation.items()},
        prev_action=repeat(step.inputs.prev_action, dim=1),
        prev_reward=repeat(step.inputs.prev_reward, dim=1),
    )
    with torch.inference_mode():
        q, state = agent.network(inputs, tuple(repeat(part, dim=0) for part in step.state), record)
    return _Removed(q[0].unflatten(0, (rows, -1)).double(), tuple(part.unflatten(0, (rows, -1)) for part in state))


def _repeated(values: Tensor, rows: int, dim: int) -> Tensor:
    return torch.cat([values] * rows, dim=dim)
