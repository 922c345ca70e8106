"""The chance in a learner's updates: noise, dropout and augmentation, each with a generator of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Generator, Tensor

from dqngui.nets.network import QNetwork

_NAMES = ("noise", "dropout", "augmentation")


class Chance:
    """Generators on the device that computes, seeded from the one that drew the parameters.

    Attributes:
        noise, dropout, augmentation: what each of them draws from.
    """

    def __init__(self, generator: Generator, device: torch.device) -> None:
        seeds = torch.randint(2**62, (len(_NAMES),), generator=generator).tolist()
        self.noise, self.dropout, self.augmentation = (Generator(device).manual_seed(seed) for seed in seeds)

    @contextmanager
    def dropping(self, network: QNetwork) -> Iterator[None]:
        """Let the network's dropouts drop."""
        dropouts = network.dropouts()
        for each in dropouts:
            each.generator = self.dropout
        try:
            yield
        finally:
            for each in dropouts:
                each.generator = None

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name."""
        return {f"chance.{name}": getattr(self, name).get_state() for name in _NAMES}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Go on where `arrays` was given; older states have none, and those of another kind of device do not fit."""
        for name in _NAMES:
            generator: Generator = getattr(self, name)
            state = arrays.get(f"chance.{name}")
            if state is not None and len(state) == len(generator.get_state()):
                generator.set_state(torch.as_tensor(state))
