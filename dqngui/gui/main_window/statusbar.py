"""The line at the bottom: progress and speed of the run, and the load of the program; notices stand beside it."""

from __future__ import annotations

from collections.abc import Callable

import psutil
from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import GAP, Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import ACTIVE, State
from dqngui.texts.numbers import duration, progress

REFRESH_MS = 500
HEIGHT = 40
"""Pixels at the usual size of text: two lines of a notice fit, so the bar keeps its height when one appears."""
CHILD_SCAN_EVERY = 10  # refreshes between two scans for child processes; a scan reads all processes of the machine


class StatusLine(QWidget):
    """Progress on the left, load on the right; refreshed twice a second."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._process = psutil.Process()
        self._children: dict[int, psutil.Process] = {}
        self._readings = 0
        self.painting: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)  # redraws per second, share of the time
        self.count = plain_label()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(140, 10)
        self.bar.setAccessibleName("Progress of the run")
        self.percent, self.speed, self.cost = plain_label(), ElidedLabel(), plain_label()
        for label in (self.percent, self.speed, self.cost):
            themes.set_role(label, "muted")
        line = QHBoxLayout(self)
        line.setContentsMargins(GAP + 2, 0, 2, 4)
        line.setSpacing(10)
        for widget in (self.count, self.bar, self.percent):
            line.addWidget(widget)
        line.addWidget(self.speed, 1)
        line.addWidget(self.cost)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        session.changed.connect(self._on_changed)
        self.restyle(themes.current())
        self.refresh()

    @property
    def ticking(self) -> bool:
        """Whether it is refreshed regularly."""
        return self._timer.isActive()

    def stop(self) -> None:
        """Stop refreshing."""
        self._timer.stop()

    def restyle(self, theme: Theme) -> None:
        self.setFixedHeight(themes.zoomed(HEIGHT))

    @Slot(bool)
    def make_room(self, notices: bool) -> None:
        """Leave out the load of the program while notices need its room."""
        self.cost.setVisible(not notices)

    @Slot()
    def refresh(self) -> None:
        self._refresh_run()
        cpu, memory = self._usage()
        parts = [f"CPU {cpu:.0f} %", f"{memory / 2**30:.1f} GB"]
        if self._session.job.active:
            rate, share = self.painting()
            parts.insert(0, f"window {rate:.0f} redraws/s, {100 * share:.0f} % of the time")
        if self._session.run.checkpoint is not None:
            parts.insert(0, f"last checkpoint {self._session.run.checkpoint:,}")
        self.cost.setText("  ·  ".join(parts))

    @Slot()
    def _on_changed(self) -> None:
        self._readings = 0  # a process may have started or ended
        self._refresh_run()

    def _refresh_run(self) -> None:
        session = self._session
        total = session.run.experiment.run.total_steps
        share = min(1.0, session.run.step / total)
        self.count.setText(progress(session.run.step, total))
        self.bar.setValue(round(1000 * share))
        read = session.log.share
        themes.set_role(self.bar, "paused" if session.state is State.PAUSED else "")
        self.percent.setText(f"{100 * share:.0f} %" if read >= 1 else f"Reading the log {100 * read:.0f} %")
        self.speed.setText("  ·  ".join(self._speeds(total)))

    def _speeds(self, total: int) -> list[str]:
        if self._session.state is State.PAUSED:
            return ["paused"]
        learned = self._session.run.learned
        if learned is None or self._session.state not in ACTIVE:
            return []
        parts = [f"{learned.steps_per_second:,.0f} steps/s"]
        if learned.updates_per_second:
            parts.append(f"{learned.updates_per_second:,.0f} updates/s")
        if learned.steps_per_second > 0:
            left = (total - self._session.run.step) / learned.steps_per_second
            parts.append(f"{duration(left)} left")
        return parts

    def _usage(self) -> tuple[float, int]:
        """CPU load in percent of one core, and resident memory in bytes, of this process and its children."""
        cpu, memory = self._process.cpu_percent(), self._process.memory_info().rss
        if self._readings % CHILD_SCAN_EVERY == 0:
            found = {child.pid: child for child in self._process.children(recursive=True)}
            self._children = {pid: self._children.get(pid, child) for pid, child in found.items()}
        self._readings += 1
        for child in self._children.values():
            try:
                cpu, memory = cpu + child.cpu_percent(), memory + child.memory_info().rss
            except psutil.Error:  # it has just ended
                continue
        return cpu, memory
