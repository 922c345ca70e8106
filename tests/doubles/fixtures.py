"""Fixtures that tests of the lab and of the window share: a player that a test moves by hand, and a stored run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.doubles.scripted_player import ScriptedPlayer, Watched


@pytest.fixture
def player(qtbot: QtBot) -> Iterator[Watched]:
    """It plays nothing yet; its clock stands still until the test moves it."""
    ScriptedPlayer.opened.clear()
    made = Watched()
    yield made
    made.stop()
    made.deleteLater()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run with stored weights: the best, and those of two steps."""
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    for name in ("best", "20000", "60000"):
        (run / "checkpoints" / f"{name}.pt").write_bytes(b"")
    return run
