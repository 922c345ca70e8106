"""The playing job: its answers, their order, and that any step can be drawn again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from player_client import Drawn, Player, player_with_weights, small, weights_of

from dqngui.envs.make import make_env
from dqngui.jobs import episode
from dqngui.jobs.frames import KEPT_FRAMES, shrunk_to
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.play import play
from dqngui.messages import (
    BeginEpisode,
    EpisodeBegan,
    Failed,
    Finished,
    Frame,
    Look,
    OpenAgent,
    Played,
    PlayerReady,
    Request,
    Stop,
    UseWeights,
    Warned,
)
from dqngui.presets import demo_folder, read_experiment
from dqngui.settings import experiment_from


def test_a_stored_agent_is_announced_and_plays_its_task() -> None:
    player = Player(demo_folder())
    ready = player.ready
    assert ready.step > 0 and ready.environment == "CartPole-v1" and ready.fps == 50.0 and not ready.no_picture
    assert ready.actions == ("left", "right") and ready.features == ("cart position", "pole angle")
    assert ready.labels["query"] == ready.labels["key"] == ("cart position", "pole angle")
    shapes = {view.name: (view.axes, view.shape) for view in ready.views}
    assert shapes["attention/self/0"] == (("head", "query", "key"), (4, 2, 2))
    assert shapes["memory/hidden"] == (("unit",), (64,))
    played = player.episode()
    (began,) = player.received(EpisodeBegan)
    assert (began.number, began.seed, began.step, began.recorded) == (1, 3, ready.step, True)
    assert len(played["reward"]) == 500 and player.last.truncated
    for name, (_, shape) in shapes.items():
        assert played[f"view/{name}"].shape == (500, *shape) and played[f"view/{name}"].dtype == np.float32
    np.testing.assert_array_equal(played["q"].argmax(1), played["action"])


def test_played_steps_equal_those_of_a_plain_environment() -> None:
    experiment = read_experiment(demo_folder() / "experiment.toml")
    player = Player(demo_folder())
    played = player.episode(60)
    env = make_env(experiment.env, render_mode="rgb_array")
    observation, _ = env.reset(seed=3)
    for t in range(60):
        np.testing.assert_array_equal(played["observation"][t], observation)
        if t in (0, 1, 37):
            np.testing.assert_array_equal(player.picture(t), env.render())
        observation, reward, *_ = env.step(int(played["action"][t]))
        assert reward == played["reward"][t]
    env.close()


@pytest.mark.parametrize(
    ("env_id", "options"),
    [("CartPole-v1", {}), ("dqngui/TMaze-v0", {"kwargs": {"length": 8}}), ("Acrobot-v1", {})],
)
def test_any_step_can_be_drawn_again(env_id: str, options: dict[str, Any]) -> None:
    player = player_with_weights(small(env_id, **options))
    length = min(30, len(player.episode(30)["action"]))
    first = [player.picture(t) for t in range(length)]
    assert len({picture.tobytes() for picture in first}) > 1
    for t in (length - 1, 0, length // 2, 2):
        np.testing.assert_array_equal(player.picture(t), first[t])
    assert not player.received(Warned)


def test_views_of_a_long_episode_end_at_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    player = player_with_weights(small("dqngui/TMaze-v0", kwargs={"length": 60}))
    a_step = sum(4 * int(np.prod(view.shape)) for view in player.ready.views)
    monkeypatch.setattr(episode, "MAX_VIEW_BYTES", 20 * a_step)
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=50))
    player.until(Played, lambda played: played.first + len(played.tensors["action"]) >= 50)
    rows = player.received(Played)
    assert sum(len(row.tensors["view/memory/hidden"]) for row in rows if "view/memory/hidden" in row.tensors) == 20
    assert sum(len(row.tensors["q"]) for row in rows) == 50
    (warned,) = player.received(Warned)
    assert "first 20 steps" in warned.words


@pytest.mark.parametrize("memory", ["none", "lstm", "transformer"])
def test_recording_changes_nothing_but_gives_views(memory: str) -> None:
    player = player_with_weights(small(memory=memory))
    recorded, bare, again = (player.episode(60, number=n, record=n != 2) for n in (1, 2, 3))
    assert {f"view/{view.name}" for view in player.ready.views} == {name for name in recorded if "/" in name}
    assert set(bare) == {"q", "action", "reward", "observation"}
    for name in bare:
        np.testing.assert_allclose(bare[name], recorded[name], atol=1e-5)
    for name, values in recorded.items():
        np.testing.assert_array_equal(values, again[name])


def test_random_actions_repeat_with_the_seed() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    one, two, greedy, other = (
        player.episode(80, number=n, seed=seed, epsilon=epsilon)["action"]
        for n, (seed, epsilon) in enumerate([(5, 0.5), (5, 0.5), (5, 0.0), (6, 0.5)])
    )
    np.testing.assert_array_equal(one, two)
    assert (one != greedy).any() and (one != other).any()
    assert player.received(EpisodeBegan)[0].epsilon == 0.5


def test_an_episode_waits_for_weights_and_keeps_them_to_its_end() -> None:
    experiment = small("Acrobot-v1")
    old, new = weights_of(experiment, 1), weights_of(experiment, 2)
    player = Player(experiment)
    assert player.ready.step == 0
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=20))
    player.send(UseWeights(step=1, tensors={}))
    assert isinstance(player.next(), Failed)  # the only answer so far
    player.send(UseWeights(step=10, tensors=old))
    assert player.until(EpisodeBegan).step == 10
    player.until(Played, lambda played: played.first + len(played.tensors["q"]) == 20)
    player.send(UseWeights(step=20, tensors=new), Look(number=1, until=40))
    rest = player.until(Played, lambda played: played.first + len(played.tensors["q"]) == 40)
    assert rest.step == 10
    q = np.concatenate([played.tensors["q"] for played in player.received(Played)])
    np.testing.assert_array_equal(q, player_with_weights(experiment, 1).episode(40)["q"])
    np.testing.assert_array_equal(player.episode(40)["q"], player_with_weights(experiment, 2).episode(40)["q"])
    assert player.received(EpisodeBegan)[-1].step == 20


def test_weights_of_another_network_are_refused_and_play_goes_on() -> None:
    experiment = small()
    player = player_with_weights(experiment)
    before = player.episode(20)
    player.send(UseWeights(step=200, tensors=weights_of(small(memory="lstm"), 0)))
    failure = player.next()
    assert isinstance(failure, Failed) and failure.mistake and "do not fit" in failure.words
    np.testing.assert_array_equal(player.episode(20)["q"], before["q"])
    assert player.received(EpisodeBegan)[-1].step == 100


def test_the_newest_look_replaces_older_ones_and_other_episodes_are_ignored() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    player.episode(100)
    player.send(*(Look(number=1, until=0, t=t) for t in (5, 60, 90, 20)), Look(number=7, until=0, t=1))
    assert player.until(Frame).t == 20
    player.send(Stop())
    assert isinstance(player.next(), Finished)
    assert len(player.received(Frame)) == 1


def test_no_step_is_played_before_it_is_wanted() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    assert len(player.episode(7)["action"]) == 7
    player.send(Look(number=1, until=7, t=7))
    assert isinstance(player.next(), Frame)
    player.send(Look(number=1, until=9))
    played = player.next()
    assert isinstance(played, Played) and played.first == 7 and len(played.tensors["action"]) == 2


def test_a_slow_environment_answers_between_slices() -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"slow": 0.02, "length": 1000}))
    player.send(BeginEpisode(number=1, seed=3), Look(number=1, until=1000))
    player.until(Played)
    player.send(Look(number=1, until=1000, t=0))
    assert isinstance(player.next(), Frame)
    assert sum(len(played.tensors["action"]) for played in player.received(Played)) < 10
    player.send(BeginEpisode(number=2, seed=3))
    assert any(isinstance(player.next(), EpisodeBegan) for _ in range(2))


def test_a_late_picture_is_sent_before_the_next_one() -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"slow": 0.02, "length": 1000}))
    player.episode(25)
    player.picture(0)
    job, sent = player.job, []
    for t in range(10, 25):  # the clock runs faster than the camera
        player.send(Look(number=1, until=25 + t, t=t))
        sent.append(next(job))
    assert any(isinstance(event, Frame) for event in sent)


def test_an_episode_ends_once_and_its_last_picture_is_shown() -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"length": 6}))
    played = player.episode()
    assert len(played["action"]) == 6 and player.last.ended and player.last.truncated
    assert player.ready.fps == 12.0
    player.send(Look(number=1, until=1000, t=500))
    frame = player.next()
    assert isinstance(frame, Frame) and frame.t == 6
    assert frame.tensors["pixels"][0, 0, 0] == 6
    player.send(Stop())
    assert isinstance(player.next(), Finished)


def test_pictures_are_made_smaller_and_never_larger() -> None:
    player = player_with_weights(small("tests/Drawn-v0"))
    player.episode(5)
    assert player.picture(3, size=(640, 480)).shape == (40, 60, 3)
    assert player.picture(3, size=(30, 400)).shape == (20, 30, 3)
    chequered = np.indices((40, 60)).sum(0) % 2 * np.ones((3, 1, 1)) * 200
    assert np.ptp(shrunk_to(np.ascontiguousarray(chequered.transpose(1, 2, 0), np.uint8), (30, 20))) <= 8  # averaged


def test_an_environment_without_pictures_says_so_and_plays() -> None:
    for kwargs in ({"draws": False}, {}):
        env_id = "tests/Drawn-v0" if kwargs else "Sealed-v0"
        if not kwargs:
            gymnasium.register("Sealed-v0", entry_point=lambda: Drawn())
        player = player_with_weights(small(env_id, kwargs=kwargs))
        assert player.ready.no_picture_in_words == f"{env_id} draws no pictures"
        assert len(player.episode(10)["action"]) == 10
        assert player.picture(3).size == 0


@pytest.mark.parametrize("differs_from", [0, 20])
def test_an_environment_that_is_not_reproducible_is_drawn_while_it_is_simulated(differs_from: int) -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"differs_from": differs_from, "length": 300}))
    player.episode(100)
    if differs_from:  # noticed when its picture is wanted
        assert player.picture(90).size == 0
    for number in (2, 3):
        player.send(BeginEpisode(number=number, seed=3), Look(number=number, until=300, t=0))
        assert player.until(Frame).tensors["pixels"][0, 0, 0] == 0
        last = 198
        for t in range(0, last + 1, 9):
            assert player.picture(t, number, until=300)[0, 0, 0] == t
        assert player.picture(last - KEPT_FRAMES, number, until=300).size == 0
    assert [warned.words for warned in player.received(Warned)] == [
        "tests/Drawn-v0 is not reproducible (the same seed and actions give another episode), so only its newest steps "
        "can be shown"
    ]


@pytest.mark.parametrize("length", [1, 2])
def test_episodes_as_short_as_the_check_of_repeating(length: int) -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"length": length}))
    assert len(player.episode()["action"]) == length
    assert player.picture(length)[0, 0, 0] == length
    assert not player.received(Warned)


def test_an_environment_that_raises_is_reported_and_the_next_episode_starts(tmp_path: Path) -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"breaks_at": 9}))
    for number in (1, 2):
        player.send(BeginEpisode(number=number, seed=3), Look(number=number, until=100))
        assert player.until(EpisodeBegan).number == number
        failure = player.until((Failed,))
        assert failure.words.startswith("tests/Drawn-v0 raised OSError: the robot fell over (player_client.py, line ")
        assert failure.mistake and "Traceback" in failure.details  # a fault of the environment, not of dqngui
    assert len(player.episode(9, number=3)["action"]) == 9
    player.send(OpenAgent(experiment=small("tests/Drawn-v0", kwargs={"breaks_at": 0})))
    assert player.until((Failed,)).words.startswith("tests/Drawn-v0 raised OSError: the robot fell over (")
    player.send(OpenAgent(folder=str(demo_folder())))
    assert player.until(PlayerReady).environment == "CartPole-v1"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (OpenAgent(folder="no/such/run"), "there is no run"),
        (OpenAgent(folder=str(demo_folder()), checkpoint=77), "no checkpoint of step 77"),
        (OpenAgent(experiment=experiment_from({"env": {"id": "Nowhere-v0"}})), "there is no environment"),
        (OpenAgent(), "needs the folder"),
    ],
)
def test_an_agent_that_cannot_be_opened_is_reported_and_another_one_opens(command: OpenAgent, says: str) -> None:
    player = Player()
    player.send(command)
    failure = player.next()
    assert isinstance(failure, Failed) and failure.mistake and says in failure.words
    player.send(BeginEpisode(number=1, seed=1), UseWeights(step=1, tensors={}), Look(number=1, until=5))
    player.send(OpenAgent(folder=str(demo_folder())))
    assert isinstance(player.next(), PlayerReady)
    assert len(player.episode(10)["action"]) == 10
    player.send(Stop())
    assert isinstance(player.next(), Finished)


def test_a_job_with_only_a_schedule_ends_after_it() -> None:
    schedule = (OpenAgent(folder=str(demo_folder())), BeginEpisode(number=1, seed=3), Look(number=1, until=50, t=50))
    sent = list(play(Request(job="play"), Inbox(None, schedule)))
    assert {type(event) for event in sent} == {PlayerReady, EpisodeBegan, Played, Frame, Finished}
    assert isinstance(sent[-1], Finished)


def test_lunar_lander_is_reproducible_although_it_is_drawn() -> None:
    pytest.importorskip("Box2D")
    player = player_with_weights(small("LunarLander-v3"))
    length = len(player.episode(70)["action"])
    for t in (*range(0, length, 5), 3):
        assert player.picture(t, size=(300, 200)).shape == (200, 300, 3)
    assert not player.received(Warned)


def test_a_dictionary_of_parts_is_flattened_with_its_names() -> None:
    pytest.importorskip("minigrid")
    player = player_with_weights(small("MiniGrid-MemoryS7-v0"))
    played = player.episode(12)
    features = player.ready.features
    assert len(features) == played["observation"].shape[1] == 148  # the mission's words are no numbers to look at
    env = make_env(small("MiniGrid-MemoryS7-v0").env)
    observation, _ = env.reset(seed=3)
    shown = dict(zip(features, played["observation"][0], strict=True))
    assert shown["direction"] == observation["direction"]
    assert shown["image[3, 2, 1]"] == observation["image"][3, 2, 1]
    keys = player.ready.labels["key"]
    assert keys[:3] == ("direction", "cell 0,0", "cell 1,0") and keys[-1] == "mission"  # x comes first there
    assert player.ready.cells == (1, 7, 7)
    assert player.picture(4).shape[2] == 3
