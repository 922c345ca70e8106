"""A run as a filter sees it: its texts, the numbers in them, its dates, its settings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from dqngui.listing.figures import Run
from dqngui.listing.run_names import MONTHS
from dqngui.listing.typed_values import Values, equal
from dqngui.listing.typed_words import number_in, plain, typed_words
from dqngui.listing.vocabulary import changed_text, typed_values
from dqngui.runs.started import local_time

_TOKEN = re.compile(r"[^\s·(),=]+(?:,\d{3}(?!\d)[^\s·(),=]*)*")
_DATES = ("{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{d:02}.{m:02}.{y}", "{d}/{m}/{y}", "{d:02}/{m:02}/{y}", "{m}/{d}/{y}",
          "{m:02}/{d:02}/{y}", "{y}/{m:02}/{d:02}")  # fmt: skip


class SearchedRun:
    """A run as a filter sees it.

    Attributes:
        run: the run itself.
        text: all its texts, word by word.
        numbers: the numbers in them, with the exact ones behind shortened texts.
        days, times: its dates and times of day in several forms; the first digits of one are enough to find it.
    """

    __slots__ = ("days", "numbers", "run", "text", "times")

    def __init__(self, run: Run, texts: Iterable[str]) -> None:
        """`texts`: what the list shows of the run."""
        self.run = run
        summary = run.summary
        text = plain(" ".join([*texts, *run.labels.tags, run.labels.note, run.group, "starred" * run.labels.star]))
        exact = (summary.seed, summary.step, summary.total_steps, summary.best, summary.final)
        settings, changed = changed_text(run)
        values = Values()
        for each in changed:
            values.add(each)
        numbers = {float(number) for number in exact if number is not None} | values.numbers
        numbers |= {value for token in _TOKEN.findall(text) if (value := number_in(token)) is not None}
        self.numbers = frozenset(numbers)
        self.text = f" {' '.join(typed_words(text))} seed steps {settings} "
        self.days: tuple[tuple[str, ...], ...] = ()
        self.times: tuple[str, ...] = ()
        for time in dict.fromkeys((summary.started, summary.updated)):
            if (local := local_time(time)) is not None:
                self.days += (_days(local.year, local.month, local.day),)
                self.times += (f"{local:%H:%M:%S}", f"{local.hour}:{local:%M:%S}")

    def values(self, keys: tuple[str, ...]) -> Values | None:
        """What may be typed for settings or figures with these keys; None if the run has none of them."""
        return typed_values(self.run, keys)

    def has(self, word: str, value: float | None) -> bool:
        """Whether a word is found; `value`: the number that it is, or None."""
        if value is None:
            return word in self.text or self._has_date(word)
        if value in self.numbers or any(equal(value, number) for number in self.numbers):
            return True
        return self._has_date(word)

    def _has_date(self, word: str) -> bool:
        if any(time.startswith(word) for time in self.times):
            return True
        return any(date.startswith(word) for day in self.days for date in day)


@lru_cache(maxsize=4_000)
def _days(year: int, month: int, day: int) -> tuple[str, ...]:
    """A day in the forms that people type."""
    dates = [form.format(y=year, m=month, d=day) for form in _DATES]
    return (*dates, str(day), str(year), MONTHS[month - 1].casefold())
