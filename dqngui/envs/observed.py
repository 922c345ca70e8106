"""What an environment observed, compared with its space leaf by leaf: shape, type, range and category.

An observer is a function from an observation to the same observation as its space promises. It returns the usual
observation as it is. Floats may leave the bounds of a Box, since no conversion changes them, but must be finite; bytes,
bits and categories may not, since they would become other ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces as gym_spaces

from dqngui.texts import Text, say

Observer = Callable[[Any], Any]
_LARGEST = 1e38
"""No number of an observation is this large; networks use float32."""
_LONGEST = 120  # characters of a space in a sentence


class Odd(Exception):
    """An observation does not fit its space.

    Attributes:
        found: what was observed.
        space: of the part.
        part: the keys that lead to it, joined with `/`; "" for the whole observation.
    """

    def __init__(self, found: Text, space: Any, part: str = "") -> None:
        super().__init__(str(found))
        self.found, self.space, self.part = found, space, part


def short(space: Any) -> str:
    """A space in one line."""
    line = " ".join(str(space).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def found(value: Any) -> Text:
    """What a value is: None, a number, an array with its shape, or an object of a class."""
    if value is None:
        return say("found.none")
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return say("found.number", value=str(value), kind=type(value).__name__)
    if isinstance(value, np.ndarray):
        return say("found.array", shape=str(value.shape), kind=str(value.dtype))
    if isinstance(value, (tuple, list)):
        return say("found.several", count=len(value), kind=type(value).__name__)
    return say("found.object", kind=type(value).__name__)


def signature(space: gym_spaces.Space[Any]) -> tuple[Any, ...]:
    """What a network depends on: the shape, type and number of categories of each part, not the bounds."""
    match space:
        case gym_spaces.Dict():
            return tuple((str(key), signature(part)) for key, part in space.spaces.items())
        case gym_spaces.Tuple():
            return tuple(map(signature, space.spaces))
        case gym_spaces.Discrete():
            return int(space.n), int(space.start)
        case gym_spaces.MultiDiscrete():
            return space.shape, space.nvec.tobytes(), space.start.tobytes()
    return type(space).__name__, space.shape, str(space.dtype)


def observer(space: gym_spaces.Space[Any]) -> Observer:
    """The observer of a space, which raises Odd. Spaces that no network reads are not compared."""
    match space:
        case gym_spaces.Dict():
            return _dictionary(space)
        case gym_spaces.Tuple():
            return _tuple(space)
        case gym_spaces.Box() if space.dtype.kind in "biuf":
            return _box(space)
        case gym_spaces.Discrete():
            return _category(space, int(space.start), int(space.n))
        case gym_spaces.MultiDiscrete():
            return _categories(space, np.asarray(space.start), np.asarray(space.nvec))
        case gym_spaces.MultiBinary():
            return _categories(space, np.zeros(space.shape, np.int64), np.full(space.shape, 2))
    if (space.dtype is not None and space.dtype.kind == "U") or isinstance(space, gym_spaces.Text):
        return _text(space)
    return _anything


def _anything(value: Any) -> Any:
    return value


def _text(space: Any) -> Observer:
    def taken(value: Any) -> Any:
        if not isinstance(value, str):
            raise Odd(found(value), space)
        return value

    return taken


# -- several parts --------------------------------------------------------------------------------


def _dictionary(space: gym_spaces.Dict) -> Observer:
    parts = [(key, observer(part), part) for key, part in space.spaces.items()]

    def taken(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Odd(found(value), say("found.keys", keys=[str(key) for key, _, _ in parts]))
        changed: dict[Any, Any] = {}
        for key, observed, part in parts:
            if key not in value:
                if observed is _anything:
                    continue
                raise Odd(say("found.missing"), part, str(key))
            given = value[key]
            own = _in_part(observed, given, key)
            if own is not given:
                changed[key] = own
        return {**value, **changed} if changed else value

    return taken


def _tuple(space: gym_spaces.Tuple) -> Observer:
    observers = [observer(part) for part in space.spaces]

    def taken(value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or len(value) != len(observers):
            raise Odd(found(value), say("found.members", count=len(observers)))
        own = tuple(
            _in_part(observed, given, index)
            for index, (observed, given) in enumerate(zip(observers, value, strict=True))
        )
        return own

    return taken


def _in_part(observed: Observer, value: Any, key: Any) -> Any:
    try:
        return observed(value)
    except Odd as odd:
        raise Odd(odd.found, odd.space, f"{key}/{odd.part}" if odd.part else str(key)) from None


# -- numbers --------------------------------------------------------------------------------------


def _box(space: gym_spaces.Box) -> Observer:
    shape, dtype = space.shape, space.dtype

    def taken(value: Any) -> Any:
        if type(value) is np.ndarray and value.dtype == dtype and value.shape == shape:
            if dtype.kind == "f" and not abs(value.sum()) < _LARGEST:
                _check_finite(value, space)
            return value
        numbers = _shaped(value, shape, space)
        if dtype.kind != "f":
            return _whole(numbers, space)
        _check_finite(numbers, space)
        return numbers

    return taken


def _check_finite(numbers: np.ndarray, space: Any) -> None:
    """Raises Odd for a number that is not finite, or that float32 cannot hold."""
    odd = numbers[~(np.abs(numbers) < _LARGEST)]
    if odd.size:
        raise Odd(found(odd.reshape(-1)[0]), space)


def _shaped(value: Any, shape: tuple[int, ...], space: Any) -> np.ndarray:
    """Numbers of a shape that differs from the space's at most in axes of length 1. Raises Odd."""
    numbers = _numbers(value, space)
    if numbers.shape != shape:
        if _without_ones(numbers.shape) != _without_ones(shape):
            raise Odd(found(numbers), space)
        numbers = numbers.reshape(shape)
    return numbers


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _numbers(value: Any, space: Any) -> np.ndarray:
    """Anything that holds real numbers, as an array. Raises Odd."""
    if value is None or isinstance(value, (str, bytes, Mapping)):
        raise Odd(found(value), space)
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind == "O":
            if any(each is None or isinstance(each, (str, bytes)) for each in numbers.ravel()):
                raise Odd(say("found.no_numbers"), space)
            numbers = numbers.astype(np.float64)
    except Odd:
        raise
    except Exception:  # rows of different lengths, a class of another package
        raise Odd(found(value), space) from None
    if numbers.dtype.kind not in "biuf":
        raise Odd(found(numbers if numbers.shape else value), space)
    return numbers


