"""Redrawing curves of a million points: own time of the window's thread, from a new event until it is painted."""

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
STEPS = 20  # of the environment, an episode


def long_history(points: int) -> History:
    history, chance = History(), np.random.default_rng(0)
    steps = STEPS * np.arange(1.0, points + 1)
    history.take([EpisodeEnded(step=0, ret=0.0, length=STEPS)])
    history.returns.extend(steps, chance.gamma(2.0, 50.0, points))
    history.lengths.extend(steps, np.full(points, float(STEPS)))
    for curve in history.learned.values():
        curve.extend(steps, chance.normal(size=points))
    history.last_step = int(steps[-1])
    return history


def redraw_ms(qt: QApplication, panel: Panel, history: History, size: tuple[int, int]) -> float:
    """Median of many redraws, each after one new event."""
    panel.resize(*size)
    panel.show()
    panel.show(history)
    for _ in range(5):
        qt.processEvents()
    taken: list[float] = []
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
        taken.append(1000 * (time.thread_time() - began))
    panel.hide()
    return statistics.median(taken)


def measure(points: int = POINTS) -> dict[str, float]:
    """Milliseconds of a redraw, by panel, in the size that it has in a window of 1600×1000."""
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
