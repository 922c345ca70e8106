"""Taking over with the keyboard: real keys in a real card, the demo's own process, and what a person may expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from dqngui.envs.names import known_names
from dqngui.gui.cards.card import Card
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.style import theme as themes
from dqngui.hosts import open_host
from dqngui.lab.playback.agent_ref import demo_run
from dqngui.lab.playback.driver import waits_for_keys
from dqngui.lab.playback.driving_keys import DrivingKeys
from dqngui.lab.playback.player import Player
from dqngui.messages import BeginEpisode, Drive, PlayerReady, Weights
from dqngui.settings import experiment_from
from tests.doubles.scripted_player import Watched

Key = Qt.Key
ATARI = ("NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPRIGHT", "UPLEFT", "UPFIRE", "UPRIGHTFIRE")


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "idle", "keys"),
    [
        (known_names("CartPole-v1")[1], None, {Key.Key_Left: 0, Key.Key_D: 1, Key.Key_1: 1}),
        (known_names("MountainCar-v0")[1], 1, {Key.Key_A: 0, Key.Key_Right: 2}),
        (known_names("Acrobot-v1")[1], 1, {Key.Key_Left: 0, Key.Key_Right: 2}),
        (known_names("LunarLander-v3")[1], 0, {Key.Key_Left: 1, Key.Key_Up: 2, Key.Key_Right: 3}),
        (known_names("Taxi-v3")[1], None, {Key.Key_Down: 0, Key.Key_Up: 1, Key.Key_P: 4, Key.Key_O: 5}),
        (known_names("MiniGrid-Empty-v0")[1], 6, {Key.Key_Up: 2, Key.Key_P: 3, Key.Key_4: 4, Key.Key_Space: 5}),
        (("forward", "back", "up", "down"), None, {Key.Key_Right: 0, Key.Key_Left: 1, Key.Key_Up: 2, Key.Key_Down: 3}),
        (("left", "stay", "right"), 1, {Key.Key_Left: 0, Key.Key_Right: 2}),
        (("-2", "-1", "0", "1", "2"), 2, {Key.Key_Left: 0, Key.Key_Right: 4, Key.Key_3: 3}),
        (("0", "1"), None, {Key.Key_0: 0, Key.Key_1: 1}),
        (("stick", "hit"), None, {Key.Key_S: 0, Key.Key_H: 1}),
        (ATARI, 0, {Key.Key_Space: 1, Key.Key_W: 2, Key.Key_9: 9}),
        ((), None, {}),
    ],
)
def test_names_say_which_key_does_what(names: Sequence[str], idle: int | None, keys: dict[Key, int]) -> None:
    made = DrivingKeys.of(names)
    assert made.idle == idle
    for key, action in keys.items():
        assert made.uses(key)
        assert made.action_of([key]) == action
    for action in range(min(len(names), 10)):
        assert made.action_of([Key.Key_0 + action]) == action
        assert made.key_text(action)
    assert not made.uses(Key.Key_Escape)
    assert made.action_of([]) is None


def test_keys_are_held_together_and_the_newest_wins() -> None:
    atari = DrivingKeys.of(ATARI)
    assert atari.action_of([Key.Key_Up, Key.Key_Right]) == 6
    assert atari.action_of([Key.Key_Space, Key.Key_D, Key.Key_W]) == 9
    cart = DrivingKeys.of(("left", "right"))
    assert cart.action_of([Key.Key_Left, Key.Key_Right]) == 1
    assert cart.action_of([Key.Key_Right, Key.Key_Left]) == 0
    assert not cart.uses(Key.Key_Up)


@pytest.mark.parametrize(
    ("fps", "no_picture", "actions", "turns"),
    [
        (50.0, "", ("left", "right"), False),
        (10.0, "", ("turn left", "done"), True),
        (30.0, "none", ("stick", "hit"), True),
        (30.0, "none", ("left", "stay"), False),
    ],
)
def test_slow_tasks_wait_for_a_key(fps: float, no_picture: str, actions: tuple[str, ...], turns: bool) -> None:
    ready = PlayerReady(step=0, environment="E", actions=actions, fps=fps, no_picture=no_picture)
    assert waits_for_keys(ready) == turns


# -- a card, and another widget beside it -----------------------------------------------------------


class Desk:
    """A window with an Agent card and a line to write in."""

    def __init__(self, qtbot: QtBot, player: Player) -> None:
        self.panel, self.line = AgentPanel(), QLineEdit()
        self.window = QWidget()
        column = QVBoxLayout(self.window)
        self.card = Card(self.panel.title, self.panel)
        for widget in self.panel.header_widgets:
            self.card.add_to_header(widget)
        column.addWidget(self.card)
        column.addWidget(self.line)
        qtbot.addWidget(self.window)
        self.panel.follow_player(player)
        player.grew.connect(lambda _: self.panel.take_views(None))
        self.window.resize(360, 520)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)

    @property
    def words(self) -> str:
        return self.panel.strip.text.text()

    def press(self, key: Key) -> None:
        QTest.keyPress(QApplication.focusWidget() or self.panel, key)

    def release(self, key: Key) -> None:
        QTest.keyRelease(QApplication.focusWidget() or self.panel, key)

    def tap(self, key: Key) -> None:
        self.press(key)
        self.release(key)


@pytest.fixture
def desk(qtbot: QtBot, player: Watched, tmp_path: Path) -> Desk:
    themes.apply(QApplication.instance(), "dark")  # type: ignore[arg-type]
    made = Desk(qtbot, player)
    player.open(folder=tmp_path, source="demo")
    player.start()
    player.advance(times=4)
    player.seek(42)
    player.advance(times=4)
    return made


PACE = 1.005 / 50  # seconds between two steps, and a little more


def turn(desk: Desk, player: Watched, times: int = 4) -> None:
    """Let so much time pass that a driven step is due, some times, and let each step come back."""
    for _ in range(times):
        player.clock.now += PACE
        desk.panel.driver.tick()
        player.advance(times=2)


def driven(player: Watched) -> list[int | None]:
    return [each.action for each in player.host.all_of(Drive) if not each.onward]


def test_keys_drive_from_the_step_that_is_shown(desk: Desk, player: Watched) -> None:
    assert desk.panel.take_over.toolTip() == "Take over: drive with the keys (T)"
    QTest.mouseClick(desk.panel.take_over, Qt.MouseButton.LeftButton)
    asked = player.host.all_of(BeginEpisode)[-1]
    assert asked.driven and len(asked.actions) == 42
    desk.press(Key.Key_Right)
    player.advance(times=3)  # the first step is due at once
    turn(desk, player, 2)
    desk.release(Key.Key_Right)
    turn(desk, player, 2)
    assert driven(player) == [1, 1, 1, None, None]  # it has no action that does nothing: the agent acts
    assert player.playing is not None
    assert player.playing.person_acted
    assert player.playing.length == 47
    assert list(desk.panel.driver.actors.items()) == [
        (42, "person"), (43, "person"), (44, "person"), (45, "agent"), (46, "agent"),
    ]  # fmt: skip
    assert desk.words == "You are driving · Esc hands back"
    assert desk.panel.bars.drawn.keys == ("←", "→")
    assert desk.panel.bars.drawn.described == "left taken by the agent, because no key was held, value 46.00"
    assert desk.panel.line.text().startswith("human · demo")
    assert player.shown[-1][0] == 47  # what follows the last step


def test_a_short_press_counts_once(desk: Desk, player: Watched) -> None:
    desk.panel.driver.begin()
    player.advance(times=3)
    known = len(driven(player))
    desk.tap(Key.Key_A)
    turn(desk, player, 2)
    assert driven(player)[known:] == [0, None]


def test_losing_the_focus_pauses_and_a_key_drives_on(desk: Desk, player: Watched, qtbot: QtBot) -> None:
    desk.panel.driver.begin()
    player.advance(times=2)
    desk.press(Key.Key_Left)
    turn(desk, player, 1)
    desk.line.setFocus()
    assert player.paused
    known = len(driven(player))
    turn(desk, player, 5)
    assert len(driven(player)) == known
    assert desk.words.startswith("Paused")
    QTest.keyClick(desk.line, Key.Key_Left)  # meant for the line
    assert len(driven(player)) == known
    desk.panel.frame.setFocus()
    assert player.paused
    desk.press(Key.Key_Right)
    assert not player.paused
    turn(desk, player, 2)
    assert driven(player)[known:] == [1, 1, 1]  # the key that was held when the focus went is forgotten


@pytest.mark.parametrize("how", ["escape", "button", "key"])
def test_handing_back_lets_the_agent_go_on_in_the_same_episode(desk: Desk, player: Watched, how: str) -> None:
    desk.panel.driver.begin()
    desk.press(Key.Key_Right)
    player.advance(times=3)  # the first step is due at once
    turn(desk, player, 2)
    number, playing = player.host.number, player.playing
    if how == "escape":
        desk.tap(Key.Key_Escape)
    elif how == "button":
        QTest.mouseClick(desk.panel.take_over, Qt.MouseButton.LeftButton)
    else:
        QTest.keyClick(desk.panel, Key.Key_T)
    player.advance(0.1, times=4)
    assert player.host.number == number
    assert player.playing is playing and playing is not None
    assert playing.person_acted and playing.length > 60
    assert list(playing.action[42:45]) == [1, 1, 1]
    assert not desk.panel.driver.driving
    assert desk.panel.strip.isHidden()
    assert desk.panel.bars.drawn.keys == ()
    player.pause()
    player.advance(times=3)
    at = player.shown[-1][0]
    desk.tap(Key.Key_Left)  # steps back again
    player.advance(times=3)
    assert player.shown[-1][0] == at - 1


def test_behind_the_end_a_key_tries_again_and_escape_goes_on(desk: Desk, player: Watched) -> None:
    player.host.length = 44
    desk.panel.driver.begin()
    player.advance(times=2)
    desk.press(Key.Key_Left)
    turn(desk, player, 4)
    desk.release(Key.Key_Left)
    assert player.playing is not None and player.playing.ended
    assert desk.words == "Episode ended · press a key to try again · Esc hands back"
    episodes = len(player.host.all_of(BeginEpisode))
    desk.tap(Key.Key_Left)
    player.advance(times=2)
    begun = player.host.all_of(BeginEpisode)[episodes:]
    assert [(each.seed, each.actions, each.driven) for each in begun] == [(3_000_000, (), True)]
    desk.tap(Key.Key_Escape)
    player.advance(times=2)
    assert not desk.panel.driver.driving
    assert not player.paused


def test_another_episode_ends_the_driving(desk: Desk, player: Watched) -> None:
    desk.panel.driver.begin()
    player.advance(times=2)
    turn(desk, player, 2)
    player.episodes.next_episode(7)
    player.advance(times=3)
    assert not desk.panel.driver.driving
    assert player.playing is not None and not player.playing.person_acted


def test_each_step_can_wait_for_a_key(desk: Desk, player: Watched) -> None:
    desk.panel.driver.begin()
    player.advance(times=3)
    known = len(driven(player))
    desk.panel.strip.waits.click()
    turn(desk, player, 5)
    assert len(driven(player)) == known
    assert desk.words == "You are driving, one step per key · Esc hands back"
    desk.tap(Key.Key_Right)
    turn(desk, player, 2)
    desk.tap(Key.Key_Left)
    turn(desk, player, 2)
    assert driven(player)[known:] == [1, 0]


# -- the demo's own process ---------------------------------------------------------------------------


@pytest.fixture
def real(qtbot: QtBot) -> Iterator[Player]:
    made = Player()
    made.show_in(pictures=True, views=False)
    yield made
    made.stop()
    qtbot.waitUntil(lambda: not made.alive, timeout=10_000)
    made.join()


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow  # a player with torch; the tests above drive a scripted one
def test_the_demos_cart_is_driven_and_handed_back(qtbot: QtBot, real: Player) -> None:
    themes.apply(QApplication.instance(), "dark")  # type: ignore[arg-type]
    desk = Desk(qtbot, real)
    folder = demo_run()
    assert folder is not None
    stored = files_of(folder)
    real.open(folder=folder, source="demo")
    real.start()
    qtbot.waitUntil(lambda: real.playing is not None and real.playing.t > 12, timeout=60_000)
    assert real.playing is not None
    real.pause()
    before, driver = real.playing, desk.panel.driver
    real.set_speed(0.1)  # five steps a second: time enough for a slow machine
    QTest.mouseClick(desk.panel.take_over, Qt.MouseButton.LeftButton)
    desk.press(Key.Key_Right)
    qtbot.waitUntil(lambda: list(driver.actors.values()).count("person") > 3, timeout=30_000)
    desk.release(Key.Key_Right)
    playing = real.playing
    assert playing is not None and playing.person_acted and playing is not before
    assert np.array_equal(playing.action[: playing.given], before.action[: playing.given])
    by_hand = [t for t, actor in driver.actors.items() if actor == "person" and t < playing.length]
    assert len(by_hand) >= 3 and by_hand[0] <= playing.given + 1
    assert all(playing.action[t] == 1 for t in by_hand)
    desk.tap(Key.Key_Escape)
    real.set_speed(5)
    last = max(driver.actors)
    qtbot.waitUntil(lambda: playing.ended or playing.length > last + 20, timeout=30_000)
    assert real.playing is playing
    assert np.array_equal(playing.action[last + 1 :], playing.q[last + 1 :].argmax(axis=1))  # the agent's own again
    assert files_of(folder) == stored  # what a person did is in no run


class Said(gymnasium.Env[Any, Any]):
    """Says in words and in a number how far the agent has come, and draws nothing."""

    action_names = ("left", "right")

    def __init__(self) -> None:
        self.observation_space = spaces.Dict({"said": spaces.Text(40), "place": spaces.Discrete(21)})
        self.action_space = spaces.Discrete(2)
        self.place = 10

    def _observation(self) -> dict[str, Any]:
        return {"said": f"you stand at {self.place}", "place": self.place}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = 10
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.place += 1 if action == 1 else -1
        return self._observation(), 0.0, self.place in (0, 20), False, {}


gymnasium.register("tests/Said-v0", entry_point=Said)


@pytest.fixture
def threaded(qtbot: QtBot) -> Iterator[Player]:
    made = Player(open_host=lambda kind, request: open_host("thread", request))
    made.show_in(pictures=True, views=False)
    yield made
    made.stop()
    qtbot.waitUntil(lambda: not made.alive, timeout=10_000)
    made.join()


def driving_by_turns(qtbot: QtBot, player: Player, env: str) -> Desk:
    """A card in which a person has taken over the first step of an untrained agent's episode."""
    import torch

    from dqngui.envs.make import make_vector
    from dqngui.nets.network import build_network

    themes.apply(QApplication.instance(), "dark")  # type: ignore[arg-type]
    experiment = experiment_from({"env": {"id": env}, "net": {"width": 16}})
    space = make_vector(experiment.env, 1).spaces
    desk = Desk(qtbot, player)
    player.pause()
    player.start()
    player.open(experiment=experiment)
    weights = build_network(space, experiment, torch.Generator().manual_seed(0)).state_dict()
    player.client.use_weights(Weights(step=10, tensors=weights))
    qtbot.waitUntil(lambda: player.playing is not None and player.playing.length > 0, timeout=60_000)
    desk.panel.driver.begin()
    qtbot.waitUntil(lambda: desk.panel.driver.playing is not None, timeout=30_000)
    assert desk.panel.driver.waits
    return desk


