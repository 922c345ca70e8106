"""Settings by their dotted names: listing them, checking an experiment, changing one.

Every error is one sentence that names the setting and what it allows.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

import msgspec

from dqngui import catalog, derivation
from dqngui.bounded import toml_data
from dqngui.config import SECTIONS, ConfigError, EnvConfig, Experiment, Schedule, Wrapper, over_run
from dqngui.config.inline_toml import inline_toml
from dqngui.config.number_check import check_numbers, typed_number
from dqngui.schema import SMALLEST, Field, Options, fields_of, first_not_finite
from dqngui.texts import Text, say

_CHOSEN_BY_NAME: dict[str, Mapping[str, catalog.Entry]] = {
    "net.attention": catalog.ATTENTIONS,
    "net.memory": catalog.MEMORIES,
    "learn.algorithm": catalog.ALGORITHMS,
}
MAKE_KWARGS = frozenset({"max_episode_steps"})
"""Entries of `env.kwargs` that are arguments of `gymnasium.make` and not of the environment."""
WRAPPERS = "env.wrappers"
WRAPPERS_EXAMPLE = '{ name = "keep", options = { entries = [0, 2] } }'
_OF_WRAPPER = re.compile(r"env\.wrappers(\[\d+\])?(\.(name|options))?")
_OPTIONS_OF = {"attention": catalog.ATTENTIONS, "memory": catalog.MEMORIES}


@cache
def experiment_fields() -> tuple[Field, ...]:
    """Every setting of an experiment in the form's order, without the modules' own options."""
    fields = [field for name, struct in SECTIONS.items() for field in fields_of(struct, f"{name}.")]
    return tuple(
        msgspec.structs.replace(field, kind="choice", choices=tuple(names))
        if (names := _CHOSEN_BY_NAME.get(field.path))
        else field
        for field in fields
    )


@cache
def _by_path() -> dict[str, Field]:
    return {field.path: field for field in experiment_fields()}


def options_fields(slot: Literal["attention", "memory"], name: str) -> tuple[Field, ...]:
    """Settings of one attention or memory, with paths such as `net.memory_options.chrono`."""
    return fields_of(_OPTIONS_OF[slot][name].options, f"net.{slot}_options.")


def live_fields() -> list[Field]:
    """The knobs: settings that may change while a run trains."""
    return [field for field in experiment_fields() if field.live]


def field_at(path: str) -> Field:
    """The setting with this dotted name. Raises ConfigError for an unknown one."""
    if (field := _by_path().get(path)) is not None:
        return field
    section = path.split(".", 1)[0]
    known = [f.path for f in experiment_fields() if f.path.startswith(f"{section}.")] or list(SECTIONS)
    raise ConfigError("setting.unknown", path=path, known=known)


# -- from plain data ------------------------------------------------------------------------------


def experiment_from(data: Mapping[str, Any]) -> Experiment:
    """Build and check an experiment from plain data (as read from TOML).

    A setting that has a rule (`derivation.RULES`) and is not given, or given as `auto`, is derived.
    Raises ConfigError.
    """
    return checked(_converted(data))


def _converted(data: Mapping[str, Any], before: Experiment | None = None) -> Experiment:
    plain, missing, automatic = derivation.without_automatic(data)
    if (bad := first_not_finite(plain, "")) is not None:
        raise ConfigError("setting.not_finite", path=bad)
    for name, struct in SECTIONS.items():
        if isinstance(plain.get(name), Mapping):
            check_numbers(fields_of(struct, f"{name}."), plain[name])
    try:
        experiment = msgspec.convert(_with_steps(plain), Experiment)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(error)) from None
    check_schedules(experiment)
    experiment = _over_its_run(experiment, before)
    return derivation.resolved(experiment, missing, before, automatic)


def _with_steps(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data in which a schedule that gives its share of the run instead of its steps has steps too."""
    data = dict(plain)
    for field in experiment_fields():
        section, name = field.path.split(".", 1)
        part = data.get(section)
        if not field.scheduled or not isinstance(part, Mapping):
            continue
        value = part.get(name)
        if isinstance(value, Mapping) and value.get("share"):
            data[section] = {**part, name: {"steps": 0, **value}}
    return data


