"""Agents by name, over every task that is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from dqngui import catalog, presets
from dqngui.commands.arguments import parse
from dqngui.commands.experiments import chosen_experiment, experiment_of
from dqngui.config import ConfigError, Experiment, Schedule
from dqngui.hosts import run_inline
from dqngui.messages import Failed, Finished, Learned, Request
from dqngui.presets import agent_names, agent_of, preset_names, read_agent, read_experiment, with_agent
from dqngui.settings import with_settings
from tests.test_rules import measured

PACKAGES = ("MiniGrid-", "dqngui/MinAtar-", "ALE/", "highway_env")
"""How the ids of tasks begin that need a package and have the same kind of observation: one of each kind is enough."""


def kind_of_task(name: str) -> str:
    task = read_experiment(name).env
    kind = next((start for start in PACKAGES if task.id.startswith(start)), task.id)
    return kind + str(task.wrappers)


TASKS = list({kind_of_task(name): name for name in preset_names()}.values())
"""A preset of every kind of task."""
NAMED = ("attention-dqn", "attention-gru", "lstm-dqn", "mann-dqn", "plain-dqn", "transformer-dqn")


def laid_over(preset: str, agent: str) -> Experiment:
    return with_agent(read_experiment(preset), read_agent(agent))


def test_the_combinations_of_the_field_are_there_by_name() -> None:
    assert set(NAMED) <= set(agent_names())
    assert {laid_over("cartpole", name).net.memory for name in agent_names()} == set(catalog.MEMORIES)


@pytest.mark.parametrize("name", agent_names())
def test_an_agent_says_what_it_is_and_keeps_to_network_and_learning(name: str) -> None:
    agent = read_agent(name)
    assert agent.title
    before, after = read_experiment("tmaze"), laid_over("tmaze", name)
    assert (after.title, after.env, after.run) == (before.title, before.env, before.run)
    assert after.net != before.net or after.learn != before.learn or name == "lstm-dqn"


@pytest.mark.parametrize("name", agent_names())
def test_applying_an_agent_twice_changes_nothing(name: str) -> None:
    once = laid_over("cartpole", name)
    assert with_agent(once, read_agent(name)) == once


def test_bounds_leave_alone_what_the_task_needs() -> None:
    far, near = laid_over("tmaze", "lstm-dqn"), laid_over("cartpole", "lstm-dqn")
    assert (far.learn.window, near.learn.window) == (31, 16)  # the corridor's, and at least 16
    assert (far.learn.lr, near.learn.lr) == (1e-3, 1e-3)  # 2.3e-3 of the plain agent is too much for a memory
    assert far.learn.window_from == "start"


def test_a_bound_moves_the_ends_of_a_schedule() -> None:
    falling = with_settings(read_experiment("tmaze"), {"learn.lr": {"start": 5e-3, "end": 1e-4, "steps": 900}})
    assert with_agent(falling, read_agent("lstm-dqn")).learn.lr == Schedule(start=1e-3, end=1e-4, steps=900)


def test_bounds_leave_alone_what_is_derived() -> None:
    slow, agent = measured(3_000, steps_per_second=16.0), read_agent("lstm-dqn")
    derived = with_agent(slow, agent)
    assert "learn.update_every" in derived.derived and derived.learn.update_every == 4
    assert with_settings(derived, {"run.total_steps": 3_000_000}).learn.update_every == 4, "the environment is slow"
    chosen = with_settings(slow, {"learn.update_every": 2, "learn.window": 5, "learn.replay_capacity": 90_000})
    learn = with_agent(chosen, agent).learn
    assert (learn.update_every, learn.window, learn.replay_capacity) == (32, 16, 30_000)
    short = with_agent(measured(3_000, time_limit=10), agent).learn
    assert (short.window, short.window_from) == (10, "start"), "whole episodes"


@pytest.mark.parametrize("agent", [None, "lstm-dqn"])
def test_nothing_is_refused_or_frozen_by_what_nobody_chose(agent: str | None) -> None:
    def chosen(*assignments: str, steps: int = 1_000) -> Experiment:
        return chosen_experiment(None, "CartPole-v1", assignments, {"run.total_steps": steps}, agent=agent)

    ended = chosen("learn.epsilon.end=0.02").learn.epsilon
    assert ended == Schedule(start=1.0, end=0.02, steps=100, share=0.1)
    assert chosen("env.num_envs=512").learn.replay_capacity > 30_000
    assert chosen("learn.window=1500").learn.replay_capacity > 30_000
    again = chosen("net.width=auto", "net.attention=auto", "net.tokens=auto", "learn.replay_capacity=auto")
    assert {"net.width", "learn.replay_capacity", "net.hidden"} <= set(again.derived)
    assert chosen(steps=2_000_000).learn.epsilon.steps == 200_000  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match=r"^`env\.kwargs\.foo`"):
        chosen("env.kwargs.foo=1")


def test_initial_settings_of_a_memory_follow_from_the_horizon() -> None:
    assert laid_over("tmaze", "lstm-dqn").net.memory_options == {"chrono": 30}
    assert laid_over("tmaze", "transformer-dqn").net.memory_options["length"] == 31
    assert laid_over("cartpole", "transformer-dqn").net.memory_options["length"] == 16


def test_options_derived_from_the_horizon_change_with_it() -> None:
    tmaze = read_experiment("tmaze")
    assert with_settings(tmaze, {"net.horizon": 100}).net.memory_options == {"chrono": 100}
    own = with_settings(tmaze, {"net.memory_options.chrono": 7})
    assert with_settings(own, {"net.horizon": 100}).net.memory_options == {"chrono": 7}
    none = with_settings(tmaze, {"net.memory_options.chrono": 0})
    assert none.net.memory_options == {"chrono": 0}
    assert with_settings(tmaze, {"net.horizon": 5000, "net.memory": "none"}).net.memory_options == {}


def test_an_agent_brings_its_algorithm() -> None:
    for name in agent_names():
        wanted = "ppo" if name.startswith("ppo") else "dqn"
        assert {laid_over(preset, name).learn.algorithm for preset in ("cartpole", "cartpole-ppo")} == {wanted}


def test_an_experiment_tells_which_agent_it_has() -> None:
    for name in agent_names():
        assert agent_of(laid_over("tmaze", name)) == name
    assert agent_of(with_settings(laid_over("tmaze", "lstm-dqn"), {"net.attention": "self"})) is None


def test_an_unknown_agent_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^there is no agent `dreamer`; agents: attention-dqn, .*transformer-dqn$"):
        read_agent("dreamer")


def test_an_agent_with_a_misspelt_setting_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "odd.toml").write_text('title = "Odd"\n[nett]\nmemory = "gru"\n')
    (tmp_path / "agents" / "off.toml").write_text('title = "Off"\n[net]\nmemroy = "gru"\n')
    monkeypatch.setattr(presets, "package_data", lambda folder: tmp_path)
    with pytest.raises(ConfigError, match=r"^`agents/odd\.toml\.nett` is not a setting"):
        read_agent("odd")
    with pytest.raises(ConfigError, match=r"^`net\.memroy` is not a setting"):
        with_agent(Experiment(), read_agent("off"))


def test_the_command_line_applies_an_agent_to_the_task_and_set_to_both() -> None:
    _, arguments = parse(["train", "tmaze", "--agent", "transformer-dqn", "--set", "learn.lr=3e-4"])
    experiment = experiment_of(arguments)
    assert (experiment.net.memory, experiment.learn.lr, experiment.learn.window) == ("transformer", 3e-4, 31)
    _, arguments = parse(["train", "--env", "CartPole-v1", "--agent", "plain-dqn"])
    assert experiment_of(arguments).net.memory == "none"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("agent", agent_names())
@pytest.mark.parametrize("preset", TASKS)
def test_every_agent_learns_every_shipped_task_for_a_while(preset: str, agent: str) -> None:
    experiment = small(laid_over(preset, agent))
    last = None
    learned = False
    for event in run_inline(Request(job="train", experiment=experiment)):
        if isinstance(event, Failed):
            if "pip install" in event.words:
                pytest.skip(event.words)
            pytest.fail(event.words)
        learned |= isinstance(event, Learned)
        last = event
    assert isinstance(last, Finished) and last.step >= 64 and learned


def small(experiment: Experiment) -> Experiment:
    """The same agent with little to compute: two environments, few steps, narrow."""
    learn = experiment.learn
    changes = {
        "env.num_envs": 2,
        "net.width": 16,
        "net.hidden": [],
        "learn.window": min(learn.window, 8),
        "learn.burn_in": min(learn.burn_in, 2),
        "learn.batch_size": min(learn.batch_size, 4),
        "learn.warmup": 32,
        "learn.update_every": 32,
        "learn.updates": 1,
        "learn.rollout": 16,  # two rollouts: the first one only measures
        "learn.epochs": 1,
        "learn.replay_capacity": 2_000,
        "run.total_steps": 64 + 64 * (experiment.learn.window_from == "start"),
        "run.log_every": 32,
        "run.eval_every": 0,
        "run.device": "cpu",
    }
    return with_settings(experiment, changes)
