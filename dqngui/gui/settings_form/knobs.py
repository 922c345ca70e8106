"""The live knobs: a slider and a number field for every setting that may change while a run trains."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from dqngui import settings
from dqngui.config import Schedule
from dqngui.derivation import AUTOMATIC, RULES, derivable
from dqngui.gui.cards.card import Card
from dqngui.gui.settings_form.fields import NumberEditor
from dqngui.gui.settings_form.relevance import relevant
from dqngui.gui.settings_form.rows import DerivedChip
from dqngui.gui.settings_form.scale import Scale
from dqngui.gui.settings_form.schedule_editor import ScheduleEditor
from dqngui.gui.settings_form.setting_words import readable
from dqngui.gui.settings_form.slider import ValueSlider
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.gui.widgets.scroll_area import ScrollArea
from dqngui.lab.session.run import setting_value
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.schema import Field
from dqngui.texts import say, words
from dqngui.texts.numbers import exact


class KnobRow(QWidget):
    """One knob: name, chips and number field in a line, the slider or the schedule's editor below.

    Signals:
        chosen(value): a gesture ended with a new value.
        switched: a click on the chip: before a run it changes between a number and a schedule, later it returns to the
            schedule.

    Attributes:
        derived: the chip that says whether the setting is derived; None if it cannot be.
    """

    chosen = Signal(object)
    switched = Signal()

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._shown: Any = None
        self._scheduled = False
        self.label = plain_label(field.label)
        self.chip = QPushButton("Scheduled")
        themes.set_role(self.chip, "chip")
        self.chip.setAccessibleDescription(f"Whether {field.label} follows a schedule")
        self.chip.hide()
        self.chip.clicked.connect(self.switched)
        self.derived = DerivedChip() if field.path in RULES else None
        self.number = NumberEditor(field.type)
        self.number.edited.connect(self._choose)
        self.number.role = "knob"
        themes.set_role(self.number, "knob")
        self.slider = ValueSlider(Scale.of(field), field.unit)
        self.slider.previewed.connect(self._preview)
        self.slider.chosen.connect(self._choose)
        self.label.setBuddy(self.slider)
        self.schedule = ScheduleEditor(field.label) if field.scheduled else None
        for widget in (self.label, self.number, self.slider, *([self.schedule] if self.schedule else [])):
            widget.setToolTip(plain_tip(field.help))
        for widget in (self.number, self.slider):
            widget.setAccessibleName(field.label)
            widget.setAccessibleDescription(field.help)
        self._lay_out()
        self.restyle()

    def restyle(self) -> None:
        """Give the number the room that its text needs at the present zoom."""
        self.number.setFixedSize(themes.zoomed(84), themes.zoomed(19))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.label)
        top.addWidget(self.chip)
        if self.derived is not None:
            top.addWidget(self.derived)
        top.addStretch(1)
        top.addWidget(self.number)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(top)
        box.addWidget(self.slider)
        if self.schedule is not None:
            self.schedule.edited.connect(self.chosen)
            self.schedule.setContentsMargins(0, 3, 0, 3)
            box.addWidget(self.schedule)

    def show_value(self, value: float, *, pending: bool = False) -> None:
        """Show the value in use or, while a change is pending, the requested value."""
        self._shown = value
        if not self.slider.busy:
            self.number.role = "knobPending" if pending else "knob"
            self.number.set_value(value)
            self.slider.show_value(value)

    def show_schedule(self, schedule: Schedule | None, *, editable: bool, manual: bool) -> None:
        """Show whether the setting is a number (None) or a schedule, of which a value may have been set by hand.

        Before a run starts (`editable`) a schedule shows its editor and the chip changes between the two; later it
        shows its present value.
        """
        if self.schedule is None:
            return
        if schedule is not None:
            self.schedule.set_value(schedule)
        edited = editable and schedule is not None
        self.schedule.setVisible(edited)
        self.slider.setVisible(not edited)
        self.number.setVisible(not edited)
        self.chip.setVisible(editable or schedule is not None)
        self.chip.setEnabled(editable or manual)
        themes.set_role(self.chip, "chipQuiet" if editable else "chip")
        if editable:
            self.chip.setText("Constant" if schedule is None else "Scheduled")
            self.chip.setToolTip(
                "One value for the whole run. Click to give it a schedule."
                if schedule is None
                else "Changes with the steps of the run. Click for one value instead."
            )
        else:
            self.chip.setText("Manual" if manual else "Scheduled")
            self.chip.setToolTip(
                "Set by hand. Click to return to the schedule."
                if manual
                else "Follows its schedule. Moving the slider makes it manual."
            )

    def _preview(self, value: Any) -> None:
        self.number.set_value(value)

    def _choose(self, value: Any) -> None:
        if value != self._shown:
            self._shown = value
            self.chosen.emit(value)


class LiveKnobs(QWidget):
    """All knobs; below them a message about pending and refused changes.

    The header of the card says when a change takes effect.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._card: Card | None = None
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(10, 0, 10, 2)
        rows.setSpacing(0)
        self.message = plain_label()
        self.message.setWordWrap(True)
        self.message.setContentsMargins(10, 4, 10, 8)
        self.message.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        scrolled = ScrollArea(content)
        scrolled.setAccessibleName("Live knobs")
        box.addWidget(scrolled, 1)
        box.addWidget(self.message)
        self.rows: dict[str, KnobRow] = {}
        self.more = self._disclosure()
        for field in sorted(settings.live_fields(), key=lambda field: field.advanced):
            row = KnobRow(field)
            row.chosen.connect(lambda value, path=field.path: self._choose(path, value))
            row.switched.connect(lambda path=field.path: self._switch(path))
            if row.derived is not None:
                row.derived.asked.connect(lambda path=field.path: self._choose(path, AUTOMATIC))
            if field.advanced and rows.indexOf(self.more) < 0:
                rows.addWidget(self.more)
            self.rows[field.path] = row
            rows.addWidget(row)
        rows.addStretch(1)
        session.changed.connect(self.refresh)
        session.knob.connect(self._on_knob)
        session.received.connect(self._on_events)
        self.restyle(themes.current())
        self.refresh()

    def _disclosure(self) -> QToolButton:
        """Make the button that shows or hides the advanced knobs."""
        more = QToolButton()
        more.setText("More knobs")
        more.setCheckable(True)
        more.setIconSize(QSize(14, 14))
        more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        more.setToolTip("Show or hide the knobs that are rarely changed")
        themes.set_role(more, "disclosure")
        more.toggled.connect(self._unfold)
        return more

    @Slot()
    def _unfold(self) -> None:
        self.restyle(themes.current())
        self.refresh()

    def restyle(self, theme: Theme) -> None:
        for row in self.rows.values():
            row.restyle()
        self.more.setIcon(themes.icon("chevron-down" if self.more.isChecked() else "chevron-right", "muted"))

    def set_card(self, card: Card) -> None:
        """Set the card whose header says when a change takes effect."""
        self._card = card
        self.refresh()

    def _choose(self, path: str, value: Any) -> None:
        session = self._session
        if session.state is State.READY:
            session.edit({path: value})
        else:
            session.set_knob(path, value)
        self.refresh()

    def _switch(self, path: str) -> None:
        """Change between a number and a schedule before a run; later, return to the schedule."""
        session = self._session
        if session.state is not State.READY:
            self._choose(path, None)
            return
        value = setting_value(session.run.experiment, path)
        if isinstance(value, Schedule):
            self._choose(path, value.start)
        else:
            self._choose(path, {"start": value, "end": value, "share": 1.0})

    @Slot()
    def refresh(self) -> None:
        """Show the session's present values, pending changes and refusals."""
        session = self._session
        editable = session.state is State.READY
        steerable = Action.SET_KNOB in session.allowed
        for path, row in self.rows.items():
            matters = relevant(session.run.experiment, path)
            row.setVisible(matters and (not row.field.advanced or self.more.isChecked()))
            row.setEnabled(editable or steerable)
            self._show(path, row)
        self._show_message()
        if self._card is not None:
            note = "changes the experiment" if editable else "takes effect at the next update" if steerable else ""
            self._card.set_note(note)

    def _show(self, path: str, row: KnobRow) -> None:
        session = self._session
        editable = session.state is State.READY
        pending = session.run.knobs.pending(path)
        value = session.run.knobs.pending_value(path) if pending else session.value(path)
        setting = setting_value(session.run.experiment, path)
        schedule = setting if isinstance(setting, Schedule) else None
        row.show_schedule(schedule, editable=editable, manual=schedule is not None and isinstance(value, float))
        if row.derived is not None:
            row.derived.setVisible(editable and path in derivable(session.run.experiment))
            row.derived.show_derived(path in session.run.experiment.derived, editable=editable)
        if schedule is not None and not isinstance(value, float):
            value = self._scheduled_value(path, schedule)
        row.show_value(value, pending=pending)

    def _scheduled_value(self, path: str, schedule: Schedule) -> float:
        """The present value of a schedule: the one that the run told last, if it tells it."""
        learned = self._session.run.learned
        told = getattr(learned, path.rsplit(".", 1)[-1], None) if learned else None
        return _rounded(schedule.at(self._session.run.step) if told is None else told)

    @Slot(str)
    def _on_knob(self, path: str) -> None:
        if path in self.rows:
            self._show(path, self.rows[path])
        self._show_message()

    @Slot(object)
    def _on_events(self, events: object) -> None:
        for path, row in self.rows.items():
            setting = setting_value(self._session.run.experiment, path)
            if isinstance(setting, Schedule) and row.number.value() != self._scheduled_value(path, setting):
                self._show(path, row)

    def _show_message(self) -> None:
        ledger = self._session.run.knobs
        lines, role = [], "warn"
        for path, row in self.rows.items():
            if ledger.pending(path):
                value = self._text(ledger.pending_value(path))
                lines.append(say("knob.pending", knob=row.field.label, value=value))
            elif path in ledger.refused:
                lines.append(say("knob.refused", knob=row.field.label, reason=readable(words(ledger.refused[path]))))
                role = "bad"
        themes.set_role(self.message, role)
        self.message.setText("\n".join(map(words, lines)))
        self.message.setVisible(bool(lines))

    @staticmethod
    def _text(value: Any) -> str:
        return "schedule" if value is None else exact(value)


def _rounded(value: float) -> float:
    """Round to three significant digits, for a value that changes often."""
    return float(f"{value:.3g}")
