"""What assistive technology reads of a control where Qt's own answer says too little.

Qt names a combo box after its value, and gives the position of a slider in place of the value that it stands for. Here
a combo box is named after what it chooses, and a slider reports its value in the setting's unit. Used only while
assistive technology (or a test) asks.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAccessibleValueInterface
from PySide6.QtWidgets import QAccessibleWidget, QComboBox, QSlider, QWidget

FEWEST = 64  # interfaces, before those of deleted widgets are dropped


@runtime_checkable
class Valued(Protocol):
    """A control that stands for a number which is not its position."""

    def chosen_value(self) -> Any:
        """The number."""
        ...

    def value_words(self) -> str:
        """The number as it is shown, with its unit."""
        ...

    def limits(self) -> tuple[float, float]:
        """Smallest and largest number."""
        ...

    def choose(self, value: float) -> None:
        """Choose another number, as by a gesture."""
        ...


class NamedChoice(QAccessibleWidget):
    """A combo box with the name that the window gave it; its value is the chosen text."""

    def __init__(self, box: QComboBox) -> None:
        super().__init__(box, QAccessible.Role.ComboBox)

    def text(self, kind: QAccessible.Text) -> str:
        box = self.object()
        if not isinstance(box, QComboBox):
            return ""
        if kind == QAccessible.Text.Name:
            return box.accessibleName() or _label(box)
        if kind == QAccessible.Text.Value:
            return box.currentText()
        return super().text(kind)


class _Value(QAccessibleValueInterface):
    """The number of a control as assistive technology reads and changes it."""

    def __init__(self, owner: ValuedControl) -> None:
        super().__init__()
        self._owner = owner

    def currentValue(self) -> Any:
        return self._owner.control.chosen_value()

    def setCurrentValue(self, value: Any) -> None:
        self._owner.control.choose(float(value))

    def minimumValue(self) -> Any:
        return self._owner.control.limits()[0]

    def maximumValue(self) -> Any:
        return self._owner.control.limits()[1]

    def minimumStepSize(self) -> Any:
        return 0.0


class ValuedControl(QAccessibleWidget):
    """A slider that reports the number it stands for, in the setting's unit."""

    def __init__(self, slider: QWidget) -> None:
        super().__init__(slider, QAccessible.Role.Slider)
        self._value = _Value(self)

    @property
    def control(self) -> Valued:
        control = self.object()
        assert isinstance(control, Valued)
        return control

    def text(self, kind: QAccessible.Text) -> str:
        return self.control.value_words() if kind == QAccessible.Text.Value else super().text(kind)

    def interface_cast(self, kind: QAccessible.InterfaceType) -> Any:
        return self._value if kind == QAccessible.InterfaceType.ValueInterface else super().interface_cast(kind)


_kept: list[QAccessibleInterface] = []  # Qt owns them, but they have methods in Python


def _interface(_: str, control: QObject) -> QAccessibleInterface | None:
    made: QAccessibleInterface
    if isinstance(control, QComboBox):
        made = NamedChoice(control)
    elif isinstance(control, QSlider) and isinstance(control, Valued):
        made = ValuedControl(control)
    else:
        return None
    if len(_kept) >= FEWEST and len(_kept) & (len(_kept) - 1) == 0:
        _kept[:] = [each for each in _kept if shiboken6.isValid(each)]
    _kept.append(made)
    return made


def _label(box: QComboBox) -> str:
    """The text of the label that belongs to a combo box."""
    found = QAccessible.queryAccessibleInterface(box)
    labels = [
        other.text(QAccessible.Text.Name) for other, how in found.relations() if how == QAccessible.RelationFlag.Label
    ]
    return labels[0] if labels else ""


_installed: list[bool] = []


def install() -> None:
    """Let Qt ask here first; a second call does nothing."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_interface)
