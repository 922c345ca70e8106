"""Keeps what environments do to the whole process apart from learning, and says when a signal may end a step.

An environment is foreign code. It may switch gradients off, or set torch's default type, device or number of threads,
for the whole process. So its settings hold while it runs, and ours while we act and learn.
"""

from __future__ import annotations

from types import TracebackType

import torch

_Settings = tuple[torch.dtype, bool, int, torch.device]


class Outside:
    """A context around every call of an environment, for one training job.

    Attributes:
        running: an environment is called now. An exception that a signal handler raises meanwhile loses nothing: the
            vector step is undone, so the state can still be saved.
    """

    def __init__(self, threads: int | None = None) -> None:
        """`threads`: torch's number of threads for learning; None: as it is now."""
        self.running = False
        self._ours: _Settings = (torch.float32, True, threads or torch.get_num_threads(), torch.device("cpu"))
        self._theirs: _Settings | None = None  # None: the same as ours
        _set(self._ours)

    def __enter__(self) -> None:
        if self._theirs is not None:
            _set(self._theirs)
        self.running = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running = False
        now = (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_device())
        if now != self._ours:
            self._theirs = now
            _set(self._ours)
        else:
            self._theirs = None


def _set(settings: _Settings) -> None:
    dtype, gradients, threads, device = settings
    if torch.get_default_dtype() != dtype:
        torch.set_default_dtype(dtype)
    if torch.is_grad_enabled() != gradients:
        torch.set_grad_enabled(gradients)
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    if torch.get_default_device() != device:
        torch.set_default_device(device)
