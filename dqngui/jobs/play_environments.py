"""The environments in which one agent plays: the one that is simulated, and one that draws its frames."""

from __future__ import annotations

from contextlib import suppress

from dqngui.config import ConfigError, Experiment
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.envs.vector import Envs
from dqngui.jobs.frames import NotReproducible, ReplayEnvironment, drawing_environment
from dqngui.texts import Text


class PlayEnvironments:
    """The environments in which one agent plays.

    Attributes:
        envs: the one environment in which its episodes are simulated.
        renderer: a second environment that draws any step; None if none can be drawn, or not reproducibly.
        no_picture: why nothing can be drawn; empty if something can.
        alone: only one environment can be made at a time.
        reproducible: the environment repeats itself, so the renderer may be used; else frames are drawn while
            simulating.
    """

    def __init__(self, experiment: Experiment, reproducible: bool = True) -> None:
        """Raises ConfigError if the environment cannot be made."""
        self.alone, self.reproducible = False, reproducible
        self.no_picture: Text | str = ""
        self.renderer: ReplayEnvironment | None = None
        self._config = experiment.env
        self._observer: ReplayEnvironment | None = None
        self.envs: Envs = make_vector(experiment.env, 1, longest=LONGEST_GREEDY)
        try:
            self.renderer = ReplayEnvironment(experiment.env)
            if reproducible:
                self.renderer.check(self.envs, PLAY_SEEDS)
        except EnvironmentFault as error:
            if self.renderer is not None:
                self.close()
                raise  # it was made, and fails in its first steps
            self._draw_alone(error)
        except ConfigError as error:
            self.no_picture = error.text
        except NotReproducible:
            self.reproducible = False
        except BaseException:
            self.close()
            raise
        if self.renderer is not None and not self.reproducible:
            self.envs.close()
            self.envs, self.renderer = self.renderer.envs, None

    def _draw_alone(self, refused: EnvironmentFault) -> None:
        """Draw in the one environment that can be made at a time; it cannot be compared with another one."""
        self.envs.close()
        try:
            self.envs = drawing_environment(self._config)
            self.alone, self.reproducible = True, False
        except ConfigError:
            self.envs, self.no_picture = make_vector(self._config, 1, longest=LONGEST_GREEDY), refused.text

    @property
    def outdated(self) -> bool:
        """Whether the environments were made for a reproducible environment, and it has turned out not to be."""
        return self.renderer is not None and not self.reproducible

    @property
    def observer(self) -> ReplayEnvironment:
        """One more environment, which cannot draw: it describes any step. Made when it is first asked for."""
        if self._observer is None:
            self._observer = ReplayEnvironment(self._config, draws=False)
        return self._observer

    def forget_episode(self) -> None:
        """To be called before another episode starts."""
        for each in (self.renderer, self._observer):
            if each is not None:
                each.forget_episode()

    def close(self) -> None:
        # An environment that has just failed may fail again while it is closed.
        for each in (self.renderer, self._observer, self.envs):
            with suppress(Exception):
                if each is not None:
                    each.close()
