"""The menus of the What if card: what can be changed, and whose episode stands beside the player's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from dqngui.config import ConfigError
from dqngui.gui.cards.panel import Sources
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.lab.analysis.interventions import InterventionTarget, levers
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice, has_checkpoint, source_name
from dqngui.messages import PlayerReady
from dqngui.runs.folder import read_experiment

MOST_PLACES = 12  # that stand in the menu itself; of more the editor shows them
MOST_RUNS = 20
WHAT_IF = "What if…"


def fill_with_levers(menu: QMenu, ready: PlayerReady, add: Callable[[InterventionTarget, int | None], None]) -> None:
    """Everything that can be changed, by its groups; `add` gets the place too where it was chosen."""
    menu.clear()
    groups: dict[str, QMenu] = {}
    for lever in levers(ready):
        if lever.group not in groups:
            groups[lever.group] = menu.addMenu(lever.group)
        group = groups[lever.group]
        text = f"{lever.text[:1].upper()}{lever.text[1:]}"
        whole = lever.targets[0] == lever.group.lower() or lever.group.startswith("What")
        if not lever.labels:
            group.addAction(text, partial(add, lever, None))
        elif len(lever.labels) > MOST_PLACES:
            group.addAction(f"{text}…", partial(add, lever, None))
        else:
            places = group if whole else group.addMenu(text)
            for place, label in enumerate(lever.labels):
                places.addAction(label, partial(add, lever, place))


@dataclass(frozen=True, slots=True)
class Other:
    """Another agent, to play beside the player's.

    Attributes:
        name: of its curves, short.
        environment: what it plays; empty: as the player's agent, whose run it is of.
    """

    agent: AgentRef
    choice: WeightsChoice
    name: str
    environment: str = ""

    def stands_beside(self, agent: AgentRef, ready: PlayerReady) -> bool:
        """Whether it is one of this agent's checkpoints still, or another run of what this one plays."""
        if self.environment:
            return self.environment == ready.environment
        return self.agent.folder == agent.folder


class ModeChoice(ChoiceButton):
    """Whether the episode is changed, or another agent plays the same seed."""

    def __init__(self, choose: Callable[[Other | None], None], parent: QWidget | None = None) -> None:
        super().__init__("What is compared: the same agent with changes, or another agent on the same seed", parent)
        self._chosen_by = choose
        self._sources: Sources | None = None
        self.menu().setToolTipsVisible(True)
        self.menu().aboutToShow.connect(self.fill)
        self.chosen: Other | None = None
        self.look(None)

    def attach(self, sources: Sources) -> None:
        """The player and the runs that are offered."""
        self._sources = sources

    def look(self, other: Other | None) -> None:
        """Say what is chosen."""
        self.chosen = other
        self.say(WHAT_IF if other is None else f"beside {other.name}")
        self.setAccessibleDescription(self.full_text)

    def fill(self) -> None:
        """Offer what there is now."""
        menu, sources = self.menu(), self._sources
        menu.clear()
        group = QActionGroup(menu)
        self._entry(menu, group, WHAT_IF, "The same agent, with something changed", None)
        if sources is None or sources.player.agent is None:
            return
        menu.addSeparator()
        own = sources.player.agent
        stored = QMenu("Beside a checkpoint", menu)
        for choice in own.choices():
            if choice != "newest":
                text = f"{choice:,} steps" if isinstance(choice, int) else source_name(choice)
                other = Other(AgentRef(None, own.folder), choice, source_name(choice))
                self._entry(stored, group, f"{text[:1].upper()}{text[1:]}", "This agent with these weights", other)
        runs = QMenu("Beside another run", menu)
        environment = sources.player.playing.ready.environment if sources.player.playing is not None else ""
        others, set_up = self._runs(sources), _set_up(own)
        for name, folder in others:
            other = Other(AgentRef(None, folder), "best", name, environment)
            text, tip = name, "Its best checkpoint, on the same seeds"
            if _set_up(other.agent) != set_up:
                text += " (another set-up)"
                tip += ". Its task has other arguments or wrappers, so that the same actions may lead elsewhere"
            self._entry(runs, group, text, tip, other)
        for each in (stored, runs):
            each.setToolTipsVisible(True)
            if not each.isEmpty():
                menu.addMenu(each)
        stored.setIcon(themes.icon("history", "muted"))
        runs.setIcon(themes.icon("compare-horizontal", "muted"))

    def _entry(self, menu: QMenu, group: QActionGroup, text: str, tip: str, other: Other | None) -> QAction:
        action = menu.addAction(text)
        action.setToolTip(tip)
        action.setCheckable(True)
        group.addAction(action)
        action.setChecked(other == self.chosen)
        action.triggered.connect(lambda: self._chosen_by(other))
        return action

    @staticmethod
    def _runs(sources: Sources) -> list[tuple[str, Path]]:
        """Runs of the same task with stored weights, the newest first."""
        player, library = sources.player, sources.library
        playing, agent = player.playing, player.agent
        if playing is None or agent is None:
            return []
        found: list[tuple[str, Path]] = []
        for summary in library.summaries:
            folder = Path(summary.folder)
            own = agent.folder is not None and agent.folder.absolute() == folder
            if summary.env == playing.ready.environment and not own and has_checkpoint(folder):
                found.append((library.name_of(folder), folder))
            if len(found) == MOST_RUNS:
                break
        return found


def _set_up(agent: AgentRef) -> tuple[object, ...]:
    """What makes an agent's task behave and look as it does; nothing where its run cannot be read."""
    try:
        experiment = agent.experiment or (None if agent.folder is None else read_experiment(agent.folder))
    except (ConfigError, OSError):
        return ()
    return () if experiment is None else (experiment.env.id, experiment.env.kwargs, experiment.env.wrappers)
