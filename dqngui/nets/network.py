"""The Q-network: encoder, attention over tokens, memory over steps, head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.envs.spaces import Spaces
from dqngui.nets.attention import NoAttention
from dqngui.nets.encoders import Encoder, VectorEncoder
from dqngui.nets.heads import HEADS
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Memory, State
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


class QNetwork(nn.Module):
    """q (T, B, A) and the memory's next state from `Inputs` and a state (None: episode start)."""

    def __init__(self, spaces: Spaces, experiment: Experiment) -> None:
        super().__init__()
        net = experiment.net
        self.actions = spaces.actions
        self.sees_action, self.sees_reward = net.previous_action, net.previous_reward
        self.encoder = Encoder(spaces, tokens=net.tokens, hidden=net.hidden, width=net.width)
        make_attention = catalog.load(catalog.ATTENTIONS[net.attention])
        self.attention = make_attention(
            width=net.width, tokens=self.encoder.count, options=module_options(experiment, "attention")
        )
        extra = spaces.actions * net.previous_action + net.previous_reward
        self.join = nn.Linear(net.width + extra, net.width) if extra else None
        make_memory = catalog.load(catalog.MEMORIES[net.memory])
        self.memory: Memory = make_memory(width=net.width, options=module_options(experiment, "memory"))
        self.head = HEADS[net.head](net.width, spaces.actions)
        self.plain = self._plain_encoder()

    def _plain_encoder(self) -> tuple[VectorEncoder] | None:
        """The only part that works before the head, if there is but one: a plain DQN skips all other calls."""
        first = self.encoder.parts[0]
        alone = isinstance(self.attention, NoAttention) and self.encoder.count == 1 and self.join is None
        if alone and self.memory.context == 0 and isinstance(first, VectorEncoder):
            return (first,)  # in a tuple, so that it is not registered twice
        return None

    def views(self) -> tuple[ViewSpec, ...]:
        """Everything that a recording pass gives, known beforehand."""
        return (*self.attention.views(), *self.memory.views())

    def initial_state(self, batch: int) -> State:
        """The memory's state at an episode's start."""
        return self.memory.initial_state(batch)

    def forward(self, inputs: Inputs, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        if self.plain is not None:
            part = inputs.observation[self.encoder.names[0]]
            q: Tensor = self.head(self.plain[0].flat(part.flatten(0, 1)))
            return q.unflatten(0, part.shape[:2]), ()
        x, _ = self.attention(self.encoder(inputs.observation), record)
        if self.join is not None:
            x = self.join(torch.cat([x, *self._previous(inputs, x.dtype)], dim=-1))
            if self.memory.wants_relu:
                x = torch.relu(x)
        h, state = self.memory(x, state, record)
        return self.head(h), state

    def _previous(self, inputs: Inputs, dtype: torch.dtype) -> list[Tensor]:
        previous = []
        if self.sees_action:
            choices = torch.arange(self.actions, device=inputs.action.device)
            previous.append((inputs.action.unsqueeze(-1) == choices).to(dtype))  # −1 gives all zeros
        if self.sees_reward:
            previous.append(inputs.reward.unsqueeze(-1).to(dtype))
        return previous


def build_network(spaces: Spaces, experiment: Experiment, generator: Generator) -> QNetwork:
    """A network on the CPU, its parameters drawn from `generator` alone."""
    return build(lambda: QNetwork(spaces, experiment), generator)
