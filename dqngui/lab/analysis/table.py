"""A table of rows that can be written as a CSV file. All exports of numbers use it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header.

    Attributes:
        rows: rows of the header's length; may be an iterator, which is read once.
    """

    header: Sequence[str]
    rows: Iterable[Sequence[object]] = ()

    def write_csv(self, path: str | Path) -> None:
        """Write a CSV file in UTF-8, the header in its first line. Raises OSError."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.header)
            writer.writerows(self.rows)
