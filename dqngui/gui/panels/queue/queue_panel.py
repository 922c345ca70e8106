"""The Queue panel: the runs that wait to be trained, to order, pause, cancel and try again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.panels.queue.queue_notes import QueueNotes
from dqngui.gui.panels.queue.queue_table import QueueModel
from dqngui.gui.panels.queue.queue_view import QueueTable
from dqngui.gui.panels.queue.results_dialog import ResultsDialog
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.number_box import WholeNumberBox
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.queue.rows import QueueRow
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.sweeps.entry import ENDED
from dqngui.sweeps.queue_file import MOST_AT_ONCE
from dqngui.texts import say, sentence, words
from dqngui.texts.numbers import duration

THREADS = (1, 2, 4, 8)
_AGAIN = frozenset({"paused", "pruned", "cancelled"})


class QueuePanel(Panel):
    """A table of the queue: its order is dragged, and its runs are paused, cancelled, tried again and opened.

    Attributes:
        at_once: how many runs are trained at once.
        pause: pauses the whole queue, and lets it go on.
        notes: sentences below the table.
    """

    title = "Queue"
    promise = (
        "Runs that are trained one after the other, or several at once, are listed here. Queue, beside Start, adds "
        "the experiment with one seed or several. They are trained even when this window is closed."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = QueueModel(parent=self)
        self.table = QueueTable(self.model)
        self.at_once = WholeNumberBox()
        self.at_once.setRange(1, MOST_AT_ONCE)
        self.at_once.setKeyboardTracking(False)
        self.at_once.setFixedSize(50, 24)
        self.at_once.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.at_once.setAccessibleName("Runs at once")
        self.at_once.setToolTip(
            "How many runs are trained at once. More share the processor's\ncores, and each gets slower."
        )
        self.at_once.valueChanged.connect(self._on_at_once)
        self.pause = QToolButton()
        self.pause.setIconSize(QSize(16, 16))
        self.pause.setCheckable(True)
        self.pause.clicked.connect(self._on_pause)
        at_once = plain_label("at once")
        themes.set_role(at_once, "muted")
        self.header_widgets = [self.at_once, at_once, self.pause]
        self.notes = QueueNotes(self._train_now)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(1, 0, 1, 4)
        column.addWidget(self.table)
        self.add_below(self.notes)
        self.model.dropped.connect(self._on_dropped)
        self._make_actions()

    def _make_actions(self) -> None:
        add = self._action
        self._open = add("Open", "folder-open-outline", self.open, "Return", "Open the run")
        self._pause = add("Pause", "pause", partial(self._do, "pause"), "", "Save the run; it waits for Resume")
        self._resume = add("Resume", "play", partial(self._do, "resume"), "", "Let the run wait for its turn again")
        self._retry = add("Try again", "restart", partial(self._do, "resume"), "", "Go on from the last save")
        self._cancel = add("Cancel", "stop", partial(self._do, "cancel"), "", "Save the run, and train it no further")
        self._top = add("Move to top", "arrow-collapse-up", self.to_top, "Ctrl+Home", "Train it next")
        self._up = add("Move up", "arrow-up", partial(self.shift, -1), "Ctrl+Up", "Train it earlier")
        self._down = add("Move down", "arrow-down", partial(self.shift, 1), "Ctrl+Down", "Train it later")
        self._remove = add(
            "Remove", "playlist-remove", self.remove, "Del", "Take it off the queue; what it trained stays"
        )
        self._results = add("Results of the sweep…", "table-large", self.show_results, "", "Its trials, the best first")
        self._whole = add("Select the whole sweep", "select-all", self.select_sweep, "", "All runs of its sweep")
        self._clear = add("Remove all that have ended", "broom", self.clear_ended, "", "Runs stay in their folders")
        self._open.setShortcuts([QKeySequence("Return"), QKeySequence("Enter")])

    def _action(self, text: str, icon: str, do: Callable[[], Any], keys: str, tip: str) -> QAction:
        action = self.add_menu_action(text, icon, do)
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.setToolTip(f"{tip} ({keys})" if keys else tip)
        self.table.addAction(action)
        return action

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        self.model.set_library(sources.library)
        self.table.doubleClicked.connect(self._on_double_click)
        self.table.customContextMenuRequested.connect(self._on_context_menu)
        self.table.selectionModel().selectionChanged.connect(self._enable)
        queue = self.queue
        if queue is not None:
            queue.changed.connect(self._on_queue)
            queue.added.connect(lambda text: self.notes.tell(sentence(text)))
            queue.told.connect(lambda text: self.notes.tell(sentence(text), bad=True))
            queue.set_watched(self.in_sight)
            sources.library.changed.connect(self.model.name_again)
        self._on_queue()

    @property
    def queue(self) -> RunQueue | None:
        """The queue of the window; None without a window."""
        return self.sources.queue if self.sources is not None else None

    def set_in_sight(self, in_sight: bool) -> None:
        super().set_in_sight(in_sight)
        if self.queue is not None:
            self.queue.set_watched(in_sight)

    # -- drawing -----------------------------------------------------------------------------------

    def has_content(self) -> bool:
        return bool(self.model.rows)

    def why_empty(self) -> str:
        if self.queue is not None and not self.queue.available:
            return sentence(say("queue.no_folder"))
        return sentence(self.queue.problem) if self.queue is not None and self.queue.problem else self.promise

    @Slot()
    def _on_queue(self) -> None:
        queue = self.queue
        if queue is None or self.table.dragging:
            return
        self.model.update([] if queue.problem else queue.rows)
        self.table.fit()
        if queue.view is not None:
            settings = queue.view.overview.settings
            self.at_once.blockSignals(True)
            if not self.at_once.hasFocus():
                self.at_once.setValue(settings.at_once)
            self.at_once.blockSignals(False)
            self._show_pause(settings.paused)
        if self.card is not None:
            self.card.set_note(self._time_left())
        self._enable()
        self.again()

    def _show_pause(self, paused: bool) -> None:
        self.pause.setChecked(paused)
        self.pause.setIcon(themes.icon("play" if paused else "pause", "warn" if paused else "muted"))
        tip = (
            "Go on: let further runs be trained"
            if paused
            else "Pause the queue: runs that train go on, no further begins"
        )
        self.pause.setToolTip(tip)
        self.pause.setAccessibleName("Go on with the queue" if paused else "Pause the queue")

    def _time_left(self) -> str:
        """How long all of it takes, in short."""
        view = self.queue.view if self.queue is not None else None
        if view is None or not view.overview.waits:
            return ""
        overview = view.overview
        if overview.settings.paused and not any(row.entry.state == "running" for row in view.rows):
            return "paused"
        left = "time not known yet" if overview.seconds_left is None else f"{duration(overview.seconds_left)} left"
        return f"paused · {left}" if overview.settings.paused else left

    def restyle(self, theme: Theme) -> None:
        self.notes.restyle(theme)
        self.model.restyle(theme)
        self.table.fit()
        self.table.viewport().update()
        self._show_pause(self.pause.isChecked())
        super().restyle(theme)

    # -- what is chosen ----------------------------------------------------------------------------

    def chosen(self) -> list[QueueRow]:
        """The selected entries, from top to bottom."""
        return [self.model.rows[row] for row in self.table.chosen()]

    def _ids(self, *states: str) -> list[int]:
        return [row.entry.id for row in self.chosen() if not states or row.entry.state in states]

    @Slot()
    def _enable(self) -> None:
        chosen = self.chosen()
        states = {row.entry.state for row in chosen}
        movable, sweeps = any(row.movable for row in chosen), {row.entry.sweep for row in chosen} - {""}
        for action, enabled in (
            (self._open, len(chosen) == 1),
            (self._pause, bool(states & {"waiting", "running"})),
            (self._resume, bool(states & _AGAIN)),
            (self._retry, "failed" in states),
            (self._cancel, bool(states & {"waiting", "paused", "running", "reached"})),
            (self._top, movable),
            (self._up, movable),
            (self._down, movable),
            (self._remove, bool(states - {"running"})),
            (self._results, len(sweeps) == 1),
            (self._whole, bool(sweeps)),
            (self._clear, any(row.entry.state in ENDED for row in self.model.rows)),
        ):
            action.setEnabled(enabled)
        queue = self.queue
        if queue is not None:
            waiting = sum(row.entry.state == "waiting" for row in self.model.rows)
            self.notes.show_waiting(waiting if queue.waits_for_worker else 0, paused=queue.paused)
        only = chosen[0] if len(chosen) == 1 else None
        if only is None:
            self.notes.show_reason("", "")
        else:
            self.notes.show_reason(words(only.entry.reason), self.model.name(only))
            QTimer.singleShot(0, self.table, self.table.show_current)  # the reason may take its room

    # -- actions -----------------------------------------------------------------------------------

    def _do(self, action: str) -> None:
        if self.queue is not None:
            getattr(self.queue, action)(self._ids())

    def _train_now(self) -> None:
        if self.queue is not None:
            self.queue.train_now()

    def open(self) -> None:
        """Open the run of the selected entry."""
        for row in self.chosen()[:1]:
            self._open_run(Path(row.folder))

    def _open_run(self, folder: Path) -> None:
        if self.sources is not None and not self.sources.library.is_open(folder):
            self.sources.session.open_stored(folder)

    def remove(self) -> None:
        """Remove the selected entries; one that is trained has to be cancelled first."""
        if self.queue is not None:
            ids = [row.entry.id for row in self.chosen() if row.entry.state != "running"]
            self.queue.remove(ids or self._ids())

    def clear_ended(self) -> None:
        """Remove all entries that have ended; their runs stay."""
        if self.queue is not None:
            self.queue.remove([row.entry.id for row in self.model.rows if row.entry.state in ENDED])

    def to_top(self) -> None:
        """Let the selected entries be trained next."""
        self._on_dropped([row.entry.id for row in self.chosen() if row.movable], 0)

    def shift(self, by: int) -> None:
        """Move the selected entries one place up (-1) or down (1)."""
        line = [row.entry.id for row in self.model.rows if row.movable]
        ids = [row.entry.id for row in self.chosen() if row.movable]
        if ids:
            at = line.index(ids[0]) - 1 if by < 0 else line.index(ids[-1]) + 2
            self._on_dropped(ids, max(0, min(at, len(line))))

    @Slot(object, int)
    def _on_dropped(self, ids: list[int], index: int) -> None:
        if self.queue is not None and ids:
            self.queue.move(ids, index)

    def select_sweep(self) -> None:
        """Select all entries of the sweeps of the selected ones."""
        self.table.choose({row.entry.sweep for row in self.chosen()} - {""})

    def show_results(self) -> ResultsDialog | None:
        """Show what the trials of the sweep have reached."""
        sweeps = {row.entry.sweep: row.sweep for row in self.chosen() if row.entry.sweep}
        if self.queue is None or len(sweeps) != 1:
            return None
        ((sweep, name),) = sweeps.items()
        dialog = ResultsDialog(self.queue, sweep, name, self)
        dialog.open()
        return dialog

    @Slot(int)
    def _on_at_once(self, count: int) -> None:
        if self.queue is not None:
            self.queue.set_at_once(count)

    @Slot(bool)
    def _on_pause(self, paused: bool) -> None:
        if self.queue is not None:
            self.queue.set_paused(paused)

    # -- events ------------------------------------------------------------------------------------

    def _on_double_click(self, index: QModelIndex) -> None:
        self._open_run(Path(self.model.rows[index.row()].folder))

    def _on_context_menu(self, at: QPoint) -> None:
        if self.table.indexAt(at).isValid():
            self.context_menu().popup(self.table.viewport().mapToGlobal(at))

    def context_menu(self) -> QMenu:
        """The menu for the selected entries."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addActions([action for action in self.menu_actions if action is not self._clear])
        menu.addSeparator()
        fresh = [row for row in self.chosen() if row.movable and not row.begun]
        threads, device = menu.addMenu("Threads"), menu.addMenu("Device")
        for count in THREADS:
            self._offer(threads, str(count), fresh, all(row.run.threads == count for row in fresh), threads=count)
        for name in self.queue.devices if self.queue is not None else ():
            self._offer(device, name, fresh, all(row.run.device == name for row in fresh), device=name)
        for each in (threads, device):
            each.setEnabled(bool(fresh))
            each.menuAction().setToolTip("Before a run begins")
        return menu

    def _offer(self, menu: QMenu, text: str, rows: list[QueueRow], chosen: bool, **change: Any) -> None:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(chosen)
        action.triggered.connect(lambda: self._set_training(rows, **change))

    def _set_training(self, rows: list[QueueRow], **change: Any) -> None:
        if self.queue is not None:
            self.queue.set_training([row.entry.id for row in rows], **change)
