"""Makes the event `Failed` from an error: why the job failed, in one sentence for the user."""

from __future__ import annotations

import errno
import traceback
from types import TracebackType

from dqngui.config import ConfigError
from dqngui.messages import Failed
from dqngui.texts import Text, say

_FULL = {
    errno.ENOSPC: say("disk.full"),
    errno.EDQUOT: say("disk.quota"),
    errno.EFBIG: say("disk.too_large"),
}
_ENVIRONMENT_PACKAGES = ("gymnasium", "dqngui.envs")


def failed(error: BaseException, step: int, environment: str = "") -> Failed:
    """The event for an error; a ConfigError is the user's own `mistake`, with details if the user's code raised."""
    if isinstance(error, ConfigError):
        return Failed(step=step, text=error.text, details=getattr(error, "details", ""), mistake=True)
    text = _sentence(error, environment)
    if text in (getattr(error, "text", None), isinstance(error, OSError) and disk_problem(error)):
        return Failed(step=step, text=text)  # it says what happened, and nothing here is wrong: the disk, say
    return Failed(step=step, text=text, details="".join(traceback.format_exception(error)))


def disk_problem(error: OSError) -> Text | None:
    """What is wrong with a file, as a sentence; None for an error that names no file."""
    if isinstance(text := getattr(error, "text", None), Text):
        return text
    if not error.filename:
        return None
    if error.errno in _FULL:
        return say("failure.write", file=error.filename, problem=_FULL[error.errno])
    return say("failure.file", file=error.filename, problem=(error.strerror or type(error).__name__).lower())


def _sentence(error: BaseException, environment: str) -> Text:
    name, problem = type(error).__name__, " ".join(str(error).split())
    if environment and _passed_through_environment(error.__traceback__):
        if problem:
            return say("failure.environment", environment=environment, name=name, problem=problem)
        return say("failure.environment_silent", environment=environment, name=name)
    if isinstance(error, OSError) and (text := disk_problem(error)) is not None:
        return text
    if name == "OutOfMemoryError" or isinstance(error, MemoryError):
        return say("failure.memory", problem=problem) if problem else say("failure.memory_silent")
    if isinstance(text := getattr(error, "text", None), Text):
        return text
    if isinstance(error, FloatingPointError) and problem:
        return say("failure.numbers", problem=problem)
    return say("failure.raised", name=name, problem=problem) if problem else say("failure.raised_silent", name=name)


def _passed_through_environment(trace: TracebackType | None) -> bool:
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if any(module == package or module.startswith(f"{package}.") for package in _ENVIRONMENT_PACKAGES):
            return True
        trace = trace.tb_next
    return False
