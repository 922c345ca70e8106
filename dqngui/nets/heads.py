"""Heads: they map the memory's output, and the attention's vector per action if there is one, to action values.

A head maps h (…, D) and z (…, A, D) or None to an estimate: q (…, A) itself, or N numbers per action (…, A, N), which
its `reading` interprets as a distribution of returns. With z, each action's estimate comes from [h, z_a] by shared
weights.
Returns are in the unit of `nets.scaling.RewardUnit`, and rescaled if the experiment says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from dqngui.config import ConfigError, NetConfig
from dqngui.nets.noise import NoisyLinear

Layer = Callable[[int, int], nn.Linear]


@dataclass(frozen=True, slots=True)
class Mean:
    """The estimate is the expected return."""

    atoms = 0

    def values(self, estimate: Tensor) -> Tensor:
        """Action values q (…, A)."""
        return estimate


@dataclass(frozen=True, slots=True)
class Categorical:
    """The estimate is logits of N returns evenly spaced from `low` to `high` (C51).

    Bellemare et al. 2017, arXiv:1707.06887.
    """

    atoms: int
    low: float
    high: float

    @property
    def gap(self) -> float:
        """Distance of neighbouring returns."""
        return (self.high - self.low) / (self.atoms - 1)

    def support(self, like: Tensor) -> Tensor:
        """The returns (N,)."""
        return torch.linspace(self.low, self.high, self.atoms, dtype=like.dtype, device=like.device)

    def values(self, estimate: Tensor) -> Tensor:
        """Action values q (…, A) of logits (…, A, N)."""
        return estimate.softmax(-1) @ self.support(estimate)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The estimate is N quantiles of the return, at (i + ½)/N (QR-DQN).

    Dabney et al. 2018, arXiv:1710.10044.
    """

    atoms: int

    def midpoints(self, like: Tensor) -> Tensor:
        """Cumulative probabilities τ̂_i (N,) at which the quantiles lie (lemma 2 of the paper)."""
        return (torch.arange(self.atoms, dtype=like.dtype, device=like.device) + 0.5) / self.atoms

    def values(self, estimate: Tensor) -> Tensor:
        """Action values q (…, A) of quantiles (…, A, N)."""
        return estimate.mean(-1)


Reading = Mean | Categorical | Quantiles
MEAN = Mean()


class Head(nn.Module):
    """Base of all heads; `reading` says what the estimate means."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading = reading
        self.values = reading.values

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        raise NotImplementedError

    def divide(self, factor: float) -> None:
        """Divide every estimate by a factor: the head's layers are linear, and so are its estimates in them."""
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.div_(factor)


class LinearHead(Head):
    """One linear layer: (…, D) -> (…, A) or (…, A, N)."""

    def __init__(
        self, width: int, actions: int, per_action: bool, reading: Reading = MEAN, layer: Layer = nn.Linear
    ) -> None:
        super().__init__(reading)
        self.q = _estimate_layer(width, actions, per_action, reading.atoms, layer)

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        return _estimates(self.q, h, z, self.reading.atoms)


class DuelingHead(Head):
    """V + A − mean A over the actions (Wang et al. 2016, arXiv:1511.06581): (…, D) -> (…, A) or (…, A, N).

    A distribution is split atom by atom, as in Rainbow (Hessel et al. 2018, arXiv:1710.02298).
    """

    def __init__(
        self,
        width: int,
        actions: int,
        per_action: bool,
        reading: Reading = MEAN,
        layer: Layer = nn.Linear,
        sizes: tuple[int, ...] = (),
    ) -> None:
        super().__init__(reading)
        self.sizes = sizes
        self.value = layer(width, max(1, reading.atoms))
        self.advantage = _estimate_layer(width, actions, per_action, reading.atoms, layer)

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        advantage = _estimates(self.advantage, h, z, self.reading.atoms)
        value: Tensor = self.value(h)
        if self.sizes:
            return self._around_each_choice(value, advantage)
        if self.reading.atoms:
            return value.unsqueeze(-2) + advantage - advantage.mean(-2, keepdim=True)
        return value + advantage - advantage.mean(-1, keepdim=True)

    def _around_each_choice(self, value: Tensor, advantage: Tensor) -> Tensor:
        """The same with the mean over the options of each choice."""
        axis = -2 if self.reading.atoms else -1
        value = value.unsqueeze(-2) if self.reading.atoms else value
        parts = advantage.split(self.sizes, axis)
        return torch.cat([value + part - part.mean(axis, keepdim=True) for part in parts], axis)


def _estimate_layer(width: int, actions: int, per_action: bool, atoms: int, layer: Layer) -> nn.Linear:
    """The layer that gives the estimates of all actions from h, or of one action from [h, z_a]."""
    numbers = max(1, atoms)
    return layer(2 * width, numbers) if per_action else layer(width, actions * numbers)


def _estimates(layer: nn.Module, h: Tensor, z: Tensor | None, atoms: int) -> Tensor:
    """The estimate: one number per action, or `atoms` of them, from h, or for each action from [h, z_a]."""
    if z is None:
        numbers: Tensor = layer(h)
        return numbers.unflatten(-1, (-1, atoms)) if atoms else numbers
    pairs = torch.cat([h.unsqueeze(-2).expand(*z.shape[:-1], h.shape[-1]), z], dim=-1)
    each: Tensor = layer(pairs)
    return each if atoms else each.squeeze(-1)


def make_head(net: NetConfig, actions: int, *, per_action: bool, sizes: tuple[int, ...] = ()) -> Head:
    """The head of an experiment's network.

    Args:
        actions: actions that have a value; of several choices, their options.
        sizes: the options of each of several choices.

    Raises ConfigError for probabilities of the returns of several choices, whose mean is no such probability.
    """
    if sizes and net.values == "categorical":
        raise ConfigError("setting.decoupled_categorical", dimensions=len(sizes))
    reading: Reading = MEAN
    if net.values == "categorical":
        reading = Categorical(net.atoms, net.v_min, net.v_max)
    elif net.values == "quantile":
        reading = Quantiles(net.atoms)
    layer: Layer = partial(NoisyLinear, deviation=net.noise) if net.noisy else nn.Linear
    if net.head == "dueling":
        return DuelingHead(net.width, actions, per_action, reading, layer, sizes)
    return LinearHead(net.width, actions, per_action, reading, layer)
