"""The search path of modules, without the present folder: a `json.py` in a folder of downloads is never run.

Python puts the present folder, or that of the script, in front of its own library. `dqngui`, `python -m dqngui` and
every process that dqngui starts take it away before they import anything else. So this module imports nothing, not even
`__future__`, that is not loaded when Python starts. A folder that PYTHONPATH names stays. What `python -m` itself
imports first is out of reach; `python -P -m dqngui` protects that too.
"""

import os
import sys

CHILD = (
    "import sys; sys.path[:] = sys.argv[2:]; from dqngui.safe_path import start_in; start_in(sys.argv[1]); "
    "from dqngui.hosts.child import main; main()"
)
"""What a started interpreter runs. Its arguments: the folder in which the user started dqngui, and the search path."""

COMMAND = (
    "import sys; count = int(sys.argv[2]); arguments = sys.argv[3 : 3 + count]; sys.path[:] = sys.argv[3 + count :]; "
    "from dqngui.safe_path import start_in; start_in(sys.argv[1]); from dqngui.__main__ import main; "
    "from dqngui.hosts.leaving import leave; leave(main(arguments))"
)
"""The same for a command of dqngui. Its arguments: that folder, how many the command has, they, and the search path."""

_started_in = ""


def started_in() -> str:
    """The folder in which the user started dqngui, whatever an environment has changed since; "" if it is gone."""
    return _started_in


def leave_present_folder() -> None:
    """Take the present folder off the search path, unless PYTHONPATH names it."""
    own = os.path.dirname(os.path.abspath(__file__))
    if sys.path and not sys.flags.safe_path and (_is(sys.path[0], _started_in) or _is(sys.path[0], own)):
        del sys.path[0]  # by `python -m dqngui`, or by running a file of this folder
    named = [entry for entry in _named() if entry]
    library = next((index for index, entry in enumerate(sys.path) if _is(entry, os.path.dirname(os.__file__))), 0)
    before = [entry for entry in sys.path[:library] if not _is(entry, _started_in) or any(_is(entry, n) for n in named)]
    sys.path[:library] = before  # behind Python's library stands what was installed


def command_of_child() -> list[str]:
    """How to start another interpreter with this one's search path and options, which imports nothing on its way."""
    return _interpreter(CHILD, [])


def command_of(arguments: list[str]) -> list[str]:
    """How to carry out a command of dqngui (`["queue", "list"]`) in another interpreter, as `command_of_child`."""
    return _interpreter(COMMAND, [str(len(arguments)), *arguments])


def _interpreter(code: str, arguments: list[str]) -> list[str]:
    import subprocess

    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
    isolated = [] if "-P" in flags else ["-P"]
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = sys.path if any(_is(entry, own) for entry in sys.path) else [*sys.path, own]
    path = [entry for entry in path if entry]
    return [sys.executable, *flags, *isolated, "-c", code, _started_in, *arguments, *path]


def environment_of_child() -> dict[str, str] | None:
    """The variables of another interpreter; None: the same. An empty entry of PYTHONPATH means the present folder."""
    if all(_named()):
        return None
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in _named() if entry)}


def start_in(folder: str) -> None:
    """Note where the user started dqngui, in a process that dqngui started."""
    global _started_in
    _started_in = folder


def _named() -> list[str]:
    given = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    return given.split(os.pathsep) if given else []


def _is(entry: str, folder: str) -> bool:
    """Whether an entry of the search path is this folder; "" is the present one."""
    if not folder:
        return not entry
    return os.path.realpath(entry or os.curdir) == os.path.realpath(folder)


def _present_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


_started_in = _present_folder()
