"""An agent loaded for playing or studying: its network on the CPU, its weights, and names of its inputs and actions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.envs.spaces import Spaces
from dqngui.envs.vector import Parts
from dqngui.jobs.derived import Saliency, add_rollout, rollout_views
from dqngui.learning.acting import inputs_of
from dqngui.messages import OpenAgent, View
from dqngui.nets.encoders.rows import own_label
from dqngui.nets.memory.contract import State
from dqngui.nets.network import Inputs, build_network
from dqngui.nets.record import Record
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import trusted_experiment

CPU = torch.device("cpu")
MAX_NUMBERS = 1024
"""An observation with more numbers counts as a picture, and is not sent with the steps."""


def experiment_of(command: OpenAgent) -> Experiment:
    """The experiment of the agent that is to be opened. Raises ConfigError, also for a run that is not trusted."""
    if command.folder is not None:
        return trusted_experiment(Path(command.folder))
    if command.experiment is None:
        raise ConfigError("agent.none")
    return command.experiment


class LoadedAgent:
    """A network with its weights, and weights that are waiting for the next episode.

    Attributes:
        step: how far its weights were trained.
        has_weights: it was given weights; those that it was made with are random.
        features: names of the observation's numbers and categories, in the order of `numbers`.
        saliency: computes the views that are made only if asked for.
    """

    def __init__(self, command: OpenAgent, experiment: Experiment, spaces: Spaces) -> None:
        """Raises ConfigError if the folder has no such checkpoint, or one that does not fit."""
        self.experiment, self.spaces = experiment, spaces
        self.network = build_network(spaces, experiment, torch.Generator().manual_seed(0)).eval()
        self._own = self.network.state_dict()
        self._next: tuple[int, dict[str, torch.Tensor]] | None = None
        self.step, self.has_weights = 0, False
        if command.folder is not None:
            step, weights = load_weights(Path(command.folder), command.checkpoint)
            self.offer_weights(step, weights)
            self.use_offered_weights()
        self.features = features_of(spaces)
        self.saliency = Saliency(self.network, spaces, self.features)

    def offer_weights(self, step: int, tensors: Mapping[str, Any]) -> None:
        """Keep weights (torch or numpy, by name) for the next episode. Raises ConfigError if they do not fit."""
        weights = {name: torch.as_tensor(value) for name, value in tensors.items()}
        shapes = {name: value.shape for name, value in weights.items()}
        if shapes != {name: value.shape for name, value in self._own.items()}:
            raise ConfigError("agent.unfit")
        self._next = step, weights

    def use_offered_weights(self) -> None:
        """Use the newest weights that were offered, if there are any."""
        if self._next is None:
            return
        self.step, weights = self._next
        self.network.load_state_dict(weights)
        self._next, self.has_weights = None, True

    @property
    def can_play(self) -> bool:
        """Whether it has weights, or some are waiting."""
        return self.has_weights or self._next is not None

    def views(self) -> tuple[View, ...]:
        """All views that are recorded, and those that are derived from them; the shapes are found by recording one
        step.
        """
        record = Record()
        nothing = {part.name: np.zeros((1, *part.shape), part.dtype) for part in self.spaces.parts}
        with torch.inference_mode():
            inputs = inputs_of(nothing, np.full(1, -1), np.zeros(1, np.float32), CPU)
            self.network(inputs, self.network.initial_state(1), record)
        recorded = tuple(
            View(spec.name, spec.axes, tuple(record.values[spec.name].shape[2:]), spec.signed)
            for spec in self.network.views()
        )
        return (*recorded, *rollout_views(recorded))

    @property
    def derivable(self) -> tuple[View, ...]:
        """Views that are computed only if asked for, since each takes as long as many steps."""
        return self.saliency.views

    def derive(
        self, record: Record, wanted: Collection[str], observation: Parts, inputs: Inputs, state: State, action: int
    ) -> None:
        """Add to the record of a step the views that follow from it, and the `derivable` ones that are wanted.

        Args:
            observation: parts (1, *shape).
            inputs: the network's inputs of the step.
            state: before the step.
            action: the action of the step.
        """
        add_rollout(record.values)
        if wanted:
            found = self.saliency.of(observation, inputs, state, action)
            record.values |= {name: values for name, values in found.items() if name in wanted}

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the views of the state that is carried from step to step."""
        return tuple(self.network.state_views())

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the views of weights of a softmax."""
        return tuple(spec.name for spec in self.network.views() if spec.weights)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Names of the entries along the views' axes: tokens, actions, features, and those that the memory names."""
        tokens = self.network.encoder.labels
        seen = {
            "query": tokens,
            "key": tokens,
            "action": self.spaces.action_names or option_labels(self.spaces),
            "feature": self.features,
        }
        return {**seen, **self.network.memory.labels()}

    def numbers(self, observations: list[Parts]) -> np.ndarray:
        """Observations of n steps (each part (1, *shape)) as (n, F) float32, F names being `features`."""
        if not self.features:
            return np.zeros((len(observations), 0), np.float32)
        names = [part.name for part in self.spaces.parts if part.kind != "text"]
        columns = [np.concatenate([parts[name] for parts in observations]) for name in names]
        return np.concatenate(columns, axis=1, dtype=np.float32)


def option_labels(spaces: Spaces) -> tuple[str, ...]:
    """Names of the options of several choices with the names of their choices; empty for one choice."""
    options = iter(spaces.option_names)
    return tuple(
        f"{name} {next(options)}"
        for name, size in zip(spaces.dimension_names, spaces.choices, strict=True)
        for _ in range(size)
    )


def features_of(spaces: Spaces) -> tuple[str, ...]:
    """Names of all numbers and categories of an observation, part by part; empty if there are too many.

    Texts are left out: the ids of their words mean nothing to a reader.
    """
    given = iter(spaces.features)
    names: list[str] = []
    for part in spaces.parts:
        own = [next(given) for _ in range(part.named_numbers)]
        count = part.shape[0]
        if part.kind == "vector":
            names += own
        elif part.kind in ("rows", "entities"):
            table = "" if part.name == "observation" else f"{part.name} "
            rows = [f"{table}{row + 1}" for row in range(part.raw_shape[0])]
            if part.own is not None:
                rows[part.own] = own_label(part)
            names += [f"{row}: {name}" for row in rows for name in own]
        elif part.kind in ("image", "grid") and count <= MAX_NUMBERS:
            name = "x" if part.name == "observation" else part.name
            names += [f"{name}{list(index)}" for index in np.ndindex(*part.raw_shape)]
        elif part.kind != "text":
            names += [part.name if count == 1 else f"{part.name}[{index}]" for index in range(count)]
    return tuple(names) if len(names) <= MAX_NUMBERS else ()
