"""Measured numbers as texts, with their intervals where there are any."""

from __future__ import annotations

from dqngui.messages import Measured
from dqngui.texts import Text, say


def share_text(measured: Measured) -> Text:
    """`61 % [55, 66]`; without an interval, or with one without width, `61 %`."""
    value, ends = _rounded(measured, 100.0, 0)
    if ends is None:
        return say("effect.share", percent=value)
    return say("effect.share_in", percent=value, low=ends[0], high=ends[1])


def return_text(measured: Measured) -> Text:
    """`1.06 [0.53, 1.59]`; without an interval, or with one without width, `2.00`."""
    value, ends = _rounded(measured, 1.0, 2)
    if ends is None:
        return say("effect.return", value=value)
    return say("effect.return_in", value=value, low=ends[0], high=ends[1])


def score_text(measured: Measured) -> Text:
    """The same of a score that is no share."""
    value, ends = _rounded(measured, 1.0, 2)
    if ends is None:
        return say("probe.number", value=value)
    return say("probe.number_in", value=value, low=ends[0], high=ends[1])


def tidy(value: float, digits: int) -> float:
    """A rounded number without the sign of a zero."""
    return round(value, digits) + 0.0


def _rounded(measured: Measured, unit: float, digits: int) -> tuple[float, tuple[float, float] | None]:
    """The value and the ends of its interval; None for the ends if they are not to be told."""
    ends = measured.interval
    if ends is not None:
        ends = None if ends[0] == ends[1] else (tidy(unit * ends[0], digits), tidy(unit * ends[1], digits))
    return tidy(unit * measured.value, digits), ends
