"""Episodes that start with prescribed actions, have interventions, or are driven step by step."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from player_client import Player, player_with_weights, small, weights_of
from trained_agents import DOWN_SEED, LENGTH, UP_SEED

from dqngui import catalog
from dqngui.config import ConfigError
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.vector import Envs
from dqngui.hosts import open_host
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.episode import SimulatedEpisode
from dqngui.jobs.frames import KEPT_FRAMES
from dqngui.jobs.interventions import Interventions
from dqngui.messages import (
    BeginEpisode,
    Command,
    Drive,
    EpisodeBegan,
    Event,
    Failed,
    Finished,
    Frame,
    Intervention,
    Look,
    OpenAgent,
    Played,
    PlayerReady,
    Request,
    Stop,
    UseWeights,
    Warned,
)
from dqngui.settings import experiment_from
from tests.thinned import thinned

T, AT = 16, 6
OPTIONS = {
    "lru": {"layers": 2},
    "transformer": {"layers": 2, "length": 5},
    "sarima": {"p": 1, "q": 2, "seasonal_p": 0},  # so short that it forecasts within a few steps
    "mann": {"slots": 5, "slot_width": 6},
    "dnc": {"slots": 5, "slot_width": 6},
}
PAIRS = [
    *((attention, "lstm") for attention in sorted(catalog.ATTENTIONS)),
    *itertools.product(["self", "recurrent"], sorted(catalog.MEMORIES)),
]
Arrays = dict[str, np.ndarray]


class Scene:
    """An agent in its environment, by default Acrobot, that plays episodes of T steps."""

    def __init__(self, attention: str = "self", memory: str = "gru", env_id: str = "Acrobot-v1", **env: Any) -> None:
        net = {"attention": attention, "memory": memory, "memory_options": OPTIONS.get(memory, {}), "width": 16}
        net |= {"tokens": "feature"}
        experiment = experiment_from({"env": {"id": env_id, **env}, "net": net})
        self.envs: Envs = make_vector(experiment.env, 1)
        self.agent = LoadedAgent(OpenAgent(experiment=experiment), experiment, self.envs.spaces)
        weights = weights_of(experiment, 0)
        rng = np.random.default_rng(0)  # fresh networks hardly tell actions apart
        self.agent.offer_weights(
            1, {name: w + rng.normal(0, 0.1, w.shape).astype(w.dtype) for name, w in weights.items()}
        )
        self.agent.use_offered_weights()
        self.held, self.weights = self.agent.held, self.agent.weights

    def play(self, *interventions: Intervention, until: int = T, **asked: Any) -> Arrays:
        """An episode of its first `until` steps as arrays; digests too, of what the environment really showed."""
        begin = BeginEpisode(**{"number": 1, "seed": 3, "epsilon": 0.3, "interventions": interventions, **asked})
        episode = SimulatedEpisode(self.agent, self.envs, begin)
        rows = []
        while not episode.ended and episode.length < until:
            rows.append(episode.advance(episode.playable_until(until), 1e9).tensors)
        played = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        return {**played, "shown": np.array(episode.digests)}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # as the job does


@pytest.fixture(scope="module")
def scenes() -> Iterator[dict[tuple[str, str], Scene]]:
    made: dict[tuple[str, str], Scene] = {}
    yield made
    for scene in made.values():
        scene.envs.close()


@pytest.fixture(params=thinned(PAIRS, one_of=2), ids="-".join)
def scene(request: pytest.FixtureRequest, scenes: dict[tuple[str, str], Scene]) -> Scene:
    if request.param not in scenes:
        scenes[request.param] = Scene(*request.param)
    return scenes[request.param]


def assert_equal(one: Arrays, other: Arrays, until: int | None = None) -> None:
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name][:until], other[name][:until], err_msg=name)


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    return len(one) != len(other) or bool((one != other).any())


# -- nothing changed ------------------------------------------------------------------------------


def test_interventions_that_change_nothing_keep_every_bit(scene: Scene) -> None:
    plain = scene.play()
    targets = [*scene.held, *scene.weights, "observation"]
    idle = [Intervention(target=target, first=AT, do="scale", value=1.0) for target in targets]
    late = [Intervention(target=target, first=10_000, do="remove") for target in targets]
    own = Intervention(target="action", first=AT, last=AT, value=float(plain["action"][AT]))
    assert_equal(plain, scene.play(*idle, *late, own))


@pytest.mark.parametrize("given", [1, AT, T])
def test_given_actions_repeat_the_episode_and_the_agent_continues(scene: Scene, given: int) -> None:
    plain = scene.play()
    assert len(set(plain["action"].tolist())) > 1
    assert_equal(plain, scene.play(actions=tuple(plain["action"][:given].tolist())))


def test_given_actions_replace_those_of_the_agent(scene: Scene) -> None:
    given = tuple(np.random.default_rng(1).integers(0, 3, AT).tolist())
    played, plain = scene.play(actions=given, epsilon=1.0), scene.play(epsilon=1.0)
    np.testing.assert_array_equal(played["action"][:AT], given)
    assert differ(plain["action"][:AT], played["action"][:AT])
    # The random state after them is that of the episode that was not given any.
    np.testing.assert_array_equal(played["action"][AT:], plain["action"][AT:])
    greedy = scene.play(actions=given, epsilon=0.0)
    np.testing.assert_array_equal(greedy["action"][AT:], greedy["q"][AT:].argmax(1))


# -- changed --------------------------------------------------------------------------------------


def test_a_forced_action_changes_the_future_only(scene: Scene) -> None:
    plain = scene.play()
    other = (int(plain["action"][AT]) + 1) % 3
    forced = scene.play(Intervention(target="action", first=AT, last=AT, value=other))
    assert forced["action"][AT] == other
    for name in set(plain) - {"action", "reward", "shown"}:
        np.testing.assert_array_equal(plain[name][: AT + 1], forced[name][: AT + 1], err_msg=name)
    np.testing.assert_array_equal(plain["shown"][: AT + 1], forced["shown"][: AT + 1])
    assert differ(plain["observation"][AT + 1 :], forced["observation"][AT + 1 :])
    assert differ(plain["q"][AT + 1 :], forced["q"][AT + 1 :])


def test_the_memory_state_is_changed_from_the_step_of_the_intervention(scene: Scene) -> None:
    plain = scene.play()
    for name in scene.held:
        changed = scene.play(Intervention(target=name, first=AT, last=AT, do="set", value=0.7))
        assert_equal(plain, changed, AT)
        views = [view for view in plain if view.startswith("view/memory") or view == "q"]
        assert any(differ(plain[view][AT:], changed[view][AT:]) for view in views), name


def test_weights_are_changed_in_their_steps_and_rows_sum_to_one_or_none(scene: Scene) -> None:
    plain = scene.play()
    for name in scene.weights:
        before = plain[f"view/{name}"]
        most = int(before[AT].reshape(-1, before.shape[-1]).mean(0).argmax())
        changed = scene.play(Intervention(target=name, first=AT, last=AT + 2, at=((most,),), do="remove"))
        assert_equal(plain, changed, AT)
        rows = changed[f"view/{name}"]
        assert (rows[AT : AT + 3, ..., most] == 0).all() and (rows[AT + 3 :, ..., most] > 0).any()
        if "dnc" not in type(scene.agent.network.memory).__name__.lower() or "attention" in name:
            sums = rows.sum(-1)
            assert (np.isclose(sums, 1, atol=1e-5) | (sums == 0)).all(), name
        assert differ(plain["q"][AT:], changed["q"][AT:]) or "write" in name


def test_heads_are_masked(scene: Scene) -> None:
    views = {view.name: view for view in scene.agent.views()}
    for name in scene.weights:
        at = ((0,), *[None] * (len(views[name].axes) - 1))
        masked = scene.play(Intervention(target=name, first=AT, at=at, do="remove"), until=AT + 3)
        rows = masked[f"view/{name}"]
        assert (rows[AT:, 0] == 0).all() and (rows[:AT, 0].sum(-1) > 0).any(), name
        assert np.isfinite(masked["q"]).all()


def test_one_token_is_removed_from_all_attention() -> None:
    scene = Scene("self", "none")
    changed = scene.play(Intervention(target="attention/*", first=0, at=((2,),), do="remove"), epsilon=0.0)
    for name in scene.weights:
        assert (changed[f"view/{name}"][..., 2] == 0).all()
        np.testing.assert_allclose(changed[f"view/{name}"].sum(-1), 1, atol=1e-5)
    # What that feature says no longer matters to anything.
    hidden = Intervention(target="observation", first=0, at=((2,),), value=0.9)
    blind = scene.play(Intervention(target="attention/*", first=0, at=((2,),), do="remove"), hidden, epsilon=0.0)
    np.testing.assert_allclose(blind["q"], changed["q"], atol=1e-6)
    assert differ(scene.play(hidden, epsilon=0.0)["q"], scene.play(epsilon=0.0)["q"])
    scene.envs.close()


def test_changes_work_without_recording() -> None:
    scene = Scene("self", "transformer")
    plain = scene.play(record=False)
    masked = Intervention(target="memory/attention/*", first=AT, at=((1, 2, 3),), do="remove")
    changed, recorded = scene.play(masked, record=False), scene.play(masked)
    assert set(changed) == set(plain) == {"q", "action", "reward", "observation", "shown"}
    assert_equal(plain, changed, AT)
    assert differ(plain["q"], changed["q"])
    np.testing.assert_allclose(changed["q"], recorded["q"], atol=1e-5)
    scene.envs.close()


def test_interventions_are_applied_in_their_order() -> None:
    scene = Scene()
    interventions = [
        Intervention(target="memory/hidden", first=AT, last=AT, do="set", value=0.5),
        Intervention(target="memory/hidden", first=AT, last=AT, at=((1, 3),), do="scale", value=-2.0),
    ]
    one = scene.play(*interventions)
    rest = tuple(unit for unit in range(16) if unit not in (1, 3))
    apart = [
        Intervention(target="memory/hidden", first=AT, last=AT, at=(rest,), value=0.5),
        Intervention(target="memory/hidden", first=AT, last=AT, at=((1, 3),), value=-1.0),
    ]
    assert_equal(one, scene.play(*apart))
    assert differ(one["q"], scene.play(interventions[0])["q"])
    scene.envs.close()


def test_an_observation_is_changed_for_the_agent_alone() -> None:
    scene = Scene("none", "gru")
    plain = scene.play(epsilon=0.0)
    given = tuple(plain["action"].tolist())
    changed = scene.play(Intervention(target="observation", first=AT, last=AT, at=((1, 4),), value=0.25), actions=given)
    np.testing.assert_array_equal(plain["shown"], changed["shown"])
    np.testing.assert_array_equal(plain["reward"], changed["reward"])
    assert (changed["observation"][AT, [1, 4]] == 0.25).all()
    changed["observation"][AT, [1, 4]] = plain["observation"][AT, [1, 4]]
    np.testing.assert_array_equal(plain["observation"], changed["observation"])
    np.testing.assert_array_equal(plain["q"][:AT], changed["q"][:AT])
    assert (plain["q"][AT:] != changed["q"][AT:]).any()
    scene.envs.close()


def test_categories_stay_categories() -> None:
    pytest.importorskip("minigrid")
    scene = Scene("none", "gru", "MiniGrid-MemoryS7-v0")
    features = scene.agent.features
    direction, state = features.index("direction"), features.index("image[3, 2, 2]")
    changed = scene.play(
        Intervention(target="observation", first=0, at=((direction,),), value=2.0),
        Intervention(target="observation", first=0, at=((state,),), value=3.0),
        Intervention(target="observation", first=1, at=((direction, state),), do="scale", value=0.7),  # 1.4 and 2.1
        Intervention(target="observation", first=2, at=((direction, state),), do="scale", value=50.0),
        until=3,
    )["observation"]
    np.testing.assert_array_equal(changed[:, [direction, state]], [[2, 3], [1, 2], [3, 3]])
    with pytest.raises(ConfigError, match=r"image\[3, 2, 2\] cannot be 4, only 0 to 3, whole numbers"):
        Interventions([Intervention(target="observation", first=0, at=((state,),), value=4.0)], scene.agent)
    with pytest.raises(ConfigError, match=r"direction cannot be 0\.5, only 0 to 3"):
        Interventions([Intervention(target="observation", first=0, at=((direction,),), value=0.5)], scene.agent)
    assert np.isfinite(scene.play(Intervention(target="observation", first=0, do="remove"))["q"]).all()
    scene.envs.close()


def test_a_memory_that_is_erased_turns_the_same_way_whatever_the_cue_was(tmaze_run: Path) -> None:
    player = Player(tmaze_run)
    erased = (Intervention(target="memory/hidden", first=3, last=3, do="remove"),)
    up, down = (player.episode(number=n, seed=n, interventions=erased) for n in (UP_SEED, DOWN_SEED))
    assert up["action"][-1] == down["action"][-1]
    assert sorted([up["reward"][-1], down["reward"][-1]]) == [-1, 1]


@pytest.mark.parametrize("seed", [UP_SEED, DOWN_SEED])
def test_a_memory_that_is_erased_changes_nothing_before(tmaze_run: Path, seed: int) -> None:
    player = Player(tmaze_run)
    plain = player.episode(seed=seed)
    assert plain["reward"][-1] == 1 and len(plain["reward"]) == LENGTH + 1
    erased = player.episode(
        number=2, seed=seed, interventions=(Intervention(target="memory/hidden", first=3, last=3, do="remove"),)
    )
    assert_equal(plain, erased, 3)
    # The cue changed is the memory of the other cue.
    other = player.episode(
        number=3,
        seed=seed,
        interventions=(Intervention(target="observation", first=0, last=0, at=((0,),), do="scale", value=-1),),
    )
    assert other["action"][-1] != plain["action"][-1] and other["reward"][-1] == -1


# -- asked of the job -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intervention", "says"),
    [
        ({"target": "memory/cell"}, "this agent has no `memory/cell`; what can be changed: action, observation, atten"),
        (
            {"target": "memory/gate/*"},
            "`memory/gate/.` is only shown, and changing it would have no effect; .* memory/hidden",
        ),
        ({"target": "memory/hidden", "at": ((8,),)}, "`memory/hidden`: there is no unit 8, only 0 to 7"),
        ({"target": "attention/pool", "at": ((-1,), None)}, "`attention/pool`: there is no head −1, only 0 to 1"),
        ({"target": "memory/hidden", "at": ((0,), (1,))}, r"`memory/hidden`: has 1 axes \(unit\), not 2"),
        ({"target": "observation", "at": ((4,),)}, "`observation`: there is no entry 4, only 0 to 3"),
        ({"target": "action", "value": 2.0}, r"`action`: there is no action 2, only 0 to 1 \(0 left, 1 right\)"),
        ({"target": "action", "value": 0.5}, "`action`: there is no action 0.5"),
        ({"target": "action", "do": "remove"}, "`action` can only be set"),
        ({"target": "memory/hidden", "first": -1}, "there is no step from −1"),
        ({"target": "memory/hidden", "first": 5, "last": 4}, "there is no step from 5 to 4"),
        ({"target": "memory/hidden", "value": float("nan")}, "nan is not a finite number"),
    ],
)
def test_an_impossible_intervention_is_refused_and_another_episode_can_start(
    intervention: dict[str, Any], says: str
) -> None:
    player = player_with_weights(small())
    player.send(
        BeginEpisode(number=1, seed=3, interventions=(Intervention(**{"first": 0, **intervention}),)),
        Look(number=1, until=5),
    )
    failure = player.next()
    assert isinstance(failure, Failed) and failure.mistake
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(failure.words)
    assert len(player.episode(5, number=2)["action"]) == 5


def test_given_actions_that_do_not_exist_are_refused() -> None:
    player = player_with_weights(small())
    player.send(BeginEpisode(number=1, seed=3, actions=(0, 1, 2)))
    failure = player.next()
    assert isinstance(failure, Failed) and "no action 2, only 0 to 1" in failure.words


def test_what_can_be_changed_is_announced() -> None:
    ready = player_with_weights(small()).ready
    assert ready.held == ("memory/hidden",)
    assert set(ready.weights) == {"attention/self/0", "attention/pool"}


def test_more_given_actions_than_the_episode_has_end_with_it() -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"length": 6}))
    played = player.episode(actions=(2,) * 50, driven=True)
    assert len(played["action"]) == 6 and player.last.ended
    assert player.received(EpisodeBegan)[-1].given == 50


def test_a_changed_episode_is_shown_at_every_step() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    plain = player.episode(30)
    interventions = (
        Intervention(target="action", first=4, last=12, value=2.0),
        Intervention(target="observation", first=3, do="remove"),
        Intervention(target="memory/hidden", first=15, do="remove"),
    )
    played = player.episode(30, number=2, actions=tuple(plain["action"][:4].tolist()), interventions=interventions)
    assert (played["observation"][3:] == 0).all() and (played["action"][4:13] == 2).all()
    env = make_env(small("Acrobot-v1").env, render_mode="rgb_array")
    env.reset(seed=3)
    expected = [env.render()]
    for action in played["action"]:
        env.step(int(action))
        expected.append(env.render())
    for t in (29, 0, 13, 4, 30):
        np.testing.assert_array_equal(player.picture(t, number=2, size=(500, 500)), expected[t])
    assert not player.received(Warned)
    env.close()


def test_episodes_with_interventions_are_drawn_in_environments_that_are_not_reproducible() -> None:
    player = player_with_weights(small("tests/Drawn-v0", kwargs={"differs_from": 0, "length": 300}))
    erased = (Intervention(target="memory/hidden", first=5, do="remove"),)
    player.send(BeginEpisode(number=1, seed=3, interventions=erased, actions=(0, 1, 2)), Look(number=1, until=300, t=0))
    assert player.until(Frame).tensors["pixels"][0, 0, 0] == 0
    for t in range(0, 2 * KEPT_FRAMES, 9):
        assert player.picture(t, until=300)[0, 0, 0] == t


# -- driven ---------------------------------------------------------------------------------------


def test_driving_without_an_action_uses_the_agents_action() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    plain = player.episode(20, epsilon=0.4)
    player.send(BeginEpisode(number=2, seed=3, epsilon=0.4, driven=True), *(Drive(number=2, t=t) for t in range(1)))
    rows = [player.until(Played)]
    for t in range(1, 20):
        player.send(Drive(number=2, t=t))
        rows.append(player.until(Played))
        assert rows[-1].first == t and len(rows[-1].tensors["action"]) == 1
    driven = {name: np.concatenate([row.tensors[name] for row in rows]) for name in rows[0].tensors}
    assert_equal(plain, driven)


def test_a_driven_step_waits_and_others_are_ignored() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    given = (0, 1, 2, 0)
    player.send(BeginEpisode(number=1, seed=3, actions=given, driven=True), Look(number=1, until=50, t=6))
    rows = [player.until(Played)]
    while rows[-1].first + len(rows[-1].tensors["action"]) < 4:
        rows.append(player.until(Played))
    assert np.concatenate([row.tensors["action"] for row in rows]).tolist() == [0, 1, 2, 0]
    # Neither a look nor another step or episode moves it, and waiting for them costs nothing.
    player.send(Drive(number=1, t=5, action=2), Drive(number=2, t=4, action=2), Drive(number=1, t=3, action=2))
    player.send(Drive(number=1, t=4, action=1), Drive(number=1, t=4, action=2))
    played = player.until(Played)
    assert played.first == 4 and played.tensors["action"].tolist() == [2]  # the newest word counts
    player.send(Drive(number=1, t=5, action=0))
    assert player.until(Played).tensors["action"].tolist() == [0]
    assert player.until(Frame).t == 6  # the picture that waited for its step
    player.send(Drive(number=1, t=6, action=7))
    assert "no action 7, only 0 to 2" in player.until((Failed,)).words
    player.send(Drive(number=1, t=6, action=1))
    assert player.until(Played).first == 6


def test_a_driven_step_is_played_although_the_given_ones_are_not_played_yet() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    given = tuple([1] * 40)
    player.send(BeginEpisode(number=1, seed=3, actions=given, driven=True), Drive(number=1, t=40, action=2))
    rows = [player.until(Played)]
    while rows[-1].first + len(rows[-1].tensors["action"]) < 41:
        rows.append(player.until(Played))
    assert np.concatenate([row.tensors["action"] for row in rows]).tolist() == [*given, 2]


def test_the_agent_continues_after_a_driven_part() -> None:
    player = player_with_weights(small("Acrobot-v1"))
    plain = player.episode(30, epsilon=0.4)
    given = tuple(plain["action"][:10].tolist())
    player.send(BeginEpisode(number=2, seed=3, epsilon=0.4, actions=given, driven=True), Look(number=2, until=30))
    player.until(Played, lambda played: played.first + len(played.tensors["action"]) == 10)
    player.send(Drive(number=2, t=10, onward=True))
    rest = [player.until(Played)]
    while rest[-1].first + len(rest[-1].tensors["action"]) < 30:
        rest.append(player.until(Played))
    np.testing.assert_array_equal(np.concatenate([row.tensors["q"] for row in rest]), plain["q"][10:])


def test_a_driven_episode_never_waits_busily(monkeypatch: pytest.MonkeyPatch) -> None:
    player, polls = player_with_weights(small("Acrobot-v1")), []
    monkeypatch.setattr(player.inbox, "poll", _counted(player.inbox.poll, polls))
    player.send(BeginEpisode(number=1, seed=3, actions=(1, 2), driven=True), Look(number=1, until=500, t=80))
    player.until(Played)
    polls.clear()
    player.send(Stop())
    assert isinstance(player.next(), Finished)
    assert len(polls) <= 2  # asked for a command, and waited for it


def _counted(poll: Any, calls: list[int]) -> Any:
    def counted(step: int) -> Any:
        calls.append(step)
        return poll(step)

    return counted


def test_changed_and_driven_episodes_in_a_process_are_those_played_here() -> None:
    experiment = small("Acrobot-v1")
    commands: list[Command] = [
        OpenAgent(experiment=experiment),
        UseWeights(step=5, tensors=weights_of(experiment, 0)),
        BeginEpisode(
            number=1,
            seed=3,
            actions=(0, 2, 1),
            driven=True,
            interventions=(
                Intervention(target="attention/*", first=1, at=((0,),), do="remove"),
                Intervention(target="memory/hidden", first=2, last=2, at=((0, 3), ), value=0.5),
                Intervention(target="observation", first=3, last=None, at=((1,),), do="scale", value=0.5),
            ),
        ),
        Drive(number=1, t=3, action=2),
    ]  # fmt: skip
    here, there = Player(), open_host("process", Request(job="play"))
    here.send(*commands)
    here.until(PlayerReady)
    near = here.until(Played, lambda played: played.first + len(played.tensors["action"]) == 4)
    assert near.tensors["action"].tolist()[-1] == 2
    there.start()
    for command in commands:
        there.send(command)
    answers: list[Event] = []
    end = time.monotonic() + 60
    while time.monotonic() < end and not any(isinstance(event, Played) and _whole(event) for event in answers):
        answers += there.drain()
        time.sleep(0.005)
    there.send(Stop())
    assert there.join(20)
    (ready,) = (event for event in answers if isinstance(event, PlayerReady))
    assert ready.held == ("memory/hidden",)
    one, other = (
        {name: np.concatenate([row.tensors[name] for row in rows]) for name in rows[0].tensors}
        for rows in (here.received(Played), [event for event in answers if isinstance(event, Played)])
    )
    assert_equal(one, other)


def _whole(played: Played) -> bool:
    return played.first + len(played.tensors["action"]) == 4
