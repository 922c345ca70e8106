"""The Runs panel: a table of the stored runs, to open, resume, label, compare, give away and delete them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QMenu, QVBoxLayout, QWidget

from dqngui.gui.cards.demo_offer import offer_demo
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.panels.runs.archives import Archives
from dqngui.gui.panels.runs.columns_menu import ColumnsMenu
from dqngui.gui.panels.runs.label_dialogs import LabelDialogs
from dqngui.gui.panels.runs.run_cells import RunColumn
from dqngui.gui.panels.runs.run_table import FOLDER, RunModel
from dqngui.gui.panels.runs.run_view import RunTable, zip_files
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.note import Note
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.library.library import Library
from dqngui.lab.session.rules import why_not
from dqngui.lab.session.states import Action, State
from dqngui.texts import say, sentence, words

TICK_MS = 30_000  # between updates of the column *changed*
AT_ONCE = 500  # runs that are filtered before all that a filter searches was read


class RunsPanel(Panel):
    """A table of all runs in the runs' folder. A stored run opens read-only, in the same panels as a live run."""

    title = "Runs"
    promise = "Each run that you train is stored in a folder and listed here. You can open, resume and compare them."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: RunModel | None = None
        self._opened: Path | None = None
        self._next: tuple[Path, Action] | None = None  # the action to do once the run is open
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.setToolTip(
            "Show runs with these words, numbers or dates, or by settings and\n"
            "figures: memory=gru|lstm best>400 lr<=0.001 tag:paper seed=3\n"
            "state:finished updated>2026-11-01 star=yes"
        )
        self.filter.setAccessibleName("Filter runs")
        self.filter.setMinimumWidth(70)
        self.filter.setMaximumWidth(260)
        themes.set_role(self.filter, "compact")
        self.table = RunTable()
        self.columns = ColumnsMenu(self.table, self)
        self.header_widgets = [self.filter, self.columns.button]
        self.nothing = plain_label(parent=self.table)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setWordWrap(True)
        self.nothing.hide()
        themes.set_role(self.nothing, "muted")
        over = QVBoxLayout(self.table)
        over.setContentsMargins(12, 28, 12, 4)
        over.addWidget(self.nothing)
        self.wrong = plain_label()
        self.wrong.setWordWrap(True)
        self.wrong.setContentsMargins(12, 2, 12, 2)
        self.wrong.hide()
        themes.set_role(self.wrong, "warn")
        self.note = Note(self._undo)
        self.labels = LabelDialogs(self)
        self.archives = Archives(self, self.note)
        self.background = self.archives.worker
        column = QVBoxLayout(self.content)
        column.setContentsMargins(1, 0, 1, 4)
        column.setSpacing(0)
        column.addWidget(self.wrong)
        column.addWidget(self.table)
        self.add_below(self.note)
        self._make_actions()
        self.table.installEventFilter(self)
        self.filter.installEventFilter(self)
        self.filter.textChanged.connect(self._on_filter)
        self.setAcceptDrops(True)

    def _make_actions(self) -> None:
        entry, chosen, labels = self._action, self._with_chosen, self.labels
        resume, fork = Action.RESUME_RUN, Action.FORK
        opened = entry("Open", "folder-open-outline", self.open, "Return", "Open the run read-only")
        opened.setShortcuts([QKeySequence("Return"), QKeySequence("Enter")])
        self._single = [
            opened,
            entry("Resume", "restart", lambda: self._open_then(resume), "", "Open the run and continue its training"),
            entry("Fork", "source-branch", lambda: self._open_then(fork), "", "Open the run and fork it"),
            entry("Rename…", "rename-outline", partial(chosen, labels.rename), "F2", "Give the run a title"),
        ]
        self._any = [
            entry("Star", "star-outline", partial(chosen, labels.star), "S", "Mark the runs, or take the marks away"),
            entry("Tags…", "tag-outline", partial(chosen, labels.tag), "T", "Give the runs tags, or take tags away"),
            entry("Note…", "note-text-outline", partial(chosen, labels.write_note), "N", "Write a note; tips show it"),
            entry("Overlay on the return plot", "chart-line-variant", self.overlay, "Space", "Show or hide it"),
            entry(
                "Overlay all seeds of this experiment", "chart-bell-curve", self.overlay_seeds, "",
                "The mean of the runs that differ only in their seed, with a 95 % interval",
            ),
            entry("Compare", "chart-bell-curve-cumulative", self.compare, "", "In groups, over their seeds"),
            entry("Resume in the queue", "playlist-plus", self.queue, "", "Train on in their turn (Queue card)"),
        ]  # fmt: skip
        self._clear = entry("Remove all overlays", "close", self._remove_overlays, "", "Draw the open run only")
        export = partial(chosen, self.archives.ask_export)
        self._any.append(entry("Export…", "zip-box-outline", export, "", "Write each run as a zip file"))
        entry("Import…", "import", self._import, "", "Take runs in from zip files, which may also be dropped here")
        self._single.append(
            entry("Open folder", "folder-outline", self.show_folder, "", "Open the run's folder in the file manager")
        )
        self._any.append(entry("Delete", "trash-can-outline", self.delete, "Del", "Move to the trash; can be undone"))

    def _action(self, text: str, icon: str, do: Callable[[], Any], keys: str, tip: str) -> QAction:
        action = self.add_menu_action(text, icon, do)
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.setShortcut(QKeySequence(keys))
        action.setToolTip(f"{tip} ({keys})" if keys else tip)
        self.table.addAction(action)
        return action

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        library = sources.library
        self.model = RunModel(library, self)
        self.table.begin(self.model)
        self.table.zip_dropped.connect(lambda files: self.archives.take_in(library, files))
        self.columns.begin(self.model, library, sources.settings)
        self.table.clicked.connect(self._on_click)
        self.table.doubleClicked.connect(self._on_double_click)
        self.table.customContextMenuRequested.connect(self._on_context_menu)
        self.table.selectionModel().selectionChanged.connect(self._on_chosen)
        library.changed.connect(self._on_library)
        library.overlays_changed.connect(self._on_marks)
        library.message.connect(lambda text: self.note.show_text(words(text)))
        library.set_watched(self.in_sight)
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._clock.start()
        sources.session.changed.connect(self._on_session)
        offer_demo(self, sources)
        self._on_library()

    def set_in_sight(self, in_sight: bool) -> None:
        super().set_in_sight(in_sight)
        if self._library is not None:
            self._library.set_watched(in_sight)

    # -- drawing -----------------------------------------------------------------------------------

    def has_content(self) -> bool:
        return self._library is not None and bool(self._library.listing.runs)

    @property
    def _library(self) -> Library | None:
        return self.sources.library if self.sources is not None else None

    @Slot()
    def _on_library(self) -> None:
        if self.model is not None:
            self.columns.resolve()
            self._apply_filter()
            self.model.update()
            self.table.fit()
            self.table.viewport().update()
        self._say_nothing_found()
        self._enable()
        self.again()

    @Slot()
    def _tick(self) -> None:
        """Update the times in the column *changed*."""
        if self.model is not None:
            self.model.tick()
            self.table.viewport().update()

    @Slot()
    def _on_marks(self) -> None:
        if self.model is not None:
            self.model.mark()
            self.table.viewport().update()  # the colour of an overlay may have changed
        self._enable()

    def why_empty(self) -> str:
        problem = self._library.listing.problem if self._library is not None else ""
        return sentence(problem) if problem else self.promise

    def restyle(self, theme: Theme) -> None:
        self.note.restyle(theme)
        self.columns.restyle()
        if self.model is not None:
            self.model.restyle(theme)
            self.table.fit()  # the size of the text may have changed
            self.table.viewport().update()
        super().restyle(theme)

    def _on_filter(self, text: str) -> None:
        if text and self._library is not None:
            self._library.read_settings()
        self._apply_filter()
        self._say_nothing_found()
        self._enable()

    def _apply_filter(self) -> None:
        """Filter now, or once all that a filter searches was read: of thousands of runs that takes a second."""
        library, text = self._library, self.filter.text()
        if self.model is None or library is None:
            return
        if not text or library.listing.searchable or len(library.listing.runs) <= AT_ONCE:
            self.model.set_filter(text)
        self.wrong.setText(sentence(self.model.problem) if self.model.problem else "")
        self.wrong.setVisible(bool(self.model.problem))

    def _say_nothing_found(self) -> None:
        """Say so if the filter leaves no run; an empty table looks like an empty folder."""
        self.nothing.setText(words(say("runs.no_match", text=self.filter.text().strip())))
        self.nothing.setVisible(self.has_content() and self.model is not None and not self.model.rowCount())

    @Slot()
    def _enable(self) -> None:
        chosen = self.chosen()
        for action in self._single:
            action.setEnabled(len(chosen) == 1)
        for action in self._any:
            action.setEnabled(bool(chosen))
        self._clear.setEnabled(self._library is not None and bool(self._library.overlays))

    # -- actions on the chosen runs ----------------------------------------------------------------

    def chosen(self) -> list[str]:
        """Folders of the selected runs, from top to bottom; the line of a group stands for its runs."""
        return self.table.chosen()

    @Slot()
    def _on_chosen(self) -> None:
        if self._library is not None:
            self._library.select([Path(folder) for folder in self.chosen()])
        self._enable()

    def open(self) -> None:
        """Open the chosen run read-only; fold or unfold the group whose line has the focus."""
        if self.table.fold(self.table.currentIndex().row()):
            return
        for folder in self.chosen()[:1]:
            self._open(Path(folder))

    def _open(self, folder: Path) -> bool:
        if self.sources is None:
            return False
        return self.sources.library.is_open(folder) or self.sources.session.open_stored(folder)

    def _open_then(self, action: Action) -> None:
        """Open the chosen run and do an action once its log is read."""
        for folder in self.chosen()[:1]:
            if self._open(Path(folder)):
                self._next = Path(folder), action
                self._on_session()

    @Slot()
    def _on_session(self) -> None:
        if self.sources is not None and self.sources.session.run.folder != self._opened:
            self._opened = self.sources.session.run.folder
            self._on_marks()
        if self._next is None or self.sources is None:
            return
        session, (folder, action) = self.sources.session, self._next
        if not self.sources.library.is_open(folder) or session.job.active or session.loading:
            self._next = None
        elif session.state is not State.STORED or session.log.share >= 1.0:
            self._next = None
            if action in session.allowed:
                session.do(action)
            else:
                self.note.show_text(words(why_not(action, session.state, session.fork_plan)))

    def overlay(self) -> None:
        """Draw the chosen runs over the open run; if all are drawn, remove them."""
        library, chosen = self._library, self.chosen()
        if library is None:
            return
        drawn = [folder for folder in chosen if library.overlay_of(folder) is not None]
        for folder in drawn if len(drawn) == len(chosen) else set(chosen) - set(drawn):
            library.overlay(folder)

    def overlay_seeds(self) -> None:
        """Draw the mean of all seeds of the chosen run's experiment."""
        for folder in self.chosen()[:1]:
            if self._library is not None:
                self._library.overlay_seeds(folder)

    def compare(self) -> None:
        """Show the chosen runs in the Compare card."""
        if self._library is not None:
            self._library.compared.ask(self.chosen())

    def queue(self) -> None:
        """Add the chosen runs to the queue, where they go on."""
        if self.sources is not None and self.sources.queue is not None:
            self.sources.queue.add_resumed(Path(folder) for folder in self.chosen())

    def _remove_overlays(self) -> None:
        if self._library is not None:
            self._library.remove_all()

    def _with_chosen(self, do: Callable[[Library, list[str]], None]) -> None:
        if self._library is not None:
            do(self._library, self.chosen())

    def _import(self) -> None:
        if self._library is not None:
            self.archives.ask_import(self._library)

    def show_folder(self) -> None:
        """Show the chosen run's folder in the file manager."""
        for folder in self.chosen()[:1]:
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def delete(self) -> None:
        """Move the chosen runs to the trash, and offer to undo it."""
        library, chosen = self._library, self.chosen()
        if library is None or not chosen:
            return
        name = library.name_of(chosen[0])
        if count := library.discard(chosen):
            if len(chosen) == 1:
                text = say("runs.deleted", name=name)
            elif count == len(chosen):
                text = say("runs.deleted_some", count=count)
            else:
                text = say("runs.deleted_but", count=count, kept=len(chosen) - count)
            self.note.show_text(words(text), undo=True)

    def _undo(self) -> None:
        if self._library is not None and self._library.can_undo:
            self.note.hide()
            self._library.undo()

    # -- events ------------------------------------------------------------------------------------

    def _on_click(self, index: QModelIndex) -> None:
        folder = str(index.data(FOLDER))
        if self._library is None or index.column() not in (RunColumn.SWATCH, RunColumn.STAR):
            return
        if not folder:
            self.table.fold(index.row())
        elif index.column() == RunColumn.SWATCH:
            self._library.overlay(folder)
        else:
            self.labels.star(self._library, [folder])

    def _on_double_click(self, index: QModelIndex) -> None:
        if not index.data(FOLDER):
            self.table.fold(index.row())
        elif index.column() not in (RunColumn.SWATCH, RunColumn.STAR):
            self._open(Path(str(index.data(FOLDER))))

    def _on_context_menu(self, at: QPoint) -> None:
        if self.table.indexAt(at).isValid():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.setToolTipsVisible(True)
            menu.addActions(self.menu_actions)
            menu.popup(self.table.viewport().mapToGlobal(at))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if zip_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take runs in also while the list is empty; else the table gets what is dropped."""
        if self._library is not None and (files := zip_files(event)):
            event.acceptProposedAction()
            self.archives.take_in(self._library, files)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and watched is self.table and event.matches(QKeySequence.StandardKey.Undo):
            # Ctrl+Z of the window undoes a knob change; with the focus here it undoes the deletion.
            if event.type() == QEvent.Type.ShortcutOverride and self._library is not None and self._library.can_undo:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._undo()
                return True
        if isinstance(event, QKeyEvent) and watched is self.filter and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape and self.filter.text():
                self.filter.clear()
                return True
            if event.key() == Qt.Key.Key_Down and self.table.model().rowCount():
                self.table.choose_first()
                return True
        return bool(super().eventFilter(watched, event))
