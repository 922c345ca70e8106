"""Pictures of one episode that were drawn once, kept compressed, so that a step that is sought again shows at once."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from dqngui import messages as m

MAX_BYTES = 96 << 20
"""Bytes of packed pictures that are kept: some 10,000 of CartPole, a few hundred of a picture full of detail."""
QUICK_PACK_S = 0.002
"""What packing one picture may take while the episode plays."""
SLOW_PICTURE_S = 0.3
"""A picture that took longer than this shows that the environment is slow to come to a step again."""
PREFETCH_RADIUS = 48
"""Pictures to either side of the shown one that are drawn ahead of need."""
SPREAD_PICTURES = 32
"""Pictures of a slow environment's episode that are kept to be shown in place of others."""

Pixels = npt.NDArray[np.uint8]


class FrameCache:
    """The kept pictures of one episode in one size, by step; above `max_bytes` the least recently used are dropped.

    Attributes:
        size: bytes that are kept.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.perf_counter) -> None:
        self.size = 0
        self._most, self._clock = max_bytes, clock
        self._packed: dict[int, tuple[tuple[int, ...], bytes]] = {}  # the first was used longest ago
        self._pack_seconds = 0.0

    def clear(self) -> None:
        """Another episode, or another size."""
        self._packed.clear()
        self.size, self._pack_seconds = 0, 0.0

    def __contains__(self, t: int) -> bool:
        return t in self._packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[int]:
        """The steps whose picture is kept, the one that was used longest ago first."""
        return iter(self._packed)

    def put(self, t: int, pixels: Pixels, *, hurried: bool = False) -> None:
        """Keep the picture (H, W, 3) of step t; when `hurried` only if packing the last one was quick."""
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
        """The picture (H, W, 3) of step t."""
        kept = self._packed.pop(t, None)
        if kept is None:
            return None
        self._packed[t] = kept
        shape, packed = kept
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)

    def nearest(self, t: int) -> int | None:
        """The step nearest to t whose picture is kept."""
        return min(self._packed, key=lambda step: abs(step - t), default=None)


class Prefetch:
    """Chooses the pictures of a paused episode that are drawn before they are asked for, one after the other.

    Those around the shown step come first where drawing is quick. Where an environment needs long to come to a step
    again, pictures at equal distances over the whole episode come before them, to be shown in place of the others.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Another episode."""
        self._pending: int | None = None
        self._requested: set[int] = set()  # even if they have no picture
        self._under_way: set[int] = set()  # those that were given up may come all the same
        self._drawn = 0  # where the environment that draws stands
        self._slow = False

    @property
    def is_pending(self) -> bool:
        """One was asked for and has not come."""
        return self._pending is not None

    def cancel(self) -> None:
        """Another picture was asked for, so this one is given up."""
        if self._pending is not None:
            self._requested.discard(self._pending)
        self._pending = None

    def request(self, t: int) -> None:
        """This one is asked for."""
        self._pending = t
        self._requested.add(t)
        self._under_way.add(t)

    def receive(self, t: int) -> bool:
        """A picture came: whether it was drawn ahead."""
        self._drawn = t
        if t == self._pending:
            self._pending = None
        ahead = t in self._under_way
        self._under_way.discard(t)
        return ahead

    def note_duration(self, t: int, seconds: float) -> None:
        """How long a picture took that somebody waited for."""
        self._drawn, self._slow = t, self._slow or seconds > SLOW_PICTURE_S

    def next(self, kept: FrameCache, t: int, steps: int) -> int | None:
        """The next step to draw, of `steps` known ones, around step t; None: enough is kept."""
        order = [*range(t + 1, min(t + PREFETCH_RADIUS, steps)), *range(max(t - PREFETCH_RADIUS, 0), min(t, steps))]
        if self._slow:
            every = max(1, -(-steps // SPREAD_PICTURES))
            coarse = range(0, steps, every)
            # The environment only goes on, so those before where it stands need a way back to the start.
            order = [*(s for s in coarse if s >= self._drawn), *coarse, *order]
        return next((s for s in order if s not in kept and s not in self._requested), None)


def pixels_of(frame: m.Frame) -> Pixels | None:
    """What the player's process has drawn (H, W, 3); None where it could not."""
    pixels: Pixels | None = frame.tensors.get("pixels")
    return None if pixels is None or not pixels.size else pixels
