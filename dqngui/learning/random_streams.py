"""Random streams of a learner's updates: one random generator each for noise, dropout and augmentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Generator, Tensor

from dqngui.nets.network import QNetwork

_STREAMS = ("noise", "dropout", "augmentation")


class RandomStreams:
    """One generator each for noise, dropout and augmentation, on the device that computes.

    They are seeded from the generator that drew the network's parameters.
    """

    def __init__(self, generator: Generator, device: torch.device) -> None:
        seeds = torch.randint(2**62, (len(_STREAMS),), generator=generator).tolist()
        self.noise, self.dropout, self.augmentation = (Generator(device).manual_seed(seed) for seed in seeds)

    @contextmanager
    def dropout_enabled(self, network: QNetwork) -> Iterator[None]:
        """While this context lasts, the network's dropout layers drop."""
        dropouts = network.dropouts()
        for each in dropouts:
            each.generator = self.dropout
        try:
            yield
        finally:
            for each in dropouts:
                each.generator = None

    def arrays(self) -> dict[str, Tensor]:
        """Everything that `restore` needs, by name (`chance.` is the older name of these streams)."""
        return {f"chance.{name}": getattr(self, name).get_state() for name in _STREAMS}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Continue from what `arrays` gave.

        States of earlier versions have no such arrays, and those of another kind of device do not fit: they are
        ignored.
        """
        for name in _STREAMS:
            generator: Generator = getattr(self, name)
            state = arrays.get(f"chance.{name}")
            if state is not None and len(state) == len(generator.get_state()):
                generator.set_state(torch.as_tensor(state))
