"""Messages as JSON and back, with what msgspec alone refuses: numbers and strings of numpy, names that are no UTF-8.

A folder's name may hold bytes that are no UTF-8; Python keeps them as lone surrogates (`l\\udce4ufe`). They are written
as JSON escapes and read back unchanged.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec


def to_json(data: Any) -> bytes:
    """One line of JSON; a number that is not finite becomes null. Raises TypeError for what JSON cannot hold."""
    try:
        return _encoder.encode(data)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(data, enc_hook=_plain, str_keys=True)
        return json.dumps(_without_nan(plain), separators=(",", ":")).encode()


def from_json(line: bytes | bytearray, kind: Any) -> Any:
    """The value of one line, of the type `kind`. Raises msgspec.DecodeError or ValidationError."""
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"\\ud" not in line.lower():
            raise
        return msgspec.convert(_with_surrogates(line), kind)


def _with_surrogates(line: bytes | bytearray) -> Any:
    """Plain data of JSON with lone surrogates. Raises msgspec.DecodeError."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None


def _plain(value: Any) -> Any:
    """The same as plain data: what numpy made of a number or a string. Raises TypeError for other objects."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _without_nan(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nan(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


_encoder = msgspec.json.Encoder(enc_hook=_plain)
