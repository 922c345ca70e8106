"""The Agent card: picture, bars and numbers agree, every control does what it says, every state is finished."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QFont, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QInputDialog
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.gui.cards.card import Card
from dqngui.gui.charts.value_ranges import bar_range, step_above
from dqngui.gui.panels.agent.agent_panel import SPEEDS, AgentPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.playback.episode import PlayedEpisode
from tests.doubles.scripted_player import ScriptedPlayer, Watched


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


@pytest.fixture
def panel(qtbot: QtBot, player: Watched) -> AgentPanel:
    made = AgentPanel()
    card = Card(made.title, made)
    for widget in made.header_widgets:
        card.add_to_header(widget)
    qtbot.addWidget(card)
    made.follow_player(player)
    card.resize(360, 460)
    card.show()
    qtbot.waitExposed(card)
    made.card = card  # type: ignore[attr-defined]  # the card owns the panel, and Python must own the card
    return made


@pytest.fixture
def playing(panel: AgentPanel, player: Watched, folder: Path) -> AgentPanel:
    player.open(folder=folder, source="demo")
    player.start()
    player.advance(times=4)
    player.pause()
    player.seek(42)
    player.advance(times=4)
    panel.refresh()
    return panel


def entry(panel: AgentPanel, text: str) -> None:
    """Choose an entry of the header's menu."""
    panel.watch.menu().aboutToShow.emit()
    menus = [panel.watch.menu(), *(action.menu() for action in panel.watch.menu().actions() if action.menu())]
    actions = [action for menu in menus for action in menu.actions()]  # type: ignore[union-attr]
    next(action for action in actions if action.text().startswith(text)).trigger()


def entries(panel: AgentPanel) -> list[str]:
    panel.watch.menu().aboutToShow.emit()
    return [action.text() for action in panel.watch.menu().actions() if action.text()]


def menu_entry(panel: AgentPanel, text: str) -> QAction:
    """An entry of the card's own menu."""
    return next(action for action in panel.menu_actions if action.text() == text)


# -- what is drawn -----------------------------------------------------------------------------------


def test_picture_bars_and_numbers_are_of_one_step(playing: AgentPanel, player: Watched) -> None:
    assert playing.frame.picture is not None
    assert playing.frame.picture.pixelColor(0, 0).red() == 42
    assert playing.bars.drawn.texts == ("42.00", "10.00")
    assert playing.bars.drawn.described == "left taken, value 42.00"
    assert playing.transport.place.text() == "42 / 96+"
    assert playing.return_label.text() == "return 42"
    assert playing.line.text() == "demo, 60,000 steps · seed 3,000,000 · greedy"
    player.step(-40)
    player.advance(times=3)
    assert playing.frame.picture.pixelColor(0, 0).red() == 2
    assert playing.bars.drawn.described == "right taken, value 10.00"
    assert playing.transport.place.text() == "2 / 96+"


def test_values_that_come_behind_their_picture_are_drawn(playing: AgentPanel, player: Watched) -> None:
    player.host.most = 42
    player.episodes.next_episode()
    player.advance(times=4)
    player.seek(42)
    player.advance(times=4)
    assert player.playing is not None
    assert (player.playing.t, player.playing.length) == (42, 42)
    assert playing.bars.drawn.described == ""
    player.host.emit(player.host.played(42, 96))
    player.advance()
    playing.take_views(player.playing)
    playing.refresh()
    assert (player.playing.t, player.playing.length) == (42, 96)
    assert playing.bars.drawn.described == "left taken, value 42.00"


def test_at_the_end_nothing_is_chosen_and_it_says_why(playing: AgentPanel, player: Watched) -> None:
    player.seek(1000)
    player.advance(times=4)
    assert playing.transport.place.text() == "100 / 100"
    assert playing.return_label.text() == "return 100 · ended"
    assert playing.bars.drawn.described == ""


def test_a_random_action_is_marked(playing: AgentPanel, player: Watched) -> None:
    player.episodes.set_epsilon(0.25)
    player.advance(times=3)
    player.seek(5)  # the script takes action 1 up to step 10, whose value 10 is higher
    player.advance(times=3)
    assert playing.bars.drawn.described == "right taken, value 10.00"
    assert player.playing is not None
    player.playing.action[5] = 0
    playing.bars.show_step(player.playing, 5)
    assert playing.bars.drawn.described == "left taken at random, value 5.00"
    assert "at random" in playing.bars.drawn.tip


