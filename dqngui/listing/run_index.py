"""Incremental reading of a folder of runs: only changed summaries, settings and labels.

For use in one background thread only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from dqngui.config import ConfigError
from dqngui.listing.kept_listing import KeptRun
from dqngui.listing.run_settings import RunSettings, settings_of
from dqngui.runs.folder import (
    EXPERIMENT,
    UNREADABLE,
    RunSummary,
    newest_first,
    summary_of,
    unreadable,
)
from dqngui.runs.labels import LABELS, Labels, read_labels
from dqngui.runs.nested import FoundRuns, Stamp, find_runs, stamp_of
from dqngui.texts import Text


class RunIndex:
    """The runs of a folder and of the folders below it; later readings open only changed files.

    Args:
        kept: what an earlier process has read; what did not change since is not read again.

    Attributes:
        labels: what persons say about runs, by folder; only of runs with labels.
        label_problems: by folder, why the labels of a run cannot be read.
        groups: the folders below the folder of runs in which there are runs.
        opened: files of settings and summaries that were opened so far.
    """

    def __init__(self, runs: Path, kept: Mapping[str, KeptRun] | None = None) -> None:
        self._runs = runs
        self._known: dict[str, tuple[Stamp | None, RunSummary | None]] = {}
        self._labels: dict[str, tuple[Stamp, Labels, Text | str]] = {}
        self._titled: dict[str, tuple[RunSummary, str, RunSummary]] = {}
        self._settings: dict[str, tuple[Stamp | None, RunSettings | None]] = {}
        self.labels: dict[str, Labels] = {}
        self.label_problems: dict[str, Text | str] = {}
        self.groups: list[str] = []
        self.opened = 0
        self._shared: dict[bytes, RunSettings] = {}
        for path, each in (kept or {}).items():
            self._known[path] = each.summary_stamp, each.summary
            if each.settings_stamp is not None:
                settings = RunSettings(each.changed, frozenset(each.derived))
                self._settings[path] = each.settings_stamp, self._as_shared(settings)

    def read(self, go_on: Callable[[], bool] = lambda: True) -> list[RunSummary]:
        """All summaries, the newest run first; a partial list if `go_on` returns False. Raises ConfigError.

        A title that a person gave replaces the run's own.
        """
        try:
            found = find_runs(self._runs, go_on)
        except FileNotFoundError:
            found = FoundRuns()  # the first run creates it
        except OSError as error:
            raise ConfigError("run.not_listed", runs=self._runs, problem=error.strerror) from None
        self.groups = found.groups
        known, self._known = self._known, {}
        for path, stamp in found.runs.items():
            if not go_on():
                break
            before = known.get(path)
            # A killed process leaves its summary as "running", so running ones are checked each time.
            same = before is not None and before[0] == stamp and not (before[1] and before[1].state == "running")
            if not same:
                self.opened += 1
            self._known[path] = stamp, before[1] if same and before else summary_of(Path(path))
        self._settings = {path: read for path, read in self._settings.items() if path in self._known}
        self._read_labels()
        summaries = [self._with_title(path, each) for path, (_, each) in self._known.items() if each is not None]
        return newest_first([*summaries, *(unreadable(Path(path), why) for path, why in found.unreadable.items())])

    def _read_labels(self) -> None:
        before, self._labels = self._labels, {}
        for path in self._known:
            stamp = stamp_of(f"{path}{os.sep}{LABELS}")
            if stamp is not None:
                known = before.get(path)
                self._labels[path] = known if known and known[0] == stamp else (stamp, *read_labels(Path(path)))
        self.labels = {path: labels for path, (_, labels, _) in self._labels.items() if labels}
        self.label_problems = {path: problem for path, (_, _, problem) in self._labels.items() if problem}

    def _with_title(self, path: str, summary: RunSummary) -> RunSummary:
        """The same object as long as nothing changes, so that whoever has it sees that at once."""
        labels = self.labels.get(path)
        if labels is None or not labels.title:
            return summary
        kept = self._titled.get(path)
        if kept is None or kept[:2] != (summary, labels.title):
            kept = self._titled[path] = summary, labels.title, msgspec.structs.replace(summary, title=labels.title)
        return kept[2]

    def settings(
        self, folders: Sequence[str], go_on: Callable[[], bool] = lambda: True, most: int | None = None
    ) -> dict[str, RunSettings]:
        """The settings of these runs; those that cannot be read are left out, and the rest if `go_on` is False.

        Args:
            most: so many files are opened at most (None: all that are needed); see `all_read`.
        """
        found: dict[str, RunSettings] = {}
        opened = 0
        self.all_read = True
        for folder in folders:
            if not go_on():
                self.all_read = False
                break
            stamp, before = stamp_of(f"{folder}{os.sep}{EXPERIMENT}"), self._settings.get(folder)
            if before is None or before[0] != stamp:
                if most is not None and opened >= most:
                    self.all_read = False
                    continue
                opened += 1
                read = settings_of(Path(folder))
                before = self._settings[folder] = stamp, None if read is None else self._as_shared(read)
            if before[1] is not None:
                found[folder] = before[1]
        self.opened += opened
        return found

    def _as_shared(self, settings: RunSettings) -> RunSettings:
        """The one object for all runs with these settings: thousands of seeds have the same."""
        key = msgspec.msgpack.encode((settings.changed, sorted(settings.derived)))
        return self._shared.setdefault(key, settings)

    all_read = True
    """Whether the last call of `settings` gave the settings of all runs that have any."""

    def to_keep(self) -> dict[str, KeptRun]:
        """What a later process need not read again."""
        kept = {}
        for path, (stamp, summary) in self._known.items():
            if stamp is None or summary is None or summary.state in ("running", UNREADABLE):
                continue
            of_settings, settings = self._settings.get(path, (None, None))
            if settings is None:
                kept[path] = KeptRun(stamp, summary)
            else:
                kept[path] = KeptRun(stamp, summary, of_settings, dict(settings.changed), tuple(settings.derived))
        return kept
