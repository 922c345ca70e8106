"""Opens stored runs: by a file dialog, by a folder that is dropped on the window, by a path of the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QUrl, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from dqngui.lab.session.session import Session
from dqngui.runs.folder import EXPERIMENT
from dqngui.texts import say


def run_at(path: Path) -> Path | None:
    """The folder of the run that a path names: the folder itself, or that of a file inside it; None if it is no run."""
    for folder in (path, *list(path.parents)[:2]):
        if (folder / EXPERIMENT).is_file():
            return folder
    return None


class OpenRuns(QObject):
    """Opens the runs that a person points at, and takes folders that are dropped on the window."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def ask(self) -> QFileDialog:
        """Ask for a run's folder in a dialog that does not block the window."""
        dialog = QFileDialog(self._window, "Open run: choose its folder", str(self._session.runs or Path.cwd()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        dialog.fileSelected.connect(self._open_text)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def _open_text(self, path: str) -> None:
        self.open(Path(path))

    def open(self, path: Path) -> bool:
        """Open the run at a path; False, with a sentence in the window, if there is none or it cannot be opened."""
        folder = run_at(path.absolute())
        if folder is None:
            self._session.show_message(say("session.no_run", path=path))
            return False
        return self._session.open_stored(folder)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept a drag of one folder or file of a run; open it when it is dropped."""
        if isinstance(event, QDropEvent):
            folder = self._dropped(event.mimeData())
            if folder is None:
                return False
            event.acceptProposedAction()
            if not isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.Drop:
                self.open(folder)
            return True
        return bool(super().eventFilter(watched, event))

    @staticmethod
    def _dropped(data: QMimeData) -> Path | None:
        """The first local path of a drag; None if it has none."""
        urls: Iterable[QUrl] = data.urls() if data.hasUrls() else ()
        return next((Path(url.toLocalFile()) for url in urls if url.isLocalFile()), None)
