"""The player: its clock never runs ahead, one request at a time, the right agent plays, and it lets go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from dqngui import config
from dqngui import messages as m
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.lab.playback.playhead import Playhead
from dqngui.texts import words
from tests.doubles.scripted_player import ScriptedPlayer, Watched, weights

EXPERIMENT = config.Experiment()


@pytest.fixture
def watched(player: Watched, folder: Path) -> Watched:
    """One that plays a stored agent, at its first step."""
    player.open(folder=folder, source="demo")
    player.start()
    player.advance(times=4)
    assert player.playing is not None
    return player


def test_it_opens_begins_and_shows_the_first_step(player: Watched, folder: Path) -> None:
    player.open(folder=folder, source="demo")
    assert words(player.loading) == "Starting the player…"
    player.start()
    assert words(player.loading) == "Loading the agent…"
    player.advance(times=4)
    assert [type(command) for command in player.host.sent] == [m.OpenAgent, m.BeginEpisode, m.Look]
    assert player.host.sent[0] == m.OpenAgent(folder=str(folder), checkpoint="best")
    assert (player.playing.seed, player.playing.source, player.loading) == (PLAY_SEEDS, "demo", "")  # type: ignore[union-attr]
    assert player.shown[-1] == (0, 0)
    assert player.client.choices == ["best", "last", 20_000, 60_000]


def test_the_clock_moves_by_speed_and_the_picture_is_of_the_step(watched: Watched) -> None:
    watched.advance(0.2)  # 10 steps at 50 a second
    watched.advance()
    assert watched.shown[-1] == (10, 10)
    watched.set_speed(0.1)
    watched.advance(0.25)
    watched.advance(0.0)
    assert watched.playing.t == 11  # type: ignore[union-attr]
    assert watched.playing.return_so_far == 11  # type: ignore[union-attr]
    watched.set_speed(1000)
    assert watched.speed == 20


def test_two_requests_at_a_time_and_then_the_newest_step(watched: Watched) -> None:
    watched.host.draws = False
    before = len(watched.host.all_of(m.Look))
    watched.advance(0.1, times=5)
    first, look = watched.host.all_of(m.Look)[before:]
    watched.host.emit(m.Frame(step=0, number=look.number, t=first.t, tensors={}))
    watched.advance()
    third = watched.host.all_of(m.Look)[-1]
    assert third.t > look.t
    watched.advance(0.1, times=5)
    assert watched.host.all_of(m.Look)[-1] == third
    watched.host.draws = True
    watched.host.emit(m.Frame(step=0, number=look.number, t=third.t, tensors={}))
    watched.advance(0.0, times=2)
    assert watched.playing.t > third.t + 15  # type: ignore[union-attr]


def test_the_clock_waits_for_steps_that_are_not_known(watched: Watched) -> None:
    watched.host.answers = False
    watched.advance(0.25, times=20)
    assert watched.playhead.t == watched.playing.length - 1 < 99  # type: ignore[union-attr]
    assert not watched.playing.ended  # type: ignore[union-attr]


def test_at_the_end_it_holds_and_then_plays_another_seed(watched: Watched) -> None:
    watched.seek(98)
    watched.advance(0.05, times=3)
    watched.advance(0.2, times=2)
    assert watched.shown[-1] == (100, 100)
    number = watched.playing.number  # type: ignore[union-attr]
    watched.advance(0.2, times=2)
    assert watched.playing.number == number  # type: ignore[union-attr]
    watched.advance(0.2, times=5)
    assert watched.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]
    assert watched.playing.t < 60  # type: ignore[union-attr]


def test_repeat_and_pause_keep_the_episode(watched: Watched) -> None:
    watched.episodes.set_repeats(True)
    number = watched.playing.number  # type: ignore[union-attr]
    watched.advance(0.25, times=40)
    assert watched.playing.number == number  # type: ignore[union-attr]
    assert [t for t, _ in watched.shown].count(100) >= 2
    watched.episodes.set_repeats(False)
    watched.pause()
    watched.seek(10_000)
    watched.advance(0.25, times=20)
    assert watched.shown[-1] == (100, 100)
    assert watched.playing.number == number  # type: ignore[union-attr]


def test_steps_back_and_forth_pause_and_agree_with_the_picture(watched: Watched) -> None:
    watched.seek(50)
    watched.advance(0.0, times=3)
    watched.step(1)
    watched.advance(0.2, times=3)
    assert watched.paused
    assert watched.shown[-1] == (51, 51)
    for _ in range(3):
        watched.step(-1)
    watched.advance(0.2, times=3)
    assert watched.shown[-1] == (48, 48)
    watched.seek(-5)
    watched.advance(0.0, times=2)
    assert watched.shown[-1] == (0, 0)


def test_a_seek_back_from_the_end_is_not_taken_for_the_end_while_its_picture_is_drawn(watched: Watched) -> None:
    watched.pause()
    watched.seek(100)
    watched.advance(0.0, times=4)
    watched.host.draws = False
    watched.play()
    watched.seek(10)
    watched.advance(0.25, times=4)
    assert len(watched.host.all_of(m.BeginEpisode)) == 1


def test_a_seek_behind_the_end_shows_the_last_picture(watched: Watched) -> None:
    watched.pause()
    watched.seek(5_000)
    watched.advance(times=4)
    assert watched.shown[-1] == (100, 100)
    assert watched.playing.ended  # type: ignore[union-attr]
    watched.step(-1)
    watched.advance(times=3)
    assert watched.shown[-1] == (99, 99)


def test_it_stands_still_while_nobody_looks(watched: Watched) -> None:
    t, sent = watched.playing.t, len(watched.host.sent)  # type: ignore[union-attr]
    watched.show_in(pictures=False, views=False)
    watched.advance(0.25, times=5)
    assert watched.playing.t == t  # type: ignore[union-attr]
    assert len(watched.host.sent) == sent
    assert not watched.awake


def test_views_are_recorded_from_the_same_step_on_when_a_panel_wants_them(watched: Watched) -> None:
    assert not watched.host.recorded
    watched.seek(42)
    watched.advance(0.0, times=3)
    watched.show_in(pictures=True, views=True)
    watched.pause()
    watched.advance(0.0, times=4)
    playing = watched.playing
    assert playing is not None
    assert playing.has_views
    assert playing.seed == PLAY_SEEDS
    assert watched.shown[-1] == (42, 42)
    assert len(playing.view("memory/hidden")) == playing.length > 42
    begun = len(watched.host.all_of(m.BeginEpisode))
    watched.show_in(pictures=True, views=False)
    watched.advance(0.0, times=3)
    assert len(watched.host.all_of(m.BeginEpisode)) == begun  # what is recorded stays until the next episode


def test_panels_that_come_in_sight_while_an_episode_begins_get_its_views(watched: Watched) -> None:
    watched.episodes.next_episode()
    watched.show_in(pictures=True, views=True)
    watched.advance(0.0, times=5)
    assert watched.playing.has_views  # type: ignore[union-attr]
    assert watched.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]
    assert len(watched.host.all_of(m.BeginEpisode)) == 3


def test_without_pictures_it_moves_by_the_clock_alone(watched: Watched) -> None:
    watched.show_in(pictures=False, views=True)
    watched.advance(0.0, times=4)
    looks = len(watched.host.all_of(m.Look))
    moved: list[int] = []
    watched.moved.connect(moved.append)
    watched.advance(0.1, times=4)
    assert moved == [5, 10, 15, 20]
    assert all(look.t is None for look in watched.host.all_of(m.Look)[looks:])


def test_another_seed_another_exploration(watched: Watched) -> None:
    watched.episodes.next_episode(seed=7)
    watched.episodes.set_epsilon(0.25)
    watched.advance(0.0, times=3)
    assert (watched.playing.seed, watched.playing.epsilon) == (7, 0.25)  # type: ignore[union-attr]
    watched.episodes.next_episode()
    watched.advance(0.0, times=3)
    assert watched.playing.seed == PLAY_SEEDS + 1  # type: ignore[union-attr]


def test_what_is_said_of_an_episode_that_was_left_is_ignored(watched: Watched) -> None:
    old = watched.playing.number  # type: ignore[union-attr]
    watched.episodes.next_episode()
    watched.host.emit(m.Frame(step=0, number=old, t=77, tensors={}))
    watched.advance(0.0)
    assert watched.playing.t == 0  # type: ignore[union-attr]
    watched.advance(0.0, times=2)
    watched.host.emit(m.Frame(step=0, number=old, t=77, tensors={}))
    watched.advance(0.0)
    assert watched.shown[-1] == (0, 0)


def test_it_comes_back_once_by_itself_and_then_asks(watched: Watched) -> None:
    first = watched.host
    first.die()
    watched.advance(0.0, times=5)
    assert watched.host is not first
    assert watched.problem == ""
    assert watched.shown[-1] == (0, 0)
    watched.host.die()
    watched.advance(0.0, times=3)
    assert len(ScriptedPlayer.opened) == 2
    assert "signal 9" in words(watched.problem)
    watched.client.restart()
    watched.advance(0.0, times=5)
    assert len(ScriptedPlayer.opened) == 3
    assert watched.problem == ""
    assert watched.shown[-1] == (0, 0)


def test_an_agent_that_cannot_be_opened_is_a_problem_and_another_can_be(watched: Watched, folder: Path) -> None:
    watched.host.answers = False
    watched.open(folder=folder / "elsewhere")
    watched.host.emit(m.Failed(step=0, text="there is no run `elsewhere`"))
    watched.advance()
    assert words(watched.problem) == "there is no run `elsewhere`"
    assert watched.playing is None
    watched.host.answers = True
    watched.open(folder=folder)
    watched.advance(0.0, times=4)
    assert watched.problem == ""
    assert watched.playing is not None


def test_a_notice_of_the_former_agent_is_ignored(watched: Watched, folder: Path) -> None:
    watched.host.answers = False
    watched.host.emit(m.Warned(step=0, text="it does not repeat itself"))
    watched.open(folder=folder)
    watched.advance()
    assert watched.client.notice == ""


def test_a_host_that_cannot_be_made_is_a_problem(qtbot: QtBot, folder: Path) -> None:
    def no_host(kind: str, request: m.Request) -> ScriptedPlayer:
        raise OSError("no more processes")

    player = Player(open_host=no_host)
    player.open(folder=folder)
    player.start()
    assert words(player.problem) == "the player could not start: no more processes"
    assert not player.alive


# -- which agent plays -------------------------------------------------------------------------------


def test_newest_weights_play_from_the_next_episode_on(player: Watched, folder: Path) -> None:
    wanted: list[None] = []
    player.client.weights_requested.connect(lambda: wanted.append(None))
    player.open(experiment=EXPERIMENT, folder=folder)
    player.start()
    player.advance(times=3)
    assert words(player.loading) == "Waiting for the first weights…"
    assert wanted
    assert not player.host.all_of(m.BeginEpisode)
    player.client.use_weights(weights(5_000))
    player.advance(times=3)
    assert player.playing.weights_step == 5_000  # type: ignore[union-attr]
    player.client.use_weights(weights(6_000))
    player.advance(0.1, times=3)
    assert len(player.host.all_of(m.UseWeights)) == 1
    player.show_in(pictures=True, views=True)  # the same episode: with the weights it began with
    player.advance(0.0, times=3)
    assert player.playing.weights_step == 5_000  # type: ignore[union-attr]
    player.episodes.next_episode()
    player.advance(times=3)
    assert player.playing.weights_step == 6_000  # type: ignore[union-attr]
    assert player.client.choices == ["newest", "best", "last", 20_000, 60_000]


@pytest.mark.parametrize(
    "kept_by", ["", "a person who chose a step", "a pause", "no view in sight", "no newer weights"]
)
def test_a_long_episode_gives_way_to_newer_weights_while_views_are_shown(
    player: Watched, folder: Path, kept_by: str
) -> None:
    player.open(experiment=EXPERIMENT, folder=folder)
    player.show_in(pictures=True, views=kept_by != "no view in sight")
    player.start()
    player.advance(times=3)
    player.client.use_weights(weights(5_000))
    player.advance(times=3)
    player.set_speed(0.1)
    player.advance(0.2, times=12)
    if kept_by != "no newer weights":
        player.client.use_weights(weights(6_000))
    player.advance(0.2, times=1)
    assert player.playing.weights_step == 5_000  # type: ignore[union-attr]
    if kept_by == "a person who chose a step":
        player.seek(2)
    elif kept_by == "a pause":
        player.pause()
    player.advance(0.2, times=6)
    assert player.playing.weights_step == (5_000 if kept_by else 6_000)  # type: ignore[union-attr]


def test_an_agent_that_is_opened_while_another_one_loads_is_played(player: Watched, folder: Path) -> None:
    """The clock stops without an agent, and goes on for the answer about the former one."""
    player.open(folder=folder, source="demo")
    player.start()
    player.client.close()
    player.advance()
    assert not player.awake
    player.open(experiment=EXPERIMENT, folder=folder)
    assert player.awake
    player.client.use_weights(weights(5_000))
    player.advance(times=5)
    assert player.playing is not None and player.playing.weights_step == 5_000


def test_another_seed_after_the_training_plays_the_best_checkpoint(player: Watched, folder: Path) -> None:
    player.open(experiment=EXPERIMENT, folder=folder)
    player.start()
    player.advance(times=3)
    player.client.use_weights(weights(5_000))
    player.advance(times=3)
    player.finish(folder)
    player.episodes.next_episode(seed=7)
    player.advance(0.0, times=5)
    assert (player.playing.source, player.playing.seed) == ("best checkpoint", 7)  # type: ignore[union-attr]


def test_weights_are_asked_for_at_most_once_a_second(player: Watched, folder: Path) -> None:
    wanted: list[None] = []
    player.client.weights_requested.connect(lambda: wanted.append(None))
    player.open(experiment=EXPERIMENT)
    player.start()
    player.advance(times=20)
    assert len(wanted) == 1
    player.advance(1.01)
    player.advance(times=20)
    assert len(wanted) == 2


def test_a_stored_checkpoint_can_be_chosen_and_left(watched: Watched) -> None:
    watched.choose(20_000)
    watched.advance(0.0, times=4)
    assert watched.host.all_of(m.OpenAgent)[-1].checkpoint == 20_000
    assert watched.playing.source == "checkpoint 20,000"  # type: ignore[union-attr]
    assert watched.playing.seed == PLAY_SEEDS  # type: ignore[union-attr]
    watched.choose("best")
    watched.advance(0.0, times=4)
    assert watched.playing.source == "demo"  # type: ignore[union-attr]


# -- episodes that were asked for as they are --------------------------------------------------------


def test_given_actions_are_played_from_a_step_on_and_stay_when_views_are_recorded(watched: Watched) -> None:
    watched.pause()
    watched.episodes.begin(7, actions=(1, 0, 0) * 30, at=12)
    watched.advance(times=4)
    playing = watched.playing
    assert playing is not None
    assert (playing.seed, playing.given, playing.person_acted, playing.t) == (7, 90, False, 12)
    assert playing.action[:6].tolist() == [1, 0, 0, 1, 0, 0]
    watched.show_in(pictures=True, views=True)
    watched.advance(times=4)
    again = watched.host.all_of(m.BeginEpisode)[-1]
    assert (again.seed, again.actions, again.record) == (7, (1, 0, 0) * 30, True)
    assert watched.shown[-1] == (12, 12)


def test_an_episode_that_was_asked_for_is_not_left_at_its_end(watched: Watched) -> None:
    watched.episodes.begin(7, actions=(1, 0, 0) * 30, at=98)
    begun = len(watched.host.all_of(m.BeginEpisode))
    watched.advance(0.25, times=30)
    assert watched.shown[-1] == (100, 100)
    assert watched.paused
    assert len(watched.host.all_of(m.BeginEpisode)) == begun
    watched.episodes.next_episode()
    watched.advance(times=4)
    assert (watched.playing.given, watched.playing.seed) == (0, PLAY_SEEDS + 1)  # type: ignore[union-attr]


def test_a_driven_episode_goes_on_by_hand_and_keeps_what_was_driven(watched: Watched) -> None:
    watched.episodes.begin(7, actions=(1, 1), person_drives=True, at=2)
    watched.advance(0.2, times=4)
    assert watched.playing.person_acted  # type: ignore[union-attr]
    assert watched.playing.length == 2  # type: ignore[union-attr]
    watched.episodes.drive(2, 1)
    watched.episodes.drive(3, None)
    watched.seek(4)
    watched.advance(0.2, times=4)
    assert watched.playing.action.tolist() == [1, 1, 1, 0]  # type: ignore[union-attr]
    watched.show_in(pictures=True, views=True)
    watched.advance(times=4)
    assert watched.host.all_of(m.BeginEpisode)[-1].actions == (1, 1, 1, 0)


# -- parts -------------------------------------------------------------------------------------------


def test_the_playhead_knows_how_far_ahead_to_ask() -> None:
    head = Playhead()
    head.fps, head.speed = 50.0, 1.0
    assert head.ahead == 32
    head.speed = 20.0
    assert head.ahead == 256
    playing = PlayedEpisode(ScriptedPlayer.ready, m.EpisodeBegan(step=0, number=1, seed=1), "demo")
    head.advance(1.0, playing)
    assert head.position == 0.0


def test_a_tick_costs_little(watched: Watched) -> None:
    watched.advance(0.02, times=20)
    before = time.thread_time()
    watched.advance(0.0, times=200)
    assert (time.thread_time() - before) / 200 < 0.001
