"""Lines of attention from the agent's own entity: which there are, where they are drawn, and that films have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.export.film_sheet import FilmSheet
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.scene.lines_drawn import HEAD_COLOURS, lines_drawn
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.attention_lines import attention_lines, lines_view
from dqngui.lab.playback.episode import PlayedEpisode
from tests.doubles.scripted_player import ScriptedPlayer, Watched
from tests.gui.test_entity_marks import describe, pixels_of

EGO = m.View("attention/ego", ("head", "key"), (2, 4))
PLACES = np.array([[0.25, 0.5], [np.nan, np.nan], [0.75, 0.25]], np.float32)
WEIGHTS = np.array([[0.1, 0.2, 0.0, 0.7], [0.1, 0.8, 0.0, 0.1]], np.float32)
"""Of two heads: another token, and three entities: the agent's own, an absent one, and another."""
READY = m.PlayerReady(
    step=0, environment="E", views=(EGO,), labels={"key": ("other", "you", "e 2", "e 3")}, entities=(1, 3), own=1,
    actions=("left", "right"), features=("x", "y"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> Iterator[None]:
    themes.apply(qapp, "dark")
    yield
    themes.apply(qapp, "dark")


def episode(ready: m.PlayerReady = READY, weights: np.ndarray = WEIGHTS) -> PlayedEpisode:
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=0, number=1, seed=1), "demo")
    tensors = {
        "q": np.zeros((3, 2), np.float32), "action": np.array([0, 1, 0]), "reward": np.zeros(3),
        "observation": np.zeros((3, 2), np.float32), f"view/{ready.views[0].name}": np.stack([weights] * 3),
    }  # fmt: skip
    playing.take(m.Played(step=0, number=1, first=0, tensors=tensors, ended=True))
    return playing


def by_end(lines: np.ndarray) -> dict[tuple[int, float], float]:
    """Strength of each line, by its head and the x of its end; all begin at the own entity."""
    assert (lines[:, 1:3] == [0.25, 0.5]).all() and (np.diff(lines[:, 5]) >= 0).all()
    return {(int(line[0]), float(line[3])): float(line[5]) for line in lines}


def test_each_head_has_a_line_to_every_present_entity_and_keeps_some() -> None:
    found = by_end(attention_lines(episode(), 1, {"places": PLACES}))
    wanted = {(0, 0.25): 0.2, (0, 0.75): 0.7, (1, 0.25): 0.8, (1, 0.75): 0.1}  # of so few, only 1 is drawn in full
    assert found == {key: pytest.approx(weight) for key, weight in wanted.items()}


def test_the_own_token_asks_of_self_attention_and_the_action_taken_of_action_attention() -> None:
    queries = np.zeros((2, 4, 4), np.float32)
    queries[:, 1], queries[:, 0] = WEIGHTS, 0.25
    of_self = m.View("attention/self/0", ("head", "query", "key"), (2, 4, 4))
    assert np.array_equal(
        attention_lines(episode(msgspec.structs.replace(READY, views=(of_self,)), queries), 0, {"places": PLACES}),
        attention_lines(episode(), 0, {"places": PLACES}),
    )
    of_actions = m.View("attention/action", ("head", "action", "key"), (2, 2, 4))
    asked = np.stack([np.full((2, 4), 0.25, np.float32), WEIGHTS], axis=1)
    ready = msgspec.structs.replace(READY, views=(of_actions,))
    taken = attention_lines(episode(ready, asked), 1, {"places": PLACES})
    assert np.array_equal(taken, attention_lines(episode(), 1, {"places": PLACES}))


@pytest.mark.parametrize(("t", "told"), [(0, {}), (0, {"places": PLACES[:2]}), (3, {"places": PLACES})])
def test_without_places_or_weights_there_are_no_lines(t: int, told: dict[str, Any]) -> None:
    assert attention_lines(episode(), t, told).shape == (0, 6)


@pytest.mark.parametrize("change", [{"own": None}, {"entities": None}, {"views": ()}, {"no_picture": "blind"}])
def test_an_agent_without_an_own_entity_has_no_lines(change: dict[str, Any]) -> None:
    assert lines_view(msgspec.structs.replace(READY, **change)) is None


