"""Attention over training: the card that asks every checkpoint, its curves, and a real process once."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from driving import until
from made_panels import AskedCursor, made
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.over_training.over_training_panel import OverTrainingPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.study import Study
from dqngui.lab.cursor.cursor import Cursor
from dqngui.messages import OverTraining
from tests.doubles.scripted_study import ScriptedStudy, Turned, Who

LAGS, POOL = "memory/attention/0", "attention/pool"


def row(number: int, step: int, last: bool = False) -> OverTraining:
    """Heads that look at less and less, ever farther back; one of them is unknown at the first checkpoint."""
    share, unknown = 1 - step / 10_000, float("nan") if step == 1_000 else 0.5
    entropy = {LAGS: (share, unknown), POOL: (0.25,)}
    return OverTraining(step=step, number=number, entropy=entropy, distance={LAGS: (step / 1_000, 3.0)}, last=last)


@pytest.fixture
def world(qtbot: QtBot, qapp: QApplication) -> SimpleNamespace:
    """The card in sight, its study, and the player whose agent it asks about."""
    themes.apply(qapp, "dark")
    ScriptedStudy.opened.clear()
    player = Who()
    study = Turned(player)
    panel = made(qtbot, OverTrainingPanel, 420, 320)
    panel.attach(Sources(None, player, None, study=study))  # type: ignore[arg-type]
    panel.show(panel.history)
    return SimpleNamespace(panel=panel, player=player, study=study)


def ask(world: SimpleNamespace) -> m.AskOverTraining:
    """Open an agent, press the button, and let the question reach the process."""
    world.player.open(folder=Path("run"))
    world.panel.start.click()
    world.study.turn()
    asked: m.AskOverTraining = ScriptedStudy.opened[-1].questions()[-1]
    return asked


def tell(world: SimpleNamespace, *events: m.Event) -> None:
    ScriptedStudy.opened[-1].emit(*events)
    world.study.turn()


def measured(world: SimpleNamespace, steps: tuple[int, ...] = (1_000, 5_000, 8_000)) -> OverTrainingPanel:
    number = ask(world).number
    tell(world, *(row(number, step, step == steps[-1]) for step in steps))
    panel: OverTrainingPanel = world.panel
    return panel


def test_before_an_agent_plays_there_is_nothing_to_press(world: SimpleNamespace) -> None:
    assert world.panel.empty_text == world.panel.promise and not world.panel.start.isVisible()
    world.player.open(folder=Path("run"))
    assert world.panel.start.isVisible()


def test_points_come_checkpoint_by_checkpoint(world: SimpleNamespace) -> None:
    panel = world.panel
    number = ask(world).number
    assert panel.button.text() == "Cancel" and panel.entropy.isHidden()
    tell(world, m.Progress(step=0, number=number, share=0.5, text="Checkpoint 2 of 3"))
    assert (panel.progress.value(), panel.status.text()) == (50, "Checkpoint 2 of 3")
    tell(world, row(number, 1_000))
    assert panel.entropy.isVisible() and panel.entropy.value.text() == "90 %"
    tell(world, row(number, 5_000), row(number, 8_000, last=True))
    assert panel.button.text() == "Measure" and panel.progress.isHidden()
    assert panel.entropy.value.text() == "35 %" and panel.distance.value.text() == "5.50 steps"
    np.testing.assert_allclose(panel.curves_of("entropy"), [[90, np.nan], [50, 50], [20, 50]])
    np.testing.assert_allclose(panel.entropy.means, [90, 50, 35])


def test_a_view_without_past_steps_has_no_distance(world: SimpleNamespace) -> None:
    panel = measured(world)
    assert panel.view.offered == {LAGS: "memory, layer 1", POOL: "pooling"} and panel.distance.isVisible()
    panel.view.trigger(POOL)
    assert panel.distance.isHidden() and panel.entropy.value.text() == "25 %"


def test_what_was_measured_stays_until_something_newer_comes(world: SimpleNamespace) -> None:
    panel = measured(world)
    panel.button.click()
    world.study.turn()
    number = ScriptedStudy.opened[-1].questions()[-1].number
    assert len(panel.rows) == 3 and panel.button.text() == "Cancel"
    tell(world, row(number, 1_000))
    assert [each.step for each in panel.rows] == [1_000]


def test_cancelling_keeps_what_has_come(world: SimpleNamespace) -> None:
    panel = world.panel
    number = ask(world).number
    tell(world, row(number, 1_000))
    panel.button.click()
    assert ScriptedStudy.opened[-1].sent[-1] == m.Abandon(number=number)
    tell(world, row(number, 5_000))
    assert [each.step for each in panel.rows] == [1_000] and panel.button.text() == "Measure"


def test_without_an_answer_it_says_why_and_offers_to_try_again(world: SimpleNamespace) -> None:
    number = ask(world).number
    tell(world, m.Unanswered(step=0, number=number, text="this run has stored no checkpoints yet"))
    assert world.panel.empty_text == "Not measured: this run has stored no checkpoints yet."
    assert world.panel.start.isVisible()


def test_another_agent_and_another_run_begin_anew(world: SimpleNamespace) -> None:
    panel = measured(world)
    world.player.open(folder=Path("other"))
    assert panel.rows == [] and panel.empty_text
    measured(world)
    panel.clear()
    assert panel.rows == [] and panel.empty_text


def test_a_click_asks_for_the_nearest_checkpoint_and_the_same_again_lets_go(
    qtbot: QtBot, world: SimpleNamespace
) -> None:
    panel = measured(world)
    cursor = panel.cursor_control = AskedCursor()
    panel.entropy.plot.clicked.emit(4_400.0)
    panel.seek(cursor.asked[-1])
    panel.distance.plot.clicked.emit(5_600.0)
    assert cursor.asked == [Cursor(5_000), None]


def test_the_readout_names_every_head(world: SimpleNamespace) -> None:
    panel = measured(world)
    assert panel.entropy.readout(4_900) == "<b>5,000</b> · mean 50 %<br>head 1: 50 %<br>head 2: 50 %"
    assert "head 2: not known" in panel.entropy.readout(0)


@pytest.mark.parametrize("size", [(300, 150), (420, 320), (900, 240)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_plots_stand_where_they_have_room(world: SimpleNamespace, size: tuple[int, int], theme: themes.Setting) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    panel = measured(world)
    panel.restyle(themes.apply(app, theme))
    panel.resize(*size)
    QApplication.processEvents()
    beside = panel.distance.x() > panel.entropy.x()
    assert beside == (size[0] > 1.5 * size[1])
    assert all(panel.content.rect().contains(plot.geometry()) for plot in (panel.entropy, panel.distance))


def test_the_table_has_a_row_a_checkpoint_view_and_head(world: SimpleNamespace, tmp_path: Path) -> None:
    measured(world).export_csv(tmp_path / "table.csv")
    rows = list(csv.reader((tmp_path / "table.csv").open(encoding="utf-8")))
    assert rows[0] == ["step", "view", "head", "entropy", "distance"] and len(rows) == 1 + 3 * 3
    assert rows[4] == ["5000", LAGS, "0", "0.5", "5.0"] and rows[6] == ["5000", POOL, "0", "0.25", ""]


def test_a_real_process_tells_of_every_checkpoint(qtbot: QtBot, tmp_path: Path) -> None:
    from dqngui.hosts import run_inline
    from dqngui.runs.checkpoints import checkpoints
    from dqngui.runs.folder import create
    from dqngui.settings import with_settings

    short = {
        "run.total_steps": 300, "run.eval_every": 0, "run.checkpoint_every": 100, "learn.warmup": 100, "net.width": 16,
        "net.memory": "transformer", "run.device": "cpu",
    }  # fmt: skip
    asked = with_settings(presets.read_experiment("cartpole-positions"), short)
    folder = create(tmp_path, asked)
    list(run_inline(m.Request(job="train", experiment=asked, folder=str(folder))))
    player = Who()
    study = Study(player)
    panel = made(qtbot, OverTrainingPanel, 420, 320)
    panel.attach(Sources(None, player, None, study=study))  # type: ignore[arg-type]
    panel.show(panel.history)
    try:
        player.open(folder=folder)
        qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
        until(lambda: bool(panel.question.number) and not panel.question.is_open, 120)
        assert [each.step for each in panel.rows] == checkpoints(folder) and len(panel.rows) >= 3
        assert {name.rsplit("/", 1)[0] for name in panel.rows[0].distance} == {"memory/attention"}
    finally:
        study.stop()
        until(lambda: not study.alive, 20)
        study.join()
