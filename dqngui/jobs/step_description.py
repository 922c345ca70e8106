"""What is seen at a step of an episode: numbers, texts, and a picture that is observed, as the agent sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.envs.drawing import BACKGROUND, hue
from dqngui.envs.parts import MINIGRID_SIZES
from dqngui.envs.places import places_of
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.frames import Size, shrunk_to

TILE = 16
"""Pixels of a cell, where an environment draws what its agent sees."""


def observed_map(spaces: Spaces) -> ObservationPart | None:
    """The first picture or grid of categories that is observed."""
    return next((part for part in spaces.parts if part.kind in ("image", "grid")), None)


def is_transposed(envs: Envs, part: ObservationPart) -> bool:
    """Whether rows of what is observed are columns of what it shows, as in minigrid's maps, where x comes before y."""
    return part.kind == "grid" and part.sizes[:3] == MINIGRID_SIZES and _draws_its_view(envs)


def with_cells_transposed(tokens: tuple[str, ...], cells: tuple[int, int, int]) -> tuple[str, ...]:
    """Names of tokens with those of a turned picture's cells, `cell 1,5`, by row and column as it is shown: `cell 5,1`.

    Args:
        cells: place of the first cell, and how many there are in the two directions.
    """
    first, rows, columns = cells
    names = [*tokens]
    for index in range(first, first + rows * columns):
        what, _, place = names[index].rpartition(" ")
        names[index] = f"{what} {','.join(reversed(place.split(',')))}"
    return tuple(names)


def describe(envs: Envs, agent: LoadedAgent, size: Size) -> dict[str, Any]:
    """What the first environment shows now: `observation` (F,), `text/NAME` as UTF-8, `picture` (H, W, 3) uint8.

    And where it draws the entities that the agent sees as tokens, if it says so: `places` (N, 2) float32.
    """
    parts = envs.parts
    description: dict[str, Any] = {}
    if agent.features:
        description["observation"] = agent.numbers([parts])[0]
    for name, text in envs.texts().items():
        description[f"text/{name}"] = np.frombuffer(text.encode(), np.uint8)
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
    """Minigrid's own drawing of what lies before its agent, where that is what is observed."""
    grid: Any = envs.envs[0].unwrapped
    before = grid.gen_obs()["image"]
    if before.shape != observed.shape or not np.array_equal(before, observed):
        return None
    drawn: npt.NDArray[np.uint8] = grid.get_pov_render(tile_size=TILE)
    return drawn


def _planes(part: ObservationPart, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The newest frame of a picture or grid, (channels, rows, columns)."""
    shaped = values.reshape(part.raw_shape)
    order = [part.axes.index(axis) for axis in "nchw" if axis in part.axes]
    shaped = shaped.transpose(order)
    if "n" in part.axes:
        shaped = shaped[-1]
    return shaped if "c" in part.axes else shaped[None]


def _grid_picture(part: ObservationPart, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Each cell in the colour of its first category, mixed with those of its other ones; nothing but zeros is dark."""
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
    """A picture as it is: grey or of three channels, of others their mean."""
    planes = _planes(part, values) * part.scale
    if len(planes) != 3:
        planes = np.repeat(planes.mean(axis=0, keepdims=True), 3, axis=0)
    bright: npt.NDArray[np.uint8] = (planes.clip(0.0, 1.0) * 255).astype(np.uint8)
    return bright.transpose(1, 2, 0)
