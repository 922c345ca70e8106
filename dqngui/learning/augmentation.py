"""Data augmentation: random noise on numbers and random shifts of pictures, before an update learns from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Generator, Tensor

from dqngui.config import LearnConfig
from dqngui.envs.spaces import ObservationPart
from dqngui.nets.trunk import Inputs


class Augmentation:
    """The augmentation of the B samples of one update. All pictures of a sample get the same shift; noise is
    independent.

    Shifts: Yarats et al. 2021 (DrQ), arXiv:2004.13649, up to `learn.augment_shift` pixels either way, the border
    repeated. Noise: Gaussian, `learn.augment_noise` of each number's standard deviation in the batch.
    """

    def __init__(self, parts: Sequence[ObservationPart], learn: LearnConfig, batch: int, generator: Generator) -> None:
        self.noise, self.generator = learn.augment_noise, generator
        self.vectors = [part for part in parts if part.kind == "vector"] if learn.augment_noise > 0 else []
        self.pictures = [part for part in parts if part.kind == "image"] if learn.augment_shift > 0 else []
        if self.pictures:
            k = learn.augment_shift
            self.shift = torch.randint(-k, k + 1, (batch, 2), generator=generator, device=generator.device)

    def shifted(self, inputs: Inputs) -> Inputs:
        """Inputs (T, B, …) with their pictures shifted."""
        moved = {}
        for part in self.pictures:
            stored = inputs.observation[part.name]
            source = shift_index(part, self.shift.to(stored.device))
            moved[part.name] = stored.gather(-1, source.expand_as(stored))
        return _with(inputs, moved)

    def noised(self, inputs: Inputs) -> Inputs:
        """Inputs (T, B, …) with noise on their vectors, which become floats."""
        noisy = {}
        for part in self.vectors:
            stored = inputs.observation[part.name]
            x = stored if stored.is_floating_point() else stored.to(torch.get_default_dtype())
            spread = x.flatten(0, 1).std(0, correction=0)  # (F,)
            drawn = torch.randn(x.shape, generator=self.generator, dtype=x.dtype, device=self.generator.device)
            noisy[part.name] = torch.addcmul(x, drawn.to(x.device), spread, value=self.noise)
        return _with(inputs, noisy)


def shift_index(part: ObservationPart, shift: Tensor) -> Tensor:
    """Index from which each number of B flattened pictures is read: shifts (B, 2) in rows and columns -> (B, F)."""
    index = torch.zeros(len(shift), *(1 for _ in part.raw_shape), dtype=torch.long, device=shift.device)
    for axis, (meaning, size) in enumerate(zip(part.axes, part.raw_shape, strict=True)):
        place = torch.arange(size, device=shift.device).expand(len(shift), size)
        if meaning in "hw":
            place = (place + shift[:, "hw".index(meaning), None]).clamp(0, size - 1)
        stride = math.prod(part.raw_shape[axis + 1 :])
        index = index + stride * place.view(-1, *(size if other == axis else 1 for other in range(len(part.raw_shape))))
    return index.flatten(1)


def _with(inputs: Inputs, changed: Mapping[str, Tensor]) -> Inputs:
    return Inputs({**inputs.observation, **changed}, inputs.prev_action, inputs.prev_reward) if changed else inputs
