"""Parts of an observation: which kind of part each leaf of a gymnasium space becomes.

| leaf                                                           | kind     | stored as                               |
|----------------------------------------------------------------|----------|-----------------------------------------|
| Box that is a picture (`dqngui.envs.pictures`)                 | image    | uint8 or float32, `scale` makes numbers |
| small map of categories: minigrid's, MultiDiscrete of 2–3 axes | grid     | uint8 or int32, categories from 0       |
| Box of floats (N, F), N ≥ 2                                    | rows     | float32, rows in a fixed order          |
| the same, if it is known to be a set (`dqngui.envs.row_kinds`) | entities | float32, one row an entity              |
| Text, minigrid's missions                                      | text     | int32 word ids, 0: no word              |
| any other Box, MultiBinary                                     | vector   | float32; bytes and bits as uint8        |
| Discrete, other MultiDiscrete                                  | discrete | int32 from 0, whatever `start` is       |

Numbers in a unit of their own, of which the network sees the distance from the mean in standard deviations
(`ObservationPart.has_units`), are all but categories, bits, and pictures whose bounds give a factor.

Everything is stored flattened, (F,), in the space's order of axes; `raw_shape` is the shape before.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
import numpy as np
from gymnasium import spaces as gym_spaces

from dqngui.config import ConfigError
from dqngui.envs.pictures import axes_of, factor_of, is_picture, was_picture
from dqngui.envs.words import MOST_WORDS, VOCABULARY

MAX_CATEGORIES = 1_000_000
"""Largest number of categories of a discrete part: more would need an embedding table of an unreasonable size."""
MINIGRID_SIZES = (11, 6, 4)
"""Categories of a minigrid cell: objects, colours, and states of doors or directions of the agent."""

_SMALL_MAP = 16  # cells per side, up to which whole numbers of a small range count as categories
_FEW_CATEGORIES = 32
_MOST_CHANNELS = 4
_MINIGRID_SIDE = 32  # cells per side, from which minigrid's bytes are a rendered picture

Kind = Literal["vector", "discrete", "image", "grid", "rows", "entities", "text"]


class ObservationPart(msgspec.Struct, frozen=True):
    """One part of an observation.

    Attributes:
        shape: of one step's stored array, always one axis.
        dtype: of the stored array.
        sizes: number of categories of each entry of a discrete part, of each channel of a grid, of a text's words.
        scale: factor from the stored numbers of vectors and images to the network's inputs.
        raw_shape: shape before flattening.
        axes: meaning of raw_shape's axes for images and grids: `h` rows, `w` columns, `c` channels, `n` frames.
        presence: entities only: index of the number that is 0 if the entity is absent; None: an absent one is all
            zeros.
        own: entities only: index of the row that is the agent itself; None: there is none, or it is not known.
        quantities: the bytes of a vector, or the numbers of a picture, have a unit that is measured.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    sizes: tuple[int, ...] = ()
    scale: float = 1.0
    raw_shape: tuple[int, ...] = ()
    axes: str = ""
    presence: int | None = None
    own: int | None = None
    quantities: bool = False

    @property
    def has_units(self) -> bool:
        """Whether its numbers are quantities, whose unit should make no difference, and not bits or categories."""
        return self.quantities or (self.kind in ("vector", "rows", "entities") and self.dtype == "float32")

    @property
    def bytes(self) -> int:
        """Bytes of one step's stored array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Channels (of all frames), rows and columns of an image or a grid."""
        size = dict(zip(self.axes, self.raw_shape, strict=True))
        return size.get("n", 1) * size.get("c", 1), size["h"], size["w"]

    @property
    def named_numbers(self) -> int:
        """Number of its names in `Spaces.features`: one per number of a vector, or of a row."""
        if self.kind in ("rows", "entities"):
            return self.raw_shape[1]
        return math.prod(self.shape) if self.kind == "vector" else 0

    @property
    def measured_numbers(self) -> int:
        """Number of its numbers that have a mean and a deviation of their own; those of entities are alike in each
        row, those of a picture in each channel.
        """
        if self.kind == "image":
            return self.raw_shape[self.axes.index("c")] if "c" in self.axes else 1
        return self.raw_shape[1] if self.kind == "entities" else math.prod(self.shape)

    def present(self, rows: Any) -> Any:
        """Which entities are present, (…, N) bool, of their rows (…, N, F): a tensor or an array.

        The agent's own row is always present if no number tells presence.
        """
        if self.presence is not None:
            return rows[..., self.presence] != 0
        there = (rows != 0).any(-1)
        if self.own is not None:
            there[..., self.own] = True
        return there


class SpaceContext(msgspec.Struct, frozen=True):
    """What is known about the environment of a space, from which its parts' kinds follow.

    Attributes:
        minigrid: its small maps are those of minigrid.
        frames: number of observations joined along a first axis by the wrapper `frame_stack`; 0: none.
        boxes: the setting `env.boxes`.
    """

    minigrid: bool = False
    frames: int = 0
    boxes: Literal["bounds", "size"] = "bounds"


