"""A client of the playing job for tests, agents for it, and an environment that counts its steps."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.play import play
from dqngui.messages import (
    BeginEpisode,
    Command,
    Event,
    Failed,
    Frame,
    Look,
    OpenAgent,
    Played,
    PlayerReady,
    Request,
    UseWeights,
)
from dqngui.nets.network import build_network
from dqngui.settings import experiment_from


class Drawn(gymnasium.Env[Any, Any]):
    """Counts steps and draws its observation; by its options it is not reproducible, breaks, is slow or draws
    nothing.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 12}

    def __init__(
        self,
        length: int = 40,
        differs_from: int = 10**9,
        breaks_at: int = 10**9,
        slow: float = 0.0,
        draws: bool = True,
        render_mode: str | None = None,
    ) -> None:
        self.observation_space = spaces.Box(-1e3, 1e3, (2,), np.float32)
        self.action_space = spaces.Discrete(3)
        self.render_mode, self.draws = render_mode, draws
        self.length, self.differs_from, self.breaks_at, self.slow = length, differs_from, breaks_at, slow
        self.steps, self.luck = 0, np.random.default_rng()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return self._observation(), {}

    def _observation(self) -> np.ndarray:
        drawn = self.luck if self.steps >= self.differs_from else self.np_random
        self.value = float(drawn.random(dtype=np.float32))
        return np.array([self.steps, self.value], np.float32)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.steps == self.breaks_at:
            raise OSError("the robot fell over")
        time.sleep(self.slow)
        self.steps += 1
        return self._observation(), 0.5 * self.steps, False, self.steps == self.length, {}

    def render(self) -> Any:
        return np.full((40, 60, 3), [self.steps % 256, int(self.value * 255), 0], np.uint8) if self.draws else None


gymnasium.register("tests/Drawn-v0", entry_point=Drawn)


class Player:
    """Sends commands to a playing job and keeps its events."""

    def __init__(self, agent: Experiment | Path | None = None) -> None:
        self._queue: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self.inbox = Inbox(self._queue)
        self.job: Iterator[Event] = play(Request(job="play"), self.inbox)
        self.seen: list[Event] = []
        if agent is not None:
            folder, experiment = (str(agent), None) if isinstance(agent, Path) else (None, agent)
            self.send(OpenAgent(folder=folder, experiment=experiment))
            self.ready: Any = self.until(PlayerReady)

    def send(self, *commands: Command) -> None:
        for command in commands:
            self._queue.put(command)

    def next(self) -> Event:
        self.seen.append(next(self.job))
        return self.seen[-1]

    def until(self, kind: Any, holds: Callable[[Any], bool] = lambda event: True) -> Any:
        """The first event of a kind; another Failed is an error."""
        while True:
            event = self.next()
            if isinstance(event, kind) and holds(event):
                return event
            assert not isinstance(event, Failed), event

    def episode(self, length: int = 1000, **asked: Any) -> dict[str, np.ndarray]:
        """A whole episode as arrays."""
        begin = BeginEpisode(**{"number": 1, "seed": 3, **asked})
        self.send(begin, Look(number=begin.number, until=length))
        rows: list[Played] = []
        while not rows or not (rows[-1].ended or rows[-1].first + len(rows[-1].tensors["action"]) >= length):
            rows.append(self.until(Played))
        assert [row.first for row in rows] == [0, *np.cumsum([len(row.tensors["action"]) for row in rows])[:-1]]
        self.last = rows[-1]
        return {name: np.concatenate([row.tensors[name] for row in rows]) for name in rows[0].tensors}

    def picture(self, t: int, number: int = 1, until: int = 0, size: tuple[int, int] = (640, 480)) -> np.ndarray:
        self.send(Look(number=number, until=until, t=t, size=size))
        frame = self.until(Frame)
        assert (frame.number, frame.t) == (number, t)
        return frame.tensors.get("pixels", np.zeros(0))

    def received(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]


def small(env_id: str = "CartPole-v1", memory: str = "gru", kwargs: dict[str, Any] | None = None, **env: Any) -> Any:
    net = {"width": 8, "memory": memory, "attention": "self", "attention_options": {"heads": 2}}
    return experiment_from({"env": {"id": env_id, "kwargs": kwargs or {}, **env}, "net": net})


def weights_of(experiment: Experiment, seed: int) -> dict[str, np.ndarray]:
    envs = make_vector(experiment.env, 1)
    network = build_network(envs.spaces, experiment, torch.Generator().manual_seed(seed))
    envs.close()
    return {name: value.numpy() for name, value in network.state_dict().items()}


def player_with_weights(experiment: Experiment, seed: int = 0) -> Player:
    player = Player(experiment)
    player.send(UseWeights(step=100, tensors=weights_of(experiment, seed)))
    return player
