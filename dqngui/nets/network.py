"""The Q-network: the trunk and a head of action values."""

from __future__ import annotations

from torch import Generator, Tensor

from dqngui.config import Experiment
from dqngui.envs.spaces import Spaces
from dqngui.nets.attention.none import NoAttention
from dqngui.nets.encoders import VectorEncoder
from dqngui.nets.heads import make_head
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.record import Record
from dqngui.nets.trunk import Inputs, Trunk

__all__ = ["Inputs", "QNetwork", "build_network"]


class QNetwork(Trunk):
    """q (T, B, A) and the next state from `Inputs` and a state (None: episode start)."""

    def __init__(self, spaces: Spaces, experiment: Experiment) -> None:
        super().__init__(spaces, experiment)
        self.head = make_head(experiment.net, spaces.actions, per_action=self.attention.per_action)
        self.plain = self._plain_encoder()

    def _plain_encoder(self) -> tuple[VectorEncoder] | None:
        """The only part that works before the head, if there is but one: a plain DQN skips all other calls."""
        first = self.encoder.parts[0]
        alone = isinstance(self.attention, NoAttention) and self.encoder.count == 1 and self.join is None
        if alone and self.memory.context == 0 and isinstance(first, VectorEncoder):
            return (first,)  # in a tuple, so that it is not registered twice
        return None

    def forward(self, inputs: Inputs, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        estimate, state = self.estimate(inputs, state, record)
        return self.head.values(estimate), state

    def estimate(
        self, inputs: Inputs, state: State | None, record: Record | None = None, errors: Errors | None = None
    ) -> tuple[Tensor, State]:
        """What the head says of every action, q (T, B, A) or a distribution of returns (T, B, A, N)."""
        if self.plain is not None:
            part = inputs.observation[self.encoder.names[0]]
            flat: Tensor = self.head(self.plain[0].flat(part.flatten(0, 1)), None)
            return flat.unflatten(0, part.shape[:2]), ()
        h, z, state = self.features(inputs, state, record, errors)
        return self.head(h, z), state


def build_network(spaces: Spaces, experiment: Experiment, generator: Generator) -> QNetwork:
    """A network on the CPU, its parameters drawn from `generator` alone."""
    return build(lambda: QNetwork(spaces, experiment), generator)
