"""Reads TensorBoard's event files without TensorBoard: records with their checksums, and the fields of the messages."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any


def crc32c(data: bytes) -> int:
    """CRC-32C bit by bit, as its definition says."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x82F63B78 if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data: bytes) -> Iterator[bytes]:
    """The messages of a file. Raises AssertionError for a wrong checksum or a torn end."""
    at = 0
    while at < len(data):
        head = data[at : at + 8]
        (length,) = struct.unpack("<Q", head)
        assert struct.unpack("<I", data[at + 8 : at + 12]) == (masked(head),)
        message = data[at + 12 : at + 12 + length]
        assert len(message) == length and struct.unpack("<I", data[at + 12 + length : at + 16 + length]) == (
            masked(message),
        )
        yield message
        at += 16 + length


def fields(message: bytes) -> dict[int, list[Any]]:
    """The fields of a protobuf message by number; what is nested stays bytes."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        kind, value = key & 7, None
        if kind == 0:
            value = varint()
        elif kind == 1:
            (value,) = struct.unpack("<d", message[at : at + 8])
            at += 8
        elif kind == 5:
            (value,) = struct.unpack("<f", message[at : at + 4])
            at += 4
        else:
            length = varint()
            value = message[at : at + length]
            at += length
        found.setdefault(key >> 3, []).append(value)
    return found


def scalars(data: bytes) -> list[tuple[str, int, float, float]]:
    """Tag, step, value and wall time of each scalar in a file."""
    found = []
    for message in records(data):
        event = fields(message)
        for summary in event.get(5, []):
            for value in fields(summary)[1]:
                parts = fields(value)
                if 2 in parts:
                    found.append((parts[1][0].decode(), event.get(2, [0])[0], parts[2][0], event[1][0]))
    return found