def test_the_bars_range_stays_while_an_episode_is_played(playing: AgentPanel, player: Watched) -> None:
    before = playing.bars.drawn.limits
    for t in range(0, 96, 7):
        player.seek(t)
        player.advance(times=3)
        assert playing.bars.drawn.limits[1] >= before[1]
    assert before == (0.0, 100.0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 42.0, (0.0, 50.0)),
        (-3.0, 1.0, (-3.0, 1.0)),
        (-8.0, -1.0, (-10.0, 0.0)),
        (0.0, 0.0, (0.0, 1.0)),
        (95.0, 99.0, (92.0, 100.0)),
        (float("nan"), 1.0, (0.0, 1.0)),
    ],
)
def test_ranges_of_bars(low: float, high: float, expected: tuple[float, float]) -> None:
    assert bar_range(low, high) == pytest.approx(expected)


def test_ranges_hold_every_value_and_are_nice() -> None:
    for value in np.geomspace(1e-6, 1e6, 200):
        assert value * (1 - 1e-9) <= step_above(float(value)) <= 2.01 * value
        low, high = bar_range(float(value), float(value) * 1.01)
        assert low < value < value * 1.01 <= high * (1 + 1e-9)


@pytest.mark.parametrize("count", [1, 2, 6, 9, 18, 81])
@pytest.mark.parametrize("width", [240, 580])
def test_many_actions_find_room(panel: AgentPanel, count: int, width: int) -> None:
    ready = m.PlayerReady(step=0, environment="E", actions=tuple(f"act {index}" for index in range(count)))
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=0, number=1, seed=1), "demo")
    values = np.linspace(-1, 1, count, dtype=np.float32)[None]
    tensors = {"q": values, "action": np.array([count - 1]), "reward": np.ones(1), "observation": np.zeros((1, 0))}
    playing.take(m.Played(step=0, number=1, first=0, tensors=tensors))
    bars = panel.bars
    bars.show_step(playing, 0)
    bars.resize(width, bars.minimumSizeHint().height())
    assert bars.minimumSizeHint().height() <= 130
    assert not bars.grab().isNull()
    assert bars.drawn.described == f"act {count - 1} taken, value {bars.drawn.texts[-1]}"


