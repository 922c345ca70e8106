"""Faults: what an environment does wrong, said in its own terms, with the last line of the user's file."""

from __future__ import annotations

import linecache
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

import gymnasium

from dqngui.config import ConfigError
from dqngui.texts import Text, say

_LONGEST_PROBLEM, _LONGEST_LINE = 400, 100  # characters
_OURS = tuple(str(Path(file).resolve().parent) for file in (Path(__file__).parent, gymnasium.__file__))
_INSTALLED = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class EnvironmentFault(ConfigError):
    """The error for an environment that raised, or that returned what does not fit its spaces.

    Attributes:
        problem: what happened, without the environment's name.
        details: the traceback of what the environment raised; "" if it raised nothing.
    """

    def __init__(self, text: Text, problem: Text | str | None = None, details: str = "") -> None:
        super().__init__(text)
        self.problem: Text | str = text if problem is None else problem
        self.details = details


def raised(name: str, error: BaseException) -> EnvironmentFault:
    """The fault for an exception of the environment `name`: its kind, its message and where it was raised."""
    kind, message = type(error).__name__, message_of(error)
    if message:
        text = say("failure.environment", environment=name, name=kind, problem=message)
    else:
        text = say("failure.environment_silent", environment=name, name=kind)
    return EnvironmentFault(placed(text, error), described(error), details_of(error))


def described(error: BaseException) -> Text:
    """The kind, message and place of an exception of the user's code."""
    kind, message = type(error).__name__, message_of(error)
    return placed(say("fault.kind", kind=kind, message=message) if message else say("fault.bare", kind=kind), error)


def details_of(error: BaseException) -> str:
    """The traceback of an exception; "" if it cannot be written."""
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # an exception of another package may not even be shown
        return ""


def message_of(error: BaseException) -> str:
    """The message of an exception as one line; "" if it has none."""
    try:
        said = error.msg if isinstance(error, SyntaxError) else str(error)  # the place is told anyway
        line = " ".join(said.split(" was raised from the environment creator")[0].split())
    except Exception:
        return ""
    return line if len(line) <= _LONGEST_PROBLEM else f"{line[: _LONGEST_PROBLEM - 1]}…"


def placed(text: Text, error: BaseException) -> Text:
    """The text with the last line of the user's file that led to an exception, if there is one."""
    places = [*_places(error)]
    own = [place for place in places if not place[0].startswith(_INSTALLED)]
    if not (own or places):
        return text
    file, line, code = (own or places)[-1]
    name = Path(file).name
    if not code:
        return say("fault.at", what=text, file=name, line=line)
    code = code if len(code) <= _LONGEST_LINE else f"{code[: _LONGEST_LINE - 1]}…"
    return say("fault.at_code", what=text, file=name, line=line, code=code)


def _places(error: BaseException) -> Iterator[tuple[str, int, str]]:
    """File, line and code of the calls outside dqngui and gymnasium, the innermost last."""
    if error.__cause__ is not None and error.__cause__ is not error:  # gymnasium raises some exceptions anew
        yield from _places(error.__cause__)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<") and not str(Path(file).resolve()).startswith(_OURS):
            yield file, trace.tb_lineno, linecache.getline(file, trace.tb_lineno).strip()
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        yield error.filename, error.lineno or 1, (error.text or "").strip()
