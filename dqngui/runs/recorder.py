"""The recorder: writes each event of a job to the run's files before it passes it on, and saves its snapshots.

What cannot be written is tried again for a while (`persistent_write`). Then the job is asked to save and stop.

Only events with `logged` reach `events.jsonl`, so stopping, pausing, watching and saving leave no
trace and the log of a resumed run equals that of one never stopped. At every snapshot the log
reaches the disk first; the state saved then carries the log's length, and resuming cuts it there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import numpy as np

from dqngui.config import ConfigError, Experiment
from dqngui.messages import (
    Advanced,
    BreakpointsSet,
    CheckpointSaved,
    Evaluated,
    Event,
    Finished,
    KnobChanged,
    KnobRefused,
    Learned,
    Weights,
    WriterBegan,
    encode,
)
from dqngui.runs.checkpoints import save_weights
from dqngui.runs.dropped_commands import CommandFiles
from dqngui.runs.episodes import EpisodeFiles, EpisodeTrace
from dqngui.runs.failure import disk_problem, failed
from dqngui.runs.files import AppendFile, OutOfPlace, together, write_file
from dqngui.runs.folder import EVENTS, EXPERIMENT, claim, new_summary, summary_of, write_summary
from dqngui.runs.live_file import LiveFile
from dqngui.runs.lock import LockTaken, WriterLock
from dqngui.runs.persistent_write import PersistentWriting
from dqngui.runs.resume import LogMark, save_resume
from dqngui.runs.segments import Growing
from dqngui.runs.started import now_utc
from dqngui.runs.trust import remember_own
from dqngui.texts import say

if TYPE_CHECKING:
    import torch

FLUSH_SECONDS = 1.0
_ANSWERS = (KnobChanged, KnobRefused, BreakpointsSet)
"""Logged answers to commands, for which somebody may wait."""
_STATES = {"completed": "finished", "solved": "finished", "stopped": "stopped", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job asks for a checkpoint. It stands still until `CheckpointSaved`, so nothing needs cloning.

    Attributes:
        weights: state_dict of the network to play.
        best: these are the best weights by evaluation.
        state: gives (arrays, plain meta) to resume from; None: no resume state this time.
        growing: steps that belong to the state, of which only the new ones are written.
        by_time: saved because some time has passed, and not by the number of steps: no checkpoint, no event.
    """

    step: int
    weights: dict[str, torch.Tensor]
    best: bool = False
    by_time: bool = False
    state: Callable[[], tuple[dict[str, np.ndarray | torch.Tensor], dict[str, Any]]] | None = None
    growing: Growing | None = None


def record(
    events: Iterator[Event | Snapshot | EpisodeTrace],
    folder: Path | None,
    experiment: Experiment,
    mark: LogMark | None = None,
    *,
    lock: WriterLock | None = None,
    ask_to_stop: Callable[[], None] | None = None,
    commands: CommandFiles | None = None,
) -> Iterator[Event]:
    """Pass on a job's events, each logged one written first; ends with Finished whatever happens.

    Any error of the job becomes Failed and Finished(reason="failed"), and so does one of the disk that lasts.

    Args:
        folder: the run's folder; None keeps no files.
        mark: of the resumed state, after `rewind`, or of a fork, after `branch`; None for a new run.
        lock: of the folder, if it was claimed already; it is released at the end.
        ask_to_stop: asks the job to save and stop at its next step, because the run cannot be written any more.
        commands: the dropped commands that the job carries out; no more are taken at the end.
    """
    mark = mark or LogMark()
    step, seconds, best, tested = mark.step, mark.seconds, mark.best, mark.tested
    log: _Log | None = None
    writing = PersistentWriting(ask_to_stop)
    try:
        if folder is not None:
            log = _Log(folder, experiment, mark, lock or claim(folder))
            log.tell(WriterBegan(step=step, writer=commands.writer if commands else "", log_bytes=mark.events))
        for item in events:
            if isinstance(item, EpisodeTrace):
                if log is not None:
                    log.episodes.append(item)
                continue
            step = item.step
            if isinstance(item, Snapshot):
                yield from _saved(item, log, writing)
                continue
            if isinstance(item, Learned):
                seconds = item.seconds
            elif isinstance(item, Evaluated) and item.best:
                best, tested = item.ranking_score, item.tested
            elif isinstance(item, Finished):
                item = msgspec.structs.replace(item, tested=tested)
            if log is not None:
                if isinstance(item, Finished):
                    if writing.lost is not None:  # a job without a last snapshot
                        raise writing.lost
                    yield from writing.insist(partial(log.finish, item), step)
                    log.tell(item)
                else:
                    log.note(item)
                    if log.due(item, writing.troubled):
                        yield from writing.attempt(log.flush, step)
            yield item
    except (Exception, SystemExit) as error:
        failure = failed(error, step, experiment.env.id)
        if log is not None:
            log.fail()
        yield failure
        speed = step / seconds if seconds else 0.0
        end = Finished(step=step, seconds=seconds, steps_per_second=speed, reason="failed", best=best, tested=tested)
        if log is not None:
            log.tell(failure)
            log.tell(end)
        yield end
    finally:
        # The job's own clean-up comes first: it may still hold environments open.
        close = getattr(events, "close", None)
        if close is not None:
            with contextlib.suppress(Exception):
                close()
        if commands is not None:
            commands.close()
        if log is not None:
            log.close()


