"""The environments in which one agent plays: the one that is simulated, and the camera."""

from __future__ import annotations

from contextlib import suppress

from dqngui.config import ConfigError, Experiment
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.envs.vector import Envs
from dqngui.jobs.camera import Camera, DoesNotRepeat
from dqngui.texts import Text


class Stage:
    """The environments of one agent: the one that is simulated, and the camera where pictures can be drawn.

    Attributes:
        no_picture: why there are none.
        repeats: the camera may be used; else pictures are drawn while simulating.
    """

    def __init__(self, experiment: Experiment, repeats: bool = True) -> None:
        """Raises ConfigError where the environment cannot be made."""
        self.repeats = repeats
        self.no_picture: Text | str = ""
        self.camera: Camera | None = None
        self._config = experiment.env
        self._onlooker: Camera | None = None
        self.envs: Envs = make_vector(experiment.env, 1, longest=LONGEST_GREEDY)
        try:
            self.camera = Camera(experiment.env)
            if repeats:
                self.camera.check(self.envs, PLAY_SEEDS)
        except ConfigError as error:
            self.no_picture = error.text
        except DoesNotRepeat:
            self.repeats = False
        except BaseException:
            self.close()
            raise
        if self.camera is not None and not self.repeats:
            self.envs.close()
            self.envs, self.camera = self.camera.envs, None

    @property
    def outdated(self) -> bool:
        """The environment was taken for one that repeats itself."""
        return self.camera is not None and not self.repeats

    @property
    def onlooker(self) -> Camera:
        """One more environment, without pictures, which tells what is seen at any step; made when first asked for."""
        if self._onlooker is None:
            self._onlooker = Camera(self._config, draws=False)
        return self._onlooker

    def leave(self) -> None:
        """Another episode begins."""
        for camera in (self.camera, self._onlooker):
            if camera is not None:
                camera.leave()

    def close(self) -> None:
        # An environment that has just failed may fail again while it is closed.
        for one in (self.camera, self._onlooker, self.envs):
            with suppress(Exception):
                if one is not None:
                    one.close()
