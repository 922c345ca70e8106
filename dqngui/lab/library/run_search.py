"""What the filter of the list of runs finds: words, and numbers and dates in the forms in which people type them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dqngui.lab.library.run_names import MONTHS
from dqngui.lab.library.searched_settings import SearchedSettings, is_value, searched_settings
from dqngui.lab.library.typed_words import number_in, plain, typed_words
from dqngui.runs.folder import RunSummary
from dqngui.runs.started import local_time

_TOKEN = re.compile(r"[^\s·(),=]+(?:,\d{3}(?!\d)[^\s·(),=]*)*")
MOST_WORDS = 4  # of the name of a setting
_DATES = ("{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{d:02}.{m:02}.{y}", "{d}/{m}/{y}", "{d:02}/{m:02}/{y}", "{m}/{d}/{y}",
          "{m:02}/{d:02}/{y}", "{y}/{m:02}/{d:02}")  # fmt: skip


@dataclass(frozen=True, slots=True)
class SearchedRun:
    """A run as the filter sees it.

    Attributes:
        text: all its texts, word by word.
        numbers: the numbers in them, with the exact ones behind shortened texts.
        beginnings: its dates and times in several forms; the first digits of one are enough to find it.
        settings: its settings by name.
    """

    text: str
    numbers: frozenset[float]
    beginnings: tuple[str, ...]
    settings: SearchedSettings

    @classmethod
    def of(cls, summary: RunSummary, texts: Iterable[str], settings: SearchedSettings | None = None) -> SearchedRun:
        """The run with this summary, which the list shows with these texts; None: its settings were not read."""
        settings = settings or searched_settings(summary, None)
        text = plain(" ".join(texts))
        exact = (summary.seed, summary.step, summary.total_steps, summary.best)
        numbers = {float(number) for number in exact if number is not None} | settings.numbers
        numbers |= {value for token in _TOKEN.findall(text) if (value := number_in(token)) is not None}
        dates = [date for time in (summary.started, summary.updated) for date in _dates_of(time)]
        words = " ".join([*typed_words(text), settings.text])
        return cls(f" {words} ", frozenset(numbers), tuple(dict.fromkeys(dates)), settings)

    def has_all(self, words: Sequence[str]) -> bool:
        """Whether every word of `typed_words` is found.

        A number is found whatever its form: `20000`, `20,000`, `20k`, `2e4`. The name of a setting and its value
        (`lr 0.001`, `seed 3`, `20k steps`, `double off`) are found together: in the settings, or in a text.
        """
        at = 0
        while at < len(words):
            count = self._setting_at(words, at)
            if count is None or (count == 0 and not self._has(words[at])):
                return False
            at += count or 1
        return True

    def _setting_at(self, words: Sequence[str], at: int) -> int | None:
        """How many words from here on are a setting of this run with its value; 0: they are something else; None: they
        are a setting with another value.
        """
        for end in range(min(len(words), at + MOST_WORDS + 1) - 1, at, -1):
            if (values := self.settings.values.get(" ".join(words[at:end]))) is None:
                continue
            if values.has(words[end]) or f" {' '.join(words[at : end + 1])} " in self.text:
                return end + 1 - at
            if is_value(words[end]):
                return None
        if number_in(words[at]) is not None:
            for end in range(min(len(words), at + 1 + MOST_WORDS), at + 1, -1):
                values = self.settings.values.get(" ".join(words[at + 1 : end]))
                if values is not None and values.has(words[at]):
                    return end - at
        return 0

    def _has(self, word: str) -> bool:
        value = number_in(word)
        if value is None:
            return word in self.text or any(date.startswith(word) for date in self.beginnings)
        digits = any(date.startswith(word) for date in self.beginnings)
        return digits or any(abs(value - number) <= 1e-9 * abs(number) for number in self.numbers)


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
