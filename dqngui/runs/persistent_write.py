"""Writes again for a while what could not be written: a network drive comes back, or the disk gets room again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from dqngui.messages import Advanced, Event, Noted, Warned
from dqngui.runs.failure import disk_problem
from dqngui.runs.files import OutOfPlace
from dqngui.texts import say

PATIENCE_SECONDS = 30.0
"""How long writing is tried again before the run ends."""
PAUSE_SECONDS = 0.2
"""Time between two attempts where training cannot go on without the write."""


class PersistentWriting:
    """Decides, when writing fails, whether to go on, and tells the user once.

    Its events are passed on but not logged: a run that was troubled has the log of one that was not.

    Args:
        ask_to_stop: asks the job to save and stop; None: there is no such way.

    Attributes:
        lost: the error because of which the run is ending; None as long as there is none.
    """

    def __init__(self, ask_to_stop: Callable[[], None] | None) -> None:
        self._ask_to_stop = ask_to_stop
        self._since: float | None = None
        self.lost: OSError | None = None

    @property
    def troubled(self) -> bool:
        """Whether the last write failed."""
        return self._since is not None

    def attempt(self, write: Callable[[], None], step: int) -> Iterator[Event]:
        """Write; what fails is written at a later attempt. Once patience is over, the job is asked to save and stop, or
        if that is impossible, the OSError is raised.
        """
        if self.lost is not None:
            return  # the last save writes everything
        try:
            write()
        except OSError as error:
            yield from self._failed(error, step)
            if self._over(error):
                if self._ask_to_stop is None:
                    raise
                self.lost = error
                self._ask_to_stop()
        else:
            yield from self._succeeded(step)

    def insist(self, write: Callable[[], None], step: int) -> Iterator[Event]:
        """Write, again and again until it succeeds. Raises the OSError once patience is over."""
        while True:
            try:
                write()
            except OSError as error:
                yield from self._failed(error, step)
                if self.lost is not None or self._over(error):
                    raise
                time.sleep(PAUSE_SECONDS)
                yield Advanced(step=step)
            else:
                yield from self._succeeded(step)
                return

    def _over(self, error: OSError) -> bool:
        assert self._since is not None
        return isinstance(error, OutOfPlace) or time.monotonic() - self._since >= PATIENCE_SECONDS

    def _failed(self, error: OSError, step: int) -> Iterator[Event]:
        if self._since is None:
            self._since = time.monotonic()
            if PATIENCE_SECONDS and not isinstance(error, OutOfPlace):
                text = say("write.again", problem=disk_problem(error) or error, seconds=PATIENCE_SECONDS)
                yield Warned(step=step, text=text)

    def _succeeded(self, step: int) -> Iterator[Event]:
        if self._since is not None:
            self._since = None
            yield Noted(step=step, text=say("write.works"))
