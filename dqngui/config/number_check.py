"""Reads the numbers of settings that were typed, and refuses those of another type than their setting has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dqngui.config import ConfigError
from dqngui.schema import Field
from dqngui.texts import ReadableError, say
from dqngui.texts.reading_numbers import parse, parse_if_number


def check_numbers(fields: Iterable[Field], part: Mapping[str, Any]) -> None:
    """Raises ConfigError for a number that is written as text, or with decimals where it must be whole."""
    for field in fields:
        value = part.get(field.name)
        if isinstance(value, str) and field.kind in ("int", "float"):
            raise ConfigError("setting.number_as_text", path=field.path, given=value)
        if isinstance(value, float) and field.kind == "int":
            raise ConfigError("setting.refused", path=field.path, reason=say("number.expected_whole"))


def typed_number(path: str, field: Field | None, text: str) -> int | float | None:
    """The number that was typed for a setting, as the form reads it.

    Args:
        field: None: one that may be a number or a text.

    Returns None for a text, and for a setting that is no number. Raises ConfigError for what is no single number.
    """
    if field is not None and (field.kind not in ("int", "float") or text.lstrip("+-") in ("inf", "nan")):
        return None  # TOML has these two; that no setting takes them is said later
    try:
        return parse_if_number(text) if field is None else parse(text, field.kind == "int")
    except ReadableError as error:
        if field is None:
            raise ConfigError("setting.number_or_text", path=path, reason=error.text, given=text) from None
        raise ConfigError("setting.refused", path=path, reason=error.text) from None
