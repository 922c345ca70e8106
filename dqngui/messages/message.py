"""The base classes of all events and all commands."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all events; `step` counts environment steps since the run began.

    `logged` says whether the recorder writes it to the run's log.
    """

    logged = True
    step: int


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all commands. A command with `at` waits until the run has made that many steps."""

    at: int | None = None
