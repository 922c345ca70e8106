"""A run's folder: making one, listing them, reading what they hold. Imports no torch."""

from __future__ import annotations

import os
import platform
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import metadata
from pathlib import Path

import msgspec
import psutil

import dqngui
from dqngui import presets
from dqngui.config import ConfigError, Experiment
from dqngui.messages import CheckpointTest, Event, decode_event
from dqngui.runs.files import replace_file, write_file
from dqngui.runs.started import moment, now_utc, start_by_file, start_in_name

EXPERIMENT, EVENTS, SUMMARY = "experiment.toml", "events.jsonl", "summary.json"


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the run browser shows.

    Attributes:
        folder: the run's folder (not stored: it may be moved).
        state: `ready`, `running`, `stopped`, `finished`, `failed`, or `interrupted` (killed while running).
        step, total_steps: environment steps made and planned.
        best: mean return of the evaluation that is reported of the best checkpoint (`learning.best`).
        tested: the same with its interval, and what chose the checkpoint; None in runs of earlier versions.
        seconds: wall seconds of training.
        updated: local time of the last change, ISO 8601.
        started: when the run was started, ISO 8601 in UTC; empty if that is not known.
        parent: name of the run that it branched from; empty for one that began anew.
        pid, pid_since: the process that writes the run and when that process began (seconds since 1970).
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
    seconds: float = 0.0
    updated: str = ""
    started: str = ""
    parent: str = ""
    pid: int = 0
    pid_since: float = 0.0
    folder: str = ""


def create(runs: Path, experiment: Experiment) -> Path:
    """A new folder in `runs` (made if missing) that holds the experiment. Raises ConfigError."""
    name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{slug(experiment)}"
    folder, count = runs / name, 1
    try:
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                folder.mkdir()
                break
            except FileExistsError:
                count += 1
                folder = runs / f"{name}-{count}"
        write_experiment(folder, experiment)
    except OSError as error:
        raise ConfigError("run.folder_not_made", runs=runs, problem=error.strerror) from None
    write_summary(folder, msgspec.structs.replace(new_summary(experiment), started=now_utc()))
    return folder


def write_experiment(folder: Path, experiment: Experiment) -> None:
    """Write the experiment of a run that has not begun. Raises OSError."""
    write_file(folder / EXPERIMENT, presets.to_toml(experiment, versions()).encode())


def slug(experiment: Experiment) -> str:
    """A short name for the folder: the title, or task and memory."""
    text = experiment.title
    if not text:
        task = re.sub(r"-v\d+$", "", experiment.env.id.rsplit(":", 1)[-1].rsplit("/", 1)[-1])
        memory = experiment.net.memory
        text = task if memory == "none" else f"{task} {memory}"
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "run"


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
    """The experiment of a run. Raises ConfigError if the folder is not a run's."""
    if not folder.is_dir():
        raise ConfigError("run.none", run=folder)
    if not (folder / EXPERIMENT).exists():
        raise ConfigError("run.not_one", folder=folder, file=EXPERIMENT)
    return presets.read_experiment(folder / EXPERIMENT)


def read_events(folder: Path) -> Iterator[Event]:
    """The logged events in order; a torn last line is ignored. Raises ConfigError for a damaged one before it."""
    if not folder.is_dir():
        raise ConfigError("run.none", run=folder)
    path = folder / EVENTS
    if not path.exists():
        return
    with open(path, "rb") as log:
        for number, line in enumerate(log, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield decode_event(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise ConfigError("log.damaged_line", path=path, line=number, problem=error) from None


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
    data = msgspec.json.encode(msgspec.structs.replace(summary, updated=now, folder=""))
    replace_file(folder / SUMMARY, msgspec.json.format(data) + b"\n", sync=False)


def summary_of(folder: Path) -> RunSummary | None:
    """The summary of a run, made from its experiment if missing or damaged; None if the folder is not a run's."""
    try:
        summary = msgspec.json.decode((folder / SUMMARY).read_bytes(), type=RunSummary)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        try:
            summary = msgspec.structs.replace(new_summary(read_experiment(folder)), state="interrupted")
        except ConfigError:
            return None
    if summary.state == "running" and not process_lives(summary):
        summary = msgspec.structs.replace(summary, state="interrupted")
    started = summary.started or start_in_name(folder, summary.updated) or start_by_file(folder / EXPERIMENT)
    return msgspec.structs.replace(summary, folder=str(folder), started=started)


def list_runs(runs: Path) -> list[RunSummary]:
    """Summaries of all runs in a folder, the newest first; other folders are passed over. Raises ConfigError."""
    if not runs.exists():
        return []
    try:
        found = folders_in(runs)
    except OSError as error:
        raise ConfigError("run.not_listed", runs=runs, problem=error.strerror) from None
    return newest_first([summary for path in found if (summary := summary_of(Path(path))) is not None])


def newest_first(summaries: Iterable[RunSummary]) -> list[RunSummary]:
    """The summaries by the start of their runs, the newest first; the local time of a machine does not matter."""
    return sorted(summaries, key=lambda each: (moment(each.started), each.folder), reverse=True)


def folders_in(runs: Path) -> list[str]:
    """Paths of all that may be runs, in reverse order of their names. Raises OSError."""
    with os.scandir(runs) as entries:
        return sorted((each.path for each in entries if not each.name.startswith(".") and _is_dir(each)), reverse=True)


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself hides no other run
        return False


_open: set[str] = set()  # folders that this process writes


def claim(folder: Path) -> None:
    """Become the run's only writer. Raises ConfigError if it has one: two would spoil its log."""
    refuse_if_busy(folder)
    _open.add(os.path.realpath(folder))


def release(folder: Path) -> None:
    """Stop being the run's writer."""
    _open.discard(os.path.realpath(folder))


def refuse_if_busy(folder: Path) -> None:
    """Raises ConfigError if this run is being trained now."""
    summary = summary_of(folder)
    if os.path.realpath(folder) in _open:
        raise ConfigError("run.busy_here", folder=folder)
    if summary is not None and summary.state == "running" and summary.pid != os.getpid():
        raise ConfigError("run.busy_elsewhere", folder=folder, pid=summary.pid)


def own_process() -> tuple[int, float]:
    """pid and start of this process, for `RunSummary`."""
    return os.getpid(), psutil.Process().create_time()


def process_lives(summary: RunSummary) -> bool:
    """Whether the process that wrote the summary still runs."""
    try:
        return abs(psutil.Process(summary.pid).create_time() - summary.pid_since) < 2.0
    except psutil.Error:
        return False
