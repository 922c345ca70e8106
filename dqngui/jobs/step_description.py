"""The description of a step: the observed numbers and texts, and an observed picture or grid as the agent sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.envs.drawing import BACKGROUND, hue
from dqngui.envs.parts import MINIGRID_SIZES
from dqngui.envs.places import places_of
from dqngui.envs.rendering import as_picture
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.envs.step_notes import notes_of
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.frames import Size, shrunk_to

TILE = 16
"""Pixels per cell, where an environment itself draws its agent's view."""


def observed_map(spaces: Spaces) -> ObservationPart | None:
    """The first picture or grid of categories that is observed."""
    return next((part for part in spaces.parts if part.kind in ("image", "grid")), None)


def is_transposed(envs: Envs, part: ObservationPart) -> bool:
    """Whether the observed grid is transposed: its first axis is x, as in minigrid's maps."""
    return part.kind == "grid" and part.sizes[:3] == MINIGRID_SIZES and _draws_its_view(envs)


def with_cells_transposed(tokens: tuple[str, ...], cells: tuple[int, int, int]) -> tuple[str, ...]:
    """Token names in which those of a transposed grid's cells are given by the row and column that are shown.

    `cell 1,5` becomes `cell 5,1`.

    Args:
        cells: index of the first cell token, and the number of cells in the two directions.
    """
    first, rows, columns = cells
    names = [*tokens]
    for index in range(first, first + rows * columns):
        what, _, place = names[index].rpartition(" ")
        names[index] = f"{what} {','.join(reversed(place.split(',')))}"
    return tuple(names)


def describe(envs: Envs, agent: LoadedAgent, size: Size) -> dict[str, Any]:
    """What the first environment shows now, as the tensors of `messages.Described`.

    `observation` (F,), `text/NAME` and `note/NAME` as UTF-8, `picture` (H, W, 3) uint8, and `places` (N, 2) float32 if
    the environment says where it draws the entities that the agent sees as tokens.
    """
    parts = envs.parts
    description: dict[str, Any] = {}
    if agent.features:
        description["observation"] = agent.numbers([parts])[0]
    for name, text in envs.texts().items():
        description[f"text/{name}"] = np.frombuffer(text.encode(), np.uint8)
    for name, text in notes_of(envs.envs[0]).items():
        description[f"note/{name}"] = np.frombuffer(text.encode(), np.uint8)
    part = observed_map(agent.spaces)
    if part is not None:
        description["picture"] = shrunk_to(np.ascontiguousarray(_picture(envs, part, parts[part.name][0])), size)
    entities = agent.network.encoder.entities
    places = None if entities is None else places_of(envs.envs[0], entities[1])
    if places is not None:
        description["places"] = places
    return description


def _picture(envs: Envs, part: ObservationPart, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if is_transposed(envs, part):
        drawn = _drawn_by_environment(envs, values.reshape(part.raw_shape))
        return drawn if drawn is not None else _grid_picture(part, values).transpose(1, 0, 2)
    return _grid_picture(part, values) if part.kind == "grid" else _image_picture(part, values)


def _draws_its_view(envs: Envs) -> bool:
    return hasattr(envs.envs[0].unwrapped, "get_pov_render")


def _drawn_by_environment(envs: Envs, observed: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
    """Minigrid's own drawing of its agent's view; None if something else is observed."""
    grid: Any = envs.envs[0].unwrapped
    try:
        before = grid.gen_obs()["image"]
        if before.shape != observed.shape or not np.array_equal(before, observed):
            return None
        drawn = as_picture(grid.get_pov_render(tile_size=TILE))
    except Exception:  # an environment of somebody else that has a method of this name
        return None
    return drawn if drawn.size else None


def _planes(part: ObservationPart, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The newest frame of a picture or grid, (channels, rows, columns)."""
    shaped = values.reshape(part.raw_shape)
    order = [part.axes.index(axis) for axis in "nchw" if axis in part.axes]
    shaped = shaped.transpose(order)
    if "n" in part.axes:
        shaped = shaped[-1]
    return shaped if "c" in part.axes else shaped[None]


def _grid_picture(part: ObservationPart, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """A grid as a picture: each cell in the colour of its first category, mixed with those of the others; zeros are
    dark.
    """
    planes = _planes(part, values).astype(np.int64)
    count = len(planes)
    picture = np.zeros((*planes.shape[1:], 3))
    for channel, plane in enumerate(planes):
        size = part.sizes[channel]
        colours = np.array([BACKGROUND, *(hue(index, size - 1) for index in range(size - 1))], float)
        weight = 1.0 if count == 1 else 0.6 if channel == 0 else 0.4 / (count - 1)
        picture += weight * colours[plane.clip(0, size - 1)]
    return picture.astype(np.uint8)


def _image_picture(part: ObservationPart, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """An image as a picture: three channels as they are, other numbers of channels as grey by their mean. Where no
    bound tells what is bright, the largest number of this step is white and the smallest is black.
    """
    planes = _planes(part, values) * part.scale
    if part.quantities:
        planes = planes - planes.min()
        planes = planes / (planes.max() or 1.0)
    if len(planes) != 3:
        planes = np.repeat(planes.mean(axis=0, keepdims=True), 3, axis=0)
    bright: npt.NDArray[np.uint8] = (planes.clip(0.0, 1.0) * 255).astype(np.uint8)
    return bright.transpose(1, 2, 0)
