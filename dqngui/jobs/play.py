"""The playing job: a server that plays an agent, episode after episode, for those who watch.

It lives as long as its host: `OpenAgent` says who plays, `UseWeights` brings newer weights for the next episode,
`BeginEpisode` begins one, `Look` asks for steps and for the picture of one, `Drive` says what a step of a driven
episode does. What cannot be done is answered by `Failed`, and the job goes on waiting; `Stop` ends it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from dqngui.config import ConfigError
from dqngui.jobs.agent import LoadedAgent, asked_experiment
from dqngui.jobs.camera import NOTHING, REEL, DoesNotRepeat, Reel
from dqngui.jobs.changes import check_asked
from dqngui.jobs.episode import Episode
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.seen import describe, is_turned, map_seen, upright
from dqngui.jobs.stage import Stage
from dqngui.messages import (
    BeginEpisode,
    Command,
    Describe,
    Described,
    Drive,
    EpisodeBegan,
    Event,
    Finished,
    Frame,
    Look,
    OpenAgent,
    PlayerReady,
    Request,
    Resume,
    Stop,
    UseWeights,
    Warned,
)
from dqngui.runs.failure import failed
from dqngui.texts import say

SLICE_S = 0.01
"""Work between two looks into the inbox."""
WAIT_S = 1.0
LATE_S = 0.1
"""A picture that took longer is not given up for the next one, or a slow environment would show none at all."""
USUAL_FPS = 30.0


def play(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Serve until `Stop`; with an inbox that nobody can write to, until its schedule is served."""
    torch.set_num_threads(1)
    return _serve(inbox)


def _serve(inbox: Inbox) -> Iterator[Event]:
    began, player = time.perf_counter(), _Player()
    stopped = False
    try:
        while not stopped:
            for command in inbox.poll(0) if player.busy else inbox.wait(0, WAIT_S):
                # `Resume` is what a wait gives where nobody can send anything.
                stopped = stopped or isinstance(command, (Stop, Resume))
                yield from player.guard(player.obey(command))
            if not stopped:
                yield from player.guard(player.work())
    finally:
        player.close()
    seconds = time.perf_counter() - began
    yield Finished(step=player.step, seconds=seconds, steps_per_second=player.steps / seconds, reason="stopped")


