"""The actor-critic network: the trunk, a policy over the actions, and the value of the observation."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from dqngui.config import ConfigError, Experiment
from dqngui.envs.spaces import Spaces
from dqngui.nets.heads import LinearHead
from dqngui.nets.legal import Legal, only_legal
from dqngui.nets.memory.contract import Errors, State
from dqngui.nets.record import Record
from dqngui.nets.trunk import Inputs, Trunk

_FIRST_POLICY = 0.01


class ActorCritic(Trunk):
    """Maps `Inputs` and a state (None: episode start) to probabilities of the actions (T, B, A) and the next state.

    Policy and value share the trunk. With an attention that gives a vector z_a per action, action a's logit comes from
    [h, z_a].
    """

    output_kind = "probability"

    def __init__(self, spaces: Spaces, experiment: Experiment) -> None:
        super().__init__(spaces, experiment)
        if spaces.choices:
            raise ConfigError("setting.decoupled_ppo", dimensions=len(spaces.choices), count=spaces.actions)
        self.policy = LinearHead(self.width, spaces.actions, self.attention.per_action)
        self.value = nn.Linear(self.width, 1)

    def initialise(self, generator: Generator) -> None:
        """The policy starts nearly uniform: its last layer is scaled down (Andrychowicz et al. 2020,
        arXiv:2006.05990).
        """
        with torch.no_grad():
            for parameter in self.policy.parameters():
                parameter.mul_(_FIRST_POLICY)

    def divide_values(self, factor: float) -> None:
        """Divide the value of every observation by this factor."""
        with torch.no_grad():
            for parameter in self.value.parameters():
                parameter.div_(factor)

    def preferences(self, inputs: Inputs, state: State | None, record: Record | None = None) -> tuple[Tensor, State]:
        """Logits (T, B, A): the likeliest action is the greedy one."""
        h, z, state = self.features(inputs, state, record)
        logits: Tensor = self.policy(h, z)
        return logits, state

    def shown(self, preferences: Tensor, legal: Legal = None) -> Tensor:
        """Probabilities of the actions, from their logits; 0 for actions that are not legal."""
        return only_legal(preferences, legal).softmax(-1)

    def policy_and_value(
        self,
        inputs: Inputs,
        state: State | None,
        errors: Errors | None = None,
        legal: Legal = None,
    ) -> tuple[Tensor, Tensor, State]:
        """Log-probabilities (T, B, A), values (T, B) in the unit of `reward_unit`, and the next state.

        Actions that are not `legal` (as in `only_legal`) have probability 0.
        """
        h, z, state = self.features(inputs, state, None, errors)
        logits: Tensor = self.policy(h, z)
        return only_legal(logits, legal).log_softmax(-1), self.value(h).squeeze(-1), state
