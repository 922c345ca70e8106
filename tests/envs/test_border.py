"""The border: what environments of the field return is taken or said in one sentence, and their faults are not ours."""

from __future__ import annotations

import enum
import re
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.defaults import default_experiment
from dqngui.envs import observed
from dqngui.envs.border import frame_rate
from dqngui.envs.facts import facts_of
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.interrupt import UserInterrupt
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.spaces import spaces_of
from dqngui.envs.task_facts import measure_task
from dqngui.envs.trial import try_task
from dqngui.hosts.signals import caught as signals_caught
from dqngui.runs.failure import failed

ID = "tests/Odd-v0"
VECTOR = spaces.Box(-1, 1, (3,), np.float32)
BYTES = spaces.Box(0, 255, (4, 6, 3), np.uint8)
FIRST_CHANNELS = spaces.Box(0, 255, (3, 8, 6), np.uint8)
BOTH = spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(0, 1, (2,))})


class Odd(gymnasium.Env[Any, Any]):
    """Returns what its arguments say; `changes` replaces methods and attributes, `then` is observed from step 1 on."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}

    def __init__(
        self,
        space: Any = VECTOR,
        seen: Any = None,
        then: Any = None,
        step: tuple[Any, ...] = (1.0, False, False, {}),
        changes: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.observation_space, self.action_space = space, spaces.Discrete(2)
        self.render_mode = render_mode
        self.seen = space.sample() if seen is None else seen
        self.then = self.seen if then is None else then
        self.rest = step
        for name, value in (changes or {}).items():
            if name.endswith("_space") and value is None:
                delattr(self, name)
            else:
                setattr(self, name, value)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        super().reset(seed=seed)
        return self.seen, {}

    def step(self, action: Any) -> Any:
        return (None if isinstance(self.then, str) and self.then == "nothing" else self.then, *self.rest)

    def render(self) -> Any:
        return np.zeros((4, 4, 3), np.uint8)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    gymnasium.register(ID, entry_point=Odd)
    yield
    gymnasium.registry.pop(ID, None)


def config(**kwargs: Any) -> EnvConfig:
    return EnvConfig(id=ID, kwargs=kwargs, num_envs=2)


def fault(**kwargs: Any) -> str:
    """The sentence about an environment that is reset and stepped."""
    with pytest.raises(EnvironmentFault) as caught:
        played(**kwargs)
    event = failed(caught.value, 0, ID)
    assert event.mistake and "\n" not in event.words
    return event.words


def played(**kwargs: Any) -> tuple[np.ndarray, np.ndarray]:
    """What an agent sees after a step, and the rewards."""
    with closing(make_vector(config(**kwargs))) as envs:
        envs.reset([1, 2])
        parts, rewards, *_ = envs.step(np.zeros(2, np.int64))
        return next(iter(parts.values())), rewards


# -- observations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("space", "seen", "says"),
    [
        (VECTOR, np.zeros(4, np.float32), "an array of shape (4,)"),
        (VECTOR, np.zeros((3, 3)), "an array of shape (3, 3)"),
        (VECTOR, [1.0, [2.0], 3.0], "3 values in a list"),
        (VECTOR, [1.0, None, 3.0], "no number"),
        (VECTOR, ["a", "b", "c"], "an array of shape (3,) (<U1)"),
        (VECTOR, "text", "an object of the class str"),
        (VECTOR, {"a": 1}, "an object of the class dict"),
        (VECTOR, np.zeros(3, np.complex64), "complex64"),
        (VECTOR, np.zeros(3, "datetime64[s]"), "datetime64"),
        (VECTOR, object(), "an object of the class object"),
        (BYTES, np.linspace(0, 1, 72).reshape(4, 6, 3), "numbers from 0 to 1 (float64)"),
        (BYTES, (np.arange(72) % 2).reshape(4, 6, 3).astype(np.float32), "numbers from 0 to 1 (float32)"),
        (BYTES, np.full((4, 6, 3), -1), "numbers from -1 to -1 (int64)"),
        (BYTES, np.full((4, 6, 3), 256), "numbers from 256 to 256"),
        (BYTES, np.full((4, 6, 3), np.nan), "numbers from nan to nan"),
        (BYTES, np.full((4, 6, 3), np.inf), "numbers from inf to inf"),
        (FIRST_CHANNELS, np.zeros((8, 6, 3), np.uint8), "an array of shape (8, 6, 3)"),
        (spaces.Box(0, 10, (3,), np.int32), np.array([0.5, 1, 2]), "numbers from 0.5 to 2 (float64)"),
        (spaces.Box(0, 1, (3,), np.bool_), np.array([0, 1, 2]), "numbers from 0 to 2"),
        (spaces.Discrete(4), 4, "observed 4, but its observation space is Discrete(4)"),
        (spaces.Discrete(4), -1, "observed -1"),
        (spaces.Discrete(4), np.int32(9), "observed 9"),
        (spaces.Discrete(4), 1.5, "observed 1.5"),
        (spaces.Discrete(4), float("nan"), "observed nan"),
        (spaces.Discrete(4), np.eye(4)[1], "an array of shape (4,)"),
        (spaces.Discrete(4), "1", "class str"),
        (spaces.Discrete(3, start=5), 4, "observed 4"),
        (spaces.MultiDiscrete([3, 2]), np.array([1, 2]), "2 (entry [1])"),
        (spaces.MultiDiscrete([3, 2]), np.array([-1, 1]), "-1 (entry [0])"),
        (spaces.MultiDiscrete([3, 2], start=[1, 1]), np.array([0, 1]), "0 (entry [0])"),
        (spaces.MultiDiscrete([3, 2]), [0.5, 1], "0.5 (entry [0])"),
        (spaces.MultiDiscrete([3, 2]), 1, "shape ()"),
        (spaces.MultiBinary(3), np.array([0, -1, 1], np.int8), "-1 (entry [1])"),
        (spaces.Text(5), 7, "observed 7 (int)"),
        (BOTH, {"a": 1}, "observed nothing as `b`"),
        (BOTH, {"a": 3, "b": np.zeros(2, np.float32)}, "observed 3 as `a`"),
        (BOTH, (1, np.zeros(2)), "a dictionary with the keys a, b"),
        (BOTH, {"a": 1, "b": None}, "observed None as `b`"),
        (spaces.Tuple([VECTOR, VECTOR]), (np.zeros(3),), "a tuple of 2 parts"),
        (spaces.Dict({"x": BOTH}), {"x": {"a": 1, "b": np.zeros(5)}}, "as `x/b`"),
    ],
)
def test_an_observation_that_does_not_fit_is_said(space: Any, seen: Any, says: str) -> None:
    said = fault(space=space, seen=seen)
    assert said.startswith("tests/Odd-v0 observed ") and says in said
    assert fault(space=space, then=seen) == said


def test_none_is_no_observation() -> None:
    assert fault(then="nothing") == (
        "tests/Odd-v0 observed None, but its observation space is Box(-1.0, 1.0, (3,), float32)"
    )


@pytest.mark.parametrize(
    ("space", "seen", "stored"),
    [
        (VECTOR, [0.5, 1, 0], [0.5, 1, 0]),
        (VECTOR, np.array([[0.5, 1, 0]]), [0.5, 1, 0]),
        (VECTOR, np.array([0.5, 1, 0], object), [0.5, 1, 0]),
        (VECTOR, np.array([5, -7, 0]), [5, -7, 0]),  # beyond its bounds, but nothing is lost
        (spaces.Box(-1, 1, (1,)), 0.5, [0.5]),
        (BYTES, np.full((4, 6, 3), 200.0), [200] * 72),
        (BYTES, np.zeros((4, 6, 3)), [0] * 72),
        (BYTES, np.full((4, 6, 3), 255, np.int64), [255] * 72),
        (spaces.Box(0, 1, (4, 6, 3), np.uint8), np.ones((4, 6, 3)), [1] * 72),
        (spaces.Discrete(4), np.array([3]), [3]),
        (spaces.Discrete(4), 3.0, [3]),
        (spaces.Discrete(4), True, [1]),
        (spaces.Discrete(3, start=5), np.array(7), [2]),
        (spaces.MultiDiscrete([3, 2]), [2.0, 1.0], [2, 1]),
        (spaces.MultiDiscrete([3, 2]), (2, 1), [2, 1]),
        (spaces.MultiBinary(3), [True, False, True], [1, 0, 1]),
        (spaces.Dict({"b": VECTOR}), {"b": [1, 0, 1], "more": None}, [1, 0, 1]),
        (spaces.Tuple([VECTOR]), [np.ones(3)], [1, 1, 1]),
    ],
)
def test_what_is_unambiguous_is_taken(space: Any, seen: Any, stored: list[float]) -> None:
    values, _ = played(space=space, seen=seen)
    assert values.tolist() == [stored, stored]


def test_categories_of_a_box_are_checked_too() -> None:
    space = spaces.Box(0, 5, (6, 6), np.int64)  # a small map of whole numbers counts as categories
    for value in (6, -1, 300):
        seen = np.zeros((6, 6), np.int64)
        seen[2, 3] = value
        assert fault(space=space, seen=seen) == (
            f"tests/Odd-v0 observed {value} as `observation`, whose categories are 0 to 5 (its observation space: "
            "Box(0, 5, (6, 6), int64))"
        )
    assert played(space=space, seen=np.full((6, 6), 5))[0].max() == 5


def test_wrappers_get_only_what_fits() -> None:
    kept = Wrapper(name="keep", options={"entries": ["b"]})
    env = make_env(EnvConfig(id=ID, kwargs={"space": BOTH, "seen": {"a": 1}}, wrappers=(kept,)))
    with pytest.raises(EnvironmentFault, match="observed nothing as `b`"):
        env.reset(seed=0)
    stack = Wrapper(name="frame_stack", options={"frames": 2})
    env = make_env(EnvConfig(id=ID, kwargs={"then": np.zeros(4)}, wrappers=(stack,)))
    env.reset(seed=0)
    with pytest.raises(EnvironmentFault, match=r"an array of shape \(4,\)"):
        env.step(0)


# -- rewards and the rest of a step ---------------------------------------------------------------


@pytest.mark.parametrize(
    "reward",
    [np.array([2.0]), np.array([[2]]), [2], (2.0,), np.float32(2), 2, Decimal(2), np.array(2.0), [np.array([2])]],
)
def test_a_reward_of_one_element_is_taken(reward: Any) -> None:
    assert played(step=(reward, False, False, {}))[1].tolist() == [2.0, 2.0]


@pytest.mark.parametrize("reward", [None, "1", np.zeros(2), [1, 2], [], {"a": 1, "b": 2}, 1j, object(), [None]])
def test_any_other_reward_is_said(reward: Any) -> None:
    assert re.match(r"the reward of tests/Odd-v0 is .*; it must be one number$", fault(step=(reward, False, False, {})))


@pytest.mark.parametrize("reward", [float("nan"), np.float32("inf"), -1e101, pytest.param(10**400, id="an integer")])
def test_a_reward_of_which_no_return_can_be_made_is_said(reward: Any) -> None:
    assert fault(step=(reward, False, False, {})).startswith("tests/Odd-v0 gave the reward ")


@pytest.mark.parametrize("flag", [None, "no", {}, 2, np.zeros(2), []])
def test_an_end_that_is_no_truth_is_said(flag: Any) -> None:
    assert fault(step=(1.0, flag, False, {})).startswith("`terminated` of tests/Odd-v0 is ")
    assert fault(step=(1.0, False, flag, {})).startswith("`truncated` of tests/Odd-v0 is ")


@pytest.mark.parametrize("flag", [np.False_, 0, 0.0, np.array([False]), np.array(0)])
def test_an_end_that_is_one_truth_is_taken(flag: Any) -> None:
    played(step=(1.0, flag, flag, None))


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ((1.0, False, {}), "returns 4 values, as in the old package gym"),
        ((1.0, False), "returns 3 values"),
        ((1.0, False, False, {}, {}), "returns 6 values"),
        ((1.0, False, False, [1]), "the info of tests/Odd-v0 is 1 values in a list"),
        ((1.0, False, {}, False), "`truncated` of tests/Odd-v0 is an object of the class dict"),
    ],
)
def test_a_step_of_another_kind_is_said(rest: tuple[Any, ...], says: str) -> None:
    assert says in fault(step=rest)


def test_a_step_that_returns_nothing_is_said() -> None:
    assert fault(changes={"step": lambda action: None}).startswith(
        "`step()` of tests/Odd-v0 returns None; gymnasium wants ("
    )


@pytest.mark.parametrize(
    ("reset", "says"),
    [
        (lambda seed=None, options=None: np.zeros(3), "returns an array of shape (3,) (float64); gymnasium wants (obs"),
        (lambda seed=None, options=None: np.zeros(2), "returns an array of shape (2,)"),
        (lambda seed=None, options=None: (np.zeros(3), 1), "returns 2 values in a tuple"),
        (lambda seed=None, options=None: None, "returns None"),
        (lambda: (np.zeros(3), {}), "takes no seed"),
    ],
)
def test_a_reset_of_another_kind_is_said(reset: Any, says: str) -> None:
    said = fault(changes={"reset": reset})
    assert said.startswith("`reset()` of tests/Odd-v0") and says in said and "gymnasium wants" in said


def test_a_reset_without_options_or_info_is_taken() -> None:
    played(changes={"reset": lambda seed=None: (np.zeros(3), None)})


# -- what raises ----------------------------------------------------------------------------------


def raising(error: BaseException) -> Any:
    def method(*given: Any, **named: Any) -> Any:
        raise error

    return method


@pytest.mark.parametrize("where", ["reset", "step"])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyError("grid_size"), "tests/Odd-v0 raised KeyError: 'grid_size' (test_border.py, line "),
        (AssertionError(), "tests/Odd-v0 raised AssertionError (test_border.py, line "),
        (TypeError("reset() got an unexpected keyword argument 'x'"), "raised TypeError: reset() got"),
        (SystemExit(0), "tests/Odd-v0 raised SystemExit: 0 ("),
        (ValueError("two\n lines"), "raised ValueError: two lines ("),
    ],
)
def test_an_exception_carries_its_kind_and_the_last_line_of_the_users_file(
    where: str, error: BaseException, says: str
) -> None:
    said = fault(changes={where: raising(error)})
    assert says in said and said.endswith(": `raise error`)")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_an_interruption_of_its_own_is_a_fault_and_that_of_a_user_is_passed_on(error: BaseException) -> None:
    with signals_caught(
        lambda *_: None
    ):  # as while a job runs; Python's own handler raises the same as the environment
        assert f"tests/Odd-v0 raised {type(error).__name__} (test_border.py" in fault(changes={"step": raising(error)})
        with pytest.raises(UserInterrupt):
            fault(changes={"step": raising(UserInterrupt())})


def test_the_place_is_the_users_line_and_not_that_of_a_package() -> None:
    said = fault(changes={"step": lambda action: np.zeros(3).reshape(7)})
    assert "ValueError: cannot reshape" in said and "test_border.py" in said
    said = fault(changes={"step": lambda action: __import__("json").loads("{")})  # raised in the standard library
    assert "JSONDecodeError" in said and "test_border.py" in said


@pytest.mark.parametrize("error", [KeyError("grid_size"), AssertionError(), SystemExit(3)])
def test_a_constructor_that_raises_is_named_with_kind_and_line(error: BaseException) -> None:
    gymnasium.register("tests/Broken-v0", entry_point=raising(error))
    try:
        with pytest.raises(EnvironmentFault) as caught:
            make_env(EnvConfig(id="tests/Broken-v0"))
    finally:
        gymnasium.registry.pop("tests/Broken-v0")
    said = str(caught.value)
    assert f"tests/Broken-v0 could not be made: {type(error).__name__}" in said and "test_border.py, line " in said
    assert "Traceback" in caught.value.details


@pytest.mark.parametrize("error", [AttributeError("'NoneType' object has no attribute 'close'"), SystemExit(1)])
def test_a_close_that_raises_harms_nothing(error: BaseException) -> None:
    played(changes={"close": raising(error)})
    try_task(config(changes={"close": raising(error)}), copies=True)


def test_a_render_that_raises_is_a_fault() -> None:
    env = make_env(config(changes={"render": raising(OSError("no display"))}), render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(EnvironmentFault, match="raised OSError: no display"):
        env.render()


# -- spaces ---------------------------------------------------------------------------------------


def old_space() -> Any:
    module = types.ModuleType("gym.spaces")
    return type("Discrete", (), {"__module__": module.__name__})()


@pytest.mark.parametrize("attribute", ["observation_space", "action_space"])
@pytest.mark.parametrize(
    ("space", "says"),
    [
        (None, "tests/Odd-v0 has no `{}`; gymnasium wants it to be set in `__init__`"),
        ((84, 84, 3), "the `{}` of tests/Odd-v0 is 3 values in a tuple; gymnasium wants a space"),
        (4, "the `{}` of tests/Odd-v0 is 4 (int)"),
        (
            old_space(),
            "the `{}` of tests/Odd-v0 is a space of the old package gym; write `from gymnasium import spaces`",
        ),
    ],
)
def test_spaces_that_are_none_are_said(attribute: str, space: Any, says: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        make_env(config(changes={attribute: space}))
    assert says.format(attribute) in str(caught.value)


class Growing(Odd):
    """Each one has a larger observation than the one before."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        super().__init__(spaces.Box(-1, 1, (type(self).made,)))


