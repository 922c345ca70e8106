"""A run's folder: making one, listing them, reading what they hold. Imports no torch."""

from __future__ import annotations

import platform
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from importlib import metadata
from pathlib import Path

import msgspec

import dqngui
from dqngui import presets
from dqngui.bounded import MEGABYTE, exists, found, json_data, read_file, small_numbers
from dqngui.config import ConfigError, Experiment
from dqngui.messages import CheckpointTest, Event
from dqngui.runs.files import replace_file, write_file
from dqngui.runs.lock import PATIENCE_S, LockTaken, Writer, WriterLock, take_lock, writer_of
from dqngui.runs.log_lines import logged_events
from dqngui.runs.nested import EXPERIMENT as EXPERIMENT
from dqngui.runs.nested import SUMMARY as SUMMARY
from dqngui.runs.nested import find_runs
from dqngui.runs.started import moment, now_utc, start_by_file, start_in_name
from dqngui.runs.trust import check_trusted, remember_own
from dqngui.texts import Text, reason_of
from dqngui.texts.plain import plain_line

EVENTS = "events.jsonl"
MOST_SUMMARY = MEGABYTE
LONGEST_NAME = 200  # characters of a title or of another name in the list of runs
UNREADABLE = "unreadable"
STATES = ("ready", "running", "stopped", "finished", "failed", "interrupted")


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the run browser shows.

    Attributes:
        folder: the run's folder (not stored: it may be moved).
        state: `ready`, `running`, `stopped`, `finished`, `failed`, or `interrupted` (killed while running). A run whose
            writer cannot be told, on a file system without locks, stays `running`. `unreadable` is not stored.
        problem: why the run cannot be read (not stored); empty if it can.
        step, total_steps: environment steps made and planned.
        best: mean return of the evaluation that is reported of the best checkpoint (`learning.best`).
        tested: the same with its interval, and what chose the checkpoint; None in runs of earlier versions.
        final: mean return of the last evaluation; None if there was none, and in runs of earlier versions.
        seconds: wall seconds of training.
        updated: local time of the last change, ISO 8601.
        started: when the run was started, ISO 8601 in UTC; empty if that is not known.
        parent: name of the run that it branched from; empty for one that began anew.
        pid: the process that wrote the run last, as a hint for the reader: whether it writes now, its lock says.
        pid_since: when that process began, in the summaries of earlier versions.
    """

    title: str
    env: str
    attention: str
    memory: str
    seed: int
    total_steps: int
    state: str = "ready"
    step: int = 0
    best: float | None = None
    tested: CheckpointTest | None = None
    final: float | None = None
    seconds: float = 0.0
    updated: str = ""
    started: str = ""
    parent: str = ""
    pid: int = 0
    pid_since: float = 0.0
    folder: str = ""
    problem: Text | str = ""


def create(runs: Path, experiment: Experiment) -> Path:
    """A new folder in `runs` (made if missing) that holds the experiment. Raises ConfigError."""
    try:
        missing = [path for path in (runs, *runs.parents) if not exists(path)]
        folder = new_folder(runs, f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{slug(experiment)}")
        try:
            write_experiment(folder, experiment)
            write_summary(folder, msgspec.structs.replace(new_summary(experiment), started=now_utc()))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                for path in missing:
                    path.rmdir()
            raise
    except OSError as error:
        raise ConfigError("run.folder_not_made", runs=runs, problem=error.strerror) from None
    return folder


def new_folder(runs: Path, name: str) -> Path:
    """A folder that did not exist, named so, with a number where another has this name. Raises OSError."""
    runs.mkdir(parents=True, exist_ok=True)
    folder, count = runs / name, 1
    while True:
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            count += 1
            folder = runs / f"{name}-{count}"


def write_experiment(folder: Path, experiment: Experiment) -> None:
    """Write the experiment of a run that has not begun, which is trusted then. Raises OSError."""
    write_file(folder / EXPERIMENT, presets.to_toml(experiment, versions()).encode())
    remember_own(folder, experiment)


def slug(experiment: Experiment) -> str:
    """A short name for the folder: the title, or task and memory."""
    text = experiment.title
    if not text:
        task = re.sub(r"-v\d+$", "", experiment.env.id.rsplit(":", 1)[-1].rsplit("/", 1)[-1])
        memory = experiment.net.memory
        text = task if memory == "none" else f"{task} {memory}"
    return plain_name(text) or "run"


def plain_name(text: str) -> str:
    """A text as a part of a folder's name: small letters, digits and hyphens, at most 40; empty if it has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")


def versions() -> dict[str, str]:
    """What made a run: versions of dqngui, Python and the libraries its numbers depend on."""
    found = {"dqngui": dqngui.__version__}
    for package in ("torch", "gymnasium", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return {**found, "python": platform.python_version(), "platform": platform.platform()}


def read_experiment(folder: Path) -> Experiment:
    """The experiment of a run. Raises ConfigError if the folder is not a run's, or cannot be read."""
    if not found(Path.is_dir, folder):
        raise ConfigError("run.none", run=folder)
    if not has_experiment(folder):
        raise ConfigError("run.not_one", folder=folder, file=EXPERIMENT)
    return presets.read_stored_experiment(folder / EXPERIMENT)


def trusted_experiment(folder: Path) -> Experiment:
    """The experiment of a run, to make its environment. Raises ConfigError, also if the user has to trust it first."""
    experiment = read_experiment(folder)
    check_trusted(folder, experiment.env)
    return experiment


def has_experiment(folder: Path) -> bool:
    """Whether the folder is one of a run. Raises ConfigError if that cannot be seen."""
    try:
        return exists(folder / EXPERIMENT)
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder, problem=_reason(error)) from None


