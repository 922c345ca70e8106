"""The agents of the zoo for the window: which one belongs to the settings that are shown."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dqngui import presets
from dqngui.config import ConfigError, Experiment
from dqngui.runs import zoo
from dqngui.settings import same_task
from dqngui.texts import Text, say, words


class ZooAgents:
    """Finds the trained agent of the preset whose task an experiment has; each agent is read once.

    Attributes:
        problem: why the last one that was asked for does not play, such as a stale one; empty if there is no reason.
    """

    def __init__(self) -> None:
        self._found: dict[str, zoo.ZooAgent | Text] = {}
        self.problem: Text | str = ""

    def of(self, experiment: Experiment) -> zoo.ZooAgent | None:
        """The agent of the preset whose title and task these are, whatever else was changed; None without one."""
        self.problem = ""
        for name, preset in _presets_with_agents().items():
            if experiment.title == preset.title and same_task(experiment.env, preset.env):
                agent = self._agent(name)
                if isinstance(agent, zoo.ZooAgent):
                    return agent
                self.problem = agent
        return None

    def _agent(self, name: str) -> zoo.ZooAgent | Text:
        if name not in self._found:
            try:
                self._found[name] = zoo.playable(name)
            except ConfigError as error:
                self._found[name] = error.text
        return self._found[name]


@cache
def _presets_with_agents() -> dict[str, Experiment]:
    """The presets that have an agent in the zoo, by name; a preset that cannot be read is passed over."""
    found = {}
    for name in zoo.zoo_names():
        try:
            found[name] = presets.read_experiment(name)
        except ConfigError:
            continue
    return found


def source_of(agent: zoo.ZooAgent) -> str:
    """What is shown of the agent beside its steps: `trained zoo agent, test return 500`."""
    return words(say("zoo.source", mean=agent.tested.mean))


def folder_of(agent: zoo.ZooAgent) -> Path:
    """The folder of the agent's files."""
    return Path(agent.folder)
