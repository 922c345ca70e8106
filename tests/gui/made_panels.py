"""Panels with histories, for their tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from dqngui.gui.cards.panel import Panel
from dqngui.gui.charts.plot import Band, Plot
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.session.history import LEARNED_FIELDS, History
from dqngui.messages import EpisodeEnded, Evaluated, Event, KnobChanged, Learned


def made(qtbot: QtBot, kind: type[Panel], width: int = 900, height: int = 500) -> Any:
    panel = kind()
    qtbot.addWidget(panel, before_close_func=lambda panel: panel.clear())  # so that a million points are freed
    panel.resize(width, height)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


class AskedCursor:
    """Stands in for the cursor: keeps what a panel asks for."""

    def __init__(self) -> None:
        self.asked: list[Cursor | None] = []

    def pick(self, cursor: Cursor | None) -> None:
        self.asked.append(cursor)

    def readout(self, number: int) -> list[str]:
        return []


def run_events(count: int = 400, seed: int = 0) -> list[Event]:
    generator = np.random.default_rng(seed)
    events: list[Event] = []
    for i in range(1, count + 1):
        step = 50 * i
        events.append(EpisodeEnded(step=step, ret=float(generator.gamma(3, 20)), length=50))
        missing = i < count // 10
        figures = {name: None if missing else float(generator.random()) for name in LEARNED_FIELDS[:4]}
        events.append(Learned(step=step, updates=i, **figures, epsilon=1 / i, steps_per_second=3000.0))
        if i % (count // 4) == 0:
            events.append(Evaluated(step=step, returns=(1.0 * i,), lengths=(i,), mean=1.0 * i, best=True))
    events.append(KnobChanged(step=50 * count, field="learn.lr", old=1e-3, new=5e-4))
    return events


def plots(panel: Panel) -> list[Plot]:
    return panel.findChildren(Plot)


def drawn(panel: Panel) -> list[np.ndarray]:
    """Everything that a panel has drawn: data, ranges and marks of its plots; without plots, its pixels."""
    if not plots(panel):
        return [pixels(panel)]
    arrays = []
    for plot in plots(panel):
        arrays += [np.array(plot.box.viewRange()), np.array(plot.marks.steps)]
        for item in plot.box.childGroup.childItems():
            arrays += [np.asarray(each, dtype=float) for each in item.getData()] if hasattr(item, "getData") else []
            if isinstance(item, Band):
                arrays.append(np.array([(point.x(), point.y()) for each in item.polygons for point in each]))
    return arrays


def pixels(panel: Panel) -> np.ndarray:
    image = panel.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits()).reshape(image.height(), -1)


def feed(panel: Panel, history: History, events: list[Event], size: int) -> None:
    for start in range(0, len(events), size):
        history.take(events[start : start + size])
        panel.take(events[start : start + size])
        panel.refresh()
