"""An experiment as frozen structs with bounds, help and live marks. Not how experiments are read or changed.

`learn.lr` in a TOML file, in `--set learn.lr=1e-3`, in the form and in the log is the same name.
`settings` checks and changes experiments, `presets` reads and writes them.
"""

from __future__ import annotations

from dqngui.config.env import EnvConfig, Wrapper
from dqngui.config.learn import LearnConfig
from dqngui.config.net import NetConfig
from dqngui.config.run import RunConfig
from dqngui.config.schedule import Schedule, number, over_run
from dqngui.config.task import ObservationFacts, TaskFacts
from dqngui.schema import Options
from dqngui.texts import ReadableError

__all__ = [
    "SECTIONS",
    "ConfigError",
    "EnvConfig",
    "Experiment",
    "LearnConfig",
    "NetConfig",
    "ObservationFacts",
    "RunConfig",
    "Schedule",
    "TaskFacts",
    "Wrapper",
    "number",
    "over_run",
]


class ConfigError(ReadableError):
    """A mistake of the user, for example in an experiment or on the command line, described in one sentence."""


class Experiment(Options, frozen=True):
    """Everything that a run depends on.

    Attributes:
        derived: dotted names of the settings whose value was derived from others and not chosen (`derivation`).
        task: what was measured of the task before the run, for settings that are derived from it; None: nothing.
    """

    title: str = ""
    derived: tuple[str, ...] = ()
    env: EnvConfig = EnvConfig()
    net: NetConfig = NetConfig()
    learn: LearnConfig = LearnConfig()
    run: RunConfig = RunConfig()
    task: TaskFacts | None = None


SECTIONS: dict[str, type[Options]] = {"env": EnvConfig, "net": NetConfig, "learn": LearnConfig, "run": RunConfig}
