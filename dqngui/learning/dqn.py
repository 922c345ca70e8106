"""Deep Q-learning on windows of steps: double, n-step, with stored recurrent states (R2D2) or without memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from dqngui.config import Experiment, LearnConfig, number
from dqngui.envs.spaces import Spaces
from dqngui.learning.acting import inputs_of
from dqngui.learning.augmentation import Augmentation
from dqngui.learning.auxiliary import AuxiliaryLosses
from dqngui.learning.batches import Batch, OneStepBatch
from dqngui.learning.devices import to_device
from dqngui.learning.distributions import objective_of
from dqngui.learning.flat import FlatAdam, FlatParameters, ParameterLayout
from dqngui.learning.random_streams import RandomStreams
from dqngui.learning.targets import window_priority
from dqngui.learning.windows import WindowRule
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import State
from dqngui.nets.network import Inputs, QNetwork
from dqngui.nets.scaling import RewardUnit


@dataclass(frozen=True, slots=True)
class QStats:
    """The statistics of one update.

    Attributes:
        loss: the loss that was minimised.
        td_error: mean absolute TD error over the learned steps; of a distribution's mean where one is learned.
        q_mean: mean value of the actions at these steps.
        grad_norm: gradient norm before clipping.
    """

    loss: float
    td_error: float
    q_mean: float
    grad_norm: float


class DQN:
    """The Q-learner: online, target and averaged network with their optimizer; `update` makes one gradient step.

    Mnih et al. 2015; double DQN, van Hasselt et al. 2016; stored state and burn-in, Kapturowski et al. 2019.
    """

    def __init__(self, spaces: Spaces, experiment: Experiment, device: torch.device, generator: Generator) -> None:
        self.device = device
        self.online = build(lambda: QNetwork(spaces, experiment), generator).to(device)
        self.target = build(lambda: QNetwork(spaces, experiment), generator).to(device)
        self.flat, self.flat_target = FlatParameters(self.online), FlatParameters(self.target)
        self.average = build(lambda: QNetwork(spaces, experiment), generator).to(device).eval()
        self.flat_average = FlatParameters(self.average)
        for network in (self.target, self.average):
            network.requires_grad_(False)
        self.copy_to_target()
        self.flat_average.values.data.copy_(self.flat.values.data)
        self.optimizer = FlatAdam(self.flat, eps=experiment.learn.adam_eps, warmup=experiment.learn.lr_warmup)
        self.objective = objective_of(self.online.head.reading, self.online.reading)
        self.auxiliary = AuxiliaryLosses(self.online, device)
        self.parts, self.updates = spaces.parts, 0
        self.random_streams = RandomStreams(generator, device)
        self.noisy, self.drops = experiment.net.noisy, bool(self.online.dropouts())
        if self.noisy:
            self.online.noise_generator = self.random_streams.noise

    @property
    def context(self) -> int | None:
        """Past steps that the memory can see; None for a recurrent one."""
        return self.online.context

    def rule(self, experiment: Experiment) -> WindowRule:
        """How windows are cut from the replay for this network, with the present settings."""
        learn = experiment.learn
        return WindowRule(
            length=learn.window,
            n_step=learn.n_step,
            burn_in=learn.burn_in,
            stride=learn.state_stride,
            context=self.context,
            from_start=learn.window_from == "start",
            whole=self.auxiliary.active,
        )

    def update(self, batch: Batch, experiment: Experiment) -> tuple[QStats, NDArray[np.float64] | None]:
        """One gradient step on windows; returns its statistics and, if prioritised, new priorities (to the power α),
        (B,).
        """
        learn = experiment.learn
        self._draw_noise()
        mask = self._tensor(batch.mask)
        estimate, bootstrap, auxiliary_loss = self.unroll(batch, mask, learn)
        loss_terms = self.objective.losses(
            estimate,
            self._tensor(batch.action),
            self._tensor(self.unit.learned(batch.returns)),
            self._tensor(batch.discount),
            bootstrap,
            learn,
        )
        weights = None if batch.weights is None else self._tensor(batch.weights)
        count = int(batch.mask.sum())
        sums, error = self._descend(loss_terms, mask, weights, count, learn, auxiliary_loss)
        priorities = None if weights is None else self._priorities(error, mask, learn)
        (row,), read = _read(sums.unsqueeze(0), priorities)
        return self._stats(row, count), read

    def update_one_steps(
        self, batch: OneStepBatch, updates: int, experiment: Experiment
    ) -> tuple[list[QStats], NDArray[np.float64] | None]:
        """`updates` gradient steps of an agent without memory, each on its share of the batch; returns as `update`
        does.

        Tensors, statistics and (with a hard target and plain bootstrap) target values are computed for all of them
        together, which costs little more than for one.
        """
        learn = experiment.learn
        now, later = (
            inputs_of(parts, prev_action, self.unit.learned(prev_reward), self.device)
            for parts, prev_action, prev_reward in (batch.now, batch.later)
        )
        if learn.augment_noise > 0 or learn.augment_shift > 0:
            augmentation = self._augmentation(len(batch.indices), learn)
            now, later = (augmentation.noised(augmentation.shifted(inputs)) for inputs in (now, later))
        action, discount = self._tensor(batch.action), self._tensor(batch.discount)
        returns = self._tensor(self.unit.learned(batch.returns))
        weights = None if batch.weights is None else self._tensor(batch.weights)
        legal = None if batch.later_legal is None else self._tensor(batch.later_legal)
        self._draw_noise()
        whole = None if learn.double or learn.target == "soft" else self._bootstrap(later, False, legal)
        size = len(batch.indices) // updates
        rows, error = [], returns
        for first in range(0, size * updates, size):
            share = slice(first, first + size)
            if first:
                self._draw_noise()
            if whole is not None:
                bootstrap = whole[share]
            else:
                allowed = None if legal is None else legal[share]
                bootstrap = self._bootstrap(_share(later, share), learn.double, allowed)
            estimate = self._estimate(_share(now, share), None)[0]
            loss_terms = self.objective.losses(
                estimate, action[share], returns[share], discount[share], bootstrap, learn
            )
            weight = None if weights is None else weights[share]
            sums, error = self._descend(loss_terms, None, weight, size, learn)
            rows.append(sums)
        priorities = None
        if weights is not None:
            priorities = self._priorities(error.unsqueeze(0), torch.ones_like(error), learn)
        stats, read = _read(torch.stack(rows), priorities)
        return [self._stats(row, size) for row in stats], read

    def _descend(
        self,
        loss_terms: tuple[Tensor, Tensor, Tensor],
        mask: Tensor | None,
        weights: Tensor | None,
        count: int,
        learn: LearnConfig,
        auxiliary_loss: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One gradient step on the losses of an objective and on a mean `auxiliary_loss`.

        Args:
            loss_terms: of `Objective.losses`: loss, predicted value and target value of each row.
            mask: rows whose loss counts; None: all.
            weights: importance weights of the windows; None: 1.
            count: number of rows whose loss counts.

        Returns the sums of loss, |TD error| and q with the gradient's norm, (4,), and of each row what priorities are
        computed from: its TD error, or its loss where the objective says so.
        """
        losses, predicted, target = loss_terms
        if mask is not None:
            losses = losses * mask
        priority_loss = losses.detach() if self.objective.by_loss else None
        if weights is not None:
            losses = losses * weights
        total = losses.sum()
        if auxiliary_loss is not None:
            total = auxiliary_loss * count if self._pretraining(learn) else total + auxiliary_loss * count
        self.updates += 1
        self.flat.clear_gradient()
        (total / count).backward()
        norm = self.flat.clip_gradient(learn.grad_clip)
        self.optimizer.step(number(learn.lr), learn.weight_decay)
        if learn.target == "soft":
            self.flat_target.values.data.lerp_(self.flat.values.data, learn.tau)
        self.flat_average.values.data.lerp_(self.flat.values.data, learn.average)
        predicted = predicted.detach()
        td_error = predicted - target
        if mask is not None:
            td_error, predicted = td_error * mask, predicted * mask
        sums = torch.stack([total.detach(), torch.linalg.vector_norm(td_error, 1), predicted.sum(), norm])
        return sums, td_error if priority_loss is None else priority_loss

    def _priorities(self, error: Tensor, mask: Tensor, learn: LearnConfig) -> Tensor:
        raw = window_priority(error, mask.view(error.shape), learn.priority_eta) + 1e-6
        return raw.pow(learn.priority_alpha)

    def _stats(self, sums: list[float], count: int) -> QStats:
        """Means over `count` learned steps, values in the environment's rewards."""
        loss, error, q, norm = sums
        unit = 1.0 if self.online.rescales else self.unit.shown
        return QStats(loss / count, error / count * unit, q / count * unit, norm)

    @property
    def unit(self) -> RewardUnit:
        """The unit in which the networks learn rewards."""
        return self.online.reward_unit

    def copy_to_target(self) -> None:
        """Copy the online network's parameters into the target network."""
        self.flat_target.values.data.copy_(self.flat.values.data)

    def _pretraining(self, learn: LearnConfig) -> bool:
        """Whether the learner still learns only to predict the next observation."""
        return self.auxiliary.predictor is not None and self.updates < learn.pretrain_updates

    def _augmentation(self, size: int, learn: LearnConfig) -> Augmentation:
        return Augmentation(self.parts, learn, size, self.random_streams.augmentation)

    def _draw_noise(self) -> None:
        """Draw noise for one update, separately for the online and the target network."""
        if self.noisy:
            self.online.draw_noise(self.random_streams.noise)
            self.target.draw_noise(self.random_streams.noise)

    def _estimate(self, inputs: Inputs, state: State | None) -> Tensor:
        """The online network's estimate (T, B, A, …), with gradient and dropout."""
        if not self.drops:
            return self.online.estimate(inputs, state)[0]
        with self.random_streams.dropout_enabled(self.online):
            return self.online.estimate(inputs, state)[0]

    def _bootstrap(self, later: Inputs, double: bool, legal: Tensor | None) -> Tensor:
        """Bootstrap values (B, …) of single steps, whose next inputs are `later`, with these `legal` actions (B, A)."""
        with torch.no_grad():
            online = self.online.estimate(later, None)[0][0] if double else None
            return self.objective.bootstrap(self.target.estimate(later, None)[0][0], online, legal)

    def unroll(self, batch: Batch, mask: Tensor, learn: LearnConfig) -> tuple[Tensor, Tensor, Tensor | None]:
        """Run both networks over the whole window from the same stored state; burn-in without gradient.

        Returns the online network's estimate (L, B, A, …), the bootstrap value of every row (L, B, …), and the
        auxiliary loss, None if there is none.
        """
        inputs = shown = self.network_inputs(batch.observation, batch.prev_action, batch.prev_reward)
        burn = None if batch.burn is None else self.network_inputs(*batch.burn)
        if learn.augment_noise > 0 or learn.augment_shift > 0:
            augmentation = self._augmentation(len(batch.indices), learn)
            burn = None if burn is None else augmentation.noised(augmentation.shifted(burn))
            shown = augmentation.shifted(inputs)
            inputs = augmentation.noised(shown)
        with torch.no_grad():
            target, _ = self.target.estimate(inputs, self._state(batch, burn, self.target))
            state = self._state(batch, burn, self.online)
        auxiliary_loss = None
        if self.auxiliary.active:
            with self.random_streams.dropout_enabled(self.online):
                estimate, auxiliary_loss = self.auxiliary.estimate(
                    inputs, shown, state, self._tensor(batch.action), mask, learn, self._pretraining(learn)
                )
        else:
            estimate = self._estimate(inputs, state)
        legal = None if batch.legal is None else self._tensor(batch.legal)
        bootstrap = self.objective.bootstrap(target, estimate.detach() if learn.double else None, legal)
        rows = self._tensor(batch.bootstrap_row)
        if bootstrap.ndim > rows.ndim:
            rows = rows.unsqueeze(-1).expand(*rows.shape, bootstrap.shape[-1])
        return estimate, bootstrap.gather(0, rows), auxiliary_loss

    def _state(self, batch: Batch, burn: Inputs | None, network: QNetwork) -> State | None:
        """The stored state of the windows, after the burn-in where there is one."""
        if batch.state is None:
            return None
        state: State = tuple(self._tensor(part) for part in batch.state)
        if burn is None or batch.burned is None:
            return state
        _, refreshed = network.estimate(burn, state)
        burned = self._tensor(batch.burned)
        return tuple(
            torch.where(burned.view(-1, *[1] * (old.ndim - 1)), new, old)
            for new, old in zip(refreshed, state, strict=True)
        )

    def network_inputs(
        self,
        observation: Mapping[str, NDArray[Any]],
        prev_action: NDArray[np.int64],
        prev_reward: NDArray[np.float64],
    ) -> Inputs:
        """The network's inputs on its device; `prev_reward` is raw, (L, B)."""
        return Inputs(
            {name: self._tensor(part) for name, part in observation.items()},
            self._tensor(prev_action),
            self._tensor(self.unit.learned(prev_reward)),
        )

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return to_device(array, self.device)

    # -- saving -----------------------------------------------------------------------------------

    @property
    def policy(self) -> QNetwork:
        """The network to evaluate, save and play: the running mean of the online network's weights over the updates.

        Recurrent value learning swings between good and bad weights; their mean swings far less (Polyak & Juditsky
        1992).
        """
        return self.average

    def weights(self) -> dict[str, Tensor]:
        """The policy's parameters by name; they share memory with it."""
        return {name: value.detach() for name, value in self.policy.state_dict().items()}

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        vectors = {"online": self.flat, "target": self.flat_target, "average": self.flat_average}
        kept = {name: vector.values.detach() for name, vector in vectors.items()}
        kept |= {f"adam.{name}": value for name, value in self.optimizer.arrays().items()}
        return kept | {"updates": torch.tensor(self.updates)} | self.auxiliary.arrays() | self.random_streams.arrays()

    @property
    def layout(self) -> ParameterLayout:
        """Name and shape of each parameter, in the order of the vectors that `arrays` gives."""
        return self.flat.layout

    def take_over(self, arrays: Mapping[str, Any], layout: ParameterLayout) -> list[str]:
        """Copy the parameters of the same name and shape from another learner's `arrays`; returns their names.

        The others stay as they were drawn, the same in all three networks; the optimizer starts anew.
        Raises KeyError or ValueError if arrays and layout do not belong together.
        """
        kept: list[str] = []
        for name, vector in {"online": self.flat, "target": self.flat_target, "average": self.flat_average}.items():
            kept = vector.take_over(torch.as_tensor(arrays.get(name, arrays["online"])), layout)
        if len(kept) == len(self.flat.layout):  # otherwise the new parameters need the pretraining again
            self.updates = _updates_of(arrays)
        return kept

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave."""
        with torch.no_grad():
            self.flat.values.copy_(torch.as_tensor(arrays["online"]))
            self.flat_target.values.copy_(torch.as_tensor(arrays["target"]))
            self.flat_average.values.copy_(torch.as_tensor(arrays["average"]))
        self.optimizer.restore(
            {name.removeprefix("adam."): value for name, value in arrays.items() if name.startswith("adam.")}
        )
        self.updates = _updates_of(arrays)
        self.auxiliary.restore(arrays)
        self.random_streams.restore(arrays)


def _share(inputs: Inputs, share: slice) -> Inputs:
    """Inputs (T, B, ...) of some of the B columns."""
    parts = {name: part[:, share] for name, part in inputs.observation.items()}
    return Inputs(parts, inputs.prev_action[:, share], inputs.prev_reward[:, share])


def _updates_of(arrays: Mapping[str, Any]) -> int:
    """Updates that a saved learner had made; states of earlier versions only have the optimizer's count."""
    return int(arrays.get("updates", arrays["adam.count"]))


def _read(sums: Tensor, priorities: Tensor | None) -> tuple[list[list[float]], NDArray[np.float64] | None]:
    """Statistics (U, 4) of U updates and priorities (B,), read together: each reading waits for the device."""
    if priorities is None:
        return sums.tolist(), None
    together = torch.cat((sums.flatten(), priorities)).cpu().double().numpy()
    return together[: sums.numel()].reshape(sums.shape).tolist(), together[sums.numel() :]
