"""The returns of stored runs: read on from their logs as these grow; and which runs repeat one experiment.

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
from dqngui.messages import EpisodeEnded, Evaluated, Event, Forked
from dqngui.runs.folder import EVENTS, read_experiment
from dqngui.runs.log_lines import MOST_LOG, events_in

BLOCK = 1 << 20  # bytes of a log that are read at once
_EVENT_PREFIXES = tuple(f'{{"type":"{kind.__name__}"'.encode() for kind in (EpisodeEnded, Evaluated, Forked))


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
