"""Modules of the user: found in the present folder by their path, with what is missing said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import pytest

from dqngui.commands.experiments import chosen_experiment
from dqngui.config import ConfigError, EnvConfig
from dqngui.envs import user_modules
from dqngui.envs.make import make_env
from dqngui.presets import read_experiment

TASK = """
import gymnasium
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

class Mine(CartPoleEnv):
    pass

gymnasium.register('Mine-v0', entry_point={entry})
"""

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module into the present folder, which is not on `sys.path`."""
    before, known = set(sys.modules), set(gymnasium.registry)
    monkeypatch.setattr(user_modules, "START_FOLDER", tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(tmp_path))])

    def writing(name: str, text: str, encoding: str = "utf-8") -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding)

    yield writing
    for name in set(gymnasium.registry) - known:
        gymnasium.registry.pop(name)
    for name in set(sys.modules) - before:
        sys.modules.pop(name)


def made(env_id: str) -> str:
    env = make_env(EnvConfig(id=env_id))
    env.close()
    return type(env.unwrapped).__name__


def complaint(env_id: str) -> str:
    with pytest.raises(ConfigError) as caught:
        make_env(EnvConfig(id=env_id))
    return str(caught.value)


@pytest.mark.parametrize("env_id", ["mytask:Mine-v0", "mytask.py:Mine-v0", "./mytask.py:Mine-v0", "mytask:Mine"])
@pytest.mark.parametrize("entry", ["Mine", "'mytask:Mine'"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_module_of_the_present_folder_is_found(write: Write, env_id: str, entry: str, encoding: str) -> None:
    write("mytask.py", TASK.format(entry=entry), encoding)
    assert made(env_id) == made(env_id) == "Mine"


@pytest.mark.parametrize("env_id", ["tasks.grid:Mine-v0", "tasks/grid.py:Mine-v0", "tasks/grid.py:Mine"])
@pytest.mark.parametrize("package", [False, True])
def test_a_module_in_a_folder_is_found(write: Write, env_id: str, package: bool) -> None:
    if package:
        write("tasks/__init__.py", "")
    write("tasks/grid.py", TASK.format(entry="Mine"))
    assert made(env_id) == "Mine"


def test_a_package_finds_its_own_modules(write: Write) -> None:
    write("tasks/__init__.py", "from .grid import Mine\n")
    write("tasks/grid.py", TASK.format(entry="Mine"))
    assert made("tasks:Mine") == "Mine"
    assert made("tasks:Mine-v0") == "Mine"


def test_an_absolute_path_names_a_module_anywhere(write: Write, tmp_path: Path) -> None:
    write("elsewhere/mytask.py", TASK.format(entry="Mine"))
    assert made(f"{tmp_path}/elsewhere/mytask.py:Mine-v0") == "Mine"


def test_a_file_does_not_take_the_place_of_another_module(write: Write, tmp_path: Path) -> None:
    write("json.py", "raise SystemExit('this must not run')\n")
    write("colorsys.py", TASK.partition("gymnasium.register")[0])  # a module of Python's library has this name
    write("mytask.py", "import json\n" + TASK.format(entry="Mine"))
    assert made("mytask:Mine-v0") == "Mine"
    import colorsys

    assert made("colorsys.py:Mine") == "Mine"
    assert sys.modules["colorsys"] is colorsys and hasattr(colorsys, "rgb_to_hsv")
    assert "part of Python itself" in complaint("colorsys:Mine")


def test_what_is_missing_is_said(write: Write, tmp_path: Path) -> None:
    write("mytask.py", TASK.format(entry="Mine"))
    write("needy.py", "import a_neighbour\n")
    write("a_neighbour.py", "")
    write("poor.py", "import a_package_that_is_not_there.part\n")
    assert str(tmp_path) in complaint("none:Mine-v0") and "no Python module `none`" in complaint("none:Mine-v0")
    assert complaint("none.py:Mine-v0") == f"`env.id`: there is no file `none.py` (looked for from `{tmp_path}`)"
    assert complaint("mytask:Yours-v0") == (
        "`env.id`: the module `mytask` has no environment `Yours-v0`; write `mytask:NAME` with one of its own: "
        "Mine-v0, Mine"
    )
    assert complaint("needy:Mine-v0").endswith(
        f"needs `a_neighbour`, which lies beside it; write PYTHONPATH={tmp_path} before the command"
    )
    assert complaint("poor:Mine-v0").endswith(
        "imports `a_package_that_is_not_there`, which is not installed; is its name spelt correctly?"
    )


def test_what_a_module_or_its_class_lacks_is_said(write: Write) -> None:
    write("empty.py", "")
    write("wrong.py", "import gymnasium\nclass Mine(gymnasium.Env:\n")
    write("sized.py", "import gymnasium\nclass Mine(gymnasium.Env):\n    def __init__(self, size, *, depth): pass\n")
    assert complaint("empty:Mine").endswith("the module `empty` has no environment `Mine`, and none at all")
    assert complaint("empty.py").endswith(
        "`empty.py` is a file; name the class of the environment too: `empty.py:CLASS`"
    )
    assert "there is no Python module ``" in complaint(":Mine")
    assert complaint("wrong:Mine").count("wrong.py") == 1
    assert complaint("sized:Mine").endswith(
        "write a value for each of them: env.kwargs.size=... env.kwargs.depth=..."
    ) or (complaint("sized:Mine").endswith("write a value for each of them: env.kwargs.size=..."))


def test_only_a_known_package_gets_a_command_that_installs_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("typo.py", "import gymnasium\ngymnasium.register('Typo-v0', entry_point='my_typo:E')\n")
    write("deep.py", "import gymnasium\ngymnasium.register('Deep-v0', entry_point='deep_inner:E')\n")
    assert complaint("typo:Typo-v0").endswith("names the module `my_typo`, which does not exist")
    assert "pip install" not in complaint("deep:Deep-v0")
    monkeypatch.setitem(sys.modules, "deep_inner", None)  # not there either, said by Python in another way
    assert "pip install" not in complaint("deep:Deep-v0")
    write("wanting.py", "import highway_env_of_nobody\n")
    assert "pip install" not in complaint("wanting:Mine-v0")
    monkeypatch.setitem(sys.modules, "highway_env", None)
    write("needs_highway.py", "import highway_env\n")
    assert complaint("needs_highway:Mine-v0").endswith("pip install highway-env")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys\nsys.exit()\n", "SystemExit (mytask.py, line 2: `sys.exit()`)"),
        ("exit(0)\n", "SystemExit: 0 (mytask.py, line 1: `exit(0)`)"),
        ("x = [\n1 / 0]\n", "ZeroDivisionError: division by zero (mytask.py, line 2: `1 / 0]`)"),
        ("def broken(:\n", "SyntaxError: "),
        ("assert False, 'two\\nlines'\n", "AssertionError: two lines ("),
    ],
)
def test_a_module_that_cannot_be_imported_says_why_and_where(write: Write, text: str, says: str) -> None:
    write("mytask.py", text)
    for env_id in ("mytask:Mine-v0", "mytask.py:Mine-v0"):
        said = complaint(env_id)
        assert says in said and "cannot be imported" in said and "mytask.py, line" in said