def read_events(folder: Path, on_damage: Callable[[Text], None] | None = None) -> Iterator[Event]:
    """The logged events in order; a torn last line is ignored.

    Args:
        on_damage: takes the reason of each damaged line, which is passed over; None: the first one is an error.

    Raises ConfigError if the folder is not a run's, or its log cannot be read.
    """
    if not found(Path.is_dir, folder):
        raise ConfigError("run.none", run=folder)
    try:
        yield from logged_events(folder / EVENTS, on_damage)
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder / EVENTS, problem=_reason(error)) from None


# -- the summary ----------------------------------------------------------------------------------


def new_summary(experiment: Experiment) -> RunSummary:
    """The summary of a run that has not begun."""
    return RunSummary(
        title=experiment.title,
        env=experiment.env.id,
        attention=experiment.net.attention,
        memory=experiment.net.memory,
        seed=experiment.run.seed,
        total_steps=experiment.run.total_steps,
    )


def write_summary(folder: Path, summary: RunSummary) -> None:
    """Replace `summary.json` in one step. Raises OSError."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    stored = msgspec.to_builtins(msgspec.structs.replace(summary, updated=now, folder=""))
    del stored["problem"]
    replace_file(folder / SUMMARY, msgspec.json.format(msgspec.json.encode(stored)) + b"\n", sync=False)


def summary_of(folder: Path) -> RunSummary | None:
    """The summary of a run, made from its experiment if missing or damaged; None if the folder is not a run's.

    The summary of a run that cannot be read has the state `unreadable` and says why. Never raises.
    """
    summary = _stored_summary(folder)
    if summary is None:
        try:
            if not has_experiment(folder):
                return None
            summary = msgspec.structs.replace(new_summary(read_experiment(folder)), state="interrupted")
        except Exception as error:  # of a stranger's files; the other runs are listed all the same
            return unreadable(folder, error)
    if summary.state == "running" and writer_of(folder) is Writer.NOBODY:
        summary = msgspec.structs.replace(summary, state="interrupted")
    summary = _presentable(summary)
    started = summary.started or start_in_name(folder, summary.updated) or start_by_file(folder / EXPERIMENT)
    return msgspec.structs.replace(summary, folder=str(folder), problem="", started=started)


def _stored_summary(folder: Path) -> RunSummary | None:
    """The summary as it is stored; None if it is missing, damaged, or says what no run can have."""
    try:
        summary = json_data(read_file(folder / SUMMARY, MOST_SUMMARY), RunSummary)
    except (OSError, ValueError):
        return None
    if not 0 < summary.pid < 2**31:  # only a hint for the reader
        summary = msgspec.structs.replace(summary, pid=0)
    counts = (summary.step, summary.total_steps, summary.seed, summary.seconds, summary.pid_since)
    return summary if small_numbers(summary) and min(counts) >= 0 and summary.state in STATES else None


def unreadable(folder: Path, error: Exception) -> RunSummary:
    """The summary of a folder that cannot be read, with the reason."""
    problem = _reason(error) if isinstance(error, OSError) else reason_of(error)
    return RunSummary(
        title="", env="", attention="", memory="", seed=0, total_steps=0, state=UNREADABLE, folder=str(folder),
        problem=problem,
    )  # fmt: skip


def _presentable(summary: RunSummary) -> RunSummary:
    """The summary with names in one line of bounded length, and without a time that no calendar has."""
    names = {name: plain_line(getattr(summary, name), LONGEST_NAME) for name in _NAMES}
    times = {name: time if moment(time := getattr(summary, name)) else "" for name in ("updated", "started")}
    return msgspec.structs.replace(summary, **names, **times)


_NAMES = ("title", "env", "attention", "memory", "parent")


def list_runs(runs: Path) -> list[RunSummary]:
    """Summaries of all runs in a folder and below it, the newest first; other folders are passed over.

    A folder that cannot be looked into is listed as unreadable. Raises ConfigError.
    """
    try:
        found = find_runs(runs)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError("run.not_listed", runs=runs, problem=_reason(error)) from None
    summaries = [summary for path in found.runs if (summary := summary_of(Path(path))) is not None]
    return newest_first([*summaries, *(unreadable(Path(path), error) for path, error in found.unreadable.items())])


def newest_first(summaries: Iterable[RunSummary]) -> list[RunSummary]:
    """The summaries by the start of their runs, the newest first; the local time of a machine does not matter."""
    return sorted(summaries, key=lambda each: (moment(each.started), each.folder), reverse=True)


def _reason(error: OSError) -> str | Text:
    return error.strerror or str(reason_of(error))


def claim(folder: Path, patience_s: float = PATIENCE_S) -> WriterLock:
    """Become the run's only writer, until the lock is released or this process ends: two would spoil its log.

    Args:
        patience_s: how long it waits for another process that is just ending.

    Raises ConfigError if the run has a writer, or if nothing can tell (`run.no_locks`); OSError.
    """
    if not found(Path.is_dir, folder):
        raise ConfigError("run.none", run=folder)
    try:
        lock = take_lock(folder, patience_s)
    except LockTaken as taken:
        raise _busy(folder, here=taken.here) from None
    if not lock.protected and (stored := _stored_summary(folder)) is not None and stored.state == "running":
        lock.release(remove=False)  # it may be another's
        raise ConfigError("run.no_locks", folder=folder)
    return lock


def _busy(folder: Path, *, here: bool) -> ConfigError:
    if here:
        return ConfigError("run.busy_here", folder=folder)
    summary = _stored_summary(folder)
    if summary is None or summary.pid < 1:
        return ConfigError("run.busy_somewhere", folder=folder)
    return ConfigError("run.busy_elsewhere", folder=folder, pid=summary.pid)
