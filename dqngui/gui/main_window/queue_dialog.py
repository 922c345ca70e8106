"""The dialog that adds the experiment to the queue, with one seed or several."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from dqngui.config import ConfigError
from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.session.session import Session
from dqngui.sweeps.seeds import seeds_of
from dqngui.texts import sentence

WIDTH = 380


class AddToQueueDialog(QDialog):
    """Asks for the seeds, and adds a run for each. It does not block the window.

    Attributes:
        seeds: a list of seeds, as `0-4` or `0,3,7`.
        first: whether the runs are trained before those that wait.
        said: how many runs that is, or what is wrong.
    """

    def __init__(self, session: Session, queue: RunQueue, parent: QWidget) -> None:
        super().__init__(parent)
        self._queue = queue
        experiment = session.draft.experiment
        self._steps = experiment.run.total_steps
        self.setWindowTitle("Add to the queue")
        self.setMinimumWidth(WIDTH)
        about = plain_label(f"{experiment.title or experiment.env.id}, {self._steps:,} steps each")
        about.setWordWrap(True)
        self.seeds = QLineEdit(str(experiment.run.seed))
        self.seeds.setAccessibleName("Seeds")
        self.seeds.setToolTip("A run for each seed: 0-4 are five runs, 0,3,7 are three")
        self.seeds.selectAll()
        self.first = QCheckBox("Before those that wait")
        self.first.setToolTip("Train these runs next")
        self.said, self.worker = plain_label(), plain_label(self._worker_text())
        for label in (self.said, self.worker):
            label.setWordWrap(True)
            themes.set_role(label, "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add = self.buttons.addButton("Add", QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setDefault(True)
        self.add.setToolTip("Add the runs to the queue (Enter)")
        themes.set_role(self.add, "accent")
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.reject)
        self.seeds.textChanged.connect(self._on_text)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        for part in (about, plain_label("Seeds, as 0-4 or 0,3,7"), self.seeds, self.said, self.first, self.worker):
            box.addWidget(part)
        box.addWidget(self.buttons)
        self._on_text()

    def _worker_text(self) -> str:
        if self._queue.paused:
            return "The queue is paused: they are trained once you let it go on, in the Queue card."
        view = self._queue.view
        if view is not None and view.overview.workers:
            return "The worker trains them in their turn, even when this window is closed."
        return "A worker starts by itself and trains them, even when this window is closed."

    def _chosen(self) -> list[int]:
        return seeds_of(self.seeds.text().strip())

    @Slot()
    def _on_text(self) -> None:
        try:
            count, problem = len(self._chosen()), ""
        except ConfigError as error:
            count, problem = 0, sentence(error.text)
        runs = f"{counted(count, 'run')} of {self._steps:,} steps, {count * self._steps:,} together"
        self.said.setText(problem or (runs if count > 1 else "1 run"))
        themes.set_role(self.said, "bad" if problem else "muted")
        themes.set_role(self.seeds, "bad" if problem else "")
        self.add.setEnabled(not problem)

    @Slot()
    def _on_accepted(self) -> None:
        self._queue.add_draft(self._chosen(), first=self.first.isChecked())
        self.accept()