def test_environments_with_different_spaces_are_refused() -> None:
    gymnasium.register("tests/Growing-v0", entry_point=Growing)
    try:
        asked = EnvConfig(id="tests/Growing-v0", num_envs=2)
        with pytest.raises(EnvironmentFault, match=r"tests/Growing-v0 has other spaces each time it is made: Box\("):
            make_vector(asked)
        with pytest.raises(EnvironmentFault, match="other spaces each time"):
            try_task(asked, copies=True)
        with closing(make_vector(asked, 1)) as first, pytest.raises(EnvironmentFault, match="other spaces each time"):
            make_vector(asked, 1, like=first)
    finally:
        gymnasium.registry.pop("tests/Growing-v0")


class Single(Odd):
    """A simulator that can run once at a time."""

    running = False

    def __init__(self) -> None:
        if Single.running:
            raise OSError("address already in use")
        super().__init__()
        Single.running = True

    def close(self) -> None:
        Single.running = False


def test_a_simulator_that_can_run_once_is_recognised_before_a_run() -> None:
    gymnasium.register("tests/Single-v0", entry_point=Single, max_episode_steps=5)
    try:
        asked = EnvConfig(id="tests/Single-v0", num_envs=1)
        experiment = default_experiment(EnvConfig(id="tests/Single-v0"))
        assert experiment.task is not None and experiment.task.single
        assert (experiment.env.num_envs, experiment.run.eval_every) == (1, 0)
        try_task(asked, copies=False)
        with pytest.raises(
            ConfigError, match=r"tests/Single-v0 can be made only once.*--set env.num_envs=1 run.eval_every=0"
        ):
            try_task(asked, copies=True)
        with closing(make_vector(asked, 4, as_possible=True)) as envs:
            assert len(envs) == 1
    finally:
        gymnasium.registry.pop("tests/Single-v0")


