"""The saved state from which a run continues: `resume/`, the newest only, replaced in one step.

A swap writes `resume.new`, renames `resume` to `resume.old` and `resume.new` to `resume`, and removes
`resume.old`. After a kill between any two of these steps one whole state is there, and it is found.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from dqngui.bounded import (
    LARGEST,
    MEGABYTE,
    check_depth,
    exists,
    open_regular,
    own_folder,
    read_file,
    refuse_links,
    small_numbers,
)
from dqngui.config import ConfigError, Experiment
from dqngui.messages import CheckpointTest, Event, KnobChanged, RunResumed
from dqngui.runs import episodes
from dqngui.runs.arrays_file import read_arrays, write_arrays
from dqngui.runs.checkpoints import BEST, FOLDER, drop_after, load_tensors, tensor_bytes, to_cpu
from dqngui.runs.files import (
    link_file,
    named,
    patiently,
    replace_file,
    sync_file,
    sync_folder,
    together,
    write_file,
)
from dqngui.runs.folder import EVENTS, EXPERIMENT, SUMMARY, claim, read_experiment, summary_of
from dqngui.runs.lock import WriterLock
from dqngui.runs.log_lines import MOST_LOG, ends_a_line, events_in
from dqngui.texts import Text, say

if TYPE_CHECKING:
    import torch

_T = TypeVar("_T")

MOST_META, MOST_WEIGHTS = 64 * MEGABYTE, 2048 * MEGABYTE
STATE, NEW, OLD = "resume", "resume.new", "resume.old"
ARRAYS, TENSORS, META = "arrays.npz", "tensors.pt", "meta.json"
DISCARDED = "events.discarded.jsonl"
_FOLDERS = (STATE, NEW, OLD, FOLDER)
_FILES = (EXPERIMENT, EVENTS, SUMMARY, DISCARDED, episodes.DATA, episodes.INDEX)
PATIENCE_SECONDS = 10.0
"""How long a reader tries again while the run in training replaces its state."""


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """The lengths of a run's files when a state was saved. The default is that of a run that has not started.

    Attributes:
        step: environment steps.
        events, episodes_data, episodes_index: bytes of the files.
        best: mean return of the evaluation that is reported of the best checkpoint so far.
        tested: the same with its interval; None in the states of earlier versions.
        seconds: wall seconds of training so far.
        parent: name of the run that this one branched from; empty for one that began anew.
    """

    step: int = 0
    events: int = 0
    episodes_data: int = 0
    episodes_index: int = 0
    best: float | None = None
    tested: CheckpointTest | None = None
    seconds: float = 0.0
    parent: str = ""


class Stored(msgspec.Struct, frozen=True):
    """What `resume/` holds.

    Attributes:
        experiment: as the run began, with the number of steps that it was last asked for; live settings that have
            changed since are in `meta`.
        arrays: numpy arrays and tensors (on the CPU) by name, each as it was saved.
        meta: plain data as it was saved, tuples as lists and keys as text.
        best: the file of the best checkpoint of that time, if it was asked for and there is one.
    """

    experiment: Experiment
    arrays: dict[str, Any]
    meta: dict[str, Any]
    mark: LogMark
    best: bytes | None = None


# -- saving ---------------------------------------------------------------------------------------


def save_resume(
    folder: Path, arrays: Mapping[str, np.ndarray | torch.Tensor], meta: Mapping[str, Any], mark: LogMark
) -> None:
    """Replace the stored state. Raises OSError (the former state stays) or ValueError for arrays of objects."""
    settle(folder)
    new = folder / NEW
    try:
        new.mkdir()
        plain: dict[str, np.ndarray] = {}
        tensors: dict[str, torch.Tensor] = {}
        for name, array in arrays.items():
            if isinstance(array, (np.ndarray, np.generic)):
                plain[name] = np.asarray(array)
            else:
                tensors[name] = to_cpu(array)
        write_arrays(new / ARRAYS, plain)
        write_file(new / TENSORS, tensor_bytes(tensors), sync=False)
        best = folder / FOLDER / BEST
        if best.exists():
            link_file(best, new / BEST)
        # Written last, and whole or not at all: a folder with it is whole.
        replace_file(new / META, _meta_text(mark, meta), sync=False)
        together(*(partial(sync_file, new / name) for name in (ARRAYS, TENSORS, META)), partial(sync_folder, new))
        swap(folder)
    except (OSError, ValueError, TypeError) as error:
        if (folder / STATE).exists():
            shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, OSError):
            raise named(error, Path(error.filename or new)) from error
        raise


def swap(folder: Path) -> None:
    """Put the whole state in `resume.new` into the place of the former one. Raises OSError."""
    if (folder / STATE).exists():
        patiently(os.rename, folder / STATE, folder / OLD)
    patiently(os.rename, folder / NEW, folder / STATE)
    sync_folder(folder)
    shutil.rmtree(folder / OLD, ignore_errors=True)


def settle(folder: Path) -> None:
    """Finish what a kill interrupted: afterwards there is `resume` (if there is a state) and no other."""
    current = _current(folder)
    if current is not None and current.name != STATE:
        patiently(os.rename, current, folder / STATE)
        sync_folder(folder)
    for name in (NEW, OLD):
        shutil.rmtree(folder / name, ignore_errors=True)


def _current(folder: Path) -> Path | None:
    # `resume` is only ever missing when `resume.new` is whole, except before the first swap.
    try:
        for name in (STATE, NEW, OLD):
            if own_folder(folder / name) and exists(folder / name / META):
                return folder / name
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder, problem=error.strerror) from None
    return None


# -- loading --------------------------------------------------------------------------------------


def load_resume(folder: Path, *, best: bool = False) -> Stored:
    """The newest whole state of a run, with its best checkpoint if asked for; changes nothing. Raises ConfigError.

    The run may be in training and save another state meanwhile: what is read belongs together.
    """
    experiment = read_experiment(folder)

    def read(current: Path) -> Stored:
        mark, meta = _read_meta(current)
        arrays: dict[str, Any] = dict(read_arrays(current / ARRAYS))
        try:
            file = read_file(current / BEST, MOST_WEIGHTS) if best and exists(current / BEST) else None
        except OSError:
            raise _damaged(current) from None
        arrays.update(load_tensors(current / TENSORS))
        return Stored(planned(experiment, meta), arrays, meta, mark, file)

    return read_whole(folder, read)


def read_meta(folder: Path) -> tuple[LogMark, dict[str, Any]]:
    """The plain part of the newest whole state of a run; imports no torch. Raises ConfigError."""
    return read_whole(folder, _read_meta)


def planned(experiment: Experiment, meta: Mapping[str, Any]) -> Experiment:
    """The experiment with as many steps as the run was last asked for, which a saved state or a request says.

    Resuming may lengthen or shorten a run. Its `experiment.toml` keeps what the run began with, and states of earlier
    versions do not say it. Schedules stay as they are, even those that are a share of the run.
    """
    total = meta.get("total_steps")
    if type(total) is not int or not 1 <= total <= LARGEST:
        return experiment
    return msgspec.structs.replace(experiment, run=msgspec.structs.replace(experiment.run, total_steps=total))


def plan(folder: Path, total_steps: int) -> None:
    """Note in a run's saved state for how many steps it is resumed, so that it goes on to there whenever it is resumed
    again, even if it is killed before its next save. Raises ConfigError, OSError.
    """
    check_own(folder)
    settle(folder)
    mark, meta = read_meta(folder)
    replace_file(folder / STATE / META, _meta_text(mark, meta | {"total_steps": total_steps}))


def _meta_text(mark: LogMark, meta: Mapping[str, Any]) -> bytes:
    return json.dumps({"mark": msgspec.to_builtins(mark), "meta": _finite(meta)}, allow_nan=False).encode()


def read_whole(folder: Path, read: Callable[[Path], _T]) -> _T:
    """What `read` finds in the newest state, again and again until no other state took its place meanwhile."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        before = identity(folder)
        try:
            if before is None:
                raise ConfigError("state.none", folder=folder)
            found = read(before[0])
        except ConfigError:
            if identity(folder) == before:
                raise
        else:
            if identity(folder) == before:
                return found
        time.sleep(0.01)
    raise ConfigError("state.changing", folder=folder)


