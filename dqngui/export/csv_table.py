"""CSV: one row for each number, with the columns run, step, name, value and seconds."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from dqngui.export.exported_run import ExportedRun
from dqngui.export.part_file import PartFile
from dqngui.export.scalars import Note, Scalar
from dqngui.export.sink import Target

COLUMNS = ("run", "step", "name", "value", "seconds")
_HEAD = (",".join(COLUMNS) + "\n").encode()
_FORMULA = ("=", "+", "-", "@")


class CsvTable:
    """Writes one CSV file for all runs. A number is written so that it reads back exactly; `nan` and `inf` as such."""

    def __init__(self, runs: Sequence[ExportedRun], target: Target) -> None:
        """Raises ConfigError if the file cannot be written."""
        self._names = [safe_cell(run.name) for run in runs]
        self._file = PartFile(table_path(runs, target, ".csv"), _HEAD)
        self._file.append(_HEAD)

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        if not scalars:
            return
        text, name = io.StringIO(), self._names[run]
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(
            (name, each.step, safe_cell(each.name), number(each.value), "" if math.isnan(each.seconds) else
             number(each.seconds)) for each in scalars
        )  # fmt: skip
        self._file.append(text.getvalue().encode("utf-8", "backslashreplace"))
        self._file.flush()

    def save(self) -> None:
        self._file.place()

    def finish(self) -> str:
        self._file.place()
        self._file.close()
        return str(self._file.path)

    def abandon(self) -> None:
        self._file.close()


def table_path(runs: Sequence[ExportedRun], target: Target, suffix: str) -> Path:
    """The file of a table: as it was named, else the name of the run, or `runs`, in the working folder."""
    if target.out is not None:
        return Path(target.out)
    return Path.cwd() / ((runs[0].name if len(runs) == 1 else "runs") + suffix)


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))
