"""A table of rows, and how it becomes a file: every export of numbers goes through it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header.

    Attributes:
        rows: as long as the header each; they may be made while they are written, once.
    """

    header: Sequence[str]
    rows: Iterable[Sequence[object]] = ()

    def write_csv(self, path: str | Path) -> None:
        """Write a CSV file in UTF-8, the header in its first line. Raises OSError."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.header)
            writer.writerows(self.rows)
