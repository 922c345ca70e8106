"""Checks of saved arrays before they are taken over: their names, shapes, kinds and values.

A saved state may be damaged or a stranger's. An array of another shape could be broadcast, and an index outside of its
array would fail hours later, so both are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.envs.parts import ObservationPart
from dqngui.texts import ReadableError


class DoesNotFit(ReadableError):
    """A saved array is not one that this training could have saved."""


def require(holds: bool | np.bool_, name: str) -> None:
    """Raises DoesNotFit for the array `name` if a condition does not hold."""
    if not holds:
        raise DoesNotFit("state.array", name=name)


def check_like(saved: Mapping[str, Any], own: Mapping[str, Any], free: Collection[str] = ()) -> None:
    """Check that saved arrays have the shapes and kinds of those that they replace; missing ones are not checked.

    Args:
        own: the arrays that a new training would save.
        free: names of those whose first length differs from save to save.
    """
    for name, like in own.items():
        if name in saved:
            shape = tuple(like.shape)
            check_array(name, saved[name], shape[1:] if name in free else shape, _numpy_type(like), free=name in free)


def check_array(name: str, saved: Any, shape: tuple[int, ...], dtype: Any, *, free: bool = False) -> None:
    """Check one array; with `free` its first length may be any and `shape` is that of the others."""
    found = tuple(saved.shape)
    require((len(found) > 0 and found[1:] == shape) if free else found == shape, name)
    require(np.can_cast(_numpy_type(saved), dtype, "same_kind"), name)


def _numpy_type(array: Any) -> Any:
    return torch.empty(0, dtype=array.dtype).numpy().dtype if isinstance(array, torch.Tensor) else array.dtype


def require_between(name: str, values: Any, low: Any, high: Any) -> None:
    """Check that all numbers lie from `low` to `high`, numbers or arrays; NaN does not."""
    values = np.asarray(values)
    require(values.size == 0 or bool((values >= low).all() and (values <= high).all()), name)


def require_finite(name: str, values: Any) -> None:
    """Check that no number is NaN or infinite."""
    require(bool(torch.isfinite(torch.as_tensor(values)).all()), name)


def check_observation(part: ObservationPart, values: NDArray[Any], steps: tuple[int, ...]) -> None:
    """Check stored observations of a part, (*steps, *shape): its categories must be those of its space."""
    name = f"observation.{part.name}"
    check_array(name, values, (*steps, *part.shape), np.dtype(part.dtype))
    if part.sizes:
        sizes = np.array(part.sizes) if part.kind == "discrete" else max(part.sizes)
        require(bool(((values >= 0) & (values < sizes)).all()), name)


def pieces(name: str, values: NDArray[Any], lengths: NDArray[np.int64], count: int) -> list[NDArray[Any]]:
    """`values` cut into `count` pieces of these lengths, which must be those of all of it."""
    require(lengths.shape == (count,) and values.ndim == 1, name)
    require_between(name, lengths, 0, len(values))
    require(int(lengths.sum()) == len(values), name)
    return np.split(values, np.cumsum(lengths)[:-1])
