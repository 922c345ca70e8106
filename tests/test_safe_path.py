"""Nothing of the present folder runs but what the user names: a `json.py` among downloads, for every way to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dqngui import safe_path
from dqngui.hosts import events_of, open_host
from dqngui.messages import Finished, Request
from dqngui.settings import experiment_from

ROOT = Path(__file__).parents[1]
LIBRARY = Path(os.__file__).parent
BEFORE_DQNGUI = {
    *("collections", "contextlib", "encodings", "functools", "importlib", "keyword", "operator", "reprlib", "runpy"),
    *("types", "warnings"),
}
"""What `python -m` itself imports before the first line of dqngui runs."""

CONSOLE = "import sys; sys.argv[0] = 'dqngui'; from dqngui.__main__ import console; console()"


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """A folder with a module of every name that Python's library has, and more; each leaves a trace when it runs."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    names = set(sys.stdlib_module_names) | {"numpy", "torch", "gymnasium", "msgspec", "tyro", "scipy", "triton"}
    for name in names - BEFORE_DQNGUI - set(sys.builtin_module_names):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)\n")
    return folder


@pytest.mark.parametrize("start", [["-m", "dqngui"], ["-c", CONSOLE]])
def test_modules_of_the_present_folder_do_not_run(downloads: Path, start: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}", "OMP_NUM_THREADS": "1"}
    arguments = ["train", "cartpole", "--steps", "40", "--host", "process", "--runs", str(downloads.parent / "runs")]
    small = ["--set", "learn.warmup=5000", "run.eval_every=0", "env.num_envs=2"]
    if start[0] == "-c":  # the interpreter adds the present folder for this option; a console script's is its own
        start = ["-P", *start]
        arguments, small = ["runs", str(downloads)], []
    done = subprocess.run(
        [sys.executable, *start, *arguments, *small], cwd=downloads, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not (downloads.parent / "ran").exists(), (downloads.parent / "ran").read_text()


def test_a_process_that_is_started_elsewhere_is_isolated(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(downloads)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", str(ROOT)]))
    (downloads / "encodings.py").touch()
    experiment = experiment_from({"env": {"id": "CartPole-v1"}})
    events = list(events_of(open_host("process", Request(job="suit", experiment=experiment))))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "completed"
    assert not (downloads.parent / "ran").exists(), (downloads.parent / "ran").read_text()


def test_a_command_that_is_started_elsewhere_is_isolated(downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(downloads)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    (downloads / "encodings.py").touch()
    command = safe_path.command_of(["queue", "list", "--runs", str(downloads.parent / "runs")])
    environment = safe_path.environment_of_child()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.startswith("the queue is empty"), done.stderr
    assert not (downloads.parent / "ran").exists(), (downloads.parent / "ran").read_text()


@pytest.mark.parametrize(
    ("named", "path", "left"),
    [
        ("", ["{here}", "{library}", "{site}"], ["{library}", "{site}"]),
        ("", ["", "{library}", "{site}", "{here}"], ["{library}", "{site}", "{here}"]),  # installed from this folder
        ("{here}", ["{here}", "{here}", "{library}"], ["{here}", "{library}"]),
        (".", ["{here}", "{here}", "{library}"], ["{here}", "{library}"]),
        ("{other}", ["{other}", "{library}"], ["{other}", "{library}"]),
        (":{other}", ["{here}", "{here}", "{other}", "{library}"], ["{other}", "{library}"]),
        ("", ["{own}", "{library}"], ["{library}"]),
        ("", ["{scripts}", "{library}"], ["{scripts}", "{library}"]),
    ],
)
def test_the_present_folder_leaves_the_search_path_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, path: list[str], left: list[str]
) -> None:
    places = {name: str(tmp_path / name) for name in ("other", "site", "scripts")}
    places |= {"here": os.getcwd(), "library": str(LIBRARY), "own": str(ROOT / "dqngui")}
    monkeypatch.setenv("PYTHONPATH", named.format(**places).replace(":", os.pathsep))
    monkeypatch.setattr(sys, "path", [entry.format(**places) for entry in path])
    safe_path.leave_present_folder()
    assert sys.path == [entry.format(**places) for entry in left]
