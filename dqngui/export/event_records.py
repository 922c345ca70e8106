"""TensorBoard's file format: TFRecords of Event messages, written without TensorFlow, torch or protobuf.

A record is its length (uint64), the masked CRC-32C of the length, the data, and the masked CRC-32C of the data, all
little-endian. Field numbers are those of tensorflow/core/util/event.proto and summary.proto.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_POLYNOMIAL, _MASK_DELTA = 0x82F63B78, 0xA282EAD8
_VERSION = b"brain.Event:2"
_TEXT = b"text"
_STRING_TYPE = 7  # DT_STRING
Words = npt.NDArray[np.uint32]


def _table() -> Words:
    """The checksum of each single byte."""
    table = list(range(256))
    for _ in range(8):
        table = [(entry >> 1) ^ _POLYNOMIAL if entry & 1 else entry >> 1 for entry in table]
    return np.array(table, dtype=np.uint32)


_TABLE = _table()


def crc32c(data: npt.NDArray[np.uint8]) -> Words:
    """CRC-32C (Castagnoli) of each row of bytes, (N, L) to (N,)."""
    crc = np.full(len(data), 0xFFFFFFFF, np.uint32)
    for column in data.T:
        crc = np.bitwise_xor(_TABLE[(crc ^ column) & 0xFF], crc >> 8)
    found: Words = np.bitwise_xor(crc, np.uint32(0xFFFFFFFF)).astype(np.uint32)
    return found


def _masked(data: npt.NDArray[np.uint8]) -> Words:
    crc = crc32c(data)
    found: Words = (((crc >> 15) | (crc << 17)) + np.uint32(_MASK_DELTA)).astype(np.uint32)
    return found


def records(messages: Sequence[bytes]) -> bytes:
    """The messages as TFRecords, in their order. Those of equal length are worked on together."""
    by_length: dict[int, list[int]] = {}
    for index, message in enumerate(messages):
        by_length.setdefault(len(message), []).append(index)
    found: list[bytes] = [b""] * len(messages)
    for length, indices in by_length.items():
        head = struct.pack("<Q", length)
        start = head + struct.pack("<I", int(_masked(np.frombuffer(head, np.uint8)[None])[0]))
        joined = b"".join(messages[index] for index in indices)
        rows = np.frombuffer(joined, np.uint8).reshape(len(indices), length)
        for index, crc in zip(indices, _masked(rows).tolist(), strict=True):
            found[index] = start + messages[index] + struct.pack("<I", crc)
    return b"".join(found)


# -- messages ---------------------------------------------------------------------------------------


def version_event(wall_time: float) -> bytes:
    """The first event of a file."""
    return _double(1, wall_time) + _bytes(3, _VERSION)


def scalar_event(wall_time: float, step: int, tag: bytes, value: float) -> bytes:
    """One number. A float32, as the format has it: what is larger becomes infinite."""
    value = value if math.isnan(value) or abs(value) <= 3.4028234e38 else math.copysign(math.inf, value)
    return _event(wall_time, step, _bytes(1, tag) + _float(2, value))


def text_event(wall_time: float, step: int, tag: bytes, text: str) -> bytes:
    """A text in Markdown, for the page *Text*."""
    tensor = _varint(1, _STRING_TYPE) + _bytes(2, _bytes(2, _varint(1, 1))) + _bytes(8, text.encode("utf-8", "replace"))
    metadata = _bytes(1, _bytes(1, _TEXT))
    return _event(wall_time, step, _bytes(1, tag) + _bytes(9, metadata) + _bytes(8, tensor))


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; what a cell holds is shown as it is."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(_cell(each) for each in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    for sign in "\\`*_{}[]<>|#!":
        text = text.replace(sign, f"\\{sign}")
    return text


def _event(wall_time: float, step: int, value: bytes) -> bytes:
    return _double(1, wall_time) + _varint(2, step) + _bytes(5, _bytes(1, value))


def _number(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _varint(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def _double(field: int, value: float) -> bytes:
    return _number(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _number(field << 3 | 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(value)) + value
