"""How attention changed over training: every stored checkpoint plays the same few episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dqngui.config import ConfigError
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.study.candidate_places import candidate_places
from dqngui.jobs.study.collecting import parallel_steps, study_environments
from dqngui.messages import AskOverTraining, Event, OpenAgent, OverTraining, Progress
from dqngui.nets.record import ViewSpec
from dqngui.runs.checkpoints import checkpoints, load_weights
from dqngui.texts import say

MAX_STEPS = 200
"""Largest number of steps of an episode that are measured."""


def over_training(agent: LoadedAgent, folder: Path | None, question: AskOverTraining) -> Iterator[Event | None]:
    """Answer a question with one row per checkpoint, yielding None between slices of work.

    `agent` keeps its weights. Raises ConfigError if the question cannot be answered.
    """
    specs = [spec for spec in agent.network.views() if spec.weights]
    if not specs:
        raise ConfigError("study.nothing_weighed")
    steps = [] if folder is None else checkpoints(folder)
    if folder is None or not steps:
        raise ConfigError("study.no_checkpoints")
    former = LoadedAgent(OpenAgent(experiment=agent.experiment), agent.experiment, agent.spaces)
    with study_environments(agent, question.episodes) as envs:
        for index, (trained, weights, last) in enumerate(_stored(folder, steps)):
            text = say("study.checkpoint", number=index + 1, count=len(steps))
            yield Progress(step=agent.step, number=question.number, share=index / len(steps), text=text)
            former.offer_weights(trained, weights)
            former.use_offered_weights()
            sums = {spec.name: _AttentionSums(spec) for spec in specs}
            for step in parallel_steps(former, envs, question.episodes, MAX_STEPS, record=True):
                for name, each in sums.items():
                    each.take(step.views[name])
                yield None
            yield OverTraining(
                step=trained,
                number=question.number,
                entropy={name: each.entropy for name, each in sums.items()},
                distance={name: each.distance for name, each in sums.items() if each.by_lag},
                last=last,
            )


def _stored(folder: Path, steps: list[int]) -> Iterator[tuple[int, Mapping[str, Tensor], bool]]:
    """Step and weights of each checkpoint that still exists when its turn comes, and whether it is the last one.

    Meanwhile a run in training removes some, and a resumed run drops its latest. Raises ConfigError if one is damaged,
    or none exists any more.
    """
    loaded = (found for step in steps if (found := _load(folder, step)) is not None)
    present = next(loaded, None)
    if present is None:
        raise ConfigError("study.checkpoints_gone")
    while present is not None:
        following = next(loaded, None)
        yield *present, following is None
        present = following


def _load(folder: Path, step: int) -> tuple[int, Mapping[str, Tensor]] | None:
    try:
        return load_weights(folder, step)
    except ConfigError:
        if step in checkpoints(folder):
            raise
        return None


class _AttentionSums:
    """Sums of the entropies and distances of one view, by head."""

    def __init__(self, spec: ViewSpec) -> None:
        self._spec, self.by_lag = spec, spec.axes[-1] == "lag"
        self._head = 1 + spec.axes.index("head") if "head" in spec.axes else None
        self._query = 1 + spec.axes.index("query") if "query" in spec.axes else None
        self._entropy, self._distance, self._count, self._rows = (np.zeros(1) for _ in range(4))

    def take(self, weights: Tensor) -> None:
        """Add the weights (n, *axes) of one step of n episodes."""
        rows = weights.double()
        present = candidate_places(self._spec, rows)
        asks = torch.ones(rows.shape[:-1], dtype=torch.bool)
        if self._query is not None and rows.shape[self._query] == rows.shape[-1]:  # rows of absent tokens do not count
            asks = asks & present.view([len(rows)] + [-1 if d == self._query else 1 for d in range(1, rows.ndim - 1)])
        total = rows.sum(-1)
        count = present.sum(-1).view(-1, *[1] * (rows.ndim - 2))
        shares = rows / total.clamp(min=1e-12).unsqueeze(-1)
        entropy = -torch.special.xlogy(shares, shares).sum(-1)
        some = asks & (total > 0)
        several = some & (count > 1)
        self._entropy = self._entropy + self._by_head(entropy / count.clamp(min=2).log(), several)
        self._count = self._count + self._by_head(torch.ones_like(entropy), several)
        if self.by_lag:
            far = (shares * torch.arange(rows.shape[-1])).sum(-1)
            self._distance = self._distance + self._by_head(far, some)
            self._rows = self._rows + self._by_head(torch.ones_like(far), some)

    def _by_head(self, values: Tensor, chosen: Tensor) -> np.ndarray:
        kept = values * chosen
        heads = kept.reshape(1, -1) if self._head is None else kept.movedim(self._head, 0).flatten(1)
        summed: np.ndarray = heads.sum(1).numpy()
        return summed

    @property
    def entropy(self) -> tuple[float, ...]:
        """Mean entropy, as a share of that of even weights over the places that can have weight."""
        return _means(self._entropy, self._count)

    @property
    def distance(self) -> tuple[float, ...]:
        """Mean number of steps between now and what is attended to."""
        return _means(self._distance, self._rows)


def _means(sums: np.ndarray, counts: np.ndarray) -> tuple[float, ...]:
    """Means; NaN where nothing was counted."""
    return tuple(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).tolist())
