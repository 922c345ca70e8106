"""What was asked of the live knobs, what was answered, and what an undo would ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dqngui.config import Schedule
from dqngui.messages import KnobChanged, KnobRefused, SetKnob


class KnobLedger:
    """Bookkeeping of one run's knobs.

    Attributes:
        values: last acknowledged value of each knob that changed; None means on its schedule.
        refused: why the last change of a knob was refused.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.refused: dict[str, str] = {}
        self._unanswered: dict[str, list[tuple[Any, bool]]] = {}
        self._undo: list[tuple[str, Any]] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def pending(self, path: str) -> bool:
        """A change was sent and is not answered yet."""
        return bool(self._unanswered.get(path))

    def pending_value(self, path: str) -> Any:
        """The value last asked for; only while `pending`."""
        return self._unanswered[path][-1][0]

    def request(self, path: str, value: Any, *, undo: bool = False) -> SetKnob:
        """The command that asks for a value, noted as sent."""
        self.refused.pop(path, None)
        self._unanswered.setdefault(path, []).append((value, undo))
        return SetKnob(field=path, value=value)

    def undo(self) -> SetKnob | None:
        """The command that takes back the last change, noted as sent; None if there is nothing to undo."""
        if not self._undo:
            return None
        path, value = self._undo.pop()
        return self.request(path, value, undo=True)

    def accept(self, event: KnobChanged, before: Any) -> None:
        """Note an answer; `before` is the knob's value until now. Changes nobody here asked for cannot be undone."""
        unanswered = self._unanswered.get(event.field)
        undo = unanswered.pop(0)[1] if unanswered else True
        if not undo:
            self._undo.append((event.field, None if isinstance(before, Schedule) else before))
        self.values[event.field] = event.new
        self.refused.pop(event.field, None)

    def refuse(self, event: KnobRefused) -> None:
        """Note a refusal."""
        if unanswered := self._unanswered.get(event.field):
            unanswered.pop(0)
        self.refused[event.field] = event.words

    def keep_only(self, paths: Iterable[str]) -> None:
        """The experiment itself has the values of all other knobs now."""
        kept = set(paths)
        self.values = {path: value for path, value in self.values.items() if path in kept}

    def drop_unanswered(self) -> list[str]:
        """The job has ended: nothing will be answered any more. Returns the knobs concerned."""
        unanswered, self._unanswered = self._unanswered, {}
        return list(unanswered)