def _whole(numbers: np.ndarray, space: gym_spaces.Box) -> np.ndarray:
    """The same in the type of a Box of whole numbers. Raises Odd where that would change a value."""
    dtype = space.dtype
    if not numbers.size or numbers.dtype == dtype:
        return numbers
    low, high = numbers.min(), numbers.max()
    kind: Any = dtype
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)
    fits = bool(limits[0] <= low and high <= limits[1])  # False for NaN
    if numbers.dtype.kind == "f":
        fits = fits and bool((numbers == np.floor(numbers)).all())
        # Light from 0 to 1 in a space of bytes: as bytes nearly black.
        fits = fits and not (dtype == np.uint8 and high == 1 and int(space.high.max()) > 1)
    if not fits:
        raise Odd(say("found.range", low=_number(low), high=_number(high), kind=str(numbers.dtype)), space)
    return numbers.astype(dtype)


def _number(value: Any) -> str:
    return f"{float(value):.6g}"


# -- categories -----------------------------------------------------------------------------------


def _category(space: gym_spaces.Discrete, start: int, count: int) -> Observer:
    end = start + count

    def taken(value: Any) -> Any:
        if isinstance(value, (int, np.integer)) and start <= value < end:
            return value
        number = _shaped(value, (), space)
        if not np.isfinite(number) or number != np.floor(number) or not start <= int(number) < end:
            raise Odd(say("found.category", value=str(number)), space)
        return int(number)

    return taken


def _categories(space: Any, start: np.ndarray, counts: np.ndarray) -> Observer:
    shape, end = start.shape, start + counts
    # An int64 below zero is a large uint64, so one comparison finds both kinds of wrong numbers.
    unsigned = None if start.any() else end.astype(np.uint64)

    def taken(value: Any) -> Any:
        numbers = value
        usual = type(value) is np.ndarray and value.dtype == np.int64 and value.shape == shape
        if usual and unsigned is not None and (value.view(np.uint64) < unsigned).all():
            return value
        if type(value) is not np.ndarray or value.dtype.kind not in "biu" or value.shape != shape:
            numbers = _shaped(value, shape, space)
        wrong = (numbers < start) | (numbers >= end)
        if numbers.dtype.kind == "f":
            wrong |= ~(numbers == np.floor(numbers))
        if wrong.any():
            index = tuple(int(each) for each in np.argwhere(wrong)[0])
            raise Odd(say("found.category_at", value=str(numbers[index]), index=str(list(index))), space)
        return numbers if numbers.dtype.kind != "f" else numbers.astype(space.dtype)

    return taken
