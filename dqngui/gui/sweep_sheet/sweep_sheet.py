"""The sheet that makes a sweep of the experiment: axes, seeds, sampler, objective, pruning, budget, and the plan."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from dqngui.config import Experiment
from dqngui.gui.settings_form.fields import ChoiceEditor
from dqngui.gui.settings_form.setting_words import readable
from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.sweep_sheet.axis_row import AxisRow
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.gui.widgets.save_dialog import ask_save_path, show_problem
from dqngui.gui.widgets.scroll_area import ScrollArea
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.queue.sweep_draft import AxisDraft, SweepDraft, offered_settings
from dqngui.lab.session.session import Session
from dqngui.runs.folder import plain_name
from dqngui.schema import Field, fields_of
from dqngui.sweeps.planning import Plan
from dqngui.sweeps.sweep_file import Budget, Objective, Pruning, Sweep
from dqngui.texts import reason_of, sentence, words
from dqngui.texts.numbers import duration, editable
from dqngui.texts.reading_numbers import parse

SIZE = (760, 620)
TRIALS_SHOWN = 6
_BEGIN = "Choose a setting and type its values. What would run is shown here."
_SAMPLERS = (
    ("grid", "Grid", "All combinations of the values"),
    ("random", "Random", "So many trials, drawn at random"),
    ("tpe", "TPE", "So many trials, each chosen by the results so far (Optuna)"),
)
_SCORES = (
    ("best", "Best", "Mean return of the best checkpoint"),
    ("final", "Final", "Mean return of the last evaluation"),
    ("area", "Area", "Area under the curve of evaluations"),
    ("steps_to", "Steps to", "Steps until an evaluation reaches a return"),
    ("mmer", "MMER", "Largest mean return of 100 training episodes"),
)
_PARTS: tuple[tuple[str, type, str], ...] = (
    ("objective.", Objective, "reach"),
    ("pruning.", Pruning, "first"),
    ("pruning.", Pruning, "factor"),
    ("budget.", Budget, "steps"),
    ("budget.", Budget, "hours"),
)


class SweepSheet(QDialog):
    """Edits a sweep whose base is the present experiment. It does not block the window.

    Attributes:
        draft: what was typed, and what follows.
        rows: the axes.
        fields: the other editors, by the dotted name of the field.
        prune: whether bad trials are stopped early.
        preview: what would run, or the first mistake.
        save, add: the buttons.
    """

    def __init__(self, session: Session, queue: RunQueue, parent: QWidget) -> None:
        super().__init__(parent)
        base = session.draft.experiment
        self._queue = queue
        self.draft = SweepDraft(base, queue.runs or Path(), self)
        self._settings = offered_settings(base)
        self.rows: list[AxisRow] = []
        self.fields: dict[str, QLineEdit | ChoiceEditor] = {}
        self.setWindowTitle("Sweep")
        self.setMinimumWidth(SIZE[0])
        self._axes = QVBoxLayout()
        self._axes.setSpacing(6)
        self._more = QPushButton("Add an axis")
        self._more.setIcon(themes.icon("plus"))
        self._more.setToolTip("Vary one more setting; a grid tries all combinations")
        self._more.clicked.connect(self.add_axis)
        self.preview, self.trials = plain_label(), plain_label()
        for label in (self.preview, self.trials):
            label.setWordWrap(True)
        self.preview.setAccessibleName("What would run")
        themes.set_role(self.trials, "muted")
        self.trials.setMinimumHeight(2 * self.trials.fontMetrics().lineSpacing())
        self.trials.setAlignment(Qt.AlignmentFlag.AlignTop)
        about = plain_label(f"Base: {base.title or base.env.id}, {base.run.total_steps:,} steps, as it is set now.")
        themes.set_role(about, "muted")
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 14, 16, 14)
        box.setSpacing(10)
        box.addWidget(about)
        box.addWidget(_title("What is varied"))
        box.addWidget(self._axes_area(), 1)
        box.addLayout(self._settings_grid())
        box.addWidget(self.preview)
        box.addWidget(self.trials)
        box.addWidget(self._buttons())
        self.resize(*SIZE)
        self.draft.changed.connect(self._show)
        self.finished.connect(self.draft.stop)
        self.add_axis()
        self._show()

    # -- its parts ---------------------------------------------------------------------------------

    def _axes_area(self) -> ScrollArea:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 4, 0)
        column.addLayout(self._axes)
        line = QHBoxLayout()
        line.addWidget(self._more)
        line.addStretch(1)
        column.addLayout(line)
        column.addStretch(1)
        area = ScrollArea(content)
        area.setMinimumHeight(120)
        return area

    def _settings_grid(self) -> QGridLayout:
        self._by_path: dict[str, Field] = {field.path: field for field in fields_of(Sweep) if "." not in field.path}
        for prefix, struct, name in _PARTS:
            self._by_path[f"{prefix}{name}"] = next(each for each in fields_of(struct, prefix) if each.name == name)
        self._choice("sampler", _SAMPLERS)
        self._by_path["objective.score"] = next(iter(fields_of(Objective, "objective.")))
        self._choice("objective.score", _SCORES)
        for path in ("name", "seeds", "trials", "sampler_seed", *(f"{prefix}{name}" for prefix, _, name in _PARTS)):
            self._text(path)
        self.prune = QCheckBox("Stop bad trials early")
        self.prune.setToolTip(
            "Successive halving: trials are paused at rungs, and the\nbest go on exactly where they were"
        )
        self.prune.toggled.connect(self._on_prune)
        self._text_of("seeds").setText(str(self.draft.values["seeds"]))
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        lines: tuple[tuple[tuple[str, str], ...], ...] = (
            (("Name", "name"), ("Seeds", "seeds")),
            (("Sampler", "sampler"), ("Trials", "trials"), ("Sampler's seed", "sampler_seed")),
            (("Objective", "objective.score"), ("Return to reach", "objective.reach")),
            (("", "prune"), ("First rung", "pruning.first"), ("Factor", "pruning.factor")),
            (("Budget, steps", "budget.steps"), ("Budget, hours", "budget.hours")),
        )
        for row, entries in enumerate(lines):
            for place, (text, path) in enumerate(entries):
                if path == "prune":
                    grid.addWidget(self.prune, row, 0, 1, 2)
                    continue
                label = plain_label(text)
                themes.set_role(label, "muted")
                grid.addWidget(label, row, 2 * place)
                grid.addWidget(self.fields[path], row, 2 * place + 1)
        for column in (1, 3, 5):
            grid.setColumnStretch(column, 1)
        return grid

    def _choice(self, path: str, choices: tuple[tuple[str, str, str], ...]) -> None:
        editor = ChoiceEditor(choices)
        editor.set_value(choices[0][0])
        editor.edited.connect(lambda value: self._set(path, value))
        self._describe(editor, path)

    def _text(self, path: str) -> None:
        editor = QLineEdit()
        field = self._by_path[path]
        default = field.default if isinstance(field.default, (str, int, float)) else None
        editor.setPlaceholderText("none" if default is None or default == "" else str(default))
        editor.textChanged.connect(lambda text: self._set(path, self._value(path, text)))
        self._describe(editor, path)

    def _describe(self, editor: QLineEdit | ChoiceEditor, path: str) -> None:
        field = self._by_path[path]
        editor.setToolTip(plain_tip(field.help.replace("`", "")))
        editor.setAccessibleName(field.label)
        self.fields[path] = editor

    def _text_of(self, path: str) -> QLineEdit:
        editor = self.fields[path]
        assert isinstance(editor, QLineEdit)
        return editor

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = buttons.addButton("Save as TOML…", QDialogButtonBox.ButtonRole.ActionRole)
        self.save.setToolTip("Write the sweep as a file, for dqngui sweep FILE")
        self.save.clicked.connect(self._save)
        self.add = buttons.addButton("Add to the queue", QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setDefault(True)
        themes.set_role(self.add, "accent")
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        for button in (self.save, self._more):
            button.setAutoDefault(False)
        return buttons

    # -- what is typed -----------------------------------------------------------------------------

    @Slot()
    def add_axis(self) -> AxisRow:
        """Add an empty axis."""
        row = AxisRow(self._settings)
        row.edited.connect(self._on_axes)
        row.removed.connect(lambda: self._remove(row))
        self.rows.append(row)
        self._axes.addWidget(row)
        self._on_axes()
        return row

    def _remove(self, row: AxisRow) -> None:
        self.rows.remove(row)
        self._axes.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._on_axes()

    @Slot()
    def _on_axes(self) -> None:
        self.draft.set_axes([row.axis() for row in self.rows])

    def _set(self, path: str, value: Any) -> None:
        if not path.startswith("pruning.") or self.prune.isChecked():
            self.draft.set_value(path, value)
        self._enable()

    def _value(self, path: str, text: str) -> Any:
        """The number of a field; a text that is none stays one, and the plan says what is wrong."""
        field = self._by_path[path]
        if field.kind not in ("int", "float") or not text.strip():
            return text.strip()
        try:
            return parse(text, field.kind == "int")
        except ValueError:
            return text

    @Slot()
    def _on_prune(self) -> None:
        on = self.prune.isChecked()
        first = self._text_of("pruning.first")
        if on and not first.text():
            first.setText(editable(_first_rung(self.draft.base)))
        for path in ("pruning.first", "pruning.factor"):
            self.draft.set_value(path, self._value(path, self._text_of(path).text()) if on else None)
        self._enable()

    def _enable(self) -> None:
        sampler, score = self.fields["sampler"], self.fields["objective.score"]
        assert isinstance(sampler, ChoiceEditor) and isinstance(score, ChoiceEditor)
        drawn, pruned = sampler.value() != "grid", self.prune.isChecked()
        for path, enabled in (
            ("trials", drawn),
            ("sampler_seed", drawn),
            ("objective.reach", score.value() == "steps_to"),
            ("pruning.first", pruned),
            ("pruning.factor", pruned),
        ):
            editor = self._text_of(path)
            editor.setEnabled(enabled)
            if not enabled and not path.startswith("pruning."):
                editor.clear()

    # -- what follows ------------------------------------------------------------------------------

    @Slot()
    def _show(self) -> None:
        """Show what would run, or the first mistake."""
        draft = self.draft
        ready = draft.sweep is not None
        self.save.setEnabled(ready)
        self.add.setEnabled(ready)
        if draft.planning:
            return
        untouched = all(axis == AxisDraft() for axis in draft.axes)
        themes.set_role(self.preview, "muted" if untouched else "bad" if draft.problem else "value")
        said = _problem(draft) if draft.problem else _said(draft.plan)
        self.preview.setText(_BEGIN if untouched and draft.problem else said)
        self.trials.setText(_trials(draft.plan))

    @Slot()
    def _on_accepted(self) -> None:
        if self.draft.sweep is not None:
            self._queue.add_sweep(self.draft.sweep)
            self.accept()

    @Slot()
    def _save(self) -> None:
        name = plain_name(str(self.draft.values.get("name") or "sweep")) or "sweep"
        ask_save_path(self, "Save the sweep", f"{name}.toml", {"toml": "Sweep (*.toml)"}, self.write)

    def write(self, path: str) -> None:
        """Write the sweep as a TOML file."""
        try:
            Path(path).write_text(self.draft.toml(), "utf-8")
        except OSError as error:
            show_problem(self, "Save the sweep", sentence(error.strerror or reason_of(error)), path)


def _first_rung(base: Experiment) -> int:
    """A ninth of the steps, at an evaluation."""
    every = max(1, base.run.eval_every)
    return max(every, base.run.total_steps // 9 // every * every)


def _problem(draft: SweepDraft) -> str:
    """The first mistake, with axes counted as they stand in the sheet."""
    said = re.sub(r"(?:sweep\.)?axes\[(\d+)\]", lambda found: f"axis {int(found[1]) + 1}", words(draft.problem))
    return sentence(readable(said))


def _said(plan: Plan | None) -> str:
    if plan is None:
        return ""
    seeds = counted(len(plan.seeds), "seed")
    most = "at most " if plan.rungs else ""
    said = f"{counted(plan.count, 'trial')} × {seeds} = {counted(plan.runs, 'run')}, {most}{plan.steps:,} steps"
    if plan.rungs:
        said += f" (without pruning {plan.whole_steps:,})"
    if plan.seconds is None:
        return f"{said}. No run like these is stored, so how long it takes is not known yet."
    return f"{said}, about {duration(plan.seconds)} with {plan.at_once} at once."


def _trials(plan: Plan | None) -> str:
    if plan is None or not plan.trials:
        return ""
    shown = "  ·  ".join(trial.label for trial in plan.trials[:TRIALS_SHOWN])
    more = plan.count - TRIALS_SHOWN
    return f"{shown}  ·  and {more:,} more" if more > 0 else shown


def _title(text: str) -> QWidget:
    label = plain_label(text)
    themes.set_role(label, "title")
    label.setAlignment(Qt.AlignmentFlag.AlignLeft)
    return label
