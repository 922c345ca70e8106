"""The live settings of a running job: their present values, values set by hand, and checked changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dqngui.config import ConfigError, Experiment, Schedule
from dqngui.derivation import still_derived
from dqngui.messages import KnobChanged, KnobRefused, SetKnob
from dqngui.schema import SMALLEST
from dqngui.settings import check_schedules, checked, field_at, knob_value, live_fields
from dqngui.texts import say

_SCHEDULED = [field.path for field in live_fields() if field.scheduled and field.path != "learn.epsilon"]

_MANUAL = [field.path for field in live_fields() if field.scheduled]
_LIVE = [field.name for field in live_fields() if field.path.startswith("learn.")]

_ABOVE_ZERO = {field.name for field in live_fields() if field.low_open and field.path.startswith("learn.")}


class Knobs:
    """An experiment whose live settings can change.

    Attributes:
        experiment: with the present values of plain settings; schedules are kept.
        manual: values of scheduled settings that were set by hand, by dotted name.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.manual: dict[str, float] = {}
        self._at: tuple[Experiment, dict[str, float], Experiment] | None = None  # what `at` gave last, and of what

    def epsilon(self, step: int) -> float:
        """Present exploration rate."""
        return self._number("learn.epsilon", step)

    def at(self, step: int) -> Experiment:
        """The experiment with the present number in place of each schedule.

        The schedule of ε stays, because actors get its present number separately.
        """
        began = self.experiment
        if self._at is not None and self._at[0] is began and not self._at[1]:
            return self._at[2]
        values = {path: self._number(path, step) for path in _SCHEDULED if isinstance(self._setting(path), Schedule)}
        if self._at is None or self._at[0] is not began or self._at[1] != values:
            learn = began.learn
            if values:
                learn = msgspec.structs.replace(learn, **{path.split(".")[1]: value for path, value in values.items()})
            self._at = began, values, msgspec.structs.replace(began, learn=learn) if values else began
        return self._at[2]

    def _number(self, path: str, step: int) -> float:
        """The present number: the one set by hand, or that of the schedule at this step, or the setting itself."""
        value = self._setting(path)
        if isinstance(value, Schedule):
            return self.manual.get(path, value.at(step))
        return float(value)

    def apply(self, command: SetKnob, step: int) -> KnobChanged | KnobRefused:
        """Change one setting, or refuse with the reason."""
        path = command.field
        try:
            value = knob_value(path, command.value)
        except ConfigError as error:
            return KnobRefused(step=step, field=path, value=command.value, kept=self._present(path), reason=error.text)
        old = self._present(path)
        if isinstance(self._setting(path), Schedule):
            if value is None:
                self.manual.pop(path, None)
            else:
                self.manual[path] = value
            return KnobChanged(step=step, field=path, old=old, new=value)
        if value is None and field_at(path).scheduled:
            reason = say("setting.no_schedule", path=path)
            return KnobRefused(step=step, field=path, value=None, kept=old, reason=reason)
        try:
            self.experiment = checked(self._replaced(path, value))
        except ConfigError as error:
            return KnobRefused(step=step, field=path, value=command.value, kept=old, reason=error.text)
        return KnobChanged(step=step, field=path, old=old, new=value)

    def _setting(self, path: str) -> Any:
        section, name = path.split(".", 1)
        return getattr(getattr(self.experiment, section), name)

    def _present(self, path: str) -> Any:
        """The present value; of a schedule the value set by hand, or None while the schedule holds."""
        try:
            field_at(path)
        except ConfigError:
            return None
        value = self._setting(path)
        if isinstance(value, Schedule):
            return self.manual.get(path)
        return value if isinstance(value, (bool, int, float, str)) else None

    def _replaced(self, path: str, value: Any) -> Experiment:
        section, name = path.split(".", 1)
        part = msgspec.structs.replace(getattr(self.experiment, section), **{name: value})
        derived = tuple(still_derived(self.experiment.derived, (path,)))
        return msgspec.structs.replace(self.experiment, **{section: part}, derived=derived)

    # -- saving -----------------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """Plain data that `restore` takes."""
        learn, derived = msgspec.to_builtins(self.experiment.learn), list(self.experiment.derived)
        return {"learn": learn, "manual": dict(self.manual), "derived": derived}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over the live settings of what `data` gave. Raises an error of any kind if it is damaged."""
        learn = msgspec.convert(_within_bounds(data["learn"]), type(self.experiment.learn))
        derived = data.get("derived", self.experiment.derived)  # states of earlier versions lack it
        derived = msgspec.convert(derived, tuple[str, ...])
        live = {name: getattr(learn, name) for name in _LIVE}
        learn = msgspec.structs.replace(self.experiment.learn, **live)
        experiment = msgspec.structs.replace(self.experiment, learn=learn, derived=derived)
        check_schedules(experiment)
        manual = {}
        for path, value in data["manual"].items():
            if path not in _MANUAL or not isinstance(value, (int, float)):
                raise ValueError(path)
            name = path.removeprefix("learn.")
            manual[path] = knob_value(path, _within_bounds({name: value})[name])
        self.experiment, self.manual = checked(experiment), manual


def _within_bounds(learn: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of `learn` from a saved state, those that must be above 0 made so.

    Runs of earlier versions could set them to 0 while they trained (`schema.SMALLEST`), and must still be readable.
    """
    return {
        name: max(value, SMALLEST) if name in _ABOVE_ZERO and isinstance(value, float) else value
        for name, value in learn.items()
    }
