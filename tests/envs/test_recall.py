"""Recall: a small instance by hand, and the returns of the oracle, of guessing and of half a memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reproducing import reproduces

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.make import make_env
from dqngui.envs.recall import Recall
from dqngui.settings import experiment_from

Policy = Callable[[list[np.ndarray]], int]
"""An action from all observations so far, the newest last."""


def play(env: Recall, policy: Policy, seed: int) -> tuple[float, int]:
    """Return and length of one episode; only the last step is rewarded."""
    observation, _ = env.reset(seed=seed)
    seen, total = [observation], 0.0
    while True:
        observation, reward, terminated, truncated, info = env.step(policy(seen))
        assert not truncated
        assert terminated == (not info["asked"] and len(seen) == env.cues + env.spread + env.delay + 1)
        assert reward == 0 or terminated
        total += reward
        if terminated:
            return total, len(seen)
        seen.append(observation)


def mean(policy: Policy, episodes: int = 400, **options: Any) -> float:
    env = Recall(**options)
    return float(np.mean([play(env, policy, seed)[0] for seed in range(episodes)]))


def oracle(symbols: int) -> Policy:
    """Keeps the flagged symbols in their order and answers with the one that is asked for."""

    def act(seen: list[np.ndarray]) -> int:
        cues = [int(o[:symbols].argmax()) for o in seen if o[symbols]]
        asks = np.flatnonzero(seen[-1][symbols + 1 :])
        return cues[asks[0]] if len(asks) else 0

    return act


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cues": 1, "spread": 0, "delay": 0, "symbols": 2},
        {"cues": 3, "symbols": 5, "delay": 7, "distractors": 0.4},
        {"cues": 5, "symbols": 3, "spread": 0, "delay": 2, "distractors": 0.0},
    ],
)
def test_oracle(options: dict[str, Any]) -> None:
    assert mean(oracle(options.get("symbols", 4)), 100, **options) == 1.0


def test_the_oracle_of_categories() -> None:
    def act(seen: list[np.ndarray]) -> int:
        cues = [int(symbol) - 1 for symbol, mark in seen if mark == 1]
        place = int(seen[-1][1]) - 2
        return cues[place] if place >= 0 else 0

    assert mean(act, 100, cues=3, symbols=6, discrete=True) == 1.0


def test_both_forms_of_the_observation_contain_the_same() -> None:
    numbers, categories = Recall(cues=2, distractors=0.5), Recall(cues=2, distractors=0.5, discrete=True)
    first, second = numbers.reset(seed=3)[0], categories.reset(seed=3)[0]
    for _ in range(27):
        symbol = int(first[:4].argmax()) + 1 if first[:4].any() else 0
        mark = int(first[4:].argmax()) + 1 if first[4:].any() else 0
        assert second.tolist() == [symbol, mark]
        first, second = numbers.step(0)[0], categories.step(0)[0]


def test_without_memory_the_answer_is_a_guess() -> None:
    """Whatever the question shows, each answer is right once in `symbols` times."""
    for answer in range(4):
        assert mean(lambda seen, answer=answer: answer, 1000) == pytest.approx(1 / 4, abs=0.055)
    asked = mean(lambda seen: int(seen[-1].argmax()) % 3, 1000, cues=4, symbols=3)
    assert asked == pytest.approx(1 / 3, abs=0.06)


def test_distractors_carry_no_information_and_the_order_of_cues_counts() -> None:
    def most_seen(seen: list[np.ndarray]) -> int:
        past = np.array(seen)
        return int((past[:, :4] * (1 - past[:, 4:5])).sum(0).argmax()) if past[-1, 5] else 0

    def some_cue(seen: list[np.ndarray]) -> int:
        return next(int(o[:4].argmax()) for o in seen if o[4]) if seen[-1][5:].any() else 0

    assert mean(most_seen, 1000) == pytest.approx(1 / 4, abs=0.055)
    assert mean(some_cue, 1000, cues=2) == pytest.approx(1 / 2 + 1 / 2 * 1 / 4, abs=0.06)


def test_by_hand() -> None:
    """Two cues among three early steps, one step of delay, the question at t = 4."""
    env = Recall(delay=1, symbols=2, cues=2, spread=1, distractors=0.0)
    observation, info = env.reset(seed=0)
    seen, asked = [observation], [info["asked"]]
    for _ in range(4):
        observation, reward, terminated, _, info = env.step(0)
        assert (reward, terminated) == (0.0, False)
        seen.append(observation)
        asked.append(info["asked"])
    assert asked == [False, False, False, False, True]
    flags = [bool(o[2]) for o in seen]
    assert sum(flags[:3]) == 2
    assert not any(flags[3:])
    assert [int(o[:2].sum()) for o in seen] == flags  # nothing but the cues is shown
    assert seen[4][3:].tolist() == [float(info["place"] == 0), float(info["place"] == 1)]
    assert not any(o[3:].any() for o in seen[:4])
    observation, reward, terminated, _, after = env.step(info["answer"])
    assert (reward, terminated, after["asked"]) == (1.0, True, False)
    assert not observation.any()
    env.reset(seed=0)
    assert [env.step(1 - info["answer"])[1] for _ in range(5)] == [0.0] * 5


def test_cues_come_at_every_early_step() -> None:
    env = Recall(spread=2)
    times = []
    for seed in range(300):
        observation = env.reset(seed=seed)[0]
        time = 0
        while not observation[4]:
            observation, time = env.step(0)[0], time + 1
        times.append(time)
    assert np.bincount(times).min() > 70
    assert max(times) == 2


def test_names_seeds_and_mistakes() -> None:
    env = make_env(EnvConfig(id="dqngui/Recall-v0", kwargs={"cues": 2}))
    assert env.get_wrapper_attr("feature_names")[-3:] == ("cue", "asks cue 1", "asks cue 2")
    for kwargs in ({"delay": 3, "cues": 2}, {"discrete": True, "delay": 2}):
        assert reproduces(EnvConfig(id="dqngui/Recall-v0", kwargs=kwargs), seed=4)
    with pytest.raises(ValueError, match="symbols 2"):
        Recall(symbols=1)
    with pytest.raises(ConfigError, match=r"`env\.kwargs\.cues`"):
        experiment_from({"env": {"id": "dqngui/Recall-v0", "kwargs": {"cues": 0}}})


@pytest.mark.parametrize("kwargs", [{}, {"delay": 3000, "distractors": 0.5}, {"cues": 3, "symbols": 64, "delay": 0}])
def test_pictures_hide_what_is_to_come(kwargs: dict[str, Any]) -> None:
    env = make_env(EnvConfig(id="dqngui/Recall-v0", kwargs=kwargs), "rgb_array")
    env.reset(seed=1)
    before = env.render()
    assert (before.shape, before.dtype) == ((160, 480, 3), np.uint8)
    env.unwrapped.shown[2:] = 0
    assert (env.render() == before).all()
    info = env.step(0)[-1]
    assert (env.render() != before).any()
    while not info["asked"]:
        info = env.step(0)[-1]
    asked = env.render()
    env.step(info["answer"])
    assert (env.render() == [63, 191, 138]).all(-1).sum() > 500 + (asked == [63, 191, 138]).all(-1).sum()
