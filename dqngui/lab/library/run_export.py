"""An export of runs in a process of its own: the window never waits, and a package that breaks cannot break it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

from dqngui.export.sink import FORMATS
from dqngui.safe_path import environment_of_child
from dqngui.texts import Text, say

CANCELLED = "cancelled"
_FOLDERS = ("tensorboard", "wandb", "mlflow")
_SUFFIXES = {"csv": ".csv", "parquet": ".parquet", "html": ".html"}


class RunExport(QObject):
    """Runs `dqngui export`, one at a time.

    Attributes:
        place: where the present or last export goes.

    Signals:
        ended(problem): the export has ended: empty if it was written, else a sentence, or CANCELLED.
    """

    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.place = Path()
        self._cancelled = False
        self._process = QProcess(self)
        variables = environment_of_child()
        if variables is not None:
            environment = QProcessEnvironment()
            for name, value in variables.items():
                environment.insert(name, value)
            self._process.setProcessEnvironment(environment)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    def start(self, folders: Sequence[Path], name: str, place: Path) -> None:
        """Export the runs in these folders in the format of this name; nothing if an export runs already."""
        if self.alive:
            return
        self.place, self._cancelled = place, False
        runs = [str(folder.absolute()) for folder in folders]
        command = ["-P", "-m", "dqngui", "export", *runs, "--to", name, "--out", str(place)]
        self._process.start(sys.executable, command)

    @property
    def alive(self) -> bool:
        return self._process.state() != QProcess.ProcessState.NotRunning

    def stop(self) -> None:
        """Cancel the export: it removes what is not whole."""
        if self.alive:
            self._cancelled = True
            self._process.terminate()

    def join(self) -> None:
        """Wait until it has ended; call `stop` first."""
        if not self._process.waitForFinished(5000):
            self._process.kill()
            self._process.waitForFinished(1000)

    @Slot()
    def _on_finished(self) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        if self._cancelled:
            self.ended.emit(CANCELLED)
        elif self._process.exitStatus() == QProcess.ExitStatus.NormalExit and self._process.exitCode() == 0:
            self.ended.emit("")
        else:
            last = said.splitlines()[-1].removeprefix("dqngui: ") if said else ""
            self.ended.emit(last or say("exported.ended", status=self._process.exitCode()))

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            problem: Text = say("exported.no_process", problem=self._process.errorString())
            self.ended.emit(problem)


def missing_package(name: str) -> str:
    """The package that a format needs and that is not installed; empty if nothing is missing."""
    package = FORMATS[name].package
    return package if package and importlib.util.find_spec(package) is None else ""


def proposed_place(folders: Sequence[Path], name: str) -> Path:
    """Where an export goes if nobody says otherwise, in the working folder."""
    if name in _FOLDERS:
        return Path.cwd() / name
    return Path.cwd() / ((folders[0].name if len(folders) == 1 else "runs") + _SUFFIXES[name])


def is_folder(name: str) -> bool:
    """Whether a format is written into a folder, and not into a file."""
    return name in _FOLDERS
