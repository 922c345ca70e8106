"""Trust: whose stored runs may import the modules that they name.

Whoever reads a run's folder can look at its curves and settings. Making its environment imports what `env.id` and
`env.kwargs` name, and imported code can do anything. Names that are not known (`envs.foreign`) are therefore imported
only for a folder that the user trusted once, or whose run the user began here. Code inside a folder of runs is never
imported, and neither is a module of Python's own library.

An answer is kept outside of the run, in the user's state folder: a file for each trusted folder, named by the hash of
the folder's absolute path. It holds the hash of experiment.toml, and the time at which the system last saw that file
change (`st_ctime`, which no program can choose). So a folder that is copied to the same place, or whose settings
someone edits, is not trusted, even if it holds a whole trusted run; moving a run asks again. Without a state folder
that can be written, a private folder for temporary files is used, and this process remembers its own answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dqngui.bounded import found
from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.runs.files import replace_file
from dqngui.runs.nested import MOST_DEPTH
from dqngui.runs.user_folders import state_folder

_EXPERIMENT = "experiment.toml"  # `folder.EXPERIMENT`; that module imports this one
_OF_RUNS = ("events.jsonl", "summary.json", "checkpoints", "resume")
_RUNS = "runs"  # the usual name of a folder of runs
_LARGEST = 1 << 20  # bytes of a file of settings
_LONGEST_NAME, _MOST_NAMES = 80, 5


class Untrusted(ConfigError):
    """A stored run names code that the user has not trusted.

    Attributes:
        names: that code, as it may be shown.
    """

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.names = shown(names)
        super().__init__("trust.asked", folder=folder, names=self.names)


class _Answer(msgspec.Struct, frozen=True):
    """What was trusted: a folder with this file of settings, which changed last at `changed` (ns since 1970)."""

    folder: str
    settings: str
    changed: int


_answers: set[_Answer] = set()
"""The answers that this process has got."""


def check_trusted(folder: Path, env: EnvConfig) -> None:
    """Raises Untrusted if the environment of a stored run needs code that the user has not trusted, and ConfigError if
    it may never be imported."""
    names = foreign_code(env)
    _refuse_code_of_runs(folder, names)
    if names and not _is_trusted(folder):
        raise Untrusted(folder, names)


def check_branch_trusted(parent: Path, stored: EnvConfig, env: EnvConfig) -> None:
    """As `check_trusted`, for another environment than the stored one of `parent`: about code that both name."""
    if set(foreign_code(env)) & set(foreign_code(stored)):
        check_trusted(parent, stored)


def untrusted_names(folder: Path, env: EnvConfig) -> tuple[str, ...]:
    """The code for which the user has to trust this folder first, as it may be shown; () if there is none.

    Raises ConfigError if it may never be imported.
    """
    try:
        check_trusted(folder, env)
    except Untrusted as error:
        return error.names
    return ()


def _refuse_code_of_runs(folder: Path, names: tuple[str, ...]) -> None:
    """Raises ConfigError if a name could come from inside a folder of runs."""
    from dqngui.envs.foreign import possible_files

    for name in names:
        for base, file in possible_files(name):
            if found(Path.is_file, file) and _lies_in_runs(file.resolve(), base.resolve(), folder.resolve()):
                raise ConfigError("trust.inside", folder=folder, file=shown((str(file),))[0])


def trust(folder: Path) -> None:
    """Remember that the user trusts the run in this folder as it is now. Raises ConfigError if it has no settings."""
    answer = _answer_of(folder)
    if answer is None:
        raise ConfigError("run.not_one", folder=folder, file=_EXPERIMENT)
    _answers.add(answer)
    for place in _places(make=True):
        with contextlib.suppress(OSError):
            replace_file(place / _file_name(answer.folder), msgspec.json.encode(answer), sync=False)
            return


def remember_own(folder: Path, experiment: Experiment) -> None:
    """Trust a run whose settings were just written by this user."""
    if foreign_code(experiment.env):
        with contextlib.suppress(ConfigError):
            trust(folder)


def shown(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names from a stored run without control characters, and not too many or too long."""
    plain = ["".join(char if char.isprintable() else "�" for char in name) for name in names]
    short = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in plain]
    return tuple(short[:_MOST_NAMES] + (["…"] if len(short) > _MOST_NAMES else []))


def foreign_code(env: EnvConfig) -> tuple[str, ...]:
    """The code that an environment needs and that is not known (`envs.foreign.foreign_names`).

    Raises ConfigError for a module of Python itself.
    """
    if ":" not in env.id and not env.kwargs:
        return ()  # most runs; the rest needs gymnasium
    from dqngui.envs.foreign import foreign_names
    from dqngui.envs.user_modules import refuse_library

    refuse_library(env.id)
    return foreign_names(env)


def _lies_in_runs(file: Path, base: Path, folder: Path) -> bool:
    """Whether a file, found by a search from `base`, lies in this run, in another one, or in their folder of runs."""
    if file.is_relative_to(folder) or any(_is_run(parent) for parent in file.parents):
        return True
    if any(runs.name == _RUNS and file.is_relative_to(runs) for runs in folder.parents[:MOST_DEPTH]):
        return True
    runs = folder.parent
    # A run may also lie beside the user's own modules, or in a folder that holds all that is installed.
    return file.is_relative_to(runs) and not base.is_relative_to(runs)


def _is_run(folder: Path) -> bool:
    return (folder / _EXPERIMENT).exists() and any((folder / name).exists() for name in _OF_RUNS)


# -- answers --------------------------------------------------------------------------------------


def _is_trusted(folder: Path) -> bool:
    answer = _answer_of(folder)
    return answer is not None and (answer in _answers or answer in _stored(answer.folder))


def _stored(folder: str) -> Iterator[_Answer]:
    for place in _places(make=False):
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
            yield msgspec.json.decode((place / _file_name(folder)).read_bytes(), type=_Answer)


def _answer_of(folder: Path) -> _Answer | None:
    """What an answer about the folder as it is now says; None without settings that can be read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    real = os.path.realpath(folder)
    try:
        fd = os.open(os.path.join(real, _EXPERIMENT), flags)
    except OSError:
        return None
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return None
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        return None
    return _Answer(real, hashlib.sha256(data).hexdigest(), found.st_ctime_ns)


def _file_name(folder: str) -> str:
    return f"{hashlib.sha256(os.fsencode(folder)).hexdigest()}.json"


def _places(*, make: bool) -> Iterator[Path]:
    """The folders that may hold answers and belong to this user alone, the usual one first."""
    for place in (_state_folder(), _temporary_folder()):
        if place is None:
            continue
        with contextlib.suppress(OSError):
            if make:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(place):
                yield place


def _state_folder() -> Path | None:
    home = state_folder()
    return None if home is None else home / "dqngui" / "trusted"


def _temporary_folder() -> Path | None:
    return Path(tempfile.gettempdir()) / f"dqngui-trusted-{os.getuid()}" if hasattr(os, "getuid") else None


def _is_private(place: Path) -> bool:
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