def step(qtbot: QtBot, desk: Desk, player: Player, key: Key) -> int:
    """Press a key, and wait for the step that it does; the action."""
    playing = desk.panel.driver.playing
    assert playing is not None
    known = playing.length
    desk.tap(key)
    qtbot.waitUntil(lambda: playing.length == known + 1 and playing.t == known + 1, timeout=30_000)
    assert player.playing is playing
    return int(playing.action[-1])


def test_minigrid_waits_for_a_key_at_each_step(qtbot: QtBot, threaded: Player) -> None:
    pytest.importorskip("minigrid")
    desk = driving_by_turns(qtbot, threaded, "MiniGrid-MemoryS7-v0")
    keys = {Key.Key_Right: 1, Key.Key_Up: 2, Key.Key_P: 3, Key.Key_Space: 5, Key.Key_6: 6, Key.Key_A: 0}
    for key, action in keys.items():
        assert step(qtbot, desk, threaded, key) == action
    playing = threaded.playing
    assert playing is not None and playing.length == len(keys)
    qtbot.wait(300)  # the clock would have done three steps
    assert playing.length == len(keys)


def test_without_a_picture_the_state_that_is_decided_on_is_drawn(qtbot: QtBot, threaded: Player) -> None:
    desk = driving_by_turns(qtbot, threaded, "tests/Said-v0")
    seen = desk.panel.scene.observation
    qtbot.waitUntil(lambda: seen.drawn.texts == {"said": "you stand at 10"}, timeout=30_000)
    assert seen.isVisible() and not desk.panel.frame.isVisible()
    for place in (11, 12, 13):
        assert step(qtbot, desk, threaded, Key.Key_Right) == 1
        qtbot.waitUntil(lambda place=place: seen.drawn.texts == {"said": f"you stand at {place}"}, timeout=30_000)
        assert [(row.name, row.value) for row in seen.rows] == [("place", place)]
