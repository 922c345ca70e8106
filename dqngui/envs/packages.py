"""Packages that register environments: which one an id needs, and how its environments become known to gymnasium.

Here: importing the package of an id whose start is known, registering the class of `module:Class`, and finding the
package of an id that is not registered, without running its code. Not here: importing the module of `module:Id`
(`user_modules`), and making an environment.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any

import gymnasium

from dqngui.config import ConfigError
from dqngui.envs.faults import described
from dqngui.envs.known_packages import IMPORTED, NAMED, Package, requirements_of
from dqngui.envs.user_modules import load_user_module, missing_in, refuse_library
from dqngui.texts import Text, say

_NOT_SEARCHED = {"gymnasium", "dqngui", "stable-baselines3"}
_LARGEST_SOURCE = 500_000  # bytes; a longer file is data


def register_for(env_id: str) -> str:
    """Import what an id needs so that gymnasium knows it, and return the id without its module.

    Raises ConfigError for a module that is not there, and for one that cannot be imported, with the package that it
    misses.
    """
    refuse_library(env_id)
    module, colon, name = env_id.rpartition(":")
    if colon:
        loaded = load_user_module(module)
        if name not in gymnasium.registry and callable(call := getattr(loaded, "register_envs", None)):
            _called(module, call)
        if name in gymnasium.registry:
            return name
        if callable(creator := getattr(loaded, name, None)):  # a class, or a function that makes an environment
            return _registered(f"{loaded.__name__.replace('.', '-')}/{name}", creator)
    for start, package in IMPORTED.items():
        if re.match(start, name):
            if colon and module.partition(".")[0] != package.module.partition(".")[0]:
                continue
            imported = _imported(package, name)
            if package.call and name not in gymnasium.registry:
                _called(package.module, getattr(imported, package.call))
    return name


def _registered(env_id: str, creator: Any) -> str:
    """The id under which gymnasium knows a class; one of its own, since its name may be part of another id."""
    if env_id not in gymnasium.registry or gymnasium.registry[env_id].entry_point is not creator:
        gymnasium.registry.pop(env_id, None)  # its module was loaded again
        gymnasium.register(env_id, entry_point=creator)
    return env_id


def made_in(env_id: str) -> list[str]:
    """Names of the environment classes of the module of `module:Id`, which was imported, after the ids that it
    registers; none without a module.
    """
    module = env_id.rpartition(":")[0]
    if not module:
        return []
    loaded = load_user_module(module)
    ids = [
        name
        for name, spec in gymnasium.registry.items()
        if _module_of(spec.entry_point) == loaded.__name__ and "/" not in name
    ]
    return ids + [
        name
        for name, each in vars(loaded).items()
        if isinstance(each, type) and issubclass(each, gymnasium.Env) and each.__module__ == loaded.__name__
    ]


def _module_of(entry_point: Any) -> str:
    """The module of what makes an environment: a class, a function, or `module:Name`."""
    if isinstance(entry_point, str):
        return entry_point.partition(":")[0]
    return str(getattr(entry_point, "__module__", ""))


def is_of_old_gym(name: str) -> bool:
    """Whether an environment is registered with the package gym, which gymnasium has replaced."""
    try:
        registry = sys.modules["gym"].envs.registry
        return name in getattr(registry, "env_specs", registry)
    except Exception:  # it is not imported, or is something else
        return False


def _imported(package: Package, name: str) -> object:
    """The module of a known package. Raises ConfigError."""
    try:
        return importlib.import_module(package.module)
    except ModuleNotFoundError as error:
        if error.name is None or package.module == error.name:
            raise ConfigError("env.needs_package", name=name, package=package.requirement) from None
        raise ConfigError(missing_in(package.module, error.name.partition(".")[0])) from error
    except (Exception, SystemExit) as error:
        raise ConfigError("env.module_broken", module=package.module, problem=described(error)) from error


def _called(module: str, call: object) -> None:
    try:
        call()  # type: ignore[operator]
    except (Exception, SystemExit) as error:
        raise ConfigError("env.module_broken", module=module, problem=described(error)) from error


# -- the package of an id that is not registered --------------------------------------------------


def home_of(env_id: str) -> Text | None:
    """What to write or to install for an id that is not registered; None if no package with it is known.

    Runs no code of a package: it looks for known names of tasks, and for the id in the sources of installed packages
    that need gymnasium.
    """
    module = next(_modules_with(env_id), None)
    if module is not None:
        return say("env.in_module", name=env_id, module=module)
    for package, start in NAMED:
        if re.match(start, env_id):
            if util.find_spec(package.module) is not None:
                return say("env.in_module", name=env_id, module=package.module)
            full = f"{package.module}:{env_id}"
            return say("env.needs_package_and_module", name=env_id, package=package.requirement, full=full)
    return None


def _modules_with(env_id: str) -> Iterator[str]:
    """Modules of installed packages that register an id under this very name."""
    literal = re.escape(env_id)
    registers = re.compile(rf"""(\bid\s*=\s*|register\(\s*)["']{literal}["']""")
    for package in metadata.distributions():
        name = (package.metadata["Name"] or "").lower()
        if name in _NOT_SEARCHED or "gymnasium" not in map(str.lower, requirements_of(package)):
            continue
        for file in package.files or ():
            if file.suffix == ".py" and not file.is_absolute() and ".." not in file.parts and _is_code(file.parts):
                source = _source(Path(str(file.locate())))
                if env_id in source and registers.search(source):
                    yield ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def _is_code(parts: tuple[str, ...]) -> bool:
    return not any(part in ("tests", "test", "docs", "examples", "scripts") for part in parts)


def _source(path: Path) -> str:
    try:
        return path.read_text("utf-8") if path.stat().st_size <= _LARGEST_SOURCE else ""
    except (OSError, UnicodeDecodeError):
        return ""


def known_modules() -> frozenset[str]:
    """The top modules of packages whose environments a stored run may name without a question."""
    packages = (*IMPORTED.values(), *(package for package, _ in NAMED))
    return frozenset({"dqngui", "gymnasium", *(package.module.partition(".")[0] for package in packages)})
