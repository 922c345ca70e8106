"""The dialog with the list of breakpoints, and its button in the header with the number of enabled ones."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dqngui.gui.settings_form.fields import ChoiceEditor
from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.jobs.breakpoints import name_of, number_text, point_text
from dqngui.lab.analysis.breakpoints import OFFERED, WATCHED, BreakpointList
from dqngui.lab.analysis.quantities import QUANTITIES
from dqngui.messages import Breakpoint
from dqngui.texts import sentence, words
from dqngui.texts.reading_numbers import parse

REFRESH_MS = 400
_CONDITIONS = (
    ("above", "is above", "Pause when it is greater than the value"),
    ("below", "is below", "Pause when it is smaller than the value"),
    ("nan", "is not finite", "Pause when it is NaN or infinite, before the run fails because of it"),
)
_EMPTY = "No breakpoints yet. When a breakpoint becomes true, training pauses, so that you can inspect the agent."
_RULE = (
    "A breakpoint pauses once; it re-arms after its condition has become false. Breakpoints belong to this window and "
    "apply to every run that it trains."
)


class BreakpointDialog(QDialog):
    """Lists the breakpoints with present values; the user can enable, disable, remove and add them.

    Attributes:
        boxes: a check box for each breakpoint, checked if it is enabled.
        quantity, condition, value, add: the controls to add one; `present` shows the chosen quantity's value.
    """

    def __init__(self, breakpoints: BreakpointList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Breakpoints")
        self.setMinimumWidth(520)
        self._breakpoints = breakpoints
        self.boxes: list[QCheckBox] = []
        self._rows: list[tuple[str, QLabel]] = []
        self._shown: tuple[object, str] | None = None
        self._notice = plain_label()
        self._notice.setWordWrap(True)
        themes.set_role(self._notice, "warn")
        self._list = QFrame()
        self._list.setObjectName("card")
        self._lines = QVBoxLayout(self._list)
        self._lines.setContentsMargins(12, 8, 8, 8)
        self._lines.setSpacing(4)
        rule = plain_label(_RULE)
        rule.setWordWrap(True)
        themes.set_role(rule, "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        close.setToolTip("Close this list; the breakpoints stay")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addWidget(self._notice)
        column.addWidget(self._list)
        column.addLayout(self._adding())
        column.addWidget(rule)
        column.addStretch(1)
        column.addWidget(buttons)
        self.resize(520, 0)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.show_present_values)
        breakpoints.changed.connect(self.refresh)
        breakpoints.measured.connect(self.show_present_values)
        self.restyle(themes.current())

    def _adding(self) -> QGridLayout:
        names = [(each, _capital(words(name_of(each))), QUANTITIES[each].tip) for each in OFFERED]
        names = [(each, f"{name} (watching)" if each in WATCHED else name, tip) for each, name, tip in names]
        self.quantity, self.condition = ChoiceEditor(names), ChoiceEditor(_CONDITIONS)
        self.quantity.set_value("loss")
        self.condition.set_value("above")
        self.quantity.setAccessibleName("Quantity")
        self.condition.setAccessibleName("Condition")
        self.condition.setToolTip("When training pauses")
        self.value = QLineEdit()
        self.value.setAccessibleName("Value")
        self.value.setFixedWidth(90)
        self.add = QPushButton("Add")
        self.add.setToolTip("Add this breakpoint (Enter)")
        self.add.setDefault(True)
        self.present = plain_label()
        self.present.setWordWrap(True)
        themes.set_role(self.present, "muted")
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for place, widget in enumerate((self.quantity, self.condition, self.value, self.add)):
            grid.addWidget(widget, 0, place)
        grid.addWidget(self.present, 1, 0, 1, 4)
        grid.setColumnStretch(0, 1)
        self.quantity.edited.connect(self.show_present_values)
        self.condition.edited.connect(self._fit_value)
        self.value.textChanged.connect(self._fit_value)
        self.add.clicked.connect(self._add)
        return grid

    # -- display -----------------------------------------------------------------------------------

    def bring(self) -> None:
        """Show the dialog in front of the window."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.quantity.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._breakpoints.values_visible = True
        self._timer.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._breakpoints.values_visible = False
        self._timer.stop()

    @Slot()
    def refresh(self) -> None:
        """Update the list."""
        problem = self._breakpoints.problem
        shown = (self._breakpoints.entries, problem)
        if shown != self._shown:
            self._shown = shown
            self._notice.setText(problem)
            self._notice.setVisible(bool(problem))
            for widget in (self.quantity, self.condition):
                widget.setEnabled(not problem)
            self._fill()
        self._fit_value()
        self.show_present_values()

    def _fill(self) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._rows, self.boxes = [], []
        for index in range(len(self._breakpoints.entries)):
            self._lines.addWidget(self._line(index))
        if not self._breakpoints.entries:
            empty = plain_label(_EMPTY)
            empty.setWordWrap(True)
            themes.set_role(empty, "empty")
            self._lines.addWidget(empty)

    def _line(self, index: int) -> QWidget:
        entry = self._breakpoints.entries[index]
        condition, possible = words(point_text(entry.point)), not self._breakpoints.problem
        line = QWidget()
        watching = " · while watching" if entry.point.quantity in WATCHED else ""
        enabled = QCheckBox(f"{_capital(condition)}{watching}")
        enabled.setChecked(entry.enabled)
        enabled.setEnabled(possible)
        enabled.setToolTip(QUANTITIES[entry.point.quantity].tip)
        enabled.toggled.connect(lambda on: self._breakpoints.enable(index, on))
        present = plain_label()
        themes.set_role(present, "muted")
        remove = QToolButton()
        remove.setIcon(themes.icon("close", "muted"))
        remove.setIconSize(QSize(16, 16))
        remove.setEnabled(possible)
        remove.setToolTip("Remove this breakpoint")
        remove.setAccessibleName(f"Remove {condition}")
        remove.clicked.connect(lambda: self._breakpoints.remove(index))
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(enabled, 1)
        row.addWidget(present)
        row.addWidget(remove)
        self._rows.append((entry.point.quantity, present))
        self.boxes.append(enabled)
        return line

    @property
    def present_texts(self) -> list[str]:
        """The text next to each breakpoint."""
        return [label.text() for _, label in self._rows]

    @Slot()
    def show_present_values(self) -> None:
        """Update the present values."""
        for quantity, label in self._rows:
            label.setText(self._now(quantity))
        chosen = str(self.quantity.value())
        self.quantity.setToolTip(QUANTITIES[chosen].tip)
        self.present.setText(f"{QUANTITIES[chosen].tip} {_capital(self._now(chosen))}.")
        layout = self.layout()
        assert layout is not None
        layout.activate()
        wanted = layout.totalHeightForWidth(self.width())
        if self.height() < wanted:
            self.resize(self.width(), wanted)

    def _now(self, quantity: str) -> str:
        value = self._breakpoints.present(quantity)
        if value is not None:
            return f"now {words(number_text(value))}"
        return "not measured yet" if quantity in WATCHED else "no value yet"

    # -- adding a breakpoint -----------------------------------------------------------------------

    def _number(self) -> float | None:
        """The typed number; None if it cannot be read in one way only."""
        return None if self._problem() else parse(self.value.text(), False)

    def _problem(self) -> str:
        """Why the typed text is no number; empty if it is one."""
        try:
            parse(self.value.text(), False)
        except ValueError as error:
            return sentence(str(error))
        return ""

    @Slot()
    def _fit_value(self) -> None:
        possible, needed = not self._breakpoints.problem, self.condition.value() != "nan"
        self.value.setEnabled(possible and needed)
        self.value.setPlaceholderText("value" if needed else "")
        wrong = needed and bool(self.value.text()) and self._number() is None
        themes.set_role(self.value, "bad" if wrong else "")
        self.value.setToolTip(self._problem() if wrong else "A number such as 10, 1e-3 or 30k")
        self.add.setEnabled(possible and (not needed or self._number() is not None))

    @Slot()
    def _add(self) -> None:
        condition = self.condition.value()
        value = 0.0 if condition == "nan" else self._number()
        if value is not None:
            self.value.clear()
            self._breakpoints.add(Breakpoint(str(self.quantity.value()), condition, value))

    def restyle(self, theme: Theme) -> None:
        self._shown = None
        self.refresh()


class BreakpointButton(QToolButton):
    """A button that opens the list of breakpoints; coloured while some are enabled."""

    def __init__(self, breakpoints: BreakpointList, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._breakpoints, self._action = breakpoints, action
        self.setIconSize(QSize(18, 18))
        self.setFixedSize(30, 30)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(action.trigger)
        breakpoints.changed.connect(self.refresh)
        self.restyle(themes.current())

    @Slot()
    def refresh(self) -> None:
        """Show the number of enabled breakpoints."""
        enabled = self._breakpoints.enabled
        listed = "; ".join(words(point_text(point)) for point in enabled)
        summary = f"{counted(len(enabled), 'breakpoint')}: {listed}" if enabled else "Breakpoints: none is enabled"
        self.setToolTip(f"{summary} ({self._action.shortcut().toString()})")
        self.setAccessibleName(summary)
        self.setIcon(themes.icon(f"pause-octagon{'' if enabled else '-outline'}", "accent" if enabled else "muted"))

    def restyle(self, theme: Theme) -> None:
        self.refresh()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
