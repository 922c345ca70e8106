"""What every event and every command is."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all events. `logged` says whether the recorder writes it to the run's log."""

    logged = True
    step: int


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all commands. `at` delays a command until the run has made so many steps."""

    at: int | None = None
