"""The queue of the folder of runs in the window: it is read and changed in a background thread, and gets its worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from dqngui.config import ConfigError, Experiment
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.background.worker import Worker
from dqngui.lab.queue.rows import QueueReader, QueueRow, QueueView
from dqngui.lab.queue.worker_process import StartedWorker, StartWorker, WorkerProcess
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action
from dqngui.sweeps.adding import add_fork, add_new, add_resumed, set_training, with_seeds
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.results import SweepResults, read_results
from dqngui.sweeps.seeds import seeds_of
from dqngui.sweeps.sweep import Sweeps
from dqngui.sweeps.sweep_file import Sweep
from dqngui.sweeps.sweep_folder import SweepFolder
from dqngui.texts import Text, reason_of, say

TICK_MS = 1000
SELDOM = 5
"""While nobody looks and nothing is trained, the queue is read at every so many ticks only."""


class RunQueue(QObject):
    """The queue as the window shows and changes it.

    A worker is started when a person asks for training and none lives: by adding, by resuming, or by `train_now`. It
    is a process of its own; what it does is read from the queue. There is at most one of this window.

    Attributes:
        runs: the folder of runs; None if runs are not stored, so that there is no queue.
        view: the queue as it was read last; None before that.
        problem: why the queue cannot be read; empty if it can.
        devices: names of what a run may be trained on.

    Signals:
        changed: `view`, `problem` or what is known of the worker changed.
        added(Text): entries were added, in a sentence.
        told(Text): a sentence about the worker.
    """

    changed = Signal()
    added = Signal(object)
    told = Signal(object)

    def __init__(
        self,
        session: Session,
        *,
        start_worker: StartWorker = StartedWorker,
        timing: Timing | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.runs = session.runs and Path(session.runs).absolute()
        self.view: QueueView | None = None
        self.problem: Text | str = ""
        self.devices = ["auto", "cpu"]
        self._session, self._start_worker = session, start_worker
        self._queue = Queue(self.runs) if self.runs is not None else None
        self._reader = QueueReader(self._queue) if self._queue is not None else None
        self._process: WorkerProcess | None = None
        self._wanted = False  # a person wants the waiting runs to be trained
        self._ending = False  # the worker was asked to end
        self._watched = False
        self._reading = self._again = False
        self._ticks = 0
        self._asked: Callable[[], None] | None = None  # what waits until the task of the draft was tried
        self._thread = Worker("queue", self)
        self._timer = TickTimer(TICK_MS, timing or Timing(), parent=self)
        self._timer.ticked.connect(self.tick)
        session.queue_asked.connect(self._on_asked)

    # -- start and stop ----------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Read the queue now and at intervals."""
        if self._queue is not None:
            self.refresh()
            self._timer.start()

    def stop(self) -> None:
        """Stop reading. The worker goes on if there is work; after `end_worker`, `alive` waits for its end."""
        self._timer.stop()
        self._thread.stop()
        if self._process is not None and not self._ending:
            if self.view is not None and not self.trains:  # a paused queue would keep it for nothing
                self._process.end()
            self._process.leave()
            self._process = None

    @property
    def alive(self) -> bool:
        """Whether the thread works still, or a worker that was asked to end saves its runs."""
        return self._thread.alive or (self._ending and self.has_worker)

    def join(self) -> None:
        """Wait until the thread has ended; call `stop` first."""
        self._thread.join()

    @Slot(object)
    def set_devices(self, devices: Sequence[tuple[str, str]]) -> None:
        """Offer the devices that torch found: (name, description)."""
        self.devices = ["auto", *(name for name, _ in devices)]

    def set_watched(self, watched: bool) -> None:
        """Set whether the queue is visible; only then, and while a worker lives, it is read each second."""
        self._watched = watched
        if watched and self._timer.active:
            self.refresh()

    @Slot()
    def tick(self) -> None:
        """Read the queue, if it is time; look after the worker of this window."""
        self._ticks += 1
        busy = self._watched or self._wanted or self.has_worker or bool(self.view and self.view.overview.workers)
        if busy or self._ticks % SELDOM == 0:
            self.refresh()

    # -- reading -----------------------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether there can be a queue: runs are stored."""
        return self._queue is not None

    @property
    def rows(self) -> list[QueueRow]:
        """The entries in the order in which they are shown; empty before they were read."""
        return self.view.rows if self.view is not None else []

    @property
    def paused(self) -> bool:
        """Whether no further run is taken."""
        return self.view is not None and self.view.overview.settings.paused

    @Slot()
    def refresh(self) -> None:
        """Read the queue again; emits `changed`."""
        self._again = True  # a reading in progress may have missed the newest change
        if self._reader is not None and not self._reading and self._thread.running:
            self._reading, self._again = True, False
            self._thread.submit(self._reader.read, self._take_view, self._not_read)

    def _take_view(self, view: QueueView) -> None:
        self._reading = False
        changed, self.view, self.problem = view != self.view or bool(self.problem), view, ""
        before = self._wanted, self._process
        self._look_after_worker(view)
        if changed or before != (self._wanted, self._process):
            self.changed.emit()
        if self._again:
            self.refresh()

    def _not_read(self, error: BaseException) -> None:
        self._reading, self.problem = False, reason_of(error)
        self.changed.emit()

    def results(self, sweep: str, take: Callable[[SweepResults | Text | str], None]) -> None:
        """Read the results of a sweep, given by the name of its folder in the queue; `take` gets them, or why not."""
        if self._queue is not None:
            self._thread.submit(partial(_results, self._queue, sweep), take, lambda error: take(reason_of(error)))

    # -- the worker --------------------------------------------------------------------------------

    @property
    def has_worker(self) -> bool:
        """Whether a worker that this window started lives."""
        return self._process is not None and self._process.alive

    @property
    def trains(self) -> bool:
        """Whether a worker that this window started is training runs, or is about to."""
        if self.view is None or self._ending or not self.has_worker:
            return False
        states = {row.entry.state for row in self.view.rows}
        return "running" in states or ("waiting" in states and not self.paused)

    @property
    def waits_for_worker(self) -> bool:
        """Whether entries wait that nobody will train: no worker lives and none is about to."""
        view = self.view
        waits = view is not None and any(row.entry.state == "waiting" for row in view.rows)
        return bool(waits and view and not view.overview.workers) and not (self._wanted or self.has_worker)

    def train_now(self) -> None:
        """Let the waiting runs be trained: go on with a paused queue, and start a worker if none lives."""
        self._do(lambda queue: queue.set(paused=False), trains=True)

    def end_worker(self) -> None:
        """Ask the worker of this window to save its runs, which wait then, and to end."""
        if self._process is not None:
            self._ending, self._wanted = True, False
            self._process.end()

    def _look_after_worker(self, view: QueueView) -> None:
        """Say why the worker has ended, if it should not have; start one if entries wait for it."""
        if self._process is not None and not self._process.alive:
            ended, self._process = self._process, None
            problem = "" if self._ending else ended.problem
            if problem:
                self._wanted = False
                self.told.emit(say("queue.worker_gone", problem=problem))
        waits = any(row.entry.state == "waiting" for row in view.rows)
        overview = view.overview
        if not waits or overview.settings.paused:
            self._wanted = self._wanted and waits
        elif self._wanted and not (overview.workers or self._process or self._ending):
            self._begin_worker()

    def _begin_worker(self) -> None:
        assert self.runs is not None
        try:
            self._process = self._start_worker(self.runs)
        except (OSError, ConfigError) as error:
            self._wanted = False
            problem = error.strerror if isinstance(error, OSError) else error
            self.told.emit(say("queue.no_worker", problem=problem or reason_of(error)))

    # -- adding ------------------------------------------------------------------------------------

    def add_draft(self, seeds: Sequence[int], *, first: bool = False) -> None:
        """Add the experiment of the draft once for each seed, once its task was tried."""
        self._ask(lambda: self._add_experiments(with_seeds(self._session.draft.experiment, seeds), first))

    def add_fork(self) -> None:
        """Add a fork of the open run, from its last saved state, with the changes of the draft."""
        parent = self._session.run.folder
        if parent is not None:
            self._ask(lambda: self._add(1, partial(_fork, parent.absolute(), self._session.draft.experiment)))

    def add_resumed(self, folders: Iterable[Path]) -> None:
        """Add stored runs, which go on where they ended."""
        listed = list(folders)
        if listed:
            self._add(None, partial(_resume_all, listed))

    def add_sweep(self, sweep: Sweep) -> None:
        """Store a sweep of the draft's experiment, and add its first runs."""
        self._ask(lambda: self._add(None, partial(_start_sweep, sweep, self._session.draft.experiment)))

    def _add_experiments(self, experiments: list[Experiment], first: bool) -> None:
        self._add(len(experiments), lambda queue: add_new(queue, experiments, first=first))

    def _ask(self, then: Callable[[], None]) -> None:
        """Add something that needs the task of the draft to be known: the session tries it first."""
        if self._queue is None:
            self._session.show_message(say("queue.no_folder"))
            return
        self._asked = then
        self._session.do(Action.QUEUE)

    @Slot()
    def _on_asked(self) -> None:
        then, self._asked = self._asked, None
        if then is not None:
            then()

    def _add(self, count: int | None, work: Callable[[Queue], Any]) -> None:
        """Add entries in the background, and let them be trained; `count`: how many, if that is known before."""

        def say_so(done: Any) -> None:
            number = len(done) if isinstance(done, list) else count or 1
            paused = self.paused
            self.added.emit(say("queue.added_paused" if paused else "queue.added", count=number))

        self._do(work, say_so, trains=True)

    # -- changing ----------------------------------------------------------------------------------

    def pause(self, ids: Sequence[int]) -> None:
        """Pause entries: those that run are saved and ended."""
        self._each(ids, lambda queue, id: queue.pause(id))

    def resume(self, ids: Sequence[int]) -> None:
        """Let entries wait again that were paused, cancelled, pruned or failed."""
        self._each(ids, lambda queue, id: queue.resume(id), trains=True)

    def cancel(self, ids: Sequence[int]) -> None:
        """Cancel entries: those that run are saved and ended."""
        self._each(ids, lambda queue, id: queue.cancel(id))

    def remove(self, ids: Sequence[int]) -> None:
        """Remove entries that do not run from the queue."""
        self._each(ids, lambda queue, id: queue.remove(id))

    def move(self, ids: Sequence[int], index: int) -> None:
        """Move entries to a position among those that wait, 0-based, in the given order."""
        line = [row.entry.id for row in self.rows if row.movable]
        moved = [id for id in ids if id in line]
        index -= sum(line.index(id) < index for id in moved)  # counted without them

        def work(queue: Queue) -> None:
            for place, id in enumerate(moved):
                queue.move(id, index + place)

        self._do(work)

    def set_paused(self, paused: bool) -> None:
        """Pause the queue: no further run is taken; or go on."""
        self._do(lambda queue: queue.set(paused=paused), trains=not paused)

    def set_at_once(self, at_once: int) -> None:
        """Set how many runs are trained at once."""
        self._do(lambda queue: queue.set(at_once=at_once))

    def set_training(self, ids: Sequence[int], *, threads: int | None = None, device: str | None = None) -> None:
        """Set with how many threads, or on which device, entries are trained that have not begun."""
        names = {row.entry.id: row.entry.folder for row in self.rows}

        def change(queue: Queue, id: int) -> None:
            set_training(queue, id, threads=threads, device=device)
            if self._reader is not None and id in names:
                self._reader.overviews.forget(names[id])

        self._each(ids, change)

    def _each(self, ids: Sequence[int], change: Callable[[Queue, int], None], *, trains: bool = False) -> None:
        """Change several entries; what one of them refuses is an error only if all do."""

        def work(queue: Queue) -> None:
            refused: list[ConfigError] = []
            for id in ids:
                try:
                    change(queue, id)
                except ConfigError as error:
                    refused.append(error)
            if refused and len(refused) == len(ids):
                raise refused[0]

        if ids:
            self._do(work, trains=trains)

    def _do(
        self, work: Callable[[Queue], Any], then: Callable[[Any], None] | None = None, *, trains: bool = False
    ) -> None:
        """Change the queue in the background, then read it; an error becomes a message.

        Args:
            trains: what waits then shall be trained, so a worker is started if none lives.
        """
        if self._queue is None:
            self._session.show_message(say("queue.no_folder"))
            return

        def done(result: Any) -> None:
            self._wanted = self._wanted or trains
            if then is not None:
                then(result)
            self.refresh()

        def failed(error: BaseException) -> None:
            self._session.show_message(reason_of(error))
            self.refresh()

        self._thread.submit(partial(work, self._queue), done, failed)


def _resume_all(folders: Sequence[Path], queue: Queue) -> list[Entry]:
    """Queue the runs that can go on. Raises ConfigError if none can."""
    added: list[Entry] = []
    refused: list[ConfigError] = []
    for folder in folders:
        try:
            added.append(add_resumed(queue, folder))
        except ConfigError as error:
            refused.append(error)
    if refused and not added:
        raise refused[0]
    return added


def _fork(parent: Path, experiment: Experiment, queue: Queue) -> None:
    add_fork(queue, parent, experiment)


def _start_sweep(sweep: Sweep, base: Experiment, queue: Queue) -> list[str]:
    """Store a sweep and queue its first runs; gives the folders of these. Raises ConfigError."""
    stored = SweepFolder.create(queue.runs, sweep, base, seeds_of(sweep.seeds))
    name = queue.name_of(stored.folder)
    sweeps = Sweeps(queue, only=name)
    sweeps.advance()
    if name in sweeps.problems:
        raise ConfigError("queue.sweep_not_made", problem=sweeps.problems[name])
    return [entry.folder for entry in queue.entries() if entry.sweep == name]


def _results(queue: Queue, sweep: str) -> SweepResults:
    return read_results(SweepFolder.open(queue.runs / sweep), queue)
