"""Export and import of runs as zip files: the dialogs, and the thread that writes and reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from dqngui.config import ConfigError
from dqngui.gui.widgets.note import Note
from dqngui.gui.widgets.save_dialog import ask_save_path
from dqngui.lab.background.worker import Worker
from dqngui.lab.library.library import Library
from dqngui.runs.archive import export_run, import_run
from dqngui.texts import Text, say, sentence, words

KINDS = {"zip": "Run (*.zip)"}


class Archives:
    """Writes runs as zip files and takes runs in, in a thread of its own; a note says how it ended.

    Attributes:
        worker: the thread; it must end before the window closes.
        dialog: the one that was opened last; None before the first.
    """

    def __init__(self, panel: QWidget, note: Note) -> None:
        self._panel, self._note = panel, note
        self.worker = Worker("archives", panel)
        self.dialog: QFileDialog | None = None

    def ask_export(self, library: Library, folders: Sequence[str]) -> None:
        """Ask for a file for one run, or for a folder for several, and write them there."""
        paths = [Path(folder) for folder in folders]
        if len(paths) == 1:
            title, name = "Export the run", f"{paths[0].name}.zip"
            self.dialog = ask_save_path(
                self._panel, title, name, KINDS, lambda file: self._export({paths[0]: Path(file)}, replace=True)
            )
        elif paths:
            self.dialog = QFileDialog(self._panel, f"Export {len(paths):,} runs into a folder")
            self.dialog.setFileMode(QFileDialog.FileMode.Directory)
            self._open(lambda chosen: self.export_into(paths, Path(chosen[0])))

    def export_into(self, folders: Sequence[Path], place: Path) -> None:
        """Write a zip file for each of these runs into a folder; none is written over another file."""
        files: dict[Path, Path] = {}
        for folder in folders:
            count, file = 1, place / f"{folder.name}.zip"
            while file in files.values() or file.exists():
                count += 1
                file = place / f"{folder.name}-{count}.zip"
            files[folder] = file
        self._export(files, replace=False)

    def _export(self, files: dict[Path, Path], *, replace: bool) -> None:
        self._say(say("runs.exporting", count=len(files)))
        self.worker.submit(partial(self._write, files, replace), self._say)

    def _write(self, files: dict[Path, Path], replace: bool) -> Text:
        for folder, file in files.items():
            if not self.worker.running:
                break
            try:
                export_run(folder, file, replace=replace)
            except ConfigError as error:
                return error.text
        if len(files) == 1:
            return say("runs.exported", file=str(next(iter(files.values()))))
        return say("runs.exported_some", count=len(files), place=str(next(iter(files.values())).parent))

    def ask_import(self, library: Library) -> None:
        """Ask for zip files and take them in."""
        self.dialog = QFileDialog(self._panel, "Import runs")
        self.dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self.dialog.setNameFilters(list(KINDS.values()))
        self._open(lambda files: self.take_in(library, files))

    def take_in(self, library: Library, files: Sequence[str]) -> None:
        """Take runs in from zip files."""
        if library.runs is None or not files:
            return
        self._say(say("runs.importing", count=len(files)))
        self.worker.submit(partial(self._read, library.runs, files), partial(self._taken_in, library))

    def _read(self, runs: Path, files: Sequence[str]) -> Text:
        found = []
        for file in files:
            if not self.worker.running:
                break
            try:
                found.append(import_run(Path(file), runs))
            except ConfigError as error:
                return error.text
        return (
            say("runs.imported", name=found[0].name) if len(found) == 1 else say("runs.imported_some", count=len(found))
        )

    def _taken_in(self, library: Library, text: Text) -> None:
        self._say(text)
        library.refresh()

    def _open(self, done: Callable[[list[str]], None]) -> None:
        assert self.dialog is not None
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.filesSelected.connect(done)
        self.dialog.open()

    def _say(self, text: Text) -> None:
        self._note.show_text(sentence(text) if text.key.startswith(("archive", "run.")) else words(text))
