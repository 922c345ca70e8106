"""Keeps what environments do to the whole process apart from learning, and says when a signal may end a step.

An environment is foreign code. It may switch gradients off, make warnings errors, or take away standard output, for the
whole process. So its settings hold while it runs, and ours while we act and learn. `_OF_TORCH` and `_OF_PYTHON` list
them.
"""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

import numpy as np
import torch


class _Setting(NamedTuple):
    """How a setting of the process is read and written.

    Attributes:
        ours: what learning needs; None: what it was before environments were made.
    """

    get: Callable[[], Any]
    set: Callable[[Any], Any]
    ours: Any = None


def _attribute(owner: ModuleType, name: str) -> _Setting:
    return _Setting(lambda: getattr(owner, name), lambda value: setattr(owner, name, value))


def _default_device() -> torch.device:
    return torch.empty(0).device  # a tenth of the time of `torch.get_default_device`


def _set_default_device(value: torch.device) -> None:
    torch.set_default_device(None if value.type == "cpu" else value)  # "cpu" would cost each call some microseconds


def _matmul_precision() -> str:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:  # it was set for single libraries
        return ""


def _set_matmul_precision(value: str) -> None:
    if value:
        torch.set_float32_matmul_precision(value)


def _set_collecting(value: bool) -> None:
    (gc.enable if value else gc.disable)()


def _set_filters(filters: tuple[Any, ...]) -> None:
    warnings.resetwarnings()  # tells Python that they change, for those that it has looked up already
    warnings.filters[:] = filters  # type: ignore[index]


def _autocast(device: str) -> _Setting:
    return _Setting(
        lambda: torch.is_autocast_enabled(device), lambda value: torch.set_autocast_enabled(device, value), False
    )


_OF_TORCH = (
    _Setting(torch.get_default_dtype, torch.set_default_dtype, torch.float32),
    _Setting(torch.is_grad_enabled, torch.set_grad_enabled, True),
    _Setting(torch.get_num_threads, torch.set_num_threads),
    _Setting(_default_device, _set_default_device, torch.device("cpu")),
    _Setting(torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
    _Setting(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    _Setting(_matmul_precision, _set_matmul_precision),
    _autocast("cpu"),
    _autocast("cuda"),
    _Setting(np.geterr, lambda value: np.seterr(**value)),
)
"""Settings of torch and numpy, most of them of the thread; inference mode has a guard of its own (`Outside`)."""
_OF_PYTHON = (
    _attribute(sys, "stdin"),
    _attribute(sys, "stdout"),
    _attribute(sys, "stderr"),
    _attribute(sys, "excepthook"),
    _attribute(sys, "unraisablehook"),
    _attribute(threading, "excepthook"),
    _attribute(warnings, "showwarning"),
    _Setting(lambda: tuple(warnings.filters), _set_filters),
    _Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting(gc.isenabled, _set_collecting),
)
"""Settings of the whole process, kept by a job of the main thread alone: beside another, the program may set them."""


class Outside:
    """A context around every call of an environment, for one training job.

    Attributes:
        running: an environment is called now. An exception that a signal handler raises meanwhile loses nothing: the
            vector step is undone, so the state can still be saved.
    """

    def __init__(self, threads: int | None = None) -> None:
        """`threads`: torch's number of threads for learning; None: as it is now."""
        self.running = False
        if threads:
            torch.set_num_threads(threads)
        for each in _OF_TORCH:
            if each.ours is not None and each.get() != each.ours:
                each.set(each.ours)
        self._of_torch = [each.get() for each in _OF_TORCH]
        self._of_python = _OF_PYTHON if threading.current_thread() is threading.main_thread() else ()
        self._before: list[Any] = []  # of Python: it may have been set since the last call, by the program
        self._theirs: list[tuple[_Setting, Any]] = []  # what differs from ours while an environment is called
        self._infers = False
        self._no_inference: torch.inference_mode | None = None  # undoes an inference mode that was left on

    def __enter__(self) -> None:
        self._before = [each.get() for each in self._of_python]
        self._infers = torch.is_inference_mode_enabled()
        if self._no_inference is not None:
            self._no_inference.__exit__(None, None, None)
            self._no_inference = None
        for setting, value in self._theirs:
            with suppress(Exception):  # a limit of recursion, say, that does not hold here
                setting.set(value)
        self.running = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running = False
        if torch.is_inference_mode_enabled() and not self._infers:
            self._no_inference = torch.inference_mode(False)
            self._no_inference.__enter__()
        self._theirs = []
        self._restore(_OF_TORCH, self._of_torch)
        self._restore(self._of_python, self._before)

    def _restore(self, settings: tuple[_Setting, ...], ours: list[Any]) -> None:
        for setting, our in zip(settings, ours, strict=True):
            theirs = setting.get()
            if theirs != our:
                self._theirs.append((setting, theirs))
                setting.set(our)
