"""Legal actions that environments tell: where they are found, wrong masks, and random actions among them."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.held_actions import search
from dqngui.envs.legal_actions import legal_instead, random_action, random_actions
from dqngui.envs.make import make_vector
from dqngui.envs.task_facts import measure_task
from dqngui.envs.trial import Trial
from dqngui.envs.vector import Envs
from tests.envs.fenced import Fenced

FENCED = EnvConfig("tests/Fenced-v0", num_envs=3)


def legal_of(envs: Envs) -> np.ndarray:
    assert envs.legal is not None
    return envs.legal


@pytest.mark.parametrize("how", ["info", "method", "part"])
def test_masks_are_found_where_environments_give_them(how: str) -> None:
    envs = make_vector(EnvConfig("tests/Fenced-v0", kwargs={"how": how, "length": 3}, num_envs=3))
    single: list[Any] = [env.unwrapped for env in envs.envs]
    envs.reset([0, 1, 2])
    assert envs.legal is not None
    for _ in range(2):
        assert legal_of(envs).tolist() == [env.mask.astype(bool).tolist() for env in single]
        envs.step(legal_of(envs).argmax(1))
    before = legal_of(envs)
    envs.step(before.argmax(1), np.array([True, False, False]))
    assert legal_of(envs)[1:].tolist() == before[1:].tolist()
    envs.reset_some(np.array([True, False, False]), [7, 0, 0])
    assert legal_of(envs)[0].tolist() == single[0].mask.astype(bool).tolist()


def test_taxi_tells_by_info_and_its_method_that_wants_a_state_is_left_alone() -> None:
    envs = make_vector(EnvConfig("Taxi-v4", num_envs=2))
    envs.reset([0, 1])
    assert legal_of(envs).tolist() == [info["action_mask"].astype(bool).tolist() for info in envs.infos]


def test_environments_that_tell_nothing_have_no_mask() -> None:
    envs = make_vector(EnvConfig("CartPole-v1", num_envs=2))
    envs.reset([0, 1])
    envs.step(np.zeros(2, np.int64))
    assert envs.legal is None


class Choices(gymnasium.Env[Any, Any]):
    """Two choices of 2 and 3 values, masked side by side as sb3-contrib does, or as gymnasium's own tuples."""

    def __init__(self, together: bool) -> None:
        self.observation_space, self.action_space = spaces.Box(0, 1, (1,)), spaces.MultiDiscrete([2, 3])
        self.together = together

    def action_masks(self) -> Any:
        return [1, 0, 0, 1, 1] if self.together else (np.array([1, 0], np.int8), np.array([0, 1, 1], np.int8))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.zeros(1, np.float32), 0.0, False, False, {}


gymnasium.register("tests/Choices-v0", entry_point=Choices)


@pytest.mark.parametrize("together", [True, False])
def test_masks_of_several_choices_become_masks_of_their_combinations(together: bool) -> None:
    envs = make_vector(EnvConfig("tests/Choices-v0", kwargs={"together": together}, num_envs=1))
    envs.reset([0])
    assert legal_of(envs).tolist() == [[False, True, True, False, False, False]]  # (0, 1) and (0, 2)
    assert envs.envs[0].get_wrapper_attr("action_names")[1:3] == ("0 1", "0 2")


# -- what is wrong with a mask ---------------------------------------------------------------------


@pytest.mark.parametrize("step", [0, 2])
@pytest.mark.parametrize("how", ["info", "method"])
@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros(4, np.int8), "allows no action at step {step}"),
        (np.ones(3, np.int8), "at step {step} has 3 entries; it needs one for each of the 4 actions"),
        (np.ones((2, 4), bool), "has 8 entries"),
        (np.array([1, 0, 2, 0]), "contains 2"),
        ([0.5, 1.0, 1.0, 1.0], "contains 0.5"),
        (np.array([1.0, np.nan, 0.0, 0.0]), "contains nan"),
        (1, "has 1 entries"),
        ("left", "is no array of 0 and 1, but str"),
        ({"a": 1}, "is no array of 0 and 1, but dict"),
        ([1, [0, 1], 1], "is no array of 0 and 1, but list"),
    ],
)
def test_a_wrong_mask_is_a_sentence_with_its_step(how: str, step: int, mask: Any, sentence: str) -> None:
    env = Fenced(how, fault=(step, mask))
    envs = Envs([env], FENCED)

    def play() -> None:
        envs.reset([0])
        for _ in range(3):
            envs.step(legal_of(envs).argmax(1))

    with pytest.raises(ConfigError, match="Fenced") as caught:
        play()
    assert sentence.format(step=step) in str(caught.value)
    assert env.t == step


@pytest.mark.parametrize("mask", [np.array([1, 0, 0, 1], bool), [1, 0, 0, 1], np.array([[1.0, 0.0, 0.0, 1.0]])])
def test_masks_of_other_types_are_taken(mask: Any) -> None:
    envs = Envs([Fenced(fault=(0, mask))], FENCED)
    envs.reset([0])
    assert legal_of(envs).tolist() == [[True, False, False, True]]


