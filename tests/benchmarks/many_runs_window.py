"""One window with a folder of runs, measured: `python -m tests.benchmarks.many_runs_window FOLDER` prints JSON.

A process of its own, as the first picture and memory are those of a start.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from dqngui.gui.app.app import App
from dqngui.gui.panels.runs.runs_panel import RunsPanel
from dqngui.gui.style import theme as themes
from dqngui.presets import read_experiment
from tests.benchmarks.own_lateness import OwnLateness

TYPED = ("memory=gru", "best>400", "lr 0.001 seed 3", "20k")
PAGES = 60


def main() -> int:
    """Measure and print."""
    folder = Path(sys.argv[1])
    begun = psutil.Process().create_time()
    figures: dict[str, float] = {}
    qt = QApplication(["many_runs"])
    themes.apply(qt, "dark")
    settings = QSettings(os.path.join(tempfile.mkdtemp(), "kept.ini"), QSettings.Format.IniFormat)
    app = App(read_experiment("cartpole"), runs=folder, settings=settings, theme="dark")
    late = OwnLateness(app)
    app.window.resize(1280, 800)
    app.window.show()
    app.window.grab()
    figures["first picture, s"] = time.time() - begun
    late.start()
    wait(qt, lambda: app.library.loaded)
    figures["list shown after the window, s"] = time.time() - begun - figures["first picture, s"]
    panel = app.window.panel_docks.panels["runs"]
    assert isinstance(panel, RunsPanel)
    figures["runs"] = len(app.library.listing.runs)
    pause(qt, 4.0)
    figures["worst lateness while it starts, ms"] = late.worst
    panel.filter.setText("a")
    since = time.perf_counter()
    wait(qt, lambda: app.library.listing.searchable)
    figures["all settings read after the first key, s"] = time.perf_counter() - since
    panel.filter.clear()
    qt.processEvents()
    keys = []
    for text in TYPED:
        for end in range(1, len(text) + 1):
            begin = time.thread_time()
            panel.filter.setText(text[:end])
            panel.table.viewport().repaint()
            keys.append(1000 * (time.thread_time() - begin))
        panel.filter.clear()
        pause(qt, 0.1)
    figures["filter, median of a key, ms"] = sorted(keys)[len(keys) // 2]
    figures["filter, worst key, ms"] = max(keys)
    bar, pages = panel.table.verticalScrollBar(), []
    for page in range(PAGES):
        begin = time.thread_time()
        bar.setValue(bar.maximum() * page // PAGES)
        panel.table.viewport().repaint()
        pages.append(1000 * (time.thread_time() - begin))
    figures["scrolling, worst page, ms"] = max(pages)
    begin = time.thread_time()
    panel.columns.group("memory")
    panel.table.viewport().repaint()
    figures["grouping, ms"] = 1000 * (time.thread_time() - begin)
    panel.columns.group("")
    figures["a run changed, ms"] = changed_ms(app)
    figures["memory, MB"] = psutil.Process().memory_info().rss / 2**20
    print(json.dumps(figures))
    sys.stdout.flush()
    os._exit(0)


def changed_ms(app: App) -> float:
    """Milliseconds of the window's thread after the summary of a run changed."""
    listing = app.library.listing
    first = listing.runs[0]
    other = replace(first, summary=msgspec.structs.replace(first.summary, step=first.summary.step + 1))
    begin = time.thread_time()
    app.library.take(replace(listing, runs=[other, *listing.runs[1:]]))
    return 1000 * (time.thread_time() - begin)


def wait(qt: QApplication, condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Run the event loop until something holds."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        qt.processEvents()
        time.sleep(0.002)


def pause(qt: QApplication, seconds: float) -> None:
    """Run the event loop for so long."""
    until = time.monotonic() + seconds
    wait(qt, lambda: time.monotonic() >= until)


if __name__ == "__main__":
    sys.exit(main())
