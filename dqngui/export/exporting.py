"""Exports runs: reads their logs, gives the rows to a format, and goes on while they grow if that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dqngui.export.exported_run import ExportedRun
from dqngui.export.log_tail import LogTail
from dqngui.export.scalars import Note, Scalar, ScalarReader
from dqngui.export.sink import Sink, Target, open_sink
from dqngui.texts import Text, say

SAVE_EVERY_S = 5.0
POLL_S = 0.5
Tell = Callable[[Text], None]


@dataclass(slots=True)
class Progress:
    """How far an export is. Set `stop` from a signal handler: it ends, and what was written by then is whole.

    Attributes:
        rows: number of scalars that were given to the format.
        stopped: it ended because of `stop`.
    """

    stop: bool = False
    stopped: bool = False
    rows: int = 0
    paths: list[str] = field(default_factory=list)


def export(
    name: str,
    runs: Sequence[ExportedRun],
    target: Target,
    *,
    follow: bool = False,
    progress: Progress | None = None,
    tell: Tell = lambda text: None,
) -> str:
    """Export runs in the format of this name; returns where they were written.

    Args:
        follow: go on until each run has ended and its log was read to its end.
        progress: its `stop` ends the export; what was read so far is written.
        tell: takes what the user should know, such as damaged lines of a log.

    Raises ConfigError for an unknown format, a missing package and for what cannot be read or written; nothing that is
    half written is left then.
    """
    progress = progress or Progress()
    while True:
        sink = open_sink(name, runs, target)
        try:
            place = _exported(sink, runs, follow, progress, tell)
        except BaseException:
            sink.abandon()
            raise
        if place is not None:
            return place
        sink.abandon()  # a log was cut: from the beginning


@dataclass(slots=True)
class _Reading:
    """A run while its log is read."""

    number: int
    run: ExportedRun
    tail: LogTail
    reader: ScalarReader = field(default_factory=ScalarReader)
    done: bool = False
    told: bool = False


def _exported(sink: Sink, runs: Sequence[ExportedRun], follow: bool, progress: Progress, tell: Tell) -> str | None:
    """Where the runs were written, or None if a log was cut meanwhile."""
    readings = [_Reading(number, run, LogTail(run.folder)) for number, run in enumerate(runs)]
    progress.rows = 0
    saved_at = time.monotonic()
    while not progress.stop:
        grown = False
        for reading in readings:
            if not reading.done and not progress.stop:
                grown |= _read_on(sink, reading, follow, progress, tell)
        if any(reading.tail.cut for reading in readings):
            return None
        if all(reading.done for reading in readings):
            break
        if not grown:
            if time.monotonic() - saved_at >= SAVE_EVERY_S:
                sink.save()
                saved_at = time.monotonic()
            time.sleep(POLL_S)
    progress.stopped = progress.stop
    for reading in readings:
        _tell_damage(reading, tell)
    return sink.finish()


def _read_on(sink: Sink, reading: _Reading, follow: bool, progress: Progress, tell: Tell) -> bool:
    """Read what has come of a run; whether anything has."""
    may_grow = follow and reading.tail.may_grow
    any_events = False
    while not progress.stop and (events := reading.tail.read()):
        any_events = True
        scalars: list[Scalar] = []
        notes: list[Note] = []
        for event in events:
            found, said = reading.reader.take(event)
            scalars += found
            notes += said
        sink.add(reading.number, scalars, notes)
        progress.rows += len(scalars)
    if not may_grow and not progress.stop:
        reading.done = True
    elif may_grow and not reading.told:
        reading.told = True
        sink.save()
        tell(say("exported.following", name=reading.run.name, step=reading.reader.step))
    return any_events


def _tell_damage(reading: _Reading, tell: Tell) -> None:
    tail = reading.tail
    if tail.damaged:
        tell(say("exported.damaged", name=reading.run.name, count=tail.damaged, problem=tail.problem))
