"""The state a run goes on from: `resume/`, the newest only, swapped in one step; and going back to it.

A swap writes `resume.new`, renames `resume` to `resume.old` and `resume.new` to `resume`, and removes
`resume.old`. After a kill between any two of these steps one whole state is there, and it is found.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from dqngui.config import ConfigError, Experiment
from dqngui.messages import Event, KnobChanged, RunResumed, decode_event
from dqngui.runs import episodes
from dqngui.runs.checkpoints import BEST, FOLDER, drop_after, load_tensors, tensor_bytes, to_cpu
from dqngui.runs.files import link_file, named, sync_file, sync_folder, together, write_file
from dqngui.runs.folder import EVENTS, read_experiment, refuse_if_busy, summary_of

if TYPE_CHECKING:
    import torch

STATE, NEW, OLD = "resume", "resume.new", "resume.old"
ARRAYS, TENSORS, META = "arrays.npz", "tensors.pt", "meta.json"
DISCARDED = "events.discarded.jsonl"


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log stood when a state was saved. The default is the log of a run not yet begun.

    Attributes:
        step: environment steps.
        events, episodes_data, episodes_index: bytes of the files.
        best: mean return of the best evaluation so far.
        seconds: wall seconds of training so far.
    """

    step: int = 0
    events: int = 0
    episodes_data: int = 0
    episodes_index: int = 0
    best: float | None = None
    seconds: float = 0.0


class Stored(msgspec.Struct, frozen=True):
    """What `resume/` holds.

    Attributes:
        arrays: numpy arrays and tensors (on the CPU) by name, each as it was saved.
        meta: plain data as it was saved, tuples as lists and keys as text.
    """

    experiment: Experiment
    arrays: dict[str, Any]
    meta: dict[str, Any]
    mark: LogMark


# -- saving ---------------------------------------------------------------------------------------


def save_resume(
    folder: Path, arrays: Mapping[str, np.ndarray | torch.Tensor], meta: Mapping[str, Any], mark: LogMark
) -> None:
    """Replace the stored state. Raises OSError (the former state stays) or ValueError for arrays of objects."""
    _settle(folder)
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
        _write_arrays(new / ARRAYS, plain)
        write_file(new / TENSORS, tensor_bytes(tensors), sync=False)
        best = folder / FOLDER / BEST
        if best.exists():
            link_file(best, new / BEST)
        # Written last: a folder with it is whole.
        text = json.dumps({"mark": msgspec.to_builtins(mark), "meta": _finite(meta)}, allow_nan=False)
        write_file(new / META, text.encode(), sync=False)
        together(*(partial(sync_file, new / name) for name in (ARRAYS, TENSORS, META)), partial(sync_folder, new))
        _swap(folder)
    except (OSError, ValueError, TypeError) as error:
        if (folder / STATE).exists():
            shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, OSError):
            raise named(error, Path(error.filename or new)) from error
        raise


def _swap(folder: Path) -> None:
    if (folder / STATE).exists():
        os.rename(folder / STATE, folder / OLD)
    os.rename(folder / NEW, folder / STATE)
    sync_folder(folder)
    shutil.rmtree(folder / OLD, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Finish what a kill interrupted: afterwards there is `resume` (if there is a state) and no other."""
    current = _current(folder)
    if current is not None and current.name != STATE:
        os.rename(current, folder / STATE)
        sync_folder(folder)
    for name in (NEW, OLD):
        shutil.rmtree(folder / name, ignore_errors=True)


def _current(folder: Path) -> Path | None:
    # `resume` is only ever missing when `resume.new` is whole, except before the first swap.
    for name in (STATE, NEW, OLD):
        if (folder / name / META).exists():
            return folder / name
    return None


def _write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An npz file without pickles; numpy's own `savez` takes no array named `file`."""
    try:
        with open(path, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
    except OSError as error:
        raise named(error, path) from error


# -- loading --------------------------------------------------------------------------------------


def load_resume(folder: Path) -> Stored:
    """The newest whole state of a run; changes nothing. Raises ConfigError."""
    experiment = read_experiment(folder)
    current = _saved(folder)
    mark, meta = _read_meta(current)
    try:
        with np.load(current / ARRAYS, allow_pickle=False) as archive:
            arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise _damaged(current) from None
    arrays.update(load_tensors(current / TENSORS))
    return Stored(experiment, arrays, meta, mark)


def _saved(folder: Path) -> Path:
    if (current := _current(folder)) is None:
        raise ConfigError(f"`{folder}` was never saved, so there is nothing to resume; start a new run instead")
    return current


def _read_meta(current: Path) -> tuple[LogMark, dict[str, Any]]:
    try:
        data = json.loads((current / META).read_bytes())
        return msgspec.convert(data["mark"], LogMark), _restored(data["meta"])
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError):
        raise _damaged(current) from None


def _damaged(current: Path) -> ConfigError:
    return ConfigError(f"`{current}` is damaged, so the run cannot be resumed")


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


# -- going back -----------------------------------------------------------------------------------


def rewind(folder: Path, mark: LogMark) -> RunResumed:
    """Bring a run's files back to where they stood at the mark, and tell what was lost.

    What lies behind the mark in the log moves to `events.discarded.jsonl`, later episodes and
    checkpoints are removed, and the best checkpoint becomes that of the mark's time again.
    Raises ConfigError if the run is being trained elsewhere or its log is shorter than the mark.
    """
    refuse_if_busy(folder)
    sizes = {EVENTS: mark.events, episodes.DATA: mark.episodes_data, episodes.INDEX: mark.episodes_index}
    for name, size in sizes.items():
        path = folder / name
        if (path.stat().st_size if path.exists() else 0) < size:
            raise ConfigError(f"`{path}` is shorter than when the run was saved, so the run cannot be resumed")
    lost_steps, lost_tweaks = 0, []
    for event in _discard(folder, mark.events):
        lost_steps = max(lost_steps, event.step - mark.step)
        if isinstance(event, KnobChanged):
            value = "its schedule" if event.new is None else event.new
            lost_tweaks.append(f"{event.field} to {value} at step {event.step:,}")
    summary = summary_of(folder)
    if summary is not None:
        lost_steps = max(lost_steps, summary.step - mark.step)
    for name, size in sizes.items():
        if (folder / name).exists():
            os.truncate(folder / name, size)
    _settle(folder)
    drop_after(folder, mark.step)
    _bring_back_best(folder)
    return RunResumed(step=mark.step, lost_steps=lost_steps, lost_tweaks=tuple(lost_tweaks))


def _discard(folder: Path, length: int) -> Iterator[Event]:
    """Copy the log's lines behind `length` to the discarded ones and yield them."""
    if not (folder / EVENTS).exists():
        return
    with open(folder / EVENTS, "rb") as log:
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
    for line in tail.splitlines():
        try:
            yield decode_event(line)
        except msgspec.MsgspecError:
            continue


def _bring_back_best(folder: Path) -> None:
    best, stored = folder / FOLDER / BEST, folder / STATE / BEST
    if not stored.exists():
        best.unlink(missing_ok=True)
    elif not best.exists() or not best.samefile(stored):
        link_file(stored, best)
