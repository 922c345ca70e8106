"""Augmentation: the size of noise and shifts, the same shift for a whole window, and only on the right parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dqngui.config import LearnConfig
from dqngui.envs.spaces import ObservationPart
from dqngui.learning.augmentation import Augmentation, shift_index
from dqngui.nets.trunk import Inputs

VECTOR = ObservationPart("sensors", "vector", (3,), "float32", raw_shape=(3,))
BITS = ObservationPart("bits", "vector", (2,), "uint8", raw_shape=(2,))
PLACE = ObservationPart("place", "discrete", (1,), "int32", sizes=(5,))
PICTURE = ObservationPart("picture", "image", (6 * 5 * 3,), "uint8", scale=1 / 255, raw_shape=(6, 5, 3), axes="hwc")
PARTS = (VECTOR, BITS, PLACE, PICTURE)
T, B = 4, 50


def inputs() -> Inputs:
    g = torch.Generator().manual_seed(0)
    observation = {
        "sensors": torch.randn(T, B, 3, generator=g) * torch.tensor([0.01, 1.0, 100.0]),
        "bits": torch.randint(0, 2, (T, B, 2), generator=g, dtype=torch.uint8),
        "place": torch.randint(0, 5, (T, B, 1), generator=g).int(),
        "picture": torch.randint(0, 256, (T, B, 90), generator=g, dtype=torch.uint8),
    }
    return Inputs(observation, torch.zeros(T, B, dtype=torch.long), torch.zeros(T, B))


def of(seed: int = 1, **learn: float) -> Augmentation:
    return Augmentation(PARTS, LearnConfig(**learn), B, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("axes", "raw_shape"), [("hw", (6, 5)), ("hwc", (6, 5, 3)), ("chw", (3, 6, 5)), ("nhwc", (2, 6, 5, 3))]
)
def test_a_shift_moves_rows_and_columns_and_repeats_the_border(axes: str, raw_shape: tuple[int, ...]) -> None:
    size = int(np.prod(raw_shape))
    part = ObservationPart("picture", "image", (size,), "uint8", raw_shape=raw_shape, axes=axes)
    picture = np.random.default_rng(0).integers(0, 256, raw_shape).astype(np.uint8)
    shifts = [(0, 0), (2, -1), (-3, 4), (1, 0)]
    index = shift_index(part, torch.tensor(shifts))
    for (down, right), source in zip(shifts, index, strict=True):
        padding = [(4, 4) if axis in "hw" else (0, 0) for axis in axes]
        padded = np.pad(picture, padding, mode="edge")
        begin = {"h": 4 + down, "w": 4 + right}
        window = tuple(
            slice(begin[axis], begin[axis] + count) if axis in "hw" else slice(None)
            for axis, count in zip(axes, raw_shape, strict=True)
        )
        assert np.array_equal(picture.ravel()[source.numpy()].reshape(raw_shape), padded[window])


def test_a_sample_is_shifted_alike_at_all_its_steps_and_samples_differ() -> None:
    whole, change = inputs(), of(augment_shift=2)
    moved = change.shifted(whole)
    assert moved.observation["picture"].dtype == torch.uint8
    assert change.shift.abs().max() == 2 and len(change.shift.unique(dim=0)) > 10
    pictures = whole.observation["picture"].view(T, B, 6, 5, 3)
    for b in (0, 1, 7):
        down, right = change.shift[b].tolist()
        rows, columns = ((torch.arange(n) + by).clamp(0, n - 1) for n, by in ((6, down), (5, right)))
        expected = pictures[:, b][:, rows][:, :, columns]
        assert torch.equal(moved.observation["picture"][:, b].view(T, 6, 5, 3), expected)
    assert all(moved.observation[name] is whole.observation[name] for name in ("sensors", "bits", "place"))


def test_noise_is_a_share_of_each_numbers_spread() -> None:
    whole, change = inputs(), of(augment_noise=0.2)
    noisy = change.noised(whole).observation
    for name in ("sensors", "bits"):
        x = whole.observation[name].double()
        share = (noisy[name].double() - x).flatten(0, 1).std(0) / x.flatten(0, 1).std(0)
        assert share.tolist() == pytest.approx([0.2] * x.shape[-1], rel=0.2)
    assert all(noisy[name] is whole.observation[name] for name in ("place", "picture"))


def test_augmentation_that_is_off_changes_nothing_and_equal_generators_change_alike() -> None:
    whole = inputs()
    assert of().noised(of().shifted(whole)) is whole
    a, b = (of(augment_noise=0.1, augment_shift=3) for _ in range(2))
    for name, part in a.noised(a.shifted(whole)).observation.items():
        assert torch.equal(part, b.noised(b.shifted(whole)).observation[name])
        break
