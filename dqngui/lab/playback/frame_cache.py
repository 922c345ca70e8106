"""A compressed cache of an episode's pictures, and the choice of pictures to draw ahead."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from dqngui import messages as m

MAX_BYTES = 96 << 20
"""Largest size of the compressed pictures in bytes: about 10,000 CartPole pictures, or a few hundred detailed ones."""
QUICK_PACK_S = 0.002
"""Longest time to compress a picture while the episode plays."""
SLOW_PICTURE_S = 0.3
"""A picture that took longer marks the environment as slow to return to a step."""
PREFETCH_RADIUS = 48
"""Number of pictures before and after the shown one that are drawn ahead."""
SPREAD_PICTURES = 32
"""Number of pictures spread over the episode of a slow environment, shown until the exact picture is drawn."""

Pixels = npt.NDArray[np.uint8]


class FrameCache:
    """The kept pictures of one episode in one size, by step; above `max_bytes` the least recently used are dropped.

    Attributes:
        size: bytes in use.
    """

    def __init__(self, clock: Callable[[], float], max_bytes: int = MAX_BYTES) -> None:
        """`clock` measures the compression of a picture, in seconds."""
        self.size = 0
        self._most, self._clock = max_bytes, clock
        self._packed: dict[int, tuple[tuple[int, ...], bytes]] = {}  # least recently used first
        self._pack_seconds = 0.0

    def clear(self) -> None:
        """Drop all pictures, for another episode or size."""
        self._packed.clear()
        self.size, self._pack_seconds = 0, 0.0

    def __contains__(self, t: int) -> bool:
        return t in self._packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[int]:
        """The steps with a kept picture, least recently used first."""
        return iter(self._packed)

    def put(self, t: int, pixels: Pixels, *, hurried: bool = False) -> None:
        """Keep the picture (H, W, 3) of step t; if `hurried`, only if the last compression was quick."""
        if t in self._packed or (hurried and self._pack_seconds > QUICK_PACK_S):
            return
        began = self._clock()
        packed = zlib.compress(np.ascontiguousarray(pixels).data, 1)
        self._pack_seconds = self._clock() - began
        self._packed[t] = pixels.shape, packed
        self.size += len(packed)
        while self.size > self._most and len(self._packed) > 1:
            oldest = next(iter(self._packed))
            self.size -= len(self._packed.pop(oldest)[1])

    def get(self, t: int) -> Pixels | None:
        """The picture (H, W, 3) of step t; None if it is not kept."""
        kept = self._packed.pop(t, None)
        if kept is None:
            return None
        self._packed[t] = kept
        shape, packed = kept
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)

    def nearest(self, t: int) -> int | None:
        """The step nearest to t with a kept picture."""
        return min(self._packed, key=lambda step: abs(step - t), default=None)


class Prefetch:
    """Chooses pictures of a paused episode to draw ahead, one at a time.

    Pictures around the shown step come first. In an environment that needs long to return to a step,
    pictures at equal distances over the whole episode come before them, to be shown as substitutes.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start again, for another episode."""
        self._pending: int | None = None
        self._requested: set[int] = set()  # also steps that turned out to have no picture
        self._under_way: set[int] = set()  # cancelled ones may still arrive
        self._drawn = 0  # the step of the drawing environment
        self._slow = False

    @property
    def is_pending(self) -> bool:
        """Whether a requested picture has not arrived."""
        return self._pending is not None

    def cancel(self) -> None:
        """Cancel the pending request, because another picture is needed."""
        if self._pending is not None:
            self._requested.discard(self._pending)
        self._pending = None

    def request(self, t: int) -> None:
        """Note that the picture of step t was requested."""
        self._pending = t
        self._requested.add(t)
        self._under_way.add(t)

    def receive(self, t: int) -> bool:
        """Note that a picture arrived; returns whether it was drawn ahead."""
        self._drawn = t
        if t == self._pending:
            self._pending = None
        ahead = t in self._under_way
        self._under_way.discard(t)
        return ahead

    def note_duration(self, t: int, seconds: float) -> None:
        """Note the duration of a picture that was not drawn ahead."""
        self._drawn, self._slow = t, self._slow or seconds > SLOW_PICTURE_S

    def next(self, kept: FrameCache, t: int, steps: int) -> int | None:
        """The next step to draw around step t, of `steps` known ones; None if enough pictures are kept."""
        order = [*range(t + 1, min(t + PREFETCH_RADIUS, steps)), *range(max(t - PREFETCH_RADIUS, 0), min(t, steps))]
        if self._slow:
            every = max(1, -(-steps // SPREAD_PICTURES))
            coarse = range(0, steps, every)
            # The environment only steps forward; earlier steps need a restart from the beginning.
            order = [*(s for s in coarse if s >= self._drawn), *coarse, *order]
        return next((s for s in order if s not in kept and s not in self._requested), None)


def pixels_of(frame: m.Frame) -> Pixels | None:
    """The drawn picture (H, W, 3); None if the environment draws none."""
    pixels: Pixels | None = frame.tensors.get("pixels")
    return None if pixels is None or not pixels.size else pixels
