"""Reads a number that a person wrote, whatever the decimal sign of the person's language.

What can be read in one way only is accepted: `0,001` and `0.001`, `1 000 000`, `1.000.000`, `1.234,5`, `30k`. What can
be two numbers (`1,500` may be 1.5 or 1,500) is refused, and the error says what to write.
"""

from __future__ import annotations

import math
import re
import sys
from decimal import Decimal
from itertools import product

from dqngui.texts.error import ReadableError
from dqngui.texts.numbers import exact

_LONGEST = 64  # characters
_SIZES = {"k": 3, "M": 6, "G": 9}
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ")
_TEXT = re.compile(
    r"(?P<sign>[+-]?) ?(?P<body>\d[\d ,.'_]*|[.,]\d+)(?: ?(?P<size>[kMG])|[eE](?P<power>[+-]?\d{1,4}))?", re.ASCII
)
Reading = tuple[str, str]
"""Digits before and after the decimal sign."""


def parse(text: str, whole: bool) -> int | float:
    """The number in a text, an int if `whole`. Raises ReadableError (a ValueError) that says what to write instead."""
    given = text.strip()
    found = _found(given)
    if found is None:
        raise _expected(whole)
    body = found["body"].rstrip(" ")
    power = int(found["power"] or _SIZES.get(found["size"] or "", 0))
    readings = _readings(body)
    written = found["sign"].replace("+", ""), power
    if whole and not found["power"] and not found["size"]:
        return _whole(given, body, readings, *written)
    if not readings:
        raise _expected(whole)
    if len(readings) > 1 and ("," in body or body.endswith("0")):
        raise _two(given, readings, whole, *written)
    decimal = _of(readings[0], *written)
    return _int(decimal) if whole else _float(decimal, given)


def parse_if_number(text: str) -> int | float | None:
    """The number in a text that may as well be no number; None for words, and for addresses and versions (127.0.0.1).

    It is an int if it is written without decimals and without a power of ten. Raises ReadableError for what looks like
    a number and is not a single one.
    """
    found = _found(text.strip())
    if found is None:
        return None
    body = found["body"].rstrip(" ")
    readings = _readings(body)
    if not readings and re.fullmatch(r"\d+(\.\d+){2,}", body):
        return None
    whole = len(readings) == 1 and not readings[0][1] and body[-1].isdigit() and not found["power"]
    return parse(text, whole)


def _found(given: str) -> re.Match[str] | None:
    """The parts of a text that looks like a number."""
    plain = given.translate(_SPACES).replace("−", "-").replace("’", "'")
    return _TEXT.fullmatch(plain) if len(plain) <= _LONGEST else None


def _readings(body: str) -> list[Reading]:
    """All ways to read digits with separators, each another number; the one with a decimal sign first."""
    found: dict[Reading, None] = {}
    for group, sign in product(("", ",", ".", " ", "'", "_"), (".", ",")):
        if group == sign or body.count(sign) > 1:
            continue
        head, _, tail = body.partition(sign)
        if tail and not tail.isdigit():
            continue
        if group:
            grouped = re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+", head)
            head = head.replace(group, "") if grouped else "no"
        if head.isdigit() or (not head and tail):
            found.setdefault((head, tail))
    return sorted(found, key=lambda reading: not reading[1])


def _whole(given: str, body: str, readings: list[Reading], sign: str, power: int) -> int:
    """A whole number without decimals. A single point is refused: `100.000` may be 100, with decimals of a table."""
    whole = [reading for reading in readings if not reading[1]]
    if len(whole) != 1 or body.endswith((".", ",")):
        raise _expected(True)
    if len(readings) > 1 and "." in body:
        raise _two(given, readings, True, sign, power)
    return _int(_of(whole[0], sign, power))


def _of(reading: Reading, sign: str, power: int) -> Decimal:
    return Decimal(f"{sign}{reading[0] or '0'}.{reading[1] or '0'}e{power}")


def _int(decimal: Decimal) -> int:
    if decimal and (decimal.adjusted() > 18 or decimal != decimal.to_integral_value()):
        raise _expected(True)
    return int(decimal)


def _float(decimal: Decimal, given: str) -> float:
    value = float(decimal)
    if not math.isfinite(value):
        raise ReadableError("number.too_large", given=given)
    if decimal and abs(value) < sys.float_info.min:
        raise ReadableError("number.too_small", given=given)
    return value


def _expected(whole: bool) -> ReadableError:
    return ReadableError("number.expected_whole" if whole else "number.expected")


def _two(given: str, readings: list[Reading], whole: bool, sign: str, power: int) -> ReadableError:
    texts = []
    for reading in readings:
        decimal = _of(reading, sign, power)
        texts.append(f"{int(decimal)}" if decimal == decimal.to_integral_value() else exact(float(decimal)))
    return ReadableError("number.two_readings", given=given, one=texts[0], other=texts[1])
