"""The editor of a schedule: from one value to another over a number of steps."""

from __future__ import annotations

from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dqngui.config import Schedule
from dqngui.gui.settings_form.fields import NumberEditor
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.texts.numbers import measured

_NAMES = {"start": "start", "end": "end", "steps": "steps from start to end"}


class ScheduleEditor(QWidget):
    """Edits a linear schedule: start value, end value, number of steps.

    A line below says so if the steps are a share of the run; steps that are typed are no share any more. `setting` is
    the name of what changes, for assistive technology.
    """

    edited = Signal(object)

    def __init__(self, setting: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.0
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        lines.addLayout(line)
        self.parts = {"start": NumberEditor(float), "end": NumberEditor(float), "steps": NumberEditor(int)}
        for word, (name, stretch) in {"from": ("start", 3), "to": ("end", 3), "over": ("steps", 5)}.items():
            label = plain_label(word)
            themes.set_role(label, "muted")
            line.addWidget(label)
            editor = self.parts[name]
            editor.setMinimumWidth(36)
            editor.role = "compact"
            themes.set_role(editor, "compact")
            editor.setAccessibleName(f"{setting}: {_NAMES[name]}")
            editor.edited.connect(self._commit if name != "steps" else self._commit_steps)
            line.addWidget(editor, stretch)
        unit = plain_label("steps")
        themes.set_role(unit, "muted")
        line.addWidget(unit)
        self.note = plain_label()
        self.note.setWordWrap(True)
        themes.set_role(self.note, "muted")
        self.note.hide()
        lines.addWidget(self.note)

    def value(self) -> dict[str, Any]:
        value = {name: editor.value() for name, editor in self.parts.items()}
        return {**value, "share": self._share} if self._share else value

    def set_value(self, value: Any) -> None:
        if isinstance(value, Schedule):
            value = msgspec.to_builtins(value)
        if isinstance(value, dict):
            for name, editor in self.parts.items():
                editor.set_value(value[name])
            self._show_share(value.get("share", 0.0))

    def _show_share(self, share: float) -> None:
        self._share = share
        self.note.setText(
            f"{measured(100 * share)} % of the run: the steps follow the total steps until you type others."
        )
        self.note.setVisible(share > 0)

    def _commit(self, _: Any) -> None:
        self.edited.emit(self.value())

    def _commit_steps(self, _: Any) -> None:
        self._show_share(0.0)
        self.edited.emit(self.value())
