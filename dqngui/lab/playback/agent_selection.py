"""Selects whose agent plays: before a run that of its preset from the zoo, or the demo; then the agent in training;
then what the run has stored.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot

from dqngui.config import ConfigError, Experiment
from dqngui.lab.playback.agent_ref import has_checkpoint
from dqngui.lab.playback.player import Player
from dqngui.lab.playback.zoo_agents import ZooAgents, folder_of, source_of
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.runs.folder import read_experiment


class AgentSelection(QObject):
    """Opens the session's agent in the player whenever that agent changes, except while held."""

    def __init__(self, session: Session, player: Player, *, demo: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._player, self._demo = session, player, demo
        self._demo_task, self._demo_title = _task_of(demo)
        self._zoo = ZooAgents()
        self._runs = 0
        self._followed: tuple[object, ...] = ()
        self._held = False
        session.changed.connect(self._follow)
        session.cleared.connect(self._on_cleared)
        session.weights.connect(player.client.use_weights)
        player.client.weights_requested.connect(session.job.request_weights)
        self._follow()

    def hold(self) -> None:
        """Do not change the player until `let_go`."""
        self._held = True

    def let_go(self) -> None:
        """Follow the session again, at once."""
        self._held = False
        self._follow()

    @Slot()
    def _on_cleared(self) -> None:
        self._runs += 1
        self._follow()

    @Slot()
    def _follow(self) -> None:
        session, player = self._session, self._player
        if self._held:
            return
        match session.state:
            case State.READY:
                shown, source = self._before_a_run(session.run.experiment)
                if self._is_another("demo", shown, self._zoo.problem):
                    if shown is not None:
                        player.open(folder=shown, source=source)
                    else:
                        player.client.close()
                    if self._zoo.problem:
                        session.show_message(self._zoo.problem)
            case State.RUNNING | State.PAUSED:
                waits = session.job.elsewhere and session.trust.waits
                if not self._is_another("training", self._runs, waits):
                    return
                if waits:  # its environment must not be made, and the window asks already
                    player.client.close()
                else:
                    player.open(experiment=session.run.experiment, folder=session.run.folder)
            case State.STOPPED | State.FINISHED | State.FAILED:
                self._follow_trained()
            case State.STORED:
                waits = session.trust.waits
                if not self._is_another("stored", session.run.folder, waits) or session.run.folder is None:
                    return
                if waits:  # its environment must not be made, and the window asks already
                    player.client.close()
                else:
                    player.open(folder=session.run.folder)

    def _before_a_run(self, experiment: Experiment) -> tuple[Path | None, str]:
        """Folder and name of the trained agent that plays before a run; None if there is none of its task.

        The demo of one task beside the settings of another one would be taken for that one.
        """
        if self._demo_title and (self._demo_task, self._demo_title) == (experiment.env.id, experiment.title):
            return self._demo, "demo"
        agent = self._zoo.of(experiment)
        if agent is not None:
            return folder_of(agent), source_of(agent)
        return (self._demo if self._demo_task in ("", experiment.env.id) else None), "demo"

    def _follow_trained(self) -> None:
        """Open the trained agent after the run has ended."""
        folder, followed = self._session.run.folder, self._followed
        if followed == ("training", self._runs, False):
            self._is_another("trained", self._runs)
            self._player.finish(folder)
        elif followed != ("trained", self._runs) and folder is not None and has_checkpoint(folder):
            self._is_another("trained", self._runs)
            self._player.open(folder=folder)

    def _is_another(self, *agent: object) -> bool:
        """Whether the agent differs from the one at the last call."""
        another, self._followed = agent != self._followed, agent
        return another


def _task_of(demo: Path | None) -> tuple[str, str]:
    """The environment's id and the title of the demo; empty if there is no demo or it cannot be read."""
    if demo is None:
        return "", ""
    try:
        experiment = read_experiment(demo)
    except ConfigError:
        return "", ""
    return experiment.env.id, experiment.title