def _over_its_run(experiment: Experiment, before: Experiment | None) -> Experiment:
    """A copy in which schedules that have a share of the run have as many steps, if one of the two was changed."""
    total, learn = experiment.run.total_steps, experiment.learn
    names = [field.name for field in experiment_fields() if field.scheduled]
    if before is not None and before.run.total_steps == total:
        names = [name for name in names if getattr(before.learn, name) != getattr(learn, name)]
    moved = {name: over_run(getattr(learn, name), total) for name in names}
    return msgspec.structs.replace(experiment, learn=msgspec.structs.replace(learn, **moved))


def check_schedules(experiment: Experiment) -> None:
    """Raises ConfigError for a schedule that starts or ends outside the bounds of its setting."""
    for field in experiment_fields():
        schedule = _value_of(experiment, field.path) if field.scheduled else None
        if isinstance(schedule, Schedule):
            _check_end(field, "start", schedule.start)
            if schedule.end != 0:
                _check_end(field, "end", schedule.end)


def _check_end(field: Field, name: str, value: float) -> None:
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    if not low <= value <= high or (field.low_open and value < low + SMALLEST):
        raise ConfigError("setting.out_of_range", path=f"{field.path}.{name}", low=low, high=high, value=repr(value))


def _value_of(experiment: Experiment, path: str) -> Any:
    section, name = path.split(".", 1)
    return getattr(getattr(experiment, section), name)


def _sentence(error: msgspec.ValidationError, root: str = "") -> Text:
    reason, _, where = str(error).partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    path = ".".join(part for part in (root, where) if part)
    if "unknown field" in reason:
        name = reason.split("`")[1]
        return _unknown(f"{path}.{name}" if path else name)
    if not path:
        return say("setting.refused_whole", reason=reason)
    if _OF_WRAPPER.fullmatch(path):
        return say("setting.not_a_wrapper", path=path, example=WRAPPERS_EXAMPLE)
    return say("setting.refused", path=path, reason=f"{reason[0].lower()}{reason[1:]}")


def _unknown(path: str) -> Text:
    parent = path.rsplit(".", 1)[0] if "." in path else ""
    if _OF_WRAPPER.fullmatch(parent):
        return say("setting.not_a_wrapper", path=path, example=WRAPPERS_EXAMPLE)
    if parent in SECTIONS:
        allowed = [field.name for field in fields_of(SECTIONS[parent])]
        return say("setting.not_of", path=path, owner=parent, allowed=allowed)
    if parent == "":
        return say("setting.not_of", path=path, owner=say("setting.of_experiment"), allowed=["title", *SECTIONS])
    return say("setting.none", path=path)


def module_options(experiment: Experiment, slot: Literal["attention", "memory"]) -> Options:
    """The typed options of the chosen attention or memory. Raises ConfigError."""
    name = getattr(experiment.net, slot)
    entry = _OPTIONS_OF[slot].get(name)
    if entry is None:
        kind = say("choice.attention") if slot == "attention" else say("choice.memory")
        raise no_such_choice(f"net.{slot}", kind, name, _OPTIONS_OF[slot])
    given = getattr(_with_memory_options(experiment).net, f"{slot}_options")
    return options_from(entry.options, given, f"net.{slot}_options")


def _with_memory_options(experiment: Experiment) -> Experiment:
    """A copy in which the memory's options that are not given are derived, if they have a rule."""
    options = experiment.net.memory_options
    missing = [
        path
        for path in derivation.derivable(experiment)
        if path.startswith(derivation.MEMORY_OPTIONS) and path.removeprefix(derivation.MEMORY_OPTIONS) not in options
    ]
    return derivation.resolved(experiment, missing) if missing else experiment


def no_such_choice(path: str, kind: Text, name: str, known: Iterable[str]) -> ConfigError:
    """The error for a name that a setting does not know.

    Args:
        kind: what is chosen, for example `say("choice.memory")`.
        known: the names that are allowed.
    """
    return ConfigError("setting.no_such_choice", path=path, kind=kind, name=name, known=known)


