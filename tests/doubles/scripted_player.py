"""A host whose job is a script: it answers a player's commands at once, without a network or an environment."""

from __future__ import annotations

import numpy as np

from dqngui import messages as m
from dqngui.hosts import OpenHost
from dqngui.lab.background.timing import Timing
from dqngui.lab.playback.player import Player

ACTIONS = ("left", "right")
VIEW = m.View("memory/hidden", ("unit",), (8,), signed=True)


class ScriptedPlayer:
    """Answers at the next drain. Pixel (0, 0) of a picture is its step (modulo 256), q of step t is (t, 10).

    Attributes:
        length: steps of every episode.
        ready: what it says of every agent.
        answers: False leaves every command without an answer.
        draws: False leaves `Look`s for a picture without an answer.
        most: steps that it plays at most for now.
        legal: whether each action is legal at the step that is next; empty: it does not tell.
    """

    opened: list[ScriptedPlayer] = []
    length = 100
    legal: tuple[bool, ...] = ()
    ready = m.PlayerReady(
        step=0, environment="Scripted", views=(VIEW,), actions=ACTIONS, features=("position", "angle"), fps=50.0
    )

    def __init__(self, kind: str, request: m.Request) -> None:
        self.kind, self.request = kind, request
        self.sent: list[m.Command] = []
        self.answers = self.draws = True
        self.most = 1 << 30
        self.number, self.known, self.recorded = 0, 0, False
        self.actions: list[int] = []  # given, and of a driven episode those that were driven
        self.driven = False
        self.weights_step = 0
        self._queue: list[m.Event] = []
        self._over = False
        ScriptedPlayer.opened.append(self)

    def start(self) -> None:
        pass

    def emit(self, *events: m.Event) -> None:
        self._queue.extend(events)

    def die(self, text: str = "the job's process was ended by signal 9") -> None:
        self.emit(m.Failed(step=0, text=text), m.Finished(step=0, seconds=0.0, steps_per_second=0.0, reason="failed"))
        self._over = True

    def send(self, command: m.Command) -> None:
        self.sent.append(command)
        if not self.answers:
            return
        match command:
            case m.OpenAgent():
                self.weights_step = 0 if command.experiment else 60_000
                self.emit(self.ready)
            case m.UseWeights():
                self.weights_step = command.step
            case m.BeginEpisode():
                self.number, self.known, self.recorded = command.number, 0, command.record
                self.actions, self.driven = list(command.actions), command.driven
                self.emit(
                    m.EpisodeBegan(
                        step=self.weights_step, number=command.number, seed=command.seed,
                        epsilon=command.epsilon, recorded=command.record, given=len(command.actions),
                        legal=self.legal,
                    )
                )  # fmt: skip
            case m.Drive(onward=True) if command.number == self.number:
                self.driven = False
            case m.Drive() if command.number == self.number and command.t == len(self.actions):
                self.actions.append(0 if command.action is None else command.action)
                self._play(len(self.actions))
            case m.Look() if command.number == self.number:
                self._look(command)

    def draw_late(self) -> None:
        """Answer the newest `Look`, which `draws` had left without an answer."""
        self.draws = True
        self._look(self.all_of(m.Look)[-1])

    def _look(self, look: m.Look) -> None:
        self._play(min(look.until, len(self.actions) if self.driven else self.length))
        if look.t is not None and self.draws:
            t = min(look.t, len(self.actions) if self.driven else self.length)
            pixels = np.full((40, 60, 3), 255, np.uint8)
            pixels[0, 0] = t % 256
            tensors = {} if self.ready.no_picture else {"pixels": pixels}
            self.emit(m.Frame(step=0, number=self.number, t=t, tensors=tensors, size=look.size))

    def keep_silent(self) -> None:
        """Take back what was not drained yet."""
        self._queue.clear()

    def _play(self, until: int) -> None:
        until = min(until, self.most)
        if until > self.known:
            self.emit(self.played(self.known, until))
            self.known = until

    def played(self, first: int, until: int) -> m.Played:
        t = np.arange(first, until)
        action = np.where(t > 10, 0, 1)
        given = self.actions[first:until]
        action[: len(given)] = given
        tensors = {
            "q": np.stack([t, np.full(len(t), 10)], axis=1).astype(np.float32),
            "action": action,
            "reward": np.ones(len(t)),
            "observation": np.stack([np.sin(t / 10), np.cos(t / 10)], axis=1).astype(np.float32),
        }
        if self.recorded:
            tensors["view/memory/hidden"] = np.tile(t[:, None], (1, 8)).astype(np.float32)
        ended = until == self.length
        return m.Played(step=0, number=self.number, first=first, tensors=tensors, ended=ended, legal=self.legal)

    def drain(self, budget_ms: float = 8.0) -> list[m.Event]:
        events, self._queue = self._queue, []
        return events

    @property
    def alive(self) -> bool:
        return bool(self._queue) or not self._over

    def join(self, timeout: float | None = None) -> bool:
        return not self.alive

    def kill(self) -> None:
        self._queue, self._over = [], True

    def all_of(self, kind: type) -> list:
        """The commands of a kind, in order."""
        return [command for command in self.sent if isinstance(command, kind)]


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watched(Player):
    """A player whose clock a test moves by hand, and which draws as often as it ticks."""

    def __init__(self, open_host: OpenHost = ScriptedPlayer) -> None:
        self.clock = Clock()
        super().__init__(open_host=open_host, timing=Timing(self.clock, automatic=False), picture_s=0.0)
        self.shown: list[tuple[int, int]] = []  # step, and the step in the picture's first pixel
        self.framed.connect(self._see)

    def _see(self, frame: np.ndarray | None, t: int) -> None:
        self.shown.append((t, -1 if frame is None else int(frame[0, 0, 0])))

    @property
    def host(self) -> ScriptedPlayer:
        return ScriptedPlayer.opened[-1]

    def advance(self, seconds: float = 0.0, times: int = 1) -> None:
        """Let so much time pass before each of some ticks."""
        for _ in range(times):
            self.clock.now += seconds + 1e-9  # differences of a float must not fall short
            self.tick(self.clock.now)


def weights(step: int) -> m.Weights:
    return m.Weights(step=step, tensors={"w": np.zeros(3)})
