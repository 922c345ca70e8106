"""Daily prices: of indices that ship in the package `arch`, of a CSV file, or made up with a planted season.

`arch` (NCSA licence) holds the S&P 500 and the NASDAQ from 1999 to 2018; its files are read, it is not imported.
A CSV file needs a header with a date and a close; an open and an adjusted close are used where it has them.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import itertools
import math
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np

from dqngui.bounded import MEGABYTE, read_file
from dqngui.config import ConfigError

INDICES = ("sp500", "nasdaq")
SEASONAL = "seasonal"
MOST_FILE, MOST_BARS = 64 * MEGABYTE, 200_000
FEWEST_BARS = 200
LARGEST_CENTS = 10**11
"""The highest price, in cents: an account of whole cents stays far below 2**63."""
LOWEST, HIGHEST = 50.0, 10_000.0
"""Where the median of the closes is elsewhere, all prices are counted in another power of ten: only changes matter."""
JUMP = math.log(1.5)
"""A change of the price by more than a half within a bar looks like a split that is not adjusted for."""
LONGEST_GAP_DAYS = 14
SEASON = (1, 1, 1, -1, 1, -1, -1, -1)
"""Signs of the planted season: after any two of them both signs follow equally often, after any three one only."""
_MADE_BARS, _MADE_CHANGE, _MADE_NOISE = 5_000, 0.004, 0.004
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:\s|$)", re.ASCII)
_DATES = ("date", "time", "timestamp", "datetime", "day")
_CLOSES, _OPENS, _ADJUSTED = (
    ("close", "price", "last"),
    ("open",),
    ("adj close", "adj_close", "adjclose", "adjusted close"),
)


@dataclass(frozen=True)
class Prices:
    """Bars in the order of time.

    Attributes:
        dates: (N,) datetime64[D].
        opens, closes: (N,) prices in whole cents, int64. Without opens a bar opens where it closes.
        has_opens: whether the opens were given.
    """

    dates: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    has_opens: bool

    def __len__(self) -> int:
        return len(self.closes)

    def returns(self) -> np.ndarray:
        """(N,) change of the logarithm of the close since the bar before; 0 at the first bar."""
        logs = np.log(self.closes.astype(np.float64))
        return np.diff(logs, prepend=logs[:1])

    def with_bars(self, first: int, opens: np.ndarray, closes: np.ndarray) -> Prices:
        """The same with other prices from bar `first` on."""
        new = np.array(self.opens), np.array(self.closes)
        for column, given in zip(new, (opens, closes), strict=True):
            column[first:] = given
        return replace(self, opens=new[0], closes=new[1])


def read_prices(source: str) -> Prices:
    """The prices of an index, of a CSV file by its path, or of the planted season. Raises ConfigError."""
    return _read(source, stamp_of(source))


def stamp_of(source: str) -> tuple[int, int]:
    """Time of the last change in ns and size of a file of prices; zeros of what is no file."""
    try:
        found = Path(source).stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _read(source: str, _stamp: tuple[int, int]) -> Prices:
    if source == SEASONAL:
        return seasonal_prices()
    if source in INDICES:
        return _parsed(source, _of_arch(source))
    path = Path(source)
    try:
        data = read_file(path, MOST_FILE, follow=True)
    except FileNotFoundError:
        raise ConfigError("trading.no_file", name=source, indices=INDICES) from None
    except OSError as error:
        raise ConfigError("file.unreadable", path=path, problem=error.strerror) from None
    try:
        return _parsed(source, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError("trading.no_text", name=source) from None


def seasonal_prices(seed: int = 0) -> Prices:
    """Made-up prices whose changes follow `SEASON` with noise: an agent that remembers three changes can earn.

    A bar opens where the one before closed, so that what is decided at a close is filled at that price.
    """
    noise = np.random.default_rng(seed).standard_normal(_MADE_BARS) * _MADE_NOISE
    changes = np.resize(np.array(SEASON), _MADE_BARS) * _MADE_CHANGE + noise
    changes -= changes.mean()  # holding earns nothing
    closes = np.round(100_000 * np.exp(np.cumsum(changes))).astype(np.int64)
    opens = np.concatenate([[100_000], closes[:-1]])
    days = (date(2000, 1, 3) + timedelta(each) for each in itertools.count())
    dates = [day for day in itertools.islice(days, _MADE_BARS * 2) if day.weekday() < 5][:_MADE_BARS]
    return Prices(np.array(dates, "datetime64[D]"), opens, closes, True)


def _of_arch(name: str) -> str:
    found = importlib.util.find_spec("arch")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("trading.needs_package", name=name, package="arch")
    file = Path(found.submodule_search_locations[0]) / "data" / name / f"{name}.csv.gz"
    try:
        return gzip.decompress(file.read_bytes()).decode()
    except (OSError, ValueError, EOFError):
        raise ConfigError("trading.no_data_in_package", name=name, package="arch") from None


# -- reading a table ------------------------------------------------------------------------------


def _parsed(name: str, text: str) -> Prices:
    rows = list(itertools.islice(csv.reader(io.StringIO(text)), MOST_BARS + 2))
    if len(rows) > MOST_BARS + 1:
        raise ConfigError("trading.too_long", name=name, most=MOST_BARS)
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    day, close = _column(header, _DATES), _column(header, _CLOSES)
    adjusted, opening = _column(header, _ADJUSTED), _column(header, _OPENS)
    close = adjusted if close is None else close
    if day is None or close is None:
        raise ConfigError("trading.no_columns", name=name, columns=tuple(header[:12]))
    table = [(line, row) for line, row in enumerate(rows[1:], start=2) if any(cell.strip() for cell in row)]
    if len(table) < FEWEST_BARS:
        raise ConfigError("trading.too_short", name=name, bars=len(table), fewest=FEWEST_BARS)
    dates = _dates(name, [(line, _cell(row, day)) for line, row in table])
    closes = np.array([_price(name, line, row, close, "close") for line, row in table])
    opens = closes if opening is None else np.array([_price(name, line, row, opening, "open") for line, row in table])
    if adjusted is not None:
        factor = np.array([_price(name, line, row, adjusted, "adjusted close") for line, row in table]) / closes
        opens, closes = opens * factor, closes * factor
    _check_dates(name, dates, [line for line, _ in table])
    _check_jumps(name, closes, opens, dates)
    middle = float(np.median(closes))
    if not LOWEST <= middle < HIGHEST:  # whole cents and whole shares would be coarse
        scale = 10.0 ** (3 - math.floor(math.log10(middle)))
        opens, closes = opens * scale, closes * scale
    cents = [np.maximum(1, np.round(column * 100)).astype(np.int64) for column in (opens, closes)]
    return Prices(np.array(dates, "datetime64[D]"), cents[0], cents[1], opening is not None)


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _cell(row: list[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _dates(name: str, found: list[tuple[int, str]]) -> list[date]:
    """Dates as 2018-12-31 or 20181231, or with slashes where a number above 12 tells the day from the month."""
    slashed = [(line, match) for line, text in found if (match := _SLASHED.match(text))]
    if len(slashed) == len(found):
        first, second = (max(int(match[place]) for _, match in slashed) for place in (1, 2))
        if first <= 12 and second <= 12:
            raise ConfigError("trading.no_date", name=name, line=found[0][0], found=found[0][1][:40])
        day, month = (1, 2) if first > 12 else (2, 1)
        texts = [(line, f"{match[3]}-{int(match[month]):02}-{int(match[day]):02}") for line, match in slashed]
    else:
        texts = [(line, text if text[:8].isdigit() else text[:10]) for line, text in found]
    return [_date(name, line, text) for line, text in texts]


def _date(name: str, line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError("trading.no_date", name=name, line=line, found=text[:40]) from None


def _price(name: str, line: int, row: list[str], column: int, what: str) -> float:
    found = _cell(row, column)
    try:
        value = float(found)
    except ValueError:
        value = math.nan
    if not 0 < value * 100 <= LARGEST_CENTS:  # also where it is no number
        raise ConfigError("trading.no_price", name=name, line=line, what=what, found=found[:40])
    return value


def _check_dates(name: str, dates: list[date], lines: list[int]) -> None:
    for (before, after), line in zip(itertools.pairwise(dates), lines[1:], strict=True):
        if after == before:
            raise ConfigError("trading.twice", name=name, line=line, date=after.isoformat())
        if after < before:
            raise ConfigError("trading.order", name=name, line=line, date=after.isoformat(), before=before.isoformat())
        if (after - before).days > LONGEST_GAP_DAYS:
            raise ConfigError(
                "trading.gap", name=name, line=line, days=(after - before).days - 1, date=before.isoformat()
            )


def _check_jumps(name: str, closes: np.ndarray, opens: np.ndarray, dates: list[date]) -> None:
    jumps = np.abs(np.diff(np.log(closes))) > JUMP
    inside = np.abs(np.log(opens / closes))[1:] > JUMP
    found = np.flatnonzero(jumps | inside)
    if len(found):
        bar = int(found[0]) + 1
        raise ConfigError(
            "trading.split", name=name, date=dates[bar].isoformat(), before=float(closes[bar - 1]),
            after=float(closes[bar]),
        )  # fmt: skip
