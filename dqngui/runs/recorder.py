"""The recorder: writes each event of a job to the run's files before it passes it on, and saves its snapshots.

Only events with `logged` reach `events.jsonl`, so stopping, pausing, watching and saving leave no
trace and the log of a resumed run equals that of one never stopped. At every snapshot the log
reaches the disk first; the state saved then carries the log's length, and resuming cuts it there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from dqngui.config import ConfigError, Experiment
from dqngui.messages import Advanced, CheckpointSaved, Evaluated, Event, Finished, Learned, Weights, encode
from dqngui.runs.checkpoints import save_weights
from dqngui.runs.episodes import EpisodeFiles, EpisodeTrace
from dqngui.runs.failure import failed
from dqngui.runs.files import AppendFile, together
from dqngui.runs.folder import EVENTS, claim, new_summary, own_process, release, summary_of, write_summary
from dqngui.runs.resume import LogMark, save_resume
from dqngui.runs.started import now_utc

if TYPE_CHECKING:
    import torch

FLUSH_SECONDS = 1.0
_STATES = {"completed": "finished", "solved": "finished", "stopped": "stopped", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job asks for a checkpoint. It stands still until `CheckpointSaved`, so nothing needs cloning.

    Attributes:
        weights: state_dict of the network to play.
        best: these are the best weights by evaluation.
        state: gives (arrays, plain meta) to resume from; None: no resume state this time.
    """

    step: int
    weights: dict[str, torch.Tensor]
    best: bool = False
    state: Callable[[], tuple[dict[str, np.ndarray | torch.Tensor], dict[str, Any]]] | None = None


def record(
    events: Iterator[Event | Snapshot | EpisodeTrace],
    folder: Path | None,
    experiment: Experiment,
    mark: LogMark | None = None,
) -> Iterator[Event]:
    """Pass on a job's events, each logged one written first; ends with Finished whatever happens.

    Any error of the job or of the disk becomes Failed and Finished(reason="failed").

    Args:
        folder: the run's folder; None keeps no files.
        mark: of the resumed state, after `rewind`, or of a fork, after `branch`; None for a new run.
    """
    mark = mark or LogMark()
    step, seconds, best, tested = mark.step, mark.seconds, mark.best, mark.tested
    log: _Log | None = None
    try:
        if folder is not None:
            log = _Log(folder, experiment, mark)
        for item in events:
            if isinstance(item, EpisodeTrace):
                if log is not None:
                    log.episodes.append(item)
                continue
            step = item.step
            if isinstance(item, Snapshot):
                yield _saved(item, log)
                continue
            if isinstance(item, Learned):
                seconds = item.seconds
            elif isinstance(item, Evaluated) and item.best:
                best, tested = item.ranking_score, item.tested
            elif isinstance(item, Finished):
                item = msgspec.structs.replace(item, tested=tested)
            if log is not None:
                log.write(item)
            yield item
    except (Exception, SystemExit) as error:
        failure = failed(error, step, experiment.env.id)
        if log is not None:
            log.fail()
        yield failure
        speed = step / seconds if seconds else 0.0
        yield Finished(step=step, seconds=seconds, steps_per_second=speed, reason="failed", best=best, tested=tested)
    finally:
        # The job's own clean-up comes first: it may still hold environments open.
        close = getattr(events, "close", None)
        if close is not None:
            with contextlib.suppress(Exception):
                close()
        if log is not None:
            log.close()


def _saved(snapshot: Snapshot, log: _Log | None) -> CheckpointSaved:
    began = time.perf_counter()
    if log is not None:
        log.save(snapshot)
    return CheckpointSaved(step=snapshot.step, seconds=time.perf_counter() - began, best=snapshot.best)


class _Log:
    """The files of one run while it is written."""

    def __init__(self, folder: Path, experiment: Experiment, mark: LogMark) -> None:
        claim(folder)
        self.folder = folder
        try:
            self.events = AppendFile(folder / EVENTS, mark.events)
            self.episodes = EpisodeFiles(folder, (mark.episodes_data, mark.episodes_index))
        except OSError:
            release(folder)
            raise
        except ValueError:
            release(folder)
            raise ConfigError("run.exists", folder=folder) from None
        before, (pid, since) = summary_of(folder), own_process()
        started = before.started if before else now_utc()
        self.summary = msgspec.structs.replace(
            new_summary(experiment), state="running", step=mark.step, best=mark.best, tested=mark.tested,
            seconds=mark.seconds, parent=mark.parent, pid=pid, pid_since=since, started=started,
        )  # fmt: skip
        self._flushed = 0.0
        self.flush()

    def write(self, event: Event) -> None:
        """Write the event if it belongs into the log, and note what the summary shows."""
        if event.logged:
            self.events.append(encode(event) + b"\n")
            if isinstance(event, Learned):
                self._note(step=event.step, seconds=event.seconds)
            elif isinstance(event, Evaluated) and event.best:
                self._note(step=event.step, best=event.ranking_score, tested=event.tested)
            if time.monotonic() - self._flushed >= FLUSH_SECONDS:
                self.flush()
        elif isinstance(event, Finished):
            self._note(step=event.step, state=_STATES[event.reason])
            self.sync()
        elif not isinstance(event, (Weights, Advanced)):
            self.flush()  # the job may now wait: what it has done so far should be readable

    def flush(self) -> None:
        """Hand everything to the system and replace the summary."""
        self.events.flush()
        self.episodes.flush()
        write_summary(self.folder, self.summary)
        self._flushed = time.monotonic()

    def sync(self) -> None:
        """Flush, and wait for the disk."""
        self.flush()
        together(self.events.sync, *self.episodes.syncs)

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot's files; the log goes first, as the saved state tells its length."""
        self._note(step=snapshot.step)
        self.sync()
        save_weights(self.folder, snapshot.step, snapshot.weights, best=snapshot.best)
        if snapshot.state is not None:
            data, index = self.episodes.lengths
            mark = LogMark(
                step=snapshot.step, events=self.events.length, episodes_data=data, episodes_index=index,
                best=self.summary.best, tested=self.summary.tested,
                seconds=self.summary.seconds, parent=self.summary.parent,
            )  # fmt: skip
            save_resume(self.folder, *snapshot.state(), mark)

    def fail(self) -> None:
        """Note the failure as far as the disk lets us."""
        self._note(state="failed")
        with contextlib.suppress(OSError):
            self.sync()

    def close(self) -> None:
        """Close the files; a run closed before it finished is left as `interrupted`."""
        for file in (self.events, self.episodes):
            with contextlib.suppress(OSError):
                file.close()
        if self.summary.state == "running":
            self._note(state="interrupted")
            with contextlib.suppress(OSError):
                write_summary(self.folder, self.summary)
        release(self.folder)

    def _note(self, **changes: Any) -> None:
        self.summary = msgspec.structs.replace(self.summary, **changes)


__all__ = ["EpisodeTrace", "Snapshot", "record"]
