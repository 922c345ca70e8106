"""Proximal policy optimisation on windows (Schulman et al. 2017, arXiv:1707.06347), with or without memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from dqngui.config import Experiment, LearnConfig, number
from dqngui.envs.spaces import Spaces
from dqngui.learning.devices import to_device
from dqngui.learning.flat import FlatAdam, FlatParameters, ParameterLayout
from dqngui.learning.own_loss import OwnLoss
from dqngui.learning.rollout import Minibatch
from dqngui.learning.targets import elementwise_loss
from dqngui.nets.actor_critic import ActorCritic
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Errors
from dqngui.nets.trunk import Inputs


@dataclass(frozen=True, slots=True)
class PolicyStats:
    """The statistics of one update; `messages.Learned` describes each.

    `epochs` belongs to the last update of a rollout.
    """

    loss: float
    grad_norm: float
    policy_loss: float
    value_error: float
    entropy: float
    kl: float
    clip_share: float
    explained: float | None = None
    epochs: float | None = None


class PPO:
    """An actor and critic with its optimizer; `update` makes one gradient step."""

    def __init__(self, spaces: Spaces, experiment: Experiment, device: torch.device, generator: Generator) -> None:
        self.device = device
        self.network = build(lambda: ActorCritic(spaces, experiment), generator).to(device)
        self.flat = FlatParameters(self.network)
        memory = self.network.memory
        self.own_loss = OwnLoss(self.network.encoder.raw_size, device) if memory.has_own_loss else None
        self.optimizer = FlatAdam(self.flat, eps=experiment.learn.adam_eps, warmup=experiment.learn.lr_warmup)

    def update(self, batch: Minibatch, experiment: Experiment, explained: float | None = None) -> PolicyStats:
        """One gradient step on windows."""
        learn = experiment.learn
        errors: Errors = {}
        mask = self._tensor(batch.mask)
        state = None if batch.state is None else tuple(self._tensor(part) for part in batch.state)
        legal = None if batch.legal is None else self._tensor(batch.legal)
        log_probs, value, _ = self.network.policy_and_value(self._inputs(batch), state, errors, legal)
        total, stats = self._losses(log_probs, value, batch, mask, learn)
        if self.own_loss is not None:
            total = total + number(learn.self_weight) * self.own_loss.of(errors, mask)
        self.flat.clear_gradient()
        total.backward()
        norm = self.flat.clip_gradient(learn.grad_clip)
        self.optimizer.step(number(learn.lr), learn.weight_decay)
        stats = [total.detach(), norm, *stats]
        loss, grad_norm, policy_loss, value_error, entropy, kl, clip_share = torch.stack(stats).tolist()
        return PolicyStats(loss, grad_norm, policy_loss, value_error, entropy, kl, clip_share, explained)

    def _losses(
        self, log_probs: Tensor, value: Tensor, batch: Minibatch, mask: Tensor, learn: LearnConfig
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, and the statistics of `PolicyStats` from `policy_loss` on, all means over the learned steps."""
        action, returns, old_value = (self._tensor(each) for each in (batch.action, batch.returns, batch.value))
        log_ratio = log_probs.gather(-1, action.unsqueeze(-1)).squeeze(-1) - self._tensor(batch.log_prob)
        ratio = torch.where(mask, log_ratio, 0.0).exp()
        advantage = self._tensor(batch.advantage)
        if learn.normalise_advantages:
            advantage = normalised(advantage, mask)
        policy_loss = _mean(policy_losses(ratio, advantage, number(learn.clip)), mask)
        value_loss = _mean(value_losses(value, old_value, returns, learn), mask)
        entropy = _mean(entropies(log_probs, batch.legal is not None), mask)
        total = policy_loss + learn.value_weight * value_loss - number(learn.entropy_weight) * entropy
        with torch.no_grad():
            clip_share = _mean(((ratio - 1).abs() > number(learn.clip)).to(ratio.dtype), mask)
            kl = _mean(ratio - 1 - log_ratio, mask)  # k3 of Schulman 2020, "Approximating KL divergence"
            value_error = _mean((value - returns).abs(), mask)
        return total, [policy_loss.detach(), value_error, entropy.detach(), kl, clip_share]

    def _inputs(self, batch: Minibatch) -> Inputs:
        parts = {name: self._tensor(part) for name, part in batch.observation.items()}
        return Inputs(parts, self._tensor(batch.prev_action), self._tensor(batch.prev_reward))

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return to_device(array, self.device)

    # -- saving -----------------------------------------------------------------------------------

    @property
    def policy(self) -> ActorCritic:
        """The network to evaluate, save and play."""
        return self.network

    @property
    def layout(self) -> ParameterLayout:
        """Name and shape of each parameter, in the order of the vectors that `arrays` gives."""
        return self.flat.layout

    def weights(self) -> dict[str, Tensor]:
        """The policy's parameters by name; they share memory with it."""
        return {name: value.detach() for name, value in self.network.state_dict().items()}

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        adam = {f"adam.{name}": value for name, value in self.optimizer.arrays().items()}
        own = {} if self.own_loss is None else self.own_loss.arrays()
        return {"online": self.flat.values.detach(), **adam, **own}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        with torch.no_grad():
            self.flat.values.copy_(torch.as_tensor(arrays["online"]))
        self.optimizer.restore(
            {name.removeprefix("adam."): value for name, value in arrays.items() if name.startswith("adam.")}
        )
        if self.own_loss is not None:
            self.own_loss.restore(arrays)

    def take_over(self, arrays: Mapping[str, Any], layout: ParameterLayout) -> list[str]:
        """Copy the parameters of the same name and shape from another learner's `arrays`; returns their names.

        Raises KeyError or ValueError if arrays and layout do not belong together.
        """
        return self.flat.take_over(torch.as_tensor(arrays["online"]), layout)


def policy_losses(ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """−min(r A, clip(r, 1 ± ε) A), equation 7 of the paper; all shapes equal."""
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def entropies(log_probs: Tensor, illegal: bool) -> Tensor:
    """Entropies −Σ p log p, in nats, of log-probabilities (…, A) -> (…).

    Args:
        illegal: some actions have probability 0. Their terms are 0, and so are their gradients.
    """
    logs = log_probs.masked_fill(log_probs == -torch.inf, 0.0) if illegal else log_probs
    return -(log_probs.exp() * logs).sum(-1)


def value_losses(value: Tensor, old_value: Tensor, returns: Tensor, learn: LearnConfig) -> Tensor:
    """Loss of the critic; with `value_clip` the larger of it and of the loss of the value clipped around the old one.

    The clipped value stays within `clip` of what it was when the critic acted (code of section 6.1 of the paper).
    """
    losses = elementwise_loss(value, returns, learn.loss)
    if not learn.value_clip:
        return losses
    clip = number(learn.clip)
    near = old_value + (value - old_value).clamp(-clip, clip)
    return torch.maximum(losses, elementwise_loss(near, returns, learn.loss))


def normalised(advantage: Tensor, mask: Tensor) -> Tensor:
    """Advantages with mean 0 and standard deviation 1 over the learned steps; unchanged if there is only one step."""
    count = mask.sum()
    centred = advantage - _mean(advantage, mask)
    deviation = ((centred.square() * mask).sum() / (count - 1).clamp(min=1)).sqrt()
    return torch.where(count < 2, advantage, centred / (deviation + 1e-8))


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, values, 0.0).sum() / mask.sum()
