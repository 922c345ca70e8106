"""A dialog that edits one intervention: its target, the operation and the steps. Each edit takes effect at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from dqngui.gui.widgets.number_box import NumberBox, WholeNumberBox
from dqngui.lab.analysis.interventions import InterventionEntry

OPERATIONS = {"remove": "Erase or mask", "set": "Set to", "scale": "Multiply by"}
SPANS = {"on": "From this step on", "only": "This step only", "until": "Until step"}
MAX_STEPS = 1_000_000
ROW_PX, MAX_ROWS = 26, 8
LegalAt = Callable[[int], tuple[bool, ...]]


class InterventionEditor(QDialog):
    """Edits one intervention.

    Signals:
        edited: the intervention as it is after an edit.
    """

    edited = Signal(object)

    def __init__(self, row: InterventionEntry, parent: QWidget | None = None, legal_at: LegalAt | None = None) -> None:
        """`legal_at(t)`: whether each action is legal at step t, if that is known; empty if it is not."""
        super().__init__(parent)
        self.row, self._legal_at = row, legal_at
        self.setWindowTitle("Change")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        target = row.target
        self.places, self.do, self.value = QListWidget(), QComboBox(), NumberBox()
        self.first, self.span, self.last = WholeNumberBox(), QComboBox(), WholeNumberBox()
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        title = f"{target.text[:1].upper()}{target.text[1:]}"
        if target.labels:
            self._fill_places()
            form.addRow(title, self.places)
        if not target.single and len(target.does) > 1:
            for key in target.does:
                self.do.addItem(OPERATIONS[key], key)
            self.do.setCurrentIndex(target.does.index(row.do))
            form.addRow("Operation", self.do)
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
        self._show_relevant()
        self.places.itemSelectionChanged.connect(self._on_edit)
        for box in (self.do, self.span):
            box.currentIndexChanged.connect(self._on_edit)
        for spin in (self.value, self.first, self.last):
            spin.valueChanged.connect(self._on_edit)

    def _fill_places(self) -> None:
        target = self.row.target
        kinds = QAbstractItemView.SelectionMode
        self.places.setSelectionMode(kinds.SingleSelection if target.single else kinds.ExtendedSelection)
        self.places.addItems(list(target.labels))
        for index in range(self.places.count()):
            self.places.item(index).setSizeHint(QSize(0, ROW_PX))
        for place in self.row.places:
            self.places.item(place).setSelected(True)
        if self.row.places:
            self.places.setCurrentRow(self.row.places[0], self.places.selectionModel().SelectionFlag.NoUpdate)
        self.places.setFixedHeight(ROW_PX * min(len(target.labels), MAX_ROWS) + 2)
        self._mark_illegal(self.row.first)

    def _mark_illegal(self, t: int) -> None:
        """Offer only the actions that are legal at a step."""
        if self._legal_at is None or not self.row.target.single:
            return
        legal = self._legal_at(t) or (True,) * self.places.count()
        blocked = self.places.blockSignals(True)
        for index, (label, allowed) in enumerate(zip(self.row.target.labels, legal, strict=True)):
            item = self.places.item(index)
            item.setText(label if allowed else f"{label} · not legal")
            flags = item.flags() | Qt.ItemFlag.ItemIsEnabled
            item.setFlags(flags if allowed else flags & ~Qt.ItemFlag.ItemIsEnabled)
        self.places.blockSignals(blocked)

    def _set_numbers(self) -> None:
        row = self.row
        self.value.setRange(-1e6, 1e6)
        self.value.setSingleStep(0.1)
        self.value.setValue(row.value)
        for each in (self.value, self.first, self.last):
            each.setAlignment(Qt.AlignmentFlag.AlignRight)
        for spin in (self.first, self.last):
            spin.setRange(0, MAX_STEPS)
        self.first.setValue(row.first)
        self.last.setValue(row.first if row.last is None else row.last)
        for key, text in SPANS.items():
            self.span.addItem(text, key)
        chosen = "on" if row.last is None else "only" if row.last == row.first else "until"
        self.span.setCurrentIndex(list(SPANS).index(chosen))

    def _name(self) -> None:
        for widget, name, tip in (
            (self.places, "Which ones", "Hold Ctrl or Shift to choose several; no choice means all"),
            (
                self.do,
                "Operation",
                "Erase sets to zero. Mask sets an attention weight to zero and scales the other weights up",
            ),
            (self.value, "Number", "The new value, or the factor"),
            (self.first, "First step", "The first step of the episode that is changed"),
            (self.span, "How long", "How long the change lasts"),
            (self.last, "Last step", "The last step that is changed"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

    def _show_relevant(self) -> None:
        """Show only the fields that matter for the chosen operation and duration."""
        form = self.layout().itemAt(0).layout()  # type: ignore[union-attr]
        assert isinstance(form, QFormLayout)
        if self.do.count():
            form.setRowVisible(self.value, self.do.currentData() != "remove")
        form.setRowVisible(self.last, self.span.currentData() == "until")

    @Slot()
    def _on_edit(self) -> None:
        self._show_relevant()
        first, span = self.first.value(), self.span.currentData()
        self.last.setMinimum(first)
        if first != self.row.first:
            self._mark_illegal(first)
        last = None if span == "on" else first if span == "only" else max(first, self.last.value())
        places = tuple(sorted(self.places.row(item) for item in self.places.selectedItems()))
        if self.row.target.single and not places:
            return
        row = replace(self.row, first=first, last=last, places=places, value=self.value.value())
        if self.do.count():
            row = replace(row, do=self.do.currentData())
        if row != self.row:
            self.row = row
            self.edited.emit(row)
