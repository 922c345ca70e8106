"""Pictures of any kind of the field as RGB bytes, in the window and in films."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from dqngui.envs.rendering import as_picture, fitted
from dqngui.jobs.film import Film

COLOUR = (200, 100, 50)
RGB = np.full((6, 8, 3), COLOUR, np.uint8)


@pytest.mark.parametrize(
    ("drawn", "colour"),
    [
        (RGB, COLOUR),
        (np.full((6, 8, 4), (*COLOUR, 255), np.uint8), COLOUR),
        (np.moveaxis(RGB, 2, 0), COLOUR),
        (RGB.astype(np.int64), COLOUR),
        (RGB.astype(np.float32), COLOUR),
        (RGB / 255, COLOUR),
        (RGB.tolist(), COLOUR),
        ([RGB * 0, RGB], COLOUR),
        (np.full((6, 8), 100, np.uint8), (100, 100, 100)),
        (np.full((6, 8, 1), 100, np.uint8), (100, 100, 100)),
        (np.full((6, 8, 2), (100, 255), np.uint8), (100, 100, 100)),
        (np.full((6, 8), 0.5), (128, 128, 128)),
        (np.ones((6, 8), bool), (255, 255, 255)),
        (np.full((6, 8, 3), -5), (0, 0, 0)),
        (np.full((6, 8, 3), 300), (255, 255, 255)),
        (np.where(RGB > 99, RGB, np.nan), (200, 100, 0)),
        (RGB[::-1, ::-1], COLOUR),
    ],
)
def test_a_picture_of_any_kind_becomes_rgb_bytes(drawn: Any, colour: tuple[int, ...]) -> None:
    picture = as_picture(drawn)
    assert picture.dtype == np.uint8 and picture.shape == (6, 8, 3) and picture.flags.c_contiguous
    assert np.abs(picture.astype(int) - colour).max() <= 1


@pytest.mark.parametrize(
    "drawn", [None, "text", b"", [], [None], np.zeros((0, 3, 3)), np.zeros(3), object(), 7, [[1], [1, 2]]]
)
def test_what_is_no_picture_is_none(drawn: Any) -> None:
    assert as_picture(drawn).shape == (0, 0, 3)


@pytest.mark.parametrize("shape", [(6, 8), (12, 8), (3, 40), (1, 1), (100, 90)])
def test_a_picture_is_fitted_with_its_proportions(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    picture[:, shape[1] // 2 :] = COLOUR
    whole = fitted(picture, 20, 30)
    assert whole.shape == (20, 30, 3)
    if shape[1] > 1:
        inner = (whole == COLOUR).all(-1)
        height, width = inner.any(1).sum(), 2 * inner.any(0).sum()
        assert max(height / 20, width / 30) > 0.9
        assert height / width == pytest.approx(shape[0] / shape[1], rel=0.35)


@pytest.mark.parametrize(
    "sizes",
    [
        [(40, 40)] * 4,
        [(41, 43)] * 4,
        [(40, 40), (44, 60), (200, 20), (10, 10)],
        [(1, 1)] * 4,
        [(9, 4000)] + [(8, 8)] * 3,
    ],
)
def test_a_film_has_each_picture_once_and_whole(tmp_path: Path, sizes: list[tuple[int, int]]) -> None:
    path = tmp_path / "film.mp4"
    with Film(path, 10.0) as film:
        for size in sizes:
            film.add(np.full((*size, 3), COLOUR, np.uint8))
    frames = imageio_ffmpeg.read_frames(str(path))
    width, height = next(frames)["size"]
    pictures = [np.frombuffer(each, np.uint8).reshape(height, width, 3) for each in frames]
    assert len(pictures) == 4
    assert np.abs(np.array(pictures).astype(int) - COLOUR).max() < 12


def test_a_film_that_fails_leaves_nothing_and_the_former_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    for fails in (True, False, True):
        before = path.read_bytes() if path.exists() else None
        with suppress(ZeroDivisionError), Film(path, 10.0) as film:
            film.add(np.zeros((16, 16, 3), np.uint8))
            assert not fails or 1 / 0
        assert list(tmp_path.iterdir()) == ([path] if before or not fails else [])
        assert not fails or before is None or path.read_bytes() == before


def test_a_picture_without_a_finite_number_is_none() -> None:
    assert not as_picture(np.full((8, 8, 3), np.nan)).size
