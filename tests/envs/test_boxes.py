"""What an observed Box is, by its type, shape and bounds: a picture, rows, a grid or a vector, and its unit."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import EnvConfig
from dqngui.envs.make import make_vector
from dqngui.envs.spaces import ObservationLayout, ObservationPart, SpaceContext

INF = np.inf
FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint16, np.uint32]


def box(low: Any, high: Any, shape: tuple[int, ...], dtype: Any = np.float32) -> spaces.Box:
    return spaces.Box(low, high, shape, dtype)


def read(space: spaces.Box, **known: Any) -> ObservationPart:
    return ObservationLayout(space, context=SpaceContext(**known)).parts[0]


def summary(part: ObservationPart) -> tuple[str, str, float, bool]:
    return part.kind, part.axes, part.scale, part.has_units


# -- vectors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (6,), (128,), (1, 5), (2, 2, 2, 2, 2)])
@pytest.mark.parametrize("bounds", [(-INF, INF), (0, INF), (-INF, 0), (-1, 1), (0, 255), (-1e9, 1e9)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_of_one_axis_are_a_vector_in_its_own_unit(dtype: Any, bounds: Any, shape: tuple[int, ...]) -> None:
    if np.dtype(dtype) == np.float16 and max(bounds) == 1e9:
        pytest.skip("a float16 holds no such bound")
    part = read(box(*bounds, shape, dtype))
    assert (summary(part), part.dtype) == (("vector", "", 1.0, True), "float32")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_numbers_of_one_axis_are_a_vector_in_its_own_unit(dtype: Any) -> None:
    info = np.iinfo(dtype)
    part = read(box(info.min, info.max, (6,), dtype))
    assert (summary(part), part.dtype) == (("vector", "", 1.0, True), "float32")


@pytest.mark.parametrize("shape", [(1,), (6,), (128,), (4, 128), (3, 2, 2, 2, 2), (20, 4, 4, 4)])
@pytest.mark.parametrize("high", [2, 10, 255])
def test_bytes_that_are_no_picture_are_stored_as_bytes_and_have_a_unit(high: int, shape: tuple[int, ...]) -> None:
    part = read(box(0, high, shape, np.uint8))
    assert (part.kind, part.dtype, part.has_units) == ("vector", "uint8", True)
    assert part.scale == pytest.approx(1 / high), "of a network that does not standardise"


def test_a_few_bytes_of_two_axes_are_a_vector() -> None:
    assert summary(read(box(0, 255, (2, 2), np.uint8))) == ("vector", "", 1 / 255, True)


@pytest.mark.parametrize(
    "space", [box(0, 1, (6,), np.uint8), box(0, 1, (6,), bool), box(0, 1, (2, 3), bool), spaces.MultiBinary(6)]
)
def test_bits_have_no_unit(space: Any) -> None:
    part = read(space)
    assert (summary(part), part.dtype) == (("vector", "", 1.0, False), "uint8")


# -- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("bounds", "shape"),
    [
        ((-INF, INF), (5, 3)),
        ((-INF, INF), (20, 6)),
        ((-INF, INF), (60, 40)),
        ((-INF, INF), (84, 84)),
        ((0, INF), (60, 40)),
        ((-1, 1), (40, 40)),
        ((0, 1), (20, 40)),
        ((-65504.0, 65504.0), (60, 40)),
    ],
)
def test_a_table_of_floats_is_rows_however_large_it_is(bounds: Any, shape: tuple[int, ...], dtype: Any) -> None:
    part = read(box(*bounds, shape, dtype))
    assert (summary(part), part.dtype, part.raw_shape) == (("rows", "", 1.0, True), "float32", shape)


@pytest.mark.parametrize("bounds", [(-1e9, 1e9), (0, 1e9), (-3.4e38, 3.4e38), (-1.7e308, 1.7e308)])
def test_huge_bounds_say_no_more_than_none(bounds: tuple[float, float]) -> None:
    assert read(box(*bounds, (60, 40), np.float64)).kind == "rows"
    assert read(box(*bounds, (6, 20, 3), np.float64)).kind == "vector"


def test_bounds_that_differ_are_those_of_a_table() -> None:
    low = np.zeros((40, 40), np.float32)
    high = np.linspace(1, 2, 1600, dtype=np.float32).reshape(40, 40)
    assert read(spaces.Box(low, high)).kind == "rows"


@pytest.mark.parametrize("bounds", [(-INF, INF), (0, INF), (-INF, 5)])
@pytest.mark.parametrize("shape", [(6, 20, 3), (60, 40, 3), (3, 60, 40), (40, 40, 8), (4, 40, 40, 8)])
def test_a_window_of_three_axes_without_bounds_is_no_picture(shape: tuple[int, ...], bounds: Any) -> None:
    assert summary(read(box(*bounds, shape))) == ("vector", "", 1.0, True)


# -- pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((84, 84), "hw"),
        ((10, 9), "hw"),
        ((210, 160, 3), "hwc"),
        ((4, 84, 84), "chw"),
        ((4, 4, 1), "hwc"),
        ((4, 84, 84, 3), "nhwc"),
        ((4, 3, 64, 84), "nchw"),
    ],
)
def test_bytes_are_a_picture_by_their_shape(shape: tuple[int, ...], axes: str) -> None:
    part = read(box(0, 255, shape, np.uint8))
    assert (summary(part), part.dtype) == (("image", axes, 1 / 255, False), "uint8")


@pytest.mark.parametrize(("shape", "axes"), [((10, 10, 4), "hwc"), ((10, 10, 6), "hwc"), ((7, 8), "hw")])
def test_bits_are_a_picture_by_their_shape(shape: tuple[int, ...], axes: str) -> None:
    assert summary(read(box(0, 1, shape, bool))) == ("image", axes, 1.0, False)


@pytest.mark.parametrize("dtype", [*FLOATS, np.int16, np.int64])
@pytest.mark.parametrize(
    ("shape", "axes"), [((8, 9, 3), "hwc"), ((3, 64, 64), "chw"), ((64, 64), "hw"), ((4, 64, 64, 3), "nhwc")]
)
@pytest.mark.parametrize(
    ("bounds", "scale", "measured"),
    [((0, 255), 1 / 255, False), ((0, 1), 1.0, False), ((0, 10_000), 1.0, True), ((5, 300), 1.0, True)],
)
def test_other_numbers_are_a_picture_by_their_bounds(
    bounds: Any, scale: float, measured: bool, shape: tuple[int, ...], axes: str, dtype: Any
) -> None:
    part = read(box(*bounds, shape, dtype))
    assert (summary(part), part.dtype) == (("image", axes, scale, measured), "float32")
    channels = 3 if "c" in axes else 1
    assert part.measured_numbers == channels, "one mean and deviation per channel"


def test_with_channels_bounds_may_be_below_zero() -> None:
    assert summary(read(box(-1, 1, (7, 11, 11)))) == ("image", "chw", 1.0, False)
    assert summary(read(box(-40, 40, (7, 11, 11)))) == ("image", "chw", 1.0, True)


@pytest.mark.parametrize(("shape", "axes"), [((84, 84, 3), "hwc"), ((4, 84, 84), "chw"), ((40, 40, 1), "hwc")])
def test_large_squares_of_few_channels_are_pictures_without_bounds(shape: tuple[int, ...], axes: str) -> None:
    """As frames of which a wrapper took the mean away."""
    assert summary(read(box(-INF, INF, shape))) == ("image", axes, 1.0, True)


# -- grids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, *INTEGERS])
def test_small_maps_of_few_whole_numbers_are_grids(dtype: Any) -> None:
    part = read(box(0, 4, (8, 8), dtype))
    assert (part.kind, part.sizes, part.has_units) == ("grid", (5,), False)
    assert read(box(0, 4, (3, 8, 8), dtype)).sizes == (5, 5, 5)


def test_minigrids_bytes_are_its_categories_also_when_frames_are_stacked() -> None:
    one, four = (read(box(0, 255, shape, np.uint8), minigrid=True) for shape in ((7, 7, 3), (4, 7, 7, 3)))
    assert (one.kind, one.sizes) == ("grid", (11, 6, 4))
    assert (four.kind, four.sizes, four.map_shape) == ("grid", (11, 6, 4) * 4, (12, 7, 7))


# -- as earlier versions read them ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("space", "before"),
    [
        (box(0, 255, (6,), np.uint8), ("vector", "", 1 / 255, False)),
        (box(0, 255, (2, 2), np.uint8), ("vector", "", 1 / 255, False)),
        (box(-INF, INF, (60, 40)), ("image", "hw", 1.0, False)),
        (box(-1, 1, (40, 40)), ("image", "hw", 1.0, False)),
        (box(-INF, INF, (6, 20, 3)), ("image", "hwc", 1.0, False)),
        (box(0, 10_000, (32, 32, 1)), ("image", "hwc", 1.0, False)),
        (box(0, 255, (64, 64, 3), np.int32), ("vector", "", 1.0, True)),
        (box(0, 255, (4, 84, 84, 3), np.uint8), ("vector", "", 1 / 255, False)),
    ],
)
def test_a_run_of_an_earlier_version_reads_boxes_as_it_did(space: spaces.Box, before: Any) -> None:
    assert summary(read(space, boxes="size")) == before
    assert summary(read(space)) != before


@pytest.mark.parametrize(
    "space",
    [
        box(-INF, INF, (4,)),
        box(0, 255, (84, 84, 3), np.uint8),
        box(0, 1, (10, 10, 4), bool),
        box(-INF, INF, (5, 5)),
        box(-1, 1, (3, 20, 20)),
        box(0, 255, (64, 64, 1)),
        box(0, 4, (8, 8), np.int64),
    ],
)
def test_what_was_read_well_is_read_as_before(space: spaces.Box) -> None:
    assert read(space) == read(space, boxes="size")


def test_the_setting_says_how_boxes_are_read() -> None:
    for boxes, kind in (("bounds", "rows"), ("size", "image")):
        kwargs = {"observation_space": box(-INF, INF, (60, 40))}
        config = EnvConfig(id="tests/Sampled-v0", kwargs=kwargs, boxes=boxes)  # type: ignore[arg-type]
        envs = make_vector(config, 1)
        assert envs.spaces.parts[0].kind == kind
        assert envs.reset([0])["observation"].shape == (1, 2400)
        envs.close()


def test_frames_that_another_wrapper_stacks_are_a_picture() -> None:
    class Film(gymnasium.Env[Any, Any]):
        observation_space, action_space = box(0, 255, (20, 21, 3), np.uint8), spaces.Discrete(2)

    stacked = gymnasium.wrappers.FrameStackObservation(Film(), 4)
    part = ObservationLayout.of(stacked, EnvConfig()).parts[0]
    assert (part.kind, part.map_shape) == ("image", (12, 20, 21))