def test_lines_of_two_heads_lie_side_by_side_and_what_is_kept_is_a_ring() -> None:
    place = QRectF(10, 20, 400, 200)
    lines = np.array([[0, 0.25, 0.5, 0.75, 0.5, 0.5], [1, 0.25, 0.5, 0.75, 0.5, 1], [1, 0.25, 0.5, 0.25, 0.5, 1.0]])
    first, second, ring = lines_drawn(place, lines)
    assert [first.begin.x(), first.end.x()] == [110, 310] and abs(first.end.y() - second.end.y()) == pytest.approx(5)
    assert (first.colour, second.colour) == HEAD_COLOURS[:2]
    assert first.width < second.width and (first.opacity, second.opacity) == (0.5, 1)
    assert ring.radius > 0 and not first.radius
    assert lines_drawn(place, lines * [1, 1, 1, 1, 1, 0]) == ()


# -- in the card and in films -----------------------------------------------------------------------


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, player: Watched, folder: Path) -> AgentPanel:
    """Stands at step 10 of an agent with an own entity."""
    plain = ScriptedPlayer.played

    def played(self: ScriptedPlayer, first: int, until: int) -> m.Played:
        event = plain(self, first, until)
        if self.recorded:
            event.tensors["view/attention/ego"] = np.stack([WEIGHTS] * (until - first))
        return event

    monkeypatch.setattr(ScriptedPlayer, "ready", READY)
    monkeypatch.setattr(ScriptedPlayer, "played", played)
    made = AgentPanel()
    qtbot.addWidget(made)
    made.follow_player(player)
    made.resize(420, 520)
    made.show()
    player.grew.connect(lambda playing: made.refresh())
    player.open(folder=folder)
    player.start()
    player.advance(times=4)
    player.pause()
    player.seek(10)
    player.advance(times=4)
    return made


def test_lines_are_there_at_once_and_the_switch_takes_them_away(panel: AgentPanel, player: Watched) -> None:
    describe(player, 0, 10)
    assert panel.lines.isVisible() and panel.lines.legend.isVisible()
    assert len(panel.frame.lines) == 4 and len(panel.frame.marks) == 0
    assert panel.lines.legend.text == "head 1 · head 2"
    assert panel.film.lines
    lined = panel.frame.grab().toImage()
    panel.lines.click()
    assert len(panel.frame.lines) == 0 and panel.frame.grab().toImage() != lined
    assert not panel.lines.legend.isVisible() and not panel.film.lines
    panel.lines.click()
    player.advance(times=4)
    assert panel.frame.grab().toImage() == lined


def test_the_notes_of_the_step_stand_beside_the_heads(panel: AgentPanel, player: Watched) -> None:
    told = {"places": PLACES, "note/speed": np.frombuffer(b"25.0 m/s", np.uint8)}
    describe(player, 0)
    number = player.playing.number  # type: ignore[union-attr]
    player.host.emit(m.Described(step=0, number=number, t=10, tensors=told))
    player.advance()
    assert panel.lines.legend.text == "head 1 · head 2 · speed 25.0 m/s"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_film_has_the_lines_in_the_colours_of_the_heads(qtbot: QtBot, qapp: QApplication, theme: Any) -> None:
    themes.apply(qapp, theme)
    playing = episode()
    assert not FilmSheet(playing, []).needs_descriptions
    sheet = FilmSheet(playing, [], lines=True)
    assert sheet.needs_descriptions
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(100, 100, 100))
    place = sheet.picture.rect().translated(sheet.picture.mapTo(sheet, sheet.picture.rect().topLeft()))
    drawn = pixels_of(sheet.render_step(1, image, {"places": PLACES}).copy(place))
    plain = pixels_of(sheet.render_step(3, image, {"places": PLACES}).copy(place))
    rows, columns = np.nonzero((drawn != plain).any(-1))
    assert len(rows) > 300
    assert columns.min() > 0.2 * place.width() and columns.max() < 0.8 * place.width()
    red, green, blue, _ = QColor(HEAD_COLOURS[0]).getRgb()
    towards = np.abs(drawn - [red, green, blue]).sum(-1) < np.abs(plain - [red, green, blue]).sum(-1) - 100
    assert towards.sum() > 100  # of the first head, which looks at the other entity
    sheet.close()
