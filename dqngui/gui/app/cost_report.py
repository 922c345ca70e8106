"""Measures the cost of the window for `--report`: from the end of a warm-up until the window closes."""

from __future__ import annotations

import time
from typing import Any

import psutil
from PySide6.QtCore import QEvent, QObject, QTimer, Slot

from dqngui.gui.docking.timings import Durations, Lateness, process_age
from dqngui.gui.main_window.window import Window
from dqngui.lab.playback.player import Player
from dqngui.messages import CheckpointSaved, Event, Learned


class CostReport(QObject):
    """Measures one window. It wakes fifty times a second, so it exists only with `--report`.

    The span begins `warm_up` seconds after the first event of a run, or after the window shows where none is
    started, and ends when the window begins to close. Its steps are those between the first and the last event in
    it, divided by the wall time between them. Evaluations, checkpoints and pauses count, since they delay the
    trained agent. A run without a window, with the same experiment and seed, makes the same
    events, so that the two can be compared over the same steps.

    Attributes:
        figures: the measurements; empty until `end`.
    """

    def __init__(self, window: Window, warm_up: float) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._lateness = Lateness(self)
        self._warm_up = QTimer(self, singleShot=True, interval=round(1000 * warm_up))
        self._warm_up.timeout.connect(self._begin)
        self._run_began = False
        self._shown_after: float | None = None
        self._first_picture_after: float | None = None
        self._unseen = False
        self._pictures = self._rows = 0
        self._saving = Durations()
        self._began: float | None = None
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None
        self.figures: dict[str, Any] = {}
        window.shown.connect(self._on_shown)
        self._session.received.connect(self._on_received)

    @Slot()
    def _on_shown(self) -> None:
        self._shown_after = process_age()
        if not self._run_began:
            self._warm_up.start()

    @Slot(object)
    def _on_received(self, events: list[Event]) -> None:
        if not self._run_began:
            self._run_began = True
            self._began = None
            self._warm_up.start()
        if self._measuring:
            self._last = (time.perf_counter(), self._session.run.step)
            self._first = self._first or self._last
            for event in events:
                if isinstance(event, CheckpointSaved):
                    self._saving.add(1000 * event.seconds)
                elif isinstance(event, Learned):
                    self._rows += 1

    @property
    def _measuring(self) -> bool:
        return self._began is not None and not self.figures

    def count_pictures(self, player: Player) -> None:
        """Count the painted pictures of the player, and record the time of the first one."""
        player.framed.connect(self._on_framed)
        for panel in self._window.panel_docks.panels.values():
            for frame in panel.frames:
                frame.installEventFilter(self)

    @Slot(object, int)
    def _on_framed(self, picture: object, t: int) -> None:
        self._unseen = picture is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._unseen and event.type() == QEvent.Type.Paint:
            self._unseen = False
            self._pictures += 1
            if self._first_picture_after is None:
                self._first_picture_after = process_age()
        return False

    @Slot()
    def _begin(self) -> None:
        self._lateness.start()
        self._window.paint_budget.forget()
        self._pictures = self._rows = 0
        self._saving = Durations()
        self._first = self._last = None
        self._memory, self._own_time = _resident(), time.thread_time()
        self._began = time.perf_counter()

    @Slot()
    def end(self) -> None:
        """End the measurement and compute `figures`."""
        if self.figures or self._shown_after is None:
            return
        if self._began is None:
            self._begin()
        self.figures = self._measured()
        self._warm_up.stop()
        self._lateness.stop()

    def _measured(self) -> dict[str, Any]:
        session, budget, panel_docks = self._session, self._window.paint_budget, self._window.panel_docks
        assert self._began is not None
        seconds = time.perf_counter() - self._began
        return {
            "measured_s": round(seconds, 2),
            "host": session.run.experiment.run.host,
            "steps": session.run.step,
            **self._steps(),
            "event_loop_late_ms": self._lateness.figures(),
            "redraw_ms": budget.costs.figures(),
            "redraw_share": round(budget.costs.total / 1000 / seconds, 4),
            "redraws_per_second": {name: round(budget.counts[name] / seconds, 2) for name in panel_docks.in_sight},
            "rows_per_second": round(self._rows / seconds, 2),
            "pictures_per_second": round(self._pictures / seconds, 2),
            "window_share": round((time.thread_time() - self._own_time) / seconds, 4),
            "checkpoints": self._saving.count,
            "checkpoint_worst_ms": round(self._saving.worst, 1),
            "resident_mb": round(_resident(), 1),
            "resident_grew_mb": round(_resident() - self._memory, 1),
            "window_shown_after_s": _rounded(self._shown_after),
            "first_picture_after_s": _rounded(self._first_picture_after),
        }

    def _steps(self) -> dict[str, Any]:
        if self._first is None or self._last is None or self._last[0] <= self._first[0]:
            return {"first_step": None, "last_step": None, "steps_per_second": None}
        (began, first), (ended, last) = self._first, self._last
        rate = (last - first) / (ended - began)
        return {"first_step": first, "last_step": last, "steps_per_second": round(rate, 1)}


def _resident() -> float:
    """Resident memory of this process in MiB."""
    return psutil.Process().memory_info().rss / 2**20


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
