"""The training job: a generator of events that carries out commands between vector steps."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import torch

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.breakpoints import Breakpoints
from dqngui.jobs.device import with_measured_device
from dqngui.jobs.evaluation import evaluate
from dqngui.jobs.fork import Fork, load_fork
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.settings_from_task import notes_about_new_task, notes_about_task, with_measured_task
from dqngui.jobs.thinning import thinned
from dqngui.jobs.training import NotFinite, Training, ended
from dqngui.jobs.unlearned import UnlearnedSteps
from dqngui.learning.counters import next_evaluation, next_multiple
from dqngui.learning.evaluation import Interrupted
from dqngui.messages import (
    Advanced,
    BreakpointHit,
    BreakpointsSet,
    Command,
    Event,
    Finished,
    Learned,
    Noted,
    Opened,
    Pause,
    Paused,
    Request,
    Resume,
    RunResumed,
    SaveCheckpoint,
    SendWeights,
    SetBreakpoints,
    SetKnob,
    Step,
    Stop,
    Unpaused,
    Warned,
    Weights,
)
from dqngui.runs.folder import claim, read_experiment, trusted_experiment
from dqngui.runs.lock import WriterLock
from dqngui.runs.recorder import EpisodeTrace, Snapshot, record
from dqngui.runs.resume import Stored, load_resume, plan, planned, rewind
from dqngui.runs.trust import check_branch_trusted
from dqngui.texts import Text, say

Output = Event | Snapshot | EpisodeTrace


def train(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Train as asked; with a folder, everything is recorded there.

    Options of the request: `total_steps` lengthens or shortens a resumed run; `at_breakpoint` says what a hit does:
    `pause` (the default), `stop`, or `go on` (for example while a log is replayed).
    Raises ConfigError, before the first event, for an experiment that cannot start.
    """
    if request.folder is None:
        return _recorded(request, inbox, None)
    if request.resume:
        trusted_experiment(Path(request.folder))  # what is not a run stays as it is
    if request.fork is not None and request.experiment is not None:
        parent = Path(request.fork)
        check_branch_trusted(parent, read_experiment(parent).env, request.experiment.env)
    lock = claim(Path(request.folder))  # before anything is read: another writer may still change it
    try:
        return _recorded(request, inbox, lock)
    except BaseException:
        lock.release()
        raise


def _recorded(request: Request, inbox: Inbox, lock: WriterLock | None) -> Iterator[Event]:
    """The events of the job, recorded in the folder that `lock` holds; None: nothing is recorded."""
    stored = fork = None
    experiment = request.experiment
    if request.resume:
        if request.folder is None:
            raise ConfigError("train.no_folder")
        stored = load_resume(Path(request.folder))
        experiment = stored.experiment
        experiment = planned(experiment, request.options)
    if experiment is None:
        raise ConfigError("train.no_experiment")
    if stored is None:
        experiment = with_measured_task(experiment, request.folder)
    notes: list[Text] = []
    if lock is not None and not lock.protected and stored is None:
        notes.append(say("train.without_locks"))
    if request.fork is not None and stored is None:
        fork = load_fork(Path(request.fork), experiment)
        notes += notes_about_new_task(fork.began, experiment)
    torch.set_num_threads(experiment.run.threads)
    # Adam's moments of inactive units decay to denormal numbers, with which arithmetic is many times slower.
    torch.set_flush_denormal(True)
    if stored is None and fork is None:
        experiment = with_measured_device(experiment, request.folder, notes)
    job = _Job(experiment, request.folder, inbox, stored or fork, request.options.get("at_breakpoint", "pause"), notes)
    if request.folder is None:
        return (event for event in job.events(None) if isinstance(event, Event))
    folder = Path(request.folder)
    try:
        restored = fork.stored if fork is not None and fork.whole else stored
        if restored is not None:
            job.training.algorithm.check_room(restored.arrays)
        mark = stored.mark if stored is not None else fork.mark(folder) if fork is not None else None
        lost = rewind(folder, stored.mark, lock) if stored is not None else None
        if stored is not None and experiment.run.total_steps != stored.experiment.run.total_steps:
            plan(folder, experiment.run.total_steps)
    except BaseException:
        job.training.close()
        raise
    return record(job.events(lost), folder, experiment, mark, lock=lock)


