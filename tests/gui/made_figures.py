"""A return panel that compares means over seeds, to export as a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.lab.library.library import Library
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.messages import EpisodeEnded, Evaluated, Event, encode
from dqngui.runs import folder as run_folder
from tests.doubles.scripted_host import ScriptedHost

RATES = (1e-3, 1e-4, 3e-4)
SEEDS = 5


def curve(level: float, seed: int) -> list[Event]:
    generator = np.random.default_rng([int(100 * level), seed])
    returns = 100.0 * level * np.tanh(np.arange(150) / 50.0) + generator.normal(0.0, 8.0, size=150)
    events: list[Event] = [EpisodeEnded(step=20 * (i + 1), ret=float(ret), length=20) for i, ret in enumerate(returns)]
    return [*events, Evaluated(step=2_000, returns=(50.0,), lengths=(20,), mean=50.0)]


def comparison(qtbot: QtBot, runs: Path) -> tuple[ReturnPanel, Library]:
    """The panel with an open run and the means of three learning rates; the library must be stopped afterwards."""
    first: list[Path] = []
    for number, rate in enumerate(RATES):
        for seed in range(SEEDS):
            changes = {"title": "Maze, 30 steps", "learn.lr": rate, "run.seed": seed}
            folder = run_folder.create(runs, settings.with_settings(config.Experiment(), changes))
            log = b"".join(encode(event) + b"\n" for event in curve(1.0 - 0.3 * number, seed))
            (folder / run_folder.EVENTS).write_bytes(log)
            first += [folder] if seed == 0 else []
    session = Session(config.Experiment(), runs=runs, open_host=ScriptedHost)
    library, panel = Library(session), ReturnPanel()
    qtbot.addWidget(panel)
    panel.attach(Sources(session=session, library=library, player=None, cursor=None))  # type: ignore[arg-type]
    panel.resize(640, 320)
    panel.show()
    with qtbot.waitSignal(library.changed):
        library.refresh()
    for number, folder in enumerate(first):
        library.overlay_seeds(folder)
        qtbot.waitUntil(lambda number=number: len(library.overlays) > number, timeout=5_000)
    qtbot.waitUntil(
        lambda: None not in [library.curve(folder) for overlay in library.overlays for folder in overlay.folders],
        timeout=5_000,
    )
    session.run.folder = first[-1]
    panel.show(History.of(curve(0.4, 0)))
    return panel, library
