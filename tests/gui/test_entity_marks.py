"""Attention on entities, marked on the environment's picture: where they are, of that very step, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.export.film_sheet import FilmSheet
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.scene.frame import FrameView
from dqngui.gui.style import theme as themes
from dqngui.hosts import open_host
from dqngui.lab.analysis.overlay import StepOverlay, WeightsOverlay
from dqngui.lab.playback.episode import EpisodeRequest, PlayedEpisode
from dqngui.lab.playback.step_descriptions import STEPS_AHEAD
from dqngui.settings import experiment_from
from tests.doubles.scripted_player import ScriptedPlayer, Watched

POOL = m.View("attention/pool", ("head", "key"), (2, 4))
OVERLAY = WeightsOverlay(POOL.name)
PLACES = np.array([[0.25, 0.5], [np.nan, np.nan], [0.75, 0.5]], np.float32)
WEIGHTS = np.array([[0.1, 0.6, 0.0, 0.3], [0.1, 0.2, 0.0, 0.7]], np.float32)
"""Of two heads: a query, and three entities of which the second is absent."""


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> Iterator[None]:
    themes.apply(qapp, "dark")
    yield
    themes.apply(qapp, "dark")


def laid(entities: list[float], t: int = 0) -> StepOverlay:
    weights = np.array(entities)
    return StepOverlay([f"entity {index + 1}" for index in range(len(weights))], weights, None, False, weights, t)


# -- which marks ------------------------------------------------------------------------------------


def test_marks_are_the_present_entities_by_weight() -> None:
    marks = laid([0.6, 0.0, 0.3]).marks(0, {"places": PLACES})
    assert marks.tolist() == [[0.75, 0.5, 0.3], [0.25, 0.5, 0.6]]  # the heaviest last, over the others
    query = StepOverlay(["query", "entity 1"], np.array([0.8, 0.2]), None, False, np.array([0.2]))
    assert query.marks(0, {"places": PLACES[:1]})[0, 2] == pytest.approx(0.2)  # as its bar beside the picture


@pytest.mark.parametrize(
    "told", [{}, {"places": PLACES[:2]}, {"places": PLACES.ravel()}, {"places": np.full((3, 2), np.inf)}]
)
def test_without_fitting_places_nothing_is_marked(told: dict[str, Any]) -> None:
    assert laid([0.6, 0.0, 0.3]).marks(0, told).shape == (0, 3)


def test_weights_of_another_step_mark_nothing() -> None:
    assert len(laid([0.6, 0.0, 0.3], t=4).marks(5, {"places": PLACES})) == 0
    assert len(laid([0.0, 0.0, 0.0]).marks(0, {"places": PLACES})) == 0
    assert len(laid([float("nan"), 0.0, 0.3]).marks(0, {"places": PLACES})) == 0


def test_attention_to_all_alike_is_drawn_as_little() -> None:
    even = StepOverlay([f"entity {n}" for n in range(16)], np.full(16, 1 / 16), None, signed=False)
    assert even.full == pytest.approx(3 / 16)
    one = StepOverlay(even.names, np.array([0.85, *[0.01] * 15]), None, signed=False)
    assert one.full == pytest.approx(0.85)
    saliency = StepOverlay(even.names, np.full(16, -0.02), None, signed=True)
    assert saliency.full == pytest.approx(0.02)


def test_what_lies_outside_the_picture_is_not_marked() -> None:
    outside = np.array([[-0.01, 0.5], [0.5, 1.01], [1.0, 0.0]], np.float32)
    assert laid([0.4, 0.4, 0.2]).marks(0, {"places": outside})[:, :2].tolist() == [[1.0, 0.0]]


# -- pixels -----------------------------------------------------------------------------------------


def pixels_of(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def contrast(picture: int, marks: np.ndarray) -> np.ndarray:
    """How much each pixel (200, 400) of a plain picture in the widget's middle changes by the marks."""
    view = FrameView()
    view.resize(420, 200)
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(picture, picture, picture))
    view.set_image(image)
    plain = pixels_of(view.grab().toImage())
    view.set_marks(marks)
    changed = np.abs(pixels_of(view.grab().toImage()) - plain).max(-1)
    view.set_image(image)
    assert np.array_equal(pixels_of(view.grab().toImage()), plain)  # a new picture has none
    view.deleteLater()
    assert not changed[:, :10].any() and not changed[:, -10:].any()  # beside the picture
    return changed[:, 10:-10]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("picture", [0, 90, 128, 200, 255])