class _Job:
    """One run of the training loop, with its commands, breakpoints and events."""

    def __init__(
        self,
        experiment: Experiment,
        folder: str | None,
        inbox: Inbox,
        origin: Stored | Fork | None,
        at_breakpoint: Literal["pause", "stop", "go on"],
        notes: list[Text],
    ) -> None:
        self.training = Training(experiment)
        self.notes = notes  # told once the job is open
        self.origin = origin  # what the run continues; dropped once it is restored, since it may hold a whole replay
        self.folder, self.inbox = folder, inbox
        self.paused = self.stopping = self.pause_reported = False
        self.saving = False
        self.broken = False  # the parameters are not finite: nothing is saved any more
        self.breakpoints, self.at_breakpoint = Breakpoints(), at_breakpoint
        self.unlearned = UnlearnedSteps()
        self.steps: list[str] = []  # until when each pending `Step` command runs, the present one first
        self.arrived: list[Command] = []  # commands that came during an evaluation
        self.carried_out = -1  # step up to which the scheduled commands are carried out
        self.clock = 0.0  # start of the stretch of training being timed

    def events(self, lost: RunResumed | None) -> Iterator[Output]:
        """All events of the run; `lost` says what a resumed run lost after its saved state."""
        return thinned(self._events(lost))

    def _events(self, lost: RunResumed | None) -> Generator[Output, None, None]:
        training = self.training
        try:
            yield from self._begin(lost)
            reason = yield from self._loop()
            if reason == "completed":
                yield from self.unlearned.check_end(training)
            yield self._snapshot()
            count = training.counters
            yield Finished(
                step=count.step,
                seconds=count.seconds,
                steps_per_second=count.step / max(count.seconds, 1e-9),
                reason=reason,
                best=count.best,
            )
        finally:
            training.close()

    def _begin(self, lost: RunResumed | None) -> Iterator[Output]:
        training = self.training
        warnings: list[Text] = []
        first: Event | None = lost
        origin, self.origin = self.origin, None
        match origin:
            case None:
                training.begin()
            case Stored():
                warnings += training.restore(origin.arrays, origin.meta)
                self._skip_carried_out(origin)
            case Fork():
                first = origin.begin(training, warnings)
                self.unlearned.updates = training.counters.updates
                self._skip_carried_out(origin.stored)
        origin = None
        step = training.counters.step
        yield Opened(
            step=step,
            folder=self.folder,
            experiment=training.experiment,
            device=str(training.device),
            parameters=training.parameters,
            observation=", ".join(f"{part.name} {part.shape}" for part in training.spaces.parts),
            actions=training.spaces.actions,
        )
        if first is not None:
            yield first
        else:
            self.notes += notes_about_task(training.experiment, training.spaces.actions)
        for text in self.notes:
            yield Noted(step=step, text=text)
        for text in warnings:
            yield Warned(step=step, text=text)
        if lost is None:
            yield self._snapshot()

    def _skip_carried_out(self, stored: Stored) -> None:
        """Skip the scheduled commands that were carried out before the state was saved."""
        self.breakpoints = Breakpoints(stored.meta.get("returns", ()))
        self.unlearned.restore(stored.meta.get("warned", ()))
        self.carried_out = stored.meta.get("obeyed", stored.mark.step)
        self.inbox.skip(self.carried_out)

    def _loop(self) -> Generator[Output, None, Literal["completed", "solved", "stopped"]]:
        training, count = self.training, self.training.counters
        while True:
            yield from self._carry_out_due()
            if self.stopping:
                return "stopped"
            run = training.experiment.run
            if self._evaluation_is_due():
                try:
                    if (yield from evaluate(training, self._should_interrupt, self._watched)):
                        return "solved"
                except Interrupted:
                    continue  # the evaluation is due again once the commands are carried out
                if (yield from self._check_breakpoints()):
                    continue
            if count.next_checkpoint <= count.step:
                count.next_checkpoint = next_multiple(count.step, run.checkpoint_every)
                yield self._snapshot()
            if count.step >= run.total_steps:
                return "completed"
            self.clock = time.perf_counter()
            episodes = training.act()
            try:
                updates = training.learn()
            except NotFinite as error:
                yield from self._check_not_finite(error)
                raise
            self._stop_clock()
            for episode in episodes:
                yield self._watched(ended(count.step, episode))
                yield EpisodeTrace(count.step, episode.env, episode.number, episode.seed, episode.actions)
            yield from self.unlearned.check(training, episodes)
            if count.next_row <= count.step and (count.rows or not training.algorithm.in_rollouts):
                yield self._watched(self._row())
            self._end_step(bool(updates), any(episode.env == 0 for episode in episodes))
            yield Advanced(step=count.step)
            yield from self._check_breakpoints()

    def _stop_clock(self) -> None:
        self.training.counters.seconds += time.perf_counter() - self.clock

    # -- commands ---------------------------------------------------------------------------------

    def _carry_out_due(self) -> Iterator[Output]:
        """Carry out the commands that are due; while paused, wait for more."""
        step = self.training.counters.step
        arrived, self.arrived = self.arrived, []
        yield from self._carry_out_all(arrived + self.inbox.poll(step))
        if self._waits():
            self.pause_reported = True
            yield Paused(step=step)
        while self._waits():
            yield from self._carry_out_all(self.inbox.wait(step, timeout=1.0))
        # Also when Resume comes while a Step is still on its way.
        if self.pause_reported and not self.paused and not self.steps and not self.stopping:
            self.pause_reported = False
            yield Unpaused(step=step)

    def _waits(self) -> bool:
        return self.paused and not self.stopping

    def _should_interrupt(self) -> bool:
        """Whether a command has come that should not wait for the end of an evaluation."""
        self.arrived += self.inbox.poll(self.training.counters.step)
        return any(isinstance(command, (Pause, Stop)) for command in self.arrived)

    def _carry_out_all(self, commands: list[Command]) -> Iterator[Output]:
        for command in commands:
            yield from self._carry_out(command)
        self.carried_out = self.training.counters.step
        if self.saving:  # after the others, so that the saved state says that they are carried out
            self.saving = False
            yield self._snapshot()

    def _carry_out(self, command: Command) -> Iterator[Output]:
        training = self.training
        step = training.counters.step
        match command:
            case Pause():
                self.paused, self.steps = True, []
            case Resume():
                self.paused, self.steps = False, []
            case Step(until=until):
                self.paused = False
                self.steps.append(until)
            case Stop():
                self.stopping = True
            case SetKnob():
                yield training.set_knob(command)
            case SendWeights():
                tensors = {name: value.cpu().clone() for name, value in training.learner.weights().items()}
                yield Weights(step=step, tensors=tensors)
            case SaveCheckpoint() if self.broken:
                yield Warned(step=step, text=say("train.nothing_to_save"))
            case SaveCheckpoint():
                self.saving = True
            case SetBreakpoints():
                if self.breakpoints.set(command.points):
                    yield BreakpointsSet(step=step, points=self.breakpoints.points)

    def _end_step(self, updated: bool, first_ended: bool) -> None:
        """Pause again after the last pending `Step`."""
        if self.steps and {"step": True, "update": updated, "episode": first_ended}[self.steps[0]]:
            self.steps.pop(0)
            self.paused = not self.steps

    # -- breakpoints ------------------------------------------------------------------------------

    def _watched(self, event: Event) -> Event:
        self.breakpoints.note(event)
        return event

    def _check_breakpoints(self) -> Generator[Output, None, bool]:
        """Report breakpoints that were hit and act on them; returns whether training has to pause or stop."""
        hits = self.breakpoints.hits()
        for point, value in hits:
            yield BreakpointHit(step=self.training.counters.step, point=point, value=value)
        if not hits or self.at_breakpoint == "go on":
            return False
        if self.at_breakpoint == "stop":
            self.stopping = True
        else:
            self.paused, self.steps = True, []
        return True

    def _check_not_finite(self, error: NotFinite) -> Iterator[Output]:
        """Check breakpoints before the run fails because of numbers that are not finite: one of them may pause it."""
        self._stop_clock()
        self.breakpoints.note_values(error.stats)
        if (yield from self._check_breakpoints()):
            self.broken = True
            yield from self._carry_out_due()

    # -- events ------------------------------------------------------------------------------------

    def _row(self) -> Learned:
        training, count = self.training, self.training.counters
        seconds = max(count.seconds - count.row_seconds, 1e-9)
        row = Learned(
            step=count.step,
            updates=count.updates,
            **{name: total / count.counts[name] for name, total in count.sums.items()},
            epsilon=training.epsilon,
            lr=training.learning_rate,
            steps_per_second=(count.step - count.row_step) / seconds,
            updates_per_second=(count.updates - count.row_updates) / seconds,
            seconds=count.seconds,
        )
        count.row_step, count.row_seconds, count.row_updates = count.step, count.seconds, count.updates
        count.sums, count.counts, count.rows = {}, {}, 0
        count.next_row = next_multiple(count.step, training.experiment.run.log_every)
        return row

    def _evaluation_is_due(self) -> bool:
        """Whether to evaluate now. A network that has learned nothing yet is evaluated only at the end of the run."""
        count, run = self.training.counters, self.training.experiment.run
        if not run.eval_every or count.next_evaluation > count.step:
            return False
        if count.updates == 0 and count.step < run.total_steps:
            count.next_evaluation = next_evaluation(count.step, count.evaluation_steps, run)
            return False
        return True

    def _snapshot(self) -> Snapshot:
        training = self.training
        return Snapshot(training.counters.step, training.learner.weights(), best=False, state=self._state)

    def _state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        arrays, meta = self.training.state()
        total, warned = self.training.experiment.run.total_steps, sorted(self.unlearned.warned)
        mine = {"obeyed": self.carried_out, "returns": self.breakpoints.returns, "warned": warned, "total_steps": total}
        return arrays, meta | mine