@pytest.mark.parametrize("last", [np.zeros(4, np.int8), None, "silent", np.ones(2, np.int8)])
def test_after_the_last_step_a_mask_may_be_anything(last: Any) -> None:
    envs = Envs([Fenced(fault=(2, last), length=2)], FENCED)
    envs.reset([0])
    for _ in range(2):
        *_, cut = envs.step(legal_of(envs).argmax(1))
    assert cut[0]
    assert legal_of(envs).all()
    assert not envs.legal_actions.gaps


def test_a_step_without_a_mask_allows_everything_and_is_noticed() -> None:
    envs = Envs([Fenced(), Fenced(fault=(1, "silent")), Fenced()], FENCED)
    envs.reset([0, 1, 2])
    assert not envs.legal_actions.gaps
    envs.step(legal_of(envs).argmax(1))
    assert legal_of(envs)[1].all()
    assert not legal_of(envs)[[0, 2]].all(1).any()
    assert envs.legal_actions.gaps


def test_copies_of_which_only_some_tell_and_a_mask_that_comes_late() -> None:
    late = Fenced(how="none")
    envs = Envs([Fenced(how="none"), late], FENCED)
    envs.reset([0, 1])
    assert envs.legal is None
    late.how = "info"
    envs.step(np.array([env.mask.argmax() for env in (envs.envs[0].unwrapped, late)]))
    assert legal_of(envs)[0].all()
    assert legal_of(envs)[1].tolist() == late.mask.astype(bool).tolist()
    assert not envs.legal_actions.gaps


def test_after_a_resume_copies_that_never_told_are_no_gap() -> None:
    envs = Envs([Fenced(), Fenced(how="none")], FENCED)
    envs.reset([0, 1])
    saved, following = legal_of(envs), Envs([Fenced(), Fenced(how="none")], FENCED)
    following.legal_actions.restore(saved)
    following.replay([0, 1], [[], []])
    assert legal_of(following).tolist() == saved.tolist()
    following.step(np.array([env.mask.argmax() for env in following.envs]))  # type: ignore[attr-defined]
    assert not following.legal_actions.gaps


# -- random actions --------------------------------------------------------------------------------


def test_random_actions_are_even_among_the_legal_ones() -> None:
    generator, legal = np.random.default_rng(0), np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0]], bool)
    drawn = np.array([random_actions(generator, 5, 2, legal) for _ in range(6000)])
    assert np.bincount(drawn[:, 0], minlength=5) / 6000 == pytest.approx([0, 1 / 3, 1 / 3, 0, 1 / 3], abs=0.03)
    assert not drawn[:, 1].any()
    single = np.array([random_action(generator, 5, legal[0]) for _ in range(3000)])
    assert np.bincount(single, minlength=5) / 3000 == pytest.approx([0, 1 / 3, 1 / 3, 0, 1 / 3], abs=0.04)


def test_without_masks_the_same_numbers_are_drawn_as_ever() -> None:
    drawn, plain = np.random.default_rng(3), np.random.default_rng(3)
    assert random_actions(drawn, 7, 20, None).tolist() == plain.integers(7, size=20).tolist()
    assert random_action(drawn, 7, None) == int(plain.integers(7))


def test_the_next_legal_action_stands_in_for_an_illegal_one() -> None:
    legal = np.array([False, True, False, True, False])
    assert [legal_instead(action, legal) for action in range(5)] == [1, 1, 3, 3, 1]
    assert legal_instead(4, None) == 4


@pytest.mark.parametrize("name", ["tests/Fenced-v0", "tests/StrictTaxi-v0"])
def test_a_task_is_measured_with_legal_actions_only(name: str) -> None:
    facts = measure_task(EnvConfig(name), steps=150, seconds=30.0)  # both raise where an illegal action is taken
    assert facts.steps == 150
    assert not facts.deterministic


def test_held_actions_are_replaced_where_they_are_not_legal() -> None:
    with closing(Trial(EnvConfig("tests/Fenced-v0"))) as trial:
        found = search(trial, 0.0, longest=8, power=1.0, steps=300, seconds=30.0, clock=time.perf_counter)
    assert found.episodes > 10
    assert found.found


class Square(Choices):
    """Two choices of two options: as many options as combinations. The mask is the task's argument."""

    def __init__(self, mask: list[int]) -> None:
        super().__init__(True)
        self.action_space, self.given = spaces.MultiDiscrete([2, 2]), mask

    def action_masks(self) -> Any:
        return self.given


gymnasium.register("tests/Square-v0", entry_point=Square)


def test_masks_side_by_side_are_not_taken_for_masks_of_combinations_where_both_are_as_long() -> None:
    def told(mask: list[int], several: Any) -> list[bool]:
        envs = make_vector(EnvConfig("tests/Square-v0", kwargs={"mask": mask}, num_envs=1, several=several))
        envs.reset([0])
        legal: list[bool] = legal_of(envs)[0].tolist()
        return legal

    assert told([0, 1, 1, 0], "joint") == [False, False, True, False]
    assert told([0, 1, 1, 0], "decoupled") == [False, True, True, False]
    with pytest.raises(ConfigError, match="allows no option of choice 1 at step 0"):
        told([1, 1, 0, 0], "decoupled")
