"""The playing job: a server that plays episodes of an agent for the window, with frames and recorded views.

It runs until `Stop`. `OpenAgent` says which agent plays, `UseWeights` brings newer weights for the next episode,
`BeginEpisode` starts an episode, `Look` asks for its steps and for the frame of one step, and `Drive` gives the action
of a step of a driven episode. A command that cannot be carried out is answered with `Failed`, and the job goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from dqngui.config import ConfigError
from dqngui.envs.border import frame_rate
from dqngui.envs.faults import EnvironmentFault
from dqngui.jobs.agent import LoadedAgent, experiment_of
from dqngui.jobs.episode import SimulatedEpisode
from dqngui.jobs.frames import KEPT_FRAMES, NO_PICTURE, NotReproducible, RecordedFrames
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.interventions import NotLegal, check_request
from dqngui.jobs.play_environments import PlayEnvironments
from dqngui.jobs.step_description import describe, is_transposed, observed_map, with_cells_transposed
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
"""Seconds of work between two reads of the inbox."""
WAIT_S = 1.0
LATE_S = 0.1
"""A frame that is later than this is finished before a newer one; else a slow environment would never show a frame."""
USUAL_FPS = 30.0


def play(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Serve commands until `Stop`; with an inbox that only has a schedule, until the schedule is done."""
    torch.set_num_threads(1)
    return _serve(inbox)


def _serve(inbox: Inbox) -> Iterator[Event]:
    began, player = time.perf_counter(), _Player()
    stopped = False
    try:
        while not stopped:
            for command in inbox.poll(0) if player.busy else inbox.wait(0, WAIT_S):
                # An inbox to which nobody can send returns `Resume` when its schedule is done.
                stopped = stopped or isinstance(command, (Stop, Resume))
                yield from player.guard(player.carry_out(command))
            if not stopped:
                yield from player.guard(player.work())
    finally:
        player.close()
    seconds = time.perf_counter() - began
    yield Finished(step=player.step, seconds=seconds, steps_per_second=player.steps / seconds, reason="stopped")


