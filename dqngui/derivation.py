"""Derived settings: rules that compute a setting from the others, for each setting that no person has chosen.

`Experiment.derived` names the settings whose value a rule gave. What a person sets is removed from it and stays as it
was set; what is still named there follows when the settings change that its rule reads. If another task is chosen, the
settings that follow from the task stay named there and wait: they are derived anew once it is measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from dqngui import catalog
from dqngui.config import SECTIONS, Experiment
from dqngui.rules import MEMORY_OPTIONS, RULES, TASK_RULES
from dqngui.schema import Field, fields_of

AUTOMATIC = "auto"
"""In place of the value of a setting that has a rule: derive it (again)."""


def derivable(experiment: Experiment) -> list[str]:
    """The settings of this experiment that have a rule; options of other memories than its own are not among
    them, nor are settings that follow from a task that was not measured, unless they wait for that.
    """

    def known(path: str) -> bool:
        return experiment.task is not None or path not in TASK_RULES or path in experiment.derived

    return [path for path in RULES if known(path) and _field(experiment, path) is not None]


def awaits_task(experiment: Experiment) -> bool:
    """Whether settings follow from the task, and the task was not measured."""
    return experiment.task is None and any(path in TASK_RULES for path in experiment.derived)


def derived_value(experiment: Experiment, path: str) -> Any:
    """The value that its rule gives to a derivable setting."""
    field = _field(experiment, path)
    assert field is not None, path
    value = RULES[path](experiment)
    if value is None:
        return msgspec.to_builtins(field.default)
    if isinstance(value, (int, float)) and field.kind in ("int", "float"):
        low = value if field.low is None else field.low
        high = value if field.high is None else field.high
        return field.type(max(low, min(value, high)))
    return msgspec.to_builtins(value)


def resolved(
    experiment: Experiment,
    missing: Collection[str],
    before: Experiment | None = None,
    automatic: Collection[str] = (),
) -> Experiment:
    """A copy whose derived settings have the values that their rules give. It is not checked.

    Args:
        missing: settings that nobody has given; those with a rule become derived.
        before: the experiment before a change: a setting that was derived before gets a new value only if its rule
            now gives another one. None: derived settings that are not missing keep their values, as in a stored run,
            whose settings are never derived anew.
        automatic: the missing settings that somebody wants to be derived; they wait for a task that was not measured.
    """
    given = {*experiment.derived, *automatic}
    experiment = msgspec.structs.replace(experiment, derived=tuple(given))
    derived = tuple(path for path in derivable(experiment) if path in given or path in missing)
    experiment = msgspec.structs.replace(experiment, derived=derived)  # rules ask what is derived and what was chosen
    for path in derived:
        if path in TASK_RULES and experiment.task is None:
            if path in missing and before is not None and path in before.derived:
                experiment = _replaced(experiment, path, _value(before, path))
        elif path in missing:
            experiment = _replaced(experiment, path, derived_value(experiment, path))
        elif before is not None and _field(before, path) is not None and _knows(before, path):
            new = derived_value(experiment, path)
            if new != derived_value(before, path):
                experiment = _replaced(experiment, path, new)
        if path == "net.attention" and before is not None and experiment.net.attention != before.net.attention:
            net = msgspec.structs.replace(experiment.net, attention_options={})  # those of the former attention
            experiment = msgspec.structs.replace(experiment, net=net)
    return experiment


def _knows(experiment: Experiment, path: str) -> bool:
    return experiment.task is not None or path not in TASK_RULES


def without_automatic(data: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str], frozenset[str]]:
    """Plain data of an experiment without the values `auto` of settings that have a rule, the settings with a rule that
    the data then lack, and those of them that were `auto`.
    """
    plain, missing, automatic = dict(data), set(), set()
    for path in RULES:
        *parents, name = path.split(".")
        node: Any = plain
        for parent in parents:
            inner = node.get(parent)
            if not isinstance(inner, Mapping):
                node = {}
                break
            node[parent] = dict(inner)
            node = node[parent]
        if node.get(name) == AUTOMATIC:
            del node[name]
            automatic.add(path)
        if name not in node:
            missing.add(path)
    return plain, frozenset(missing), frozenset(automatic)


def still_derived(derived: Collection[str], changed: Collection[str]) -> list[str]:
    """Those of the derived settings that a change of the settings `changed` does not choose, wholly or in part."""

    def chosen(path: str) -> bool:
        return any(path == each or path.startswith(f"{each}.") or each.startswith(f"{path}.") for each in changed)

    return [path for path in derived if not chosen(path)]


def without_marks(experiment: Experiment) -> Experiment:
    """The same settings, as if all were chosen: to compare what two experiments train."""
    return msgspec.structs.replace(experiment, derived=())


def _field(experiment: Experiment, path: str) -> Field | None:
    """The description of a setting, None if this experiment has none of this name."""
    if path.startswith(MEMORY_OPTIONS):
        entry = catalog.MEMORIES.get(experiment.net.memory)
        fields = () if entry is None else fields_of(entry.options, MEMORY_OPTIONS)
    else:
        section = path.split(".", 1)[0]
        fields = fields_of(SECTIONS[section], f"{section}.")
    return next((field for field in fields if field.path == path), None)


def _value(experiment: Experiment, path: str) -> Any:
    section, name = path.split(".", 1)
    return msgspec.to_builtins(getattr(getattr(experiment, section), name))


def _replaced(experiment: Experiment, path: str, value: Any) -> Experiment:
    section, name = path.split(".", 1)
    part = getattr(experiment, section)
    if path.startswith(MEMORY_OPTIONS):
        options = {**part.memory_options, path.removeprefix(MEMORY_OPTIONS): value}
        part = msgspec.structs.replace(part, memory_options=options)
    else:
        typed = getattr(msgspec.convert({name: value}, type(part)), name)
        part = msgspec.structs.replace(part, **{name: typed})
    return msgspec.structs.replace(experiment, **{section: part})
