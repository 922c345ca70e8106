"""Makes environments from their configuration; an error in the configuration becomes one sentence.

`env.id` is any registered gymnasium id, `module:Id` to import a module first, or `module:Class`. `env.kwargs` go to
`gymnasium.make`, so `max_episode_steps` is one of them.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import re
from contextlib import suppress
from functools import partial
from typing import Any

import gymnasium
import msgspec
from gymnasium.wrappers import TimeLimit

from dqngui import catalog
from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.apply_wrappers import as_discrete, wrapped
from dqngui.envs.border import check_alike, render_modes, with_border
from dqngui.envs.driving import with_driving
from dqngui.envs.faults import EnvironmentFault, described, details_of, message_of
from dqngui.envs.known_packages import installable
from dqngui.envs.measured_tasks import with_measures
from dqngui.envs.missing_wrappers import missing_wrappers
from dqngui.envs.names import known_names
from dqngui.envs.packages import home_of, is_of_old_gym, made_in, register_for
from dqngui.envs.suggested_wrappers import MOST_DEFAULT_ACTIONS
from dqngui.envs.vector import Envs
from dqngui.settings import check_task_kwargs
from dqngui.texts import Text, reason_of, say

_EXTRAS = ("box2d", "mujoco", "toy-text", "classic-control", "atari")  # of the gymnasium package
_OURS_TO_SET = ("id", "render_mode", "disable_env_checker", "vectorization_mode")

for _name, _entry in catalog.TASKS.items():
    if _name not in gymnasium.registry:
        gymnasium.register(_name, entry_point=_entry.target)


LONGEST_GREEDY = 20_000
"""Steps after which a greedy episode is cut if the task sets no limit: a greedy policy may repeat itself forever."""


def make_env(config: EnvConfig, render_mode: str | None = None, longest: int | None = None) -> gymnasium.Env[Any, Any]:
    """One environment with its wrappers; discrete actions are one choice, counted from 0.

    Args:
        longest: limit of an episode's steps if the task sets none.

    Raises ConfigError for an unknown id (with near matches), a missing package (with the command
    that installs it), arguments that the environment refuses, and a wrapper that does not fit.
    """
    env = _bare(config, render_mode or _drawn_for(config))
    if longest is not None and (env.spec is None or env.spec.max_episode_steps is None):
        env = TimeLimit(env, longest)
    return as_discrete(wrapped(env, config.wrappers, config))


def make_usable(config: EnvConfig) -> tuple[gymnasium.Env[Any, Any], EnvConfig]:
    """As `make_env`, with wrappers added that make the environment usable, if none are chosen and if they are needed.

    Returns the environment and its configuration with these wrappers. Raises ConfigError as `make_env` does.
    """
    env = wrapped(_bare(config, _drawn_for(config)), config.wrappers, config)
    if not config.wrappers and (missing := missing_wrappers(env, MOST_DEFAULT_ACTIONS)):
        return as_discrete(wrapped(env, missing, config)), msgspec.structs.replace(config, wrappers=missing)
    return as_discrete(env), config


def make_vector(
    config: EnvConfig,
    count: int | None = None,
    render_mode: str | None = None,
    longest: int | None = None,
    *,
    like: Envs | None = None,
    as_possible: bool = False,
) -> Envs:
    """`count` environments (by default `config.num_envs`), to be reset before the first step.

    Args:
        like: environments whose spaces these must have too.
        as_possible: fewer, but at least one, are enough where no more can be made at once.

    Raises ConfigError, also if one of them has other spaces than the others.
    """
    envs: list[gymnasium.Env[Any, Any]] = []
    try:
        for _ in range(config.num_envs if count is None else count):
            try:
                envs.append(make_env(config, render_mode, longest))
            except EnvironmentFault:
                if not (envs and as_possible):
                    raise
                break
            check_alike(envs[-1], envs[0] if like is None else like.envs[0], config)
        return Envs(envs, config)
    except BaseException:
        for env in envs:
            env.close()
        raise


def _drawn_for(config: EnvConfig) -> str | None:
    """The render mode that the wrappers need."""
    return "rgb_array" if any(wrapper.name == "with_picture" for wrapper in config.wrappers) else None


_NEEDED, _NAMES = re.compile(r"\(\) missing \d+ required .*arguments?: (.*)"), re.compile(r"'(\w+)'")


# -- gymnasium.make, with errors in a sentence ----------------------------------------------------


def _bare(config: EnvConfig, render_mode: str | None) -> gymnasium.Env[Any, Any]:
    for name in _OURS_TO_SET:
        if name in config.kwargs:
            raise ConfigError("env.set_by_program", name=name)
    check_task_kwargs(config)
    name = register_for(config.id)
    if name not in gymnasium.registry:
        bare = name == config.id
        raise ConfigError((home_of(name) if bare else None) or _unknown(name, config.id))
    spec = gymnasium.registry[name]
    picture: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}  # some take no such argument
    try:
        env = _made(spec, {**picture, **config.kwargs})
    except gymnasium.error.DependencyNotInstalled as error:
        raise ConfigError(_missing(config.id, spec, error)) from error
    except ModuleNotFoundError as error:
        raise ConfigError(_without_module(config.id, spec, error)) from error
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        if picture and "render_mode" in str(error):
            raise ConfigError("env.no_pictures_in", name=config.id, mode=render_mode) from error
        raise _refused(config, config.id, spec, error) from error
    try:
        env = with_driving(with_border(env, config.id))
    except ConfigError:
        with suppress(Exception, SystemExit):
            env.close()
        raise
    if render_mode is not None and render_mode not in render_modes(env):
        env.close()
        raise ConfigError("env.no_pictures_in", name=config.id, mode=render_mode)
    env = with_measures(env)
    features, actions = known_names(name)
    if features:
        env.feature_names = features  # type: ignore[attr-defined]
    if actions:
        env.action_names = actions  # type: ignore[attr-defined]
    return env


def _made(spec: Any, arguments: dict[str, Any]) -> gymnasium.Env[Any, Any]:
    """What `gymnasium.make` makes; metadata that are no dictionary count as absent."""
    try:
        return gymnasium.make(spec, disable_env_checker=True, **arguments)
    except gymnasium.error.InvalidMetadata:
        creator = spec.entry_point
        creator = creator if callable(creator) else gymnasium.envs.registration.load_env_creator(creator)
        bare = copy.copy(spec)
        bare.entry_point = partial(creator)  # gymnasium reads the metadata of a class alone
        return gymnasium.make(bare, disable_env_checker=True, **arguments)


def _unknown(name: str, env_id: str) -> Text:
    """The sentence for an unknown environment, with the classes of its module or with similar names."""
    if is_of_old_gym(name):
        return say("env.old_gym", name=name)
    if classes := made_in(env_id):
        return say("env.not_in_module", name=name, module=env_id.rpartition(":")[0], known=classes)
    if name != env_id:
        return say("env.nothing_in_module", name=name, module=env_id.rpartition(":")[0])
    if name.endswith(".py"):
        return say("env.file_alone", file=name)
    bare = name.rpartition("-v")[0] or name
    by_lower: dict[str, list[str]] = {}
    for known in gymnasium.registry:
        by_lower.setdefault(known.rpartition("-v")[0].lower(), []).append(known)
    close = difflib.get_close_matches(bare.lower(), by_lower, n=3, cutoff=0.6)
    matches = [max(by_lower[key], key=lambda known: (len(known), known)) for key in close]
    if not matches:
        return say("env.none", name=name)
    near: Text | str = matches[0]
    for match in matches[1:]:
        near = say("env.or", first=near, second=match)
    return say("env.none_near", name=name, near=near)


def _without_module(name: str, spec: Any, error: ModuleNotFoundError) -> Text:
    """The sentence for a module that is not there: the one that the registration names, or one that it needs."""
    needed = error.name or "?"
    package = installable(needed.partition(".")[0])
    if package is not None:
        return say("env.needs_package", name=name, package=package)
    target = str(spec.entry_point).partition(":")[0]
    if target == needed or target.startswith(f"{needed}."):
        return say("env.entry_point_of_no_module", name=name, module=needed)
    return say("env.needs_module", name=name, module=needed)


def _missing(name: str, spec: Any, error: Exception) -> Text:
    home = str(spec.entry_point).replace("_", "-")
    for extra in _EXTRAS:
        if f"gymnasium.envs.{extra}" in home:
            return say("env.needs_extra", name=name, package=f"gymnasium[{extra}]")
    return say("env.needs_missing", name=name, problem=str(reason_of(error)).splitlines()[0])


def _refused(config: EnvConfig, name: str, spec: Any, error: BaseException) -> ConfigError:
    problem, reason = described(error), message_of(error)
    if isinstance(error, TypeError) and (needed := _NEEDED.search(reason)):
        missing = _NAMES.findall(needed[1])
        if set(missing) <= set(_arguments(spec)):
            settings = " ".join(f"env.kwargs.{each}=..." for each in missing)
            return ConfigError("env.needs_arguments", name=name, settings=settings)
    if not config.kwargs:
        return EnvironmentFault(say("env.not_made", name=name, reason=problem), problem, details_of(error))
    if isinstance(error, TypeError) and "unexpected keyword argument" in reason:
        unknown = reason.rpartition("unexpected keyword argument ")[2].strip("'\"")
        known = _arguments(spec)
        if known:
            return ConfigError("env.no_argument_but", argument=unknown, name=name, known=known)
        return ConfigError("env.no_argument", argument=unknown, name=name)
    return EnvironmentFault(say("env.arguments_refused", name=name, reason=problem), problem, details_of(error))


def _arguments(spec: Any) -> list[str]:
    """Names of the arguments that an environment takes; none where that cannot be found out."""
    try:
        creator = spec.entry_point
        creator = creator if callable(creator) else gymnasium.envs.registration.load_env_creator(creator)
        known = [
            name for name in inspect.signature(creator).parameters if name not in ("render_mode", "kwargs", "args")
        ]
    except Exception:
        return []
    return [*known, "max_episode_steps"]