def test_without_pictures_the_observation_is_drawn_and_the_reason_said(
    panel: AgentPanel, player: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = msgspec.structs.replace(ScriptedPlayer.ready, no_picture="Scripted draws no pictures")
    monkeypatch.setattr(ScriptedPlayer, "ready", without)
    player.open(folder=tmp_path)
    player.start()
    player.advance(0.1, times=5)
    panel.refresh()
    seen = panel.scene.observation
    assert seen.isVisible() and not panel.frame.isVisible()
    assert [row.name for row in seen.rows] == ["position", "angle"]
    assert seen.drawn.reason == "Scripted draws no pictures."
    assert player.playing is not None
    t = player.playing.t
    assert t > 0
    assert [row.value for row in seen.rows] == pytest.approx([np.sin(t / 10), np.cos(t / 10)])
    assert [row.signed for row in seen.rows] == [True, True]
    assert not seen.grab().isNull()


# -- states ------------------------------------------------------------------------------------------


def test_states_say_what_is_so(panel: AgentPanel, player: Watched, tmp_path: Path) -> None:
    panel.refresh()
    assert not panel.has_content()
    assert panel.empty_text
    player.open(folder=tmp_path)
    assert panel.notice.text.text() == "Starting the player…"
    assert not panel.notice.button.isVisible()
    assert not panel.transport.isEnabled()
    player.start()
    assert panel.notice.text.text() == "Loading the agent…"
    player.host.keep_silent()
    player.host.emit(m.Failed(step=0, text="there is no run `here`"))
    player.advance()
    assert panel.notice.text.text() == "There is no run `here`."
    assert panel.notice.button.isVisible()
    QTest.mouseClick(panel.notice.button, Qt.MouseButton.LeftButton)
    player.advance(times=5)
    panel.refresh()
    assert panel.frame.isVisible()
    assert panel.transport.isEnabled()
    player.client.close()
    assert panel.empty_text


@pytest.mark.parametrize("size", [(280, 260), (320, 420), (600, 260), (600, 800)])
def test_nothing_is_cut_off_at_any_size(playing: AgentPanel, size: tuple[int, int]) -> None:
    card = playing.card  # type: ignore[attr-defined]
    card.resize(*size)
    QTest.qWait(20)
    assert (card.width(), card.height()) == size
    assert playing.frame.height() >= 60
    for widget in (
        playing.frame,
        playing.bars,
        playing.transport,
        playing.transport.place,
        playing.return_label,
        playing.next,
    ):
        corner = widget.mapTo(card, QPoint(widget.width(), widget.height()))
        assert corner.x() <= card.width() and corner.y() <= card.height(), widget
    for figure in (playing.transport.place, playing.return_label):
        strong = QFontMetricsF(themes.font(themes.SECONDARY_PX, QFont.Weight.DemiBold))
        assert strong.horizontalAdvance(figure.text()) <= figure.width() + 1
    assert playing.line.isVisible() == (size[1] > 300)


def test_every_control_says_what_it_does(playing: AgentPanel) -> None:
    for button in playing.card.findChildren(QAbstractButton):  # type: ignore[attr-defined]
        if button.isVisible():
            assert button.toolTip(), button
            assert button.accessibleName() or button.text(), button
    assert playing.transport.scrubber.accessibleName()


def test_themes_can_be_switched(playing: AgentPanel) -> None:
    before = playing.grab().toImage()
    playing.restyle(themes.apply(QApplication.instance(), "light"))  # type: ignore[arg-type]
    assert playing.grab().toImage() != before


# -- controls ----------------------------------------------------------------------------------------


def test_buttons_step_and_play(playing: AgentPanel, player: Watched) -> None:
    transport = playing.transport
    QTest.mouseClick(transport.forth, Qt.MouseButton.LeftButton)
    player.advance(times=3)
    assert player.shown[-1] == (43, 43)
    QTest.mouseClick(transport.back, Qt.MouseButton.LeftButton)
    QTest.mouseClick(transport.back, Qt.MouseButton.LeftButton)
    player.advance(times=3)
    assert player.shown[-1] == (41, 41)
    QTest.mouseClick(transport.toggle, Qt.MouseButton.LeftButton)
    assert not player.paused
    assert transport.toggle.accessibleName() == "Pause the episode"
    QTest.mouseClick(playing.next, Qt.MouseButton.LeftButton)
    player.advance(times=3)
    assert player.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]


def test_keys_hold_while_the_card_has_the_focus(playing: AgentPanel, player: Watched) -> None:
    playing.window().activateWindow()
    playing.frame.setFocus()
    for key, t in ((Qt.Key.Key_Right, 43), (Qt.Key.Key_Left, 42), (Qt.Key.Key_Home, 0), (Qt.Key.Key_End, 95)):
        QTest.keyClick(playing.frame, key)
        player.advance(times=3)
        assert player.shown[-1] == (t, t)
    QTest.keyClick(playing.frame, Qt.Key.Key_Space)
    assert not player.paused
    QTest.keyClick(playing.frame, Qt.Key.Key_BracketRight)
    assert player.speed == 2.0
    QTest.keyClick(playing.frame, Qt.Key.Key_BracketLeft)
    QTest.keyClick(playing.frame, Qt.Key.Key_BracketLeft)
    assert player.speed == 0.5
    QTest.keyClick(playing.frame, Qt.Key.Key_N)
    player.advance(times=3)
    assert player.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]


def test_space_presses_a_focused_button_instead(playing: AgentPanel, player: Watched) -> None:
    playing.transport.forth.setFocus()
    QTest.keyClick(playing.transport.forth, Qt.Key.Key_Space)
    player.advance(times=3)
    assert player.shown[-1] == (43, 43)
    assert player.paused


def test_the_scrubber_follows_the_hand_within_what_is_known(playing: AgentPanel, player: Watched) -> None:
    player.play()
    scrubber = playing.transport.scrubber
    middle = scrubber.height() // 2
    QTest.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(round(scrubber.drawn.x_of(20)), middle))
    assert player.paused
    player.advance(0.2, times=3)
    assert abs(player.shown[-1][0] - 20) <= 1
    QTest.mouseMove(scrubber, QPoint(scrubber.width() + 50, middle))
    QTest.mouseRelease(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(scrubber.width(), middle))
    assert not player.paused
    player.pause()
    player.advance(times=4)
    assert player.shown[-1][0] <= 95