def check_task_kwargs(env: EnvConfig) -> None:
    """Check the arguments of one of our own tasks; others are checked by their environment. Raises ConfigError."""
    entry = catalog.TASKS.get(env.id)
    if entry is not None:
        options_from(entry.options, {n: value for n, value in env.kwargs.items() if n not in MAKE_KWARGS}, "env.kwargs")


def options_from(struct: type[Options], data: Mapping[str, Any], path: str) -> Options:
    """Options from plain data; in errors, names of settings start with `path`. Raises ConfigError."""
    try:
        check_numbers(fields_of(struct, f"{path}."), data)
        return msgspec.convert(dict(data), struct)
    except msgspec.ValidationError as error:
        reason = str(error)
        if "unknown field" in reason:
            allowed = [field.name for field in fields_of(struct)] or say("setting.of_choice_none")
            name, owner = f"{path}.{reason.split('`')[1]}", say("setting.of_choice")
            raise ConfigError("setting.not_of", path=name, owner=owner, allowed=allowed) from None
        raise ConfigError(_sentence(error, path)) from None


def checked(experiment: Experiment) -> Experiment:
    """The same experiment with the modules' options completed, or ConfigError if parts do not fit."""
    experiment = _with_memory_options(experiment)
    net, learn = experiment.net, experiment.learn
    attention = module_options(experiment, "attention")
    memory = module_options(experiment, "memory")
    if learn.algorithm not in catalog.ALGORITHMS:
        raise no_such_choice("learn.algorithm", say("choice.algorithm"), learn.algorithm, catalog.ALGORITHMS)
    if net.values == "categorical" and net.v_min >= net.v_max:
        raise ConfigError(
            "setting.values_range", path="net.v_min", other_path="net.v_max", low=net.v_min, high=net.v_max
        )
    for slot, options in (("attention", attention), ("memory", memory)):
        heads = getattr(options, "heads", 1)
        if net.width % heads:
            path = f"net.{slot}_options.heads"
            raise ConfigError("setting.heads", path=path, other_path="net.width", heads=heads, width=net.width)
    before = max(learn.burn_in, getattr(memory, "context", 0))  # steps that a window reads and does not learn
    longest = learn.window + before + learn.n_step
    num_envs = experiment.env.num_envs
    per_env = learn.replay_capacity // num_envs
    if learn.algorithm == "dqn" and per_env < 2 * longest:
        raise ConfigError(
            "setting.replay_too_small",
            path="learn.replay_capacity",
            capacity=learn.replay_capacity,
            envs=num_envs,
            each=per_env,
            window=longest,
            needed=2 * longest * num_envs,
        )
    net = msgspec.structs.replace(
        net, attention_options=msgspec.to_builtins(attention), memory_options=msgspec.to_builtins(memory)
    )
    return msgspec.structs.replace(experiment, net=net, env=checked_env(experiment.env))


def checked_env(env: EnvConfig) -> EnvConfig:
    """The same environment with its wrappers' options completed, or ConfigError if one of its settings is wrong."""
    check_task_kwargs(env)
    wrappers = []
    for index, wrapper in enumerate(env.wrappers):
        path = f"env.wrappers[{index}]"
        entry = catalog.WRAPPERS.get(wrapper.name)
        if entry is None:
            raise no_such_choice(f"{path}.name", say("choice.wrapper"), wrapper.name, catalog.WRAPPERS)
        filled = options_from(entry.options, wrapper.options, f"{path}.options")
        wrappers.append(Wrapper(name=wrapper.name, options=msgspec.to_builtins(filled)))
    return msgspec.structs.replace(env, wrappers=tuple(wrappers))


def as_data(experiment: Experiment) -> dict[str, Any]:
    """Plain data of an experiment; None is left out, since TOML has none."""
    return without_none(msgspec.to_builtins(experiment))


def without_none(data: Any) -> Any:
    """Plain data without the entries that are None."""
    if isinstance(data, dict):
        return {key: without_none(value) for key, value in data.items() if value is not None}
    if isinstance(data, (list, tuple)):
        return [without_none(value) for value in data]
    return data


# -- changes --------------------------------------------------------------------------------------