@pytest.mark.parametrize("attribute", ["registry", "registry.env_specs"])
def test_an_environment_of_the_old_package_is_told(write: Write, attribute: str) -> None:
    write("gym/__init__.py", "class envs:\n    class registry(dict):\n        pass\n")
    write("mytask.py", f"import gym\ngym.envs.{attribute} = {{'Old-v0': None}}\n")
    sys.path.append(str(user_modules.START_FOLDER))
    assert complaint("mytask:Old-v0").endswith(
        "registered with the old package gym; write `import gymnasium as gym` in its module"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_experiment_with_a_mark_of_the_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("title = 'Größe'\n[env]\nid = 'Acrobot-v1'\n", encoding)
    assert read_experiment(file).title == "Größe"


@pytest.mark.parametrize("name", ["CartPole-v1", "ALE/Pong-v5", "mytask.py", "mytask.py:Mine-v0", "mytask:Mine-v0"])
def test_an_environment_in_place_of_a_file_is_told_where_it_belongs(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen_experiment(name, None, [])
    assert str(caught.value).endswith(f"write `--env {name}`")


def test_a_command_started_in_the_folder_finds_the_module_and_leaves_no_folder_of_what_fails(tmp_path: Path) -> None:
    (tmp_path / "mytask.py").write_text(TASK.format(entry="Mine") + "\nclass Bad(Mine):\n    reset = None\n")
    command = [sys.executable, "-P", "-m", "dqngui", "train", "--env", "mytask:Bad", "--runs", "runs"]
    environment = {**os.environ, "PYTHONPATH": str(Path(user_modules.__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "mytask:Bad failed when it was tried" in done.stderr and "TypeError: 'NoneType' object" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("typed", ["mine.py:Late", "mine:Late", "tasks/mine.py:Late"])
def test_a_fault_names_the_task_as_it_was_typed(write: Write, typed: str) -> None:
    write(
        typed.partition(":")[0].removesuffix(".py") + ".py",
        "from gymnasium.envs.classic_control.cartpole import CartPoleEnv\n"
        "class Late(CartPoleEnv):\n"
        "    def step(self, action):\n"
        "        raise ValueError('too late')\n",
    )
    env = make_env(EnvConfig(id=typed))
    env.reset(seed=0)
    with pytest.raises(ConfigError, match=f"{typed} .*too late"):
        env.step(0)
    env.close()
