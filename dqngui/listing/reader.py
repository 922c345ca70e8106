"""Reads the list of runs again and again: what did not change since the last reading costs little.

For use in one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.listing.kept_listing import WORTH_KEEPING, read_kept, write_kept
from dqngui.listing.listed_run import ListedRun, listed_runs, vocabulary_of
from dqngui.listing.run_index import RunIndex
from dqngui.listing.run_names import names, shared_titles
from dqngui.listing.run_settings import RunSettings
from dqngui.listing.vocabulary import Vocabulary, vocabulary
from dqngui.runs.folder import RunSummary
from dqngui.runs.labels import Labels
from dqngui.texts import Text, reason_of

GoOn = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Listing:
    """The list of runs at one moment.

    Attributes:
        runs: the newest first.
        by_folder: the same by their folder.
        problem: why the folder of runs cannot be read; empty if it can.
        label_problems: by folder, why the labels of a run cannot be read.
        groups: the folders below the folder of runs that were looked into.
        complete: whether the settings that were asked for were read of all runs.
        all_settings: whether the settings of all runs were asked for.
        names: what may be typed as the name of a setting or figure.
    """

    runs: list[ListedRun] = field(default_factory=list)
    by_folder: dict[str, ListedRun] = field(default_factory=dict)
    problem: Text | str = ""
    label_problems: Mapping[str, Text | str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    complete: bool = True
    all_settings: bool = False
    names: Vocabulary = field(default_factory=vocabulary)

    @property
    def searchable(self) -> bool:
        """Whether all that a filter searches was read."""
        return self.all_settings and self.complete


class ListReader:
    """Reads the runs of a folder and of the folders below it.

    Args:
        keeps: whether what was read of many runs is kept for the next process (`kept_listing`).
    """

    def __init__(self, runs: Path, *, keeps: bool = True) -> None:
        self._runs, self._keeps = runs, keeps
        self._index: RunIndex | None = None
        self._kept_at = 0
        self._made_of: tuple[list[RunSummary], dict[str, RunSettings], dict[str, Labels]] | None = None
        self._last = Listing()

    def read(
        self, go_on: GoOn = lambda: True, *, settings: bool = False, named: bool = True, most: int | None = None
    ) -> Listing:
        """The list as it is now; the same object as before if nothing changed. Never raises.

        Args:
            go_on: ends the reading with a partial list if it returns False.
            settings: read the settings of all runs, and not only those that their names need.
            named: whether runs get names that tell them apart; else each is named as its folder.
            most: files of settings that are opened at most; see `Listing.complete`.
        """
        if self._index is None:
            self._index = RunIndex(self._runs, read_kept(self._runs) if self._keeps else None)
        try:
            return self._read(self._index, go_on, settings, named, most)
        except Exception as error:  # a folder that nobody foresaw must not end the list
            self._made_of = None
            self._last = Listing(problem=error.text if isinstance(error, ConfigError) else reason_of(error))
            return self._last

    def _read(self, index: RunIndex, go_on: GoOn, all_settings: bool, named: bool, most: int | None) -> Listing:
        summaries = index.read(go_on)
        needed: Sequence[str] = [each.folder for each in summaries] if all_settings else []
        if named and not all_settings:
            needed = shared_titles(summaries)
        settings = index.settings(needed, go_on, most)
        made_of = summaries, settings, index.labels
        before = self._last.label_problems, self._last.complete, self._last.all_settings
        if made_of != self._made_of or before != (index.label_problems, index.all_read, all_settings):
            runs = listed_runs(
                self._runs,
                summaries,
                names(summaries, settings) if named else {},
                settings,
                index.labels,
                self._last.by_folder,
            )
            self._last = Listing(
                runs=runs,
                by_folder={run.folder: run for run in runs},
                label_problems=dict(index.label_problems),
                groups=tuple(index.groups),
                complete=index.all_read,
                all_settings=all_settings,
                names=vocabulary_of(runs),
            )
            self._made_of = made_of
        return self._last

    def keep(self) -> None:
        """Keep what was read for the next process, if it was much."""
        if self._keeps and self._index is not None and self._index.opened - self._kept_at >= WORTH_KEEPING:
            self._kept_at = self._index.opened
            write_kept(self._runs, self._index.to_keep())
