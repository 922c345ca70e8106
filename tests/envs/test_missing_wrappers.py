"""An environment that no agent could use as it is: wrappers are added, or the error has a line that works."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.__main__ import main
from dqngui.commands.arguments import parse
from dqngui.commands.experiments import chosen_experiment, experiment_of
from dqngui.commands.trial import check_task
from dqngui.config import ConfigError, EnvConfig, Experiment, Wrapper
from dqngui.defaults import default_experiment
from dqngui.envs.make import make_env
from dqngui.envs.spaces import spaces_of
from dqngui.messages import Noted
from dqngui.runs.folder import read_events
from dqngui.settings import as_assignment, parse_assignments

ID = "tests/Unfit-v0"
ODD = spaces.Sequence(spaces.Discrete(2))
POSE = spaces.Box(-1, 1, (3,))
READABLE = {'it\'s "here"': spaces.Discrete(2), "pose": POSE}


class Unfit(gymnasium.Env[Any, Any]):
    """Episodes of 5 steps in the spaces that the test sets."""

    observation: spaces.Space[Any] = POSE
    action: spaces.Space[Any] = spaces.Discrete(2)
    made = 0

    def __init__(self) -> None:
        Unfit.made += 1
        self.observation_space, self.action_space = self.observation, self.action
        self.time = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.time = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        self.time += 1
        return self.observation_space.sample(), 1.0, self.time == 5, False, {}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    gymnasium.register(ID, Unfit, disable_env_checker=True)
    yield
    del gymnasium.registry[ID]


def with_spaces(monkeypatch: pytest.MonkeyPatch, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
    monkeypatch.setattr(Unfit, "observation", observation)
    monkeypatch.setattr(Unfit, "action", action)


def continuous(size: int) -> spaces.Box:
    return spaces.Box(-1, 1, (size,))


def discretize(bins: int) -> Wrapper:
    return Wrapper(name="discretize", options={"bins": bins, "ends": False})


# -- without a preset -----------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "bins"), [(1, 5), (2, 5), (3, 3), (4, 3), (5, 2), (6, 2)])
def test_continuous_actions_are_cut_into_few_bins(monkeypatch: pytest.MonkeyPatch, size: int, bins: int) -> None:
    with_spaces(monkeypatch, POSE, continuous(size))
    experiment = default_experiment(EnvConfig(id=ID))
    assert experiment.env.wrappers == (discretize(bins),)
    assert experiment.task is not None and experiment.task.added_wrappers == ("discretize",)
    assert spaces_of(make_env(experiment.env), experiment.env).actions == bins**size <= 81


def test_many_continuous_actions_are_refused_with_a_line_for_those_who_want_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_spaces(monkeypatch, POSE, continuous(7))
    with pytest.raises(ConfigError, match=r"7 continuous numbers.*bins = 2 "):
        default_experiment(EnvConfig(id=ID))


def test_what_cannot_be_read_and_continuous_actions_are_mended_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with_spaces(monkeypatch, spaces.Dict({"odd": ODD, "pose": POSE}), continuous(1))
    experiment = default_experiment(EnvConfig(id=ID))
    assert experiment.env.wrappers == (Wrapper(name="keep", options={"entries": ["pose"]}), discretize(5))
    assert experiment.task is not None and experiment.task.added_wrappers == ("keep", "discretize")


@pytest.mark.parametrize(
    "action", [spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(3)], ids=lambda space: str(space)
)
def test_discrete_actions_need_no_wrapper(monkeypatch: pytest.MonkeyPatch, action: spaces.Space[Any]) -> None:
    with_spaces(monkeypatch, POSE, action)
    experiment = default_experiment(EnvConfig(id=ID))
    assert experiment.env.wrappers == ()
    assert experiment.task is not None and experiment.task.added_wrappers == ()


def test_chosen_wrappers_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with_spaces(monkeypatch, POSE, continuous(1))
    chosen = chosen_experiment(None, ID, ["env.wrappers=[{name='discretize', options={bins=3}}]"])
    assert chosen.env.wrappers == (discretize(3),)
    assert chosen.task is not None and chosen.task.added_wrappers == ()
    with pytest.raises(ConfigError, match=r"time_limit.*discretize"):
        chosen_experiment(None, ID, ["env.wrappers=[{name='time_limit'}]"])


def test_no_wrappers_and_other_settings_of_the_environment_keep_the_added_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    with_spaces(monkeypatch, POSE, continuous(1))
    settings = ["env.wrappers=[]", "env.num_envs=3", "env.actions=['a','b','c','d','e']", "learn.lr=2e-3"]
    experiment = chosen_experiment(None, ID, settings)
    assert experiment.env.wrappers == (discretize(5),)
    assert (experiment.env.num_envs, experiment.env.actions[4], experiment.learn.lr) == (3, "e", 2e-3)
    assert experiment.task is not None


def test_the_default_agent_makes_its_environment_once_and_another_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with_spaces(monkeypatch, spaces.Dict({"odd": ODD, "pose": POSE}), continuous(1))
    before = Unfit.made
    default_experiment(EnvConfig(id=ID))
    assert Unfit.made == before + 2  # the second one only shows that two can be made


def test_the_window_starts_with_the_added_wrappers(monkeypatch: pytest.MonkeyPatch) -> None:
    with_spaces(monkeypatch, POSE, continuous(1))
    opened: list[Experiment] = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("dqngui.gui.app.app.run_window", lambda experiment, **_: opened.append(experiment) or 0)
    assert main(["gui", "--env", ID]) == 0
    assert opened[0].env.wrappers == (discretize(5),)


SHORT = ["--set", "learn.warmup=100", "net.width=16", "run.eval_episodes=1", "run.eval_every=0", "--steps", "200"]


def test_added_wrappers_are_told_in_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_spaces(monkeypatch, spaces.Dict({"odd": ODD, "pose": POSE}), continuous(2))
    assert main(["train", "--env", ID, *SHORT, "--runs", str(tmp_path), "--json"]) == 0
    (folder,) = tmp_path.iterdir()
    notes = [event.words for event in read_events(folder) if isinstance(event, Noted)]
    assert notes[0] == (
        "Wrappers added to the environment, so that an agent can use it: keep (of the observation only pose; left "
        "out: odd, which no network reads), discretize (5 bins for each continuous number of an action: 25 actions)"
    )
    assert any("Derived from the task" in note for note in notes)


def test_nothing_is_told_where_nothing_was_added(tmp_path: Path) -> None:
    assert main(["train", "--env", ID, *SHORT, "--runs", str(tmp_path), "--json"]) == 0
    (folder,) = tmp_path.iterdir()
    assert not [event.words for event in read_events(folder) if isinstance(event, Noted) and "added" in event.words]


# -- the line of an error -------------------------------------------------------------------------


def pasted(error: ConfigError) -> list[str]:
    """What a shell makes of the option in an error."""
    text = str(error)
    assert text.count("\n") == 0
    return shlex.split(text[text.index("; it works with --set") + len("; it works with ") : text.rindex(" (in the")])


STACK, LIMIT = "{name='frame_stack', options={frames=2}}", "{name='time_limit', options={steps=4}}"
UNREADABLE = spaces.Dict({"odd": ODD, **READABLE})


@pytest.mark.parametrize(
    ("observation", "action", "wrappers", "expected"),
    [
        (POSE, continuous(1), f"[{LIMIT}, {STACK}]", ["time_limit", "frame_stack", "discretize"]),
        (POSE, continuous(8), "[]", ["discretize"]),
        pytest.param(
            POSE,
            continuous(3),
            f"[{LIMIT}, {{name='discretize', options={{bins=[2,2]}}}}, {STACK}]",
            None,
            marks=pytest.mark.slow,
        ),
        (POSE, continuous(3), "[{name='discretize', options={bins=1}}]", ["discretize"]),
        pytest.param(
            POSE, spaces.Discrete(2), f"[{{name='discretize'}}, {LIMIT}]", ["time_limit"], marks=pytest.mark.slow
        ),
        (POSE, spaces.Discrete(2), "[{name='discretize'}]", []),
        pytest.param(
            UNREADABLE, continuous(1), f"[{LIMIT}]", ["time_limit", "keep", "discretize"], marks=pytest.mark.slow
        ),
        (UNREADABLE, spaces.Discrete(2), f"[{STACK}, {LIMIT}]", ["keep", "frame_stack", "time_limit"]),
        pytest.param(
            UNREADABLE, continuous(1), f"[{STACK}]", ["keep", "frame_stack", "discretize"], marks=pytest.mark.slow
        ),
        pytest.param(
            spaces.Tuple([ODD, POSE]), spaces.Discrete(2), f"[{LIMIT}]", ["time_limit", "keep"], marks=pytest.mark.slow
        ),
    ],
)
def test_the_line_of_an_error_works(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    observation: spaces.Space[Any],
    action: spaces.Space[Any],
    wrappers: str,
    expected: list[str] | None,
) -> None:
    with_spaces(monkeypatch, observation, action)
    with pytest.raises(ConfigError) as caught:
        check_task(chosen_experiment(None, None, [f"env.id={ID}", "env.features=[]", f"env.wrappers={wrappers}"]))
    line = pasted(caught.value)
    _, arguments = parse(["train", "--env", ID, *line])
    found = [wrapper.name for wrapper in experiment_of(arguments).env.wrappers]
    assert found == (["time_limit", "discretize", "frame_stack"] if expected is None else expected)
    assert main(["train", "--env", ID, *line, *SHORT, "--runs", str(tmp_path), "--json"]) == 0


@pytest.mark.parametrize(
    ("wrappers", "names"),
    [
        ("[]", "env.features=['a','b']"),
        ("[]", "env.actions=['left','right']"),
        ("[{name='discretize', options={bins=1}}]", "env.actions=['left','right']"),
        ("[{name='discretize', options={bins=3}}]", "env.features=['a','b']"),
    ],
)
def test_the_line_also_takes_back_names_of_another_task(
    monkeypatch: pytest.MonkeyPatch, wrappers: str, names: str
) -> None:
    with_spaces(monkeypatch, POSE, continuous(1))
    settings = ["env.features=['x','y','z']", "env.actions=[]", names, f"env.wrappers={wrappers}"]
    with pytest.raises(ConfigError) as caught:
        check_task(chosen_experiment(None, None, [f"env.id={ID}", *settings]))
    line = pasted(caught.value)
    _, arguments = parse(["train", "--env", ID, "--set", *settings, *line])
    env = experiment_of(arguments).env
    kept = env.actions if "features" in names else env.features
    assert [wrapper.name for wrapper in env.wrappers] == ["discretize"]
    assert names.split("=")[0] in " ".join(line) and kept == (() if "features" in names else ("x", "y", "z"))


@pytest.mark.parametrize(
    ("observation", "action"),
    [
        (POSE, continuous(70)),
        (POSE, spaces.Box(-np.inf, np.inf, (1,))),
        (POSE, spaces.Box(0, 255, (210, 160, 3), np.uint8)),
        (POSE, spaces.Tuple([spaces.Discrete(2)])),
        (ODD, spaces.Discrete(2)),
        (spaces.Dict({"odd": ODD}), continuous(1)),
        (UNREADABLE, continuous(70)),
    ],
)
def test_no_line_is_promised_where_none_would_work(
    monkeypatch: pytest.MonkeyPatch, observation: spaces.Space[Any], action: spaces.Space[Any]
) -> None:
    with_spaces(monkeypatch, observation, action)
    with pytest.raises(ConfigError) as caught:
        default_experiment(EnvConfig(id=ID))
    assert "--set" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_number_of_actions_with_thousands_of_digits_is_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with_spaces(monkeypatch, POSE, continuous(7_000))
    with pytest.raises(ConfigError, match=r"7,000 dimensions make more than 2⁶² combinations, which is the most poss"):
        make_env(EnvConfig(id=ID, wrappers=(discretize(5),)))


@pytest.mark.parametrize(
    "value",
    ["it's", 'a "b"', "back\\slash", "tab\t and \x7f", "ünï", {"a b": [1, 2.5, True]}, [], {"": "x"}, [1e-7, 1e30]],
)
def test_an_assignment_is_read_back_from_a_shell(value: Any) -> None:
    line = shlex.quote(as_assignment("env.kwargs", value))
    assert parse_assignments(shlex.split(line)) == {"env.kwargs": value}


def test_the_task_facts_of_earlier_runs_name_no_added_wrappers() -> None:
    facts = default_experiment(EnvConfig(id=ID)).task
    assert facts is not None
    plain = msgspec.to_builtins(facts)
    del plain["added_wrappers"]
    assert msgspec.convert(plain, type(facts)) == facts
