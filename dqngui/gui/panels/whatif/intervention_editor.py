"""A dialog for one change: where, what is done, and at which steps. What is chosen takes effect at once."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QListWidget,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from dqngui.lab.analysis.interventions import InterventionEntry

DOES = {"remove": "Erase or mask", "set": "Set to", "scale": "Multiply by"}
SPANS = {"on": "From that step on", "only": "That step only", "until": "Until step"}
MOST_STEPS = 1_000_000
ROW, MOST_ROWS = 26, 8


class InterventionEditor(QDialog):
    """Edits one change.

    Signals:
        edited(Intervention): the change as it is now.
    """

    edited = Signal(object)

    def __init__(self, row: InterventionEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self.setWindowTitle("Change")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        lever = row.lever
        self.places, self.do, self.value = QListWidget(), QComboBox(), QDoubleSpinBox()
        self.first, self.span, self.last = QSpinBox(), QComboBox(), QSpinBox()
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        title = f"{lever.text[:1].upper()}{lever.text[1:]}"
        if lever.labels:
            self._fill_places()
            form.addRow(title, self.places)
        if not lever.single and len(lever.does) > 1:
            for key in lever.does:
                self.do.addItem(DOES[key], key)
            self.do.setCurrentIndex(lever.does.index(row.do))
            form.addRow("What is done", self.do)
            form.addRow("Number", self.value)
        form.addRow("At step", self.first)
        form.addRow("How long", self.span)
        form.addRow("Last step", self.last)
        self._set_numbers()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(buttons)
        self._name()
        self._look()
        self.places.itemSelectionChanged.connect(self._on_edit)
        for box in (self.do, self.span):
            box.currentIndexChanged.connect(self._on_edit)
        for spin in (self.value, self.first, self.last):
            spin.valueChanged.connect(self._on_edit)

    def _fill_places(self) -> None:
        lever = self.row.lever
        kinds = QAbstractItemView.SelectionMode
        self.places.setSelectionMode(kinds.SingleSelection if lever.single else kinds.ExtendedSelection)
        self.places.addItems(list(lever.labels))
        for index in range(self.places.count()):
            self.places.item(index).setSizeHint(QSize(0, ROW))
        for place in self.row.places:
            self.places.item(place).setSelected(True)
        if self.row.places:
            self.places.setCurrentRow(self.row.places[0], self.places.selectionModel().SelectionFlag.NoUpdate)
        self.places.setFixedHeight(ROW * min(len(lever.labels), MOST_ROWS) + 2)

    def _set_numbers(self) -> None:
        row = self.row
        self.value.setRange(-1e6, 1e6)
        self.value.setDecimals(3)
        self.value.setSingleStep(0.1)
        self.value.setValue(row.value)
        for each in (self.value, self.first, self.last):
            each.setAlignment(Qt.AlignmentFlag.AlignRight)
        for spin in (self.first, self.last):
            spin.setRange(0, MOST_STEPS)
            spin.setGroupSeparatorShown(True)
        self.first.setValue(row.first)
        self.last.setValue(row.first if row.last is None else row.last)
        for key, text in SPANS.items():
            self.span.addItem(text, key)
        chosen = "on" if row.last is None else "only" if row.last == row.first else "until"
        self.span.setCurrentIndex(list(SPANS).index(chosen))

    def _name(self) -> None:
        for widget, name, tip in (
            (self.places, "Which ones", "Ctrl or Shift with a click chooses several; none chosen means all"),
            (self.do, "What is done", "Erase: to zero. Mask: the rest of the weights grows in its place"),
            (self.value, "Number", "What it is set to, or multiplied by"),
            (self.first, "First step", "The first step of the episode that is changed"),
            (self.span, "How long", "How long the change lasts"),
            (self.last, "Last step", "The last step that is changed"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

    def _look(self) -> None:
        """Show only what matters for what is chosen."""
        form = self.layout().itemAt(0).layout()  # type: ignore[union-attr]
        assert isinstance(form, QFormLayout)
        if self.do.count():
            form.setRowVisible(self.value, self.do.currentData() != "remove")
        form.setRowVisible(self.last, self.span.currentData() == "until")

    @Slot()
    def _on_edit(self) -> None:
        self._look()
        first, span = self.first.value(), self.span.currentData()
        self.last.setMinimum(first)
        last = None if span == "on" else first if span == "only" else max(first, self.last.value())
        places = tuple(sorted(self.places.row(item) for item in self.places.selectedItems()))
        if self.row.lever.single and not places:
            return
        row = replace(self.row, first=first, last=last, places=places, value=self.value.value())
        if self.do.count():
            row = replace(row, do=self.do.currentData())
        if row != self.row:
            self.row = row
            self.edited.emit(row)
