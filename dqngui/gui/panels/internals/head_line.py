"""A line above a single head: its name, and buttons to the previous, the next and all heads."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel

HEIGHT = 24


class HeadLine(QWidget):
    """The name of the head and three buttons.

    Signals:
        left: the user goes back to all heads.
        step_requested(int): the user asks for a step to the next (1) or previous (-1) head.
    """

    left = Signal()
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.name = ElidedLabel("", self)
        self._buttons = {
            "arrow-left": self._button("arrow-left", "All heads (Esc)", self.left.emit),
            "chevron-left": self._button(
                "chevron-left", "Previous head (Shift+H)", lambda: self.step_requested.emit(-1)
            ),
            "chevron-right": self._button("chevron-right", "Next head (H)", lambda: self.step_requested.emit(1)),
        }
        back, before, after = self._buttons.values()
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 0, 4, 0)
        line.setSpacing(4)
        for widget in (back, self.name, before, after):
            line.addWidget(widget, 1 if widget is self.name else 0)
        self.restyle(themes.current())

    def _button(self, icon: str, tip: str, do: object) -> QToolButton:
        button = QToolButton(self)
        button.setIconSize(QSize(16, 16))
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(" (")[0])
        button.clicked.connect(lambda: do())  # type: ignore[operator]
        return button

    def restyle(self, theme: Theme) -> None:
        for icon, button in self._buttons.items():
            button.setIcon(themes.icon(icon, "muted"))
