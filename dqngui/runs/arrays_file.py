"""Numpy arrays by name in an npz file: written without pickles, and read without running code or unpacking anything.

numpy's own reader makes room for as many numbers as a header claims, and unpacks compressed entries: a file of a few
kilobytes can so fill the memory.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from dqngui.bounded import most_in_memory, open_regular
from dqngui.config import ConfigError
from dqngui.runs.files import named

_KINDS = "biuf"  # truth values, whole numbers and floats
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a new npz file; numpy's own `savez` takes no array named `file`. Raises OSError."""
    try:
        with open(path, "xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
    except OSError as error:
        raise named(error, path) from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file. Raises ConfigError if it is damaged, a link or larger than the memory."""
    try:
        with open_regular(path, most_in_memory()) as file:
            return arrays_in(file, path)
    except OSError:
        raise ConfigError("file.damaged", path=path) from None


def arrays_in(file: BinaryIO, path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file that is open; `path` is named in errors. Raises ConfigError if it is damaged."""
    try:
        with zipfile.ZipFile(file) as archive:
            check_entries(archive, os.fstat(file.fileno()).st_size)
            return {entry.filename.removesuffix(".npy"): _read_array(archive, entry) for entry in archive.infolist()}
    except ConfigError:
        raise
    except Exception:  # a stranger's file makes the libraries below raise nearly everything
        raise ConfigError("file.damaged", path=path) from None


def check_entries(archive: zipfile.ZipFile, size: int) -> None:
    """Raises ValueError for entries that are compressed, named twice, or together larger than the file."""
    entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size for entry in entries):
        raise ValueError("compressed entries")
    if sum(entry.file_size for entry in entries) > size:
        raise ValueError("entries that overlap")
    if len({entry.filename for entry in entries}) != len(entries):
        raise ValueError("two entries of one name")


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(entry) as stream:
        shape, in_columns, kind = _header(stream)
        if kind.kind not in _KINDS or any(length < 0 for length in shape):
            raise ValueError("not an array of numbers")
        if math.prod(shape) * kind.itemsize != entry.file_size - stream.tell():
            raise ValueError("another size than the header says")
        array = np.empty(shape[::-1] if in_columns else shape, kind)
        read = _read_into(stream, array) if array.nbytes else 0
        if read != array.nbytes or stream.read(1):
            raise ValueError("too short")
    return array.T if in_columns else array


def _read_into(stream: IO[bytes], array: np.ndarray) -> int:
    assert isinstance(stream, io.BufferedIOBase)
    return stream.readinto(array.reshape(-1).view(np.uint8).data)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    read = _HEADERS[np.lib.format.read_magic(stream)]
    shape, in_columns, kind = read(stream)
    return shape, in_columns, kind
