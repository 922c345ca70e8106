"""One editor widget for each kind of setting. Every editor has `value`, `set_value` and the signal `edited`.

`edited(value)` is emitted once per gesture: on Enter, on leaving the field, on a choice, or 300 ms after
the last key. A wheel turn over an editor without focus scrolls the form, not the value.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QPaintEvent, QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from dqngui import catalog
from dqngui.config.inline_toml import inline_toml
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.schema import Field
from dqngui.settings import WRAPPERS, WRAPPERS_EXAMPLE
from dqngui.texts.numbers import editable
from dqngui.texts.reading_numbers import parse

TYPING_MS = 300
MODULES: dict[str, Mapping[str, catalog.Entry]] = {
    "net.attention": catalog.ATTENTIONS,
    "net.memory": catalog.MEMORIES,
    "learn.algorithm": catalog.ALGORITHMS,
}
"""Settings whose values are entries of the catalog. The form shows all but the first sentence of an entry's summary
as a remark, because it warns (`Slow...`)."""
_HOSTS = {
    "thread": (
        "background thread",
        "Trains inside this program. Starts at once; a busy window slows training a little.",
    ),
    "process": ("own process", "Trains in a separate process. Faster and smoother; takes some seconds to start."),
}
"""Hosts that the window offers: (label, explanation). `inline` is missing: it would freeze the window."""


def take_typed() -> None:
    """Take over what a person is typing into a field, because an action follows that needs it."""
    field = QApplication.focusWidget()
    if isinstance(field, TextEditor):
        field.take_over()


class TextEditor(QLineEdit):
    """Edits a value as text. Subclasses convert between text and value (`text_of`, `parse`)."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value: Any = None
        self._typing = QTimer(self, interval=TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self._commit)
        self.textEdited.connect(self._typing.start)
        self.editingFinished.connect(self._commit)
        self._help = self._problem = ""
        self.role = ""

    def text_of(self, value: Any) -> str:
        return str(value)

    def parse(self, text: str) -> Any:
        """Convert a text to its value. Raises ValueError that says what is wrong."""
        return text.strip()

    def value(self) -> Any:
        return self._value

    def set_value(self, value: Any) -> None:
        """Show a value, unless a person is typing one."""
        if self._typing.isActive():
            return
        self._value = value
        text = self.text_of(value)
        if self.text() != text and not (self.hasFocus() and self._same(self.text(), value)):
            self.setText(text)
            self.setCursorPosition(0)
        self._mark("")

    def setToolTip(self, text: str) -> None:
        self._help = text
        super().setToolTip(text)

    def event(self, event: QEvent) -> bool:
        # Ctrl+Z undoes typing only while a person types; otherwise it is the undo of the window.
        undo = isinstance(event, QKeyEvent) and event.matches(QKeySequence.StandardKey.Undo)
        if undo and event.type() == QEvent.Type.ShortcutOverride and not self._typing.isActive():
            event.ignore()
            return False
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._typing.isActive():
            self._typing.stop()
            self.set_value(self._value)
            return
        super().keyPressEvent(event)

    def _same(self, text: str, value: Any) -> bool:
        try:
            return bool(self.parse(text) == value)
        except ValueError:
            return False

    def take_over(self) -> None:
        """Take over what is being typed, without waiting for its end."""
        if self._typing.isActive():
            self._commit()

    def _commit(self) -> None:
        self._typing.stop()
        try:
            value = self.parse(self.text())
        except ValueError as error:
            self._mark(str(error))
            return
        self._mark("")
        if value != self._value:
            self._value = value
            self.edited.emit(value)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Replace a text that cannot be parsed by the value in use."""
        super().focusOutEvent(event)
        if self._problem and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.set_value(self._value)

    def reject(self, rejected: bool) -> None:
        """Mark a value that can be parsed but does not fit the other settings."""
        if not self._problem:
            themes.set_role(self, self._bad_role if rejected else self.role)

    @property
    def _bad_role(self) -> str:
        return "knobBad" if self.role.startswith("knob") else "compactBad" if self.role == "compact" else "bad"

    def _mark(self, problem: str) -> None:
        self._problem = problem
        themes.set_role(self, self._bad_role if problem else self.role)
        super().setToolTip(plain_tip(f"{problem[:1].upper()}{problem[1:]}.") if problem else self._help)


class NumberEditor(TextEditor):
    """Edits a number, shown exactly; an empty text means None where that is allowed."""

    def __init__(self, kind: type, *, optional: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._optional = kind, optional
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        if optional:
            self.setPlaceholderText("none")

    def text_of(self, value: Any) -> str:
        return editable(float(value) if self._kind is float and value is not None else value)

    def parse(self, text: str) -> Any:
        if self._optional and not text.strip():
            return None
        return parse(text, self._kind is int)


class TomlEditor(TextEditor):
    """Edits a list or a table as TOML; a list of plain words or numbers needs no brackets.

    An option of the command line, as errors show it (`--set 'name=value'`), can be pasted: the value that it gives to
    this setting counts.
    """

    def __init__(self, kind: str, path: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind, self._path = kind, path
        self.setPlaceholderText("none")

    def text_of(self, value: Any) -> str:
        if not value:
            return ""
        if self._kind == "list" and all(isinstance(item, (str, int)) for item in value):
            return ", ".join(str(item) for item in value)
        text = inline_toml(value)
        return text[1:-1].strip()

    def parse(self, text: str) -> Any:
        text = _without_option(text.strip(), self._path)
        opened, closed = ("{", "}") if self._kind == "map" else ("[", "]")
        if not text:
            return {} if self._kind == "map" else []
        bare = text if text.startswith(opened) and text.endswith(closed) else f"{opened}{text}{closed}"
        try:
            return tomllib.loads(f"value = {bare}")["value"]
        except tomllib.TOMLDecodeError:
            if self._kind == "list" and not set(text) & set('[]{}="'):
                return [item.strip() for item in text.split(",") if item.strip()]
            example = 'name = "value", other = 2' if self._kind == "map" else "64, 64"
            raise ValueError(f"write it as {WRAPPERS_EXAMPLE if self._path == WRAPPERS else example}") from None


class ChoiceEditor(QComboBox):
    """Chooses one of several values; modules are shown with their label."""

    edited = Signal(object)

    def __init__(self, choices: Sequence[tuple[Any, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(20)
        self.setItemDelegate(QStyledItemDelegate(self))  # the default delegate ignores the stylesheet
        self.set_choices(choices)
        self.activated.connect(lambda index: self.edited.emit(self.itemData(index)))

    def set_choices(self, choices: Sequence[tuple[Any, str, str]]) -> None:
        """Offer these (value, text, tooltip); the chosen value stays chosen."""
        chosen = self.value()
        with QSignalBlocker(self):
            self.clear()
            for value, text, tip in choices:
                self.addItem(text, value)
                self.setItemData(self.count() - 1, plain_tip(tip), Qt.ItemDataRole.ToolTipRole)
            self.set_value(chosen)

    def value(self) -> Any:
        return self.currentData()

    def set_value(self, value: Any) -> None:
        index = self.findData(value)
        if index < 0 and isinstance(value, str) and value:
            self.addItem(value, value)
            index = self.count() - 1
        self.setCurrentIndex(index)

    def showPopup(self) -> None:
        """Open the list, as wide as its longest entry."""
        self.view().setMinimumWidth(max(self.width(), self.view().sizeHintForColumn(0) + 28))
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as any combo box, but end text that does not fit with an ellipsis."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        if self.currentIndex() < 0:
            option.currentText = self.placeholderText()
            option.palette.setBrush(QPalette.ColorRole.ButtonText, option.palette.placeholderText())
        style, kind = self.style(), QStyle.ComplexControl.CC_ComboBox
        field = style.subControlRect(kind, option, QStyle.SubControl.SC_ComboBoxEditField, self)
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, field.width() - 4
        )
        painter.drawComplexControl(kind, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class SwitchEditor(QCheckBox):
    """A check box for a setting that is true or false."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clicked.connect(lambda checked: self.edited.emit(bool(checked)))

    def value(self) -> bool:
        return self.isChecked()

    def set_value(self, value: Any) -> None:
        self.setChecked(bool(value))