def _saved(snapshot: Snapshot, log: _Log | None, writing: PersistentWriting) -> Iterator[Event]:
    began = time.perf_counter()
    if log is not None and writing.lost is not None:
        if snapshot.state is None:
            return  # the last one follows
        _save_last(snapshot, log, writing.lost)
    elif log is not None and snapshot.by_time:
        yield from writing.attempt(partial(log.save, snapshot), snapshot.step)
    elif log is not None:
        try:
            yield from writing.insist(partial(log.save, snapshot), snapshot.step)
        except OSError as error:
            if snapshot.state is None:
                raise
            _save_last(snapshot, log, error)
    if not snapshot.by_time:
        saved = CheckpointSaved(step=snapshot.step, seconds=time.perf_counter() - began, best=snapshot.best)
        if log is not None:
            log.tell(saved)
        yield saved


def _save_last(snapshot: Snapshot, log: _Log, error: OSError) -> NoReturn:
    """Save a run whose files cannot be written as they should, as far as it is still possible; then raise the error."""
    try:
        if isinstance(error, OutOfPlace):
            log.restore()
        log.save(replace(snapshot, by_time=not isinstance(error, OutOfPlace)))
    except OSError as problem:
        if not isinstance(error, OutOfPlace):
            raise error from None
        raise OutOfPlace(say("write.not_kept", problem=error.text, reason=disk_problem(problem) or problem)) from None
    if not isinstance(error, OutOfPlace):
        raise error
    raise OutOfPlace(say("write.kept", problem=error.text, folder=log.folder))


