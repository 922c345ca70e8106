"""The What if card: changes make another future, none makes the same one, and it follows whatever the player does."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from driving import end, make_app, show, until
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.app.app import App
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.whatif.whatif_panel import WhatIfPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.compare_episodes import Comparison, compare
from dqngui.lab.analysis.interventions import InterventionEntry, InterventionTarget, intervention_targets
from dqngui.lab.analysis.other_agent import OtherAgent
from dqngui.lab.analysis.second_player import SecondPlayer
from dqngui.lab.playback.agent_ref import AgentRef
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.lab.session.history import History
from dqngui.presets import read_experiment
from dqngui.runs.folder import create
from dqngui.settings import with_settings
from tests.doubles.scripted_player import ScriptedPlayer, Watched
from tests.doubles.scripted_second_player import READY, ScriptedSecondPlayer
from tests.trained_agents import DOWN_SEED, UP_SEED

SELF = m.View("attention/self/0", ("head", "query", "key"), (4, 2, 2))
POOL = m.View("attention/pool", ("head", "key"), (4, 2))
LAGS = m.View("memory/attention/0", ("head", "lag"), (2, 5))
MATRIX = m.View("memory/matrix", ("slot", "unit"), (3, 5), signed=True)
READ = m.View("memory/read", ("head", "slot"), (1, 3))
GATE = m.View("memory/gate/update", ("unit",), (8,))
HIDDEN = m.View("memory/hidden", ("unit",), (8,), signed=True)


def ready_with(*views: m.View, held: tuple[str, ...] = (), **more: Any) -> m.PlayerReady:
    weights = tuple(view.name for view in views if view.axes[-1] in ("key", "lag", "slot") and not view.signed)
    return m.PlayerReady(
        step=0, environment="E", views=views, held=held, weights=weights, actions=("left", "right"), **more
    )


# -- what can be changed ------------------------------------------------------------------------------


def test_everything_that_can_be_changed_is_offered_and_nothing_else() -> None:
    ready = ready_with(
        HIDDEN, GATE, MATRIX, READ, SELF, POOL, held=("memory/hidden", "memory/matrix"),
        features=("x", "angle"), labels={"key": ("x", "angle"), "query": ("x", "angle")},
    )  # fmt: skip
    offered = {target.key: target for target in intervention_targets(ready)}
    assert set(offered) == {
        "memory", "memory/hidden:unit", "memory/matrix:slot", "memory/matrix:unit", "memory/read:slot",
        "Attention:key:2", "attention/self/0:head", "attention/pool:head", "observation", "action",
    }  # fmt: skip
    assert offered["memory"].names == ("memory/hidden", "memory/matrix")
    assert offered["Attention:key:2"].labels == ("x", "angle")
    assert not any("gate" in key for key in offered)
    assert len({target.key for target in intervention_targets(ready)}) == len(intervention_targets(ready))


def test_an_intervention_says_what_it_does_and_is_sent_as_interventions() -> None:
    ready = ready_with(
        HIDDEN, MATRIX, SELF, POOL, LAGS, held=("memory/hidden", "memory/matrix"),
        features=("x", "angle"), labels={"key": ("x", "angle")},
    )  # fmt: skip
    offered = {target.key: target for target in intervention_targets(ready)}

    def told(key: str, **chosen: Any) -> tuple[str, list[m.Intervention]]:
        row = InterventionEntry(offered[key], 12, **chosen)
        return f"{row.what}, {row.when}", row.interventions()

    change = m.Intervention
    assert told("memory", last=12) == (
        "everything it remembers erased, at step 12",
        [
            change(target="memory/hidden", first=12, last=12, do="remove"),
            change(target="memory/matrix", first=12, last=12, do="remove"),
        ],
    )
    assert told("memory/hidden:unit", places=(3, 7), do="set", value=-0.5) == (
        "hidden state, unit 4, unit 8 set to −0.5, from step 12 on",
        [change(target="memory/hidden", first=12, at=((3, 7),), do="set", value=-0.5)],
    )
    assert told("memory/matrix:slot", places=(1,), last=20) == (
        "matrix, slot 2 erased, steps 12 to 20",
        [change(target="memory/matrix", first=12, last=20, at=((1,), None), do="remove")],
    )
    assert told("Attention:key:2", places=(1,)) == (
        "tokens, angle masked, from step 12 on",
        [
            change(target="attention/self/0", first=12, at=(None, None, (1,)), do="remove"),
            change(target="attention/pool", first=12, at=(None, (1,)), do="remove"),
        ],
    )
    assert told("attention/self/0:head", places=(2,))[1] == [
        change(target="attention/self/0", first=12, at=((2,), None, None), do="remove")
    ]
    assert told("Memory:lag:5", places=(1, 2, 3, 4)) == (
        "past steps, 4 of 5 masked, from step 12 on",
        [change(target="memory/attention/0", first=12, at=(None, (1, 2, 3, 4)), do="remove")],
    )
    assert told("observation", places=(0,), do="set", value=2.0, last=12) == (
        "sees x as 2, at step 12",
        [change(target="observation", first=12, last=12, at=((0,),), do="set", value=2.0)],
    )
    assert told("action", places=(1,), last=12) == (
        "does right, at step 12",
        [change(target="action", first=12, last=12, value=1.0)],
    )


def test_without_a_state_that_is_shown_the_past_steps_are_the_memory() -> None:
    (memory,) = (target for target in intervention_targets(ready_with(LAGS)) if target.key == "memory")
    assert InterventionEntry(memory, 3).interventions() == [
        m.Intervention(target="memory/attention/0", first=3, at=(None, (1, 2, 3, 4)), do="remove")
    ]
    assert not [target for target in intervention_targets(ready_with(GATE)) if target.group == "Memory"]


# -- comparing ----------------------------------------------------------------------------------------


def played(length: int, ended: bool = True, **other: Any) -> PlayedEpisode:
    playing = PlayedEpisode(READY, m.EpisodeBegan(step=1, number=1, seed=1), "demo")
    tensors = {
        "q": np.zeros((length, 2), np.float32), "action": np.zeros(length, np.int64),
        "reward": np.ones(length), "observation": np.full((length, 2), np.nan, np.float32),
    }  # fmt: skip
    for name, (t, value) in other.items():
        tensors[name][t] = value
    playing.take(m.Played(step=1, number=1, first=0, tensors=tensors, ended=ended))
    return playing


def test_episodes_are_compared_bit_for_bit() -> None:
    assert compare(played(9), played(9)) == Comparison(9, True, None, None)
    assert compare(played(9, ended=False), played(7, ended=False)) == Comparison(7, False, None, None)
    assert compare(played(9), played(9, q=(4, 1e-30))) == Comparison(9, True, 4, None)
    assert compare(played(9), played(9, q=(3, -0.0))).differs == 3  # not one bit
    assert compare(played(9), played(9, action=(5, 1), q=(2, 1))) == Comparison(9, True, 2, 5)
    assert compare(played(9), played(6)) == Comparison(6, True, 6, 6)
    assert compare(played(9, ended=False), played(6)).diverges == 6
    assert compare(played(6), played(6, ended=False)) == Comparison(6, False, None, None)


# -- the card -----------------------------------------------------------------------------------------


@pytest.fixture
def made(qapp: QApplication, qtbot: QtBot, player: Watched, folder: Path, monkeypatch: Any) -> Iterator[Any]:
    """A card with a scripted player that shows step 20, and a second one."""
    themes.apply(qapp, "dark")
    monkeypatch.setattr(ScriptedPlayer, "ready", READY)
    ScriptedSecondPlayer.made.clear()
    second_player = SecondPlayer(open_host=ScriptedSecondPlayer)
    panel = attached(qtbot, player, second_player)
    player.show_in(pictures=True, views=True)
    player.open(folder=folder, source="demo")
    player.start()
    player.advance(times=4)
    player.seek(20)
    player.advance(times=4)
    assert player.playing is not None
    assert player.playing.t == 20
    panel.refresh()
    yield SimpleNamespace(panel=panel, player=player, second_player=second_player)
    second_player.stop()
    panel.clear()


def attached(
    qtbot: QtBot, player: Player, second_player: SecondPlayer, width: int = 900, height: int = 560
) -> WhatIfPanel:
    """A card that is fed as the board does it."""
    panel = WhatIfPanel()
    qtbot.addWidget(panel)
    panel.resize(width, height)
    library = SimpleNamespace(summaries=[], name_of=str)
    panel.attach(Sources(session=None, player=player, library=library, second_player=second_player, chosen={}))  # type: ignore[arg-type]
    player.grew.connect(panel.take_views)
    player.grew.connect(lambda _: panel.refresh())
    second_player.grew.connect(panel.refresh)
    player.moved.connect(panel.follow)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show(History())
    return panel


def target_of(panel: WhatIfPanel, key: str) -> InterventionTarget:
    assert panel.playing is not None
    return next(each for each in intervention_targets(panel.playing.ready) if each.key == key)


def add(made: Any, key: str, place: int | None = None) -> None:
    """As a click in the menu of Add does; an editor that opens is closed again."""
    made.panel.add_change(target_of(made.panel, key), place)
    if made.panel.editor is not None:
        made.panel.editor.close()


def verdict(qtbot: QtBot, made: Any, text: str) -> str:
    """Let the second player play until the card says something that begins so."""

    def said() -> bool:
        made.player.advance()
        made.panel.refresh()
        waits = made.panel.waits or made.second_player.busy
        return bool(made.panel.verdict.text().startswith(text) and not waits)

    qtbot.waitUntil(said, timeout=60_000)
    return str(made.panel.verdict.text())


def test_it_says_what_it_will_show_and_offers_nothing_before_an_agent_plays(
    qtbot: QtBot, qapp: QApplication, player: Watched
) -> None:
    panel = attached(qtbot, player, SecondPlayer(open_host=ScriptedSecondPlayer))
    assert panel.empty_text == panel.promise
    assert panel.mode.isHidden()


def test_a_change_makes_another_future(qtbot: QtBot, made: Any) -> None:
    assert made.panel.hint.isVisibleTo(made.panel)
    assert not ScriptedSecondPlayer.made
    add(made, "memory")
    assert made.player.paused
    assert verdict(qtbot, made, "Diverges") == "Diverges at step 20 · return 100 → 100"
    (begun,) = ScriptedSecondPlayer.made[-1].all_of(m.BeginEpisode)
    assert begun.interventions == (m.Intervention(target="memory/hidden", first=20, last=20, do="remove"),)
    assert begun.actions == tuple(made.player.playing.action[:20])
    assert begun.seed == made.player.playing.seed
    assert made.panel.view.strip.marks.diverges == 20
    qtbot.waitUntil(lambda: made.second_player.frame is not None and made.second_player.frame[1] == 20)
    assert made.panel.view.bars.described == "left 20.00 21.00 Δ +1.00 · right 10.00 11.00 Δ +1.00"


def test_without_a_change_both_are_identical(qtbot: QtBot, made: Any) -> None:
    made.panel.run.click()
    assert verdict(qtbot, made, "Identical") == "Identical"
    assert made.panel.comparison.identical
    made.player.episodes.next_episode()
    made.player.advance(times=4)
    made.panel.refresh()
    qtbot.waitUntil(lambda: not made.second_player.variants)  # of this one nobody asked
    assert made.panel.hint.isVisibleTo(made.panel)


def test_a_change_that_is_off_or_gone_changes_nothing(qtbot: QtBot, made: Any) -> None:
    add(made, "memory")
    verdict(qtbot, made, "Diverges")
    QTest.mouseClick(made.panel.list.rows[0].check, Qt.MouseButton.LeftButton)
    assert not made.panel.interventions.rows[0].on
    qtbot.waitUntil(lambda: not made.second_player.variants)
    made.panel.list.rows[0].check.click()
    verdict(qtbot, made, "Diverges")
    made.panel.list.rows[0].remove.click()
    assert not made.panel.list.rows
    qtbot.waitUntil(lambda: not made.second_player.variants)
    add(made, "memory")
    add(made, "action", 1)
    made.panel.clear_all.click()
    assert not made.panel.interventions.rows
    assert not made.panel.clear_all.isEnabled()


def test_forcing_the_action_that_is_taken_anyway_differs_in_nothing(qtbot: QtBot, made: Any) -> None:
    taken = int(made.player.playing.action[20])
    add(made, "action", taken)
    assert verdict(qtbot, made, "Identical") == "Identical"
    made.panel.interventions.clear()
    add(made, "action", 1 - taken)
    assert verdict(qtbot, made, "Diverges").startswith("Diverges at step 20")
    assert made.panel.comparison.differs == 20


def test_edits_take_effect_at_once_and_many_are_played_once(qtbot: QtBot, made: Any) -> None:
    made.panel.add_change(target_of(made.panel, "observation"), None)
    editor = made.panel.editor
    assert editor is not None  # which of them is chosen there
    verdict(qtbot, made, "Diverges")
    asked = len(ScriptedSecondPlayer.made[-1].all_of(m.BeginEpisode))
    for value in np.linspace(0, 3, 31):
        editor.value.setValue(value)
    editor.places.item(1).setSelected(True)
    editor.first.setValue(30)
    row = made.panel.interventions.rows[0]
    assert (row.value, row.places, row.first, row.last) == (3.0, (0, 1), 30, 30)
    verdict(qtbot, made, "Diverges at step 30")
    assert len(ScriptedSecondPlayer.made[-1].all_of(m.BeginEpisode)) == asked + 1
    editor.span.setCurrentIndex(0)
    assert made.panel.interventions.rows[0].last is None
    editor.do.setCurrentIndex(editor.row.target.does.index("scale"))
    assert not editor.value.isHidden()
    editor.close()
    assert made.panel.editor is None
    made.panel.list.rows[0].text.click()
    assert made.panel.editor is not None
    assert made.panel.editor.first.value() == 30


def test_another_episode_is_changed_alike(qtbot: QtBot, made: Any) -> None:
    add(made, "memory")
    verdict(qtbot, made, "Diverges at step 20")
    made.player.episodes.next_episode(11)
    made.player.advance(times=4)
    qtbot.waitUntil(lambda: bool(made.second_player.variants) and made.second_player.variants[-1].seed == 11)
    assert verdict(qtbot, made, "Diverges at step 20")
    assert made.panel.comparison.known == ScriptedPlayer.length


def test_a_change_further_on_than_the_episode_is_waits_for_it(qtbot: QtBot, made: Any) -> None:
    made.player.pause()
    made.player.episodes.next_episode(11)
    made.player.host.answers = False
    made.panel.interventions.add(InterventionEntry(target_of(made.panel, "memory"), 90))
    made.player.advance(times=2)
    qtbot.wait(200)
    made.player.host.answers = True
    made.player.episodes.next_episode(12)
    verdict(qtbot, made, "Diverges at step 90")


def test_the_players_steps_move_both(qtbot: QtBot, made: Any) -> None:
    add(made, "memory")
    verdict(qtbot, made, "Diverges")
    made.player.seek(33)
    made.player.advance(times=3)
    assert made.panel.view.values.t == 33
    qtbot.waitUntil(lambda: made.second_player.frame is not None and made.second_player.frame[1] == 33)
    place = made.panel.view.values.place
    at = place.center().toPoint()
    QTest.mouseClick(made.panel.view.values, Qt.MouseButton.LeftButton, pos=at)
    made.player.advance(times=3)
    assert made.player.playing.t == made.panel.view.values.step_at(at.x())


def test_a_recorded_episode_is_compared_with_what_the_agent_would_have_done(qtbot: QtBot, made: Any) -> None:
    made.player.episodes.begin(5, actions=[0] * 60, at=20)
    made.player.advance(times=5)
    assert made.player.playing.given == 60
    add(made, "memory")
    verdict(qtbot, made, "Diverges at step 20")
    as_is, changed = ScriptedSecondPlayer.made[-1].all_of(m.BeginEpisode)
    assert (as_is.interventions, as_is.actions) == ((), (0,) * 20)
    assert (len(changed.interventions), changed.actions) == (1, (0,) * 20)
    assert made.panel.original is not made.player.playing


def test_a_recorded_episode_without_a_change_is_itself(qtbot: QtBot, made: Any) -> None:
    made.player.episodes.begin(5, actions=[0] * 60, at=20)
    made.player.advance(times=5)
    made.panel.run.click()
    assert verdict(qtbot, made, "Identical") == "Identical"
    assert ScriptedSecondPlayer.made[-1].all_of(m.BeginEpisode)[-1].actions == (0,) * 60


def test_an_episode_that_cannot_be_played_again_is_told(qtbot: QtBot, made: Any, monkeypatch: Any) -> None:
    told = ScriptedSecondPlayer.played

    def otherwise(self: ScriptedSecondPlayer, first: int, until: int) -> m.Played:
        event = told(self, first, until)
        event.tensors["observation"][np.arange(first, until) >= 7] += 1
        return event

    monkeypatch.setattr(ScriptedSecondPlayer, "played", otherwise)
    add(made, "memory")
    verdict(qtbot, made, "Not reproducible: the episodes differ before the change, from step 7 on")


def test_weights_that_are_gone_are_told(qtbot: QtBot, made: Any) -> None:
    made.player.playing.weights_step = 40_000
    add(made, "memory")
    verdict(qtbot, made, "The weights of step 40,000 are not stored any more")


def test_a_failure_is_told_and_run_tries_again(qtbot: QtBot, made: Any) -> None:
    add(made, "memory")
    verdict(qtbot, made, "Diverges")
    ScriptedSecondPlayer.made[-1].emit(m.Failed(step=0, text="`memory/hidden`: there is no such view"))
    made.player.seek(21)
    made.player.advance(times=3)
    qtbot.waitUntil(lambda: "no such view" in made.panel.verdict.text())
    made.panel.run.click()
    verdict(qtbot, made, "Diverges")


def test_another_agent_on_the_same_seed(qtbot: QtBot, made: Any, folder: Path) -> None:
    made.panel.mode.fill()
    texts = [action.text() for action in every_action(made.panel.mode.menu())]
    assert texts[0] == "What if…"
    assert {"20,000 steps", "60,000 steps", "Best checkpoint"} <= set(texts)
    next(action for action in every_action(made.panel.mode.menu()) if action.text() == "20,000 steps").trigger()
    assert made.panel.add.isHidden()
    verdict(qtbot, made, "Identical")
    opened, begun = ScriptedSecondPlayer.made[-1].sent[:2]
    assert opened == m.OpenAgent(folder=str(folder), checkpoint=20_000)
    assert begun.seed == made.player.playing.seed
    made.player.episodes.next_episode(17)
    made.player.advance(times=4)
    qtbot.waitUntil(lambda: made.second_player.variants[-1].seed == 17)
    assert made.panel.view.names == ("this", "other")
    made.panel.compare_with(None)
    qtbot.waitUntil(lambda: not made.second_player.variants)
    assert not made.panel.add.isHidden()


def test_what_stood_beside_another_agent_is_left_with_it(
    qtbot: QtBot, made: Any, folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    def another_plays(name: str) -> None:
        shutil.copytree(folder, tmp_path / name)
        made.player.open(folder=tmp_path / name)
        made.player.advance(times=4)
        qtbot.waitUntil(lambda: made.panel.playing is made.player.playing is not None)

    panel = made.panel
    panel.compare_with(OtherAgent(AgentRef(None, folder), 20_000, "checkpoint 20,000"))
    made.player.episodes.next_episode(17)
    made.player.advance(times=4)
    qtbot.waitUntil(lambda: panel.playing.seed == 17)
    assert panel.mode.chosen is not None
    another_plays("second")
    assert panel.mode.chosen is None
    assert not panel.add.isHidden()

    panel.compare_with(OtherAgent(AgentRef(None, folder), "best", "a run", READY.environment))
    another_plays("third")
    assert panel.mode.chosen is not None
    monkeypatch.setattr(ScriptedPlayer, "ready", msgspec.structs.replace(READY, environment="Elsewhere"))
    another_plays("fourth")
    assert panel.mode.chosen is None


def test_a_run_whose_task_is_set_up_differently_is_told_apart(made: Any, tmp_path: Path) -> None:
    stored = []
    for length in (30, 30, 40):
        experiment = with_settings(read_experiment("tmaze"), {"env.kwargs": {"length": length}})
        run = create(tmp_path / "runs", experiment)
        (run / "checkpoints").mkdir(exist_ok=True)
        (run / "checkpoints" / "best.pt").write_bytes(b"")
        stored.append(run)
    own, alike, other = stored
    environment = made.player.playing.ready.environment
    made.panel.sources.library.summaries = [SimpleNamespace(folder=str(run), env=environment) for run in (alike, other)]
    made.player.client.choose_silently(AgentRef(None, own), "best")
    made.panel.mode.fill()
    texts = [action.text() for action in every_action(made.panel.mode.menu())]
    assert str(alike) in texts
    assert f"{other} (other task settings)" in texts


def every_action(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        if action.menu() is not None:
            yield from every_action(action.menu())
        elif action.text():
            yield action


def opened_menu(panel: WhatIfPanel) -> QMenu:
    """The menu of Add as a click on it shows it."""
    menu = panel.add.menu()
    menu.popup(panel.mapToGlobal(panel.rect().center()))
    menu.close()
    return menu


def test_the_menu_offers_what_this_agent_has(made: Any) -> None:
    texts = [action.text() for action in every_action(opened_menu(made.panel))]
    assert texts == [
        "Everything it remembers",
        *(f"unit {n}" for n in range(1, 9)),
        "position",
        "angle",
        "left",
        "right",
    ]
    list(every_action(made.panel.add.menu()))[3].trigger()
    assert made.panel.interventions.rows[0].places == (2,)
    made.player.playing.ready = msgspec.structs.replace(READY, held=())
    made.panel.list.set_agent(made.player.playing.ready)
    assert not made.panel.list.rows[0].check.isEnabled()
    assert not made.panel.interventions.active(made.player.playing.ready)


def test_the_row_that_is_looked_at_in_the_memory_is_the_one_to_change(made: Any) -> None:
    made.panel.sources.chosen["memory/hidden"] = 5
    add(made, "memory/hidden:unit")
    assert made.panel.interventions.rows[-1].places == (5,)
    views = (MATRIX, LAGS)
    made.player.playing.ready = ready_with(*views, held=("memory/matrix",))
    made.panel.sources.chosen.update({"memory/matrix": 12, "memory/attention/0": 0})  # the third slot; the oldest step
    for key, place in (("memory/matrix:slot", 2), ("memory/matrix:unit", 2), ("Memory:lag:5", 4)):
        add(made, key)
        assert made.panel.interventions.rows[-1].places == (place,), key


def test_both_futures_can_be_exported(qtbot: QtBot, made: Any, tmp_path: Path) -> None:
    add(made, "memory")
    verdict(qtbot, made, "Diverges")
    made.panel.export_csv(tmp_path / "futures.csv")
    head, *rows = list(csv.reader((tmp_path / "futures.csv").open(encoding="utf-8")))
    assert head[:6] == [
        "t",
        "original action",
        "original reward",
        "original return",
        "original q left",
        "original q right",
    ]
    assert len(head) == 11
    assert len(rows) == ScriptedPlayer.length
    assert rows[20][1] != rows[20][6]
    made.panel.export_png(tmp_path / "futures.png")
    made.panel.export_svg(tmp_path / "futures.svg")
    assert "original" in (tmp_path / "futures.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [(460, 270), (520, 620), (900, 560), (320, 200)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_size_draws_the_same_without_overlaps(
    qapp: QApplication, qtbot: QtBot, made: Any, size: tuple[int, int], theme: Any
) -> None:
    add(made, "memory")
    verdict(qtbot, made, "Diverges")
    themes.apply(qapp, theme)
    made.panel.restyle(themes.current())
    made.panel.resize(*size)
    qtbot.wait(20)
    view = made.panel.view
    parts = [view.strip, view.values, view.returns, view.bars, *view.pictures]
    seen = [part for part in parts if part.isVisible() and not part.visibleRegion().isEmpty()]
    assert view.strip in seen
    assert view.values in seen
    for index, one in enumerate(seen):
        area = one.rect().translated(one.mapTo(view, one.rect().topLeft()))
        assert view.rect().contains(area), one
        for other in seen[index + 1 :]:
            assert not area.intersects(other.rect().translated(other.mapTo(view, other.rect().topLeft())))


# -- in the window ------------------------------------------------------------------------------------


@pytest.fixture
def app(qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A whole window whose agents do something else from an intervention on."""
    ScriptedSecondPlayer.made.clear()
    made = make_app(settings, monkeypatch, open_play_host=ScriptedSecondPlayer)
    show(qtbot, made)
    yield made
    end(qtbot, made)