def test_the_menu_chooses_weights_exploration_and_episode(playing: AgentPanel, player: Watched) -> None:
    assert playing.watch.full_text == "demo, greedy"
    assert entries(playing)[:2] == ["Best checkpoint", "Last checkpoint"]
    entry(playing, "20,000 steps")
    player.advance(times=4)
    assert player.client.choice == 20_000
    assert playing.watch.full_text == "checkpoint 20,000, greedy"
    entry(playing, "ε 0.1:")
    player.advance(times=3)
    assert player.playing.epsilon == 0.1  # type: ignore[union-attr]
    assert playing.line.text().endswith("· ε 0.1")
    entry(playing, "New seed")
    player.advance(times=3)
    assert player.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]
    entry(playing, "Repeat episode")
    assert player.episodes.repeats
    entry(playing, "Play from the start")
    assert not player.paused


def test_a_seed_can_be_typed(qtbot: QtBot, playing: AgentPanel, player: Watched) -> None:
    entry(playing, "Type a seed")
    dialog = playing.watch.seed_dialog
    assert isinstance(dialog, QInputDialog)
    assert dialog.intValue() == PLAY_SEEDS
    dialog.setIntValue(123)
    dialog.accept()
    player.advance(times=3)
    assert player.playing.seed == 123  # type: ignore[union-attr]


def test_the_speed_can_be_chosen(playing: AgentPanel, player: Watched) -> None:
    assert list(playing.speed.offered.values()) == ["0.1×", "0.25×", "0.5×", "1×", "2×", "5×", "10×", "20×"]
    playing.speed.trigger("5")
    assert player.speed == 5.0
    assert SPEEDS[0] == 0.1


def test_a_panel_alone_says_what_it_will_show(qtbot: QtBot) -> None:
    alone = AgentPanel()
    qtbot.addWidget(alone)
    alone.show()
    alone.take_views(None)
    alone.follow(3)
    alone.refresh()
    assert alone.empty_text


def test_a_film_is_exported_and_the_player_comes_back(
    qtbot: QtBot, playing: AgentPanel, player: Watched, tmp_path: Path
) -> None:
    path = tmp_path / "episode.mp4"
    size = player.frames.size
    playing.film.start(path)
    assert playing.line.text().startswith("film:")
    assert menu_entry(playing, "Cancel film").isEnabled()

    def ticked() -> bool:
        player.advance(times=2)
        return playing.film.filming is None

    qtbot.waitUntil(ticked, timeout=60_000)
    assert path.stat().st_size > 1000
    assert playing.line.text() == "film saved as episode.mp4"
    assert (player.in_sight, player.frames.size) == ((True, False), size)
    player.advance(times=4)
    assert player.shown[-1] == (42, 42)


def test_a_film_can_be_cancelled(qtbot: QtBot, playing: AgentPanel, player: Watched, tmp_path: Path) -> None:
    playing.film.start(tmp_path / "episode.mp4")
    player.advance(times=2)
    menu_entry(playing, "Cancel film").trigger()
    assert playing.film.filming is None
    assert playing.line.text() == "film: cancelled"
    assert not list(tmp_path.glob("*.mp4"))


def test_the_card_stays_with_the_former_episode_until_the_next_has_a_picture(
    playing: AgentPanel, player: Watched
) -> None:
    player.host.draws = False
    player.episodes.next_episode()
    player.advance(times=3)
    playing.refresh()
    assert player.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]
    assert playing.transport.place.text() == "42 / 96+"
    assert "seed 3,000,000" in playing.line.text()
    pixels = np.zeros((4, 4, 3), np.uint8)
    number, size = player.playing.number, player.frames.size  # type: ignore[union-attr]
    player.host.emit(m.Frame(step=0, number=number, t=0, tensors={"pixels": pixels}, size=size))
    player.advance()
    assert playing.transport.place.text().startswith("0 / ")
    assert "seed 3,000,001" in playing.line.text()
    assert playing.return_label.text() == "return 0"
