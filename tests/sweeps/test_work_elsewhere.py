"""`dqngui work --on ray` where there is no Ray, and options that do not go together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dqngui.config import ConfigError
from dqngui.hosts.ray_cluster import RayHosts
from tests.commanded import Here, here  # noqa: F401  # a fixture


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)


def test_without_ray_the_command_says_how_to_install_it(here: Here, tmp_path: Path, without_ray: None) -> None:  # noqa: F811
    status, out, err = here("work", "--on", "ray", "--runs", str(tmp_path / "runs"))
    assert (status, out) == (2, "") and "pip install 'ray'" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_without_ray_the_hosts_say_so_too(without_ray: None) -> None:
    with pytest.raises(ConfigError, match="pip install"):
        RayHosts("127.0.0.1:6379")


@pytest.mark.parametrize("options", [("--address", "127.0.0.1:6379"), ("--mirror",)])
def test_options_of_a_cluster_need_one(here: Here, tmp_path: Path, options: tuple[str, ...]) -> None:  # noqa: F811
    status, _, err = here("work", *options, "--runs", str(tmp_path))
    assert status == 2 and f"{options[0]} goes with --on ray only" in err
