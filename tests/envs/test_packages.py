"""Packages with environments: calls that register, ids that need a module's name, packages that miss another one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import pytest

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.make import make_env

REGISTER = "gymnasium.register('{name}', entry_point='gymnasium.envs.classic_control.cartpole:CartPoleEnv')\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which Python imports; what was imported and registered is forgotten afterwards."""
    before, registered = set(sys.modules), set(gymnasium.registry)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] in ("minatar", "highway_env")]:
        monkeypatch.delitem(sys.modules, name)
    yield tmp_path
    for name in set(sys.modules) - before:
        sys.modules.pop(name, None)
    for name in set(gymnasium.registry) - registered:
        gymnasium.registry.pop(name, None)


def install(folder: Path, module: str, source: str, *, requires: str = "gymnasium") -> None:
    """A fake installed package with this source as its only module."""
    (folder / module).mkdir()
    (folder / module / "__init__.py").write_text(source)
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\nRequires-Dist: {requires} >=1\n"
    )
    (about / "RECORD").write_text(f"{module}/__init__.py,,\n")


def complaint(env_id: str) -> str:
    with pytest.raises(ConfigError) as error:
        make_env(EnvConfig(id=env_id))
    return str(error.value)


def test_a_package_that_needs_a_call_is_registered_by_its_prefix(packages: Path) -> None:
    (packages / "minatar").mkdir()
    (packages / "minatar" / "__init__.py").write_text("")
    body = "import gymnasium\ndef register_envs():\n    " + REGISTER.format(name="MinAtar/Fake-v7")
    (packages / "minatar" / "gym.py").write_text(body)
    make_env(EnvConfig(id="MinAtar/Fake-v7")).close()
    make_env(EnvConfig(id="MinAtar/Fake-v7")).close()


def test_a_module_with_a_register_call_is_asked_to_register(packages: Path) -> None:
    (packages / "calling_tasks.py").write_text(
        "import gymnasium\ndef register_envs():\n    " + REGISTER.format(name="Called-v0")
    )
    make_env(EnvConfig(id="calling_tasks:Called-v0")).close()


def test_an_id_of_an_installed_package_is_named_with_its_module_and_nothing_is_imported(packages: Path) -> None:
    install(packages, "lonely_tasks", "import gymnasium\n" + REGISTER.format(name="Lonely-v3"))
    install(packages, "other_tasks", "import gymnasium\n" + REGISTER.format(name="Other-v3"), requires="numpy")
    assert complaint("Lonely-v3") == (
        "`env.id`: Lonely-v3 is in the module `lonely_tasks`; write `lonely_tasks:Lonely-v3`"
    )
    assert "lonely_tasks" not in sys.modules
    assert "other_tasks" not in complaint("Other-v3")  # it does not use gymnasium
    make_env(EnvConfig(id="lonely_tasks:Lonely-v3")).close()


def test_a_known_id_of_a_package_that_is_not_installed_gets_the_lines_to_write(packages: Path) -> None:
    assert complaint("PandaReach-v3") == (
        "`env.id`: PandaReach-v3 needs the package panda-gym: pip install panda-gym; "
        "then write `panda_gym:PandaReach-v3`"
    )


def test_a_package_that_lacks_another_one_says_which(packages: Path) -> None:
    (packages / "minatar").mkdir()
    (packages / "minatar" / "__init__.py").write_text("import a_package_that_is_not_there.inside\n")
    assert complaint("MinAtar/Breakout-v1") == (
        "`env.id`: the module `minatar.gym` imports `a_package_that_is_not_there`, which is not installed; "
        "is its name spelt correctly?"
    )
