"""What the filter of the list of runs finds: words, and numbers and dates in the forms in which people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dqngui.lab.library.run_names import MONTHS
from dqngui.runs.folder import RunSummary
from dqngui.runs.started import local_time

_NUMBER = re.compile(r"-?([1-9]\d{0,2}(,\d{3})+|\d+)?(\.\d+)?(e[-+]?\d+)?[kmg]?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+(e[-+]?\d+)?[kmg]?", re.ASCII)
_TOKEN = re.compile(r"[^\s·(),=]+(?:,\d{3}(?!\d)[^\s·(),=]*)*")
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9}
_DATES = ("{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{d:02}.{m:02}.{y}", "{d}/{m}/{y}", "{d:02}/{m:02}/{y}", "{m}/{d}/{y}",
          "{m:02}/{d:02}/{y}", "{y}/{m:02}/{d:02}")  # fmt: skip


def searched_words(text: str) -> list[str]:
    """The words of a filter, in the form in which `SearchedRun` compares them."""
    return _plain(text).split()


@dataclass(frozen=True, slots=True)
class SearchedRun:
    """A run as the filter sees it.

    Attributes:
        text: all its texts.
        numbers: the numbers in them, with the exact ones behind shortened texts.
        beginnings: its dates and times in several forms; the first digits of one are enough to find it.
    """

    text: str
    numbers: frozenset[float]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, summary: RunSummary, texts: Iterable[str]) -> SearchedRun:
        """The run with this summary, which the list shows with these texts."""
        text = _plain(" ".join(texts))
        exact = (summary.seed, summary.step, summary.total_steps, summary.best)
        numbers = {float(number) for number in exact if number is not None}
        numbers |= {value for token in _TOKEN.findall(text) if (value := number_in(token)) is not None}
        dates = [date for time in (summary.started, summary.updated) for date in _dates_of(time)]
        return cls(text, frozenset(numbers), tuple(dict.fromkeys(dates)))

    def has_all(self, words: Sequence[str]) -> bool:
        """Whether every word is found. A number is found whatever its form: `20000`, `20,000`, `20k`, `2e4`."""
        return all(self._has(word) for word in words)

    def _has(self, word: str) -> bool:
        value = number_in(word)
        if value is None:
            return word in self.text or any(date.startswith(word) for date in self.beginnings)
        digits = any(date.startswith(word) for date in self.beginnings)
        return digits or any(abs(value - number) <= 1e-9 * abs(number) for number in self.numbers)


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


def _plain(text: str) -> str:
    return text.casefold().replace("\u2212", "-").replace("\u00a0", " ")


def _dates_of(time: str) -> list[str]:
    """A time as its local date and time of day, in the forms that people type."""
    if (local := local_time(time)) is None:
        return []
    year, month, day = local.year, local.month, local.day
    dates = [form.format(y=year, m=month, d=day) for form in _DATES]
    return [
        *dates,
        str(day),
        str(year),
        MONTHS[month - 1].casefold(),
        f"{local:%H:%M:%S}",
        f"{local.hour}:{local:%M:%S}",
    ]
