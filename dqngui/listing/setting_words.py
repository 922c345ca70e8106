"""Settings as words: labels, short names and values."""

from __future__ import annotations

from typing import Any

from dqngui.config import ConfigError
from dqngui.settings import field_at
from dqngui.texts import Text, say
from dqngui.texts.numbers import exact


def value_text(value: Any) -> Text | str:
    """A setting's value; None means back on its schedule."""
    if value is None:
        return say("event.schedule")
    return exact(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def label_of(path: str) -> str | None:
    """A setting's label; None if there is no such setting."""
    try:
        return field_at(path).label
    except ConfigError:  # a log of another version may name a setting that is gone
        return None


def short_name(path: str) -> str:
    """`lr`, `batch size`, `n-step`; the Greek letter of a label that ends in one."""
    name = path.rsplit(".", 1)[-1].replace("_", " ")
    label = label_of(path) or name
    if "α" <= label[-1:] <= "ω":
        return label[-1]
    return label.lower() if len(label) <= 10 else name
