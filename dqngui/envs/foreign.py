"""Foreign code: what the settings of an environment would import that is neither ours nor a known package's.

A person who types such a name wants it imported. The settings of a stored run may come from anybody, so there it is
asked first (`dqngui.runs.trust`). Nothing here imports what it names.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from dqngui.bounded import found
from dqngui.config import EnvConfig
from dqngui.envs.user_modules import is_path
from dqngui.safe_path import started_in

_PATH_LIKE = re.compile(r"[:/\\]|\w\.\w")
"""A text among an environment's arguments that may name a module, a class or a file: some packages import those."""


def foreign_names(env: EnvConfig) -> tuple[str, ...]:
    """Modules, classes and files that an environment's settings name, without those that are known.

    Known are the environments of dqngui, of gymnasium and of `packages.known_modules`, by their ids. A class or
    function of a known module (`module:Class`) is not: it would be called with the arguments of the settings.
    """
    found: list[str] = []
    module, colon, name = env.id.rpartition(":")
    if colon and not (is_known(module) and not name.isidentifier()):
        found.append(module if not is_known(module) else env.id)
    found += [text for text in _texts(env.kwargs) if _PATH_LIKE.search(text) and not is_known(text)]
    return tuple(dict.fromkeys(found))


def is_foreign(env: EnvConfig) -> bool:
    """Whether the task or one of its wrappers is somebody else's code: a step may hold up or end its process.

    Imports nothing of it.
    """
    wrappers = (wrapper.name.rpartition(":")[0] for wrapper in env.wrappers if ":" in wrapper.name)
    home = "" if ":" in env.id else _home(env.id)
    return bool(foreign_names(env)) or any(module and not is_known(module) for module in (*wrappers, home))


def _home(env_id: str) -> str:
    """Module of an environment that gymnasium knows already; `gymnasium` for one that it does not know yet."""
    import gymnasium

    spec = gymnasium.registry.get(env_id)
    entry = None if spec is None else spec.entry_point
    if isinstance(entry, str):
        return entry.partition(":")[0]
    return "gymnasium" if entry is None else getattr(entry, "__module__", "") or ""


def is_known(module: str) -> bool:
    """Whether a module is of a known package, which Python would not take from the present folder."""
    from dqngui.envs.packages import known_modules

    top = module.partition(".")[0]
    if top not in known_modules() or is_path(module) or not all(part.isidentifier() for part in module.split(".")):
        return False
    return PathFinder.find_spec(top) is not None or not any(
        found(Path.exists, each) for each in _in(Path(started_in()), [top])
    )


def possible_files(module: str) -> Iterator[tuple[Path, Path]]:
    """The files from which a name could be imported, each with the folder in which the search for it begins."""
    start = Path(started_in())
    if is_path(module):
        yield from ((start, start / each) for each in (module, f"{module}.py", f"{module}/__init__.py"))
        return
    parts = module.replace(":", ".").split(".")
    for base in (start, *(Path(entry or os.curdir) for entry in sys.path)):
        for count in range(1, len(parts) + 1):  # the last parts may be a class; packages above a module run too
            yield from ((base, file) for file in _in(base, parts[:count]))


def _in(base: Path, parts: list[str]) -> list[Path]:
    if not all(part.isidentifier() for part in parts):
        return []
    place = base.joinpath(*parts)
    return [place.with_name(f"{place.name}.py"), place / "__init__.py"]


def _texts(value: Any) -> Iterator[str]:
    """The texts in nested data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
