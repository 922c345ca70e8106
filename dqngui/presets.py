"""Reads and writes experiments as TOML: files, the shipped presets, agents by name; finds the shipped data.

Reading never runs code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w

from dqngui.bounded import MOST_TEXT, found, read_file, toml_data
from dqngui.catalog import MEMORIES
from dqngui.config import SECTIONS, ConfigError, Experiment, NetConfig
from dqngui.derivation import MEMORY_OPTIONS, RULES, derivable, derived_value, without_marks
from dqngui.schema import Options
from dqngui.settings import as_data, experiment_from, options_fields, options_from, with_settings

SCHEMA_VERSION = 4
OLD_MEANINGS: dict[int, dict[str, Any]] = {
    1: {
        "env.rows": "set",
        "learn.lr_warmup": 0,
        "learn.target_kl": 0.0,
        "learn.reward_scale": 0.1,
        "learn.epsilon_repeat": 1,
        "learn.epsilon_repeat_power": 2.0,
        "net.convolutions": "three",
        "net.shortcut": False,
        "net.standardise": False,
        "run.eval_share": 1.0,
    },
    2: {"env.boxes": "size"},
    3: {"env.several": "joint"},
}
"""By the schema of a stored run and the dotted name of a setting: what the run did where its file lacks the setting.