def identity(folder: Path) -> tuple[Path, int, int] | None:
    """Where the newest state lies, and what tells it from the one saved before or after it; None without one."""
    current = _current(folder)
    try:
        status = None if current is None else (current / META).stat()
    except OSError:  # another took its place just now
        return None
    return None if current is None or status is None else (current, status.st_ino, status.st_mtime_ns)


def _read_meta(current: Path) -> tuple[LogMark, dict[str, Any]]:
    try:
        data = json.loads(read_file(current / META, MOST_META))
        check_depth(data)
        mark, meta = msgspec.convert(data["mark"], LogMark), _restored(data["meta"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(current) from None
    lengths = (mark.step, mark.events, mark.episodes_data, mark.episodes_index, mark.seconds)
    if not isinstance(meta, dict) or not small_numbers(mark) or not all(length >= 0 for length in lengths):
        raise _damaged(current)
    return mark, meta


def _damaged(current: Path) -> ConfigError:
    return ConfigError("file.damaged_state", path=current)


# JSON has no infinities and no NaN; a best return that is still -inf must survive.
def _finite(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"$float"}:
            return float(value["$float"])
        return {key: _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value


# -- forking and rewinding ------------------------------------------------------------------------


def branch(folder: Path, parent: Path, stored: Stored, *, whole: bool) -> LogMark:
    """Prepare the folder of a run that starts from `stored`, a state of `parent`; copies its best weights if `whole`.

    The caller holds the folder's lock. Raises ConfigError if the folder holds a run already, OSError.
    """
    check_own(folder)
    if (folder / EVENTS).exists() or _current(folder) is not None:
        raise ConfigError("run.exists_fork", folder=folder)
    if whole and stored.best is not None:
        (folder / FOLDER).mkdir(exist_ok=True)
        replace_file(folder / FOLDER / BEST, stored.best)
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
