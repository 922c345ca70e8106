"""The player with its real process: the demo plays, a killed process comes back, and stopping leaves none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from pytestqt.qtbot import QtBot

from dqngui.lab.playback.agent_ref import demo_run
from dqngui.lab.playback.player import Player


@pytest.fixture
def player(qtbot: QtBot) -> Iterator[Player]:
    made = Player()
    made.show_in(pictures=True, views=True)
    yield made
    made.stop()
    qtbot.waitUntil(lambda: not made.alive, timeout=10_000)
    made.join()


def test_the_demo_plays_comes_back_once_and_leaves_nothing(qtbot: QtBot, player: Player) -> None:
    folder = demo_run()
    assert folder is not None
    before = set(psutil.Process().children(recursive=True))
    player.open(folder=folder, source="demo")
    player.start()
    qtbot.waitUntil(lambda: player.playing is not None and player.playing.t > 5, timeout=60_000)
    assert player.problem == ""
    playing, frame = player.playing, player.frame
    assert playing is not None and frame is not None
    assert frame.shape[1] <= player.frames.size[0] and frame.shape[0] <= player.frames.size[1]
    assert playing.q.shape == (playing.length, len(playing.ready.actions))
    assert np.isfinite(playing.q).all()
    for view in playing.ready.views:
        assert playing.view(view.name).shape == (playing.length, *view.shape)

    (child,) = set(psutil.Process().children(recursive=True)) - before
    child.kill()
    qtbot.waitUntil(lambda: player.playing is not playing and player.playing.t > 0, timeout=60_000)  # type: ignore[union-attr]
    assert player.problem == ""
    assert player.playing.seed == playing.seed  # type: ignore[union-attr]
    player.stop()
    qtbot.waitUntil(lambda: not player.alive, timeout=5_000)
    assert set(psutil.Process().children(recursive=True)) <= before


def test_stopping_while_the_process_starts_leaves_nothing(qtbot: QtBot, player: Player) -> None:
    before = set(psutil.Process().children(recursive=True))
    player.open(folder=demo_run(), source="demo")
    player.start()
    player.stop()
    qtbot.waitUntil(lambda: not player.alive, timeout=5_000)
    player.start()  # too late
    assert set(psutil.Process().children(recursive=True)) <= before
