"""The menus of the What if card: what can be changed, and the agent to compare with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from dqngui.config import ConfigError
from dqngui.gui.cards.panel import Sources
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.analysis.interventions import InterventionTarget, intervention_targets
from dqngui.lab.analysis.other_agent import OtherAgent
from dqngui.lab.playback.agent_ref import AgentRef, has_checkpoint, source_name
from dqngui.messages import PlayerReady
from dqngui.runs.folder import read_experiment

MAX_MENU_PLACES = 12  # listed in the menu; more places are chosen in the editor
MAX_RUNS = 20
WHAT_IF = "What if…"


def fill_with_targets(menu: QMenu, ready: PlayerReady, add: Callable[[InterventionTarget, int | None], None]) -> None:
    """Fill the menu with everything that can be changed, by group; `add` gets the target and the place, if chosen."""
    menu.clear()
    groups: dict[str, QMenu] = {}
    for target in intervention_targets(ready):
        if target.group not in groups:
            groups[target.group] = menu.addMenu(target.group)
        group = groups[target.group]
        text = f"{target.text[:1].upper()}{target.text[1:]}"
        whole = target.names[0] == target.group.lower() or target.group.startswith("What")
        if not target.labels:
            group.addAction(text, partial(add, target, None))
        elif len(target.labels) > MAX_MENU_PLACES:
            group.addAction(f"{text}…", partial(add, target, None))
        else:
            places = group if whole else group.addMenu(text)
            for place, label in enumerate(target.labels):
                places.addAction(label, partial(add, target, place))


class ModeChoice(ChoiceButton):
    """Chooses what is compared: the same agent with changes, or another agent on the same seed."""

    def __init__(self, choose: Callable[[OtherAgent | None], None], parent: QWidget | None = None) -> None:
        super().__init__("What is compared: the same agent with changes, or another agent on the same seed", parent)
        self._chosen_by = choose
        self._sources: Sources | None = None
        self.menu().setToolTipsVisible(True)
        self.menu().aboutToShow.connect(self.fill)
        self.chosen: OtherAgent | None = None
        self.show_choice(None)

    def attach(self, sources: Sources) -> None:
        """Set the sources of the player's agent and the stored runs."""
        self._sources = sources

    def show_choice(self, other: OtherAgent | None) -> None:
        """Show what is chosen."""
        self.chosen = other
        self.show_text(WHAT_IF if other is None else f"compared with {other.name}")
        self.setAccessibleDescription(self.full_text)

    def fill(self) -> None:
        """Fill the menu with the checkpoints and runs that exist now."""
        menu, sources = self.menu(), self._sources
        menu.clear()
        group = QActionGroup(menu)
        self._entry(menu, group, WHAT_IF, "The same agent, with something changed", None)
        if sources is None or sources.player.client.agent is None:
            return
        menu.addSeparator()
        own = sources.player.client.agent
        stored = QMenu("Compare with a checkpoint", menu)
        for choice in own.choices():
            if choice != "newest":
                text = f"{choice:,} steps" if isinstance(choice, int) else source_name(choice)
                other = OtherAgent(AgentRef(None, own.folder), choice, source_name(choice))
                self._entry(stored, group, f"{text[:1].upper()}{text[1:]}", "This agent with these weights", other)
        runs = QMenu("Compare with another run", menu)
        environment = sources.player.playing.ready.environment if sources.player.playing is not None else ""
        others, own_settings = self._runs(sources), _task_settings(own)
        for name, folder in others:
            other = OtherAgent(AgentRef(None, folder), "best", name, environment)
            text, tip = name, "Its best checkpoint, on the same seeds"
            if _task_settings(other.agent) != own_settings:
                text += " (other task settings)"
                tip += ". Its task has other arguments or wrappers, so the same actions may have other effects"
            self._entry(runs, group, text, tip, other)
        for each in (stored, runs):
            each.setToolTipsVisible(True)
            if not each.isEmpty():
                menu.addMenu(each)
        stored.setIcon(themes.icon("history", "muted"))
        runs.setIcon(themes.icon("compare-horizontal", "muted"))

    def _entry(self, menu: QMenu, group: QActionGroup, text: str, tip: str, other: OtherAgent | None) -> QAction:
        action = menu.addAction(text)
        action.setToolTip(plain_tip(tip))
        action.setCheckable(True)
        group.addAction(action)
        action.setChecked(other == self.chosen)
        action.triggered.connect(lambda: self._chosen_by(other))
        return action

    @staticmethod
    def _runs(sources: Sources) -> list[tuple[str, Path]]:
        """Runs of the same task with stored weights, the newest first."""
        player, library = sources.player, sources.library
        playing, agent = player.playing, player.client.agent
        if playing is None or agent is None:
            return []
        found: list[tuple[str, Path]] = []
        for summary in library.summaries:
            folder = Path(summary.folder)
            own = agent.folder is not None and agent.folder.absolute() == folder
            if summary.env == playing.ready.environment and not own and has_checkpoint(folder):
                found.append((library.name_of(folder), folder))
            if len(found) == MAX_RUNS:
                break
        return found


def _task_settings(agent: AgentRef) -> tuple[object, ...]:
    """The settings of an agent's task: id, arguments and wrappers; () if its run cannot be read."""
    try:
        experiment = agent.experiment or (None if agent.folder is None else read_experiment(agent.folder))
    except (ConfigError, OSError):
        return ()
    return () if experiment is None else (experiment.env.id, experiment.env.kwargs, experiment.env.wrappers)