class _Player:
    """The agent and episode that are open, what was requested of them, and what is to be done next.

    Attributes:
        steps: environment steps played in all.
        environment: name of the environment that was asked for last.
        request: an episode that waits for weights.
        early_drive: a command that came before its episode was started.
        frames: newest frames of an environment that is not reproducible.
        wanted: the newest `Look`.
        frames_due: frames to send, each with the time since which one has been waited for: a late one, then the newest.
        description_request: a step that is to be described.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.environment = ""
        self.agent: LoadedAgent | None = None
        self.environments: PlayEnvironments | None = None
        self.request: BeginEpisode | None = None
        self.early_drive: Drive | None = None
        self.episode: SimulatedEpisode | None = None
        self.frames: RecordedFrames | None = None
        self.wanted: Look | None = None
        self.frames_due: list[tuple[Look, float]] = []
        self.description_request: Describe | None = None
        self.warned = False

    @property
    def step(self) -> int:
        """Training steps of the weights that play."""
        if self.episode is not None:
            return self.episode.step
        return self.agent.step if self.agent is not None else 0

    def close(self) -> None:
        if self.environments is not None:
            self.environments.close()
        self.environments = None

    def guard(self, answers: Iterator[Event]) -> Iterator[Event]:
        """Pass the answers on; an error becomes `Failed`, and one of the program or of the environment also ends the
        episode.
        """
        try:
            yield from answers
        except Exception as error:
            if isinstance(error, NotLegal):
                self._leave()
            elif not isinstance(error, ConfigError) or isinstance(error, EnvironmentFault):
                self._leave()
                self.close()  # an environment that raised is made anew for the next episode
            yield failed(error, self.step, self.environment)

    # -- commands ---------------------------------------------------------------------------------

    def carry_out(self, command: Command) -> Iterator[Event]:
        """Carry out one command. Raises ConfigError for what cannot be done."""
        match command:
            case OpenAgent():
                yield self._open(command)
            case UseWeights() if self.agent is not None:
                self.agent.offer_weights(command.step, command.tensors)
            case BeginEpisode() if self.agent is not None:
                self._leave()
                check_request(command, self.agent)
                self.request = command
            case Drive() if self.request is not None:
                self.early_drive = command
            case Drive() if self.episode is not None and command.number == self.episode.number:
                try:
                    self.episode.drive(command)
                except NotLegal as error:  # the step goes on waiting
                    yield Warned(step=self.step, text=error.text)
            case Look():
                self._set_wanted(command)
            case Describe():
                self.description_request = command

    def _open(self, command: OpenAgent) -> PlayerReady:
        self._leave()
        self.close()
        self.agent, self.warned = None, False
        experiment = experiment_of(command)
        self.environment = experiment.env.id
        if command.folder is None and experiment.task is not None and experiment.task.single:
            raise ConfigError("play.single", env=self.environment)
        environments = PlayEnvironments(experiment)
        try:
            agent = LoadedAgent(command, experiment, environments.envs.spaces)
            views = agent.views()
        except BaseException:
            environments.close()
            raise
        self.agent, self.environments = agent, environments
        part, cells, labels = observed_map(agent.spaces), agent.network.encoder.cells, agent.labels
        transposed = part is not None and is_transposed(environments.envs, part)
        if transposed and cells is not None:
            labels |= {axis: with_cells_transposed(labels[axis], cells) for axis in ("query", "key")}
        return PlayerReady(
            step=agent.step,
            environment=self.environment,
            views=views,
            derivable=agent.derivable,
            held=agent.held,
            weights=agent.weights,
            labels=labels,
            parts=agent.network.encoder.token_counts,
            cells=cells,
            entities=agent.network.encoder.entities,
            own=agent.network.encoder.own,
            observed_size=None if part is None else part.map_shape[1:],
            transposed=transposed,
            texts=tuple(part.name for part in agent.spaces.parts if part.kind == "text"),
            output_kind=agent.network.output_kind,
            actions=agent.spaces.action_names or agent.spaces.option_names,
            choices=agent.spaces.choices,
            dimensions=agent.spaces.dimension_names,
            features=agent.features,
            fps=frame_rate(environments.envs.envs[0], USUAL_FPS),
            no_picture=environments.no_picture,
        )

    def _set_wanted(self, wanted: Look) -> None:
        """Replace the previous `Look`, if this one is for the present episode or for the one that waits."""
        present = self.request or self.episode
        if present is None or wanted.number != present.number:
            return
        now = since = time.perf_counter()
        late = [due for due in self.frames_due[:1] if now - due[1] > LATE_S and self._on_the_way(due[0], wanted)]
        if self.frames_due and not late:
            since = self.frames_due[0][1]  # it replaces a frame that has waited
        self.wanted, self.frames_due = wanted, late
        if wanted.t is not None:
            self.frames_due.append((wanted, since))
        if self.frames is not None:
            self.frames.size = wanted.size

    def _on_the_way(self, other: Look, wanted: Look) -> bool:
        """Whether the renderer passes the step of `other` on its way to that of `wanted`."""
        renderer = None if self.environments is None else self.environments.renderer
        position = None if renderer is None else renderer.position
        return position is not None and position <= (other.t or 0) < (wanted.t or 0)

    # -- work -------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is work to do before the next command."""
        return self._may_begin() or self._wants_steps() or self._wants_picture() or self._may_describe()

    def work(self) -> Iterator[Event]:
        """Do a slice of the work."""
        if self._may_begin():
            yield from self._begin()
        if self._wants_picture():
            yield from self._send_frame()
        if self._may_describe():
            yield from self._send_description()
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
        return self.request is not None and self.agent is not None and self.agent.can_play

    def _begin(self) -> Iterator[Event]:
        assert self.agent is not None and self.request is not None
        request, self.request = self.request, None
        self.agent.use_offered_weights()
        if self.environments is not None and self.environments.outdated:
            self.close()
        if self.environments is None:
            self.environments = PlayEnvironments(self.agent.experiment, reproducible=not self.warned)
        environments = self.environments
        environments.forget_episode()
        if environments.renderer is None and not environments.no_picture:
            self.frames = RecordedFrames(environments.envs, self.wanted.size if self.wanted is not None else (640, 480))
        self.episode = SimulatedEpisode(
            self.agent, environments.envs, request, None if self.frames is None else self.frames.record
        )
        yield EpisodeBegan(
            step=self.step,
            number=request.number,
            seed=request.seed,
            epsilon=request.epsilon,
            recorded=request.record,
            given=len(request.actions),
            legal=self.episode.legal,
        )
        if self.early_drive is not None and self.early_drive.number == request.number:
            self.episode.drive(self.early_drive)
        if not environments.reproducible:
            yield from self._warn_not_reproducible()

    def _leave(self) -> None:
        self.episode = self.request = self.early_drive = self.frames = self.wanted = self.description_request = None
        self.frames_due = []

    def _until(self) -> int:
        """Number of steps of the episode that are wanted by now."""
        assert self.episode is not None
        until = 0 if self.wanted is None else max(self.wanted.until, self.wanted.t or 0)
        if self.frames is not None and self.wanted is not None and self.wanted.t is not None:
            until = min(until, self.wanted.t + KEPT_FRAMES // 2)  # no farther ahead than frames are kept
        return self.episode.playable_until(until)

    def _wants_steps(self) -> bool:
        episode = self.episode
        return episode is not None and not episode.ended and episode.length < self._until()

    def _wants_picture(self) -> bool:
        """Whether a frame is due and its step has been played."""
        episode = self.episode
        if episode is None or not self.frames_due:
            return False
        return episode.ended or episode.length >= (self.frames_due[0][0].t or 0)

    def _send_frame(self) -> Iterator[Event]:
        """Move the renderer towards the step whose frame is due, and send the frame once it is there."""
        assert self.episode is not None and self.environments is not None
        episode, environments, wanted = self.episode, self.environments, self.frames_due[0][0]
        t = min(wanted.t or 0, episode.length)
        pixels = NO_PICTURE
        if self.frames is not None:
            pixels = self.frames.at(t)
        elif environments.renderer is not None and environments.reproducible:
            try:
                if not environments.renderer.go_to(episode, t, SLICE_S):
                    return
                pixels = environments.renderer.picture(wanted.size)
            except NotReproducible:
                environments.reproducible = False
                yield from self._warn_not_reproducible()
        self.frames_due.pop(0)
        tensors = {"pixels": pixels} if pixels.size else {}
        yield Frame(step=episode.step, number=episode.number, t=t, tensors=tensors, size=wanted.size)

    def _may_describe(self) -> bool:
        """Whether a description was asked for and its step has been played."""
        request, episode = self.description_request, self.episode
        return (
            request is not None
            and episode is not None
            and request.number == episode.number
            and request.t <= episode.length
        )

    def _send_description(self) -> Iterator[Event]:
        """Describe a step: of the episode itself if it is there, else move another environment towards the step
        first.
        """
        assert self.description_request is not None and self.episode is not None and self.environments is not None
        assert self.agent is not None
        request, envs, tensors = self.description_request, self.environments.envs, {}
        there = request.t == self.episode.length
        if not there and self.environments.reproducible:
            try:
                if not self.environments.observer.go_to(self.episode, request.t, SLICE_S):
                    return
                envs, there = self.environments.observer.envs, True
            except NotReproducible:
                pass
        self.description_request = None
        if there:
            tensors = describe(envs, self.agent, request.size)
        yield Described(step=self.episode.step, number=request.number, t=request.t, tensors=tensors)

    def _warn_not_reproducible(self) -> Iterator[Event]:
        if not self.warned:
            self.warned = True
            alone = self.environments is not None and self.environments.alone
            text = say("play.alone" if alone else "play.not_repeating", env=self.environment)
            yield Warned(step=self.step, text=text)
