"""The server of the studying job: it opens an agent and answers questions about it from many episodes.

It runs until `Stop`. `OpenAgent` says which agent is studied (with a folder beside an experiment, the folder has its
checkpoints), and `UseWeights` brings newer weights for the next question. A newer question, `Abandon`, another agent or
`Stop` ends the question that is being answered. One that cannot be answered gets `Unanswered`, and the job goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import torch

from dqngui.config import ConfigError
from dqngui.envs.make import make_vector
from dqngui.heaps import give_back
from dqngui.jobs.agent import LoadedAgent, experiment_of
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.study.faithfulness import faithfulness
from dqngui.jobs.study.over_training import over_training
from dqngui.jobs.study.probe import facts_to_read, probe, readable_views
from dqngui.messages import (
    Abandon,
    AskFaithfulness,
    AskOverTraining,
    AskProbe,
    Command,
    Event,
    Finished,
    OpenAgent,
    Progress,
    Request,
    Resume,
    Stop,
    StudyReady,
    Unanswered,
    UseWeights,
)
from dqngui.runs.failure import failed

SLICE_S = 0.02
"""Seconds of work between two reads of the inbox."""
WAIT_S = 1.0
PROGRESS_INTERVAL = 0.01
"""Progress is reported in steps of this share."""

Question = AskFaithfulness | AskProbe | AskOverTraining


def study(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Serve commands until `Stop`; with an inbox that only has a schedule, until the schedule is done."""
    torch.set_num_threads(1)
    return _serve(inbox)


def _serve(inbox: Inbox) -> Iterator[Event]:
    began, studied = time.perf_counter(), _StudiedAgent()
    stopped = False
    try:
        while not stopped:
            for command in inbox.poll(0) if studied.busy else inbox.wait(0, WAIT_S):
                # An inbox to which nobody can send returns `Resume` when its schedule is done.
                stopped = stopped or isinstance(command, (Stop, Resume))
                yield from studied.carry_out(command)
            if not stopped:
                yield from studied.work()
    finally:
        studied.leave()
    seconds = time.perf_counter() - began
    yield Finished(step=studied.step, seconds=seconds, steps_per_second=0.0, reason="stopped")


class _StudiedAgent:
    """The agent that is studied, and the question that is being answered."""

    def __init__(self) -> None:
        self.agent: LoadedAgent | None = None
        self.folder: Path | None = None
        self.environment = ""
        self._question: Question | None = None
        self._answering: Iterator[Event | None] | None = None
        self._progress = 0.0

    @property
    def step(self) -> int:
        """Training steps of the weights that are studied."""
        return self.agent.step if self.agent is not None else 0

    @property
    def busy(self) -> bool:
        """Whether there is work to do before the next command."""
        return self._answering is not None

    def leave(self) -> None:
        """Stop answering; closes the environments."""
        answering, self._answering, self._question = self._answering, None, None
        if answering is not None:
            answering.close()  # type: ignore[attr-defined]  # all are generators
            del answering
            give_back()  # hundreds of episodes were held

    def carry_out(self, command: Command) -> Iterator[Event]:
        """Carry out one command."""
        match command:
            case OpenAgent():
                self.leave()
                try:
                    yield self._open(command)
                except Exception as error:
                    yield failed(error, 0, self.environment)
            case UseWeights() if self.agent is not None:
                try:
                    self.agent.offer_weights(command.step, command.tensors)
                except ConfigError as error:
                    yield failed(error, self.step)
            case Abandon() if self._question is not None and self._question.number == command.number:
                self.leave()
            case AskFaithfulness() | AskProbe() | AskOverTraining():
                self.leave()
                self._question, self._progress = command, 0.0
                self._answering = self._answer(command)

    def _open(self, command: OpenAgent) -> StudyReady:
        self.agent = None
        experiment = command.experiment or experiment_of(command)
        self.environment = experiment.env.id
        envs = make_vector(experiment.env, 1)
        try:
            # With an experiment the weights come from a run in training, wherever that stores them.
            opened = command if command.experiment is None else OpenAgent(experiment=experiment)
            agent = LoadedAgent(opened, experiment, envs.spaces)
            facts = facts_to_read(envs)
        finally:
            envs.close()
        self.agent, self.folder = agent, None if command.folder is None else Path(command.folder)
        return StudyReady(step=agent.step, views=agent.views(), held=readable_views(agent), facts=facts)

    # -- work -------------------------------------------------------------------------------------

    def _answer(self, question: Question) -> Iterator[Event | None]:
        agent = self.agent
        if agent is None or not agent.can_play:
            raise ConfigError("study.no_agent")
        agent.use_offered_weights()
        for name, weights in agent.network.named_parameters():
            if not weights.isfinite().all():
                raise ConfigError("study.not_finite", name=name)
        if isinstance(question, AskFaithfulness):
            yield from faithfulness(agent, question)
        elif isinstance(question, AskProbe):
            yield from probe(agent, question)
        else:
            yield from over_training(agent, self.folder, question)

    def work(self) -> Iterator[Event]:
        """Do a slice of the work on the answer."""
        if self._answering is None or self._question is None:
            return
        deadline = time.perf_counter() + SLICE_S
        number = self._question.number
        try:
            while time.perf_counter() < deadline:
                event = next(self._answering)
                if event is None or (isinstance(event, Progress) and not self._is_news(event)):
                    continue
                yield event
        except StopIteration:
            self.leave()
        except Exception as error:
            text = failed(error, self.step, self.environment).text
            self.leave()
            yield Unanswered(step=self.step, number=number, text=text)

    def _is_news(self, progress: Progress) -> bool:
        if 0 < progress.share < self._progress + PROGRESS_INTERVAL:
            return False
        self._progress = progress.share
        return True
