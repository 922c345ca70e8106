"""Parquet: the same table as CSV in columns, with settings and final figures of the runs in the file's metadata."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dqngui.export.csv_table import table_path
from dqngui.export.exported_run import ExportedRun
from dqngui.export.part_file import check_place, not_written
from dqngui.export.scalars import Note, Scalar
from dqngui.export.sink import Target
from dqngui.messages.json_lines import to_json

_MARK = b"PAR1"


class ParquetTable:
    """Writes one Parquet file for all runs; the rows wait in memory, 40 bytes each, because a file cannot grow."""

    def __init__(self, runs: Sequence[ExportedRun], target: Target) -> None:
        """Raises ConfigError if the file cannot be written."""
        self._runs = runs
        self._path = table_path(runs, target, ".parquet")
        self._part = self._path.with_name(f".{self._path.name[:200]}.part")
        check_place(self._path, _MARK)
        self._codes: dict[str, int] = {}
        self._run, self._step, self._name = array("i"), array("q"), array("i")
        self._value, self._seconds = array("d"), array("d")
        self._written = -1
        self._part_made()

    def _part_made(self) -> None:
        """Find out now, and not at the end, whether a file can be made there."""
        try:
            self._part.write_bytes(b"")
        except OSError as error:
            raise not_written(self._path, error) from None

    def add(self, run: int, scalars: Sequence[Scalar], notes: Sequence[Note]) -> None:
        for each in scalars:
            self._run.append(run)
            self._step.append(each.step)
            self._name.append(self._codes.setdefault(each.name, len(self._codes)))
            self._value.append(each.value)
            self._seconds.append(each.seconds)

    def save(self) -> None:
        if self._written != len(self._step):
            self._write()

    def finish(self) -> str:
        self._write()
        return str(self._path)

    def abandon(self) -> None:
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        def words(codes: array[int], of: Sequence[str]) -> Any:
            return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(of, pa.string()))

        about = {run.name: {"settings": run.settings, "figures": run.figures(), "title": run.title, "tags": run.tags,
                            "note": run.labels.note, "began": run.began} for run in self._runs}  # fmt: skip
        table = pa.table(
            {
                "run": words(self._run, [run.name for run in self._runs]),
                "step": pa.array(self._step, pa.int64()),
                "name": words(self._name, list(self._codes)),
                "value": pa.array(self._value, pa.float64()),
                "seconds": pa.array(self._seconds, pa.float64()),
            },
            metadata={"dqngui": to_json(about)},
        )
        try:
            pq.write_table(table, self._part, compression="zstd")
            os.replace(self._part, self._path)
        except OSError as error:
            self.abandon()
            raise not_written(self._path, error) from None
        self._written = len(self._step)
