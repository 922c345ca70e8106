"""The Q-network: the trunk and a head of action values."""

from __future__ import annotations

from torch import Generator, Tensor

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.envs.spaces import Spaces
from dqngui.nets.attention.none import NoAttention
from dqngui.nets.encoders import VectorEncoder
from dqngui.nets.heads import Categorical, Head, make_head
from dqngui.nets.initialise import build
from dqngui.nets.legal import Legal
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.noise import Dropout, NoisyLinear
from dqngui.nets.predictor import Predictor
from dqngui.nets.record import Record
from dqngui.nets.trunk import Inputs, Trunk

__all__ = ["Inputs", "QNetwork", "build_network"]


class QNetwork(Trunk):
    """A Q-network: maps `Inputs` and a state (None: episode start) to q (T, B, A) and the next state.

    Attributes:
        noise_generator: if given, every call draws new noise from it, so that the noise explores while acting.
    """

    def __init__(self, spaces: Spaces, experiment: Experiment) -> None:
        super().__init__(spaces, experiment)
        net = experiment.net
        self.head = make_head(net, spaces.options, per_action=self.attention.per_action, sizes=spaces.choices)
        predicts = net.predictor and self.encoder.raw_size > 0
        self.predictor = Predictor(net.width, self.reading, self.encoder.raw_size) if predicts else None
        self.dropout = Dropout(net.dropout) if net.dropout else None
        self.noise_generator: Generator | None = None
        self.rescales = experiment.learn.rescale
        self.plain, self.values = self._plain_parts(), self.head.values  # faster to access than through the modules

    def _plain_parts(self) -> tuple[str, VectorEncoder, Head] | None:
        """Encoder and head if the network has nothing else (None otherwise): a plain DQN skips all other calls."""
        first = self.encoder.parts[0]
        alone = isinstance(self.attention, NoAttention) and self.encoder.count == 1 and self.join is None
        if alone and self.memory.context == 0 and isinstance(first, VectorEncoder) and self.dropout is None:
            return self.encoder.names[0], first, self.head  # in a tuple, so that nothing is registered twice
        return None

    def preferences(self, inputs: Inputs, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        """Action values in the unit in which they are learned, (T, B, A)."""
        if self.noise_generator is not None:
            self.draw_noise(self.noise_generator)
        estimate, state = self.estimate(inputs, state, record)
        return self.values(estimate), state

    @property
    def value_bound(self) -> float | None:
        """Largest size of the returns whose probabilities it learns."""
        reading = self.head.reading
        return max(abs(reading.low), abs(reading.high)) if isinstance(reading, Categorical) else None

    def shown(self, preferences: Tensor, legal: Legal = None) -> Tensor:
        """Action values in the environment's rewards, from those in the unit in which they are learned.

        Rescaled values stay as they are, since they are no longer proportional to rewards.
        """
        unit = 1.0 if self.rescales else self.reward_unit.shown
        return preferences if unit == 1.0 else preferences * unit

    def divide_values(self, factor: float) -> None:
        """Divide all values by this factor, in the last layer; probabilities of fixed returns stay as they are."""
        if not self.rescales and self.value_bound is None:
            self.head.divide(factor)

    def estimate(
        self, inputs: Inputs, state: State | None, record: Record | None = None, errors: Errors | None = None
    ) -> tuple[Tensor, State]:
        """The head's estimate of every action: q (T, B, A) or a distribution of returns (T, B, A, N)."""
        if self.plain is not None:
            name, encoder, head = self.plain
            part = inputs.observation[name]
            flat: Tensor = head(encoder.flat(part.flatten(0, 1)), None)
            return flat.unflatten(0, part.shape[:2]), ()
        h, z, state = self.features(inputs, state, record, errors)
        return self.head_estimate(h, z), state

    def head_estimate(self, h: Tensor, z: Tensor | None) -> Tensor:
        """The head's estimate from the trunk's features."""
        if self.dropout is not None:
            h, z = self.dropout(h), None if z is None else self.dropout(z)
        estimate: Tensor = self.head(h, z)
        return estimate

    # -- noise and dropout ------------------------------------------------------------------------

    def draw_noise(self, generator: Generator) -> None:
        """Draw noise for every noisy layer; it is used until the next draw."""
        for module in self.head.modules():
            if isinstance(module, NoisyLinear):
                module.draw(generator)

    def dropouts(self) -> list[Dropout]:
        """Every dropout layer in it, those of its modules too."""
        return [module for module in self.modules() if isinstance(module, Dropout)]


def build_network(spaces: Spaces, experiment: Experiment, generator: Generator) -> Trunk:
    """The network of the experiment's algorithm, on the CPU, with parameters drawn from `generator` alone.

    Its forward pass gives one number per action, (T, B, A), of which the largest is the greedy action's, and the next
    state.
    """
    make = catalog.load_target(catalog.ALGORITHMS[experiment.learn.algorithm].network)
    network: Trunk = build(lambda: make(spaces, experiment), generator)
    return network
