"""Workers that train nothing: a test says when one lives, how it ends, and which entries it has taken."""

from __future__ import annotations

from pathlib import Path

from dqngui.runs.lock import WriterLock, take_lock
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.queue import WORKERS, Queue
from dqngui.texts import Text


class ScriptedWorkers:
    """Starts workers.

    Attributes:
        started: every worker, in order.
        refuses: the next ones cannot be started.
    """

    def __init__(self) -> None:
        self.started: list[ScriptedWorker] = []
        self.refuses: OSError | None = None

    def __call__(self, runs: Path) -> ScriptedWorker:
        if self.refuses is not None:
            raise self.refuses
        self.started.append(ScriptedWorker(runs, f"scripted-{id(self)}-{len(self.started)}"))
        return self.started[-1]


class ScriptedWorker:
    """A worker that lives, as others see by its lock, until `die` or until it is asked to end.

    Attributes:
        ended: it was asked to end; left: the window let it go on.
    """

    def __init__(self, runs: Path, name: str) -> None:
        self.queue, self.name = Queue(runs), name
        self.alive, self.ended, self.left = True, False, False
        self.problem: Text | str = ""
        folder = self.queue.folder / WORKERS / name
        folder.mkdir(parents=True)
        self._lock: WriterLock = take_lock(folder)

    def take(self) -> Entry:
        """Train the next entry."""
        entry = self.queue.take(self.name)
        assert entry is not None
        return entry

    def die(self, problem: Text | str = "") -> None:
        self.alive, self.problem = False, problem
        self._lock.release()

    def end(self) -> None:
        self.ended = True

    def leave(self) -> None:
        self.left = True
