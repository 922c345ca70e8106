"""How messages cross to a process and back: frames of JSON lines, tensors as plain buffers.

A frame is its kind (one byte), its length (8 bytes, little-endian) and its content. No pickles.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from dqngui import messages
from dqngui.messages import Command, Event, Request
from dqngui.messages.json_lines import from_json, to_json

HEAD = struct.Struct("<cQ")
PIPE_BYTES = 1 << 20
REQUEST, EVENTS, COMMAND, TENSORS, END = b"R", b"E", b"C", b"T", b"Z"


class Order(msgspec.Struct, frozen=True):
    """The first frame to a child: what to run, for whom."""

    target: str
    request: Request
    parent: int


def write_frame(file: io.FileIO, kind: bytes, content: bytes = b"") -> None:
    """Write one frame. Raises OSError when the other side has gone."""
    view = memoryview(HEAD.pack(kind, len(content)) + content)
    while view:
        view = view[file.write(view) :]


def widen(pipe: Any) -> None:
    """Let a pipe hold a whole picture, so that a reader who competes for the interpreter wakes once for it (Linux)."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    command = getattr(fcntl, "F_SETPIPE_SZ", None)
    if command is not None:
        with contextlib.suppress(OSError):  # the user has used up what the system allows
            fcntl.fcntl(pipe.fileno(), command, PIPE_BYTES)


def read_frames(file: io.FileIO, ready: Callable[[], bool] = lambda: True) -> Iterator[tuple[bytes, bytearray]]:
    """Frames until the other side closes; a torn last one is dropped.

    Args:
        ready: called before each read; waits until there is something, False if nothing will come.
    """
    while (head := _read(file, HEAD.size, ready)) is not None:
        kind, length = HEAD.unpack(head)
        content = _read(file, length, ready)
        if content is None:
            return
        yield kind, content


def _read(file: io.FileIO, length: int, ready: Callable[[], bool]) -> bytearray | None:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = file.readinto(view) if ready() else 0
        if not count:
            return None
        view = view[count:]
    return data


def order_frame(order: Order) -> tuple[bytes, bytes]:
    """The first frame."""
    return REQUEST, to_json(order)


def order_of_frame(content: bytearray) -> Order:
    """The order of the first frame. Raises msgspec.DecodeError or ValidationError."""
    order: Order = from_json(content, Order)
    return order


def event_frames(events: Sequence[Event]) -> Iterator[tuple[bytes, bytes]]:
    """Frames of a batch of events, in order. Raises TypeError for an event that cannot be written."""
    lines: list[bytes] = []
    for event in events:
        if not hasattr(event, "tensors"):
            lines.append(messages.encode(event))
            continue
        if lines:
            yield EVENTS, b"\n".join(lines)
            lines = []
        yield TENSORS, _pack(event)
    if lines:
        yield EVENTS, b"\n".join(lines)


def events_of_frame(kind: bytes, content: bytearray) -> list[Event]:
    """The events of one frame. Raises msgspec.DecodeError or ValidationError."""
    if kind == TENSORS:
        return [_unpack(content)]
    return [messages.decode_event(line) for line in bytes(content).split(b"\n")]


def command_frame(command: Command) -> tuple[bytes, bytes]:
    """The frame of one command."""
    return (TENSORS, _pack(command)) if hasattr(command, "tensors") else (COMMAND, messages.encode(command))


def command_of_frame(kind: bytes, content: bytearray) -> Command:
    """The command of one frame. Raises msgspec.DecodeError or ValidationError."""
    return _unpack(content) if kind == TENSORS else messages.decode_command(bytes(content))


# -- messages with tensors ------------------------------------------------------------------------


def _pack(message: Any) -> bytes:
    """Length of the head, a head of JSON (message without its tensors; names, dtypes, shapes), the buffers."""
    arrays = {name: as_array(tensor) for name, tensor in message.tensors.items()}
    bare = msgspec.structs.replace(message, tensors={})
    rows = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    head = to_json((type(message).__name__, bare, rows))
    return b"".join((struct.pack("<Q", len(head)), head, *(array.tobytes() for array in arrays.values())))


def _unpack(content: bytearray) -> Any:
    (length,) = struct.unpack_from("<Q", content)
    offset = 8 + length
    name, bare, rows = from_json(content[8:offset], Any)
    tensors: dict[str, np.ndarray] = {}
    for key, dtype, shape in rows:
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        tensors[key] = np.frombuffer(content, kind, count, offset).reshape(shape)
        offset += count * kind.itemsize
    message = msgspec.convert(bare, getattr(messages, name))
    return msgspec.structs.replace(message, tensors=tensors)


def as_array(tensor: Any) -> np.ndarray:
    """A numpy array of a tensor on any device; types that numpy lacks (bfloat16) become float32."""
    if hasattr(tensor, "detach"):  # a torch tensor, recognised without importing torch
        tensor = tensor.detach().cpu()
        try:
            tensor = tensor.numpy()
        except TypeError:
            tensor = tensor.float().numpy()
    return np.ascontiguousarray(tensor).reshape(np.shape(tensor))
