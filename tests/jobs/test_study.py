"""The studying job: its answers about trained, untrained and hand-made agents, and its commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from msgspec.structs import replace

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.seeds import STUDY_SEEDS
from dqngui.hosts import run_inline
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.study.candidate_places import candidate_places
from dqngui.jobs.study.collecting import parallel_steps, study_environments
from dqngui.jobs.study.faithfulness import place_weights
from dqngui.jobs.study.following import FollowingNetwork, untrained_networks
from dqngui.jobs.study.linear import held_out
from dqngui.jobs.study.noisy_reading import folds_of, read_again, read_held_out
from dqngui.jobs.study.over_training import _AttentionSums, over_training
from dqngui.jobs.study.probe_data import StepData
from dqngui.jobs.study.probe_scores import score_steps
from dqngui.jobs.study.server import study
from dqngui.lab.analysis.probe_verdict import verdict
from dqngui.nets.record import ViewSpec
from dqngui.presets import read_experiment
from dqngui.runs.checkpoints import checkpoints, drop_after, load_weights, save_weights
from dqngui.runs.folder import create
from dqngui.runs.folder import read_experiment as read_run
from dqngui.settings import with_settings
from tests.evidence import meter_verdicts
from tests.thinned import thinned

SELF, PAST = "attention/self/0", "memory/attention/0"


def experiment(preset: str, **changes: Any) -> Experiment:
    """A preset with other settings, by their names with `__` for the dot."""
    return with_settings(read_experiment(preset), {name.replace("__", "."): value for name, value in changes.items()})


@pytest.fixture(scope="session")
def finder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that finds the loudest of six entities: one token decides at every step."""
    asked = experiment(
        "find",
        env__kwargs={"entities": 6, "fewest": 3},
        net__width=32,
        learn__epsilon__steps=2_000,
        run__total_steps=10_000,
        run__eval_every=10_000,
        run__eval_episodes=1,
        run__checkpoint_every=5_000,
        run__device="cpu",
    )
    folder = create(tmp_path_factory.mktemp("finder"), asked)
    list(run_inline(m.Request(job="train", experiment=asked, folder=str(folder))))
    return folder


@pytest.fixture(scope="session")
def transformer_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer that was trained in a T-maze of ten cells: at the junction one head looks at the cue."""
    return meter_verdicts.train("T-maze 10, transformer, seed 0", tmp_path_factory.mktemp("transformer"))


@pytest.fixture(scope="session")
def needless_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer that was trained in a task that needs no memory."""
    return meter_verdicts.train("Find, transformer", tmp_path_factory.mktemp("needless"))