def test_a_heavy_mark_is_seen_on_any_picture_and_only_around_its_place(
    qapp: QApplication, theme: Any, picture: int
) -> None:
    themes.apply(qapp, theme)
    changed = contrast(picture, np.array([[0.25, 0.5, 1.0]]))
    rows, columns = np.nonzero(changed > 40)
    assert len(rows) > 100
    distance = np.hypot(rows + 0.5 - 100, columns + 0.5 - 100)
    assert distance.min() > 6 and distance.max() < 16  # a ring: what is in it can be seen
    assert changed.max() > 120
    angles = np.arctan2(rows + 0.5 - 100, columns + 0.5 - 100)
    assert len(np.unique(np.floor(angles / (np.pi / 8)))) == 16  # the whole way around


def test_marks_grow_with_their_weights_and_tiny_ones_vanish() -> None:
    seen = [int(contrast(128, np.array([[0.5, 0.5, strength]])).sum()) for strength in (0.0, 0.02, 0.1, 0.4, 1.0)]
    assert seen[0] == 0
    assert seen[1] < 0.02 * seen[-1]
    assert seen[2] < 0.15 * seen[-1] and seen[3] < 0.6 * seen[-1]
    assert seen == sorted(seen)


def test_a_mark_at_the_edge_stays_in_the_picture() -> None:
    assert contrast(128, np.array([[0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])).any()  # `contrast` looks beside it


# -- in the card ------------------------------------------------------------------------------------


@pytest.fixture
def entities(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted agent attends to entities; the heaviest is the first at even steps, the third at odd ones."""
    ready = msgspec.structs.replace(
        ScriptedPlayer.ready, views=(POOL,), entities=(1, 3), labels={"key": ("query", "e 1", "e 2", "e 3")}
    )
    plain = ScriptedPlayer.played

    def played(self: ScriptedPlayer, first: int, until: int) -> m.Played:
        event = plain(self, first, until)
        if self.recorded:
            rows = [WEIGHTS if t % 2 == 0 else WEIGHTS[:, [0, 3, 2, 1]] for t in range(first, until)]
            event.tensors["view/attention/pool"] = np.stack(rows)
        return event

    monkeypatch.setattr(ScriptedPlayer, "ready", ready)
    monkeypatch.setattr(ScriptedPlayer, "played", played)


@pytest.fixture
def panel(entities: None, qtbot: QtBot, player: Watched, folder: Path) -> AgentPanel:
    """Stands at step 10; its overlay's head is the first."""
    made = AgentPanel()
    qtbot.addWidget(made)
    made.follow_player(player)
    made.resize(420, 520)
    made.show()
    player.grew.connect(lambda playing: (made.take_views(playing), made.refresh()))
    made.overlays.choose(True, WeightsOverlay(POOL.name, 0))
    player.open(folder=folder)
    player.start()
    player.advance(times=4)
    player.pause()
    player.seek(10)
    player.advance(times=4)
    assert player.shown[-1] == (10, 10)
    return made


def describe(player: Watched, *steps: int, places: Any = PLACES) -> None:
    """Answer for these steps."""
    number = player.playing.number  # type: ignore[union-attr]
    for t in steps:
        player.host.emit(m.Described(step=0, number=number, t=t, tensors={} if places is None else {"places": places}))
    player.advance()


FIRST = [[0.75, 0.5, pytest.approx(0.3)], [0.25, 0.5, pytest.approx(0.6)]]
THIRD = [[0.25, 0.5, pytest.approx(0.3)], [0.75, 0.5, pytest.approx(0.6)]]


def test_entities_are_marked_once_their_places_have_come(panel: AgentPanel, player: Watched) -> None:
    assert len(panel.frame.marks) == 0
    plain = panel.frame.grab().toImage()
    describe(player, 10)
    assert panel.frame.marks.tolist() == FIRST
    assert panel.frame.grab().toImage() != plain
    assert [row.name for row in panel.scene.observation.rows] == ["query", "e 1", "e 2", "e 3"]  # bars beside it stay
    panel.overlays.choose(True, WeightsOverlay(POOL.name, 1))
    assert panel.frame.marks[-1].tolist() == [0.75, 0.5, pytest.approx(0.7)]
    panel.overlays.choose(True, OVERLAY)  # the mean of the heads
    assert panel.frame.marks[0].tolist() == [0.25, 0.5, pytest.approx(0.4)]


def test_another_step_is_not_marked_by_the_places_of_the_former(panel: AgentPanel, player: Watched) -> None:
    describe(player, 10)
    player.step(1)
    player.advance(times=3)
    assert player.shown[-1] == (11, 11)
    assert len(panel.frame.marks) == 0
    describe(player, 10)  # late
    assert len(panel.frame.marks) == 0
    describe(player, 11)
    assert panel.frame.marks.tolist() == THIRD
    player.step(-1)
    player.advance(times=3)
    assert panel.frame.marks.tolist() == FIRST  # known from before


def asked(player: Watched) -> list[int]:
    return [command.t for command in player.host.all_of(m.Describe)]


def test_the_next_steps_places_are_there_when_its_picture_comes(panel: AgentPanel, player: Watched) -> None:
    describe(player, 0)
    for t in range(10, 11 + STEPS_AHEAD):
        assert asked(player)[-1] == t  # the shown one first, then one after the other
        describe(player, t)
    sent = len(asked(player))
    player.advance(times=3)
    assert len(asked(player)) == sent  # no further ahead
    marked: list[list[Any]] = []
    player.framed.connect(lambda image, t: marked.append([t, *panel.frame.marks.tolist()]))
    player.step(1)
    player.advance(times=3)
    assert marked == [[11, *THIRD]]
    assert asked(player)[sent:] == [11 + STEPS_AHEAD]


def test_a_question_that_another_took_the_place_of_is_asked_again(panel: AgentPanel, player: Watched) -> None:
    assert asked(player) == [0]  # one at a time
    describe(player, 0)
    assert asked(player) == [0, 10]
    describe(player, 60)  # a film's, say: the newest question wins
    assert asked(player) == [0, 10, 10] and len(panel.frame.marks) == 0
    describe(player, 10)
    assert panel.frame.marks.tolist() == FIRST
    player.seek(99)
    player.advance(times=3)
    describe(player, 99, 100)
    assert asked(player)[-1] == 100  # what is seen behind the last step, and nothing behind that


def test_a_picture_that_stands_in_has_its_own_marks(panel: AgentPanel, player: Watched) -> None:
    describe(player, 10)
    player.host.draws = False
    player.seek(41)
    player.advance(1.0)
    player.advance(times=2)
    assert player.playing is not None and (player.playing.t, player.frames.substitute_step) == (41, 10)
    assert panel.frame.marks.tolist() == FIRST
    describe(player, 41)
    assert panel.frame.marks.tolist() == FIRST  # the picture is still that of step 10
    player.host.draw_late()
    player.advance(times=2)
    assert player.shown[-1] == (41, 41)
    assert panel.frame.marks.tolist() == THIRD


def test_the_picture_alone_and_what_is_seen_alone_have_no_marks(panel: AgentPanel, player: Watched) -> None:
    describe(player, 10)
    for shows, overlay in ((False, None), (True, None), (False, OVERLAY)):
        panel.overlays.choose(True, OVERLAY)
        assert len(panel.frame.marks) == 2
        panel.overlays.choose(shows, overlay)
        assert len(panel.frame.marks) == 0


def test_behind_the_last_step_and_without_places_there_are_none(panel: AgentPanel, player: Watched) -> None:
    player.seek(1000)
    player.advance(times=4)
    assert player.shown[-1][0] == 100
    describe(player, 100)  # its entities are known, but nobody attends to them any more
    assert len(panel.frame.marks) == 0
    player.seek(50)
    player.advance(times=3)
    describe(player, 50, places=None)
    assert len(panel.frame.marks) == 0


# -- for real ---------------------------------------------------------------------------------------


def test_find_is_marked_where_it_draws_its_entities(qtbot: QtBot, tmp_path: Path) -> None:
    import torch

    from dqngui.envs.make import make_vector
    from dqngui.lab.playback.player import Player
    from dqngui.nets.network import build_network

    net = {"width": 16, "attention": "self", "memory": "none", "tokens": "feature"}
    experiment = experiment_from({"env": {"id": "dqngui/Find-v0"}, "net": net})
    envs = make_vector(experiment.env, 1)
    weights = build_network(envs.spaces, experiment, torch.Generator().manual_seed(0)).state_dict()
    player = Player(open_host=lambda kind, request: open_host("thread", request))
    player.show_in(pictures=True, views=False)
    panel = AgentPanel()
    qtbot.addWidget(panel)
    panel.follow_player(player)
    panel.resize(520, 560)
    panel.show()
    player.start()
    try:
        panel.overlays.choose(True, OVERLAY)
        player.open(experiment=experiment)
        player.client.use_weights(m.Weights(step=1000, tensors=weights))
        player.pause()
        qtbot.waitUntil(lambda: len(panel.frame.marks) > 0, timeout=30_000)
        playing = player.playing
        assert playing is not None and playing.ready.entities == (0, 16)
        env: Any = envs.envs[0]
        env.reset(seed=playing.seed)
        attended = playing.view(POOL.name)[playing.t].mean(0)
        assert playing.t == 0
        places = env.unwrapped.entity_places()
        full = max(attended.max(), 3 / np.count_nonzero(attended))
        wanted = {(x, y, w) for (x, y), w in zip(places.tolist(), (attended / full).tolist(), strict=True)}
        told = panel.frame.marks.tolist()
        assert len(told) == np.isfinite(places).all(1).sum()
        assert {(x, y) for x, y, _ in told} == {(x, y) for x, y, _ in wanted if x == x}
        for x, y, strength in told:
            assert any((x, y) == (a, b) and strength == pytest.approx(w, abs=1e-5) for a, b, w in wanted)
    finally:
        player.stop()
        qtbot.waitUntil(lambda: not player.alive, timeout=10_000)
        player.join()


# -- in films ---------------------------------------------------------------------------------------


def test_a_film_has_the_same_marks(qtbot: QtBot) -> None:
    ready = m.PlayerReady(
        step=0, environment="E", views=(POOL,), labels={"key": ("query", "e 1", "e 2", "e 3")}, entities=(1, 3),
        actions=("left", "right"), features=("x", "y"),
    )  # fmt: skip
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=0, number=1, seed=1), "demo", EpisodeRequest(1))
    tensors = {
        "q": np.zeros((3, 2), np.float32), "action": np.zeros(3, np.int64), "reward": np.zeros(3),
        "observation": np.zeros((3, 2), np.float32), "view/attention/pool": np.stack([WEIGHTS] * 3),
    }  # fmt: skip
    playing.take(m.Played(step=0, number=1, first=0, tensors=tensors, ended=True))
    assert not FilmSheet(playing, []).needs_descriptions
    assert not FilmSheet(playing, [], sees=True).needs_descriptions
    sheet = FilmSheet(playing, [], sees=True, overlay=OVERLAY)
    assert sheet.needs_descriptions
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(90, 90, 90))
    place = sheet.picture.rect().translated(sheet.picture.mapTo(sheet, sheet.picture.rect().topLeft()))
    plain = pixels_of(sheet.render_step(1, image, {}).copy(place))
    marked = pixels_of(sheet.render_step(1, image, {"places": PLACES}).copy(place))
    rows, columns = np.nonzero((marked != plain).any(-1))
    assert len(rows) > 100
    quarter = place.width() / 4
    beside = np.minimum(np.abs(columns - quarter), np.abs(columns - 3 * quarter))
    assert beside.max() < quarter / 2 and np.abs(rows - place.height() / 2).max() < quarter / 2
    end = pixels_of(sheet.render_step(3, image, {"places": PLACES}).copy(place))
    assert np.array_equal(end, plain)  # nobody attends behind the last step
    sheet.close()
