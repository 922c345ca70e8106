"""Deep Q-learning on windows: double, n-step, with stored recurrent states (R2D2) or without memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from dqngui.config import Experiment
from dqngui.envs.spaces import Spaces
from dqngui.learning.flat import FlatAdam, FlatParameters
from dqngui.learning.replay import Batch
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

    def update(self, batch: Batch, experiment: Experiment) -> tuple[UpdateStats, NDArray[np.float64] | None]:
        """One gradient step; returns its statistics and, for prioritised batches, new priorities (to the power α)."""
        learn = experiment.learn
        mask = self._tensor(batch.mask)
        taken = self._tensor(batch.taken)
        returns = self._tensor(batch.returns) * learn.reward_scale
        discount, boot = self._tensor(batch.discount), self._tensor(batch.boot)
        if self.context == 0:
            rows = min(learn.window, len(mask))
            mask, taken, returns, discount, boot = (part[:rows] for part in (mask, taken, returns, discount, boot))
            q, value = self._stateless(batch, boot, rows, learn.double, learn.reward_scale)
        else:
            q, value = self._unrolled(batch, boot, learn.double, learn.reward_scale)
        q_taken = q.gather(-1, taken.unsqueeze(-1)).squeeze(-1)
        error = (q_taken - td_target(returns, discount, value)) * mask
        losses = elementwise_loss(error, learn.loss)
        if batch.weights is not None:
            losses = losses * self._tensor(batch.weights)
        count = int(batch.mask.sum())
        loss = losses.sum() / count
        self.flat.clear_gradient()
        loss.backward()
        norm = self.flat.clip_gradient(learn.grad_clip)
        self.optimizer.step(learn.lr)
        if learn.target == "soft":
            self.flat_target.values.data.lerp_(self.flat.values.data, learn.tau)
        with torch.no_grad():
            size, taken_q = torch.linalg.vector_norm(error, 1), torch.vdot(q_taken.flatten(), mask.flatten().to(q.dtype))
            figures = torch.stack([loss * count, size, taken_q, norm]).tolist()
            priorities = None
            if batch.weights is not None:
                raw = window_priority(error, mask, learn.priority_eta) + 1e-6
                priorities = raw.pow(learn.priority_alpha).cpu().double().numpy()
        loss_sum, error_sum, q_sum, grad_norm = figures
        return UpdateStats(loss_sum / count, error_sum / count, q_sum / count, grad_norm), priorities

    def copy_to_target(self) -> None:
        """The target network becomes the online one."""
        self.flat_target.values.data.copy_(self.flat.values.data)

    def _stateless(
        self, batch: Batch, boot: Tensor, rows: int, double: bool, reward_scale: float
    ) -> tuple[Tensor, Tensor]:
        """Learned rows and bootstrap rows as independent observations: no unroll."""
        column = np.arange(batch.boot.shape[1])
        ahead = batch.boot[:rows]
        now = self._inputs(
            {name: part[:rows] for name, part in batch.observation.items()},
            batch.action[:rows],
            batch.reward[:rows],
            reward_scale,
        )
        later = self._inputs(
            {name: part[ahead, column] for name, part in batch.observation.items()},
            batch.action[ahead, column],
            batch.reward[ahead, column],
            reward_scale,
        )
        with torch.no_grad():
            target_q, _ = self.target(later, None)
            online_q = self.online(later, None)[0] if double else None
            value = bootstrap_value(target_q, online_q)
        return self.online(now, None)[0], value

    def _unrolled(self, batch: Batch, boot: Tensor, double: bool, reward_scale: float) -> tuple[Tensor, Tensor]:
        """Both networks over the whole window from the same stored state; burn-in without gradient."""
        inputs = self._inputs(batch.observation, batch.action, batch.reward, reward_scale)
        with torch.no_grad():
            target_q, _ = self.target(inputs, self._state(batch, self.target, reward_scale))
            state = self._state(batch, self.online, reward_scale)
        q, _ = self.online(inputs, state)
        value = bootstrap_value(target_q, q.detach() if double else None)
        return q, value.gather(0, boot)

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
