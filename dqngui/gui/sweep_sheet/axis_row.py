"""One axis of a sweep: a setting with values or a range, or agents by name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from dqngui import presets
from dqngui.gui.settings_form.fields import ChoiceEditor
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.queue.sweep_draft import AxisDraft
from dqngui.schema import Field
from dqngui.texts.numbers import exact

_KINDS = (
    ("values", "Values", "A list of values of one setting"),
    ("range", "Range", "From a lowest to a highest value of one setting"),
    ("agents", "Agents", "Shipped agents by name, each with its own settings"),
)
EXAMPLES = 4  # values of a choice that are shown as an example


class AxisRow(QWidget):
    """Edits one axis.

    Attributes:
        kind, setting, values, low, high, log, count, agents: its controls.

    Signals:
        edited: the axis changed.
        removed: the person wants it away.
    """

    edited = Signal()
    removed = Signal()

    def __init__(self, settings: Sequence[Field], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields = {field.path: field for field in settings}
        self.kind = ChoiceEditor(_KINDS)
        self.kind.setFixedWidth(92)
        self.kind.setAccessibleName("Kind of axis")
        self.setting = self._setting_box(settings)
        self.values = self._line("values, as 16, 32, 64", "Values, divided by commas")
        self.low, self.high = self._line("low", "Lowest value"), self._line("high", "Highest value")
        self.count = self._line("count", "How many values a grid tries")
        self.log = QCheckBox("log")
        self.log.setToolTip("Spread the values over the magnitudes")
        self.log.toggled.connect(self.edited)
        self.agents = self._agents_button()
        self.pages = QStackedWidget()
        self._range = [self.low, self.high, self.count, self.log]
        for page in ((self.setting, self.values, *self._range), (self.agents,)):
            self.pages.addWidget(_row(*page))
        self.remove = QToolButton()
        self.remove.setIconSize(QSize(16, 16))
        self.remove.setIcon(themes.icon("close", "muted"))
        self.remove.setToolTip("Remove this axis")
        self.remove.setAccessibleName("Remove this axis")
        self.remove.clicked.connect(self.removed)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self.kind)
        box.addWidget(self.pages, 1)
        box.addWidget(self.remove)
        self.kind.edited.connect(self._on_kind)
        self.kind.set_value("values")
        self._show_kind()

    def _setting_box(self, settings: Sequence[Field]) -> QComboBox:
        box = QComboBox()
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setMinimumContentsLength(18)
        box.setMaxVisibleItems(16)
        for field in settings:
            box.addItem(f"{field.label} ({field.path})", field.path)
            box.setItemData(box.count() - 1, plain_tip(field.help), Qt.ItemDataRole.ToolTipRole)
        box.setCurrentIndex(-1)
        box.setAccessibleName("Setting that is varied")
        box.setToolTip("The setting that is varied: type a part of its name")
        edit = box.lineEdit()
        assert edit is not None
        edit.setPlaceholderText("setting, as learning rate")
        completer = QCompleter(box.model(), box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        box.setCompleter(completer)
        box.currentTextChanged.connect(self._on_setting)
        return box

    def _line(self, placeholder: str, tip: str) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText(placeholder)
        line.setToolTip(tip)
        line.setAccessibleName(tip)
        line.setMinimumWidth(60)
        line.textChanged.connect(self.edited)
        return line

    def _agents_button(self) -> QPushButton:
        button = QPushButton("Choose agents…")
        button.setToolTip("Each chosen agent is one value of this axis")
        menu = QMenu(button)
        self._agent_actions = []
        for name in presets.agent_names():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.toggled.connect(self._on_agents)
            self._agent_actions.append(action)
        button.setMenu(menu)
        return button

    # -- what is chosen ----------------------------------------------------------------------------

    def path(self) -> str:
        """The dotted name of the setting; what was typed if it is none of those that are offered."""
        text = self.setting.currentText().strip()
        index = self.setting.findText(text)
        return str(self.setting.itemData(index)) if index >= 0 else text

    def axis(self) -> AxisDraft:
        """The axis as it is typed."""
        kind = self.kind.value()
        if kind == "agents":
            return AxisDraft("agents", agents=self.chosen_agents())
        if kind == "values":
            return AxisDraft("values", self.path(), self.values.text())
        return AxisDraft(
            "range", self.path(), low=self.low.text(), high=self.high.text(), count=self.count.text(),
            log=self.log.isChecked(),
        )  # fmt: skip

    def chosen_agents(self) -> tuple[str, ...]:
        """Names of the chosen agents."""
        return tuple(action.text() for action in self._agent_actions if action.isChecked())

    def choose_agents(self, *names: str) -> None:
        """Choose these agents."""
        for action in self._agent_actions:
            action.setChecked(action.text() in names)

    def choose(self, path: str) -> None:
        """Choose a setting by its dotted name."""
        self.setting.setCurrentIndex(self.setting.findData(path))

    def set_kind(self, kind: str) -> None:
        """Choose a kind of axis, as a person does."""
        self.kind.set_value(kind)
        self._on_kind()

    @Slot()
    def _on_kind(self) -> None:
        self._show_kind()
        self.edited.emit()

    def _show_kind(self) -> None:
        kind = self.kind.value()
        self.pages.setCurrentIndex(kind == "agents")
        self.values.setVisible(kind == "values")
        for widget in self._range:
            widget.setVisible(kind == "range")

    @Slot()
    def _on_setting(self) -> None:
        field = self._fields.get(self.path())
        if field is not None:
            self.values.setPlaceholderText(_example(field))
            self.values.setToolTip(plain_tip(f"{field.help}\n{_allowed(field)}"))
            if field.log:
                self.log.setChecked(True)
        self.edited.emit()

    @Slot()
    def _on_agents(self) -> None:
        names = self.chosen_agents()
        self.agents.setText(", ".join(names) if names else "Choose agents…")
        self.edited.emit()


def _example(field: Field) -> str:
    if field.kind == "choice":
        more = ", …" if len(field.choices) > EXAMPLES else ""
        return ", ".join(map(str, field.choices[:EXAMPLES])) + more
    if field.kind == "bool":
        return "true, false"
    return "values, as 16, 32, 64" if field.kind == "int" else "values, divided by commas"


def _allowed(field: Field) -> str:
    if field.kind == "choice":
        return f"Allowed: {', '.join(map(str, field.choices))}"
    bounds = [f"at least {exact(field.low)}"] if field.low is not None else []
    bounds += [f"at most {exact(field.high)}"] if field.high is not None else []
    return ", ".join(bounds).capitalize()


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(6)
    for place, widget in enumerate(widgets):
        line.addWidget(widget, 3 if place == 0 else 4 if place == 1 else 0)
    return holder
