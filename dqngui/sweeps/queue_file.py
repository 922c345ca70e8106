"""The SQLite file of a queue: its tables, its transactions, and what is said when it cannot be used."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from dqngui.bounded import exists, own_folder
from dqngui.config import ConfigError
from dqngui.sweeps.entry import Entry

FILE = "queue.sqlite"
MOST_AT_ONCE = 1_000
BUSY_S = 10.0
"""Seconds that a transaction waits for another one."""

_COLUMNS = tuple(each for each in Entry.__struct_fields__ if each != "id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, place REAL NOT NULL, folder TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    parent TEXT NOT NULL, total_steps INTEGER, until INTEGER, sweep TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL, wish TEXT NOT NULL, worker TEXT NOT NULL, tries INTEGER NOT NULL, seconds REAL NOT NULL,
    steps INTEGER NOT NULL, begun INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS by_place ON entries (state, place);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class QueueSettings(msgspec.Struct, frozen=True):
    """What holds for the whole queue.

    Attributes:
        at_once: how many runs are trained at once, by all workers together.
        paused: no further run is taken; those that run go on.
    """

    at_once: int = 1
    paused: bool = False


class Database:
    """The tables inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def settings(self) -> QueueSettings:
        """What holds for the whole queue."""
        stored = dict(self.execute("SELECT name, value FROM settings").fetchall())
        at_once, paused = stored.get("at_once", 1), stored.get("paused", 0)
        valid = isinstance(at_once, int) and 1 <= at_once <= MOST_AT_ONCE
        return QueueSettings(at_once if valid else 1, bool(paused))

    def set(self, name: str, value: int) -> None:
        """Store a setting of the whole queue."""
        self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def entries(self, which: str = "", *values: Any) -> list[Entry]:
        """The entries that an SQL clause selects."""
        rows = self.execute(f"SELECT id, {', '.join(_COLUMNS)} FROM entries {which}", values).fetchall()
        found = []
        for row in rows:
            given = dict(zip(("id", *_COLUMNS), row, strict=True))
            given["reason"] = msgspec.json.decode(str(given["reason"]))
            found.append(msgspec.convert(given, Entry))
        return found

    def count(self, which: str = "") -> int:
        """How many entries an SQL clause selects."""
        (count,) = self.execute(f"SELECT COUNT(*) FROM entries {which}").fetchone()
        return int(count)

    def insert(self, entry: Entry) -> None:
        """Add an entry; it gets a number of its own."""
        values = [_stored(name, getattr(entry, name)) for name in _COLUMNS]
        marks = ", ".join("?" * len(_COLUMNS))
        self.execute(f"INSERT INTO entries ({', '.join(_COLUMNS)}) VALUES ({marks})", values)

    def update(self, id: int, **changes: Any) -> None:
        """Change attributes of an entry."""
        names = ", ".join(f"{_COLUMNS[_COLUMNS.index(name)]} = ?" for name in changes)
        values = [_stored(name, value) for name, value in changes.items()]
        self.execute(f"UPDATE entries SET {names} WHERE id = ?", (*values, id))

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Carry out one SQL statement. Raises sqlite3.Error."""
        return self._connection.execute(statement, values)


class QueueFile:
    """The file, which is opened anew for each transaction."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / FILE

    @property
    def there(self) -> bool:
        """Whether there is a queue. Raises ConfigError if that cannot be seen."""
        try:
            return own_folder(self._folder) and exists(self._path)
        except OSError as error:
            raise ConfigError("queue.not_read", path=self._path, problem=error.strerror) from None

    @contextlib.contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Database]:
        """One transaction; what raises inside undoes it. Raises ConfigError if the file cannot be used."""
        connection = None
        try:
            if write:
                self._folder.mkdir(parents=True, exist_ok=True)
            if own_folder(self._folder) and self._path.is_symlink():
                raise ConfigError("file.is_link", path=self._path)
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            if write:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
            yield Database(connection)
            connection.execute("COMMIT")
        except (OSError, sqlite3.OperationalError) as error:
            problem = error.strerror if isinstance(error, OSError) else str(error)
            if write:
                raise ConfigError("queue.not_written", path=self._path, problem=problem) from None
            raise ConfigError("queue.not_read", path=self._path, problem=problem) from None
        except (sqlite3.Error, msgspec.MsgspecError):
            raise ConfigError("queue.damaged", path=self._path) from None
        finally:
            if connection is not None:
                connection.close()  # what was not committed is undone


def _stored(name: str, value: Any) -> Any:
    return msgspec.json.encode(value).decode() if name == "reason" else value
