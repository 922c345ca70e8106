"""The loop of a training job: it trains, evaluates and saves, and carries out commands between vector steps."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Literal

from dqngui.config import Experiment
from dqngui.jobs.breakpoints import Breakpoints
from dqngui.jobs.evaluation import evaluate
from dqngui.jobs.fork import Fork
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.room import note_about_room, warning_about_disk
from dqngui.jobs.saved_state import check_meta, damage_named
from dqngui.jobs.saving import SaveClock
from dqngui.jobs.settings_from_task import notes_about_task
from dqngui.jobs.task_notes import TaskNotes
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
from dqngui.runs.recorder import EpisodeTrace, Snapshot
from dqngui.runs.resume import Stored
from dqngui.texts import Text, say

Output = Event | Snapshot | EpisodeTrace


class TrainingLoop:
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
        inbox.outside = self.training.outside
        self.notes = notes  # told once the job is open
        self.origin = origin  # what the run continues; dropped once it is restored, since it may hold a whole replay
        self.taken: tuple[list[str], list[str]] = [], []  # of a fork: what it took over, and what begins anew
        self.folder, self.inbox = folder, inbox
        self.paused = self.stopping = self.pause_reported = False
        self.saving = False
        self.broken = False  # the parameters are not finite: nothing is saved any more
        self.breakpoints, self.at_breakpoint = Breakpoints(), at_breakpoint
        self.unlearned, self.task_notes = UnlearnedSteps(), TaskNotes()
        self.steps: list[str] = []  # until when each pending `Step` command runs, the present one first
        self.arrived: list[Command] = []  # commands that came during an evaluation
        self.carried_out = -1  # step up to which the scheduled commands are carried out
        self.clock = 0.0  # start of the stretch of training being timed
        self.save_clock = SaveClock()
        self.moves = -1  # vector steps of the actor when the last one was complete, with its updates and events

    def load(self, folder: Path) -> None:
        """Take over the state that the run continues, before a file is changed. Raises ConfigError if it is damaged."""
        match self.origin:
            case Stored(arrays=arrays, meta=meta, mark=mark, segments=segments):
                with damage_named(folder):
                    check_meta(meta)
                    self.training.load(arrays, meta, segments or ())
                    if self.training.counters.step != mark.step:
                        raise ValueError("step")
            case Fork():
                self.taken = self.origin.load(self.training)

    def events(self, lost: RunResumed | None) -> Iterator[Output]:
        """All events of the run; `lost` says what a resumed run lost after its saved state."""
        return thinned(self._events(lost))

    def _events(self, lost: RunResumed | None) -> Generator[Output, None, None]:
        training = self.training
        try:
            yield from self._begin(lost)
            try:
                reason = yield from self._loop()
            except KeyboardInterrupt:
                if not self._whole():
                    raise
                reason = "stopped"
            except (Exception, SystemExit):
                if self._whole():  # only an environment failed: what was learned so far is saved
                    yield from self._save()
                raise
            if reason == "completed":
                yield from self.unlearned.check_end(training)
            yield from self._save()
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
                warnings += training.go_on()
                self.task_notes.restore(origin.meta.get("legal", ()))
                self._skip_carried_out(origin)
            case Fork():
                first = origin.begin(training, self.taken, warnings)
                self.unlearned.updates = training.counters.updates
                self._skip_carried_out(origin.stored)
        origin = None
        if lost is None:
            warnings += filter(None, [warning_about_disk(training.algorithm.room[1], self.folder)])
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
            self.notes += filter(None, [note_about_room(*training.algorithm.room)])
        for text in self.notes:
            yield Noted(step=step, text=text)
        for text in warnings:
            yield Warned(step=step, text=text)
        yield from self.task_notes.check(training)
        if lost is None:
            yield from self._save()

    def _skip_carried_out(self, stored: Stored) -> None:
        """Skip the scheduled commands that were carried out before the state was saved."""
        self.breakpoints = Breakpoints(stored.meta.get("returns", ()))
        self.unlearned.restore(stored.meta.get("warned", ()))
        self.carried_out = stored.meta.get("obeyed", stored.mark.step)
        self.inbox.skip(self.carried_out)

    def _loop(self) -> Generator[Output, None, Literal["completed", "solved", "stopped"]]:
        training, count = self.training, self.training.counters
        while True:
            self.moves = training.algorithm.actor.moves
            yield from self._carry_out_due()
            if self.stopping:
                return "stopped"
            run = training.experiment.run
            yield from self._save_by_time()
            if self._evaluation_is_due():
                try:
                    if (yield from evaluate(training, self._answer, self._watched)):
                        return "solved"
                except Interrupted:
                    continue  # the evaluation is due again once the commands are carried out
                if (yield from self._check_breakpoints()):
                    continue
            if count.next_checkpoint <= count.step:
                count.next_checkpoint = next_multiple(count.step, run.checkpoint_every)
                yield from self._save()
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
            yield from self.task_notes.check(training)
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
            yield from self._save_by_time()
        # Also when Resume comes while a Step is still on its way.
        if self.pause_reported and not self.paused and not self.steps and not self.stopping:
            self.pause_reported = False
            yield Unpaused(step=step)

    def _waits(self) -> bool:
        return self.paused and not self.stopping

    def _answer(self) -> Iterator[Event]:
        """Answer the commands that came during an evaluation and change nothing; the others wait for its end.

        Raises Interrupted if one of them should not wait.
        """
        came = self.inbox.poll(self.training.counters.step)
        if any(isinstance(command, (Pause, Stop)) for command in came):
            self.arrived += came
            raise Interrupted
        for command in came:
            if isinstance(command, SendWeights):
                yield self._weights()
            else:
                self.arrived.append(command)

    def _carry_out_all(self, commands: list[Command]) -> Iterator[Output]:
        for command in commands:
            yield from self._carry_out(command)
        self.carried_out = self.training.counters.step
        if self.saving:  # after the others, so that the saved state says that they are carried out
            self.saving = False
            yield from self._save()

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
                yield self._weights()
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
        act = "pause" if self.inbox.steered else self.at_breakpoint  # who has set one from outside can continue, too
        if not hits or act == "go on":
            return False
        if act == "stop":
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

    def _weights(self) -> Weights:
        tensors = {name: value.cpu().clone() for name, value in self.training.learner.weights().items()}
        return Weights(step=self.training.counters.step, tensors=tensors)

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

    # -- saving -----------------------------------------------------------------------------------

    def _whole(self) -> bool:
        """Whether the state is that of a complete vector step, although an error ended the loop."""
        self.training.outside.running = False
        return self.moves == self.training.algorithm.actor.moves and not self.broken

    def _save(self, by_time: bool = False) -> Iterator[Snapshot]:
        step, began = self.training.counters.step, time.monotonic()
        training = self.training
        weights, growing = training.learner.weights(), training.algorithm.growing
        yield Snapshot(step, weights, by_time=by_time, state=self._state, growing=growing)
        self.save_clock.note(step, began)

    def _save_by_time(self) -> Iterator[Snapshot]:
        if self.folder is not None and not self.broken and self.save_clock.due(self.training.counters.step):
            yield from self._save(by_time=True)

    def _state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        arrays, meta = self.training.state(whole=False)
        total, warned = self.training.experiment.run.total_steps, sorted(self.unlearned.warned)
        mine = {"obeyed": self.carried_out, "returns": self.breakpoints.returns, "warned": warned, "total_steps": total}
        return arrays, meta | mine | self.task_notes.saved()
