"""The rows of the experiment form: a name, an editor and, for a setting that can be derived, a chip that says so."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from dqngui.gui.settings_form.fields import Editor
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label, plain_tip


class DerivedChip(QPushButton):
    """Says whether a setting is derived or set by hand; a click on one set by hand asks for deriving it again.

    Signals:
        asked: the setting should be derived again.
    """

    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Derived", parent)
        themes.set_role(self, "chip")
        self.clicked.connect(self.asked)
        self.show_derived(True, editable=False)

    def show_derived(self, derived: bool, *, editable: bool) -> None:
        """Show which of the two it is; only a setting that is set by hand and editable can be derived again."""
        self.setText("Derived" if derived else "Manual")
        self.setEnabled(editable and not derived)
        self.setToolTip(
            "Follows from the other settings. A value that you set stays as you set it."
            if derived
            else "Set by hand. Click to let it follow from the other settings."
        )


class FieldLabel(QLabel):
    """A setting's name, with an edge in the accent colour while the draft changes the setting."""

    changed = False

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def mark(self, changed: bool) -> None:
        if changed != self.changed:
            self.changed = changed
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.changed:
            edge = QRect(self.width() - 4, 3, 3, self.height() - 6)
            QPainter(self).fillRect(edge, themes.current().color("accent"))


class FormRows(QWidget):
    """Labelled editors, one setting per line; `label_width` is in pixels."""

    def __init__(self, label_width: int = 138, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label_width = label_width
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(8)
        self._form.setVerticalSpacing(3)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.editors: dict[str, Editor] = {}
        self.labels: dict[str, FieldLabel] = {}
        self.chips: dict[str, DerivedChip] = {}
        self._lines: dict[str, QWidget] = {}

    def add(self, path: str, label: str, help: str, editor: Editor, *, derivable: bool = False) -> None:
        """Add a line for one setting, with a chip if it can be derived from others."""
        name = FieldLabel(label)
        name.setFixedWidth(themes.zoomed(self._label_width))
        name.setToolTip(plain_tip(help))
        name.setBuddy(editor)
        themes.set_role(name, "muted")
        editor.setMinimumWidth(72)
        line: QWidget = editor
        if derivable:
            line = QWidget()
            beside = QHBoxLayout(line)
            beside.setContentsMargins(0, 0, 0, 0)
            beside.setSpacing(6)
            beside.addWidget(editor, 1)
            self.chips[path] = DerivedChip()
            beside.addWidget(self.chips[path])
        self._form.addRow(name, line)
        self.editors[path], self.labels[path], self._lines[path] = editor, name, line

    def restyle(self) -> None:
        """Give the names the width that their text needs at the present zoom."""
        for name in self.labels.values():
            name.setFixedWidth(themes.zoomed(self._label_width))

    def add_remark(self) -> QLabel:
        """Add a line of text under the last editor, for a warning about its value; hidden while empty."""
        remark = plain_label()
        remark.setWordWrap(True)
        themes.set_role(remark, "warn")
        self._form.addRow("", remark)
        self._form.setRowVisible(remark, False)
        return remark

    def show_text(self, remark: QLabel, text: str) -> None:
        """Set the text of a remark or a note; an empty text hides it."""
        remark.setText(text)
        self._form.setRowVisible(remark, bool(text))

    def add_note(self) -> QLabel:
        """Add a text under the last editor, as wide as the form, which explains its value; hidden while empty."""
        note = plain_label()
        note.setWordWrap(True)
        note.setContentsMargins(0, 1, 0, 5)
        themes.set_role(note, "muted")
        self._form.addRow(note)
        self._form.setRowVisible(note, False)
        return note

    def add_button(self, text: str, tip: str) -> QPushButton:
        """Add a small button under the last editor, as wide as the form; hidden until `show_button` shows it."""
        button = QPushButton(text)
        button.setToolTip(plain_tip(tip))
        button.setAccessibleName(text)
        themes.set_role(button, "small")
        self._form.addRow(button)
        self._form.setRowVisible(button, False)
        return button

    def show_button(self, button: QPushButton, visible: bool) -> None:
        self._form.setRowVisible(button, visible)

    def clear(self) -> None:
        """Remove every line."""
        while self._form.rowCount():
            self._form.removeRow(0)
        for each in (self.editors, self.labels, self.chips, self._lines):
            each.clear()

    def show_row(self, path: str, visible: bool) -> None:
        self._form.setRowVisible(self._lines[path], visible)


class Section(QWidget):
    """A heading that shows or hides the rows under it."""

    def __init__(self, title: str, rows: Sequence[FormRows], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        self.toggle = QToolButton()
        self.toggle.setText(title)
        self.toggle.setCheckable(True)
        self.toggle.setIconSize(QSize(14, 14))
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setToolTip(f"Show or hide the other settings: {title.lower()}")
        themes.set_role(self.toggle, "disclosure")
        self.toggle.toggled.connect(self._fold)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.toggle)
        for each in rows:
            box.addWidget(each)
        self._fold(False)

    def _fold(self, unfolded: bool) -> None:
        for each in self.rows:
            each.setVisible(unfolded and bool(each.editors))
        self.restyle(themes.current())

    def restyle(self, theme: Theme) -> None:
        for each in self.rows:
            each.restyle()
        self.toggle.setIcon(themes.icon("chevron-down" if self.toggle.isChecked() else "chevron-right", "muted"))

    def refresh(self) -> None:
        """Show or hide the rows again after lines were added or removed."""
        self._fold(self.toggle.isChecked())