def test_in_the_window_a_change_is_played_by_a_process_that_ends_with_it(app: App) -> None:
    app.window.resize(1280, 800)
    QTest.keyClick(app.window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    panel = app.window.panel_docks.panels["whatif"]
    assert isinstance(panel, WhatIfPanel)
    until(lambda: panel.playing is not None and panel.playing.t > 2 and panel.add.isEnabled(), 20)
    next(action for action in every_action(opened_menu(panel)) if action.text() == "Everything it remembers").trigger()
    first = panel.interventions.rows[0].first
    assert app.player.paused
    until(lambda: panel.verdict.text().startswith(f"Diverges at step {first:,}"), 20)
    assert panel.view.strip.isVisible()
    assert app.second_player.alive
    app.window.arrange("train")
    assert panel.visibleRegion().isEmpty()
    app.closing.begin(ask=False)
    until(lambda: app.closing.done, 20)
    assert not app.second_player.alive


# -- with the real process ----------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_an_agent_whose_cue_is_erased_turns_the_same_way_whatever_the_cue_was(
    qtbot: QtBot, qapp: QApplication, tmaze_run: Path
) -> None:
    themes.apply(qapp, "dark")
    player, second_player = Player(), SecondPlayer()
    panel = attached(qtbot, player, second_player)
    made = SimpleNamespace(panel=panel, player=SimpleNamespace(advance=lambda: None), second_player=second_player)
    player.show_in(pictures=True, views=True)
    player.open(folder=tmaze_run)
    player.start()
    player.pause()
    turned = {}
    for seed in (UP_SEED, DOWN_SEED):
        qtbot.waitUntil(lambda: player.playing is not None and player.playing.length > 0, timeout=120_000)
        player.episodes.next_episode(seed)
        qtbot.waitUntil(lambda: player.playing.seed == seed and player.playing.ended, timeout=60_000)  # type: ignore[union-attr]  # noqa: B023
        player.seek(2)
        qtbot.waitUntil(lambda: player.playing.t == 2, timeout=60_000)  # type: ignore[union-attr]
        if seed == UP_SEED:
            panel.run.click()
            assert verdict(qtbot, made, "Identical") == "Identical"
            add(made, "memory")
        said = verdict(qtbot, made, "Diverges")
        assert second_player.variants[-1].seed == seed
        original, changed = player.playing, second_player.playing
        assert original is not None
        assert changed is not None
        assert original.action[-1] == (0 if seed == UP_SEED else 1)
        assert original.reward.sum() == 1
        turned[seed] = int(changed.action[-1])
        assert said.endswith("return 1 → −1") == (changed.reward.sum() == -1)
    assert turned[UP_SEED] == turned[DOWN_SEED]

    panel.interventions.clear()
    for key, place, value in (("action", 0, 0.0), ("observation", 0, 1.0)):
        first = 5 if key == "action" else 0  # the turn itself; the cue while it is shown
        row = InterventionEntry(target_of(panel, key), first, first, (place,), "set", value)
        panel.interventions.add(row)
        verdict(qtbot, made, "Diverges")
        assert second_player.playing is not None
        assert second_player.playing.reward.sum() == -1  # it says up, and down is right
        panel.interventions.clear()

    panel.compare_with(OtherAgent(AgentRef(None, tmaze_run), 5_008, "checkpoint 5,008"))
    verdict(qtbot, made, "Diverges")
    assert second_player.playing is not None
    assert second_player.playing.weights_step == 5_008
    for part in (player, second_player):
        part.stop()
        qtbot.waitUntil(lambda: not part.alive, timeout=10_000)  # noqa: B023
