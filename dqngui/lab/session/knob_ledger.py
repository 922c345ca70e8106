"""The ledger of live knobs: requested changes, their answers, and the values for undo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dqngui.config import Schedule
from dqngui.messages import KnobChanged, KnobRefused, SetKnob
from dqngui.texts import Text


class KnobLedger:
    """Records the requests and answers for the knobs of one run.

    Attributes:
        values: the last accepted value of each changed knob; None: it follows its schedule.
        refused: why the last change of a knob was refused.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.refused: dict[str, Text | str] = {}
        self._unanswered: dict[str, list[tuple[Any, bool]]] = {}
        self._undo: list[tuple[str, Any]] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def pending(self, path: str) -> bool:
        """Whether a change was sent and has no answer yet."""
        return bool(self._unanswered.get(path))

    def pending_value(self, path: str) -> Any:
        """The value requested last; only while `pending`."""
        return self._unanswered[path][-1][0]

    def request(self, path: str, value: Any, *, undo: bool = False) -> SetKnob:
        """Record a request for a value, and return its command."""
        self.refused.pop(path, None)
        self._unanswered.setdefault(path, []).append((value, undo))
        return SetKnob(field=path, value=value)

    def undo(self) -> SetKnob | None:
        """Record a request to undo the last change, and return its command; None if there is nothing to undo."""
        if not self._undo:
            return None
        path, value = self._undo.pop()
        return self.request(path, value, undo=True)

    def accept(self, event: KnobChanged, before: Any) -> None:
        """Record an accepted change; `before` is the former value. Only changes requested here can be undone."""
        unanswered = self._unanswered.get(event.field)
        undo = unanswered.pop(0)[1] if unanswered else True
        if not undo:
            self._undo.append((event.field, None if isinstance(before, Schedule) else before))
        self.values[event.field] = event.new
        self.refused.pop(event.field, None)

    def refuse(self, event: KnobRefused) -> None:
        """Record a refused change."""
        if unanswered := self._unanswered.get(event.field):
            unanswered.pop(0)
        self.refused[event.field] = event.reason

    def keep_only(self, paths: Iterable[str]) -> None:
        """Drop the values of all other knobs: the experiment contains them now."""
        kept = set(paths)
        self.values = {path: value for path, value in self.values.items() if path in kept}

    def drop_unanswered(self) -> list[str]:
        """Drop all unanswered requests, because the job has ended; returns their knobs."""
        unanswered, self._unanswered = self._unanswered, {}
        return list(unanswered)
