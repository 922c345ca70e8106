"""Experiments as TOML: files, the shipped presets, and where shipped data lies. Reading never runs code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomli_w

from dqngui.config import ConfigError, Experiment
from dqngui.settings import as_data, experiment_from

SCHEMA_VERSION = 1


def preset_names() -> list[str]:
    """Names of the shipped experiments."""
    return sorted(path.name.removesuffix(".toml") for path in _presets() if path.name.endswith(".toml"))


def _presets() -> Iterator[Any]:
    yield from package_data("configs").iterdir()


def package_data(folder: Literal["configs", "assets"]) -> Any:
    """A folder of shipped data, in a checkout (beside the package) or in an installed wheel (inside it)."""
    inside = resources.files("dqngui") / "_data" / folder
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parent.parent / folder


def demo_folder() -> Path:
    """The shipped run of a trained agent, shown where no run is open yet. Nothing may be written into it."""
    return Path(str(package_data("assets") / "demo"))


def read_experiment(source: str | Path) -> Experiment:
    """An experiment from a TOML file, or from the name of a shipped one. Raises ConfigError."""
    path = Path(source)
    if not path.suffix and not path.exists():
        preset = package_data("configs") / f"{source}.toml"
        if not preset.is_file():
            raise ConfigError(f"there is no file or preset `{source}`; presets: {', '.join(preset_names())}")
        path = preset
    return parse_experiment(_text_of(path, source), str(source))


def _text_of(path: Any, source: str | Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"`{source}` is not a text file in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read `{source}`: {error.strerror}") from None


def parse_experiment(text: str, source: str) -> Experiment:
    """An experiment from TOML text; `source` names it in errors. Raises ConfigError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"`{source}` is not a TOML file: {error}") from None
    data.pop("about", None)
    try:
        return experiment_from(data)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def to_toml(experiment: Experiment, about: Mapping[str, Any] | None = None) -> str:
    """TOML text of a complete experiment; `about` (versions and so on) is written first and ignored on reading."""
    head = {"about": {"schema": SCHEMA_VERSION, **(about or {})}}
    return tomli_w.dumps({**head, **as_data(experiment)})
