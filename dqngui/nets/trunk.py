"""What every agent's network has before its head: encoder, attention over tokens, memory over steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.envs.spaces import Spaces
from dqngui.nets.attention.contract import Attention
from dqngui.nets.encoders import Encoder
from dqngui.nets.memory.contract import Errors, Memory, State
from dqngui.nets.record import Record, ViewSpec
from dqngui.settings import module_options


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the network sees, time first.

    Attributes:
        observation: parts by name, (T, B, ...), in their storage types.
        action: previous action (T, B), −1 at an episode's start.
        reward: previous reward, scaled, (T, B), 0 at an episode's start.
    """

    observation: dict[str, Tensor]
    action: Tensor
    reward: Tensor

    def step(self, t: int) -> Inputs:
        """One step of them, (1, B, ...)."""
        parts = {name: part[t : t + 1] for name, part in self.observation.items()}
        return Inputs(parts, self.action[t : t + 1], self.reward[t : t + 1])


class Trunk(nn.Module):
    """`Inputs` and a state (None: episode start) to h (T, B, D), z (T, B, A, D) or None, and the next state.

    The state is the memory's; where the attention asks the memory, the memory's last output (B, D) is put before it.
    """

    def __init__(self, spaces: Spaces, experiment: Experiment) -> None:
        super().__init__()
        net = experiment.net
        self.actions = spaces.actions
        self.sees_action, self.sees_reward = net.previous_action, net.previous_reward
        self.encoder = Encoder(spaces, tokens=net.tokens, hidden=net.hidden, width=net.width)
        make_attention = catalog.load(catalog.ATTENTIONS[net.attention])
        self.attention: Attention = make_attention(
            width=net.width,
            tokens=self.encoder.count,
            actions=spaces.actions,
            options=module_options(experiment, "attention"),
        )
        extra = spaces.actions * net.previous_action + net.previous_reward
        self.join = nn.Linear(net.width + extra, net.width) if extra else None
        make_memory = catalog.load(catalog.MEMORIES[net.memory])
        seen = {"observation": self.encoder.raw_size} if make_memory.sees_observation else {}
        self.memory: Memory = make_memory(width=net.width, options=module_options(experiment, "memory"), **seen)

    @property
    def context(self) -> int | None:
        """Past steps that an output depends on; None where a state carries what came before."""
        return None if self.attention.asks_memory else self.memory.context

    def views(self) -> tuple[ViewSpec, ...]:
        """Everything that a recording pass gives, known beforehand."""
        return (*self.attention.views(), *self.memory.views())

    def initial_state(self, batch: int) -> State:
        """The state at an episode's start."""
        state = self.memory.initial_state(batch)
        if not self.attention.asks_memory:
            return state
        some = next(self.parameters())
        return some.new_zeros(batch, self.memory.width), *state

    def features(
        self, inputs: Inputs, state: State | None, record: Record | None = None, errors: Errors | None = None
    ) -> tuple[Tensor, Tensor | None, State]:
        """h, z and the next state; `errors` collects what a memory learns by itself, (T, B) each."""
        if self.attention.asks_memory:
            return self._step_by_step(inputs, state, record, errors)
        tokens, present = self.encoder(inputs.observation)
        x, z = self.attention(tokens, present, None, record)
        h, state = self._remember(x, inputs, state, record, errors)
        return h, z, state

    def _remember(
        self, x: Tensor, inputs: Inputs, state: State | None, record: Record | None, errors: Errors | None
    ) -> tuple[Tensor, State]:
        if self.join is not None:
            x = self.join(torch.cat([x, *self._previous(inputs, x.dtype)], dim=-1))
            if self.memory.wants_relu:
                x = torch.relu(x)
        if self.memory.sees_observation:
            x = torch.cat([x, self.encoder.raw(inputs.observation)], dim=-1)
        if self.memory.teaches_itself:
            return self.memory(x, state, record, errors)
        return self.memory(x, state, record)

    def _step_by_step(
        self, inputs: Inputs, state: State | None, record: Record | None, errors: Errors | None
    ) -> tuple[Tensor, Tensor | None, State]:
        """The same where each step's attention asks what the memory said at the step before."""
        tokens, present = self.encoder(inputs.observation)
        steps, batch = inputs.action.shape
        asked, *carried = self.initial_state(batch) if state is None else state
        kept, answers = [], []
        records = [None if record is None else Record() for _ in range(steps)]
        lessons: list[Errors | None] = [None if errors is None else {} for _ in range(steps)]
        for t in range(steps):
            there = None if present is None else present[t : t + 1]
            x, z = self.attention(tokens[t : t + 1], there, asked, records[t])
            h, next_state = self._remember(x, inputs.step(t), tuple(carried), records[t], lessons[t])
            asked, carried = h[0], list(next_state)
            kept.append(h)
            answers.append(z)
        if record is not None:
            for spec in self.views():
                record.add(spec.name, torch.cat([each.values[spec.name] for each in records if each is not None]))
        if errors is not None:
            for name in lessons[0] or ():
                errors[name] = torch.cat([lesson[name] for lesson in lessons if lesson is not None])
        z = None if answers[0] is None else torch.cat([answer for answer in answers if answer is not None])
        return torch.cat(kept), z, (asked, *carried)

    def _previous(self, inputs: Inputs, dtype: torch.dtype) -> list[Tensor]:
        previous = []
        if self.sees_action:
            choices = torch.arange(self.actions, device=inputs.action.device)
            previous.append((inputs.action.unsqueeze(-1) == choices).to(dtype))  # −1 gives all zeros
        if self.sees_reward:
            previous.append(inputs.reward.unsqueeze(-1).to(dtype))
        return previous
