"""Makes text from outside harmless: control and escape characters are shown as codes, as `\\x1b`.

Titles, names of folders and messages of environments may hold anything. A terminal would obey their escape
characters, and marks of writing direction would show one name as another.
"""

from __future__ import annotations

import re

_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # without tab and line feed
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they change the order in which letters are shown
_LINES = "\u2028\u2029"
_HARMFUL = re.compile(f"[{_CONTROL}{_DIRECTION}{_LINES}\ud800-\udfff]")
_HARMFUL_IN_LINE = re.compile(f"[\t\n{_CONTROL}{_DIRECTION}{_LINES}\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with each control character as a code; tabs and line feeds stay."""
    return _HARMFUL.sub(_code, text)


def plain_line(text: str, longest: int | None = None) -> str:
    """The same in one line, cut after `longest` characters."""
    if longest is not None and len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return _HARMFUL_IN_LINE.sub(_code, text)


def _code(found: re.Match[str]) -> str:
    number = ord(found.group())
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
