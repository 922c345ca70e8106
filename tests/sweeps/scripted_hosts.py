"""Hosts that train nothing: each makes steps at once, writes what a run writes, and ends as its script says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from dqngui.config import Experiment
from dqngui.messages import Command, Evaluated, Event, Failed, Finished, Learned, Request, Stop, encode
from dqngui.runs.folder import EVENTS, claim, new_summary, read_experiment, write_summary
from dqngui.runs.lock import WriterLock
from dqngui.runs.resume import LogMark, save_resume
from dqngui.texts import say


class ScriptedHosts:
    """Opens hosts that go on by `advance`.

    Attributes:
        opened: every host, in order.
        failing: folders' names whose job fails at once.
        score: the mean return of the evaluation that a run has when it ends or is paused at a rung.
    """

    def __init__(self, score: Callable[[Experiment], float] = lambda experiment: 0.0) -> None:
        self.score = score
        self.opened: list[ScriptedRun] = []
        self.failing: set[str] = set()

    def open(self, kind: str, request: Request) -> ScriptedRun:
        host = ScriptedRun(request, self.score, fails=Path(request.folder or "").name in self.failing)
        self.opened.append(host)
        return host

    @property
    def running(self) -> list[str]:
        """Names of the folders that are trained now."""
        return [host.folder.name for host in self.opened if host.alive]

    def finish_all(self) -> None:
        """Let every run that is trained now end."""
        for host in self.opened:
            if host.alive:
                host.finish()


class ScriptedRun:
    """One job; it holds the lock of its folder while it is alive, and saves when it is stopped."""

    def __init__(self, request: Request, score: Callable[[Experiment], float], *, fails: bool) -> None:
        self._score = score
        self.request, self.folder = request, Path(request.folder or "")
        self.sent: list[Command] = []
        self._fails, self._events, self._over = fails, list[Event](), False
        self._lock: WriterLock | None = None
        self.step = 0

    def start(self) -> None:
        self._lock = claim(self.folder)
        (self.folder / EVENTS).touch()
        self._write("running")
        if self._fails:
            self._end(Failed(step=0, text=say("queue.ended_silently")), "failed")

    def advance(self, steps: int) -> None:
        self.step += steps
        self._events.append(Learned(step=self.step, updates=1, seconds=1.0))

    def lose(self) -> None:
        """Lose the machine: what was made since the last save is lost, and the run's lock is free."""
        self._leave(Failed(step=self.step, text=say("ray.lost", node="n")), "failed")

    def finish(self) -> None:
        """Make all steps, or those up to the rung where the run is paused."""
        rungs = [command.at for command in self.request.schedule if isinstance(command, Stop)]
        experiment = read_experiment(self.folder)
        self.step = (rungs[0] or 0) if rungs else experiment.run.total_steps
        score = self._score(experiment)
        event = Evaluated(step=self.step, returns=(score,), lengths=(1,), mean=score, best=True)
        with open(self.folder / EVENTS, "ab") as log:
            log.write(encode(event) + b"\n")
        self._end(None, "stopped" if rungs else "completed")

    def die(self, failure: Failed) -> None:
        """End as a killed process does: nothing is saved."""
        self._events += [failure, Finished(step=self.step, seconds=1.0, steps_per_second=1.0, reason="failed")]
        self._over = True
        if self._lock is not None:
            self._lock.release()

    def save(self) -> None:
        """Save the run as it is now."""
        save_resume(self.folder, {}, {}, LogMark(step=self.step))

    def send(self, command: Command) -> None:
        self.sent.append(command)
        if isinstance(command, Stop) and self.alive:
            self._end(None, "stopped")

    def _end(self, failure: Event | None, reason: str) -> None:
        state = {"completed": "finished"}.get(reason, reason)
        self.save()
        self._write(state)
        self._leave(failure, reason)

    def _leave(self, failure: Event | None, reason: str) -> None:
        end = Finished(step=self.step, seconds=1.0, steps_per_second=1.0, reason=reason)  # type: ignore[arg-type]
        self._events += [event for event in (failure, end) if event is not None]
        self._over = True
        if self._lock is not None:
            self._lock.release()

    def _write(self, state: str) -> None:
        summary = new_summary(read_experiment(self.folder))
        write_summary(self.folder, msgspec.structs.replace(summary, state=state, step=self.step))

    def drain(self, budget_ms: float = 8.0) -> list[Event]:
        events, self._events = self._events, []
        return events

    @property
    def alive(self) -> bool:
        return self._lock is not None and (not self._over or bool(self._events))

    def join(self, timeout: float | None = None) -> bool:
        return True

    def interrupt(self) -> None:
        pass

    def kill(self) -> None:
        if self._lock is not None:
            self._lock.release()
        self._over = True
        self._events.clear()
