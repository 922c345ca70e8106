"""Words and numbers as people type them into a filter."""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBER = re.compile(r"-?([1-9]\d{0,2}(,\d{3})+|\d+)?(\.\d+)?(e[-+]?\d+)?[kmg]?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+(e[-+]?\d+)?[kmg]?", re.ASCII)
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9}


def plain(text: str) -> str:
    """A text in the form in which texts are compared: lower case, plain minus signs and spaces."""
    return text.casefold().replace("\u2212", "-").replace("\u00a0", " ")


def typed_words(text: str) -> list[str]:
    """The words of a text; `lr=0.001`, `lr: 0.001` and `lr 0.001,` are the same two words."""
    words = plain(text).replace("=", " ").replace("·", " ").split()
    return [bare for word in words if (bare := word.rstrip(",;:") or word)]


@lru_cache(maxsize=20_000)
def number_in(word: str) -> float | None:
    """The number that a word of lower case is, with separators of thousands or k, m, g; None if it is not one.

    A comma that cannot separate thousands is a decimal comma.
    """
    if not any(letter.isdigit() for letter in word):
        return None
    if _NUMBER.fullmatch(word) is None:
        if _DECIMAL_COMMA.fullmatch(word) is None:
            return None
        word = word.replace(",", ".")
    unit = _UNITS.get(word[-1], 1.0)
    try:
        return float(word.rstrip("kmg").replace(",", "")) * unit
    except ValueError:
        return None
