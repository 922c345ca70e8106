"""The line above the action values while a person drives: who acts, and whether each step waits for a key."""

from __future__ import annotations

from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.lab.playback.driver import Driver

_KEPT_OUT = "A driven episode exists only in this card: the agent does not learn from it, and no run stores it."


class DrivingStrip(QWidget):
    """Shows who acts and the keys of the actions; hidden if no person drives."""

    def __init__(self, driver: Driver, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._driver = driver
        self._icon = plain_label()
        self.text = ElidedLabel()
        self.waits = QToolButton()
        self.waits.setCheckable(True)
        self.waits.setIconSize(QSize(16, 16))
        self.waits.setFixedSize(26, 22)
        self.waits.setAccessibleName("Each step waits for a key")
        self.waits.setToolTip("Wait for a key at each step. Otherwise steps follow at the environment's pace")
        self.waits.toggled.connect(driver.set_waits)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.waits)
        driver.changed.connect(self.update_words)
        self.hide()

    @Slot()
    def update_words(self) -> None:
        """Update the text from the driver."""
        driver = self._driver
        words = driver.words
        if words and words != self.text.text():
            self.text.setText(words)
            self.text.setToolTip(plain_tip(f"{words}. {driver.keys.in_words()} {driver.idle_in_words} {_KEPT_OUT}"))
            self.restyle(themes.current())
        blocked = self.waits.blockSignals(True)
        self.waits.setChecked(driver.waits)
        self.waits.blockSignals(blocked)
        if self.isHidden() == bool(words):
            self.setVisible(bool(words))

    def restyle(self, theme: Theme) -> None:
        token = "accent" if self.text.text().startswith("You") else "warn"
        self._icon.setPixmap(themes.icon("steering", token).pixmap(16, 16))
        self.waits.setIcon(themes.icon("gesture-tap-button"))
