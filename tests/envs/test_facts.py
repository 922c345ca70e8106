"""Facts: hidden state of environments, by names that a probe can use."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from dqngui.config import EnvConfig
from dqngui.config.env import Wrapper
from dqngui.envs.facts import Facts, facts_of
from dqngui.envs.make import make_env
from dqngui.presets import read_experiment


def play(config: EnvConfig, seed: int, steps: int) -> list[tuple[Any, Facts, gymnasium.Env[Any, Any]]]:
    """Observations with their facts, of the first action throughout."""
    env = make_env(config)
    observation, info = env.reset(seed=seed)
    shown_steps = [(observation, facts_of(env, info), env)]
    for _ in range(steps):
        observation, _, terminated, truncated, info = env.step(0)
        shown_steps.append((observation, facts_of(env, info), env))
        if terminated or truncated:
            break
    env.close()
    return shown_steps


def test_the_cue_of_the_t_maze_is_a_fact_at_every_step() -> None:
    shown_steps = play(EnvConfig(id="dqngui/TMaze-v0", kwargs={"length": 4}), seed=1, steps=4)
    shown = shown_steps[0][0][0]
    assert abs(shown) == 1
    assert [facts for _, facts, _ in shown_steps] == [{"cue": int(shown)}] * 5
    assert shown_steps[3][0][0] == 0


def test_velocities_that_are_left_out_of_cartpole_are_facts() -> None:
    shown_steps = play(read_experiment("cartpole-positions").env, seed=3, steps=5)
    for observation, facts, env in shown_steps[-1:]:
        state = np.array(env.unwrapped.state, np.float32)  # type: ignore[attr-defined]
        assert set(facts) == {"cart velocity", "pole velocity"}
        assert np.allclose(observation, state[[0, 2]])
        assert np.allclose([facts["cart velocity"], facts["pole velocity"]], state[[1, 3]])
    assert shown_steps[0][1] != shown_steps[-1][1]


def test_the_velocity_that_is_left_out_of_pendulum_is_a_fact_with_its_name() -> None:
    (_, facts, _), *_ = play(read_experiment("pendulum-positions").env, seed=3, steps=1)
    assert list(facts) == ["velocity θ"]
    assert isinstance(facts["velocity θ"], float)


def test_the_symbol_that_recall_asks_for_is_a_fact() -> None:
    config = EnvConfig(id="dqngui/Recall-v0", kwargs={"cues": 3, "delay": 2})
    env = make_env(config)
    for seed in range(5):
        _, info = env.reset(seed=seed)
        facts = facts_of(env, info)
        assert facts["asked symbol"] == info["answer"]
        assert [facts[f"cue {place}"] for place in (1, 2, 3)] == list(info["cues"])


@pytest.mark.parametrize("relevant", ["loudest", "recall"])
def test_the_place_of_the_relevant_entity_is_a_fact(relevant: str) -> None:
    env = make_env(EnvConfig(id="dqngui/Find-v0", kwargs={"relevant": relevant, "name": 3, "steps": 4}))
    observation, info = env.reset(seed=0)
    names = []
    for _ in range(3):
        facts = facts_of(env, info)
        assert (facts["place"], facts["direction"]) == (info["relevant"], info["answer"])
        names.append([facts[f"name {bit}"] for bit in (1, 2, 3) if relevant == "recall"])
        if relevant == "recall":
            assert (observation["entities"][facts["place"], 2:] == names[-1]).all()
        observation, _, _, _, info = env.step(0)
    assert names[0] == names[2]  # the name stays, the place changes


def test_phase_and_next_change_of_periodic_are_facts() -> None:
    shown_steps = play(
        EnvConfig(id="dqngui/Periodic-v0", kwargs={"period": 3, "noise": 0.0, "steps": 7}), seed=5, steps=7
    )
    assert [facts["phase"] for _, facts, _ in shown_steps] == [0, 1, 2, 0, 1, 2, 0, 1]
    changes = [float(observation[0]) for observation, _, _ in shown_steps]
    assert np.allclose([facts["next change"] for _, facts, _ in shown_steps[:-1]], changes[1:], atol=1e-6)


def test_the_column_of_a_hidden_ball_is_a_fact() -> None:
    shown_steps = play(EnvConfig(id="dqngui/Catch-v0", kwargs={"blind": 9}), seed=2, steps=5)
    column = int(shown_steps[0][0][0, :, 0].argmax())
    assert shown_steps[4][1] == {"column": column}
    assert not shown_steps[4][0][:9].any()


def test_object_and_agent_position_of_minigrid_memory_are_facts() -> None:
    pytest.importorskip("minigrid")
    seen = set()
    env = make_env(EnvConfig(id="MiniGrid-MemoryS7-v0"))
    for seed in range(12):
        _, info = env.reset(seed=seed)
        facts = facts_of(env, info)
        grid: Any = env.unwrapped
        first = grid.grid.get(1, grid.height // 2 - 1).type
        x, y = grid.success_pos
        marked = grid.grid.get(x, y + (-1 if facts["side of the goal"] else 1)).type
        assert first == marked == ("ball" if facts["cue (key or ball)"] else "key")
        assert (facts["agent x"], facts["agent y"]) == tuple(grid.agent_pos)
        seen.add((facts["cue (key or ball)"], facts["side of the goal"]))
    assert len(seen) == 4


class Published(gymnasium.Env[np.ndarray, int]):
    """A task of somebody's own that tells a fact."""

    observation_space = gymnasium.spaces.Dict(
        {"seen": gymnasium.spaces.Box(-1, 1, (2,)), "left out": gymnasium.spaces.Box(-1, 1, (2,)),
         "picture": gymnasium.spaces.Box(0, 1, (8, 8))}
    )  # fmt: skip
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation = {"seen": np.zeros(2, np.float32), "left out": np.array([0.5, 1], np.float32),
                       "picture": np.zeros((8, 8), np.float32)}  # fmt: skip
        return observation, {"facts": {"luck": 7}}


def test_published_facts_and_keys_that_are_left_out_are_facts() -> None:
    gymnasium.register("Published-v0", entry_point=Published)
    try:
        config = EnvConfig(id="Published-v0", wrappers=(Wrapper(name="keep", options={"entries": ["seen"]}),))
        env = make_env(config)
        observation, info = env.reset(seed=0)
    finally:
        del gymnasium.registry["Published-v0"]
    assert list(observation) == ["seen"]
    assert facts_of(env, info) == {"left out[0]": 0.5, "left out[1]": 1.0, "luck": 7}  # no list of 64 pixels


def test_an_environment_that_hides_nothing_has_no_facts() -> None:
    (_, facts, _), *_ = play(EnvConfig(id="CartPole-v1"), seed=0, steps=1)
    assert facts == {}
