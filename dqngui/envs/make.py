"""Makes environments from their configuration; every error in it becomes one sentence.

`env.id` is any registered gymnasium id, or `module:Id` to import a module first. `env.kwargs` go to
`gymnasium.make`, so `max_episode_steps` is one of them.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from typing import Any

import gymnasium
import msgspec
from gymnasium.wrappers import TimeLimit

from dqngui import catalog
from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.actions import as_one_choice
from dqngui.envs.names import known_names
from dqngui.envs.vector import Envs
from dqngui.settings import check_task_kwargs

_MINIGRID, _ALE = ("minigrid", "minigrid"), ("ale_py", "ale-py")  # module and name of the package
_REGISTERED_BY = {"MiniGrid-": _MINIGRID, "BabyAI-": _MINIGRID, "ALE/": _ALE, "popgym-": ("popgym", "popgym")}
_EXTRAS = ("box2d", "mujoco", "toy-text", "classic-control", "atari")  # of the gymnasium package
_OURS_TO_SET = ("id", "render_mode", "disable_env_checker", "vectorization_mode")

for _name, _entry in catalog.TASKS.items():
    if _name not in gymnasium.registry:
        gymnasium.register(_name, entry_point=_entry.target)


LONGEST_GREEDY = 20_000
"""Number of steps after which a greedy episode is cut if the task sets no limit: a policy may go in circles forever."""


def make_env(config: EnvConfig, render_mode: str | None = None, longest: int | None = None) -> gymnasium.Env[Any, Any]:
    """One environment with its wrappers; discrete actions are one choice, counted from 0.

    Args:
        longest: limit of an episode's steps if the task sets none.

    Raises ConfigError for an unknown id (with near matches), a missing package (with the command
    that installs it), arguments that the environment refuses, and a wrapper that does not fit.
    """
    env = _bare(config, render_mode)
    if longest is not None and (env.spec is None or env.spec.max_episode_steps is None):
        env = TimeLimit(env, longest)
    for index, wrapper in enumerate(config.wrappers):
        path = f"env.wrappers[{index}]"
        entry = catalog.WRAPPERS.get(wrapper.name)
        if entry is None:
            raise ConfigError(
                f"`{path}.name`: there is no wrapper `{wrapper.name}`; there are: {', '.join(catalog.WRAPPERS)}"
            )
        try:
            env = catalog.load(entry)(env, msgspec.convert(wrapper.options, entry.options))
        except msgspec.ValidationError as error:
            raise ConfigError(f"`{path}.options`: {error}") from None
        except ConfigError as error:
            env.close()
            raise ConfigError(f"`{path}` ({wrapper.name}): {error}") from None
    try:
        return as_one_choice(env)
    except ConfigError:
        env.close()
        raise


def make_vector(
    config: EnvConfig, count: int | None = None, render_mode: str | None = None, longest: int | None = None
) -> Envs:
    """`count` environments (by default `config.num_envs`), to be reset before the first step. Raises ConfigError."""
    envs: list[gymnasium.Env[Any, Any]] = []
    try:
        for _ in range(config.num_envs if count is None else count):
            envs.append(make_env(config, render_mode, longest))
        return Envs(envs, config)
    except BaseException:
        for env in envs:
            env.close()
        raise


# -- gymnasium.make, with errors in a sentence ----------------------------------------------------


def _bare(config: EnvConfig, render_mode: str | None) -> gymnasium.Env[Any, Any]:
    for name in _OURS_TO_SET:
        if name in config.kwargs:
            raise ConfigError(f"`env.kwargs.{name}`: is set by the program, leave it out")
    check_task_kwargs(config)
    name = _import_module(config.id)
    if name not in gymnasium.registry:
        raise ConfigError(f"`env.id`: there is no environment `{name}`{_near(name)}")
    spec = gymnasium.registry[name]
    picture: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}  # some take no such argument
    try:
        env = gymnasium.make(spec, disable_env_checker=True, **picture, **config.kwargs)
    except gymnasium.error.DependencyNotInstalled as error:
        raise ConfigError(f"`env.id`: {name} needs {_missing(spec, error)}") from error
    except ModuleNotFoundError as error:
        raise ConfigError(f"`env.id`: {name} needs the package {error.name}: pip install {error.name}") from error
    except Exception as error:
        if picture and "render_mode" in str(error):
            raise ConfigError(f"`env.id`: {name} cannot draw pictures ({render_mode})") from error
        raise ConfigError(_refused(config, name, spec, error)) from error
    if render_mode is not None and render_mode not in (env.metadata.get("render_modes") or ()):
        env.close()
        raise ConfigError(f"`env.id`: {name} cannot draw pictures ({render_mode})")
    features, actions = known_names(name)
    if features:
        env.feature_names = features  # type: ignore[attr-defined]
    if actions:
        env.action_names = actions  # type: ignore[attr-defined]
    return env


def _import_module(env_id: str) -> str:
    module, colon, name = env_id.rpartition(":")
    if colon:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if module == error.name or module.startswith(f"{error.name}."):
                raise ConfigError(f"`env.id`: there is no Python module `{module}`") from None
            raise ConfigError(
                f"`env.id`: the module `{module}` needs the package {error.name}: pip install {error.name}"
            ) from error
        except Exception as error:
            raise ConfigError(f"`env.id`: the module `{module}` cannot be imported: {error}") from error
        return name
    for prefix, (package, requirement) in _REGISTERED_BY.items():
        if env_id.startswith(prefix):
            try:
                importlib.import_module(package)
            except ModuleNotFoundError:
                raise ConfigError(
                    f"`env.id`: {env_id} needs the package {requirement}: pip install {requirement}"
                ) from None
            if package == "ale_py":
                gymnasium.register_envs(importlib.import_module(package))
    return env_id


def _near(name: str) -> str:
    bare = name.rpartition("-v")[0] or name
    by_lower: dict[str, list[str]] = {}
    for known in gymnasium.registry:
        by_lower.setdefault(known.rpartition("-v")[0].lower(), []).append(known)
    close = difflib.get_close_matches(bare.lower(), by_lower, n=3, cutoff=0.6)
    matches = [max(by_lower[key], key=lambda known: (len(known), known)) for key in close]
    return f"; did you mean {' or '.join(matches)}?" if matches else "; for one of your own write `module:Id`"


def _missing(spec: Any, error: Exception) -> str:
    home = str(spec.entry_point).replace("_", "-")
    for extra in _EXTRAS:
        if f"gymnasium.envs.{extra}" in home:
            return f'the package gymnasium[{extra}]: pip install "gymnasium[{extra}]"'
    return f"a package that is missing: {str(error).splitlines()[0]}"


def _refused(config: EnvConfig, name: str, spec: Any, error: Exception) -> str:
    reason = str(error).split(" was raised from the environment creator")[0].strip().split("\n")[0]
    reason = reason or type(error).__name__
    if not config.kwargs:
        return f"`env.id`: {name} could not be made: {reason}"
    if isinstance(error, TypeError) and "unexpected keyword argument" in reason:
        unknown = reason.rpartition("unexpected keyword argument ")[2].strip("'\"")
        return f"`env.kwargs.{unknown}`: {name} has no such argument{_arguments(spec)}"
    return f"`env.kwargs`: {name} refused them: {reason}"


def _arguments(spec: Any) -> str:
    try:
        creator = spec.entry_point
        creator = creator if callable(creator) else gymnasium.envs.registration.load_env_creator(creator)
        known = [
            name for name in inspect.signature(creator).parameters if name not in ("render_mode", "kwargs", "args")
        ]
    except Exception:
        return ""
    return f"; it has: {', '.join([*known, 'max_episode_steps'])}"
