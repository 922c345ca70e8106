"""An episode of a run's agent for the report: played in a process of its own, with pictures and all recorded views."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.bounded import exists
from dqngui.config import ConfigError
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.hosts import Host, OpenHost, open_host
from dqngui.messages import BeginEpisode, Event, Failed, Frame, Look, OpenAgent, Played, PlayerReady, Request
from dqngui.runs.checkpoints import BEST, FOLDER, checkpoints
from dqngui.runs.folder import trusted_experiment
from dqngui.runs.trust import trust as remember_trust
from dqngui.texts import Text, say

MOST_STEPS = 500
PICTURE_SIZE = (480, 360)
SILENT_S = 120.0
"""An environment that gives nothing for so long is given up."""
_NUMBER = 1
_POLL_S = 0.005


@dataclass(slots=True)
class RecordedEpisode:
    """An episode of T steps.

    Attributes:
        ready: what the agent announced: views, labels, names.
        seed: of the episode; `weights_step`: how far its weights were trained.
        arrays: `q` (T, A), `action` (T,), `reward` (T,) and the views (T, *shape), as `Played` names them.
        frames: a picture (H, W, 3) uint8 before each step and after the last one; empty without pictures.
        ended: it was played to its end, and not cut after MOST_STEPS steps.
    """

    ready: PlayerReady
    seed: int
    weights_step: int = 0
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    frames: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    ended: bool = False

    @property
    def length(self) -> int:
        """Number of steps."""
        return len(self.arrays["action"]) if "action" in self.arrays else 0


def record_episode(
    folder: Path,
    *,
    trust: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    open_host: OpenHost = open_host,
    most: int = MOST_STEPS,
) -> RecordedEpisode:
    """Play an episode with the run's best checkpoint, greedily, in another process.

    Args:
        trust: the user trusts the run from now on.
        stopped: asked now and then; if it is true the process is ended.

    Raises ConfigError: the run has no checkpoint, has to be trusted first, or its environment cannot be played.
    """
    if trust:
        remember_trust(folder)
    trusted_experiment(folder)
    if not checkpoints(folder) and not exists(folder / FOLDER / BEST):
        raise ConfigError("report.no_checkpoint")  # before a process is started
    host = open_host("process", Request(job="play"))
    host.start()
    try:
        return _Recording(host, stopped, most).run(folder)
    finally:
        host.kill()
        while not host.join(0.05):
            host.drain()


class _Recording:
    """The conversation with the player."""

    def __init__(self, host: Host, stopped: Callable[[], bool], most: int) -> None:
        self._host, self._stopped, self._most = host, stopped, most
        self._episode: RecordedEpisode | None = None
        self._parts: dict[str, list[npt.NDArray[Any]]] = {}
        self._length = 0
        self._looking = 0
        self._all_seen = False

    def run(self, folder: Path) -> RecordedEpisode:
        """Play it. Raises ConfigError."""
        self._host.send(OpenAgent(folder=str(folder)))
        heard = time.monotonic()
        while not self._done:
            events = self._host.drain(50.0)
            for event in events:
                self._take(event)
            if self._stopped():
                raise KeyboardInterrupt
            if events:
                heard = time.monotonic()
            elif not self._host.alive:
                raise ConfigError("report.no_player")
            elif time.monotonic() - heard > SILENT_S:
                raise ConfigError("report.silent", seconds=SILENT_S)
            else:
                time.sleep(_POLL_S)
        assert self._episode is not None
        known = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        longest = len(known["action"])
        # A view of which the end is missing took too much memory; it is left out.
        self._episode.arrays = {name: values for name, values in known.items() if len(values) == longest}
        return self._episode

    @property
    def _done(self) -> bool:
        episode = self._episode
        over = episode is not None and (episode.ended or self._length >= self._most)
        return over and self._all_seen

    def _take(self, event: Event) -> None:
        match event:
            case Failed():
                raise ConfigError(
                    event.text if isinstance(event.text, Text) else say("report.failed", problem=event.text)
                )
            case PlayerReady():
                self._episode = RecordedEpisode(event, PLAY_SEEDS)
                self._all_seen = bool(event.no_picture)
                self._host.send(BeginEpisode(number=_NUMBER, seed=PLAY_SEEDS))
                self._look(0)
            case Played():
                self._add(event)
            case Frame():
                self._see(event)

    def _look(self, t: int) -> None:
        self._looking = t
        wanted = None if self._all_seen else t
        self._host.send(Look(number=_NUMBER, until=self._most, t=wanted, size=PICTURE_SIZE))

    def _add(self, played: Played) -> None:
        assert self._episode is not None
        for name, rows in played.tensors.items():
            self._parts.setdefault(name, []).append(np.asarray(rows))
        self._length = played.first + len(played.tensors["action"])
        self._episode.ended, self._episode.weights_step = played.ended, played.step

    def _see(self, frame: Frame) -> None:
        assert self._episode is not None
        if frame.t != len(self._episode.frames):
            return  # another than was asked for
        pixels = frame.tensors.get("pixels")
        if pixels is None or not np.size(pixels):
            self._episode.frames.clear()  # it draws some steps only: the maps are shown alone
            self._all_seen = True
            return
        self._episode.frames.append(np.asarray(pixels))
        last = self._episode.ended or self._length >= self._most
        if last and frame.t >= min(self._length, self._most):
            self._all_seen = True
        else:
            self._look(frame.t + 1)
