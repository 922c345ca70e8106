"""Texts of tooltips in lines that can be read: Qt draws a long tooltip of plain text as one line."""

from __future__ import annotations

import textwrap
from functools import lru_cache

TIP_LETTERS = 64
"""Letters of a line of a tooltip, at most."""


@lru_cache(maxsize=4096)  # the form wraps all its tooltips at each change
def wrapped(text: str) -> str:
    """The text in lines of at most `TIP_LETTERS` letters; its own line breaks stay, and so do words, such as paths."""
    return "\n".join(
        textwrap.fill(line, TIP_LETTERS, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
    )
