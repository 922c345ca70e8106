"""What an installed dqngui brings: the console script, the presets, the fonts; no screenshots, no tests."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import dqngui
from dqngui.config import ConfigError
from dqngui.messages import EpisodeEnded
from dqngui.presets import demo_folder, preset_names, read_experiment
from dqngui.runs.episodes import read_index
from dqngui.runs.folder import read_events, summary_of
from dqngui.runs.resume import read_meta

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def test_wheel_carries_every_preset_every_agent_and_every_module(names: list[str]) -> None:
    for preset in (ROOT / "configs").rglob("*.toml"):
        assert f"dqngui/_data/{preset.relative_to(ROOT).as_posix()}" in names
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dqngui").rglob("*.py")}
    assert modules <= set(names)


def test_wheel_carries_fonts_but_no_pictures_of_the_window(names: list[str]) -> None:
    assert any(name.startswith("dqngui/_data/assets/fonts/") for name in names)
    folders = {name.split("/")[0] for name in names}
    assert folders == {"dqngui", f"dqngui-{dqngui.__version__}.dist-info"}
    assert not [name for name in names if "assets/screenshots" in name or "assets/evidence" in name or ".pyc" in name]


def test_wheel_has_the_licence_and_the_console_script(wheel: Path, names: list[str]) -> None:
    info = f"dqngui-{dqngui.__version__}.dist-info"
    assert f"{info}/licenses/LICENSE" in names
    scripts = zipfile.ZipFile(wheel).read(f"{info}/entry_points.txt").decode()
    assert "dqngui = dqngui.__main__:console" in scripts


def test_an_unpacked_wheel_finds_its_presets(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import dqngui.presets
print(dqngui.__file__)
print(*dqngui.presets.preset_names())
dqngui.presets.read_experiment("cartpole")
print(dqngui.presets.demo_folder())
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    where, presets, demo = done.stdout.strip().split("\n")
    assert Path(where).is_relative_to(tmp_path) and Path(demo).is_relative_to(tmp_path)
    shipped = [path.relative_to(demo_folder()) for path in demo_folder().rglob("*") if path.is_file()]
    assert all((Path(demo) / path).read_bytes() == (demo_folder() / path).read_bytes() for path in shipped)
    assert presets.split() == preset_names()


def test_the_demo_run_is_small_and_can_be_opened_but_not_resumed() -> None:
    folder = demo_folder()
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == [
        "checkpoints/best.pt", "episodes.dat", "episodes.idx", "events.jsonl", "experiment.toml", "summary.json"
    ]  # fmt: skip
    assert sum((folder / name).stat().st_size for name in files) < 2_000_000
    summary = summary_of(folder)
    assert summary is not None and summary.state == "finished" and summary.best == 500.0
    episodes = [event for event in read_events(folder) if isinstance(event, EpisodeEnded)]
    assert len(read_index(folder)) == len(episodes) > 100
    assert not any(b"/home/" in (folder / name).read_bytes() for name in files)
    with pytest.raises(ConfigError):
        read_meta(folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_wheel_installs_into_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [scripts / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run(pip, check=True, cwd=tmp_path)
    train = [scripts / "dqngui", "train", "cartpole", "--steps", "1500", "--json"]
    done = subprocess.run(train, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert '"reason":"completed"' in done.stdout.rsplit("\n", 2)[-2]


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_is_valid_and_has_a_title(preset: str) -> None:
    assert read_experiment(preset).title


def test_every_requirement_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all("==" in pin and "+" not in pin and "/" not in pin for pin in pins)
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in wanted:
        name = requirement
        for stop in "<>=!;[ ":
            name = name.split(stop)[0]
        assert name.lower().replace("_", "-") in pinned, requirement
