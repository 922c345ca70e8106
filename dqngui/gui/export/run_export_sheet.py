"""The sheet that exports stored runs: it asks for the format and the place, and says where they were saved."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from dqngui.export.sink import FORMATS
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.library.run_export import CANCELLED, RunExport, is_folder, missing_package, proposed_place
from dqngui.texts import Text, sentence, words

WIDTH = 520
_LABELS = {
    "html": "Report (HTML)",
    "csv": "Table (CSV)",
    "parquet": "Table (Parquet)",
    "tensorboard": "TensorBoard",
    "wandb": "Weights & Biases",
    "mlflow": "MLflow",
}


class RunExportSheet(QDialog):
    """Exports runs. It does not block the window, stays open until the export has ended, and says how.

    Attributes:
        format, place: what is chosen.
        said: what the format is, then how the export goes.
    """

    def __init__(self, exports: RunExport, folders: Sequence[Path], parent: QWidget) -> None:
        super().__init__(parent)
        self._exports, self._folders = exports, list(folders)
        self._asked = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        count = len(self._folders)
        self.setWindowTitle("Export run" if count == 1 else f"Export {count} runs")
        self.setFixedWidth(themes.zoomed(WIDTH))
        self.format, self.place = QComboBox(), QLineEdit()
        self.format.setAccessibleName("Format")
        self.place.setAccessibleName("Place")
        for name in _LABELS:
            self.format.addItem(_LABELS[name], name)
        self.browse = QPushButton("Choose…")
        self.browse.setToolTip("Choose the file or folder in a dialog")
        self.said = plain_label()
        self.said.setWordWrap(True)
        self.said.linkActivated.connect(_open)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.export = buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self.export.setDefault(True)
        themes.set_role(self.export, "accent")
        self._lay_out(buttons)
        self.format.currentIndexChanged.connect(self._on_format)
        self.place.textChanged.connect(self._on_place)
        self.browse.clicked.connect(self._browse)
        self.export.clicked.connect(self._export)
        buttons.rejected.connect(self.reject)
        exports.ended.connect(self._on_ended)
        self.finished.connect(self._on_closed)
        self._on_format()

    def _lay_out(self, buttons: QDialogButtonBox) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.place, 1)
        line.addWidget(self.browse)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        box.addWidget(plain_label("Format"))
        box.addWidget(self.format)
        box.addWidget(plain_label("Place"))
        box.addLayout(line)
        box.addWidget(self.said)
        box.addWidget(buttons)

    @property
    def name(self) -> str:
        """The chosen format."""
        return str(self.format.currentData())

    @Slot()
    def _on_format(self) -> None:
        self.place.setText(str(proposed_place(self._folders, self.name)))
        package = missing_package(self.name)
        if package:
            self._say(f"It needs the package {package}: pip install {package}", "warn")
        else:
            self._say(_help(self.name), "muted")
        self._on_place()

    @Slot()
    def _on_place(self) -> None:
        possible = bool(self.place.text().strip()) and not missing_package(self.name)
        self.export.setEnabled(possible or self._asked)

    @Slot()
    def _browse(self) -> None:
        dialog = QFileDialog(self, "Export to")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if is_folder(self.name):
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # the export itself refuses other files
            dialog.setDefaultSuffix(Path(self.place.text()).suffix)
        present = Path(self.place.text())
        dialog.setDirectory(str(present.parent))
        dialog.selectFile(present.name)
        dialog.fileSelected.connect(self.place.setText)
        dialog.open()

    @Slot()
    def _export(self) -> None:
        """Start the export, or cancel the one that runs."""
        if self._asked:
            self._exports.stop()
            return
        if self._exports.alive:
            self._say("Another export is not done yet.", "warn")
            return
        self._set_running(True)
        film = ", with an episode that is played now" if self.name == "html" else ""
        self._say(f"Exporting{film}…", "muted")
        self._exports.start(self._folders, self.name, Path(self.place.text().strip()))

    def _set_running(self, running: bool) -> None:
        self._asked = running
        self.export.setText("Cancel" if running else "Export")
        for part in (self.format, self.place, self.browse):
            part.setEnabled(not running)

    @Slot(object)
    def _on_ended(self, problem: Text | str) -> None:
        if not self._asked:
            return
        self._set_running(False)
        if problem == CANCELLED:
            self._say("The export was cancelled; nothing was written.", "muted")
        elif problem:
            self._say(sentence(problem), "bad")
        else:
            self._say_saved(self._exports.place.absolute())

    def _say(self, text: str, role: str) -> None:
        themes.set_role(self.said, role)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setText(text)
        self._fit()

    def _say_saved(self, path: Path) -> None:
        themes.set_role(self.said, "")
        color = themes.current().color("accent").name()
        links = [
            f'<a style="color: {color}" href="{escape(QUrl.fromLocalFile(str(each)).toString())}">{escape(text)}</a>'
            for each, text in ((path, path.name), (path.parent, "show folder"))
        ]
        self.said.setTextFormat(Qt.TextFormat.RichText)  # every name in it is escaped
        self.said.setText(f"Saved to {links[0]} · {links[1]}")
        self.said.setToolTip(str(path))
        self._fit()

    def _fit(self) -> None:
        self.adjustSize()

    @Slot()
    def _on_closed(self) -> None:
        if self._asked:
            self._exports.stop()


def _help(name: str) -> str:
    """What a format is, as a sentence."""
    return sentence(words(FORMATS[name].summary))


@Slot(str)
def _open(link: str) -> None:
    QDesktopServices.openUrl(QUrl(link))
