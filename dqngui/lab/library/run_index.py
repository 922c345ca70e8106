"""Incremental reading of a folder of runs: only changed summaries and new log lines. No Qt.

For use in one background thread only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from dqngui import presets
from dqngui.bounded import open_regular
from dqngui.config import ConfigError, Experiment
from dqngui.lab.library.run_settings import RunSettings, settings_of
from dqngui.messages import EpisodeEnded, Evaluated, Event, Forked
from dqngui.runs.folder import (
    EVENTS,
    EXPERIMENT,
    SUMMARY,
    RunSummary,
    folders_in,
    newest_first,
    read_experiment,
    summary_of,
)
from dqngui.runs.log_lines import MOST_LOG, events_in

BLOCK = 1 << 20  # bytes of a log that are read at once
_EVENT_PREFIXES = tuple(f'{{"type":"{kind.__name__}"'.encode() for kind in (EpisodeEnded, Evaluated, Forked))
_Stamp = tuple[int, int]


class RunIndex:
    """The summaries of a folder of runs; later readings open only changed files."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._known: dict[str, tuple[_Stamp | None, RunSummary | None]] = {}
        self._settings: dict[str, tuple[_Stamp | None, RunSettings | None]] = {}

    def read(self, go_on: Callable[[], bool] = lambda: True) -> list[RunSummary]:
        """All summaries, the newest run first; a partial list if `go_on` returns False. Raises ConfigError."""
        try:
            paths = folders_in(self._runs)
        except FileNotFoundError:
            paths = []  # the first run creates it
        except OSError as error:
            raise ConfigError("run.not_listed", runs=self._runs, problem=error.strerror) from None
        known, self._known = self._known, {}
        for path in paths:
            if not go_on():
                break
            stamp = _file_stamp(os.path.join(path, SUMMARY))
            before = known.get(path)
            # A killed process leaves its summary as "running", so running ones are checked each time.
            same = before is not None and before[0] == stamp and not (before[1] and before[1].state == "running")
            summary = before[1] if same and before else summary_of(Path(path))
            self._known[path] = stamp, summary
        self._settings = {path: read for path, read in self._settings.items() if path in self._known}
        return newest_first(summary for _, summary in self._known.values() if summary is not None)

    def settings(self, folders: Sequence[str], go_on: Callable[[], bool] = lambda: True) -> dict[str, RunSettings]:
        """The settings of these runs; those that cannot be read are left out, and the rest if `go_on` is False."""
        found: dict[str, RunSettings] = {}
        for folder in folders:
            if not go_on():
                break
            stamp, before = _file_stamp(os.path.join(folder, EXPERIMENT)), self._settings.get(folder)
            read = before if before and before[0] == stamp else (stamp, settings_of(Path(folder)))
            self._settings[folder] = read
            if read[1] is not None:
                found[folder] = read[1]
        return found


class ReturnLog:
    """Reads the episodes, evaluations and forks of a run's log; each reading continues after the one before."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._offset = 0
        self._tail = b""  # last bytes before the offset; they differ if the log was truncated and grew again

    def read(self, go_on: Callable[[], bool] = lambda: True) -> Iterator[tuple[bool, list[Event]]]:
        """Yield (restarted, events) for each block of new complete lines; `restarted`: discard all earlier events.

        Lines that cannot be decoded are skipped. Raises ConfigError, OSError.
        """
        try:
            log = open_regular(self._path, MOST_LOG)
        except FileNotFoundError:
            return  # no event was written yet
        with log:
            restarted = not self._is_same_log(log.fileno())
            if restarted:
                self._offset, self._tail = 0, b""
            log.seek(self._offset)
            while go_on() and (block := log.read(BLOCK)):
                whole = block.rfind(b"\n") + 1
                if not whole and len(block) < BLOCK:
                    return
                whole = whole or len(block)  # no event is so long
                self._offset += whole
                self._tail = (self._tail + block[:whole])[-64:]
                log.seek(self._offset)
                if events := _events(block[:whole]):
                    yield restarted, events
                    restarted = False

    def _is_same_log(self, log: int) -> bool:
        if not self._offset:
            return False
        start = self._offset - len(self._tail)
        os.lseek(log, start, os.SEEK_SET)
        return os.read(log, len(self._tail)) == self._tail


def _events(lines: bytes) -> list[Event]:
    found = [line for line in lines.splitlines() if line.startswith(_EVENT_PREFIXES)]
    return events_in(b"\n".join([*found, b""]), lambda number, problem: None)


def same_experiment(folder: Path) -> str | None:
    """The experiment as TOML without seed, title, device and host, to compare runs; None if it cannot be read."""
    try:
        experiment = read_experiment(folder)
    except ConfigError:
        return None
    return presets.to_toml(without_seed(experiment))


class Experiments:
    """The experiments of runs without what makes no difference, each read once."""

    def __init__(self) -> None:
        self._read: dict[str, str | None] = {}

    def alike(self, folder: str, candidates: Sequence[str]) -> list[str]:
        """Those of `candidates` that have the same experiment as `folder`, apart from its seed."""
        for each in {folder, *candidates}:
            if each not in self._read:
                self._read[each] = same_experiment(Path(each))
        experiment = self._read[folder]
        return [each for each in candidates if experiment is not None and self._read[each] == experiment]


def without_seed(experiment: Experiment) -> Experiment:
    """The experiment with default seed, title, device and host, and as if all its settings were chosen."""
    usual = Experiment().run
    run = msgspec.structs.replace(experiment.run, seed=usual.seed, device=usual.device, host=usual.host)
    return msgspec.structs.replace(experiment, title="", run=run, derived=())


def _file_stamp(path: str) -> _Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
