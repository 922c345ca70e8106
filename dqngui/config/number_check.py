"""Reads the numbers of settings that were typed, and refuses those of another type than their setting has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dqngui.config import ConfigError
from dqngui.schema import Field
from dqngui.texts import ReadableError, say
from dqngui.texts.reading_numbers import parse


def check_numbers(fields: Iterable[Field], part: Mapping[str, Any]) -> None:
    """Raises ConfigError for a number that is written as text, or with decimals where it must be whole."""
    for field in fields:
        value = part.get(field.name)
        if isinstance(value, str) and field.kind in ("int", "float"):
            raise ConfigError("setting.number_as_text", path=field.path, given=value)
        if isinstance(value, float) and field.kind == "int":
            raise ConfigError("setting.refused", path=field.path, reason=say("number.expected_whole"))


def typed_value(field: Field, text: str) -> str | float:
    """What was typed for a setting: its number as the form reads it, or text. Raises ConfigError."""
    if field.kind not in ("int", "float"):
        return text
    try:
        return parse(text, field.kind == "int")
    except ReadableError as error:
        raise ConfigError("setting.refused", path=field.path, reason=error.text) from None
