"""What people may type as the value of a setting or figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from dqngui.listing.typed_words import number_in, plain

_ON, _OFF, _NONE = frozenset({"on", "true", "yes"}), frozenset({"off", "false", "no"}), frozenset({"none", "off", "no"})
_MOST_KNOWN = 20_000


def is_value(word: str) -> bool:
    """Whether a word after the name of a setting is a value of it, right or wrong, and not a word of a title."""
    return word in _ON | _OFF | _NONE or number_in(word) is not None


def equal(one: float, other: float) -> bool:
    """Whether two numbers are the same, apart from how they were written."""
    return one == other or abs(one - other) <= 1e-9 * abs(other)


@lru_cache(maxsize=20_000)
def rounded(number: float) -> float:
    """A number with nine digits: two that differ less are the same, apart from how they were written."""
    return float(f"{number:.9g}")


@dataclass(slots=True)
class Values:
    """What can be typed as the value of a setting: numbers in any form, and the beginnings of texts."""

    numbers: set[float] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def has(self, word: str) -> bool:
        """Whether this word is one of the values; a number must be equal, of a text the beginning is enough."""
        value = number_in(word)
        if value is not None and any(equal(value, number) for number in self.numbers):
            return True
        return any(text == word or (value is None and text.startswith(word)) for text in self.texts)

    def add(self, value: Any) -> None:
        """Add a value; of a list, of a schedule and of a module with options each part too."""
        match value:
            case bool():
                self.texts |= _ON if value else _OFF
            case None:
                self.texts |= _NONE
            case list() | tuple() | dict() if not value:
                self.texts |= _NONE
            case int() | float():
                self.numbers.add(float(value))
            case list() | tuple():
                for each in value:
                    self.add(each)
            case dict():
                self.texts |= {plain(str(key)) for key in value}
                for each in value.values():
                    self.add(each)
            case _:
                self.texts |= {plain(str(value)), *plain(str(value)).split()}


_known: dict[bytes, Values] = {}


def values_of(value: Any) -> Values:
    """The values of one setting; not to be changed, since equal settings share them."""
    key = msgspec.json.encode(value)
    if (found := _known.get(key)) is None:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        found = _known[key] = Values()
        found.add(value)
    return found