class _Player:
    """What is open, what was asked for, and what is to be done next.

    Attributes:
        steps: environment steps played in all.
        environment: name of the one that was asked for last.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.environment = ""
        self.agent: LoadedAgent | None = None
        self.stage: Stage | None = None
        self.asked: BeginEpisode | None = None  # waits for weights
        self.early: Drive | None = None  # came before its episode began
        self.episode: Episode | None = None
        self.reel: Reel | None = None
        self.look: Look | None = None
        self.due: list[tuple[Look, float]] = []  # pictures to send and since when: the newest, before it a late one
        self.described: Describe | None = None  # what is to be told of a step
        self.warned = False

    @property
    def step(self) -> int:
        """How far the weights that play were trained."""
        if self.episode is not None:
            return self.episode.step
        return self.agent.step if self.agent is not None else 0

    def close(self) -> None:
        if self.stage is not None:
            self.stage.close()
        self.stage = None

    def guard(self, answers: Iterator[Event]) -> Iterator[Event]:
        """The answers; an error ends the episode and becomes `Failed`."""
        try:
            yield from answers
        except Exception as error:
            if not isinstance(error, ConfigError):
                self._leave()
                self.close()  # an environment that raised is made anew for the next episode
            yield failed(error, self.step, self.environment)

    # -- commands ---------------------------------------------------------------------------------

    def obey(self, command: Command) -> Iterator[Event]:
        """Carry out one command. Raises ConfigError for what cannot be done."""
        match command:
            case OpenAgent():
                yield self._open(command)
            case UseWeights() if self.agent is not None:
                self.agent.offer(command.step, command.tensors)
            case BeginEpisode() if self.agent is not None:
                self._leave()
                check_asked(command, self.agent)
                self.asked = command
            case Drive() if self.asked is not None:
                self.early = command
            case Drive() if self.episode is not None and command.number == self.episode.number:
                self.episode.drive(command)
            case Look():
                self._take(command)
            case Describe():
                self.described = command

    def _open(self, command: OpenAgent) -> PlayerReady:
        self._leave()
        self.close()
        self.agent, self.warned = None, False
        experiment = asked_experiment(command)
        self.environment = experiment.env.id
        stage = Stage(experiment)
        try:
            agent = LoadedAgent(command, experiment, stage.envs.spaces)
            views = agent.views()
        except BaseException:
            stage.close()
            raise
        self.agent, self.stage = agent, stage
        seen, cells, labels = map_seen(agent.spaces), agent.network.encoder.cells, agent.labels
        turned = seen is not None and is_turned(stage.envs, seen)
        if turned and cells is not None:
            labels |= {axis: upright(labels[axis], cells) for axis in ("query", "key")}
        return PlayerReady(
            step=agent.step,
            environment=self.environment,
            views=views,
            derivable=agent.derivable,
            held=agent.held,
            weights=agent.weights,
            labels=labels,
            cells=cells,
            entities=agent.network.encoder.entities,
            sees=None if seen is None else seen.map_shape[1:],
            turned=turned,
            texts=tuple(part.name for part in agent.spaces.parts if part.kind == "text"),
            judged=agent.network.judged,
            actions=agent.spaces.action_names,
            features=agent.features,
            fps=float(stage.envs.envs[0].metadata.get("render_fps") or USUAL_FPS),
            no_picture=stage.no_picture,
        )

    def _take(self, look: Look) -> None:
        """The newest Look wins, if it is of the present episode or of the one that waits."""
        present = self.asked or self.episode
        if present is None or look.number != present.number:
            return
        now = since = time.perf_counter()
        late = [due for due in self.due[:1] if now - due[1] > LATE_S and self._on_the_way(due[0], look)]
        if self.due and not late:
            since = self.due[0][1]  # it takes the place of one that has waited
        self.look, self.due = look, late
        if look.t is not None:
            self.due.append((look, since))
        if self.reel is not None:
            self.reel.size = look.size

    def _on_the_way(self, other: Look, look: Look) -> bool:
        position = self.stage.camera.position if self.stage is not None and self.stage.camera is not None else None
        return position is not None and position <= (other.t or 0) < (look.t or 0)

    # -- work -------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """There is something to do before the next command."""
        return self._may_begin() or self._wants_steps() or self._wants_picture() or self._may_describe()

    def work(self) -> Iterator[Event]:
        """A slice of what is to be done."""
        if self._may_begin():
            yield from self._begin()
        if self._wants_picture():
            yield from self._draw()
        if self._may_describe():
            yield from self._describe()
        if self._wants_steps():
            assert self.episode is not None
            full = self.episode.full
            played = self.episode.advance(self._until(), SLICE_S)
            self.steps += len(played.tensors["action"])
            yield played
            if self.episode.full and not full:
                text = say("play.too_long", steps=self.episode.length)
                yield Warned(step=self.step, text=text)

    def _may_begin(self) -> bool:
        return self.asked is not None and self.agent is not None and self.agent.can_play

    def _begin(self) -> Iterator[Event]:
        assert self.agent is not None and self.asked is not None
        asked, self.asked = self.asked, None
        self.agent.rearm()
        if self.stage is not None and self.stage.outdated:
            self.close()
        if self.stage is None:
            self.stage = Stage(self.agent.experiment, repeats=not self.warned)
        stage = self.stage
        stage.leave()
        if stage.camera is None and not stage.no_picture:
            self.reel = Reel(stage.envs, self.look.size if self.look is not None else (640, 480))
        self.episode = Episode(self.agent, stage.envs, asked, None if self.reel is None else self.reel.shoot)
        yield EpisodeBegan(
            step=self.step,
            number=asked.number,
            seed=asked.seed,
            epsilon=asked.epsilon,
            recorded=asked.record,
            given=len(asked.actions),
        )
        if self.early is not None and self.early.number == asked.number:
            self.episode.drive(self.early)
        if not stage.repeats:
            yield from self._warn()

    def _leave(self) -> None:
        self.episode = self.asked = self.early = self.reel = self.look = self.described = None
        self.due = []

    def _until(self) -> int:
        """Steps of the episode to have by now."""
        assert self.episode is not None
        until = 0 if self.look is None else max(self.look.until, self.look.t or 0)
        if self.reel is not None and self.look is not None and self.look.t is not None:
            until = min(until, self.look.t + REEL // 2)  # no further ahead than pictures are kept
        return self.episode.reach(until)

    def _wants_steps(self) -> bool:
        episode = self.episode
        return episode is not None and not episode.ended and episode.length < self._until()

    def _wants_picture(self) -> bool:
        """A picture is due and its step has been played."""
        episode = self.episode
        if episode is None or not self.due:
            return False
        return episode.ended or episode.length >= (self.due[0][0].t or 0)

    def _draw(self) -> Iterator[Event]:
        """Bring the camera nearer to the step that is due, and send its picture once it is there."""
        assert self.episode is not None and self.stage is not None
        episode, stage, look = self.episode, self.stage, self.due[0][0]
        t = min(look.t or 0, episode.length)
        pixels = NOTHING
        if self.reel is not None:
            pixels = self.reel.at(t)
        elif stage.camera is not None and stage.repeats:
            try:
                if not stage.camera.approach(episode, t, SLICE_S):
                    return
                pixels = stage.camera.shoot(look.size)
            except DoesNotRepeat:
                stage.repeats = False
                yield from self._warn()
        self.due.pop(0)
        tensors = {"pixels": pixels} if pixels.size else {}
        yield Frame(step=episode.step, number=episode.number, t=t, tensors=tensors, size=look.size)

    def _may_describe(self) -> bool:
        """Somebody asked what is seen at a step, and it has been played."""
        asked, episode = self.described, self.episode
        return (
            asked is not None and episode is not None and asked.number == episode.number and asked.t <= episode.length
        )

    def _describe(self) -> Iterator[Event]:
        """Bring an onlooker nearer to the step, unless the episode itself is there, and tell what is seen."""
        assert self.described is not None and self.episode is not None and self.stage is not None
        assert self.agent is not None
        asked, envs, tensors = self.described, self.stage.envs, {}
        there = asked.t == self.episode.length
        if not there and self.stage.repeats:
            try:
                if not self.stage.onlooker.approach(self.episode, asked.t, SLICE_S):
                    return
                envs, there = self.stage.onlooker.envs, True
            except DoesNotRepeat:
                pass
        self.described = None
        if there:
            tensors = describe(envs, self.agent, asked.size)
        yield Described(step=self.episode.step, number=asked.number, t=asked.t, tensors=tensors)

    def _warn(self) -> Iterator[Event]:
        if not self.warned:
            self.warned = True
            text = say("play.not_repeating", env=self.environment)
            yield Warned(step=self.step, text=text)
