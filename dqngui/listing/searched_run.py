"""A run as a filter sees it: its texts, the numbers in them, its dates, its settings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from dqngui.listing.figures import Run
from dqngui.listing.run_names import MONTHS
from dqngui.listing.typed_values import Values, rounded
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
        numbers: the numbers in them, with the exact ones behind shortened texts, as they are and rounded.
        dates: its dates and times of day in several forms, each after a space; their first digits are enough.
    """

    __slots__ = ("dates", "numbers", "run", "text")

    def __init__(self, run: Run, texts: Iterable[str]) -> None:
        """`texts`: what the list shows of the run."""
        self.run = run
        summary = run.summary
        text = plain(" ".join([*texts, *run.labels.tags, run.labels.note, run.group, "starred" * run.labels.star]))
        exact = (summary.seed, summary.step, summary.total_steps, summary.best, summary.final)
        settings, changed = changed_text(run)
        numbers = {float(number) for number in exact if number is not None} | changed
        numbers |= {value for token in _TOKEN.findall(text) if (value := number_in(token)) is not None}
        self.numbers = frozenset({*numbers, *map(rounded, numbers)})
        self.text = f" {' '.join(typed_words(text))} seed steps {settings} "
        dates = []
        for time in dict.fromkeys((summary.started, summary.updated)):
            if (local := local_time(time)) is not None:
                dates += [_days(local.year, local.month, local.day), f"{local:%H:%M:%S} {local.hour}:{local:%M:%S}"]
        self.dates = f" {' '.join(dates)}"

    def values(self, keys: tuple[str, ...]) -> Values | None:
        """What may be typed for settings or figures with these keys; None if the run has none of them."""
        return typed_values(self.run, keys)

    def has(self, word: str, value: float | None) -> bool:
        """Whether a word is found; `value`: the number that it is, or None."""
        if value is None:
            return word in self.text or f" {word}" in self.dates
        return value in self.numbers or rounded(value) in self.numbers or f" {word}" in self.dates


@lru_cache(maxsize=4_000)
def _days(year: int, month: int, day: int) -> str:
    """A day in the forms that people type."""
    dates = [form.format(y=year, m=month, d=day) for form in _DATES]
    return " ".join((*dates, str(day), str(year), MONTHS[month - 1].casefold()))
