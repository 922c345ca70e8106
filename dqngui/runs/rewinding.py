"""Begins a run from a saved state: a fork in its own folder, or a run that goes on and is cut back to its state."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from dqngui.bounded import open_regular, refuse_links
from dqngui.config import ConfigError
from dqngui.messages import Event, KnobChanged, RunResumed
from dqngui.runs import episodes, segments
from dqngui.runs.checkpoints import BEST, FOLDER, drop_after
from dqngui.runs.files import link_file, replace_file
from dqngui.runs.folder import EVENTS, EXPERIMENT, SUMMARY, claim, summary_of
from dqngui.runs.lock import WriterLock
from dqngui.runs.log_lines import MOST_LOG, ends_a_line, events_in
from dqngui.runs.resume import (
    DISCARDED,
    META,
    NEW,
    OLD,
    STATE,
    LogMark,
    Stored,
    identity,
    meta_text,
    read_meta,
    segments_of,
    settle,
)
from dqngui.texts import Text, say

_FOLDERS = (STATE, NEW, OLD, FOLDER, segments.FOLDER)
_FILES = (EXPERIMENT, EVENTS, SUMMARY, DISCARDED, episodes.DATA, episodes.INDEX)


def plan(folder: Path, total_steps: int) -> None:
    """Note in a run's saved state for how many steps it is resumed, so that it goes on to there whenever it is resumed
    again, even if it is killed before its next save. Raises ConfigError, OSError.
    """
    check_own(folder)
    settle(folder)
    mark, meta = read_meta(folder)
    current = folder / STATE
    replace_file(current / META, meta_text(mark, meta | {"total_steps": total_steps}, segments_of(current)))


def branch(folder: Path, parent: Path, stored: Stored, *, whole: bool) -> LogMark:
    """Prepare the folder of a run that starts from `stored`, a state of `parent`; with `whole`, it gets its best
    weights and its replay.

    The caller holds the folder's lock. Raises ConfigError if the folder holds a run already, OSError.
    """
    check_own(folder)
    if (folder / EVENTS).exists() or identity(folder) is not None:
        raise ConfigError("run.exists_fork", folder=folder)
    if whole and stored.best is not None:
        (folder / FOLDER).mkdir(exist_ok=True)
        replace_file(folder / FOLDER / BEST, stored.best)
    if whole and stored.segments:
        stored.segments.link(folder)
    return LogMark(
        step=stored.mark.step,
        best=stored.mark.best if whole else None,
        tested=stored.mark.tested if whole else None,
        seconds=stored.mark.seconds,
        parent=Path(os.path.abspath(parent)).name,
    )


def check_own(folder: Path) -> None:
    """Raises ConfigError if a run cannot be written: it holds links, special files, or a folder in place of a file."""
    try:
        refuse_links(folder, (EVENTS, episodes.DATA, episodes.INDEX, DISCARDED))
        for path in folder.iterdir():
            known = path.name in _FOLDERS or path.name in _FILES or path.suffix == ".new"
            if known and path.is_dir() != (path.name in _FOLDERS):
                raise ConfigError("run.holds_wrong", path=path)
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder, problem=error.strerror) from None


def rewind(folder: Path, mark: LogMark, lock: WriterLock | None = None) -> RunResumed:
    """Cut a run's files back to their lengths at the mark; returns what was lost.

    Lines of the log after the mark move to `events.discarded.jsonl`. Later episodes and checkpoints are removed. The
    best checkpoint of the mark's time is restored. Without the folder's `lock` it is claimed meanwhile.
    Raises ConfigError if the run is being trained elsewhere or its log is shorter than the mark.
    """
    check_own(folder)
    with contextlib.nullcontext() if lock is not None else claim(folder):
        return _rewound(folder, mark)


def _rewound(folder: Path, mark: LogMark) -> RunResumed:
    sizes = {EVENTS: mark.events, episodes.DATA: mark.episodes_data, episodes.INDEX: mark.episodes_index}
    for name, size in sizes.items():
        path = folder / name
        if (path.stat().st_size if path.exists() else 0) < size:
            raise ConfigError("state.log_too_short", path=path, folder=folder)
    if not ends_a_line(folder / EVENTS, mark.events) or mark.episodes_index % episodes.RECORD.itemsize:
        raise ConfigError("state.mark_in_line", path=folder / EVENTS)
    lost_steps = 0
    lost_changes: list[Text] = []
    for event in _discard(folder, mark.events):
        lost_steps = max(lost_steps, event.step - mark.step)
        if isinstance(event, KnobChanged):
            value = say("knob.schedule") if event.new is None else event.new
            lost_changes.append(say("knob.lost", field=event.field, value=value, step=event.step))
    summary = summary_of(folder)
    if summary is not None:
        lost_steps = max(lost_steps, summary.step - mark.step)
    for name, size in sizes.items():
        if (folder / name).exists():
            os.truncate(folder / name, size)
    settle(folder)
    drop_after(folder, mark.step)
    _restore_best(folder)
    return RunResumed(step=mark.step, lost_steps=lost_steps, lost_changes=tuple(lost_changes))


def _discard(folder: Path, length: int) -> Iterator[Event]:
    """Append the log's lines after byte `length` to the discarded lines, and yield their events."""
    if not (folder / EVENTS).exists():
        return
    with open_regular(folder / EVENTS, MOST_LOG) as log:
        log.seek(length)
        tail = log.read()
    tail = tail[: tail.rfind(b"\n") + 1]
    if not tail:
        return
    with open(folder / DISCARDED, "a+b") as discarded:
        # Killed between this and the cut, a run comes here twice with the same lines.
        size = discarded.seek(0, os.SEEK_END)
        discarded.seek(max(0, size - len(tail)))
        if discarded.read() != tail:
            discarded.write(tail)
            discarded.flush()
            os.fsync(discarded.fileno())
    yield from events_in(tail, lambda number, problem: None)


def _restore_best(folder: Path) -> None:
    best, stored = folder / FOLDER / BEST, folder / STATE / BEST
    if not stored.exists():
        best.unlink(missing_ok=True)
    elif not best.exists() or not best.samefile(stored):
        link_file(stored, best)
