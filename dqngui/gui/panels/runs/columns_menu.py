"""The choice of columns and of the grouping of the table of runs, kept from one start to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QSettings, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCompleter, QInputDialog, QLineEdit, QMenu, QToolButton, QWidget

from dqngui.config import ConfigError
from dqngui.gui.panels.runs.run_cells import NAMES, RunColumn
from dqngui.gui.panels.runs.run_table import RunModel
from dqngui.gui.panels.runs.run_view import RunTable
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.gui.widgets.save_dialog import show_problem
from dqngui.lab.library.library import Library
from dqngui.listing.columns import Column, column_of, needs_settings, offered_columns
from dqngui.listing.vocabulary import vocabulary
from dqngui.texts import sentence

ADDED, WITHOUT, GROUP = "runs/columns", "runs/without", "runs/group"  # in the window's settings
GROUPS = ("folder", "task", "memory", "attention", "seed", "state", "tag", "star")
MOST_OFFERED = 16  # settings in a menu; any other is typed


class ColumnsMenu:
    """A button in the card's header, and the menu of the table's head.

    Attributes:
        dialog: the one that was opened last, for the name of a setting or figure; None before the first.
    """

    def __init__(self, table: RunTable, parent: QWidget) -> None:
        self._table, self._parent = table, parent
        self._model: RunModel | None = None
        self._library: Library | None = None
        self._settings: QSettings | None = None
        self.dialog: QInputDialog | None = None
        self.button = QToolButton()
        self.button.setIconSize(QSize(16, 16))
        self.button.setToolTip("Columns and groups of the table")
        self.button.setAccessibleName("Columns and groups")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.button)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self.fill)
        self.button.setMenu(self.menu)
        self.restyle()

    def restyle(self) -> None:
        self.button.setIcon(themes.icon("view-column-outline", "muted"))

    def begin(self, model: RunModel, library: Library, settings: QSettings | None) -> None:
        """Show the columns and groups that were kept."""
        self._model, self._library, self._settings = model, library, settings
        head = self._table.horizontalHeader()
        head.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head.customContextMenuRequested.connect(self._on_head)
        without = self._kept(WITHOUT)
        self._table.without = frozenset(column for column in RunColumn if column.name.lower() in without)
        model.set_added([column for name in self._kept(ADDED) if (column := self._column(name)) is not None])
        group = self._kept(GROUP)
        model.group_by(self._column(group[0]) if group else None)
        self.resolve()

    def resolve(self) -> None:
        """Have the settings read that are shown."""
        if self._model is None or self._library is None:
            return
        group = self._model.grouped_by
        if needs_settings([*self._model.added, *([group] if group is not None else [])]):
            self._library.read_settings()

    def _column(self, name: str) -> Column | None:
        """The column of a kept name, also of a setting that only some task has; None if there is no such column."""
        assert self._library is not None
        known = vocabulary(frozenset({name})) if "." in name else self._library.listing.names
        try:
            return column_of(name, known)
        except ConfigError:
            return None

    def _on_head(self, at: QPoint) -> None:
        self.menu.popup(self._table.horizontalHeader().mapToGlobal(at))

    # -- the menu ----------------------------------------------------------------------------------

    def fill(self) -> None:
        """Offer the columns and groups of the present list."""
        model, library = self._model, self._library
        if model is None or library is None:
            return
        library.read_settings()  # the settings in which the runs differ are offered
        self.menu.clear()
        self.menu.addSection("Columns")
        for column, name in NAMES.items():
            if column is not RunColumn.NAME:
                self._check(self.menu, name, column not in self._table.without, partial(self._show, column))
        shown = [column.name for column in model.added]
        for added in model.added:
            self._check(self.menu, added.head, True, partial(self._remove_unchecked, added.name))
        offered = offered_columns(library.listing.runs)
        more = self.menu.addMenu("Add a column")
        usual = {"title", "task", "memory", "attention", "seed", "best", "steps", "started", "updated", "state", "star"}
        for each in [each for each in offered if each.name not in {*usual, *shown}][:MOST_OFFERED]:
            _entry(more, each.head, ", ".join(each.keys), partial(self.add, each.name))
        _entry(more, "Another one…", "Any setting or figure by its name", lambda: self._ask("Add a column", self.add))
        groups = self.menu.addMenu("Group by")
        present = model.grouped_by.name if model.grouped_by is not None else ""
        self._check(groups, "Nothing", not present, lambda on: self.group(""))
        settings = [each.name for each in offered if "." in each.name][:MOST_OFFERED]
        for name in dict.fromkeys((*GROUPS, *settings, *([present] if present else []))):
            if (column_found := self._column(name)) is not None:
                self._check(groups, column_found.head, name == present, partial(self._group_checked, name))
        _entry(groups, "Another one…", "Any setting or figure by its name", lambda: self._ask("Group by", self.group))
        if present:
            _entry(self.menu, "Fold all groups", "", lambda: model.fold_all(True))
            _entry(self.menu, "Unfold all groups", "", lambda: model.fold_all(False))

    def _check(self, menu: QMenu, text: str, on: bool, do: Callable[[bool], None]) -> None:
        action = menu.addAction(text.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(on)
        action.triggered.connect(do)

    def _ask(self, title: str, done: Callable[[str], None]) -> None:
        """Ask for the name of a setting or figure, and say what is wrong with it."""
        dialog = QInputDialog(self._parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.setLabelText("Setting or figure, as lr, batch size, final or seconds:")
        dialog.setInputMode(QInputDialog.InputMode.TextInput)
        dialog.resize(380, dialog.sizeHint().height())
        field = dialog.findChild(QLineEdit)
        if field is not None and self._library is not None:
            names = QCompleter(sorted(self._library.listing.names.keys), field)
            names.setFilterMode(Qt.MatchFlag.MatchContains)
            field.setCompleter(names)

        def take(name: str) -> None:
            try:
                assert self._library is not None
                done(column_of(name, self._library.listing.names).name)
            except ConfigError as error:
                show_problem(self._parent, title, sentence(error.text))

        dialog.textValueSelected.connect(take)
        dialog.open()
        self.dialog = dialog

    # -- changes -----------------------------------------------------------------------------------

    def _show(self, column: RunColumn, on: bool) -> None:
        self._table.without = self._table.without - {column} if on else self._table.without | {column}
        self._keep(WITHOUT, sorted(each.name.lower() for each in self._table.without))
        self._table.fit()

    def add(self, name: str) -> None:
        """Add a column for a setting or figure."""
        column = self._column(name)
        if self._model is not None and column is not None and column not in self._model.added:
            self._set_added([*self._model.added, column])

    def _remove_unchecked(self, name: str, on: bool) -> None:
        self.remove(name)

    def _group_checked(self, name: str, on: bool) -> None:
        self.group(name)

    def remove(self, name: str) -> None:
        """Remove a column that was added."""
        if self._model is not None:
            self._set_added([each for each in self._model.added if each.name != name])

    def _set_added(self, columns: Sequence[Column]) -> None:
        assert self._model is not None
        self._model.set_added(columns)
        self._keep(ADDED, [column.name for column in columns])
        self.resolve()
        self._table.fit()

    def group(self, name: str) -> None:
        """Group the runs by a setting or figure; an empty name: not at all."""
        if self._model is not None:
            self._model.group_by(self._column(name) if name else None)
            self._keep(GROUP, [name] if name else [])
            self.resolve()
            self._table.fit()

    def _kept(self, key: str) -> list[str]:
        text = str(self._settings.value(key, "")) if self._settings is not None else ""
        return [name for name in text.split(",") if name]

    def _keep(self, key: str, names: Sequence[str]) -> None:
        if self._settings is not None:
            self._settings.setValue(key, ",".join(names))


def _entry(menu: QMenu, text: str, tip: str, do: Callable[[], None]) -> QAction:
    action = menu.addAction(text.replace("&", "&&"))
    action.setToolTip(plain_tip(tip))
    action.triggered.connect(lambda: do())
    return action
