"""A sweep while a person writes it: what was typed, the plan that follows from it, or the first mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from dqngui import presets
from dqngui.config import ConfigError, Experiment
from dqngui.derivation import AUTOMATIC
from dqngui.lab.background.worker import Worker
from dqngui.lab.session.draft import difference
from dqngui.schema import Field
from dqngui.settings import as_data, experiment_fields, options_fields, parse_assignments, with_settings
from dqngui.sweeps.planning import Plan, plan
from dqngui.sweeps.sweep_file import Base, Sweep, sweep_from, to_toml
from dqngui.texts import Text, reason_of
from dqngui.texts.reading_numbers import parse

TYPING_MS = 250
_NOT_VARIED = frozenset({"run.seed", "run.host", "title"})


@dataclass(frozen=True)
class AxisDraft:
    """One axis as it is typed.

    Attributes:
        kind: a list of values, a range, or agents by name.
    """

    kind: Literal["values", "range", "agents"] = "values"
    setting: str = ""
    values: str = ""
    low: str = ""
    high: str = ""
    count: str = ""
    log: bool = False
    agents: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """Plain data of the axis. Raises ConfigError for a value that cannot be read."""
        if self.kind == "agents":
            return {"choices": [{"agent": name} for name in self.agents]}
        if self.kind == "values":
            return {"setting": self.setting, "values": values_of(self.setting, self.values)}
        numbers = {"low": _number(self.low), "high": _number(self.high), "count": _number(self.count, whole=True)}
        given = {name: value for name, value in numbers.items() if value is not None}
        return {"setting": self.setting, "log": self.log, **given}


class SweepDraft(QObject):
    """Plans a sweep of an experiment in the background, whenever something was typed.

    Attributes:
        base: the experiment that every trial starts from.
        axes, values: what was typed; `values` by the dotted name of the field, None for what is not given.
        sweep, plan: what follows; None while there is a mistake, or nothing was planned yet.
        problem: the first mistake; empty if there is none.
        planning: whether what was typed last is being planned.

    Signals:
        changed: `sweep`, `plan`, `problem` or `planning` changed.
    """

    changed = Signal()

    def __init__(self, base: Experiment, runs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.base, self._runs = base, runs
        self.axes: list[AxisDraft] = []
        self.values: dict[str, Any] = {"seeds": "0-4"}
        self.sweep: Sweep | None = None
        self.plan: Plan | None = None
        self.problem: Text | str = ""
        self.planning = False
        self._written = 0  # so often it was changed
        self._base: Base | None = None
        self._thread = Worker("sweep", self)
        self._typing = QTimer(self, interval=TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self._begin_plan)

    def set_axes(self, axes: Sequence[AxisDraft]) -> None:
        """Replace the axes."""
        if list(axes) != self.axes:
            self.axes = list(axes)
            self._note()

    def set_value(self, path: str, value: Any) -> None:
        """Set a field; None or an empty text: it is not given."""
        value = None if value == "" else value
        if self.values.get(path) != value:
            self.values[path] = value
            self._note()

    def stop(self) -> None:
        """End the background thread."""
        self._typing.stop()
        self._thread.stop()

    def toml(self) -> str:
        """The sweep as a TOML file that `dqngui sweep` reads; empty while there is a mistake."""
        return to_toml(self.sweep) if self.sweep is not None else ""

    def _note(self) -> None:
        self._written += 1
        self.planning, self.sweep = True, None
        self._typing.start()
        self.changed.emit()

    @Slot()
    def _begin_plan(self) -> None:
        now = self._written
        self._thread.submit(partial(self._planned), partial(self._take, now), partial(self._refuse, now))

    def _planned(self) -> tuple[Sweep, Plan]:
        if self._base is None:
            self._base = base_for(self.base)
        sweep = sweep_from({**self._data(), "base": msgspec.to_builtins(self._base)})
        return sweep, plan(sweep, self.base, self._runs)

    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"axes": [axis.data() for axis in self.axes]}
        for path, value in self.values.items():
            if value is not None:
                *parents, name = path.split(".")
                node = data
                for parent in parents:
                    node = node.setdefault(parent, {})
                node[name] = value
        return data

    def _take(self, written: int, found: tuple[Sweep, Plan]) -> None:
        if written == self._written:
            (self.sweep, self.plan), self.problem, self.planning = found, "", False
            self.changed.emit()

    def _refuse(self, written: int, error: BaseException) -> None:
        if written == self._written:
            self.sweep = self.plan = None
            self.problem, self.planning = reason_of(error), False
            self.changed.emit()


def values_of(path: str, text: str) -> list[Any]:
    """The values of a list, divided by commas outside of brackets, or by semicolons. Raises ConfigError."""
    parts, depth = [""], 0
    divider = ";" if ";" in text else ","
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == divider and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    given = [part.strip() for part in parts if part.strip()]
    return [parse_assignments([f"{path or 'title'}={part}"])[path or "title"] for part in given]


def offered_settings(base: Experiment) -> list[Field]:
    """The settings that an axis may vary: all but the seed, with the options of the attention and memory of `base`."""
    fields = [field for field in experiment_fields() if field.path not in _NOT_VARIED]
    for slot in ("attention", "memory"):
        fields += options_fields(slot, getattr(base.net, slot))
    return [_with_slot(field) for field in fields if not field.path.endswith("_options")]


def _with_slot(field: Field) -> Field:
    """An option of a module with its module in the label, since several have options of one name."""
    slot, found, _ = field.path.removeprefix("net.").partition("_options.")
    if not found:
        return field
    return msgspec.structs.replace(field, label=f"{slot.capitalize()} {field.label[:1].lower()}{field.label[1:]}")


def base_for(experiment: Experiment) -> Base:
    """How the file of a sweep names an experiment: the preset that is nearest to it with the settings that differ, or
    else its environment with all settings.
    """
    best: Base | None = None
    for name in presets.preset_names():
        preset = presets.read_experiment(name)
        if preset.env.id != experiment.env.id:
            continue
        settings = _settings_from(preset, experiment)
        if settings is not None and (best is None or len(settings) < len(best.settings)):
            best = Base(file=name, settings=settings)
    return best or Base(env=experiment.env.id, settings=_all_settings(experiment))


def _settings_from(preset: Experiment, experiment: Experiment) -> dict[str, Any] | None:
    """The settings that make the preset the experiment; None if that cannot be written."""
    old, new = set(preset.derived), set(experiment.derived)
    changed = {path: value for path, (_, value) in difference(preset, experiment).items() if path not in new}
    changed |= dict.fromkeys(new - old, AUTOMATIC)
    changed |= {path: value for path, value in _all_settings(experiment).items() if path in old - new}
    if any(value is None for value in changed.values()):
        return None
    try:
        made = with_settings(preset, changed)
    except ConfigError:
        return None
    return changed if _trained(made) == _trained(experiment) else None


def _trained(experiment: Experiment) -> dict[str, Any]:
    data = as_data(experiment)
    return {section: data[section] for section in ("env", "net", "learn", "run")}


def _all_settings(experiment: Experiment) -> dict[str, Any]:
    sections = _trained(experiment)
    found = {f"{section}.{name}": value for section, part in sections.items() for name, value in part.items()}
    return {path: value for path, value in found.items() if path not in ("env.id", *experiment.derived) and value != {}}


def _number(text: str, *, whole: bool = False) -> float | int | None:
    if not text.strip():
        return None
    try:
        return parse(text, whole)
    except ValueError as error:
        raise ConfigError("sweep.number", given=text, problem=reason_of(error)) from None
