"""The names that people may type for settings and figures: `learn.lr`, `lr`, `learning rate`, `best`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from dqngui import catalog, settings
from dqngui.comparison.setting_words import label_of, setting_text, short_name
from dqngui.listing.figures import FIGURES, FOR_SETTINGS, MEASURE, Run, figure_of
from dqngui.listing.run_settings import RunSettings, usual
from dqngui.listing.typed_values import Values, values_of
from dqngui.listing.typed_words import plain
from dqngui.settings import options_fields

_MOST_KEPT = 20_000
Slot = Literal["attention", "memory"]
_MODULES: Mapping[Slot, Mapping[str, catalog.Entry]] = {"attention": catalog.ATTENTIONS, "memory": catalog.MEMORIES}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The keys (of figures, or paths of settings) that a name stands for; several if modules share an option."""

    keys: Mapping[str, tuple[str, ...]]

    def __contains__(self, name: str) -> bool:
        return name in self.keys


@cache
def known_paths() -> dict[str, str | None]:
    """Label of each setting that dqngui has, also of the options of all modules, by path."""
    paths: dict[str, str | None] = {field.path: field.label for field in settings.experiment_fields()}
    paths |= {path: label_of(path) for path in usual()}
    for slot, entries in _MODULES.items():
        for name in entries:
            for field in options_fields(slot, name):
                paths.setdefault(field.path, field.label)
    return dict(paths)


@lru_cache(maxsize=64)
def vocabulary(others: frozenset[str] = frozenset(), measures: frozenset[str] = frozenset()) -> Vocabulary:
    """All names.

    Args:
        others: paths of settings that are not dqngui's own, as those of a task.
        measures: names of the measures of tasks.
    """
    names: dict[str, dict[str, None]] = {}

    def add(name: str, key: str) -> None:
        names.setdefault(name, {})[key] = None

    for key, figure in FIGURES.items():
        for name in (key, *figure.names):
            add(name, key)
    for path, key in FOR_SETTINGS.items():
        for name in names_of(path, label_of(path)):
            add(name, key)
    for path, label in [*known_paths().items(), *((path, None) for path in sorted(others))]:
        if path not in FOR_SETTINGS:
            for name in names_of(path, label):
                add(name, path)
    for measure in sorted(measures):
        for name in (plain(measure), plain(f"{MEASURE}{measure}")):
            add(name, f"{MEASURE}{measure}")
    return Vocabulary({name: tuple(keys) for name, keys in names.items()})


@cache
def names_of(path: str, label: str | None = None) -> tuple[str, ...]:
    """The names of a setting as they are typed: key, dotted key, label, and label without its Greek letter."""
    parts = path.split(".")
    keys = [".".join(parts[first:]) for first in range(len(parts))]
    label = plain(label or "")
    spoken = label[:-2] if label[-2:-1] == " " and "α" <= label[-1] <= "ω" else label
    names = [*keys, *(key.replace("_", " ") for key in keys), label, spoken, plain(short_name(path))]
    return tuple(dict.fromkeys(name for name in names if name))


def value_at(run: Run, key: str) -> Any:
    """A setting or figure of a run; None if it has none, or if its settings were not read."""
    if (figure := figure_of(key)) is not None:
        return figure.get(run)
    return None if run.settings is None else run.settings.get(key)


def typed_values(run: Run, keys: Iterable[str]) -> Values | None:
    """What may be typed for a setting or figure of a run; None if the run has none of them."""
    found: list[Values] = []
    for key in keys:
        figure = figure_of(key)
        if figure is not None:
            typed = figure.typed(run) if figure.typed is not None else (figure.get(run),)
            found.append(values_of(typed[0] if len(typed) == 1 else list(typed)))
        elif run.settings is not None and (key in run.settings.changed or key in usual()):
            found.append(values_of(run.settings.get(key)))
    if len(found) < 2:
        return found[0] if found else None
    return Values(set().union(*(each.numbers for each in found)), set().union(*(each.texts for each in found)))


_changed: dict[tuple[int, str, str], tuple[RunSettings, str, frozenset[float]]] = {}
"""What `changed_text` gave, by the identity of the settings (kept beside it): thousands of runs share them."""


def changed_text(run: Run) -> tuple[str, frozenset[float]]:
    """(the settings that were changed, with their names and values; the numbers among the values)."""
    known = run.settings
    if known is None:
        return "", frozenset()
    key = id(known), run.summary.attention, run.summary.memory
    if (found := _changed.get(key)) is not None and found[0] is known:
        return found[1:]
    options = {**_options("attention", run.summary.attention), **_options("memory", run.summary.memory)}
    texts, values = [], Values()
    for path, value in known.changed.items():
        label, default = options.get(path, (known_paths().get(path), usual().get(path)))
        if value != default and path not in known.derived:
            values.add(value)
            texts.append(_text(path, label, value))
    if len(_changed) > _MOST_KEPT:
        _changed.clear()
    _changed[key] = known, " ".join(texts), frozenset(values.numbers)
    return _changed[key][1:]


_texts: dict[tuple[str, str | None, str], str] = {}


def _text(path: str, label: str | None, value: Any) -> str:
    key = path, label, repr(value)
    if (text := _texts.get(key)) is None:
        if len(_texts) > _MOST_KEPT:
            _texts.clear()
        text = _texts[key] = " ".join([*names_of(path, label), plain(setting_text(path, value))])
    return text


@cache
def _options(slot: Slot, name: str) -> dict[str, tuple[str, Any]]:
    """(label, default) of each option of a module; of an unknown one nothing."""
    if name not in _MODULES[slot]:
        return {}
    return {each.path: (each.label, each.default) for each in options_fields(slot, name)}
