"""Fields with arrows for numbers that are written and read like all others, whatever the system's language."""

from __future__ import annotations

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QWidget

from dqngui.texts.numbers import editable
from dqngui.texts.reading_numbers import parse

DECIMALS = 12
State = QValidator.State


class NumberBox(QDoubleSpinBox):
    """A field with arrows for a number. A text that can be two numbers is not taken over."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(DECIMALS)

    def textFromValue(self, value: float) -> str:
        return editable(round(value, DECIMALS))

    def valueFromText(self, text: str) -> float:
        number = _number(text, False)
        return self.value() if number is None else float(number)

    def validate(self, text: str, pos: int) -> tuple[State, str, int]:
        number = _number(text, False)
        fits = number is not None and self.minimum() <= number <= self.maximum()
        return (State.Acceptable if fits else State.Intermediate), text, pos

    def fixup(self, text: str) -> str:
        return text  # Qt would drop the language's thousands separators, and so make another number


class WholeNumberBox(QSpinBox):
    """A field with arrows for a whole number. A text that can be two numbers is not taken over."""

    def textFromValue(self, value: int) -> str:
        return editable(value)

    def valueFromText(self, text: str) -> int:
        number = _number(text, True)
        return self.value() if number is None else int(number)

    def validate(self, text: str, pos: int) -> tuple[State, str, int]:
        number = _number(text, True)
        fits = number is not None and self.minimum() <= number <= self.maximum()
        return (State.Acceptable if fits else State.Intermediate), text, pos

    def fixup(self, text: str) -> str:
        return text


def _number(text: str, whole: bool) -> float | None:
    try:
        return parse(text, whole)
    except ValueError:
        return None
