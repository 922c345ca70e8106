"""The filter of the list of runs: words, and comparisons such as `memory=gru best>400 tag:paper updated>2026-11-01`.

A word is looked for in all that the list shows of a run, and a setting's name with a value (`lr 0.001`) in its
settings. A comparison has the name of a setting or figure on its left. All must hold; `memory=gru|lstm` is either.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dqngui.config import ConfigError
from dqngui.listing.figures import FIGURES, figure_of
from dqngui.listing.searched_run import SearchedRun
from dqngui.listing.typed_values import is_value
from dqngui.listing.typed_words import number_in, plain, typed_words
from dqngui.listing.vocabulary import Vocabulary, value_at

MOST_WORDS = 4  # of the name of a setting
LONGEST = 1_000  # characters of a query
SOME_NAMES = "best, final, steps, seed, state, memory, lr, tag, started"
_TOKEN = re.compile(r'"[^"]*"?|!=|>=|<=|[<>=]|[^\s"<>=!]+|!')
_FIELD = re.compile(r"([^\W\d_][\w.]*):(.*)")
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_OPERATORS = {*_ORDERS, "=", "!="}
_DAY = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[t ](\d\d?):(\d\d))?)?)?", re.ASCII)
Test = Callable[[SearchedRun], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """What runs must have to be shown.

    Attributes:
        tests: each must hold.
    """

    tests: tuple[Test, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tests)

    def matches(self, run: SearchedRun) -> bool:
        """Whether a run has all that is asked for."""
        return all(test(run) for test in self.tests)

    def of(self, runs: Iterable[SearchedRun]) -> list[SearchedRun]:
        """Those runs that have all that is asked for, in their order."""
        left = list(runs)
        for test in self.tests:
            left = [run for run in left if test(run)]
        return left


def parse_query(text: str, names: Vocabulary) -> Query:
    """The query that a person typed. Raises ConfigError for an unknown name and for what cannot be understood."""
    if len(text) > LONGEST:
        raise ConfigError("query.too_long", most=LONGEST)
    tests: list[Test] = []
    words: list[str] = []
    tokens = _tokens(text)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token in _OPERATORS:
            name = _taken_name(words, names, token)
            if at + 1 == len(tokens) or tokens[at + 1] in _OPERATORS:
                raise ConfigError("query.no_value", name=name, sign=token)
            tests.append(_comparison(name, token, tokens[at + 1], names))
            at += 2
            continue
        if token.startswith('"'):
            if phrase := " ".join(typed_words(token.strip('"'))):
                tests.append(_phrase(phrase))
        else:
            words += [bare for word in token.split() if (bare := word.rstrip(",;:") or word)]
        at += 1
    if words:
        tests.append(Words(words, names).match)
    return Query(tuple(tests))


def _tokens(text: str) -> list[str]:
    """Words, quoted phrases and operators; `tag:paper` is `tag`, `=`, `paper`, and so is `lr: 0.001`."""
    found: list[str] = []
    for token in _TOKEN.findall(plain(text).replace("·", " ")):
        parts = _FIELD.fullmatch(token) if not token.startswith('"') and found[-1:] != ["="] else None
        if token == "!":
            continue
        if parts is None:
            found.append(token)
        else:
            found += [parts[1], "=", *([parts[2]] if parts[2] else [])]
    return found


def _taken_name(words: list[str], names: Vocabulary, sign: str) -> str:
    """The name before an operator: the longest that the last words make. It is taken from the words."""
    for count in range(min(MOST_WORDS, len(words)), 0, -1):
        name = " ".join(words[-count:])
        if name in names:
            del words[-count:]
            return name
    if not words:
        raise ConfigError("query.no_name", sign=sign)
    raise ConfigError("query.no_such", name=words[-1], some=SOME_NAMES)


def _phrase(phrase: str) -> Test:
    return lambda run: phrase in run.text


def _comparison(name: str, sign: str, value: str, names: Vocabulary) -> Test:
    """The test of `name sign value`. Raises ConfigError if the value does not fit the name."""
    keys = names.keys[name]
    figure = figure_of(keys[0])
    kind = None if figure is None else figure.kind
    value = value.strip('"').strip()
    if kind == "date":
        return _of_date(name, keys[0], sign, value)
    if sign in _ORDERS:
        number = number_in(value)
        if number is None or kind in ("text", "flag"):
            if number is not None or kind in ("text", "flag"):
                raise ConfigError("query.no_order", name=name, sign=sign)
            raise ConfigError("query.not_number", name=name, value=value)
        return _of_number(keys, _ORDERS[sign], number)
    accepted = [each for each in (part.strip().rstrip(",;") for part in value.split("|")) if each]
    if not accepted:
        raise ConfigError("query.no_value", name=name, sign=sign)
    if kind in ("number", "seconds") and (wrong := [each for each in accepted if not is_value(each)]):
        raise ConfigError("query.not_number", name=name, value=wrong[0])
    wanted = sign == "="

    def test(run: SearchedRun) -> bool:
        values = run.values(keys)
        return (values is not None and any(values.has(each) for each in accepted)) is wanted

    return test


def _of_number(keys: Sequence[str], order: Callable[[float, float], bool], number: float) -> Test:
    def test(run: SearchedRun) -> bool:
        return any(order(each, number) for key in keys for each in numbers_in(value_at(run.run, key)))

    return test


def numbers_in(value: Any) -> list[float]:
    """The numbers of a setting or figure: of a schedule its start and end, of a list all."""
    match value:
        case bool():
            return []
        case int() | float():
            return [float(value)]
        case list() | tuple():
            return [number for each in value for number in numbers_in(each)]
        case {"start": start, "end": end}:
            return [*numbers_in(start), *numbers_in(end)]
        case dict():
            return [number for each in value.values() for number in numbers_in(each)]
    return []


def _of_date(name: str, key: str, sign: str, value: str) -> Test:
    start, end = _period(name, value)
    compare: dict[str, Callable[[float], bool]] = {
        "=": lambda time: start <= time < end,
        "!=": lambda time: not start <= time < end,
        "<": lambda time: time < start,
        "<=": lambda time: time < end,
        ">": lambda time: time >= end,
        ">=": lambda time: time >= start,
    }
    holds = compare[sign]

    def test(run: SearchedRun) -> bool:
        time = FIGURES[key].get(run.run)
        return time is not None and holds(time)

    return test


def _period(name: str, value: str) -> tuple[float, float]:
    """Start and end, in seconds since 1970, of a year, month, day or minute in local time. Raises ConfigError."""
    found = _DAY.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute = (None if part is None else int(part) for part in found.groups())
        start = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0)
        if month is None:
            end = start.replace(year=start.year + 1)
        elif day is None:
            end = (start + timedelta(days=32)).replace(day=1)
        else:
            end = start + (timedelta(days=1) if hour is None else timedelta(minutes=1))
        return start.timestamp(), end.timestamp()
    except (ValueError, OverflowError, OSError):
        raise ConfigError("query.not_date", name=name, value=value) from None


@dataclass(slots=True)
class Words:
    """Words of a query without operators; the names of settings among them are looked up once for all runs.

    A number is found whatever its form: `20000`, `20,000`, `20k`, `2e4`. The name of a setting and its value
    (`lr 0.001`, `seed 3`, `20k steps`, `double off`) are found together: in the settings, or in a text.
    """

    words: Sequence[str]
    names: Vocabulary
    _before: list[list[tuple[int, tuple[str, ...], str]]] = field(init=False)
    _after: list[list[tuple[int, tuple[str, ...]]]] = field(init=False)
    _numbers: list[float | None] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.words)
        self._numbers = [number_in(word) for word in self.words]
        self._before, self._after = [], []
        for at in range(count):
            ends = range(min(count, at + MOST_WORDS + 1) - 1, at, -1)
            self._before.append(
                [
                    (end, keys, f" {' '.join(self.words[at : end + 1])} ")
                    for end in ends
                    if (keys := self._keys(at, end))
                ]
            )
            ends = range(min(count, at + 1 + MOST_WORDS), at + 1, -1) if self._numbers[at] is not None else range(0)
            self._after.append([(end, keys) for end in ends if (keys := self._keys(at + 1, end))])

    def _keys(self, start: int, end: int) -> tuple[str, ...] | None:
        return self.names.keys.get(" ".join(self.words[start:end]))

    def match(self, run: SearchedRun) -> bool:
        """Whether every word is found."""
        at = 0
        while at < len(self.words):
            count = self._setting_at(run, at)
            if count is None or (count == 0 and not run.has(self.words[at], self._numbers[at])):
                return False
            at += count or 1
        return True

    def _setting_at(self, run: SearchedRun, at: int) -> int | None:
        """How many words from here on are a setting of the run with its value; 0: they are something else; None: they
        are a setting with another value.
        """
        for end, keys, words in self._before[at]:
            if (values := run.values(keys)) is None:
                continue
            if values.has(self.words[end]) or words in run.text:
                return end + 1 - at
            if is_value(self.words[end]):
                return None
        for end, keys in self._after[at]:
            values = run.values(keys)
            if values is not None and values.has(self.words[at]):
                return end - at
        return 0