class _Log:
    """The files of one run while it is written."""

    def __init__(self, folder: Path, experiment: Experiment, mark: LogMark, lock: WriterLock) -> None:
        self.folder, self._lock = folder, lock
        try:
            self.events = AppendFile(folder / EVENTS, mark.events)
            self.episodes = EpisodeFiles(folder, (mark.episodes_data, mark.episodes_index))
        except ValueError:
            lock.release()
            raise ConfigError("run.exists", folder=folder) from None
        except BaseException:
            lock.release()
            raise
        before = summary_of(folder)
        started, final = (before.started, before.final) if before else (now_utc(), None)
        self.summary = msgspec.structs.replace(
            new_summary(experiment), state="running", step=mark.step, best=mark.best, tested=mark.tested,
            seconds=mark.seconds, parent=mark.parent, pid=os.getpid(), started=started,
            final=final if mark.step else None,
        )  # fmt: skip
        self._settings = experiment
        self._experiment = (folder / EXPERIMENT).read_bytes() if (folder / EXPERIMENT).exists() else b""
        self._flushed = 0.0
        self._live: LiveFile | None = None
        self.flush()

    def note(self, event: Event) -> None:
        """Add the event to the log if it belongs there, and note what the summary shows; `flush` writes both."""
        if not event.logged:
            self.tell(event)
            return
        self.events.append(encode(event) + b"\n")
        if isinstance(event, Learned):
            self._note(step=event.step, seconds=event.seconds)
        elif isinstance(event, Evaluated) and event.best:
            self._note(step=event.step, best=event.ranking_score, tested=event.tested)
        if isinstance(event, Evaluated) and event.role == "selection":
            self._note(final=event.mean)

    def tell(self, event: Event) -> None:
        """Tell those who watch the run from elsewhere what is not logged."""
        if isinstance(event, WriterBegan):
            self._live = LiveFile(self.folder, event)
        elif self._live is not None:
            self._live.tell(event)

    def due(self, event: Event, troubled: bool) -> bool:
        """Whether to flush after this event: once a second, where somebody may wait for it, and where the job may now
        wait, so that what it has done so far can be read.
        """
        if isinstance(event, _ANSWERS):
            return True
        if event.logged or troubled:
            return time.monotonic() - self._flushed >= FLUSH_SECONDS
        return not isinstance(event, (Weights, Advanced))

    def finish(self, end: Finished) -> None:
        """Write how the run ended."""
        self._note(step=end.step, state=_STATES[end.reason])
        self.sync()

    def flush(self) -> None:
        """Hand everything to the system and replace the summary.

        Raises OSError, OutOfPlace, and ConfigError if another process writes the run now.
        """
        self._flushed = time.monotonic()
        self._check_place()
        try:
            self._lock.keep()
        except LockTaken:
            raise ConfigError("run.taken_over", folder=self.folder) from None
        self.events.flush()
        self.episodes.flush()
        write_summary(self.folder, self.summary)

    def _check_place(self) -> None:
        """Raises OutOfPlace if the log was deleted or moved, OSError if it is not to be seen for another reason."""
        log = self.events
        if log.there:
            return
        if log.deleted:
            if self.folder.exists():
                raise OutOfPlace(say("write.deleted_log", path=log.path))
            raise OutOfPlace(say("write.deleted", folder=self.folder))
        if (place := log.place) is not None:
            raise OutOfPlace(say("write.moved", folder=self.folder, place=place.parent))
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(log.path))

    def restore(self) -> None:
        """Go on where the files were moved to, or write those that were deleted again. Raises OSError."""
        log = self.events
        if not log.deleted and (place := log.place) is not None:
            self.folder = place.parent
            self._lock.follow(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / EXPERIMENT).exists():
            write_file(self.folder / EXPERIMENT, self._experiment)
        for file in (log, *self.episodes.files):
            path = self.folder / file.path.name
            if file.place == path:
                file.path = path
            else:
                file.write_again(path)

        if (self.folder / EXPERIMENT).read_bytes() == self._experiment:  # by which it trains now
            remember_own(self.folder, self._settings)

    def sync(self) -> None:
        """Flush, and wait for the disk."""
        self.flush()
        together(self.events.sync, *self.episodes.syncs)

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot's files; the log goes first, as the saved state tells its length."""
        self._note(step=snapshot.step)
        self.sync()
        if not snapshot.by_time:
            save_weights(self.folder, snapshot.step, snapshot.weights, best=snapshot.best)
        if snapshot.state is not None:
            data, index = self.episodes.lengths
            mark = LogMark(
                step=snapshot.step, events=self.events.length, episodes_data=data, episodes_index=index,
                best=self.summary.best, tested=self.summary.tested,
                seconds=self.summary.seconds, parent=self.summary.parent,
            )  # fmt: skip
            save_resume(self.folder, *snapshot.state(), mark, snapshot.growing)

    def fail(self) -> None:
        """Note the failure as far as the disk lets us."""
        self._note(state="failed")
        with contextlib.suppress(OSError, ConfigError):
            self.sync()

    def close(self) -> None:
        """Close the files; a run closed before it finished is left as `interrupted`."""
        for file in (self.events, self.episodes):
            with contextlib.suppress(OSError):
                file.close()
        if self._live is not None:
            self._live.close()
        if self.summary.state == "running":
            self._note(state="interrupted")
            with contextlib.suppress(OSError):
                write_summary(self.folder, self.summary)
        self._lock.release()

    def _note(self, **changes: Any) -> None:
        self.summary = msgspec.structs.replace(self.summary, **changes)


__all__ = ["EpisodeTrace", "Snapshot", "record"]
