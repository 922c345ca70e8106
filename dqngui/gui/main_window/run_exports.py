"""The entry *Export…* of the menu: exports the open run, or any stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget

from dqngui.gui.export.run_export_sheet import RunExportSheet
from dqngui.gui.main_window.menus import MainMenu
from dqngui.lab.library.run_export import RunExport
from dqngui.lab.session.session import Session


class RunExports:
    """Asks in a sheet how runs are exported.

    Attributes:
        work: the export that runs in the background.
        sheet: the sheet that was opened last; None before.
    """

    def __init__(self, session: Session, menu: MainMenu, window: QWidget) -> None:
        self._session, self._window = session, window
        self.work = RunExport(window)
        self.sheet: RunExportSheet | None = None
        tip = "Write the run for other programs, or as a report that opens in a browser"
        self.action = menu.add(menu.run, "Export…", "export-variant", "Ctrl+Shift+E", tip, self.ask)
        session.changed.connect(self._refresh)
        self._refresh()

    def ask(self, folders: Sequence[Path] = ()) -> None:
        """Ask in a sheet that does not block the window. Without folders, the open run is exported."""
        opened = self._session.run.folder
        folders = list(folders) or ([opened] if opened is not None else [])
        if folders:
            self.sheet = RunExportSheet(self.work, folders, self._window)
            self.sheet.open()

    def _refresh(self) -> None:
        self.action.setEnabled(self._session.run.folder is not None)