def part_of(name: str, space: gym_spaces.Space[Any], context: SpaceContext) -> ObservationPart | None:
    """The part for a leaf of a space; None if no encoder reads it. Raises ConfigError, without the path of the leaf."""
    if isinstance(space, gym_spaces.Discrete):
        return _discrete(name, (int(space.n),), ())
    if isinstance(space, gym_spaces.MultiDiscrete):
        return _categories(name, space, context)
    if isinstance(space, gym_spaces.MultiBinary):
        return _vector(name, space.shape, "uint8")
    if isinstance(space, gym_spaces.Box):
        if 0 in space.shape:
            raise ConfigError("observation.empty", name=name, shape=str(space.shape))
        return _box(name, space, context) if space.dtype.kind in "biuf" else None
    if is_text(space):
        return ObservationPart(name, "text", (MOST_WORDS,), "int32", sizes=(VOCABULARY,))
    return None


def is_text(space: gym_spaces.Space[Any]) -> bool:
    """Whether a space holds texts; minigrid's missions are not a gymnasium Text space."""
    return isinstance(space, gym_spaces.Text) or (space.dtype is not None and space.dtype.kind == "U")


def _discrete(name: str, sizes: tuple[int, ...], raw_shape: tuple[int, ...]) -> ObservationPart:
    if sum(sizes) > MAX_CATEGORIES:
        raise ConfigError("observation.categories", name=name, count=sum(sizes), most=MAX_CATEGORIES)
    return ObservationPart(name, "discrete", (len(sizes),), "int32", sizes=sizes, raw_shape=raw_shape)


def _vector(
    name: str, shape: tuple[int, ...], dtype: str, scale: float = 1.0, quantities: bool = False
) -> ObservationPart:
    size = (math.prod(shape),)
    return ObservationPart(name, "vector", size, dtype, scale=scale, raw_shape=tuple(shape), quantities=quantities)


def _categories(name: str, space: gym_spaces.MultiDiscrete, context: SpaceContext) -> ObservationPart:
    shape = tuple(space.shape)
    axes = axes_of(shape, context.frames, False)
    if not axes:
        return _discrete(name, tuple(int(size) for size in space.nvec.ravel()), shape)
    channels = np.moveaxis(space.nvec, [axes.index(axis) for axis in axes if axis in "nc"], range(len(axes) - 2))
    sizes = channels.reshape(-1, math.prod(channels.shape[len(axes) - 2 :])).max(-1)
    return _grid(name, shape, axes, tuple(int(size) for size in sizes))


def _grid(name: str, shape: tuple[int, ...], axes: str, sizes: tuple[int, ...]) -> ObservationPart:
    _discrete(name, sizes, shape)  # raises where there are too many
    dtype = "uint8" if max(sizes) <= 256 else "int32"
    return ObservationPart(name, "grid", (math.prod(shape),), dtype, sizes=sizes, raw_shape=shape, axes=axes)


def _box(name: str, space: gym_spaces.Box, context: SpaceContext) -> ObservationPart:
    shape, kind, as_before = tuple(space.shape), space.dtype.kind, context.boxes == "size"
    low, high = float(space.low.min()), float(space.high.max())
    byte = space.dtype == np.uint8
    axes = axes_of(shape, context.frames, stacks=not as_before)
    size = dict(zip(axes, shape, strict=True)) if axes else {}
    if axes:
        channels, frames = size.get("c", 1), size.get("n", 1)
        sides = size["h"], size["w"]
        if context.minigrid and byte and channels == len(MINIGRID_SIZES) and min(sides) < _MINIGRID_SIDE:
            return _grid(name, shape, axes, MINIGRID_SIZES * frames)
        few = low == 0 and 2 <= high < _FEW_CATEGORIES and kind in "iu"
        if few and max(sides) <= _SMALL_MAP and channels <= _MOST_CHANNELS:
            return _grid(name, shape, axes, (int(high) + 1,) * (channels * frames))
        if (was_picture if as_before else is_picture)(space, size):
            return _image(name, space, axes, context)
    if kind == "f" and len(shape) == 2 and shape[0] >= 2 and not context.frames:
        return ObservationPart(name, "rows", (math.prod(shape),), "float32", raw_shape=shape)
    if byte:
        return _vector(name, shape, "uint8", 1.0 / max(1.0, high), quantities=high > 1 and not as_before)
    return _vector(name, shape, "uint8" if kind == "b" else "float32")


def _image(name: str, space: gym_spaces.Box, axes: str, context: SpaceContext) -> ObservationPart:
    shape = tuple(space.shape)
    size = dict(zip(axes, shape, strict=True))
    scale: float | None = 1.0
    if space.dtype == np.uint8:
        drawn = not context.minigrid or size.get("c", 1) <= _MOST_CHANNELS  # else zeros and ones, whatever it states
        scale = 1.0 / max(1.0, float(space.high.max())) if drawn else 1.0
    elif space.dtype.kind != "b" and context.boxes == "bounds":
        scale = factor_of(space)
    elif space.dtype.kind != "b":
        scale = 1 / 255 if (space.low.min(), space.high.max()) == (0, 255) else 1.0
    return ObservationPart(
        name,
        "image",
        (math.prod(shape),),
        "uint8" if space.dtype == np.uint8 or space.dtype.kind == "b" else "float32",
        scale=1.0 if scale is None else scale,
        raw_shape=shape,
        axes=axes,
        quantities=scale is None,
    )
