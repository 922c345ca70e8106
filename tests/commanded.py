"""Runs commands of the command line for tests, in a process of their own or in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dqngui.__main__ import main

SMALL = [
    "cartpole",
    "--set",
    "learn.warmup=100",
    "learn.batch_size=8",
    "net.hidden=[]",
    "net.width=16",
    "run.eval_episodes=2",
    "run.eval_every=500",
]


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dqngui", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(*arguments: str, **options: Any) -> tuple[int, str, str]:
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """`run` in this process, which has imported torch already: for what needs no process of its own."""

    def run_here(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(arguments)
        return status, *capsys.readouterr()

    return run_here


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


_TRAINED: list[tuple[Path, str]] = []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of runs with one short run in it, and its JSON events.

    It is made once for all modules, and no test changes it.
    """
    if not _TRAINED:
        runs = tmp_path_factory.mktemp("runs")
        status, out, err = run("train", *SMALL, "--steps", "1200", "--json", "--runs", str(runs))
        assert (status, err) == (0, "")
        _TRAINED.append((runs, out))
    return _TRAINED[0]
