"""The saved state from which a run continues: `resume/`, the newest only, replaced in one step. Steps of a large replay
lie beside it (`runs.segments`).

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
from collections.abc import Callable, Mapping, Sequence
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
    own_folder,
    read_file,
    small_numbers,
)
from dqngui.config import ConfigError, Experiment
from dqngui.messages import CheckpointTest
from dqngui.runs.arrays_file import read_arrays, write_arrays
from dqngui.runs.checkpoints import BEST, FOLDER, load_tensors, tensor_bytes, to_cpu
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
from dqngui.runs.folder import read_experiment
from dqngui.runs.segments import (
    Growing,
    OpenedSegments,
    Segment,
    drop_unnamed,
    segments_in,
    write_segments,
)

if TYPE_CHECKING:
    import torch

_T = TypeVar("_T")

MOST_META, MOST_WEIGHTS = 64 * MEGABYTE, 2048 * MEGABYTE
STATE, NEW, OLD = "resume", "resume.new", "resume.old"
ARRAYS, TENSORS, META = "arrays.npz", "tensors.pt", "meta.json"
DISCARDED = "events.discarded.jsonl"
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
        segments: the steps of a large replay.
    """

    experiment: Experiment
    arrays: dict[str, Any]
    meta: dict[str, Any]
    mark: LogMark
    best: bytes | None = None
    segments: OpenedSegments | None = None


# -- saving ---------------------------------------------------------------------------------------


def save_resume(
    folder: Path,
    arrays: Mapping[str, np.ndarray | torch.Tensor],
    meta: Mapping[str, Any],
    mark: LogMark,
    growing: Growing | None = None,
) -> None:
    """Replace the stored state. Raises OSError (the former state stays) or ValueError for arrays of objects.

    Args:
        growing: steps of which only the new ones are written (`runs.segments`).
    """
    settle(folder)
    new = folder / NEW
    saved: Sequence[Segment] = _segments_before(folder)
    try:
        segments = [] if growing is None else write_segments(folder, growing, saved or growing.origin)
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
        replace_file(new / META, meta_text(mark, meta, segments), sync=False)
        together(*(partial(sync_file, new / name) for name in (ARRAYS, TENSORS, META)), partial(sync_folder, new))
        swap(folder)
        drop_unnamed(folder, segments)
    except (OSError, ValueError, TypeError) as error:
        if (folder / STATE).exists():
            shutil.rmtree(new, ignore_errors=True)
            drop_unnamed(folder, _segments_before(folder))
        if isinstance(error, OSError):
            raise named(error, Path(error.filename or new)) from error
        raise


def _segments_before(folder: Path) -> tuple[Segment, ...]:
    """The segments of the present state; none if there is no state, or if it is damaged."""
    if (current := _current(folder)) is not None:
        with contextlib.suppress(ConfigError):
            return segments_of(current)
    return ()


def swap(folder: Path) -> None:
    """Put the whole state in `resume.new` into the place of the former one. Raises OSError."""
    if (folder / STATE).exists():
        patiently(os.rename, folder / STATE, folder / OLD)
    patiently(os.rename, folder / NEW, folder / STATE)
    sync_folder(folder)
    shutil.rmtree(folder / OLD, ignore_errors=True)


def settle(folder: Path) -> None:
    """Finish what a kill interrupted: afterwards there is `resume` (if there is a state) and no other, and no segment
    that it does not name.
    """
    current = _current(folder)
    if current is not None and current.name != STATE:
        patiently(os.rename, current, folder / STATE)
        sync_folder(folder)
    for name in (NEW, OLD):
        shutil.rmtree(folder / name, ignore_errors=True)
    if current is not None:
        with contextlib.suppress(ConfigError):
            drop_unnamed(folder, segments_of(folder / STATE))


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
        segments = OpenedSegments(folder, segments_of(current))
        return Stored(planned(experiment, meta), arrays, meta, mark, file, segments)

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


def meta_text(mark: LogMark, meta: Mapping[str, Any], segments: Sequence[Segment] = ()) -> bytes:
    """The file that makes a state whole."""
    data = {"mark": msgspec.to_builtins(mark), "meta": _finite(meta)}
    if segments:
        data["segments"] = msgspec.to_builtins(list(segments))
    return json.dumps(data, allow_nan=False).encode()


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


def segments_of(current: Path) -> tuple[Segment, ...]:
    """The segments that the state in this folder names. Raises ConfigError if it is damaged."""
    try:
        data = json.loads(read_file(current / META, MOST_META))
        check_depth(data)
        return segments_in(data.get("segments", []))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        raise _damaged(current) from None


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
