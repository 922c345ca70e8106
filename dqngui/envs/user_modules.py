"""Modules of the user: `module:Id` where the module is installed, or a file of the present folder, loaded by its path.

`mytask:Id`, `mytask.py:Id` and `tasks/mytask.py:Id` name the same kind of file. An installed module goes before a file
of the present folder that has its name. The folder itself is not searched for anything else, so a file `json.py` that
happens to lie there is never run.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib import util
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from dqngui.bounded import found
from dqngui.config import ConfigError
from dqngui.envs.faults import EnvironmentFault, described, details_of
from dqngui.envs.known_packages import installable, known_environments
from dqngui.safe_path import started_in
from dqngui.texts import Text, say

START_FOLDER = Path(started_in() or os.curdir)
"""The present folder when the program started: some environments change it."""


def is_path(module: str) -> bool:
    """Whether a module is named by the path of its file."""
    return module.endswith(".py") or "/" in module or os.sep in module


def refuse_library(env_id: str) -> None:
    """Raises ConfigError for `module:Id` with a module of Python itself: some do things when they are imported."""
    module, colon, _ = env_id.rpartition(":")
    if colon and not is_path(module) and module.partition(".")[0] in sys.stdlib_module_names:
        raise ConfigError("env.of_library", module=module)


def load_user_module(module: str) -> ModuleType:
    """The module of `module:Id`, imported if it was not.

    Args:
        module: dotted name, or path of a Python file, absolute or from the present folder.

    Raises ConfigError if there is none, or if it cannot be imported, with what it misses or where it failed.
    """
    by_path = is_path(module)
    if not by_path and not all(part.isidentifier() for part in module.split(".")):
        raise ConfigError("env.no_module", module=module, folder=START_FOLDER)
    file = _file_of(module, by_path)
    name = _name_of(file) if by_path and file is not None else module
    try:
        if by_path and file is None:
            raise ConfigError("env.no_file", file=module, folder=START_FOLDER)
        if name in sys.modules and not by_path:
            return importlib.import_module(name)
        if file is not None and (by_path or _spec_of(name) is None):
            return _loaded(name, file)
        return importlib.import_module(name)
    except ConfigError:
        raise
    except ModuleNotFoundError as error:
        raise _missing(module, name, file, error) from error
    except (Exception, SystemExit) as error:
        text = say("env.module_broken", module=module, problem=described(error))
        raise EnvironmentFault(text, details=details_of(error)) from error


def missing_in(module: str, needed: str) -> Text:
    """The sentence for a module that needs another one that is not there.

    Only a known package gets a command that installs it: another name may be misspelt, and who may have published
    something under it is not known.
    """
    if package := installable(needed):
        return say("env.module_needs_package", module=module, package=package)
    return say("env.module_needs_module", module=module, needed=needed)


def _file_of(module: str, by_path: bool) -> Path | None:
    """The file of a module in the present folder, or at its path; None if there is none."""
    if by_path:
        paths = (
            [START_FOLDER / module]
            if module.endswith(".py")
            else [START_FOLDER / f"{module}.py", START_FOLDER / module / "__init__.py"]
        )
    else:
        stem = START_FOLDER.joinpath(*module.split("."))
        paths = [stem.with_name(f"{stem.name}.py"), stem / "__init__.py"]
    return next((path for path in paths if found(Path.is_file, path)), None)


def _name_of(file: Path) -> str:
    """The name under which a file is imported: that of the file, unless another module has it."""
    stem = file.parent.name if file.stem == "__init__" else file.stem
    other = sys.modules.get(stem)
    if other is not None:
        return stem if _is_file(other.__spec__, file) else f"{stem}_of_user"
    found = _spec_of(stem)
    return stem if stem.isidentifier() and (found is None or _is_file(found, file)) else f"{stem}_of_user"


def _is_file(spec: ModuleSpec | None, file: Path) -> bool:
    origin = None if spec is None else spec.origin
    return origin is not None and Path(origin).resolve() == file.resolve()


def _spec_of(name: str) -> ModuleSpec | None:
    """What Python finds for the name of a module; None if there is nothing."""
    try:
        return util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None


def _loaded(name: str, file: Path) -> ModuleType:
    """The module of a file, run once under this name; a part of a package in the present folder gets its parents."""
    known = sys.modules.get(name)
    if known is not None and _is_file(known.__spec__, file):
        return known
    parent, _, _ = name.rpartition(".")
    if parent and parent not in sys.modules and (above := file.parent / "__init__.py").is_file():
        _loaded(parent, above if file.name != "__init__.py" else file.parent.parent / "__init__.py")
        return importlib.import_module(name)
    search = [str(file.parent)] if file.name == "__init__.py" else None
    spec = util.spec_from_file_location(name, file, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    loaded = util.module_from_spec(spec)
    sys.modules[name] = loaded
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return loaded


def _missing(module: str, name: str, file: Path | None, error: ModuleNotFoundError) -> ConfigError:
    """The error for a module that is not there, or that needs another one."""
    if error.name is None or (file is None and (name == error.name or name.startswith(f"{error.name}."))):
        top = module.partition(".")[0]
        for package in known_environments():
            if package.module.partition(".")[0] == top:
                return ConfigError("env.needs_package", name=module, package=package.requirement)
        return ConfigError("env.no_module", module=module, folder=START_FOLDER)
    needed = error.name.partition(".")[0]
    beside = (START_FOLDER if file is None else file.parent) / needed
    if any(found(Path.is_file, file) for file in (beside.with_name(f"{needed}.py"), beside / "__init__.py")):
        return ConfigError("env.module_needs_neighbour", module=module, file=needed, folder=beside.parent)
    return ConfigError(missing_in(module, needed))
