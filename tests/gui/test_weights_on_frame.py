"""What the agent sees in its card: where attention lies pixels change, and there alone; saliency comes when asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.cards.card import Card
from dqngui.gui.charts.painted_text import WholeLetters
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.scene.observation_drawn import width_of_numbers
from dqngui.gui.scene.observation_view import ObservationView, heat
from dqngui.gui.style import theme as themes
from dqngui.hosts import open_host
from dqngui.lab.analysis.overlay import StepOverlay, WeightsOverlay, heads_of, offered
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.settings import experiment_from
from tests.doubles.made_playing import rows_of

TOKENS = (*(f"cell {row},{column}" for row in range(2) for column in range(3)), "mission")
POOL = m.View("attention/pool", ("head", "key"), (2, 7))
SELF = m.View("attention/self/0", ("head", "query", "key"), (2, 7, 7))
LAGS = m.View("memory/attention/0", ("head", "lag"), (2, 5))
SALIENT = m.View("saliency/integrated", ("row", "column"), (2, 3), signed=True)
FEATURES = m.View("saliency/gradient", ("feature",), (2,), signed=True)


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def episode(views: tuple[m.View, ...], turned: bool = False, **tensors: Any) -> PlayedEpisode:
    ready = m.PlayerReady(
        step=0, environment="E", views=views, labels={"key": TOKENS}, cells=(0, 2, 3),
        observed_size=(2, 3), transposed=turned,
        derivable=(SALIENT,), features=("angle", "speed"), actions=("left", "right"),
    )  # fmt: skip
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=0, number=1, seed=1), "demo")
    rows = rows_of(views, 4) | tensors
    playing.take(m.Played(step=0, number=1, first=0, tensors=rows))
    return playing


# -- which weights ----------------------------------------------------------------------------------


def test_attention_and_saliency_can_be_laid_over() -> None:
    ready = episode((POOL, SELF, LAGS)).ready
    assert [view.name for view in offered(ready)] == ["attention/pool", "attention/self/0", "saliency/integrated"]
    assert heads_of(ready, "attention/pool") == 2
    assert WeightsOverlay("attention/pool", 1).words(ready) == "Pooling · head 2"
    assert WeightsOverlay("attention/pool").words(ready) == "Pooling · mean of the heads"
    assert WeightsOverlay("saliency/integrated").words(ready) == "Saliency: integrated gradients"


def test_heads_and_queries_are_averaged_or_chosen() -> None:
    playing = episode((POOL, SELF))
    pool, own = playing.view("attention/pool"), playing.view("attention/self/0")
    laid = WeightsOverlay("attention/pool").at(playing, 2)
    assert laid is not None and laid.cells is not None
    assert np.allclose(laid.cells, pool[2].mean(0)[:6].reshape(2, 3))
    assert (laid.names, laid.weights) == (["mission"], pytest.approx(pool[2].mean(0)[6:]))
    laid = WeightsOverlay("attention/self/0", 1).at(playing, 9)  # not known yet: the last that is
    assert laid is not None and laid.cells is not None
    assert np.allclose(laid.cells, own[3, 1].mean(0)[:6].reshape(2, 3))


def test_each_action_asks_for_itself_and_turned_maps_are_put_upright() -> None:
    asks = m.View("attention/action", ("head", "action", "key"), (2, 2, 7))
    playing = episode((asks,), turned=True, action=np.array([0, 1, 1, 0]))
    laid = WeightsOverlay("attention/action").at(playing, 1)
    assert laid is not None and laid.cells is not None
    assert np.allclose(laid.cells, playing.view(asks.name)[1, :, 1].mean(0)[:6].reshape(2, 3).T)


def test_what_was_not_recorded_is_not_drawn() -> None:
    playing = episode((POOL,))
    assert WeightsOverlay("saliency/integrated").at(playing, 0) is None
    assert WeightsOverlay("attention/none").at(playing, 0) is None


# -- pixels -----------------------------------------------------------------------------------------


def pixels_of(view: ObservationView) -> np.ndarray:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_pixels_change_where_the_attention_lies_and_nowhere_else(qtbot: QtBot, qapp: QApplication, theme: Any) -> None:
    themes.apply(qapp, theme)
    view = ObservationView()
    qtbot.addWidget(view)
    view.resize(320, 226)  # 300 x 210 within its margins: cells of 100 or 105 pixels
    playing = episode((POOL,))
    told = {"picture": np.full((2, 3, 3), 90, np.uint8)}
    cells = np.zeros((2, 3))
    names: list[str] = []

    def drawn(weights: np.ndarray | None) -> np.ndarray:
        laid = None if weights is None else StepOverlay(names, np.empty(0), weights, signed=False)
        view.show_step(playing, 0, told, laid, alone=False)
        return pixels_of(view)

    nothing = drawn(cells)
    cells[1, 2] = 0.8
    changed = np.argwhere((drawn(cells) != nothing).any(-1))
    assert len(changed) > 5000
    low, high = changed.min(0), changed.max(0)
    assert low[0] >= 226 / 2 - 2 and low[1] >= 8 + 2 * 304 / 3 - 4  # the lower row's right cell
    assert high[0] - low[0] <= 106 and high[1] - low[1] <= 106
    themes.apply(qapp, "dark")


def test_heavier_cells_are_less_see_through_and_signs_have_colours() -> None:
    image = heat(np.array([[0.0, 0.2, 0.4]]), 0.4, signed=False)
    alpha = [QColor(image.pixelColor(column, 0)).alpha() for column in range(3)]
    assert alpha == [0, 90, 180]
    image = heat(np.array([[-1.0, 1.0, np.nan]]), 1.0, signed=True)
    assert image.pixelColor(0, 0).rgb() != image.pixelColor(1, 0).rgb()
    assert image.pixelColor(2, 0).alpha() == 0
    assert heat(np.zeros((2, 2)), 0.0, signed=True).pixelColor(1, 1).alpha() == 0


def test_numbers_have_their_shares_beside_their_names(qtbot: QtBot) -> None:
    view = ObservationView()
    qtbot.addWidget(view)
    playing = episode((FEATURES,), observation=np.array([[0.5, -2.0]] * 4, np.float32))
    laid = StepOverlay(["angle", "speed", "mission"], np.array([0.7, 0.2, 0.1]), None, signed=False)
    view.show_step(playing, 1, {}, laid, caption="Pooling")
    assert [(row.name, row.value, row.bar) for row in view.rows] == [
        ("angle", 0.5, pytest.approx(0.7)),
        ("speed", -2.0, pytest.approx(0.2)),
        ("mission", None, pytest.approx(0.1)),
    ]
    for size in ((300, 140), (120, 60), (700, 500)):
        view.resize(*size)
        assert not view.grab().isNull()


def test_every_number_has_room(qtbot: QtBot) -> None:
    view, letters = ObservationView(), WholeLetters(themes.font(themes.TICK_PX))
    qtbot.addWidget(view)
    for weight, text in ((0.5, "0.500"), (0.000895, "8.95e-4"), (-1.234e-05, "−1.23e-5")):
        laid = StepOverlay(["angle"], np.array([weight]), None, signed=True)
        view.show_step(episode((FEATURES,)), 1, {}, laid)
        assert width_of_numbers(letters, view.rows) >= letters.width(text)


def test_texts_and_a_picture_replace_a_list_of_cells(qtbot: QtBot) -> None:
    view = ObservationView()
    qtbot.addWidget(view)
    playing = episode(())
    ready = m.PlayerReady(
        step=0, environment="E", features=("map[0, 1]", "map[1, 1]", "direction"), observed_size=(1, 2)
    )
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=0, number=1, seed=1), "demo")
    told = {
        "observation": np.array([1.0, 2.0, 3.0]),
        "picture": np.zeros((1, 2, 3), np.uint8),
        "text/mission": np.frombuffer("öffne die Tür".encode(), np.uint8),
    }
    view.show_step(playing, 0, told)
    assert [(row.name, row.value) for row in view.rows] == [("direction", 3.0)]
    assert view.drawn.texts == {"mission": "öffne die Tür"}
    view.resize(260, 200)
    assert not view.grab().isNull()


# -- with a real agent --------------------------------------------------------------------------------


def card_of(qtbot: QtBot, player: Player, env: dict[str, Any], **net: Any) -> AgentPanel:
    import torch

    from dqngui.envs.make import make_vector
    from dqngui.nets.network import build_network

    experiment = experiment_from({"env": env, "net": {"width": 16, "tokens": "feature", **net}})
    spaces = make_vector(experiment.env, 1).spaces
    weights = build_network(spaces, experiment, torch.Generator().manual_seed(0)).state_dict()
    panel = AgentPanel()
    card = Card(panel.title, panel)
    for widget in panel.header_widgets:
        card.add_to_header(widget)
    qtbot.addWidget(card)
    panel.card = card  # type: ignore[attr-defined]  # the card owns the panel, and Python must own the card
    panel.follow_player(player)
    player.grew.connect(lambda playing: (panel.take_views(playing), panel.refresh()))
    card.resize(420, 520)
    card.show()
    player.start()
    player.open(experiment=experiment)
    player.client.use_weights(m.Weights(step=1000, tensors=weights))
    qtbot.waitUntil(lambda: player.playing is not None and player.playing.length > 2, timeout=30_000)
    return panel


@pytest.fixture
def player(qtbot: QtBot) -> Iterator[Player]:
    made = Player(open_host=lambda kind, request: open_host("thread", request))
    made.show_in(pictures=True, views=False)
    yield made
    made.stop()
    qtbot.waitUntil(lambda: not made.alive, timeout=10_000)
    made.join()


def test_saliency_is_computed_only_while_somebody_looks(qtbot: QtBot, player: Player) -> None:
    panel = card_of(qtbot, player, {"id": "CartPole-v1"}, attention="self")
    first = player.playing
    assert first is not None and not first.has_views
    assert not panel.scene.observation.isVisible()
    panel.overlays.choose(True, WeightsOverlay("saliency/integrated"))
    qtbot.waitUntil(lambda: player.playing is not first and len(panel.scene.observation.rows) == 4, timeout=30_000)
    qtbot.waitUntil(lambda: any(row.weight and row.bar for row in panel.scene.observation.rows), timeout=30_000)
    playing = player.playing
    assert playing is not None and playing.seed == first.seed
    assert "saliency/integrated" in playing.views and "saliency/gradient" not in playing.views
    assert panel.scene.frame.isVisible() and panel.scene.observation.isVisible()
    panel.overlays.choose(False, None)
    player.episodes.next_episode()
    qtbot.waitUntil(lambda: player.playing is not playing and player.playing.length > 2, timeout=30_000)  # type: ignore[union-attr]
    assert player.playing is not None and not player.playing.has_views
    assert not panel.scene.observation.isVisible()


def test_minigrid_is_drawn_from_its_agents_place_with_its_mission(qtbot: QtBot, player: Player) -> None:
    pytest.importorskip("minigrid")
    panel = card_of(qtbot, player, {"id": "MiniGrid-MemoryS7-v0"}, attention="self", memory="gru")
    panel.overlays.choose(True, WeightsOverlay("attention/pool"))
    seen = panel.scene.observation
    qtbot.waitUntil(lambda: seen.drawn.picture is not None and seen.drawn.overlay is not None, timeout=60_000)
    assert seen.drawn.overlay is not None and seen.drawn.overlay.cells is not None
    assert seen.drawn.overlay.cells.shape == (7, 7)
    assert [row.name for row in seen.rows] == ["direction", "mission"]
    assert "matching object" in seen.drawn.texts["mission"]


def test_every_array_of_the_episode_is_written_with_its_axes(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    env = {"id": "dqngui/TMaze-v0", "kwargs": {"length": 6}}
    panel = card_of(qtbot, player, env, attention="self", memory="gru")
    with qtbot.waitSignal(panel.arrays.ended, timeout=60_000) as ended:
        panel.arrays.start(tmp_path / "episode.npz")
    assert ended.args == ["arrays saved as episode.npz"]
    assert [path.name for path in tmp_path.iterdir()] == ["episode.npz"]
    with np.load(tmp_path / "episode.npz", allow_pickle=False) as arrays:
        assert arrays["q"].shape == (7, 2)
        assert arrays["axes/q"].tolist() == ["t", "action"]
        assert arrays["view/attention/self/0"].shape[1:] == (4, 3, 3)
        assert arrays["axes/view/attention/self/0"].tolist() == ["t", "head", "query", "key"]
        assert arrays["labels/key"].tolist() == ["cue", "corridor", "junction"]
        assert arrays["view/saliency/gradient"].shape == (7, 3)
        assert '"environment": "dqngui/TMaze-v0"' in str(arrays["about"])
        names = {name for name in arrays.files if name.startswith("view/")}
        assert {f"axes/{name}" for name in names} <= set(arrays.files)
    assert not panel.arrays.busy
    panel.export_csv(tmp_path / "episode.csv")
    lines = (tmp_path / "episode.csv").read_text().splitlines()
    assert lines[0] == "t,action,reward,value of up,value of down,cue,corridor,junction"
    assert len(lines) == 8


def test_a_folder_that_is_not_there_is_said(qtbot: QtBot, player: Player, tmp_path: Path) -> None:
    panel = card_of(qtbot, player, {"id": "dqngui/TMaze-v0", "kwargs": {"length": 3}})
    with qtbot.waitSignal(panel.arrays.ended, timeout=60_000) as ended:
        panel.arrays.start(tmp_path / "nowhere" / "episode.npz")
    assert "No such file" in ended.args[0]
    assert not panel.arrays.busy
