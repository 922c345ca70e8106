"""The folder of runs: their summaries, the return curves that are compared, and the trash.

Everything is read in one background thread. The overlays of the Return plot are kept here too, so that they stay
when another run is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.background.worker import Worker
from dqngui.lab.library.compared import Compared
from dqngui.lab.library.deleted_runs import DeletedRuns
from dqngui.lab.library.run_curves import RunCurves
from dqngui.lab.library.run_overlay import RunOverlay, name_for
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.listing.listed_run import ListedRun, prepare
from dqngui.listing.reader import Listing, ListReader
from dqngui.listing.return_log import Experiments
from dqngui.listing.run_names import RunName, folder_name
from dqngui.runs.folder import RunSummary
from dqngui.runs.labels import change_labels
from dqngui.texts import Text, reason_of, say

REFRESH_MS = 3000
FIRST_PART, A_PART = 300, 2_000  # files of settings that are read before the list is shown with what is known


class Library(QObject):
    """Reads the runs' folder: lists the runs, gives their curves, keeps the overlays, deletes and restores runs.

    Attributes:
        runs: the folder of runs; None if runs are not stored.
        listing: the list of runs as it was read last; after `read_settings` with the settings of all runs.
        loaded: whether the folder was read at least once.
        deleted: the runs that this window moved to the trash.
        overlays: the overlays, in the order in which they were added.
        compared: the runs that are compared.
        selected: folders of the runs that are selected in the list, from top to bottom; any card may act on them.

    Signals:
        changed: the list of runs changed.
        overlays_changed: an overlay was added or removed, or new data of a requested curve came.
        selected_changed: other runs are selected.
        message(Text): a sentence that tells the user why an action failed.
    """

    changed = Signal()
    selected_changed = Signal()
    overlays_changed = Signal()
    message = Signal(object)

    def __init__(self, session: Session, timing: Timing | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        timing = timing or Timing()
        self._wall_clock = timing.wall_clock
        self._session = session
        self.runs = session.runs and Path(session.runs).absolute()
        self.listing = Listing()
        self.loaded = False
        self.deleted = DeletedRuns()
        self.overlays: list[RunOverlay] = []
        self.selected: tuple[Path, ...] = ()
        self._experiments = Experiments()  # used only by the background thread
        self._watched = False
        self._worker = Worker("library", self)
        self.compared = Compared(timing, self)
        self._curves = RunCurves(self._worker, self.overlays_changed.emit, self.message.emit)
        self._reader = ListReader(self.runs) if self.runs else None
        self._is_reading = self._read_again = self._reads_settings = False
        self._state = (session.state, session.run.folder)
        self._task = session.run.experiment.env.id
        self._timer = TickTimer(REFRESH_MS, timing, parent=self)
        self._timer.ticked.connect(self.tick)
        session.changed.connect(self._on_session)

    # -- start and stop ----------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Read the folder now and at intervals; empty a trash that was not used for a day."""
        self._worker.submit(partial(self.deleted.empty_old, self.runs, self._wall_clock()), lambda _: None)
        self.refresh()
        self._timer.start()

    def stop(self) -> None:
        """Stop reading, and delete this window's trash for good. The thread has ended when `alive` is False."""
        self._timer.stop()
        self.compared.stop()
        self._worker.stop(self.deleted.empty if self.deleted else None)

    @property
    def alive(self) -> bool:
        return self._worker.alive or self.compared.alive

    def join(self) -> None:
        """Wait until the thread has ended; call `stop` first."""
        self._worker.join()
        self.compared.join()

    def set_watched(self, watched: bool) -> None:
        """Set whether the list of runs is visible; only then the folder is read at intervals."""
        self._watched = watched

    @Slot()
    def tick(self) -> None:
        """Read what may have changed: the folder, if the list of runs is visible, and the curves of the overlays."""
        if self._watched:
            self.refresh()
        for folder in {folder for overlay in self.overlays for folder in overlay.folders}:
            self._curves.read(folder)

    @Slot()
    def _on_session(self) -> None:
        state = self._session.state, self._session.run.folder
        if state != self._state:
            self._state = state
            self.refresh()
        task = self._session.run.experiment.env.id
        if task != self._task:
            self._task = task
            # Their returns would squash the open run's curve.
            for overlay in [each for each in self.overlays if self._other_task(each.folders[0])]:
                self.remove(overlay)

    def _other_task(self, folder: str | Path) -> str:
        """The environment of a run if the window shows another one, else ""."""
        summary = self.summary_of(folder)
        return summary.env if summary is not None and summary.env != self._session.run.experiment.env.id else ""

    # -- the list ----------------------------------------------------------------------------------

    @property
    def summaries(self) -> list[RunSummary]:
        """Summaries of all runs, the newest first."""
        return [run.summary for run in self.listing.runs]

    @Slot()
    def refresh(self) -> None:
        """Read the folder again; emits `changed` if anything is new."""
        self._read_again = True  # a reading in progress may have missed the newest change
        if self._reader is not None and not self._is_reading:
            self._is_reading, self._read_again = True, False
            self._worker.submit(partial(self._read, self._reader), self._take, self._not_read)

    def read_settings(self) -> None:
        """Read the settings of all runs too, now and from now on."""
        if not self._reads_settings:
            self._reads_settings = True
            self.refresh()

    def _read(self, reader: ListReader) -> Listing:
        listing = reader.read(
            lambda: self._worker.running, settings=self._reads_settings, most=A_PART if self.loaded else FIRST_PART
        )
        if listing.complete:
            reader.keep()
        if self._reads_settings:
            prepare(listing.runs, lambda: self._worker.running)
        return listing

    def _not_read(self, error: BaseException) -> None:
        """Show why the runs could not be read; the next reading tries again."""
        self._is_reading = False
        self.take(replace(self.listing, problem=say("library.not_read", problem=_named(error))))

    def _take(self, listing: Listing) -> None:
        self._is_reading = False
        if self._read_again or (not listing.complete and self._worker.running):
            self.refresh()
        self.take(listing)

    def take(self, listing: Listing) -> None:
        """Show another list of runs; emits `changed` if it differs from the present one."""
        if self.loaded and listing == self.listing:
            return
        self.listing, self.loaded = listing, True
        self.changed.emit()
        self._name_overlays()

    def run_of(self, folder: str | Path) -> ListedRun | None:
        """A run of the list; None if the list has no such run."""
        return self.listing.by_folder.get(str(folder))

    def parts_of_name(self, folder: str | Path) -> RunName:
        """The name of the run in the window, in parts (see `names`)."""
        run = self.run_of(folder)
        return RunName(folder_name(folder)) if run is None else run.name

    def name_of(self, folder: str | Path) -> str:
        """The name of the run in the window: the same in the list, in legends and in exported files."""
        return str(self.parts_of_name(folder))

    def summary_of(self, folder: str | Path) -> RunSummary | None:
        run = self.run_of(folder)
        return None if run is None else run.summary

    def task_of(self, folder: str | Path) -> str:
        """The environment of a run; empty if its summary is not known."""
        summary = self.summary_of(folder)
        return summary.env if summary is not None else ""

    def is_open(self, folder: str | Path) -> bool:
        """Whether the window shows this run."""
        return self._session.run.folder is not None and self._session.run.folder.absolute() == Path(folder)

    @property
    def open_folder(self) -> str:
        """The folder of the run that the window shows; empty if it shows none."""
        folder = self._session.run.folder
        return "" if folder is None else str(folder.absolute())

    def select(self, folders: Sequence[Path]) -> None:
        """Select runs, for the actions of all cards; see `selected`."""
        if tuple(folders) != self.selected:
            self.selected = tuple(folders)
            self.selected_changed.emit()

    # -- curves ------------------------------------------------------------------------------------

    @property
    def requested_curves(self) -> list[Path]:
        """The runs whose curves were requested and are kept in memory."""
        return self._curves.requested

    def curve(self, folder: Path) -> History | None:
        """Episodes, evaluations and forks of a run. None until they are read; the first call starts the reading."""
        return self._curves.of(folder, {each for overlay in self.overlays for each in overlay.folders})

    # -- overlays ----------------------------------------------------------------------------------

    def overlay_of(self, folder: str | Path, *, seeds: bool = False) -> RunOverlay | None:
        """The overlay of this run alone, or with `seeds` the mean that it belongs to."""
        path = Path(folder)
        return next((each for each in self.overlays if each.seeds == seeds and path in each.folders), None)

    def overlay(self, folder: str | Path) -> None:
        """Add an overlay of a run's returns, or remove it if it exists."""
        if (known := self.overlay_of(folder)) is not None:
            self.remove(known)
        elif self._session.state is not State.READY and (other := self._other_task(folder)):
            self.message.emit(say("library.other_task", name=self.name_of(folder), task=other, shown=self._task))
        else:
            self._add((Path(folder),), seeds=False)

    def overlay_seeds(self, folder: str | Path) -> None:
        """Add the mean of all runs that differ from this one only in their seed; `message` reports if there is none."""
        summary = self.summary_of(folder)
        if summary is None or self.overlay_of(folder, seeds=True) is not None:
            return
        alike = [each.folder for each in self.summaries if _same_summary(each, summary)]
        self._worker.submit(
            partial(self._experiments.alike, summary.folder, alike), partial(self._overlay_seeds, summary)
        )

    def _overlay_seeds(self, summary: RunSummary, folders: list[str]) -> None:
        if len(folders) < 2:
            self.message.emit(say("library.no_other_seed", name=self.name_of(summary.folder)))
        elif self.overlay_of(summary.folder, seeds=True) is None:
            self.overlay_mean([Path(folder) for folder in reversed(folders)])

    def overlay_mean(self, folders: Sequence[Path], name: str = "") -> None:
        """Add the mean of these runs, with its 95 % interval, as an overlay; without a name it gets what their names
        have in common.
        """
        self._add(tuple(folders), name, seeds=True)

    def _add(self, folders: tuple[Path, ...], name: str = "", *, seeds: bool) -> None:
        used_slots = {overlay.slot for overlay in self.overlays}
        slot = next(slot for slot in range(len(used_slots) + 1) if slot not in used_slots)
        overlay = RunOverlay(folders, RunName(name), slot, seeds, named=bool(name))
        if not name:
            overlay.parts = name_for(overlay, self.parts_of_name)
        self.overlays.append(overlay)
        self.overlays_changed.emit()

    def _name_overlays(self) -> None:
        """Give the overlays the present names of their runs: a new run can make a name longer."""
        before = [overlay.parts for overlay in self.overlays]
        for overlay in self.overlays:
            overlay.parts = overlay.parts if overlay.named else name_for(overlay, self.parts_of_name)
        if before != [overlay.parts for overlay in self.overlays]:
            self.overlays_changed.emit()

    def remove(self, overlay: RunOverlay) -> None:
        """Remove an overlay."""
        self.overlays.remove(overlay)
        self.overlays_changed.emit()

    def remove_all(self) -> None:
        self.overlays.clear()
        self.overlays_changed.emit()

    # -- labels and deleting -----------------------------------------------------------------------

    def label(self, folders: Sequence[str | Path], **changes: Any) -> None:
        """Change the labels of runs (as `changed_labels` says); `message` gives the reason if that fails."""
        if folders:
            self._worker.submit(partial(change_labels, [Path(each) for each in folders], **changes), self._labelled)

    def _labelled(self, problem: Text | None) -> None:
        if problem is not None:
            self.message.emit(problem)
        self.refresh()

    def discard(self, folders: Sequence[str | Path]) -> int:
        """Move runs to the trash and return how many were moved; `message` gives the reason if one was not."""
        closed = [Path(folder) for folder in folders if not self.is_open(folder)]
        for folder in folders:
            if self.is_open(folder):
                self.message.emit(say("library.open_here", name=self.name_of(folder)))
        moved, problems = self.deleted.discard(closed)
        for folder, problem in problems.items():
            self.message.emit(say("library.not_deleted", name=self.name_of(folder), problem=problem))
        for folder in moved:
            for overlay in [each for each in self.overlays if folder in each.folders]:
                overlay.folders = tuple(each for each in overlay.folders if each != folder)
                if len(overlay.folders) < 1 + overlay.seeds:
                    self.overlays.remove(overlay)
                self.overlays_changed.emit()
        if moved:
            self.refresh()
        return len(moved)

    @property
    def can_undo(self) -> bool:
        """Whether a deletion can be undone."""
        return bool(self.deleted)

    def undo(self) -> None:
        """Undo the last deletion."""
        for problem in self.deleted.restore_last():
            self.message.emit(say("library.not_restored", problem=problem))
        self.refresh()


def _named(error: BaseException) -> str:
    """An error with its kind."""
    return f"{type(error).__name__}: {reason_of(error)}"


def _same_summary(a: RunSummary, b: RunSummary) -> bool:
    return (a.env, a.attention, a.memory, a.total_steps) == (b.env, b.attention, b.memory, b.total_steps)
