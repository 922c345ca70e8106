"""Numbers as texts: one way to write each kind of number, in the form, in tables, in plots and on the command line.

`exact` is for settings; in a field that can be edited they are `editable`, which `reading_numbers.parse` reads back to
the same number. `measured` is for what was measured, with a fixed number of digits. `short` is for axes. None of them
depends on the system's language.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

SMALLEST_PLAIN = 0.01
"""Settings nearer to 0 than this are written with an exponent (1e-3)."""
LARGEST_PLAIN = 1e6
_MEASURED_PLAIN = 1e-3
_EXACT_DIGITS = 9  # a sentence that asks for so many digits means a setting
_SIGN = re.compile(r"(?<!e)-")
_SIZES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def exact(value: float | None) -> str:
    """The exact text of a setting's number, as short as possible: `10,000`, `0.99`, `1e-3`, `9.8e-4`; None is empty."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    value = float(value)  # a number of numpy has another `repr`
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    if SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        if value == int(value):
            return f"{value:,.0f}"
        return f"{Decimal(repr(value)):,f}"
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    power = Decimal(repr(value)).adjusted()
    rest = "".join(map(str, digits[1:]))
    return f"{'-' if sign else ''}{digits[0]}{'.' if rest else ''}{rest}e{power}"


def editable(value: float | None) -> str:
    """The exact text of a number in a field that can be edited: `parse` gives the same number again.

    A float of whole thousands has a decimal there (`20,000.0`), because a person may also mean 20 by `20,000`.
    """
    text = exact(value)
    return f"{text}.0" if isinstance(value, float) and text.count(",") == 1 and "." not in text else text


def measured(value: float, digits: int = 4) -> str:
    """A measured number with this many digits: `348.9`, `0.09970`, `20,000`, `1.300e-5`, `−2.500`.

    A whole number has no decimals. Zeros at the end are kept: they say how exact the number is.
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value == round(value) and abs(value) < 1e15:
        return minus(f"{value + 0:,.0f}") if value else "0"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if digits - 1 <= exponent < 15:
        return minus(f"{value:,.0f}")
    if 10.0**exponent < _MEASURED_PLAIN or exponent >= 15:
        return minus(f"{mantissa}e{exponent}")
    return minus(f"{value:,.{digits - 1 - exponent}f}")


def short(number: float) -> str:
    """A number for an axis, with few digits: `20k`, `1.5M`, `0.05`, but `9,504`."""
    for size, letter in _SIZES:
        if abs(number) >= size and math.isfinite(number):
            text = f"{number / size:.3g}"
            if abs(number) < 1e5 and not math.isclose(float(text) * size, number, rel_tol=1e-9):
                return minus(f"{number:,.0f}")
            return minus(f"{text if 'e' not in text else f'{number / size:.4g}'}{letter}")
    return minus(f"{number:.4g}") if math.isfinite(number) else _not_finite(number)


def progress(step: int, total: int, between: str = " / ") -> str:
    """Steps done of those asked for: `300 / 500`.

    A run ends after a whole step of all its environments, so it may have made more than it was asked for; then only
    those that it made are given: `512`.
    """
    return f"{step:,}{between}{total:,}" if step <= total else f"{step:,}"


def duration(seconds: float | None) -> str:
    """Seconds as `0:17`, `12:05`, `3:04:10`; a dash if they are not known."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def minus(text: str) -> str:
    """A number's text with the minus sign of typography, which is as wide as a digit; an exponent keeps its own."""
    return _SIGN.sub("−", text)


def formatted(value: Any, form: str) -> str | None:
    """A number in a sentence: with a format like `.4g` as `measured`, with `g` or without a format the exact number.

    None for other formats and for what is no number.
    """
    if form[-1:] not in ("", "g") or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    digits = form[:-1].lstrip(",")
    if not digits:
        return minus(exact(value))
    if not digits.removeprefix(".").isdigit():
        return None
    count = int(digits.removeprefix("."))
    return minus(exact(float(f"{value:.{count}g}"))) if count >= _EXACT_DIGITS else measured(value, count)


def _not_finite(value: float) -> str:
    return "nan" if math.isnan(value) else "∞" if value > 0 else "−∞"
