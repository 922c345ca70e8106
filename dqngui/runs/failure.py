"""Why a job failed, in one sentence for the user."""

from __future__ import annotations

import errno
import traceback
from types import TracebackType

from dqngui.config import ConfigError
from dqngui.messages import Failed

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "the file would become larger than the system allows",
}
_ENVIRONMENT_PACKAGES = ("gymnasium", "dqngui.envs")


def failed(error: BaseException, step: int, environment: str = "") -> Failed:
    """The event for an error; a ConfigError is the user's own `mistake` and needs no details."""
    if isinstance(error, ConfigError):
        return Failed(step=step, text=str(error), mistake=True)
    details = "".join(traceback.format_exception(error))
    return Failed(step=step, text=_sentence(error, environment), details=details)


def _sentence(error: BaseException, environment: str) -> str:
    name, text = type(error).__name__, " ".join(str(error).split())
    if environment and _passed_through_environment(error.__traceback__):
        return f"{environment} raised {name}: {text}" if text else f"{environment} raised {name}"
    if isinstance(error, OSError) and error.filename:
        if error.errno in _FULL:
            return f"cannot write `{error.filename}`: {_FULL[error.errno]}"
        return f"`{error.filename}`: {(error.strerror or name).lower()}"
    if name == "OutOfMemoryError" or isinstance(error, MemoryError):
        return f"memory ran out: {text}" if text else "memory ran out"
    if isinstance(error, FloatingPointError) and text:
        return text
    return f"the job raised {name}: {text}" if text else f"the job raised {name}"


def _passed_through_environment(trace: TracebackType | None) -> bool:
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if any(module == package or module.startswith(f"{package}.") for package in _ENVIRONMENT_PACKAGES):
            return True
        trace = trace.tb_next
    return False
