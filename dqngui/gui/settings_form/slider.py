"""A slider for a setting. Each gesture sends `chosen` once; `previewed` is sent while the handle moves."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from dqngui.gui.settings_form.scale import STOPS, Scale
from dqngui.texts.numbers import exact

KEYS_MS = 300


class ValueSlider(QSlider):
    """Chooses a value on a `Scale`.

    Signals:
        previewed(value): the handle moves; the value is not chosen yet.
        chosen(value): sent on release, or 300 ms after the last key or wheel turn.
    """

    previewed = Signal(object)
    chosen = Signal(object)

    def __init__(self, scale: Scale, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._scale, self._unit = scale, unit
        self._shown: float | None = None
        self.setRange(0, STOPS)
        self.setSingleStep(10)
        self.setPageStep(100)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._keys = QTimer(self, interval=KEYS_MS, singleShot=True)
        self._keys.timeout.connect(self._choose)
        self.valueChanged.connect(self._moved)
        self.sliderReleased.connect(self._choose)

    @property
    def busy(self) -> bool:
        """Whether a gesture is in progress: the slider then shows the user's value, not the run's."""
        return self.isSliderDown() or self._keys.isActive()

    def show_value(self, value: float) -> None:
        """Move the handle to a value without a signal; ignored while a gesture is in progress."""
        if not self.busy:
            with QSignalBlocker(self):
                self.setValue(self._scale.position(value))
            self._shown = value

    def chosen_value(self) -> Any:
        """The number that the control stands for: the one shown last, or that of the handle once it moved."""
        return self._scale.value(self.value()) if self._shown is None else self._shown

    def value_words(self) -> str:
        """The number as the field beside it shows it, with its unit."""
        return f"{exact(self.chosen_value())} {self._unit}".rstrip()

    def limits(self) -> tuple[float, float]:
        """Smallest and largest number."""
        return self._scale.value(0), self._scale.value(STOPS)

    def choose(self, value: float) -> None:
        """Choose another number, as by the keyboard."""
        self.setValue(self._scale.position(value))

    def _moved(self, position: int) -> None:
        self._shown = None
        self.previewed.emit(self._scale.value(position))
        if not self.isSliderDown():
            self._keys.start()

    def _choose(self) -> None:
        self._keys.stop()
        self.chosen.emit(self.chosen_value())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press outside the handle moves the handle under the pointer; the drag continues from there."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control, sub = QStyle.ComplexControl.CC_Slider, QStyle.SubControl
        handle = self.style().subControlRect(control, option, sub.SC_SliderHandle, self)
        inside = handle.contains(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and not inside and self.isEnabled():
            groove = self.style().subControlRect(control, option, sub.SC_SliderGroove, self)
            travel = max(1, groove.width() - handle.width())
            at = round(event.position().x()) - groove.x() - handle.width() // 2
            self.setSliderDown(True)
            self.setValue(QStyle.sliderValueFromPosition(0, STOPS, at, travel))
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
