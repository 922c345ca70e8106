"""HTML: a report of one run, or a comparison of several, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from dqngui.config import ConfigError
from dqngui.export.csv_table import table_path
from dqngui.export.exported_run import ExportedRun
from dqngui.export.part_file import PartFile
from dqngui.export.report import sections
from dqngui.export.report.columns import Columns
from dqngui.export.report.comparison import compared
from dqngui.export.report.episode import record_episode
from dqngui.export.report.episode_data import episode_data, share
from dqngui.export.report.packing import MOST_PICTURE_BYTES, MOST_VIEW_BYTES
from dqngui.export.report.page import MARK, page, player, section
from dqngui.export.scalars import Note, Scalar
from dqngui.export.sink import Target
from dqngui.texts import say, words
from dqngui.texts.plain import plain_line


class Report:
    """Collects the rows of the runs and writes the report at the end, with an episode that is played then."""

    def __init__(self, runs: Sequence[ExportedRun], target: Target) -> None:
        """Raises ConfigError if the file cannot be written."""
        self._runs, self._target = runs, target
        self._columns = [Columns() for _ in runs]
        self._file = PartFile(table_path(runs, target, ".html"), MARK)

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        self._columns[run].add(scalars, notes)

    def save(self) -> None:
        """Nothing to do: a report is made of what is there at the end."""

    def finish(self) -> str:
        self._file.append(self._alone() if len(self._runs) == 1 else self._together())
        self._file.place()
        self._file.close()
        return str(self._file.path)

    def abandon(self) -> None:
        self._file.close()

    def _alone(self) -> bytes:
        run, columns = self._runs[0], self._columns[0]
        episodes, problems = self._episodes([(run.title, run)])
        parts = [
            sections.curves(columns),
            self._player(episodes, problems),
            sections.settings(run),
            sections.ledger(columns),
        ]
        return page(run.title, sections.head(run), parts, episodes)

    def _together(self) -> bytes:
        found = compared(self._runs, self._columns)
        episodes, problems = self._episodes(found.chosen)
        title = words(say("report.comparison", count=len(self._runs)))
        header = f'<h1>{escape(title)}</h1><p class="muted">{escape(found.about)}</p>'
        return page(title, header, [*found.first, self._player(episodes, problems), *found.last], episodes)

    def _player(self, episodes: Sequence[dict[str, Any]], problems: Sequence[str]) -> str:
        return section(say("report.inside"), player([each["name"] for each in episodes], problems))

    def _episodes(self, wanted: Sequence[tuple[str, ExportedRun]]) -> tuple[list[dict[str, Any]], list[str]]:
        """The data of an episode of each run by its name, and why some have none."""
        found, problems = [], []
        views, pictures = share(MOST_VIEW_BYTES, len(wanted)), share(MOST_PICTURE_BYTES, len(wanted))
        for name, run in wanted:
            try:
                episode = record_episode(Path(run.folder), trust=self._target.trust)
                data = episode_data(episode, name, views, pictures)
                found.append(data if len(wanted) == 1 else data | {"about": f"{run.title}: {data['about']}"})
            except ConfigError as error:
                problems.append(plain_line(words(say("report.no_episode", name=name, problem=error)), 500))
        return found, problems