class Unrepeatable(gymnasium.Env[np.ndarray, int]):
    """Every observation is another one, whatever the seed is."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(3)
    _drawn = np.random.default_rng(0)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return self._observed(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self._observed(), float(action), False, False, {}

    def _observed(self) -> np.ndarray:
        return self._drawn.uniform(-1, 1, 3).astype(np.float32)


class AlwaysTheSame(Unrepeatable):
    """Every episode is the same, whatever the seed is."""

    def _observed(self) -> np.ndarray:
        return np.zeros(3, np.float32)


def untrained(asked: Experiment, seed: int = 0, sharper: float = 1.0) -> tuple[m.Command, m.Command]:
    """Commands that open an agent with random weights, all multiplied by `sharper`."""
    return meter_verdicts.untrained(asked, seed, sharper)


def answers(*commands: m.Command) -> list[m.Event]:
    """What the job says, progress and its end aside."""
    answered = list(run_inline(m.Request(job="study", schedule=commands)))
    return [event for event in answered if not isinstance(event, (m.Progress, m.Finished))]


def answer(*commands: m.Command) -> Any:
    """The last thing that it says."""
    return answers(*commands)[-1]


# -- faithfulness ---------------------------------------------------------------------------------


def test_the_map_explains_an_agent_that_depends_on_one_token(finder: Path) -> None:
    answered = answer(m.OpenAgent(folder=str(finder)), m.AskFaithfulness(number=3, view=SELF))
    assert isinstance(answered, m.Faithfulness)
    assert answered.verdict == "explains"
    assert (answered.number, answered.view, answered.k, answered.step, answered.episodes, answered.steps) == (
        3,
        SELF,
        1,
        10_000,
        16,
        128,
    )
    assert answered.deciding > 100  # every step is rewarded by itself
    assert answered.at_stake is not None and answered.at_stake.value > 0.5
    assert answered.top.changed_actions > 2 * answered.random.changed_actions
    assert answered.undone.value == pytest.approx(answered.top.undone.value - answered.random.undone.value)
    for each in (answered.undone, answered.lost):
        assert each is not None and each.interval is not None
        assert 0 < each.interval[0] < each.value < each.interval[1]


@pytest.mark.parametrize("past", thinned(range(2), quick=[1]))
def test_the_transformer_s_map_explains_it_where_it_turns(past: int, transformer_run: Path) -> None:
    """It looks at the cue where the choice matters, which is one step of eleven: the others do not average it away."""
    answered = answer(m.OpenAgent(folder=str(transformer_run)), m.AskFaithfulness(number=1, view=PAST, k=1 + past))
    assert isinstance(answered, m.Faithfulness)
    assert answered.verdict == "explains"
    assert (answered.deciding, answered.played) == (16, 16)
    assert answered.at_stake is not None and answered.at_stake.value == 2  # +1 and −1 at the junction
    columns = answered.tensors
    assert columns["t"].tolist() == list(range(1 + past, 11))  # before, there are too few past steps
    assert columns["deciding"].tolist() == [0] * (9 - past) + [1]
    assert columns["stake"][-1] > 10 * columns["stake"][:-1].max()
    assert columns["top"][-1] > 0.5 * columns["stake"][-1] > 2 * columns["random"][-1]


def test_each_head_is_measured_alone(transformer_run: Path) -> None:
    """A head that looks at the cue carries much of the choice; without it the other one still turns the agent right."""
    heads = [
        answer(m.OpenAgent(folder=str(transformer_run)), m.AskFaithfulness(number=1, view=PAST, head=head))
        for head in range(4)
    ]
    assert [each.head for each in heads] == [0, 1, 2, 3]
    looking = [each for each in heads if each.concentration > 0.9]
    assert looking
    assert all(each.undone.value > 0.2 and each.verdict in ("explains", "same_return") for each in looking)
    assert all(meter_verdicts.largest_effect_at(each) == 10 for each in looking)
    assert {"not_more_than_random", "hardly_more_than_random"} & {each.verdict for each in heads}


def test_a_map_that_does_not_matter_explains_nothing(needless_run: Path) -> None:
    """A transformer whose task needs no past: there is much at stake, but not in what it remembers."""
    answered = answer(m.OpenAgent(folder=str(needless_run)), m.AskFaithfulness(number=1, view=PAST))
    assert isinstance(answered, m.Faithfulness)
    assert answered.at_stake is not None and answered.at_stake.value > 0.3
    assert answered.verdict in ("even", "not_more_than_random", "hardly_more_than_random", "same_return")


@pytest.mark.parametrize("sharper", [1.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_map_of_random_weights_explains_nothing(seed: int, sharper: float) -> None:
    """Also if its weights are so large that it is concentrated: with values never learned nothing is at stake."""
    opened = untrained(experiment("find", env__kwargs={"entities": 6, "fewest": 3}, net__width=32), seed, sharper)
    answered = answer(*opened, m.AskFaithfulness(number=1, view=SELF))
    assert isinstance(answered, m.Faithfulness)
    assert not answered.explains


def test_a_concentrated_map_of_random_weights_explains_nothing() -> None:
    pytest.importorskip("minigrid")
    asked = m.AskFaithfulness(number=1, view="attention/pool", episodes=6)
    answered = answer(*untrained(experiment("minigrid-memory-cells", env__kwargs={"max_steps": 20})), asked)
    assert isinstance(answered, m.Faithfulness)
    assert answered.verdict == "nothing_at_stake"


def test_a_nearly_even_map_explains_nothing_even_if_its_largest_place_changes_the_values(finder: Path) -> None:
    """The pool over the entities: its largest one hardly weighs more than others, and without it no return is lost."""
    answered = answer(m.OpenAgent(folder=str(finder)), m.AskFaithfulness(number=1, view="attention/pool"))
    assert isinstance(answered, m.Faithfulness)
    assert answered.undone.interval is not None and answered.undone.interval[0] > 0
    assert answered.multiple < 2
    assert answered.verdict == "same_return"


def test_nothing_is_played_on_where_the_environment_does_not_repeat_itself(finder: Path) -> None:
    """The seed of an episode then does not give its observations, which is seen before a return is compared."""
    gymnasium.register("tests/Unrepeatable-v0", entry_point=Unrepeatable, max_episode_steps=8)
    asked = experiment("find", env__id="tests/Unrepeatable-v0", env__kwargs={}, net__width=16, net__memory="mann")
    answered = answer(*untrained(asked), m.AskFaithfulness(number=1, view="memory/read", episodes=6))
    assert isinstance(answered, m.Faithfulness)
    assert (answered.verdict, answered.lost, answered.at_stake, answered.played) == ("not_repeatable", None, None, 0)


def test_episodes_that_are_all_the_same_say_nothing_of_others() -> None:
    gymnasium.register("tests/AlwaysTheSame-v0", entry_point=AlwaysTheSame, max_episode_steps=8)
    asked = experiment("find", env__id="tests/AlwaysTheSame-v0", env__kwargs={}, net__width=16, net__memory="mann")
    answered = answer(*untrained(asked), m.AskFaithfulness(number=1, view="memory/read", episodes=6))
    assert "all 6 episodes were the same" in answered.words


def test_the_same_question_has_the_same_answer(finder: Path) -> None:
    question = m.AskFaithfulness(number=1, view=SELF, k=2, episodes=6, draws=2)
    first, second = (answer(m.OpenAgent(folder=str(finder)), question) for _ in range(2))
    assert replace(first, tensors={}) == replace(second, tensors={})
    assert all(np.array_equal(first.tensors[name], second.tensors[name]) for name in first.tensors)


@pytest.mark.parametrize(
    ("memory", "view"), [("transformer", "memory/attention/0"), ("mann", "memory/read"), ("mann", "memory/write")]
)
def test_past_steps_and_slots_are_removed_too(memory: str, view: str) -> None:
    asked = experiment("tmaze", env__kwargs={"length": 6}, net__memory=memory, net__horizon=6)
    answered = answer(*untrained(asked), m.AskFaithfulness(number=1, view=view, episodes=6))
    assert isinstance(answered, m.Faithfulness)
    assert answered.top.undone.value != 0
    assert answered.random.undone.value != 0
    assert answered.steps == 6 * (6 if view.startswith("memory/attention") else 7)  # at the first step there is no past


def test_a_removal_that_is_impossible_is_unanswered() -> None:
    opened = untrained(experiment("tmaze", env__kwargs={"length": 3}, net__memory="transformer"))
    gone = answer(*opened, m.AskFaithfulness(number=7, view="memory/attention/0", k=50))
    assert (gone.number, gone.words) == (7, "there were never more than 50 steps to choose from")
    other = answer(*opened, m.AskFaithfulness(number=8, view="memory/hidden"))
    assert "`memory/hidden` is not a view of weights" in other.words


def test_one_episode_explains_nothing(finder: Path) -> None:
    answered = answer(m.OpenAgent(folder=str(finder)), m.AskFaithfulness(number=1, view=SELF, episodes=1))
    assert answered.words == (
        "only 1 of 1 episodes had more than 1 tokens to choose from, which is too few for an interval; "
        "ask for more episodes"
    )


def test_absent_tokens_do_not_count_as_queries_or_places() -> None:
    spec = ViewSpec(SELF, ("head", "query", "key"), weights=True)
    weights = torch.tensor([[[[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.0, 1.0, 0.0]]]])  # the third token is absent
    weighed, there = place_weights(spec, weights)
    assert there.tolist() == [[True, True, False]]
    assert weighed.tolist() == [pytest.approx([1.7, 0.3, 0.0])]


def test_places_with_zero_weight_in_a_sharp_softmax_count_as_present() -> None:
    slots = ViewSpec("memory/read", ("head", "slot"), weights=True)
    sharp = torch.tensor([[[0.5, 0.5, 0.0, 0.0]]])
    assert candidate_places(slots, sharp).all()
    sums = _AttentionSums(slots)
    sums.take(sharp)
    sums.take(torch.zeros(1, 1, 4))  # a gate that is shut weighs nothing
    assert sums.entropy == (pytest.approx(0.5),)
    lags = ViewSpec("memory/attention/0", ("head", "lag"), weights=True)
    assert candidate_places(lags, torch.tensor([[[0.0, 0.0, 1.0, 0.0]]])).tolist() == [[True, True, True, False]]


# -- probes ---------------------------------------------------------------------------------------


def test_a_trained_memory_holds_the_cue_at_the_junction(tmaze_run: Path) -> None:
    ready, answered = answers(m.OpenAgent(folder=str(tmaze_run)), m.AskProbe(number=5, fact="cue"))
    assert isinstance(ready, m.StudyReady)
    assert (ready.step, ready.held, ready.facts) == (20_000, ("memory/hidden",), ("cue", "time since start"))
    assert isinstance(answered, m.Probed)
    assert (answered.number, answered.fact, answered.measure, answered.step) == (5, "cue", "accuracy", 20_000)
    columns = answered.tensors
    assert columns["t"].tolist() == [0, 1, 2, 3, 4, 5]
    assert columns["count"].tolist() == [200] * 6
    assert columns["score"][-1] > 0.95
    assert columns["low"][-1] > 0.9
    assert columns["high"][-1] <= 1
    assert abs(columns["control"][-1] - 0.5) < 0.12
    assert columns["observation"][0] == 1  # the cue is seen
    assert columns["observation"][-1] < 0.6
    assert (columns["untrained_low"] <= columns["untrained"]).all()
    assert (columns["untrained"] <= columns["untrained_high"]).all()
    assert columns["decisive"][-1] == 1
    assert answered.chance == pytest.approx(0.5, abs=0.1)
    found = verdict(answered)
    assert (found.held, found.used, found.role) == ("held", "used", "good")
    moved = answered.moved
    assert moved.at_choices
    assert moved.episodes == 100  # of the 200
    assert moved.effect.value > 0.9
    assert moved.effect.value > moved.random + 0.3
    assert moved.own_return == 1
    assert moved.moved_return < 0 < moved.random_return
    assert moved.lost.value == pytest.approx(moved.random_return - moved.moved_return)


class Alarmed(gymnasium.Env[np.ndarray, int]):
    """Four steps; a rare `alarm` and the `clock`, which the observation shows."""

    metadata: ClassVar[dict[str, Any]] = {}
    observation_space = gymnasium.spaces.Box(0, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.alarm, self.time = int(self.np_random.random() < 0.06), 0
        return self._seen(), self._facts()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.time += 1
        return self._seen(), float(action), False, self.time == 4, self._facts()

    def _seen(self) -> np.ndarray:
        return np.array([self.time / 4, self.alarm * (self.time == 0)], np.float32)

    def _facts(self) -> dict[str, Any]:
        return {"facts": {"alarm": self.alarm}}


def test_a_rare_value_is_not_shown_by_guessing_the_frequent_one() -> None:
    gymnasium.register("tests/Alarmed-v0", entry_point=Alarmed)
    asked = experiment("tmaze", env__id="tests/Alarmed-v0", env__kwargs={}, env__wrappers=[], net__memory="gru")
    answered = answer(*untrained(asked), m.AskProbe(number=1, fact="alarm"))
    assert answered.tensors["observation"][-1] > 0.9  # as good as guessing
    assert answered.held is not None
    assert answered.not_moved == ""


def test_what_the_observation_shows_is_not_said_to_be_the_same_in_all_episodes() -> None:
    gymnasium.register("tests/Alarmed-v0", entry_point=Alarmed)
    asked = experiment("tmaze", env__id="tests/Alarmed-v0", env__kwargs={}, env__wrappers=[], net__memory="gru")
    answered = answer(*untrained(asked), m.AskProbe(number=1, fact="time since start"))
    assert (answered.held, answered.not_moved) == (None, "shown")


@pytest.mark.parametrize(
    ("preset", "fact", "seed"), [("tmaze", "cue", 3), pytest.param("recall", "asked symbol", 4, marks=pytest.mark.slow)]
)
def test_an_untrained_agent_holds_no_fact_better_than_others_and_uses_none(preset: str, fact: str, seed: int) -> None:
    """On T-maze 30 an untrained LSTM is read without a fault at every step, and so are all others."""
    answered = answer(*untrained(experiment(preset), seed), m.AskProbe(number=1, fact=fact, episodes=100))
    found = verdict(answered)
    assert found.held != "held"
    assert found.used != "used"
    if preset == "tmaze":
        assert answered.held.base_score > 0.85
        assert found.held == "no better"


def test_untrained_networks_have_the_buffers_of_the_agent_and_other_parameters() -> None:
    asked = experiment("tmaze", env__kwargs={"length": 3})
    envs = make_vector(asked.env, 1)
    agent = LoadedAgent(m.OpenAgent(experiment=asked), asked, envs.spaces)
    envs.close()
    agent.network.register_buffer("statistics", torch.tensor([3.0]))
    own = dict(agent.network.named_parameters())
    networks = untrained_networks(agent, 2)
    first, second = (dict(network.named_parameters()) for network in networks)
    assert any(not torch.equal(first[name], own[name]) for name in own)
    assert any(not torch.equal(first[name], second[name]) for name in own)


def test_a_network_that_follows_computes_what_the_agent_computes(tmaze_run: Path) -> None:
    stored = read_stored(tmaze_run)
    agent = LoadedAgent(m.OpenAgent(folder=str(tmaze_run)), stored, make_vector(stored.env, 1).spaces)
    follower = FollowingNetwork(agent.network)
    with study_environments(agent, 40) as envs:
        for step in parallel_steps(agent, envs, 40, 100):
            followed = follower.follow(step)
            torch.testing.assert_close(followed.q, step.q, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(followed.next_state, step.next_state, atol=1e-5, rtol=1e-5)


def test_a_memory_that_never_saw_the_cue_does_not_hold_it() -> None:
    asked = experiment(
        "tmaze",
        env__kwargs={"length": 6},
        env__wrappers=[{"name": "keep", "options": {"entries": [1, 2]}}],
        net__memory="gru",
        net__previous_reward=False,
    )
    answered = answer(*untrained(asked), m.AskProbe(number=1, fact="cue"))
    assert answered.tensors["score"][-1] < 0.65
    assert answered.tensors["low"][-1] < 0.5 < answered.tensors["high"][-1] + 0.1
    assert verdict(answered).held == "not held"


def test_the_time_since_the_start_can_be_read_and_its_control_cannot() -> None:
    """It is the same in every episode, so that one probe reads it at all steps."""
    asked = experiment("tmaze", env__kwargs={"length": 8}, net__memory="lstm")
    answered = answer(*untrained(asked), m.AskProbe(number=1, fact="time since start", episodes=40))
    assert answered.measure == "R²"
    assert answered.tensors["score"].min() > 0.7  # through noise
    assert verdict(answered).held != "held"  # as well as from every other random network
    assert np.abs(answered.tensors["control"]).max() < 0.6
    assert abs(answered.tensors["control"].mean()) < 0.2


def test_a_quantity_is_read_from_the_output_of_a_transformer() -> None:
    asked = experiment(
        "cartpole-positions-transformer", learn__reward_scale=0.1
    )  # with a measured unit it sees no reward yet
    ready, answered = answers(*untrained(asked), m.AskProbe(number=1, fact="pole velocity", episodes=60))
    assert ready.held == ("memory/output",)  # it carries nothing over, and looks back instead
    assert answered.measure == "R²"
    assert answered.tensors["score"][3] > 0.2  # a difference of two angles, through noise
    assert answered.tensors["control"][3] < 0.3
    assert (answered.tensors["count"] >= 20).all()


def test_without_a_memory_there_is_nothing_to_read() -> None:
    ready, answered = answers(*untrained(experiment("cartpole")), m.AskProbe(number=1, fact="time since start"))
    assert ready.held == ()
    assert answered.words == "this agent carries nothing from one step to the next, so there is nothing to read from"


def test_a_fact_that_cannot_be_read_is_unanswered(tmaze_run: Path) -> None:
    opened = m.OpenAgent(folder=str(tmaze_run))
    assert (
        "there is no fact `speed`; there are: cue, time since"
        in answer(opened, m.AskProbe(number=1, fact="speed")).words
    )
    gate = m.AskProbe(number=1, fact="cue", views=("memory/gate/reset",))
    assert "it holds: memory/hidden" in answer(opened, gate).words
    for episodes in (0, 19):
        few = answer(opened, m.AskProbe(number=1, fact="cue", episodes=episodes))
        assert "no step with this fact was reached by 20 episodes" in few.words


@pytest.mark.parametrize("question", [m.AskProbe(number=1, fact="cue"), m.AskFaithfulness(number=1, view=PAST)])
def test_an_agent_with_weights_that_are_not_finite_is_not_asked(question: m.Command) -> None:
    opened, weights = untrained(experiment("tmaze", env__kwargs={"length": 3}, net__memory="transformer"))
    assert isinstance(weights, m.UseWeights)
    for value in weights.tensors.values():
        value.fill_(torch.nan)
    assert "not finite" in answer(opened, weights, question).words


def test_folds_are_of_equal_size_among_the_episodes_that_reached_a_step() -> None:
    assert np.bincount(folds_of(5 * np.arange(25))).tolist() == [5] * 5


def test_a_probe_reads_through_noise_and_not_from_the_last_float() -> None:
    draw = np.random.default_rng(0)
    cue = draw.integers(2, size=200)
    target = np.eye(2)[cue]
    x = draw.standard_normal((200, 20)) * 1e-9
    x[:, 0] += 1e-6 * cue
    fold = np.arange(200) % 5
    read = read_held_out(x + 1.0, target, fold, np.array([1e-8, 0.05]), 0)
    right = (read.argmax(-1) == cue).mean((1, 2))
    assert right[0] > 0.99
    assert right[1] < 0.6


def test_the_control_task_shows_what_a_probe_can_memorise() -> None:
    draw = np.random.default_rng(0)
    labels = np.eye(2)[draw.integers(2, size=100)]
    many, few = (read_again(draw.standard_normal((100, n)), labels, np.array([0.05]), 0) for n in (60, 3))
    memorised, honest = ((read[0, 0].argmax(-1) == labels.argmax(-1)).mean() for read in (many, few))
    assert memorised > honest


def test_a_quantity_that_is_the_same_in_all_episodes_has_no_score() -> None:
    same = np.full(50, 0.1)
    assert same.var() > 0  # but for rounding it is none
    draw = np.random.default_rng(0)
    step = StepData(0, (draw.standard_normal((50, 4)),), np.zeros((50, 2)), np.ones((50, 1)), same, np.arange(50))
    assert np.isnan(next(score_steps([step], None, False)).networks).all()


def test_held_out_rows_are_predicted_by_a_fit_to_the_others() -> None:
    draw = np.random.default_rng(0)
    x, fold = draw.standard_normal((100, 6)), np.arange(100) % 5
    y = np.stack([x @ draw.standard_normal(6), draw.standard_normal(100)], axis=1)[:, :, None]
    answered = held_out(x, y, fold)
    assert np.corrcoef(answered[:, 0, 0], y[:, 0, 0])[0, 1] > 0.999
    assert ((answered[:, 1] - y[:, 1]) ** 2).mean() > 0.9 * y[:, 1].var()  # noise cannot be predicted
    wide = held_out(draw.standard_normal((100, 400)), y, fold)  # more inputs than rows
    assert ((wide[:, 0] - y[:, 0]) ** 2).mean() > 0.8 * y[:, 0].var()


# -- over training --------------------------------------------------------------------------------


def test_attention_grows_sharper_over_training(finder: Path) -> None:
    opened = m.OpenAgent(folder=str(finder))
    _, *rows = answers(opened, m.AskOverTraining(number=9))
    assert [row.step for row in rows] == checkpoints(finder)
    assert [row.last for row in rows] == [False] * (len(rows) - 1) + [True]
    assert all(set(row.entropy) == {SELF, "attention/pool"} for row in rows)
    first, last = (np.array(row.entropy[SELF]) for row in (rows[0], rows[-1]))
    assert len(first) == 4
    assert first.min() > 0.95
    assert last.mean() < 0.6


def test_checkpoints_that_are_thinned_meanwhile_are_left_out(finder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finder, tmp_path / "run"))
    drop_after(folder, 0)
    _, trained = load_weights(finder, "last")
    for step in (10, 20, 30, 40, 50):
        save_weights(folder, step, trained, best=False)
    first = checkpoints(folder)[0]
    envs = make_vector(read_run(folder).env, 1)
    agent = LoadedAgent(m.OpenAgent(folder=str(folder)), read_run(folder), envs.spaces)
    envs.close()
    rows: list[m.OverTraining] = []
    for event in over_training(agent, folder, m.AskOverTraining(number=1, episodes=1)):
        if isinstance(event, m.OverTraining):
            rows.append(event)
        for step in (30, 50):
            (folder / "checkpoints" / f"{step}.pt").unlink(missing_ok=True)
    assert [row.step for row in rows] == sorted({first, 10, 20, 40})
    assert [row.last for row in rows] == [False] * (len(rows) - 1) + [True]


def test_entropy_and_distance_by_head() -> None:
    sums = _AttentionSums(ViewSpec("memory/attention/0", ("head", "lag"), weights=True))
    sums.take(torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]]))  # one step back exists, the third place does not
    sums.take(torch.tensor([[[0.0, 0.0, 1.0], [0.25, 0.5, 0.25]]]))
    assert sums.distance == (1.0, 0.75)
    assert sums.entropy[0] == 0
    assert sums.entropy[1] == pytest.approx((1 + 1.5 * np.log(2) / np.log(3)) / 2)
    nothing = _AttentionSums(ViewSpec("memory/attention/0", ("head", "lag"), weights=True))
    nothing.take(torch.tensor([[[1.0, 0.0]]]))
    assert np.isnan(nothing.entropy).all()


def test_a_run_without_checkpoints_has_no_curve() -> None:
    asked = experiment("tmaze", env__kwargs={"length": 6}, net__memory="transformer", net__horizon=6)
    answered = answer(*untrained(asked), m.AskOverTraining(number=1))
    assert answered.words == "this run has stored no checkpoints yet"


# -- the server -----------------------------------------------------------------------------------


def test_a_question_without_weights_is_unanswered() -> None:
    answered = answer(m.OpenAgent(experiment=experiment("tmaze")), m.AskProbe(number=1, fact="cue"))
    assert isinstance(answered, m.Unanswered)
    assert (answered.number, answered.words) == (
        1,
        "there is no agent with weights yet; train one or open a stored run first",
    )


def test_an_agent_that_cannot_be_opened_leaves_the_job_waiting(tmaze_run: Path) -> None:
    answered = answers(
        m.OpenAgent(folder="/nowhere"),
        m.OpenAgent(folder=str(tmaze_run)),
        m.AskProbe(number=2, fact="cue", episodes=20),
    )
    assert [type(event) for event in answered] == [m.Failed, m.StudyReady, m.Probed]


class Pausing:
    """An inbox that gives its commands one at a time, each after a given number of polls."""

    def __init__(self, *commands: tuple[int, m.Command]) -> None:
        self._commands = list(commands)
        self.looks = 0

    def get_nowait(self) -> m.Command:
        import queue

        self.looks += 1
        if self._commands and self.looks >= self._commands[0][0]:
            return self._commands.pop(0)[1]
        raise queue.Empty

    def get(self, block: bool = True, timeout: float | None = None) -> m.Command:
        self.looks = max(self.looks, self._commands[0][0] if self._commands else 0)
        return self.get_nowait()


def test_a_newer_question_abandoning_and_stopping_end_one() -> None:
    asked = experiment("cartpole-positions", net__memory="gru")
    long = [m.AskProbe(number=number, fact="cart velocity", episodes=10**9) for number in (1, 2, 3)]
    commands = [(0, command) for command in untrained(asked)]
    source = Pausing(*commands, (10, long[0]), (14, long[1]), (18, m.Abandon(number=2)), (20, long[2]), (24, m.Stop()))
    answered: Iterator[m.Event] = study(m.Request(job="study"), Inbox(source))
    events = list(answered)
    assert isinstance(events[-1], m.Finished)
    assert not [event for event in events if isinstance(event, (m.Probed, m.Unanswered, m.Failed))]
    assert source.looks >= 24


def test_progress_rises_and_is_not_reported_too_often(tmaze_run: Path) -> None:
    schedule = (m.OpenAgent(folder=str(tmaze_run)), m.AskProbe(number=1, fact="cue"))
    answered = [
        event for event in run_inline(m.Request(job="study", schedule=schedule)) if isinstance(event, m.Progress)
    ]
    shares = [event.share for event in answered]
    assert shares == sorted(shares)
    assert 2 < len(shares) <= 101
    assert all(event.number == 1 and event.words for event in answered)


# -- collecting -----------------------------------------------------------------------------------


def test_episodes_played_at_once_are_those_played_alone(tmaze_run: Path) -> None:
    agent = LoadedAgent(
        m.OpenAgent(folder=str(tmaze_run)), read_stored(tmaze_run), make_vector(read_stored(tmaze_run).env, 1).spaces
    )
    seen: dict[int, list[tuple[int, float, float]]] = {}
    with study_environments(agent, 40) as envs:  # more than there are lanes, so that some begin later
        for step in parallel_steps(agent, envs, 40, 100, facts=True):
            next_state = agent.network.state_views()["memory/hidden"].of(step.next_state)
            for row, episode in enumerate(step.episode.tolist()):
                answered = int(step.t[row]), float(step.facts[row]["cue"]), float(next_state[row, 0])
                seen.setdefault(episode, []).append(answered)
    assert sorted(seen) == list(range(40))
    assert all([t for t, _, _ in steps] == list(range(6)) for steps in seen.values())
    for episode in (0, 31, 39):
        cue = make_vector(agent.experiment.env, 1)
        cue.reset([STUDY_SEEDS + episode])
        assert seen[episode][0][1] == cue.infos[0]["cue"]
    # Two episodes with the same cue are the same episode to the agent, whichever lane and whenever they were played.
    by_cue: dict[float, list[list[float]]] = {}
    for steps in seen.values():
        by_cue.setdefault(steps[0][1], []).append([held for _, _, held in steps])
    assert len(by_cue) == 2
    for episodes in by_cue.values():
        assert np.ptp(np.array(episodes), axis=0).max() < 1e-5


def test_long_episodes_are_cut(finder: Path) -> None:
    asked = read_stored(finder)
    agent = LoadedAgent(m.OpenAgent(folder=str(finder)), asked, make_vector(asked.env, 1).spaces)
    with study_environments(agent, 3) as envs:
        steps = [step.t.tolist() for step in parallel_steps(agent, envs, 3, 4)]
    assert steps == [[0] * 3, [1] * 3, [2] * 3, [3] * 3]


def read_stored(folder: Path) -> Experiment:
    from dqngui.runs.folder import read_experiment as read

    return read(folder)
