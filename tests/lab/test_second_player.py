"""The second player: takes one after the other, the player's very weights, one picture at a time, and it lets go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pytestqt.qtbot import QtBot

from dqngui import config, presets
from dqngui import messages as m
from dqngui.lab.analysis.compare_episodes import compare
from dqngui.lab.analysis.second_player import EpisodeVariant, SecondPlayer
from dqngui.lab.playback.agent_ref import AgentRef, demo_run
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.runs.trust import Untrusted
from dqngui.settings import with_settings
from dqngui.texts import words
from tests.doubles.scripted_player import weights
from tests.doubles.scripted_second_player import ScriptedSecondPlayer

ERASED = m.Intervention(target="memory/hidden", first=20, do="remove")
AS_IS, CHANGED = EpisodeVariant(7, actions=(1,) * 20), EpisodeVariant(7, actions=(1,) * 20, interventions=(ERASED,))


@pytest.fixture
def second_player(qtbot: QtBot) -> Iterator[SecondPlayer]:
    ScriptedSecondPlayer.made.clear()
    made = SecondPlayer(open_host=ScriptedSecondPlayer)
    yield made
    made.stop()
    made.deleteLater()


def stored(folder: Path) -> AgentRef:
    return AgentRef(None, folder)


def host() -> ScriptedSecondPlayer:
    return ScriptedSecondPlayer.made[-1]


def settle(qtbot: QtBot, second_player: SecondPlayer) -> PlayedEpisode:
    qtbot.waitUntil(lambda: bool(second_player.variants) and not second_player.busy, timeout=60_000)
    assert second_player.playing is not None
    return second_player.playing


def test_nothing_runs_before_the_first_question(qtbot: QtBot, second_player: SecondPlayer, folder: Path) -> None:
    assert not ScriptedSecondPlayer.made
    assert not second_player.alive
    second_player.play(stored(folder), 20_000, [AS_IS], until=40)
    assert second_player.loading
    playing = settle(qtbot, second_player)
    assert playing.length == 40
    assert not second_player.loading
    assert host().sent[:2] == [
        m.OpenAgent(folder=str(folder), checkpoint=20_000),
        m.BeginEpisode(number=1, seed=7, actions=AS_IS.actions),
    ]


def test_another_run_that_nobody_trusts_says_what_to_do_in_the_window(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS], until=40)
    settle(qtbot, second_player)
    host().emit(m.Failed(step=0, text=Untrusted(folder, ("theirs",)).text))
    second_player.play_until(60)
    qtbot.waitUntil(lambda: bool(second_player.problem))
    assert "theirs" in words(second_player.problem) and "Trust this run" in words(second_player.problem)
    assert "--trust" not in words(second_player.problem)


def test_takes_are_played_in_turn_and_what_is_known_is_not_played_again(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS, CHANGED], until=60)
    changed = settle(qtbot, second_player)
    as_is = second_player.played[AS_IS]
    assert compare(as_is, changed).diverges == 20
    other = replace(CHANGED, interventions=(replace_first(ERASED, 30),))
    second_player.play(stored(folder), "best", [AS_IS, other], until=60)
    assert second_player.played == {AS_IS: as_is}
    settle(qtbot, second_player)
    assert [command.interventions for command in host().all_of(m.BeginEpisode)] == [(), (ERASED,), other.interventions]
    assert compare(second_player.played[AS_IS], second_player.playing).diverges == 30  # type: ignore[arg-type]


def test_the_last_take_can_be_drawn_though_it_was_known_already(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS, CHANGED], until=60)
    settle(qtbot, second_player)
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    second_player.show(5)
    qtbot.waitUntil(lambda: second_player.frame is not None and second_player.frame[1] == 5)
    assert host().all_of(m.BeginEpisode)[-1].interventions == ()
    second_player.play_until(80)
    qtbot.waitUntil(lambda: second_player.playing is not None and second_player.playing.length == 80)


def replace_first(change: m.Intervention, first: int) -> m.Intervention:
    return m.Intervention(target=change.target, first=first, do=change.do)


def test_another_question_meanwhile_leaves_the_first_one(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    qtbot.waitUntil(lambda: bool(host().all_of(m.BeginEpisode)))
    host().answers = False
    second_player.play(stored(folder), "best", [CHANGED], until=60)
    late = m.Played(step=0, number=1, first=0, tensors={"action": np.zeros(5, np.int64), "q": np.zeros((5, 2))})
    host().emit(m.EpisodeBegan(step=0, number=1, seed=7), late)
    qtbot.wait(100)
    assert second_player.playing is None
    assert second_player.busy
    host().answers = True
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    assert settle(qtbot, second_player).seed == 7


def test_it_grows_when_more_is_wanted(qtbot: QtBot, second_player: SecondPlayer, folder: Path) -> None:
    second_player.play(stored(folder), "best", [AS_IS], until=30)
    playing = settle(qtbot, second_player)
    second_player.play_until(64)
    assert settle(qtbot, second_player) is playing
    assert playing.length == 64
    second_player.play_until(1_000)
    settle(qtbot, second_player)
    assert playing.ended
    assert playing.length == ScriptedSecondPlayer.length


def test_more_is_wanted_while_an_earlier_take_is_played(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS], until=30)
    settle(qtbot, second_player)
    second_player.play(stored(folder), "best", [CHANGED, EpisodeVariant(8)], until=40)
    second_player.play_until(60)  # the first take has begun in the process and not been told yet
    qtbot.waitUntil(lambda: not second_player.busy, timeout=10_000)
    assert [playing.length for playing in second_player.played.values()] == [60, 60]


def test_weights_of_a_training_are_the_players_own(qtbot: QtBot, second_player: SecondPlayer) -> None:
    agent, first, second = AgentRef(config.Experiment(), None), weights(100), weights(200)
    second_player.play(agent, "newest", [AS_IS], until=30, weights=first)
    assert settle(qtbot, second_player).weights_step == 100
    sent = host().all_of(m.UseWeights)
    assert sent[0].tensors is first.tensors
    second_player.play(agent, "newest", [AS_IS], until=30, weights=first)  # nothing new
    second_player.play(agent, "newest", [AS_IS], until=30, weights=second)
    settle(qtbot, second_player)
    qtbot.waitUntil(lambda: second_player.playing is not None and second_player.playing.weights_step == 200)
    assert [each.step for each in host().all_of(m.UseWeights)] == [100, 200]


def test_pictures_come_one_at_a_time_and_the_newest_step_wins(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    seen: list[int] = []
    second_player.framed.connect(lambda image, t: seen.append(t) if image is not None else None)
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    settle(qtbot, second_player)
    host().draws = False
    second_player.show(3)
    qtbot.waitUntil(lambda: any(look.t == 3 for look in host().all_of(m.Look)))
    for t in range(4, 30):
        second_player.show(t)
    host().draws = True
    number = host().all_of(m.BeginEpisode)[-1].number
    host().emit(m.Frame(step=0, number=number, t=3, tensors={"pixels": np.zeros((4, 4, 3), np.uint8)}))
    qtbot.waitUntil(lambda: seen[-1:] == [29])
    assert seen == [3, 29]
    second_player.show(None)
    assert second_player.frame is not None


def test_a_refused_question_is_told_and_the_next_one_is_played(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS], until=30)
    settle(qtbot, second_player)
    host().emit(m.Failed(step=0, text="`memory/gate`: there is no such view"))
    second_player.play_until(60)
    qtbot.waitUntil(lambda: bool(second_player.problem))
    assert not second_player.busy
    second_player.play(stored(folder), "best", [CHANGED], until=30)
    assert not second_player.problem
    settle(qtbot, second_player)


def test_a_process_that_dies_is_started_once_more_and_then_says_why(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS, CHANGED], until=60)
    settle(qtbot, second_player)
    host().die()
    second_player.play_until(70)
    qtbot.waitUntil(lambda: len(ScriptedSecondPlayer.made) == 2)
    settle(qtbot, second_player)
    host().die()
    second_player.show(3)
    qtbot.waitUntil(lambda: "signal 9" in words(second_player.problem))
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    settle(qtbot, second_player)
    assert len(ScriptedSecondPlayer.made) == 3


def test_forgetting_leaves_nothing_and_stopping_is_for_good(
    qtbot: QtBot, second_player: SecondPlayer, folder: Path
) -> None:
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    settle(qtbot, second_player)
    second_player.forget()
    assert second_player.playing is None
    assert not second_player.busy
    second_player.stop()
    assert not second_player.alive
    second_player.play(stored(folder), "best", [AS_IS], until=60)
    assert len(ScriptedSecondPlayer.made) == 1


# -- with real processes ------------------------------------------------------------------------------


def with_weights(**chosen: Any) -> tuple[config.Experiment, m.Weights]:
    """An agent that has learned nothing, as it would come from a training."""
    import torch

    from dqngui.jobs.agent import LoadedAgent
    from dqngui.jobs.play_environments import PlayEnvironments

    wanted = {f"net.{name}": value for name, value in chosen.items()} | {"net.width": 16, "net.tokens": "feature"}
    experiment = with_settings(presets.read_experiment("cartpole-positions"), wanted)
    environments = PlayEnvironments(experiment)
    network = LoadedAgent(m.OpenAgent(experiment=experiment), experiment, environments.envs.spaces).network
    environments.close()
    generator = torch.Generator().manual_seed(3)
    tensors = {
        name: (value + 0.1 * torch.randn(value.shape, generator=generator)).numpy()
        for name, value in network.state_dict().items()
    }
    return experiment, m.Weights(step=5, tensors=tensors)


@pytest.mark.timeout(300)
@pytest.mark.slow  # three agents with and without taken actions
def test_without_a_change_two_processes_play_the_same_episode_bit_for_bit(qtbot: QtBot) -> None:
    player, second_player = Player(), SecondPlayer()
    before = set(psutil.Process().children(recursive=True))
    player.show_in(pictures=False, views=True)
    player.pause()
    player.episodes.epsilon = 0.2
    for attention, memory in (("self", "gru"), ("none", "transformer"), ("none", "mann")):
        experiment, newest = with_weights(attention=attention, memory=memory)
        player.open(experiment=experiment)
        player.client.use_weights(newest)
        player.start()
        qtbot.waitUntil(lambda: player.playing is not None and player.playing.length > 0, timeout=120_000)
        player.play_until(500)
        playing = player.playing
        assert playing is not None
        qtbot.waitUntil(lambda: playing.ended, timeout=60_000)  # noqa: B023
        cut = playing.length // 2
        for actions in ((), tuple(playing.action[:cut].tolist())):
            take = EpisodeVariant(playing.seed, playing.epsilon, playing.has_views, actions)
            assert player.client.agent is not None
            second_player.play(
                player.client.agent, player.client.choice, [take], until=500, weights=player.episodes.weights
            )
            other = settle(qtbot, second_player)
            found = compare(playing, other)
            assert found.identical, (memory, found)
            assert found.whole
            for name in playing.views:
                assert np.array_equal(playing.view(name), other.view(name)), name
        target = "memory/attention/0" if memory == "transformer" else "memory/hidden"
        change = m.Intervention(target=target, first=cut, do="scale", value=0.0)
        take = EpisodeVariant(playing.seed, playing.epsilon, playing.has_views, actions, (change,))
        second_player.play(
            player.client.agent, player.client.choice, [take], until=500, weights=player.episodes.weights
        )
        assert compare(playing, settle(qtbot, second_player)).differs == cut
    for part in (player, second_player):
        part.stop()
        qtbot.waitUntil(lambda: not part.alive, timeout=10_000)  # noqa: B023
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.timeout(300)
def test_a_killed_process_comes_back_and_plays_the_same(qtbot: QtBot) -> None:
    second_player, folder = SecondPlayer(), demo_run()
    assert folder is not None
    before = set(psutil.Process().children(recursive=True))
    second_player.play(stored(folder), "best", [EpisodeVariant(5)], until=20)
    first = settle(qtbot, second_player)
    (child,) = set(psutil.Process().children(recursive=True)) - before
    child.kill()
    second_player.play_until(30)
    qtbot.waitUntil(lambda: second_player.playing is not None and second_player.playing is not first, timeout=60_000)
    again = settle(qtbot, second_player)
    assert compare(first, again).identical
    assert again.length > first.length
    second_player.stop()
    qtbot.waitUntil(lambda: not second_player.alive, timeout=10_000)
    assert set(psutil.Process().children(recursive=True)) <= before
