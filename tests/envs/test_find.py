"""Find: the relevant entity's direction is the only thing that is rewarded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reproducing import reproduces

from dqngui.config import EnvConfig
from dqngui.envs.find import Find
from dqngui.envs.make import make_env, make_vector

DIRECTIONS = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])


def direction(row: np.ndarray) -> int:
    return int((DIRECTIONS @ row[:2]).argmax())


def attends(observation: dict[str, np.ndarray], remembered: np.ndarray | None = None) -> int:
    """The row that is the loudest or that the question names, found from the observation alone."""
    rows = observation["entities"]
    if "query" not in observation:
        return int(np.where(rows.any(1), rows[:, 2], -np.inf).argmax())
    query = observation["query"] if remembered is None else remembered
    return int((rows[:, 2:] @ (2 * query - 3)).argmax())


@pytest.mark.parametrize("relevant", ["loudest", "match", "recall"])
@pytest.mark.parametrize("options", [{}, {"entities": 1}, {"entities": 40, "fewest": 5, "steps": 70}])
def test_oracle(relevant: Any, options: dict[str, Any]) -> None:
    env = Find(relevant=relevant, **options)
    for seed in range(10):
        observation, info = env.reset(seed=seed)
        first = observation.get("query") if relevant == "recall" else None
        total, steps, over = 0.0, 0, False
        while not over:
            assert info["asked"]
            row = attends(observation, first)
            assert row == info["relevant"]
            assert direction(observation["entities"][row]) == info["answer"]
            observation, reward, over, truncated, info = env.step(info["answer"])
            assert not truncated
            total, steps = total + reward, steps + 1
        assert total == steps == env.steps
        assert not info["asked"]


def share(act: Any, episodes: int = 300, **options: Any) -> float:
    """Mean reward of a step."""
    env, total, steps = Find(**options), 0.0, 0
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            observation, reward, over, _, _ = env.step(act(observation))
            total, steps = total + reward, steps + 1
    return total / steps


def test_a_policy_that_cannot_recognise_the_entity_earns_what_the_specification_says() -> None:
    assert share(lambda o: 0) == pytest.approx(1 / 4, abs=0.03)
    assert share(lambda o: direction(o["entities"][3]), fewest=16) == pytest.approx(
        1 / 4 + 3 / 64, abs=0.03
    )  # right by luck

    def of_most(observation: dict[str, np.ndarray]) -> int:
        """The direction in which most entities lie."""
        there = observation["entities"][observation["entities"].any(1)]
        return int(np.bincount([direction(row) for row in there], minlength=4).argmax())

    draw = np.random.default_rng(0)
    most = [draw.multinomial(n, [1 / 4] * 4, size=20_000).max(1).mean() / n for n in range(1, 17)]
    assert most[-1] == pytest.approx(0.384, abs=0.004)  # as the specification says
    assert np.mean(most) == pytest.approx(0.488, abs=0.004)
    assert share(of_most, fewest=16) == pytest.approx(0.384, abs=0.035)
    assert share(of_most) == pytest.approx(0.488, abs=0.035)


def test_the_loudest_can_only_be_found_by_comparison() -> None:
    """It is ahead by a margin, at every loudness, and with all silent ones left out."""
    env = Find(entities=6, steps=400)
    observation, info = env.reset(seed=2)
    loudest, margins = [], []
    for _ in range(400):
        rows = observation["entities"][observation["entities"].any(1)]
        own = float(observation["entities"][info["relevant"], 2])
        loudest.append(own)
        margins += [own - other for other in rows[:, 2].tolist() if other != own]
        observation, *_, info = env.step(0)
    assert 0.5 <= min(margins) < 0.52
    assert 2.48 < max(margins) <= 2.5001
    assert np.histogram(loudest, 4, (-2, 2))[0].min() > 70


def test_a_query_that_is_not_remembered_helps_at_one_step_only() -> None:
    def act(observation: dict[str, np.ndarray]) -> int:
        return direction(observation["entities"][attends(observation)]) if observation["query"].any() else 0

    assert share(act, relevant="recall") == pytest.approx((1 + 7 / 4) / 8, abs=0.03)


def test_entities_are_shuffled_and_the_query_names_one() -> None:
    env = Find(entities=4, fewest=2, relevant="match")
    relevant, answers, present = [], [], []
    for seed in range(200):
        observation, info = env.reset(seed=seed)
        for _ in range(3):
            rows = observation["entities"]
            there = rows.any(1)
            assert there[info["relevant"]]
            names = rows[there, 2:]
            assert (np.abs(names) == 1).all()
            assert (names == 2 * observation["query"] - 3).all(1).sum() == 1
            assert (2 * observation["query"] - 3 == rows[info["relevant"], 2:]).all()
            distance = np.linalg.norm(rows[there, :2], axis=1)
            assert ((distance > 0.49) & (distance < 1.01)).all()
            assert (np.abs(rows[there, :2]).max(1) > 0.85 * distance).all()  # within 30 degrees
            relevant.append(info["relevant"])
            answers.append(info["answer"])
            present.append(there.sum())
            observation, *_, info = env.step(0)
    assert np.bincount(relevant).min() > 100
    assert np.bincount(answers).min() > 100
    counts = np.bincount(present, minlength=5)
    assert (counts[:2] == 0).all()
    assert counts[2:].min() > 150  # of 600


def test_the_query_over_an_episode() -> None:
    env = Find(relevant="recall", fewest=16, steps=300)  # longer than what is drawn together
    observation, _ = env.reset(seed=1)
    name = 2 * observation["query"] - 3
    others = []
    for _ in range(299):
        observation, *_, info = env.step(0)
        assert not observation["query"].any()
        assert (observation["entities"][info["relevant"], 2:] == name).all()
        others.append(observation["entities"][info["relevant"] - 1, 2:])
    assert len(np.unique(others, axis=0)) > 100
    env = Find(steps=300, relevant="match")
    observation, _ = env.reset(seed=1)
    assert len(np.unique([observation["query"], *(env.step(0)[0]["query"] for _ in range(299))], axis=0)) > 100


def test_spaces_seeds_and_mistakes() -> None:
    for relevant in ("loudest", "match", "recall"):
        env = Find(relevant=relevant, fewest=3)  # type: ignore[arg-type]
        observation, _ = env.reset(seed=0)
        for _ in range(8):
            assert env.observation_space.contains(observation)
            observation, *_ = env.step(1)
        kwargs = {"relevant": relevant, "fewest": 3, "steps": 5}
        assert reproduces(EnvConfig(id="dqngui/Find-v0", kwargs=kwargs), seed=5, steps=40)
        spaces = make_vector(EnvConfig(id="dqngui/Find-v0", kwargs=kwargs), 1).spaces
        assert spaces.parts[0].kind == "entities"
        expected = ("x", "y", "loudness") if relevant == "loudest" else ("x", "y", "name 1")
        assert spaces.features[:3] == expected
        assert spaces.features[-1] == ("loudness" if relevant == "loudest" else "name 8")
    with pytest.raises(ValueError, match="fewest"):
        Find(fewest=17)
    with pytest.raises(ValueError, match="relevant"):
        Find(relevant="name")  # type: ignore[arg-type]


@pytest.mark.parametrize("kwargs", [{}, {"relevant": "recall", "fewest": 16}, {"relevant": "match", "entities": 256}])
def test_pictures(kwargs: dict[str, Any]) -> None:
    env = make_env(EnvConfig(id="dqngui/Find-v0", kwargs=kwargs), "rgb_array")
    _, info = env.reset(seed=0)
    first = env.render()
    assert (first.shape, first.dtype) == ((320, 320, 3), np.uint8)
    assert (first == [232, 178, 58]).all(-1).sum() > 20
    info = env.step(info["answer"])[-1]
    assert (env.render() == [63, 191, 138]).all(-1).sum() > 50
    env.step((info["answer"] + 1) % 4)
    assert (env.render() == [239, 106, 106]).all(-1).sum() > 50
