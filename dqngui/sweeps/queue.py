"""The queue of a folder of runs: which runs are to be trained, in which order, and how many at once.

Each change is one transaction of an SQLite file (`queue_file`), so several windows, command lines and workers may use
it at once, and a process that is killed leaves nothing half done. It holds what no run's folder can tell; what a run
has reached is read from its folder.

A worker holds an operating-system lock on its folder in `.queue/workers/` for as long as it lives (`runs.lock`). An
entry that is running although its worker is gone waits again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from dqngui.bounded import exists, own_folder
from dqngui.config import ConfigError
from dqngui.runs.folder import EVENTS
from dqngui.runs.lock import Writer, writer_of
from dqngui.sweeps.entry import STATES, Entry
from dqngui.sweeps.queue_file import MOST_AT_ONCE, Database, QueueFile, QueueSettings
from dqngui.texts import Text

QUEUE, WORKERS = ".queue", "workers"
MOST_ENTRIES = 100_000


class Queue:
    """The queue of one folder of runs. Every method is one transaction; it raises ConfigError if the file is unusable.

    Reading creates nothing.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = Path(os.path.abspath(runs))
        self.folder = self.runs / QUEUE
        self._file = QueueFile(self.folder)

    # -- reading -----------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """All entries, in the order of their places."""
        return self._read("ORDER BY place, id")

    def entry(self, id: int) -> Entry:
        """The entry with this number. Raises ConfigError if there is none."""
        found = self._read("WHERE id = ?", id)
        if not found:
            raise ConfigError("queue.no_entry", entry=id)
        return found[0]

    def of_folder(self, folder: Path) -> Entry | None:
        """The entry of a run; None if it is not in the queue."""
        return next(iter(self._read("WHERE folder = ?", self.name_of(folder))), None)

    def _read(self, which: str, *values: Any) -> list[Entry]:
        if not self._file.there:
            return []
        with self._file.transaction(write=False) as database:
            return database.entries(which, *values)

    @property
    def settings(self) -> QueueSettings:
        """How many runs at once, and whether the queue is paused."""
        if not self._file.there:
            return QueueSettings()
        with self._file.transaction(write=False) as database:
            return database.settings

    def path_of(self, entry: Entry) -> Path:
        """The folder of an entry's run. Raises ConfigError if its name leads out of the folder of runs."""
        return self._inside(entry.folder)

    def name_of(self, folder: Path) -> str:
        """The name of a run or sweep in the queue: its path relative to the folder of runs. Raises ConfigError."""
        relative = os.path.relpath(os.path.abspath(folder), self.runs)
        name = PurePosixPath(*Path(relative).parts).as_posix()
        self._inside(name)
        return name

    def _inside(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        if (
            not parts
            or name.startswith("/")
            or any(part in ("..", ".") or "\\" in part or "\0" in part for part in parts)
        ):
            raise ConfigError("queue.outside", folder=name, runs=self.runs)
        return self.runs.joinpath(*parts)

    def workers(self) -> list[str]:
        """Names of the workers that live."""
        return sorted(name for name in self._worker_names() if self.lives(name))

    def lives(self, worker: str) -> bool:
        """Whether a worker lives; one on a file system without locks is taken to live while its folder is there."""
        return bool(worker) and writer_of(self.folder / WORKERS / worker) is not Writer.NOBODY

    def _worker_names(self) -> list[str]:
        with contextlib.suppress(OSError):
            return [each.name for each in (self.folder / WORKERS).iterdir()]
        return []

    # -- changing ----------------------------------------------------------------------------------

    def add(self, entries: Sequence[dict[str, Any]], *, first: bool = False) -> list[Entry]:
        """Add entries, each given by its `folder` (a path) and further attributes, behind the others or `first`.

        A run that is in the queue already keeps its entry: one that has ended waits again with what is given now; one
        that waits or runs stays as it is.
        """
        names = [self.name_of(Path(each["folder"])) for each in entries]
        with self._file.transaction() as database:
            count = database.count()
            if count + len(entries) > MOST_ENTRIES:
                raise ConfigError("queue.too_many", count=count + len(entries), most=MOST_ENTRIES)
            low, high = database.execute("SELECT MIN(place), MAX(place) FROM entries").fetchone()
            place = (low or 0.0) - len(entries) if first else (high or 0.0) + 1.0
            for name, given in zip(names, entries, strict=True):
                known = database.entries("WHERE folder = ?", name)
                if not known:
                    database.insert(Entry(id=0, **{**given, "folder": name, "place": place}))
                elif known[0].state not in ("waiting", "running"):
                    again = {**given, "folder": name, "state": "waiting", "wish": "", "reason": "", "place": place}
                    database.update(known[0].id, **again)
                place += 1.0
            found = {each.folder: each for each in database.entries()}
            return [found[name] for name in names]

    def change(self, id: int, only: Sequence[str] = STATES, **changes: Any) -> bool:
        """Change attributes of an entry whose state is one of `only`; False if it is in another one, or gone."""
        with self._file.transaction() as database:
            found = [each for each in database.entries("WHERE id = ?", id) if each.state in only]
            for each in found:
                database.update(each.id, **changes)
            return bool(found)

    def move(self, id: int, index: int) -> None:
        """Move an entry to a position among the waiting and paused ones, 0-based; one too large means the end."""
        self.entry(id)
        with self._file.transaction() as database:
            line = [each for each in database.entries("ORDER BY place, id") if each.state in ("waiting", "paused")]
            moved = next((each for each in line if each.id == id), None)
            if moved is None:
                raise ConfigError("queue.not_waiting", entry=id)
            line.remove(moved)
            line.insert(max(0, min(index, len(line))), moved)
            for place, each in zip(sorted(each.place for each in line), line, strict=True):
                database.update(each.id, place=place)

    def pause(self, id: int) -> None:
        """Pause an entry: one that waits is not taken, one that runs is saved and ended."""
        self._end(id, "pause", ("waiting",), "paused")

    def cancel(self, id: int) -> None:
        """Cancel an entry; one that runs is saved and ended."""
        self._end(id, "cancel", ("waiting", "paused", "reached"), "cancelled")

    def _end(self, id: int, wish: str, from_states: tuple[str, ...], to: str) -> None:
        entry = self.entry(id)
        if not (self.change(id, from_states, state=to) or self.change(id, ("running",), wish=wish)):
            raise ConfigError("queue.cannot", entry=id, action=wish, state=entry.state)

    def resume(self, id: int) -> None:
        """Let an entry that was paused, pruned, cancelled or failed wait for a worker again, where it was."""
        entry = self.entry(id)
        again: dict[str, Any] = {"state": "waiting", "reason": "", "wish": ""}
        if entry.state == "pruned":
            again["until"] = None
        if not self.change(id, ("paused", "pruned", "cancelled", "failed"), **again):
            if self.change(id, ("running",), wish=""):
                return
            raise ConfigError("queue.cannot", entry=id, action="resume", state=entry.state)

    def remove(self, id: int) -> None:
        """Remove an entry that does not run; the folder of a run that was made for the queue and never began too."""
        entry = self.entry(id)
        with self._file.transaction() as database:
            found = database.entries("WHERE id = ?", id)
            if found and found[0].state == "running":
                raise ConfigError("queue.running", entry=id)
            database.execute("DELETE FROM entries WHERE id = ?", (id,))
        folder = self.path_of(entry)
        with contextlib.suppress(OSError):
            if entry.kind != "resume" and own_folder(folder) and not exists(folder / EVENTS):
                shutil.rmtree(folder, ignore_errors=True)

    def set(self, *, at_once: int | None = None, paused: bool | None = None) -> None:
        """Change what holds for the whole queue."""
        if at_once is not None and not 1 <= at_once <= MOST_AT_ONCE:
            raise ConfigError("queue.at_once", given=at_once, most=MOST_AT_ONCE)
        values = {"at_once": at_once, "paused": None if paused is None else int(paused)}
        with self._file.transaction() as database:
            for name, value in values.items():
                if value is not None:
                    database.set(name, value)

    # -- for workers -------------------------------------------------------------------------------

    def take(self, worker: str, *, sweep: str | None = None) -> Entry | None:
        """The next entry, which this worker trains from now on; None if there is none now, or enough are running.

        Args:
            sweep: takes entries of this sweep alone.

        Entries of workers that are gone wait again first. A run that somebody else writes is passed over.
        """
        with self._file.transaction() as database:
            self._release_lost(database)
            settings = database.settings
            running = database.count("WHERE state = 'running'")
            if settings.paused or running >= settings.at_once:
                return None
            for entry in database.entries("WHERE state = 'waiting' ORDER BY place, id"):
                if sweep is not None and entry.sweep != sweep:
                    continue
                if writer_of(self.path_of(entry)) in (Writer.ELSEWHERE, Writer.HERE):
                    continue
                taken = {"state": "running", "worker": worker, "tries": entry.tries + 1, "wish": "", "reason": ""}
                database.update(entry.id, **taken)
                return msgspec.structs.replace(entry, **taken)
        return None

    def release(self, id: int, worker: str, state: str, reason: Text | str = "", **changes: Any) -> None:
        """Note that a worker has ended its work on an entry, which is its own still."""
        with self._file.transaction() as database:
            if any(each.worker == worker and each.state == "running" for each in database.entries("WHERE id = ?", id)):
                database.update(id, state=state, reason=reason, wish="", **changes)

    def release_lost(self) -> None:
        """Let the entries of workers that are gone wait again."""
        if self._file.there:
            with self._file.transaction() as database:
                self._release_lost(database)

    def _release_lost(self, database: Database) -> None:
        for entry in database.entries("WHERE state = 'running'"):
            if not self.lives(entry.worker):
                wished = {"pause": "paused", "cancel": "cancelled"}.get(entry.wish, "waiting")
                database.update(entry.id, state=wished, wish="")
