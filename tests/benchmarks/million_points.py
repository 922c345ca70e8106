"""Measures a redraw of curves with a million points: CPU time of the window's thread from an event to its painting."""

from __future__ import annotations

import json
import statistics
import time

import numpy as np
from PySide6.QtWidgets import QApplication

from dqngui.gui.cards.panel import Panel
from dqngui.gui.panels.curves.learning_panel import LearningPanel
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.gui.style import theme
from dqngui.lab.session.history import History
from dqngui.messages import EpisodeEnded, Event, Learned

POINTS = 1_000_000
REDRAWS = 100
STEPS = 20  # environment steps per episode


def long_history(points: int) -> History:
    history, generator = History(), np.random.default_rng(0)
    steps = STEPS * np.arange(1.0, points + 1)
    history.take([EpisodeEnded(step=0, ret=0.0, length=STEPS)])
    history.returns.extend(steps, generator.gamma(2.0, 50.0, points))
    history.lengths.extend(steps, np.full(points, float(STEPS)))
    for curve in history.learned.values():
        curve.extend(steps, generator.normal(size=points))
    history.last_step = int(steps[-1])
    return history


def redraw_ms(qt: QApplication, panel: Panel, history: History, size: tuple[int, int]) -> float:
    """Median time of a redraw, each after new events."""
    panel.resize(*size)
    panel.show()
    panel.show(history)
    for _ in range(5):
        qt.processEvents()
    times: list[float] = []
    for index in range(REDRAWS):
        step = history.last_step + STEPS
        news: list[Event] = [
            EpisodeEnded(step=step, ret=100.0, length=STEPS),
            Learned(step=step, updates=index, loss=1.0, td_error=1.0, q_mean=1.0, grad_norm=1.0, epsilon=0.1),
        ]
        began = time.thread_time()
        history.take(news)
        panel.take(news)
        panel.refresh()
        for _ in range(3):
            qt.processEvents()
        times.append(1000 * (time.thread_time() - began))
    panel.hide()
    return statistics.median(times)


def measure(points: int = POINTS) -> dict[str, float]:
    """Time of a redraw in ms, by panel, at the panel's size in a window of 1600×1000."""
    qt = QApplication.instance() or QApplication(["dqngui"])
    assert isinstance(qt, QApplication)
    theme.apply(qt, "dark")
    history = long_history(points)
    return {
        "return": round(redraw_ms(qt, ReturnPanel(), history, (880, 350)), 2),
        "learning": round(redraw_ms(qt, LearningPanel(), history, (430, 200)), 2),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