Editor = TextEditor | ChoiceEditor | SwitchEditor


def _without_option(text: str, path: str) -> str:
    """The value that `--set 'name=value' …` gives to the setting `path`; any other text as it is."""
    try:
        option, *assignments = shlex.split(text)
    except ValueError:  # no word, or a quotation mark that is not closed
        return text
    if option != "--set":
        return text
    values = (assignment.removeprefix(f"{path}=") for assignment in assignments if assignment.startswith(f"{path}="))
    return next(values, text)


def editor_for(field: Field) -> Editor:
    """Make the editor for a setting, with its help as tooltip."""
    editor: Editor
    if field.kind == "choice":
        choices = _HOSTS if field.path == "run.host" else field.choices
        editor = ChoiceEditor([(choice, *_named(field.path, choice)) for choice in choices])
    elif field.path == "run.device":
        editor = ChoiceEditor([(name, name, "") for name in ("auto", "cpu")])
    elif field.kind == "bool":
        editor = SwitchEditor()
    elif field.kind in ("int", "float"):
        editor = NumberEditor(field.type, optional=field.optional)
    elif field.kind in ("list", "map"):
        editor = TomlEditor(field.kind, field.path)
    else:
        editor = TextEditor()
    editor.setToolTip(field.help)
    editor.setAccessibleName(field.label)
    editor.setAccessibleDescription(field.help)
    return editor


def _named(path: str, choice: Any) -> tuple[str, str]:
    entry = MODULES.get(path, {}).get(choice)
    text = choice_label(path, choice)
    text = text if any(map(str.isupper, text)) else text.capitalize()  # minGRU keeps its capitals
    return text, entry.summary if entry else _HOSTS.get(choice, ("", ""))[1]


def choice_label(path: str, choice: Any) -> str:
    """The label of a choice, as it is written inside a sentence."""
    if path == "run.host" and choice in _HOSTS:
        return _HOSTS[choice][0]
    entry = MODULES.get(path, {}).get(choice)
    return str(choice) if entry is None else entry.label or str(choice).upper()