def with_settings(
    experiment: Experiment, changes: Mapping[str, Any], *, follow: bool = True, check: bool = True
) -> Experiment:
    """A copy with settings replaced by dotted name (`net.memory_options.chrono` too); None: not given.

    What is changed is chosen from then on. Settings that were derived and are not changed follow: they get the values
    that their rules now give. A setting that has a rule is derived again by None or `auto`. Schedules with a share of
    the run follow its length; one whose steps are set has no share any more. Options of a former attention or memory
    are removed. What was measured of a former task is forgotten, with the wrappers that were added for it; the settings
    that follow from a task wait until it is measured (`derivation.awaits_task`). Raises ConfigError.

    Args:
        follow: derived settings follow; False while a run trains, which never derives settings anew.
        check: also check that the settings fit together.
    """
    data = as_data(experiment)
    data["derived"] = derivation.still_derived(experiment.derived, changes)
    for slot in ("attention", "memory"):
        new = changes.get(f"net.{slot}")
        if new not in (None, derivation.AUTOMATIC) and new != data["net"][slot]:
            data["net"][f"{slot}_options"] = {}
    for path, value in changes.items():
        *parents, name = path.split(".")
        if (parents[0] not in SECTIONS) if parents else (name != "title"):
            raise ConfigError(_unknown(path))
        node = data
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ConfigError("setting.none", path=path)
        if value is None:
            node.pop(name, None)
        else:
            node[name] = value
        if name == "steps" and f"{'.'.join(parents)}.share" not in changes:
            node.pop("share", None)
    new_experiment = _converted(data, experiment if follow else None)
    if not same_task(new_experiment.env, experiment.env):
        env = new_experiment.env
        if experiment.task is not None and "env.wrappers" not in changes:
            added = experiment.task.added_wrappers
            env = msgspec.structs.replace(env, wrappers=tuple(each for each in env.wrappers if each.name not in added))
        new_experiment = msgspec.structs.replace(new_experiment, env=env, task=None)
    return checked(new_experiment) if check else new_experiment


def in_environment(former: Experiment, env_id: str) -> Experiment:
    """The same agent in an environment, without what was set for the former one: wrappers, arguments, names, title."""
    env = EnvConfig(id=env_id, num_envs=former.env.num_envs)
    return msgspec.structs.replace(former, title="", env=env, task=None)


def same_task(env: EnvConfig, other: EnvConfig) -> bool:
    """Whether what was measured of one environment holds for the other."""
    return (env.id, env.kwargs, env.wrappers) == (other.id, other.kwargs, other.wrappers)


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """`["learn.lr=1e-3", "net.memory=lstm"]` to settings: numbers as the form reads them, else TOML, else text.

    Raises ConfigError.
    """
    changes: dict[str, Any] = {}
    for assignment in assignments:
        path, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals or not path:
            raise ConfigError("setting.assignment", given=assignment)
        changes[path] = _typed(path, text)
    return changes


def _typed(path: str, text: str) -> Any:
    may_be_number = path != "title" and text != derivation.AUTOMATIC and not text.startswith("{")  # no schedule
    number = typed_number(path, _by_path().get(path), text) if may_be_number else None
    try:
        return toml_data(f"value = {text}")["value"] if number is None else number
    except tomllib.TOMLDecodeError:
        return text


def as_assignment(path: str, value: Any) -> str:
    """A setting with its value as one line, as `parse_assignments` reads it."""
    return f"{path}={inline_toml(value)}"


def knob_value(path: str, value: Any) -> Any:
    """Check a value for a live knob and return it in its own type.

    A setting that can have a schedule takes a plain number, or None to return to its schedule.
    Raises ConfigError for an unknown, fork-only or out-of-range setting.
    """
    if not field_at(path).live:
        raise ConfigError("setting.not_live", path=path)
    if field_at(path).scheduled and value is None:
        return None
    section, name = path.split(".", 1)
    try:
        data = {name: value}
        if first_not_finite(data, ""):
            raise ConfigError("setting.not_finite", path=path)
        typed = getattr(msgspec.convert(data, SECTIONS[section]), name)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(error, section)) from None
    if isinstance(typed, Schedule):
        raise ConfigError("setting.schedule_not_live", path=path)
    return typed
