"""Settings in a few words: `lr 1e-3`, `double off`, `ε 1 → 0.05 over 10,000`."""

from __future__ import annotations

from typing import Any

from dqngui import catalog
from dqngui.config import ConfigError
from dqngui.settings import field_at
from dqngui.texts import Text, say, words
from dqngui.texts.numbers import exact


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


def value_text(value: Any) -> Text | str:
    """The value of a live setting; None means back on its schedule."""
    if value is None:
        return say("event.schedule")
    return exact(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def plain_value(value: Any) -> str:
    """A setting's value in words: `1e-3`, `off`, `none`, `1 → 0.05 over 10,000`."""
    if value is None or value in ([], {}):
        return "none"
    match value:
        case bool():
            return "on" if value else "off"
        case {"start": start, "end": end, "steps": steps}:
            return f"{plain_value(start)} → {plain_value(end)} over {plain_value(steps)}"
        case {"name": str(name), "options": options}:
            return f"{name} {plain_value(options)}" if options else name
        case dict():
            return ", ".join(f"{key} {plain_value(each)}" for key, each in value.items())
        case list():
            return ", ".join(plain_value(each) for each in value)
    return words(value_text(value))


def setting_text(path: str, value: Any) -> str:
    """A setting with its value: `lr 1e-3`, `wrappers none`; of memory, attention and task, the value's name alone."""
    match path:
        case "env.id":
            return str(value)
        case "net.memory" | "net.attention" if isinstance(value, str):
            return module_name(path, value)
    return f"{short_name(path)} {plain_value(value)}"


def module_name(path: str, name: str) -> str:
    """The name of a memory or an attention in the field: `GRU`, `no memory`."""
    entries = catalog.MEMORIES if path == "net.memory" else catalog.ATTENTIONS
    return (entries[name].label if name in entries else "") or name
