"""Legal actions in the window: bars, keys of a person, what-if changes, and the comparison of two episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.panels.agent.action_bars import ActionBars
from dqngui.gui.panels.agent.action_rows import MOST_ROWS, UprightBars
from dqngui.gui.panels.agent.action_values import values_at
from dqngui.gui.panels.whatif.action_pairs import limits_of, pairs_at
from dqngui.gui.panels.whatif.intervention_editor import InterventionEditor
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.interventions import InterventionEntry, intervention_targets
from dqngui.lab.playback.driver import Driver
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import Drive, EpisodeBegan, Played, PlayerReady
from tests.doubles.scripted_player import ScriptedPlayer, Watched

Q = [[1.0, 9.0, 3.0, -2.0], [0.0, 5.0, 3.0, 4.0]]
LEGAL = [[True, False, True, False], [True, True, False, True]]


def played(q: list[list[float]], legal: list[list[bool]], actions: list[int], late: int = 0) -> PlayedEpisode:
    """An episode; masks are told from step `late` on."""
    count = len(q[0])
    ready = PlayerReady(step=0, environment="E", actions=tuple(f"act {n}" for n in range(count)))
    playing = PlayedEpisode(ready, EpisodeBegan(step=0, number=1, seed=0), "here")
    for first, until in ((0, late), (late, len(q))):
        if until > first:
            tensors = {
                "q": np.array(q[first:until], np.float32), "action": np.array(actions[first:until]),
                "reward": np.ones(until - first), "observation": np.zeros((until - first, 0), np.float32),
            }  # fmt: skip
            told = {"legal": np.array(legal[first:until])} if first >= late else {}
            following = tuple([True] * count) if first >= late else ()
            playing.take(Played(step=0, number=1, first=first, tensors=tensors | told, legal=following))
    return playing


def test_an_episode_knows_what_was_legal_and_what_the_best_legal_action_was() -> None:
    playing = played(Q, LEGAL, [2, 3])
    assert playing.legal_at(0) == (True, False, True, False)
    assert playing.legal_at(2) == (True, True, True, True)
    assert playing.non_greedy_steps.tolist() == [1]  # act 1 would have been legal there
    assert played(Q, LEGAL, [0, 1]).non_greedy_steps.tolist() == [0]
    late = played(Q, LEGAL, [1, 3], late=1)
    assert [late.legal_at(t) for t in (0, 1)] == [(True,) * 4, tuple(LEGAL[1])]


def test_values_of_illegal_actions_are_not_shown_as_values() -> None:
    step = values_at(played(Q, LEGAL, [2, 3]), 0, "", (-2.0, 3.0), ())
    assert step.texts == ("1.00", "not legal", "3.00", "not legal")
    assert step.actor == ""  # act 2 is the greedy legal one, although act 1 has the larger value
    assert "only" in step.tip
    assert "legal" not in values_at(played(Q, LEGAL, [2, 3], late=2), 0, "", (-2.0, 3.0), ()).tip


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("count", [4, MOST_ROWS + 4])
def test_bars_of_illegal_actions_are_not_drawn(qapp: QApplication, qtbot: QtBot, theme: str, count: int) -> None:
    themes.apply(qapp, theme)
    bars = ActionBars()
    qtbot.addWidget(bars)
    bars.resize(300, 120)
    more = count - 4
    bars.show_step(played([Q[0] + [2.0] * more], [LEGAL[0] + [True] * more], [2]), 0)
    assert bars.drawn.limits[1] < 9  # the value of an illegal action needs no room
    laid_out = bars.laid_out
    drawn = laid_out.bars if isinstance(laid_out, UprightBars) else [row.bar for row in laid_out]
    assert [bar.isEmpty() for bar in drawn[:4]] == [False, True, False, True]
    image = bars.grab().toImage()
    if isinstance(laid_out, UprightBars):
        free = laid_out.illegal[0]
    else:
        assert [label.text for label in laid_out[1].labels] == ["act 1", "not legal"]
        free = laid_out[1].ground
    assert image.pixelColor(free.center().toPoint()) == themes.current().color("surface")


def test_a_comparison_says_in_which_episode_an_action_is_not_legal() -> None:
    one, other = played(Q, LEGAL, [2, 3]), played(Q, LEGAL[::-1], [0, 3])
    pairs = pairs_at(one, other, 0, limits_of([one, other], "value"))
    assert pairs.pairs[1].texts == ("not legal", "9.00", "")
    assert pairs.pairs[0].texts == ("1.00", "1.00", "")


def test_only_legal_actions_can_be_forced(qtbot: QtBot) -> None:
    playing = played(Q, LEGAL, [2, 3])
    target = next(each for each in intervention_targets(playing.ready) if each.single)
    editor = InterventionEditor(InterventionEntry(target, 0, 0, (0,), "set"), legal_at=playing.legal_at)
    qtbot.addWidget(editor)

    def offered() -> list[str]:
        items = [editor.places.item(index) for index in range(4)]
        return [item.text() for item in items if item.flags() & Qt.ItemFlag.ItemIsEnabled]

    assert offered() == ["act 0", "act 2"]
    assert editor.places.item(1).text() == "act 1 · not legal"
    editor.first.setValue(1)
    assert offered() == ["act 0", "act 1", "act 3"]
    assert editor.places.item(1).text() == "act 1"


# -- a person drives -------------------------------------------------------------------------------


@pytest.fixture
def driver(qapp: QApplication, player: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    monkeypatch.setattr(ScriptedPlayer, "legal", (True, False))
    made = Driver()
    made.attach(player)
    player.open(folder=tmp_path, source="demo")
    player.start()
    player.advance(times=4)
    made.begin()
    player.advance(times=3)
    return made


def driven(player: Watched) -> list[int | None]:
    return [each.action for each in player.host.all_of(Drive)]


def test_a_key_of_an_illegal_action_is_refused_with_a_word(driver: Driver, player: Watched) -> None:
    driver.set_waits(True)
    before = driven(player)
    driver.press(Qt.Key.Key_Right)
    assert driven(player) == before
    assert driver.words == "right is not legal at this step · Esc hands back"
    driver.release(Qt.Key.Key_Right)
    driver.press(Qt.Key.Key_Left)
    player.advance(times=2)
    assert driven(player) == [*before, 0]
    assert driver.words == "You are driving, one step per key · Esc hands back"


def test_while_a_key_of_an_illegal_action_is_held_the_agent_acts(driver: Driver, player: Watched) -> None:
    before = len(driven(player))
    driver.press(Qt.Key.Key_Right)
    for _ in range(3):
        player.clock.now += 1.0
        driver.tick()
        player.advance(times=2)
    assert len(driven(player)) > before
    assert set(driven(player)[before:]) == {None}
    assert "right is not legal" in driver.words
