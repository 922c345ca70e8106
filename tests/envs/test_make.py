"""Making environments: near matches, missing packages, refused arguments, reproduction."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from reproducing import reproduces

from dqngui import catalog
from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env, make_vector
from dqngui.jobs.frames import drawing_environment
from dqngui.settings import experiment_from


def complaint(config: EnvConfig, render_mode: str | None = None) -> str:
    with pytest.raises(ConfigError) as error:
        make_env(config, render_mode)
    return str(error.value)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("cartpole-v1", "CartPole-v1"),
        ("CartPole", "CartPole-v1"),
        ("CartPole-v7", "CartPole-v1"),
        ("LunarLander-v2", "LunarLander-v3"),
        ("dqngui/TMase-v0", "dqngui/TMaze-v0"),
    ],
)
def test_an_unknown_id_names_its_near_matches(wrong: str, right: str) -> None:
    sentence = complaint(EnvConfig(id=wrong))
    assert sentence.startswith(f"`env.id`: there is no environment `{wrong}`; did you mean ")
    assert right in sentence


def test_an_id_without_near_matches_gets_a_hint_about_modules() -> None:
    assert complaint(EnvConfig(id="zzzz")) == (
        "`env.id`: there is no environment `zzzz`; for an environment of your own write `module:Id`"
    )


def test_a_module_registers_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_tasks.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('Mine-v0', entry_point='gymnasium.envs.classic_control.cartpole:CartPoleEnv')\n"
    )
    (tmp_path / "needy_tasks.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "broken_tasks.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert make_env(EnvConfig(id="my_tasks:Mine-v0")).observation_space.shape == (4,)
    finally:
        gymnasium.registry.pop("Mine-v0", None)
        sys.modules.pop("my_tasks", None)
    assert complaint(EnvConfig(id="no_such_tasks:Mine-v0")).startswith(
        "`env.id`: there is no Python module `no_such_tasks`, neither installed nor as a file in "
    )
    assert complaint(EnvConfig(id="needy_tasks:Mine-v0")).endswith(
        "imports `a_package_that_is_not_there`, which is not installed; is its name spelt correctly?"
    )
    assert complaint(EnvConfig(id="broken_tasks:Mine-v0")).endswith(
        "`broken_tasks` cannot be imported: ZeroDivisionError: division by zero (broken_tasks.py, line 1: `1 / 0`)"
    )


class Silent(gymnasium.Env[np.ndarray, int]):
    """An environment that cannot draw, and does not say why."""

    metadata = {"render_modes": ["rgb_array"]}
    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, **given: object) -> tuple[np.ndarray, dict[str, object]]:  # type: ignore[override]
        return np.zeros(2, np.float32), {}

    def render(self) -> None:
        raise AssertionError


def test_an_error_without_a_message_is_shown_by_its_name() -> None:
    def without_package(**given: object) -> gymnasium.Env[np.ndarray, int]:
        raise gymnasium.error.DependencyNotInstalled

    gymnasium.register("tests/Needy-v0", entry_point=without_package)  # type: ignore[arg-type]
    gymnasium.register("tests/Silent-v0", entry_point=Silent)  # type: ignore[arg-type]
    try:
        assert complaint(EnvConfig(id="tests/Needy-v0")).endswith("a package that is missing: DependencyNotInstalled")
        with pytest.raises(ConfigError, match=r"could not draw a picture: AssertionError \(test_make.py, line \d+: "):
            drawing_environment(EnvConfig(id="tests/Silent-v0"))
    finally:
        for name in ("tests/Needy-v0", "tests/Silent-v0"):
            gymnasium.registry.pop(name, None)


@pytest.mark.parametrize(
    ("env_id", "module", "command"),
    [
        ("LunarLander-v3", "Box2D", 'pip install "gymnasium[box2d]"'),
        ("HalfCheetah-v5", "mujoco", 'pip install "gymnasium[mujoco]"'),
        ("MiniGrid-Empty-5x5-v0", "minigrid", "pip install minigrid"),
        ("ALE/Pong-v5", "ale_py", "pip install ale-py"),
        ("PongNoFrameskip-v4", "ale_py", "pip install ale-py"),
        ("MontezumaRevengeDeterministic-v0", "ale_py", "pip install ale-py"),
        ("Breakout-ramNoFrameskip-v4", "ale_py", "pip install ale-py"),
        ("SpaceInvaders-v0", "ale_py", "pip install ale-py"),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    env_id: str, module: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == module or name.startswith(("gymnasium.envs.box2d", "gymnasium.envs.mujoco")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)  # importing it raises ModuleNotFoundError
    sentence = complaint(EnvConfig(id=env_id))
    assert sentence.startswith(f"`env.id`: {env_id} needs the package ")
    assert sentence.endswith(command)


def test_refused_arguments() -> None:
    assert complaint(EnvConfig(kwargs={"gravity": 9})) == (
        "`env.kwargs.gravity`: CartPole-v1 has no such argument; it has: sutton_barto_reward, max_episode_steps"
    )
    assert complaint(EnvConfig(id="FrozenLake-v1", kwargs={"map_name": "9x9"})).startswith(
        "`env.kwargs`: FrozenLake-v1 does not accept these arguments: "
    )
    assert complaint(EnvConfig(id="dqngui/TMaze-v0", kwargs={"length": 0})) == (
        "`env.kwargs.length`: expected `int` >= 1"
    )
    assert complaint(EnvConfig(kwargs={"render_mode": "human"})) == (
        "`env.kwargs.render_mode` is set by the program; leave it out"
    )


def test_arguments_of_our_tasks_are_checked_with_the_experiment() -> None:
    def refused(**kwargs: object) -> str:
        with pytest.raises(ConfigError) as caught:
            experiment_from({"env": {"id": "dqngui/TMaze-v0", "kwargs": kwargs}})
        return str(caught.value)

    assert refused(length=0) == "`env.kwargs.length`: expected `int` >= 1"
    assert refused(lenght=5) == "`env.kwargs.lenght` is not a setting; this choice has: length, active"
    fine = {"length": 5, "max_episode_steps": 9}
    experiment = experiment_from({"env": {"id": "dqngui/TMaze-v0", "kwargs": fine}})
    assert experiment.env.kwargs == fine
    make_env(experiment.env).close()


def test_pictures() -> None:
    env = make_env(EnvConfig(id="dqngui/TMaze-v0"), "rgb_array")
    env.reset(seed=0)
    assert np.asarray(env.render()).shape[-1] == 3
    sampled = EnvConfig(id="tests/Sampled-v0", kwargs={"observation_space": spaces.Discrete(2)})
    assert complaint(sampled, "rgb_array") == "`env.id`: tests/Sampled-v0 cannot draw pictures (rgb_array)"


def test_environments_are_closed_when_a_later_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(gymnasium.Wrapper, "close", lambda self: closed.append(self))
    with pytest.raises(ConfigError, match="continuous"):
        make_vector(EnvConfig(id="Pendulum-v1"), 3)
    assert len(closed) == 3


@pytest.mark.parametrize("name", catalog.TASKS)
def test_every_task_of_the_catalog(name: str) -> None:
    if "MinAtar" in name:
        pytest.importorskip("minatar.environments.breakout")
    envs = make_vector(EnvConfig(id=name), 2)
    envs.reset([0, 1])
    assert reproduces(EnvConfig(id=name), seed=3, steps=80)


@pytest.mark.parametrize(
    ("env_id", "package"),
    [
        ("CartPole-v1", ""),
        ("Acrobot-v1", ""),
        ("LunarLander-v3", "Box2D"),
        ("MiniGrid-MemoryS7-v0", "minigrid"),
    ],
)
def test_known_tasks_reproduce(env_id: str, package: str) -> None:
    wrappers = ()
    if package:
        pytest.importorskip(package)
    if package == "minigrid":
        wrappers = (Wrapper(name="keep", options={"entries": ["image", "direction"]}),)
    assert reproduces(EnvConfig(id=env_id, wrappers=wrappers), seed=10_000_123)


def test_an_environment_that_does_not_reproduce_is_found() -> None:
    observation = spaces.Box(-1, 1, (2,))
    kwargs = {"observation_space": observation, "length": 20}
    assert reproduces(EnvConfig(id="tests/Sampled-v0", kwargs=kwargs), seed=1)
    assert not reproduces(EnvConfig(id="tests/Sampled-v0", kwargs={**kwargs, "seeded": False}), seed=1)


def test_an_environment_that_carries_state_between_episodes_is_not_reproducible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fresh environments agree; only the used one tells."""
    from dqngui.envs.tmaze import TMaze

    fair = TMaze.reset

    def lingering(self: TMaze, **kwargs: object) -> object:
        observation, info = fair(self, **kwargs)  # type: ignore[arg-type]
        self.length += 1
        return observation, info

    monkeypatch.setattr(TMaze, "reset", lingering)
    assert not reproduces(EnvConfig(id="dqngui/TMaze-v0", kwargs={"length": 3}), seed=1, steps=10)
