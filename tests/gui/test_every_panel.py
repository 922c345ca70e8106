"""Every panel of the catalog, fed by the board: whatever a run, an episode or a folder brings, seen or hidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from dqngui import catalog, config
from dqngui import messages as m
from dqngui.gui.cards.panel import Sources
from dqngui.gui.docking.panel_docks import PanelDocks
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.study import Study
from dqngui.lab.library.library import Library
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.runs import folder as runs
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import ScriptedPlayer, Watched
from tests.doubles.scripted_worker import ScriptedWorkers

EVENTS, STEPS = 1_000_000, 20_000


class LongPlayer(ScriptedPlayer):
    """Episodes of 20,000 steps with values, views and observations that are no numbers among them."""

    length = STEPS
    ready = msgspec.structs.replace(
        ScriptedPlayer.ready,
        views=(
            m.View("memory/hidden", ("unit",), (8,), signed=True),
            m.View("attention/self/0", ("head", "query", "key"), (2, 2, 2)),
        ),
    )

    def played(self, first: int, until: int) -> m.Played:
        told = super().played(first, until)
        t = np.arange(first, until)
        if self.recorded:
            told.tensors["view/attention/self/0"] = np.full((len(t), 2, 2, 2), 0.5, np.float32)
        for name, values in told.tensors.items():
            if values.dtype.kind == "f" and name != "reward":
                values[(t > 50) & (t < 100)] = np.nan
                values[t == 0] = np.inf
        return told


@pytest.fixture
def place(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """Two boards with the same sources: one that is always seen, and one to hide."""
    themes.apply(qapp, "dark")
    ScriptedPlayer.opened.clear()
    session = Session(config.Experiment(), runs=tmp_path / "runs", open_host=ScriptedHost)
    library, player = Library(session), Watched(LongPlayer)
    queue = RunQueue(session, start_worker=ScriptedWorkers())
    study = Study(player.client)  # it is asked nothing, so that no process begins
    windows, boards = [QMainWindow(), QMainWindow()], []
    for window in windows:
        qtbot.addWidget(window)
        panel_docks = PanelDocks(window)
        panel_docks.attach(Sources(session, player, library, study=study, queue=queue))
        player.grew.connect(panel_docks.take_views)
        player.moved.connect(panel_docks.follow)
        for number, dock in enumerate(panel_docks.docks.values()):
            window.addDockWidget(list(Qt.DockWidgetArea)[number % 2], dock)
        window.resize(2400, 1800)
        window.show()
        qtbot.waitExposed(window)
        boards.append(panel_docks)
    player.show_in(pictures=True, views=True)
    yield SimpleNamespace(
        session=session, library=library, player=player, queue=queue, boards=boards, runs=tmp_path / "runs"
    )
    player.stop()
    for part in (library, queue):
        part.stop()
        part.join()
    for panel_docks in boards:
        panel_docks.clear(History())
    del windows  # they own the boards


def events() -> Iterator[list[m.Event]]:
    """A million events in a few pieces, with what is no number, and one of everything that is drawn."""
    yield [
        m.EpisodeEnded(step=1, ret=float("nan"), length=1),
        m.Learned(step=2, updates=0, loss=float("nan"), q_mean=float("inf")),
        m.Evaluated(step=3, returns=(), lengths=(), mean=float("nan"), best=True),
    ]
    for piece in range(20):
        steps = range(50_000 * piece + 10, 50_000 * (piece + 1) + 10)
        some: list[m.Event] = [m.EpisodeEnded(step=step, ret=float(step % 997), length=20) for step in steps[::2]]
        some += [m.Learned(step=step, updates=step, loss=step % 31 / 31, epsilon=0.1) for step in steps[1::2]]
        yield [
            *some,
            m.Evaluated(step=steps[-1], returns=(float(piece),), lengths=(9,), mean=float(piece), best=True),
            m.KnobChanged(step=steps[-1], field="learn.lr", old=1e-3, new=5e-4),
            m.Warned(step=steps[-1], text="Slow."),
        ]


def settle(panel_docks: PanelDocks) -> None:
    """Draw everything that is new; layouts follow texts with the next turns of the loop."""
    for _ in range(3):
        panel_docks.refresh()
        QApplication.processEvents()


def pictures(panel_docks: PanelDocks) -> dict[str, QImage]:
    settle(panel_docks)
    return {name: panel.grab().toImage() for name, panel in panel_docks.panels.items()}


def make_runs(folder: Path) -> None:
    """Three runs, one of them with returns that are no numbers."""
    for seed in range(3):
        made = runs.create(folder, config.Experiment())
        ret = float("nan") if seed == 1 else float(seed)
        log = [m.encode(m.EpisodeEnded(step=10 * n, ret=ret, length=10)) for n in range(1, 50)]
        (made / runs.EVENTS).write_bytes(b"\n".join(log) + b"\n")
        summary = runs.summary_of(made)
        assert summary is not None
        runs.write_summary(made, msgspec.structs.replace(summary, state="stopped", step=500, best=None))


def test_hidden_for_a_million_events_and_a_long_episode_then_shown_equals_always_visible(
    qtbot: QtBot, place: SimpleNamespace
) -> None:
    seen, hidden = place.boards
    player, library = place.player, place.library
    assert seen.in_sight == hidden.in_sight == list(catalog.PANELS)
    nothing = pictures(seen)
    assert nothing == pictures(hidden)
    window = hidden.parent()
    arranged = window.saveState()
    for dock in hidden.docks.values():
        dock.hide()
    assert not hidden.in_sight

    for some in events():
        for panel_docks in place.boards:
            panel_docks.history.take(some)
            panel_docks.take(some)
        settle(seen)
    assert len(seen.history.returns) + len(seen.history.learned["loss"]) > 0.99 * EVENTS
    player.open(folder=place.runs, source="demo")
    player.start()
    player.pause()
    while player.playing is None or not player.playing.ended:
        player.advance(times=3)
        if player.playing is not None:
            player.seek(player.playing.length)
    player.seek(1_234)
    player.advance(times=6)
    assert (player.playing.length, player.playing.t) == (STEPS, 1_234)
    make_runs(place.runs)
    with qtbot.waitSignal(library.changed):
        library.refresh()
    place.queue.set_paused(True)
    place.queue.add_draft([0, 1])
    qtbot.waitUntil(lambda: len(place.queue.rows) == 2)
    for summary in library.summaries:
        library.overlay(Path(summary.folder))
    qtbot.waitUntil(lambda: all(library.curve(Path(summary.folder)) is not None for summary in library.summaries))

    always = pictures(seen)
    assert window.restoreState(arranged)
    QApplication.processEvents()
    again = pictures(hidden)
    assert hidden.in_sight == list(catalog.PANELS)
    for name in catalog.PANELS:
        assert always[name].size() == nothing[name].size(), name
        assert always[name] != nothing[name], name
        assert always[name] == again[name], name

    player.client.close()
    for panel_docks in place.boards:
        panel_docks.clear(History())
    for name in set(catalog.PANELS) - {"runs", "queue"}:  # the folder keeps its runs and its queue
        for panel_docks in place.boards:
            assert not panel_docks.panels[name].has_content() or name == "return", name  # whose overlays stay
    one, other = (pictures(panel_docks) for panel_docks in place.boards)
    for name in catalog.PANELS:
        assert one[name] == other[name], name
