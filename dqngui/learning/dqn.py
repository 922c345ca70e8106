"""Deep Q-learning on windows: double, n-step, with stored recurrent states (R2D2) or without memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from dqngui.config import Experiment, LearnConfig
from dqngui.envs.spaces import Spaces
from dqngui.learning.flat import FlatAdam, FlatParameters
from dqngui.learning.replay import Batch, Pairs
from dqngui.learning.targets import bootstrap_value, elementwise_loss, td_target, window_priority
from dqngui.learning.windows import WindowRule
from dqngui.nets.memory.contract import State
from dqngui.nets.network import Inputs, build_network


@dataclass(frozen=True, slots=True)
class UpdateStats:
    """What one update measured.

    Attributes:
        loss: the loss that was minimised.
        td_error: mean absolute TD error over the learned steps.
        q_mean: mean value of the actions taken there.
        grad_norm: gradient norm before clipping.
    """

    loss: float
    td_error: float
    q_mean: float
    grad_norm: float


class DQN:
    """Online and target network with their optimizer; `update` makes one gradient step.

    Mnih et al. 2015; double DQN, van Hasselt et al. 2016; stored state and burn-in, Kapturowski et al. 2019.
    """

    def __init__(self, spaces: Spaces, experiment: Experiment, device: torch.device, generator: Generator) -> None:
        self.device = device
        self.online = build_network(spaces, experiment, generator).to(device)
        self.target = build_network(spaces, experiment, generator).to(device)
        self.flat, self.flat_target = FlatParameters(self.online), FlatParameters(self.target)
        self.target.requires_grad_(False)
        self.copy_to_target()
        self.optimizer = FlatAdam(self.flat, eps=experiment.learn.adam_eps)

    @property
    def context(self) -> int | None:
        """Past steps the memory can see; None for a recurrent one."""
        return self.online.memory.context

    def rule(self, experiment: Experiment) -> WindowRule:
        """How windows are cut for this network at the present settings."""
        learn = experiment.learn
        return WindowRule(
            length=learn.window,
            n_step=learn.n_step,
            burn_in=learn.burn_in,
            stride=learn.state_stride,
            context=self.context,
            from_start=learn.window_from == "start",
        )

    def update(self, batch: Batch | Pairs, experiment: Experiment) -> tuple[UpdateStats, NDArray[np.float64] | None]:
        """One gradient step; returns its statistics and, for prioritised batches, new priorities (to the power α)."""
        learn = experiment.learn
        mask = None
        if isinstance(batch, Pairs):
            q, value = self._paired(batch, learn)
            count = len(batch.names)
        else:
            mask = self._tensor(batch.mask)
            q, value = self._unrolled(batch, learn)
            count = int(batch.mask.sum())
        returns = self._tensor(batch.returns)
        if learn.reward_scale != 1.0:
            returns = returns * learn.reward_scale
        wanted = td_target(returns, self._tensor(batch.discount), value)
        predicted = q.gather(-1, self._tensor(batch.taken).unsqueeze(-1)).squeeze(-1)
        losses = elementwise_loss(predicted, wanted, learn.loss)
        if mask is not None:
            losses = losses * mask
        if batch.weights is not None:
            losses = losses * self._tensor(batch.weights)
        total = losses.sum()
        self.flat.clear_gradient()
        (total / count).backward()
        norm = self.flat.clip_gradient(learn.grad_clip)
        self.optimizer.step(learn.lr)
        if learn.target == "soft":
            self.flat_target.values.data.lerp_(self.flat.values.data, learn.tau)
        error, predicted = predicted.detach() - wanted, predicted.detach()
        if mask is not None:
            error, predicted = error * mask, predicted * mask
        figures = torch.stack([total.detach(), torch.linalg.vector_norm(error, 1), predicted.sum(), norm]).tolist()
        loss, error_sum, q_sum, grad_norm = figures
        priorities = self._priorities(error, mask, learn) if batch.weights is not None else None
        return UpdateStats(loss / count, error_sum / count, q_sum / count, grad_norm), priorities

    def _priorities(self, error: Tensor, mask: Tensor | None, learn: LearnConfig) -> NDArray[np.float64]:
        if mask is None:
            error, mask = error.unsqueeze(0), torch.ones_like(error, dtype=torch.bool).unsqueeze(0)
        raw = window_priority(error, mask, learn.priority_eta) + 1e-6
        priorities: NDArray[np.float64] = raw.pow(learn.priority_alpha).cpu().double().numpy()
        return priorities

    def copy_to_target(self) -> None:
        """The target network becomes the online one."""
        self.flat_target.values.data.copy_(self.flat.values.data)

    def _paired(self, batch: Pairs, learn: LearnConfig) -> tuple[Tensor, Tensor]:
        """Single steps: q (B, A) of the first, value (B,) of the later ones."""
        now, later = (self._single(*seen, learn.reward_scale) for seen in (batch.now, batch.later))
        with torch.no_grad():
            online_q = self.online(later, None)[0][0] if learn.double else None
            value = bootstrap_value(self.target(later, None)[0][0], online_q)
        return self.online(now, None)[0][0], value

    def _unrolled(self, batch: Batch, learn: LearnConfig) -> tuple[Tensor, Tensor]:
        """Both networks over the whole window from the same stored state; burn-in without gradient."""
        inputs = self._inputs(batch.observation, batch.action, batch.reward, learn.reward_scale)
        with torch.no_grad():
            target_q, _ = self.target(inputs, self._state(batch, self.target, learn.reward_scale))
            state = self._state(batch, self.online, learn.reward_scale)
        q, _ = self.online(inputs, state)
        value = bootstrap_value(target_q, q.detach() if learn.double else None)
        return q, value.gather(0, self._tensor(batch.boot))

    def _state(self, batch: Batch, network: Any, reward_scale: float) -> State | None:
        if batch.state is None:
            return None
        state: State = tuple(self._tensor(part) for part in batch.state)
        if batch.burn is None or batch.burned is None:
            return state
        _, refreshed = network(self._inputs(*batch.burn, reward_scale), state)
        burned = self._tensor(batch.burned)
        return tuple(
            torch.where(burned.view(-1, *[1] * (old.ndim - 1)), new, old)
            for new, old in zip(refreshed, state, strict=True)
        )

    def _inputs(
        self,
        observation: Mapping[str, NDArray[Any]],
        action: NDArray[np.int64],
        reward: NDArray[np.float32],
        reward_scale: float,
    ) -> Inputs:
        return Inputs(
            {name: self._tensor(part) for name, part in observation.items()},
            self._tensor(action),
            self._tensor(reward) * reward_scale,
        )

    def _single(
        self,
        observation: Mapping[str, NDArray[Any]],
        action: NDArray[np.int64],
        reward: NDArray[np.float32],
        reward_scale: float,
    ) -> Inputs:
        """The same for one step (B, ...), given a time axis of 1."""
        parts = {name: self._tensor(part).unsqueeze(0) for name, part in observation.items()}
        return Inputs(parts, self._tensor(action).unsqueeze(0), self._tensor(reward).unsqueeze(0) * reward_scale)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device, non_blocking=True)

    # -- saving -----------------------------------------------------------------------------------

    def weights(self) -> dict[str, Tensor]:
        """The online network's parameters by name; they share memory with the training ones."""
        return {name: value.detach() for name, value in self.online.state_dict().items()}

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        kept = {"online": self.flat.values.detach(), "target": self.flat_target.values.detach()}
        return kept | {f"adam.{name}": value for name, value in self.optimizer.arrays().items()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        with torch.no_grad():
            self.flat.values.copy_(torch.as_tensor(arrays["online"]))
            self.flat_target.values.copy_(torch.as_tensor(arrays["target"]))
        self.optimizer.restore(
            {name.removeprefix("adam."): value for name, value in arrays.items() if name.startswith("adam.")}
        )
