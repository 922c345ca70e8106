"""Seeds as they are written: `0-4` or `0,3,7-9`."""

from __future__ import annotations

from dqngui.config import ConfigError
from dqngui.texts.reading_numbers import parse as read_number

MOST_SEEDS = 10_000


def seeds_of(text: str) -> list[int]:
    """The seeds as a list without repetitions. Raises ConfigError."""
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            span = range(_seed(first), _seed(last if dash else first) + 1)
            if not span or len(span) > MOST_SEEDS:
                raise ValueError
            seeds += [seed for seed in span if seed not in seeds]
    except ValueError:
        raise ConfigError("command.seeds", given=text) from None
    return seeds


def _seed(text: str) -> int:
    return int(read_number(text, whole=True))