# -- optional attributes --------------------------------------------------------------------------


class Move(enum.IntEnum):
    HOLD = 0
    BUY_ALL = 1


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (np.array(["hold", "buy"]), ("hold", "buy")),
        ({0: "hold", 1: "buy"}, ("hold", "buy")),
        ({"1": "buy", "0": "hold"}, ("hold", "buy")),
        (Move, ("hold", "buy all")),
        ([Move.HOLD, Move.BUY_ALL], ("hold", "buy all")),
        ({0: Move.HOLD, 1: Move.BUY_ALL}, ("hold", "buy all")),
        (None, ("0", "1")),
        ([0, 1], ("0", "1")),
        ({"hold": 0, "buy": 1}, ("0", "1")),
        (lambda: ["hold", "buy"], ("0", "1")),
        ("ab", ("0", "1")),
        (["a", "b", "c"], ("0", "1")),
        ([b"a", b"b"], ("0", "1")),
    ],
)
def test_names_of_another_kind_are_taken_or_count_as_absent(names: Any, shown: tuple[str, ...]) -> None:
    env = make_env(config(changes={"action_names": names, "feature_names": names}))
    found = spaces_of(env, config())
    assert found.action_names == shown
    assert all(type(name) is str for name in (*found.action_names, *found.features))
    assert len(found.features) == 3