A setting is listed where its default is now another one, or where it is new and its default is not what runs did
before. `tests/runs/schema_1.json` has the defaults of schema 1.
"""


def preset_names() -> list[str]:
    """Names of the shipped experiments."""
    return sorted(path.name.removesuffix(".toml") for path in _presets() if path.name.endswith(".toml"))


def _presets() -> Iterator[Any]:
    yield from package_data("configs").iterdir()


class AgentPreset(Options, frozen=True):
    """An agent by name: settings of `net` and `learn` that replace those of any task.

    Attributes:
        title: its name in the field.
        net, learn: settings of these sections that define the agent.
        at_least, at_most: bounds, by section and setting; a number of the task outside of them is moved to the bound,
            unless it is derived: then its rule knows the task, the speed of its environment and the memory.
    """

    title: str
    net: dict[str, Any] = {}
    learn: dict[str, Any] = {}
    at_least: dict[str, dict[str, int | float]] = {}
    at_most: dict[str, dict[str, int | float]] = {}


def agent_names() -> list[str]:
    """Names of the shipped agents."""
    files = (path.name for path in (package_data("configs") / "agents").iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def read_agent(name: str) -> AgentPreset:
    """The shipped agent with this name. Raises ConfigError if there is none."""
    if name not in agent_names():
        raise ConfigError("preset.no_agent", name=name, known=agent_names())
    return _agent_in(str(package_data("configs")), name)


@cache  # the form asks for all of them at each change of a setting
def _agent_in(folder: str, name: str) -> AgentPreset:
    source = f"agents/{name}.toml"
    data = _parsed(_text_of(Path(folder) / source, source), source)
    agent = options_from(AgentPreset, data, source)
    assert isinstance(agent, AgentPreset)
    return agent


def with_agent(experiment: Experiment, agent: AgentPreset) -> Experiment:
    """A checked copy of the experiment with the same task and this agent. Raises ConfigError."""
    changes = {f"net.{name}": value for name, value in agent.net.items()}
    changes |= {f"learn.{name}": value for name, value in agent.learn.items()}
    laid = with_settings(experiment, changes, check=False)
    data = as_data(laid)
    for bounds, nearest in ((agent.at_least, max), (agent.at_most, min)):
        for section, settings in bounds.items():
            for name, bound in settings.items():
                present = data.get(section, {}).get(name)
                moved = _within(present, bound, nearest)
                if moved != present and f"{section}.{name}" not in laid.derived:
                    changes[f"{section}.{name}"] = moved
    return with_settings(experiment, changes)


def _within(present: Any, bound: int | float, nearest: Callable[[Any, Any], Any]) -> Any:
    """The number nearest to the present one that the bound allows; of a schedule, its start and end are moved."""
    if isinstance(present, dict):
        return {**present, **{end: nearest(bound, present[end]) for end in ("start", "end")}}
    return bound if present is None else nearest(bound, present)


def agent_of(experiment: Experiment) -> str | None:
    """Name of the shipped agent that an experiment uses; None for any other agent."""
    for name in agent_names():
        agent = read_agent(name)
        if all(getattr(experiment.net, key, None) == value for key, value in agent.net.items()):
            try:
                if without_marks(with_agent(experiment, agent)) == without_marks(experiment):
                    return name
            except ConfigError:
                continue
    return None


def package_data(folder: Literal["configs", "assets"]) -> Any:
    """A folder of shipped data, in a checkout (beside the package) or in an installed wheel (inside it)."""
    inside = resources.files("dqngui") / "_data" / folder
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parent.parent / folder


def demo_folder() -> Path:
    """Folder of the shipped run of a trained agent, which the window shows first. Nothing may be written into it."""
    return Path(str(package_data("assets") / "demo"))


def read_experiment(source: str | Path) -> Experiment:
    """An experiment from a TOML file, or from the name of a shipped one. Raises ConfigError."""
    path = Path(source)
    if not path.suffix and not found(Path.exists, path):
        preset = package_data("configs") / f"{source}.toml"
        if str(source) not in preset_names():
            raise ConfigError("preset.none", name=source, known=preset_names())
        path = preset
    return parse_experiment(_text_of(path, source), str(source))


def read_stored_experiment(path: Path) -> Experiment:
    """The experiment in the folder of a run. Raises ConfigError also if it was written in part only, or is a link."""
    data = _parsed(_text_of(path, path, follow=False), str(path))
    missing = [name for name in SECTIONS if name not in data]
    if missing:
        raise ConfigError("preset.in_part", source=path, missing=missing)
    return _experiment_of(data, str(path))


def _text_of(path: Any, source: str | Path, *, follow: bool = True) -> str:
    try:
        data = read_file(path, MOST_TEXT, follow=follow) if isinstance(path, Path) else path.read_bytes()
        return str(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError("preset.not_utf8", source=source) from None
    except OSError as error:
        raise ConfigError("file.unreadable", path=source, problem=error.strerror) from None
    except ValueError as error:  # a name with a NUL
        raise error if isinstance(error, ConfigError) else ConfigError("preset.no_name", source=source) from None


def parse_experiment(text: str, source: str) -> Experiment:
    """An experiment from TOML text; `source` names it in errors. Raises ConfigError.

    A stored run of an older schema keeps the old meaning of each setting that its file lacks; a file without `about`
    was written by a person and has the present one.
    """
    return _experiment_of(_parsed(text, source), source)


def _experiment_of(data: dict[str, Any], source: str) -> Experiment:
    schema = _schema_of(data.pop("about", None))
    if not data:
        raise ConfigError("preset.empty", source=source)
    try:
        return experiment_from(data) if schema >= SCHEMA_VERSION else _of_old_run(data, schema)
    except ConfigError as error:
        raise ConfigError("preset.wrong", source=source, problem=error) from None


def _schema_of(about: Any) -> int:
    schema = about.get("schema") if isinstance(about, dict) else None
    return schema if isinstance(schema, int) else SCHEMA_VERSION


def _of_old_run(data: Mapping[str, Any], schema: int) -> Experiment:
    """The experiment of a stored run of an older schema.

    Its settings are chosen, except options of the memory that equal what the horizon gives: they were derived from it,
    which its file does not say.
    """
    meanings: dict[str, Any] = {}
    for version in range(SCHEMA_VERSION - 1, schema - 1, -1):
        meanings |= OLD_MEANINGS.get(version, {})
    defaults = as_data(Experiment())
    for path in RULES:
        section, name = path.split(".", 1)
        if not path.startswith(MEMORY_OPTIONS) and name in defaults[section]:
            meanings.setdefault(path, defaults[section][name])
    experiment = experiment_from(_completed(data, meanings))
    if schema > 1:
        return experiment
    derived = [
        path
        for path in derivable(experiment)
        if path.startswith(MEMORY_OPTIONS)
        and experiment.net.memory_options[path.removeprefix(MEMORY_OPTIONS)] == derived_value(experiment, path)
    ]
    return msgspec.structs.replace(experiment, derived=tuple(derived))


def _completed(data: Mapping[str, Any], meanings: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data of an experiment with the values of `meanings` for settings that it lacks."""
    completed = dict(data)
    for path, value in meanings.items():
        section, *_, name = path.split(".")
        part = dict(completed.get(section, {}))
        if path.startswith(MEMORY_OPTIONS):
            memory = part.get("memory", NetConfig().memory)
            if memory in MEMORIES and path in {field.path for field in options_fields("memory", memory)}:
                part["memory_options"] = {name: value, **part.get("memory_options", {})}
        else:
            part.setdefault(name, value)
        completed[section] = part
    return completed


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        return toml_data(text)
    except ValueError as error:
        raise ConfigError("preset.not_toml", source=source, problem=error) from None


def to_toml(experiment: Experiment, about: Mapping[str, Any] | None = None) -> str:
    """TOML text of a complete experiment; `about` (versions and so on) is written first and ignored on reading."""
    head = {"about": {"schema": SCHEMA_VERSION, **(about or {})}}
    return tomli_w.dumps({**head, **as_data(experiment)})
