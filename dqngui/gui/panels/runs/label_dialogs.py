"""The small dialogs in which a person gives runs a title, tags and a note."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QWidget

from dqngui.lab.library.library import Library
from dqngui.runs.labels import Labels


class LabelDialogs:
    """Asks for the labels of runs.

    Attributes:
        dialog: the one that is open; None if none is.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.dialog: QInputDialog | None = None

    def star(self, library: Library, folders: Sequence[str]) -> None:
        """Mark runs; if all of them are marked, take the marks away."""
        library.label(folders, star=not all(_labels(library, folder).star for folder in folders))

    def rename(self, library: Library, folders: Sequence[str]) -> None:
        """Ask for the title of the first of these runs."""
        if not folders:
            return
        run = library.run_of(folders[0])
        self._ask(
            "Rename the run",
            "Title (empty: its own one again):",
            "" if run is None else run.summary.title,
            lambda text: library.label(folders[:1], title=text),
        )

    def tag(self, library: Library, folders: Sequence[str]) -> None:
        """Ask for the tags of these runs: those that all of them have stand in the field and may be taken away."""
        if not folders:
            return
        each = [_labels(library, folder).tags for folder in folders]
        shared = [tag for tag in each[0] if all(tag in tags for tags in each)]

        def change(text: str) -> None:
            typed = text.replace(",", " ").split()
            library.label(folders, tags=typed, untags=[tag for tag in shared if tag not in typed])

        of = "the run" if len(folders) == 1 else f"{len(folders):,} runs"
        self._ask(f"Tags of {of}", "Tags, with spaces between them:", " ".join(shared), change)

    def write_note(self, library: Library, folders: Sequence[str]) -> None:
        """Ask for the note on these runs, from that of the first one."""
        if not folders:
            return
        of = "the run" if len(folders) == 1 else f"{len(folders):,} runs"
        note = _labels(library, folders[0]).note
        self._ask(f"Note on {of}", "Note:", note, lambda text: library.label(folders, note=text), lines=True)

    def _ask(self, title: str, label: str, text: str, done: Callable[[str], None], *, lines: bool = False) -> None:
        dialog = QInputDialog(self._parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.setLabelText(label)
        dialog.setInputMode(QInputDialog.InputMode.TextInput)
        dialog.setOption(QInputDialog.InputDialogOption.UsePlainTextEditForTextInput, lines)
        dialog.setTextValue(text)
        dialog.resize(420, dialog.sizeHint().height())
        dialog.textValueSelected.connect(done)
        dialog.finished.connect(self._forget)
        dialog.open()
        self.dialog = dialog

    def _forget(self) -> None:
        self.dialog = None


def _labels(library: Library, folder: str) -> Labels:
    run = library.run_of(folder)
    return Labels() if run is None else run.labels
