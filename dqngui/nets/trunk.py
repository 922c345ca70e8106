"""The trunk of every agent's network, before its head: encoder, attention over tokens, memory over steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dqngui import catalog
from dqngui.config import ConfigError, Experiment
from dqngui.envs.spaces import Spaces
from dqngui.nets.attention.contract import Attention, Prepared
from dqngui.nets.choices import reading_of
from dqngui.nets.encoders import Encoder
from dqngui.nets.legal import Legal, only_legal
from dqngui.nets.memory.contract import Errors, Memory, State, StateView
from dqngui.nets.record import Record, ViewSpec
from dqngui.nets.scaling import reward_unit
from dqngui.settings import module_options


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a network, time first.

    Attributes:
        observation: parts by name, (T, B, ...), in their storage types.
        prev_action: (T, B), −1 at an episode's start.
        prev_reward: in the unit of `Trunk.reward_unit`, (T, B), 0 at an episode's start.
    """

    observation: dict[str, Tensor]
    prev_action: Tensor
    prev_reward: Tensor


MEMORY_OUTPUT = "memory/output"
"""View of the memory's output, if it is the next step's query and no view of the memory shows it."""


class Trunk(nn.Module):
    """Maps `Inputs` and a state (None: episode start) to h (T, B, D), z (T, B, A, D) or None, and the next state.

    The state is that of the memory. If the attention's query comes from the memory, the memory's last output (B, D) is
    put before it. If the attention gives a vector per action, z_a is relu(vector_a + W h): heads combine h and z
    linearly, so without this the memory could not make one action better than another.
    """

    output_kind: ClassVar[Literal["value", "probability"]] = "value"
    """What the forward pass gives for each action: its value, or its probability."""

    def __init__(self, spaces: Spaces, experiment: Experiment) -> None:
        """Raises ConfigError for a memory that needs observed numbers if there are none."""
        super().__init__()
        net = experiment.net
        self.actions, self.width = spaces.actions, net.width
        self.reading = reading_of(spaces.several, spaces.actions)
        self.sees_action, self.sees_reward = net.previous_action, net.previous_reward
        self.reward_unit = reward_unit(experiment.learn.reward_scale)
        self.encoder = Encoder(
            spaces,
            tokens=net.tokens,
            hidden=net.hidden,
            width=net.width,
            standardise=net.standardise,
            convolutions=net.convolutions,
        )
        make_attention = catalog.load(catalog.ATTENTIONS[net.attention])
        self.attention: Attention = make_attention(
            width=net.width,
            tokens=self.encoder.count,
            actions=spaces.options,
            options=module_options(experiment, "attention"),
            **({"own": self.encoder.own} if make_attention.takes_own else {}),
        )
        extra = spaces.options * net.previous_action + net.previous_reward
        self.join = nn.Linear(net.width + extra, net.width) if extra else None
        make_memory = catalog.load(catalog.MEMORIES[net.memory])
        if make_memory.sees_observation and not self.encoder.raw_size:
            raise ConfigError("setting.memory_needs_numbers", memory=net.memory)
        seen = {"observation": self.encoder.raw_size} if make_memory.sees_observation else {}
        self.memory: Memory = make_memory(width=net.width, options=module_options(experiment, "memory"), **seen)
        shortcut = net.shortcut and net.memory != "none"
        self.shortcut = nn.Linear(2 * net.width, net.width) if shortcut else None
        self.meet = nn.Linear(net.width, net.width) if self.attention.per_action else None

    def preferences(self, inputs: Inputs, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        """Numbers (T, B, A), the largest of which is the greedy action's, and the next state.

        The greedy action is taken from these and not from the forward pass: what is shown there is rounded once more,
        which can make two actions equal.
        """
        raise NotImplementedError

    def greedy(self, preferences: Tensor, legal: Legal = None) -> NDArray[np.int64]:
        """The greedy actions (…) among the legal ones, from preferences (…, A)."""
        actions: NDArray[np.int64] = self.reading.greedy(only_legal(preferences, legal)).cpu().numpy()
        return actions

    def shown(self, preferences: Tensor, legal: Legal = None) -> Tensor:
        """The forward pass's output of these preferences, of the same shape; probabilities are among `legal` actions.

        Values of illegal actions stay as they are: nothing was learned about them.
        """
        raise NotImplementedError

    def forward(self, inputs: Inputs, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        """What `output_kind` says, (T, B, A), for acting and for watching, and the next state."""
        preferences, state = self.preferences(inputs, state, record)
        return self.shown(preferences), state

    @property
    def value_bound(self) -> float | None:
        """Largest size of the values that it can give, in the unit that it learns in; None: they have no bound."""
        return None

    def share_units(self, other: Trunk) -> None:
        """Use the units of another network of the same shape, now and whenever they change."""
        self.reward_unit = other.reward_unit
        self.encoder.share_standardised(other.encoder)

    def divide_values(self, factor: float) -> None:
        """Divide all values that the network gives by this factor."""
        raise TypeError(f"{type(self).__name__} has no values")

    @property
    def context(self) -> int | None:
        """Number of past steps that an output depends on; None if a state carries the past."""
        return None if self.attention.queries_memory else self.memory.context

    def views(self) -> tuple[ViewSpec, ...]:
        """All views that a recording pass gives; known before anything runs."""
        output = (ViewSpec(MEMORY_OUTPUT, ("unit",), signed=True),) if self._shows_output else ()
        return (*self.attention.views(), *self.memory.views(), *output)

    @property
    def _shows_output(self) -> bool:
        """Whether the memory's output is carried to the next step's query, and no view of the memory shows it."""
        return self.attention.queries_memory and not self.memory.output_view

    def state_views(self) -> Mapping[str, StateView]:
        """Views of what is carried from step to step, and where a state of this network contains it.

        If the attention's query comes from the memory, the query is carried too. It is the memory's output of the step
        before, which is `memory/hidden` for an LSTM or GRU (a change is made to both tensors, or what was erased would
        come back through the query), and else `memory/output`.
        """
        views_of_state = self.memory.state_views()
        if not self.attention.queries_memory:
            return views_of_state
        output_view = self.memory.output_view or MEMORY_OUTPUT
        moved = {
            name: replace(each, indices=tuple(index + 1 for index in each.indices))
            for name, each in views_of_state.items()
        }
        others = moved[output_view].indices if output_view in moved else ()
        return {**moved, output_view: StateView((*others, 0))}

    def initial_state(self, batch: int) -> State:
        """The state at an episode's start."""
        state = self.memory.initial_state(batch)
        if not self.attention.queries_memory:
            return state
        some = next(self.parameters())
        return some.new_zeros(batch, self.width), *state

    def features(
        self, inputs: Inputs, state: State | None, record: Record | None = None, errors: Errors | None = None
    ) -> tuple[Tensor, Tensor | None, State]:
        """h, z and the next state; `errors` collects the loss terms of a memory that has its own loss, (T, B) each."""
        tokens, present = self.encoder(inputs.observation)
        raw = self.encoder.raw(inputs.observation) if self.memory.sees_observation else None
        if self.attention.queries_memory:
            prepared = self.attention.prepare(tokens, present)
            return self._step_by_step(prepared, inputs, raw, state, record, errors)
        seen, z = self.attention(tokens, present, None, record)
        x = seen
        if self.join is not None:
            x = self.join(torch.cat([seen, *self._previous(inputs, seen.dtype)], dim=-1))
        h, state = self._remember(x, raw, state, record, errors)
        h = self._with_present(h, seen)
        return h, self._combined(h, z), state

    def _remember(
        self, x: Tensor, raw: Tensor | None, state: State | None, record: Record | None, errors: Errors | None
    ) -> tuple[Tensor, State]:
        if self.join is not None and self.memory.relu_input:
            x = torch.relu(x)
        if raw is not None:
            x = torch.cat([x, raw], dim=-1)
        if self.memory.has_own_loss:
            return self.memory(x, state, record, errors)
        return self.memory(x, state, record)

    def _with_present(self, h: Tensor, seen: Tensor) -> Tensor:
        """The memory's output h and what the attention gives now: relu(W [h, relu(seen)] + b); h without a shortcut.

        The previous action and reward reach the memory only: beside the observation, the head would take from the
        previous action what it should read from the observation.
        """
        return h if self.shortcut is None else torch.relu(self.shortcut(torch.cat([h, torch.relu(seen)], dim=-1)))

    def _combined(self, h: Tensor, z: Tensor | None) -> Tensor | None:
        """The vectors per action combined with the memory's output."""
        return z if z is None or self.meet is None else torch.relu(z + self.meet(h).unsqueeze(-2))

    def _step_by_step(
        self,
        prepared: Prepared,
        inputs: Inputs,
        raw: Tensor | None,
        state: State | None,
        record: Record | None,
        errors: Errors | None,
    ) -> tuple[Tensor, Tensor | None, State]:
        """`features` for an attention whose query is the memory's output of the step before."""
        steps, batch = inputs.prev_action.shape
        query, *carried = self.initial_state(batch) if state is None else state
        memory_state: State = tuple(carried)
        onward, added = self._split_join(inputs, query.dtype)
        kept, looks, action_vectors = [], [], []
        records = [None if record is None else Record(changes=record.changes) for _ in range(steps)]
        step_errors: list[Errors | None] = [None if errors is None else {} for _ in range(steps)]
        for t, step in enumerate(zip(*prepared, strict=True)):
            x, z = self.attention.ask(step, query, records[t])
            looks.append(x)
            if onward is not None and added is not None:
                x = torch.addmm(added[t], x, onward)
            observed = None if raw is None else raw[t : t + 1]
            h, memory_state = self._remember(x.unsqueeze(0), observed, memory_state, records[t], step_errors[t])
            query = h[0]
            if (step_record := records[t]) is not None and self._shows_output:
                step_record.add(MEMORY_OUTPUT, h)
            kept.append(query)
            action_vectors.append(z)
        if record is not None:
            for spec in self.views():
                record.add(spec.name, torch.cat([each.values[spec.name] for each in records if each is not None]))
        if errors is not None:
            for name in step_errors[0] or ():
                errors[name] = torch.cat([each[name] for each in step_errors if each is not None])
        h = self._with_present(torch.stack(kept), torch.stack(looks))
        z = None if action_vectors[0] is None else torch.stack([each for each in action_vectors if each is not None])
        return h, self._combined(h, z), (query, *memory_state)

    def _split_join(self, inputs: Inputs, dtype: torch.dtype) -> tuple[Tensor | None, Tensor | None]:
        """The `join` layer in two parts: weights for x, (D, D), and what previous action and reward add, (T, B, D)."""
        if self.join is None:
            return None, None
        own, others = self.join.weight.split(
            [self.join.out_features, self.join.in_features - self.join.out_features], 1
        )
        return own.T, F.linear(torch.cat(self._previous(inputs, dtype), dim=-1), others, self.join.bias)

    def _previous(self, inputs: Inputs, dtype: torch.dtype) -> list[Tensor]:
        previous = []
        if self.sees_action:
            previous.append(self.reading.marked(inputs.prev_action).to(dtype))  # −1 gives all zeros
        if self.sees_reward:
            previous.append(inputs.prev_reward.unsqueeze(-1).to(dtype))
        return previous
