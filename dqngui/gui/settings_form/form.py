"""The experiment form: an editor for every setting that cannot change while a run trains, made from the config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from dqngui import presets, settings
from dqngui.config import ConfigError, Experiment
from dqngui.derivation import AUTOMATIC, RULES, derivable
from dqngui.gui.cards.card import Card
from dqngui.gui.settings_form.environment_dialog import EnvironmentDialog
from dqngui.gui.settings_form.fields import MODULES, ChoiceEditor, Editor, TextEditor, editor_for
from dqngui.gui.settings_form.relevance import relevant
from dqngui.gui.settings_form.rows import FormRows, Section
from dqngui.gui.settings_form.setting_words import readable, trying_text, value_words
from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.gui.widgets.scroll_area import ScrollArea
from dqngui.jobs.room import note_about_room
from dqngui.lab.session.job import host_in_use
from dqngui.lab.session.rules import waiting_edits
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import SuitedAgent, same_agent
from dqngui.schema import Field
from dqngui.settings import same_task
from dqngui.size_rules import replay_bytes
from dqngui.texts import say, words

FIRST = ("net.attention", "net.memory", "net.width", "run.device", "run.host", "run.seed", "run.total_steps")
"""Settings that are always shown; the others are in the sections below, which are folded at first."""
SUITED = ":suited"
"""In place of the name of an agent: the agent that suits the task. No file can have this name."""
OTHER = ":other"
"""In place of the name of a task: an environment that is asked for. No file can have this name."""
SECTION_TITLES = {"env": "Environment", "net": "Network", "learn": "Learning", "run": "Run"}
_HIDDEN = {"net.attention_options", "net.memory_options"}  # shown field by field instead
_NEEDS_FORK = "Fixed while a run trains: a change takes effect in a fork or a new run."
_WAITS = "The change takes effect in a fork or a new run."
_SUIT_HELP = (
    "Sizes and settings that follow from what the environment shows: it is tried for a few seconds. The total "
    "steps stay."
)


def _shown(experiment: Experiment, path: str, value: Any) -> Any:
    """The value to show: of the host, the one that the window will use."""
    return host_in_use(experiment) if path == "run.host" else value


class ExperimentForm(QWidget):
    """Task, network, learning and run settings; below them the first problem of the settings, if there is one.

    Attributes:
        suit: the button under the environment's id; it is shown while the agent is still that of a former environment.
        suited_note: what the agent follows from that suits the task.
        room_note: how much memory and room on the disk a large replay will take.
    """

    def __init__(self, session: Session, suited: SuitedAgent, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._suited = session, suited
        self._card: Card | None = None
        self._presets: dict[str, Experiment] = {}
        self._modules: dict[str, str] = {}
        self.remarks: dict[str, tuple[FormRows, QLabel]] = {}
        self.first = FormRows(80)
        self.sections: dict[str, Section] = {}
        self.options: dict[str, FormRows] = {slot: FormRows() for slot in ("attention", "memory")}
        self.task = self._task_editor()
        self.agent = self._agent_editor()
        self._fill()
        self._lay_out()
        session.changed.connect(self.refresh)
        suited.changed.connect(self.refresh)
        self.refresh()

    def _task_editor(self) -> ChoiceEditor:
        for name in presets.preset_names():
            try:
                self._presets[name] = presets.read_experiment(name)
            except ConfigError as error:  # a broken preset must not keep the window from opening
                self._session.run.notice = error.text
        choices = [(name, preset.title or name, preset.env.id) for name, preset in self._presets.items()]
        task = ChoiceEditor([*choices, (OTHER, "Other environment…", "Any gymnasium environment, or one of your own.")])
        task.setToolTip(
            plain_tip("A shipped experiment (task, network and settings that learn it), or any other environment.")
        )
        task.setAccessibleName("Task")
        task.edited.connect(self._load_task)
        return task

    @Slot(object)
    def _load_task(self, name: str) -> None:
        if name == OTHER:
            self.ask_for_environment()
            self.refresh()  # the list shows the present task again
            return
        self._suited.cancel()
        self._session.load(self._presets[name])

    def ask_for_environment(self) -> EnvironmentDialog:
        """Ask for an environment in a dialog that does not block the window."""
        dialog = EnvironmentDialog(self._session, self._suited, self.window())
        dialog.open()
        return dialog

    def _agent_editor(self) -> ChoiceEditor:
        agents = {name: presets.read_agent(name) for name in presets.agent_names()}
        named = [(name, agents[name].title, name) for name in agents]
        agent = ChoiceEditor([(SUITED, "Suited to the task", _SUIT_HELP), *named])
        help = "A named combination of attention, memory and learning settings. The task keeps its own settings."
        agent.setToolTip(plain_tip(help))
        agent.setAccessibleName("Agent")
        agent.edited.connect(lambda name: self._suit() if name == SUITED else self._apply_agent(agents[name]))
        return agent

    @Slot()
    def _suit(self) -> None:
        """Try the task; a chosen entry of the Agent field is taken back until the agent was found."""
        self._suited.ask()
        self.refresh()

    def _apply_agent(self, agent: presets.AgentPreset) -> None:
        self._suited.cancel()
        try:
            self._session.load(presets.with_agent(self._session.draft.experiment, agent))
        except ConfigError as error:
            self._session.show_message(error.text)
            self.refresh()

    def _fill(self) -> None:
        self.first.add("task", "Task", self.task.toolTip(), self.task)
        self.first.add("agent", "Agent", self.agent.toolTip(), self.agent)
        self.suited_note = self.first.add_note()
        self.room_note = self.first.add_note()
        plain = {name: FormRows() for name in SECTION_TITLES}
        advanced = {name: FormRows() for name in SECTION_TITLES}
        for field in settings.experiment_fields():
            section = field.path.split(".", 1)[0]
            if field.live or field.path in _HIDDEN or len(field.choices) == 1:
                continue
            rows = self.first if field.path in FIRST else advanced[section] if field.advanced else plain[section]
            self._add(rows, field)
        for name, title in SECTION_TITLES.items():
            own = list(self.options.values()) if name == "net" else []
            self.sections[name] = Section(title, [*own, plain[name], advanced[name]])

    def _add(self, rows: FormRows, field: Field, label: str = "") -> None:
        editor = editor_for(field)
        editor.edited.connect(lambda value, path=field.path: self._session.edit({path: value}))
        unit = f" ({field.unit})" if field.unit and not label else ""
        rows.add(field.path, label or field.label, f"{field.help}{unit}", editor, derivable=field.path in RULES)
        if field.path in RULES:
            rows.chips[field.path].asked.connect(lambda path=field.path: self._session.edit({path: AUTOMATIC}))
        if field.path == "env.id":
            self.suit = rows.add_button("Suit the agent to this task", _SUIT_HELP)
            self.suit.clicked.connect(self._suit)
            self._suit_rows = rows
        if field.path == "run.host":
            self.host_note = rows.add_note()
        if field.path in MODULES:
            self.remarks[field.path] = rows, rows.add_remark()

    def _lay_out(self) -> None:
        content = QWidget()
        lines = QVBoxLayout(content)
        lines.setContentsMargins(10, 2, 10, 2)
        lines.setSpacing(0)
        lines.addWidget(self.first)
        lines.addSpacing(2)
        for section in self.sections.values():
            lines.addWidget(section)
        lines.addStretch(1)
        self.problem = plain_label()
        self.problem.setWordWrap(True)
        self.problem.setContentsMargins(10, 4, 10, 8)
        themes.set_role(self.problem, "bad")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        scrolled = ScrollArea(content)
        scrolled.setAccessibleName("Settings of the experiment")
        for section in self.sections.values():
            section.toggle.clicked.connect(
                lambda _, section=section: QTimer.singleShot(0, lambda: scrolled.reveal(section))
            )
        box.addWidget(scrolled, 1)
        box.addWidget(self.problem)

    def set_card(self, card: Card) -> None:
        """Set the card whose header says what an edit does."""
        self._card = card
        self.refresh()

    def set_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        """Offer the devices that torch found: (name, description)."""
        editor = self.editors()["run.device"]
        assert isinstance(editor, ChoiceEditor)
        editor.set_choices(
            [("auto", "auto", "The fastest available device."), *((name, name, tip) for name, tip in devices)]
        )

    def editors(self) -> dict[str, Editor]:
        """Every editor, by the path of its setting; `task` chooses a preset, `agent` an agent preset."""
        rows = [self.first, *(each for section in self.sections.values() for each in section.rows)]
        return {path: editor for each in rows for path, editor in each.editors.items()}

    @Slot()
    def refresh(self) -> None:
        """Show the proposed experiment: hide settings without effect, mark those that the draft changes."""
        session = self._session
        editable, draft = Action.EDIT in session.allowed, waiting_edits(session.state, session.draft)
        known = derivable(session.draft.experiment)  # without a measured task, little follows from anything
        for slot, rows in self.options.items():
            self._refresh_options(slot, rows)
        for rows in (self.first, *(each for section in self.sections.values() for each in section.rows)):
            for path, editor in rows.editors.items():
                if path not in ("task", "agent"):
                    value = msgspec.to_builtins(session.draft.value(path))
                    editor.set_value(_shown(session.draft.experiment, path, value))
                    rows.show_row(path, relevant(session.draft.experiment, path))
                if path in rows.chips:
                    derived = path in session.draft.experiment.derived
                    rows.chips[path].setVisible(path in known)
                    rows.chips[path].show_derived(derived, editable=editable)
                editor.setEnabled(editable)
                rows.labels[path].mark(path in draft)
                self._explain(editor, draft.get(path), path)
        for path, (rows, remark) in self.remarks.items():
            entry = MODULES[path].get(session.draft.value(path))
            warning = entry.summary.partition(". ")[2] if entry is not None else ""
            rows.show_text(remark, warning and f"{warning}.")
        self._refresh_host()
        title = session.draft.experiment.title or session.draft.experiment.env.id
        self.task.setPlaceholderText(title)  # shown for a task that is not in the list
        self.task.set_value(self._preset())
        self._refresh_suited()
        for path, editor in self.editors().items():
            if isinstance(editor, TextEditor):
                editor.reject(path in session.draft.problem_paths)
        problem = self._suited.problem or session.draft.problem
        self.problem.setText(readable(words(problem)))
        self.problem.setVisible(bool(problem))
        if self._card is not None:
            self._card.set_note(self._note())

    def _refresh_host(self) -> None:
        """Say why the window uses another host than the one that was set."""
        experiment = self._session.draft.experiment
        foreign = host_in_use(experiment) == "process" and experiment.run.host != "process"
        self.first.show_text(self.host_note, words(say("form.own_process")) if foreign else "")

    def _refresh_suited(self) -> None:
        """Show the agent's name, or that its task is being tried, or what it follows from."""
        suited, experiment = self._suited, self._session.draft.experiment
        own = "As in the preset" if self._as_in_the_preset() else "Own combination"
        trying = trying_text(suited.seconds)
        self.agent.setPlaceholderText(trying if suited.trying else own)
        if suited.trying:
            self.agent.setCurrentIndex(-1)
        else:
            self.agent.set_value(SUITED if suited.fits else presets.agent_of(experiment))
        self.first.show_text(self.suited_note, words(suited.notice))
        room = note_about_room(experiment.learn.replay_capacity, replay_bytes(experiment) or 0)
        self.first.show_text(self.room_note, "" if room is None else f"{words(room)}.")
        self._suit_rows.show_button(self.suit, suited.offered)
        self.suit.setText(trying if suited.trying else self.suit.accessibleName())
        self.suit.setEnabled(suited.can_ask and not suited.trying)

    def _refresh_options(self, slot: str, rows: FormRows) -> None:
        module = getattr(self._session.draft.experiment.net, slot)
        if self._modules.get(slot) != module:
            self._modules[slot] = module
            rows.clear()
            for field in settings.options_fields(slot, module):  # type: ignore[arg-type]
                self._add(rows, field, f"{slot.capitalize()} {field.label.lower()}")
            if "net" in self.sections:
                self.sections["net"].refresh()

    def _preset(self) -> str | None:
        """The preset whose task this is, whatever else was changed."""
        mine = self._session.draft.experiment
        presets = self._presets.items()
        return next((name for name, one in presets if one.title == mine.title and same_task(one.env, mine.env)), None)

    def _as_in_the_preset(self) -> bool:
        """Whether the agent is the one that the preset came with."""
        name = self._preset()
        return name is not None and same_agent(self._presets[name], self._session.draft.experiment)

    def _note(self) -> str:
        if self._session.state is State.READY:
            return "press Start to train"
        if changes := len(waiting_edits(self._session.state, self._session.draft)):
            return f"{counted(changes, 'change')} {'waits' if changes == 1 else 'wait'} for a fork"
        return "read-only; edit to fork" if self._session.state is State.STORED else "edit to fork"

    def _explain(self, editor: Editor, change: tuple[Any, Any] | None, path: str) -> None:
        tip = editor.accessibleDescription()
        if not tip or self._session.state is State.READY:
            text = tip
        elif change is None:
            text = f"{tip}\n\n{_NEEDS_FORK}"
        else:
            text = f"{tip}\n\nChanged: {value_words(path, change[0])} → {value_words(path, change[1])}. {_WAITS}"
        if text and editor.toolTip() != (text := plain_tip(text)):
            editor.setToolTip(text)

    def restyle(self, theme: Theme) -> None:
        self.first.restyle()
        for section in self.sections.values():
            section.restyle(theme)