def test_other_optional_attributes_that_do_not_fit_count_as_absent() -> None:
    changes = {"joined_frames": "many", "entity_sets": 3, "entity_places": None, "max_steps": "ten"}
    for rate in ("fast", None, 0, float("nan"), -1, [30]):
        env = make_env(config(changes={**changes, "metadata": {"render_fps": rate}}))
        assert frame_rate(env, 30.0) == 30.0
        spaces_of(env, config())
    assert frame_rate(make_env(config(changes={"metadata": None})), 30.0) == 30.0
    facts = facts_of(env, {"facts": {"cue": np.int64(1), "speed": np.float32(0.5), "map": [1, 2], "name": "x"}})
    assert facts == {"cue": 1, "speed": 0.5}


@pytest.mark.parametrize("metadata", [None, ["rgb_array"], "rgb_array"])
def test_metadata_that_are_no_dictionary_count_as_absent(metadata: Any) -> None:
    gymnasium.register("tests/Bare-v0", entry_point=type("Bare", (Odd,), {"metadata": metadata}))
    try:
        with closing(make_vector(EnvConfig(id="tests/Bare-v0", num_envs=1))) as envs:
            envs.reset([0])
        with pytest.raises(ConfigError, match="cannot draw pictures"):
            make_env(EnvConfig(id="tests/Bare-v0"), render_mode="rgb_array")
    finally:
        gymnasium.registry.pop("tests/Bare-v0")


def test_numbers_outside_their_space_are_used_and_told() -> None:
    step = (1.0, True, False, {})
    assert measure_task(config(seen=np.array([0.5, 5, 0], np.float32), step=step)).strayed == (
        "observation",
        5.0,
        -1.0,
        1.0,
    )
    bright = spaces.Box(0, 1, (12, 12, 3), np.float32)
    assert measure_task(config(space=bright, seen=np.full((12, 12, 3), 200, np.uint8), step=step)).strayed == (
        "observation",
        200.0,
        0.0,
        1.0,
    )
    for fine in (np.ones(3), np.full(3, 1 + 1e-6)):
        assert measure_task(config(seen=fine, step=step)).strayed is None


def test_the_module_of_a_fault_is_not_imported_for_it() -> None:
    assert "gym" not in sys.modules  # the old package is recognised by the name of a class alone


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_no_network_can_take_are_told(number: float) -> None:
    space = spaces.Box(-10, 10, (3,), np.float64)
    with pytest.raises(observed.Odd):
        observed.observer(space)(np.array([0.0, number, 0.0]))
    usual = np.array([0.0, 1e30, -20.0])
    assert observed.observer(space)(usual) is usual
