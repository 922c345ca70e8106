"""The settings of a run as the filter of the list of runs finds them: by key or label, with their value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from dqngui import catalog, settings
from dqngui.config import Experiment
from dqngui.lab.library.run_names import setting_text
from dqngui.lab.library.run_settings import RunSettings, flat_settings
from dqngui.lab.library.typed_words import number_in, plain
from dqngui.lab.session.event_words import label_of, short_name
from dqngui.runs.folder import RunSummary
from dqngui.texts.numbers import measured

Slot = Literal["attention", "memory"]
_ON, _OFF, _NONE = frozenset({"on", "true", "yes"}), frozenset({"off", "false", "no"}), frozenset({"none", "off", "no"})


def is_value(word: str) -> bool:
    """Whether a word after the name of a setting is a value of it, right or wrong, and not a word of a title."""
    return word in _ON | _OFF | _NONE or number_in(word) is not None


@dataclass(slots=True)
class Values:
    """What can be typed as the value of a setting: numbers in any form, and the beginnings of texts."""

    numbers: set[float] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def has(self, word: str) -> bool:
        """Whether this word is one of the values; a number must be equal, of a text the beginning is enough."""
        value = number_in(word)
        if value is not None and any(abs(value - number) <= 1e-9 * abs(number) for number in self.numbers):
            return True
        return any(text == word or (value is None and text.startswith(word)) for text in self.texts)

    def add(self, value: Any) -> None:
        """Add a value; of a list, of a schedule and of a module with options each part too."""
        match value:
            case bool():
                self.texts |= _ON if value else _OFF
            case None:
                self.texts |= _NONE
            case list() | dict() if not value:
                self.texts |= _NONE
            case int() | float():
                self.numbers.add(float(value))
            case list():
                for each in value:
                    self.add(each)
            case dict():
                self.texts |= {plain(str(key)) for key in value}
                for each in value.values():
                    self.add(each)
            case _:
                self.texts |= {plain(str(value)), *plain(str(value)).split()}


@dataclass(frozen=True, slots=True)
class SearchedSettings:
    """The settings of a run.

    Attributes:
        values: by each name under which a setting is known: `learn.lr`, `lr`, `learning rate`.
        text: the settings that were changed, with their names.
        numbers: the numbers in these.
    """

    values: Mapping[str, Values]
    text: str
    numbers: frozenset[float]


def searched_settings(summary: RunSummary, known: RunSettings | None) -> SearchedSettings:
    """The settings of the run with this summary; `known`: None if only the summary was read."""
    values: dict[str, Values] = {}
    for name, value in _of_summary(summary):
        values.setdefault(name, Values()).add(value)
    changed, texts = Values(), ["seed steps"]
    options = {**_options("attention", summary.attention), **_options("memory", summary.memory)}
    for path, value in known.values.items() if known is not None else ():
        label, default = options.get(path, (label_of(path), _defaults().get(path)))
        names = names_of(path, label)
        for name in names:
            values.setdefault(name, Values()).add(value)
        if value != default and known is not None and path not in known.derived:
            changed.add(value)
            texts.append(" ".join([*names, plain(setting_text(path, value))]))
    return SearchedSettings(values, " ".join(texts), frozenset(changed.numbers))


@cache
def names_of(path: str, label: str | None = None) -> tuple[str, ...]:
    """The names of a setting as they are typed: key, dotted key, label, and label without its Greek letter."""
    parts = path.split(".")
    keys = [".".join(parts[first:]) for first in range(len(parts))]
    label = plain(label or "")
    spoken = label[:-2] if label[-2:-1] == " " and "α" <= label[-1] <= "ω" else label
    names = [*keys, *(key.replace("_", " ") for key in keys), label, spoken, plain(short_name(path))]
    return tuple(dict.fromkeys(name for name in names if name))


def _of_summary(summary: RunSummary) -> Iterator[tuple[str, Any]]:
    """(name, value) of what the list shows in columns of its own."""
    for name in names_of("run.seed", label_of("run.seed")):
        yield name, summary.seed
    for name in ("steps", "step"):
        yield name, summary.step
        yield name, summary.total_steps
    if summary.best is not None:
        yield "test", summary.best
        yield "test", number_in(plain(measured(summary.best)))  # as the list shows it
    for path, value, entries in (
        ("env.id", summary.env, {}),
        ("net.memory", summary.memory, catalog.MEMORIES),
        ("net.attention", summary.attention, catalog.ATTENTIONS),
    ):
        for name in (*names_of(path, label_of(path)), *(("task", "env") if path == "env.id" else ())):
            yield name, value
            if value in entries and entries[value].label:
                yield name, entries[value].label


@cache
def _defaults() -> dict[str, Any]:
    return flat_settings(Experiment()).values


@cache
def _options(slot: Slot, name: str) -> dict[str, tuple[str, Any]]:
    """(label, default) of each option of a module; of an unknown one nothing."""
    entries = catalog.ATTENTIONS if slot == "attention" else catalog.MEMORIES
    if name not in entries:
        return {}
    return {each.path: (each.label, each.default) for each in settings.options_fields(slot, name)}
