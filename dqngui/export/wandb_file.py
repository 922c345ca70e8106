"""The file of an offline run of W&B, read to see whether it is whole: its writer does not say when a disk is full."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

BLOCK = 32768
_HEAD = struct.Struct("<IHB")
_WHOLE, _LAST = 1, 4


def messages(path: Path) -> Iterator[bytes]:
    """The messages of a file, in blocks of 32 kB as LevelDB's log has them; ends where the file was cut.

    Each piece has a head of seven bytes: checksum, length, and whether it is whole (1) or the first, a middle or the
    last part of a message (2, 3, 4). The file begins with a head of its own, also of seven bytes. Raises OSError.
    """
    with path.open("rb") as file:
        at, parts = file.seek(_HEAD.size), b""
        while True:
            if BLOCK - at % BLOCK < _HEAD.size:
                at = file.seek(at + BLOCK - at % BLOCK)
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            _, length, kind = _HEAD.unpack(head)
            piece = file.read(length)
            if len(piece) < length:
                return
            at += _HEAD.size + length
            parts += piece
            if kind in (_WHOLE, _LAST):
                yield parts
                parts = b""


def is_whole(path: Path, rows: int) -> bool:
    """Whether the file holds this many rows and the end of its run. Raises OSError."""
    from wandb.proto import wandb_internal_pb2

    found, ended = 0, False
    for message in messages(path):
        record = wandb_internal_pb2.Record()
        try:
            record.ParseFromString(message)
        except Exception:  # protobuf's own, of a damaged message
            return False
        kind = record.WhichOneof("record_type")
        found += kind == "history"
        ended = ended or kind == "exit"
    return ended and found >= rows
