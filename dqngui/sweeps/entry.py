"""An entry of the queue: one run that is to be trained, or a part of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from dqngui.texts import Text

EntryState = Literal["waiting", "paused", "running", "reached", "pruned", "finished", "failed", "cancelled"]
STATES: tuple[EntryState, ...] = (
    "waiting", "paused", "running", "reached", "pruned", "finished", "failed", "cancelled",
)  # fmt: skip
ENDED: frozenset[str] = frozenset({"pruned", "finished", "failed", "cancelled"})
"""States of entries that are not trained any more, unless somebody asks for it."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One run in the queue.

    Attributes:
        id: number of the entry, >= 1.
        place: waiting entries are taken in the order of their places.
        folder: the run's folder, relative to the folder of runs, with `/`.
        kind: `new` trains an experiment that has its folder already, `resume` continues a run, `fork` starts from
            `parent`. An entry of any kind that was interrupted is resumed.
        parent: absolute path of the run that a fork starts from, at the state that it had when the fork was queued.
        total_steps: environment steps up to which a run is resumed; None: as planned.
        until: environment steps at which the run is paused exactly, as a sweep does at a rung; None: it is not.
        sweep: folder of the sweep that it belongs to, relative to the folder of runs; empty if it has none.
        state: `waiting`; `paused` by somebody; `running`; `reached`: paused at `until`; `pruned` by its sweep (it can
            be continued); `finished`; `failed`; `cancelled`.
        reason: why it failed, or why it was paused; empty otherwise.
        wish: `pause` or `cancel` for a running entry that somebody wants to be ended; empty otherwise.
        worker: the worker that trains it now, or trained it last.
        tries: how often a worker has taken it.
        losses: how often in a row its process was lost without coming further than its last save.
        seconds, steps: wall seconds that workers have spent on it, with evaluations and the start of processes, and the
            environment steps that were made meanwhile.
        begun: environment steps that the run had when it was taken last.
    """

    id: int
    place: float
    folder: str
    kind: Literal["new", "resume", "fork"] = "new"
    parent: str = ""
    total_steps: int | None = None
    until: int | None = None
    sweep: str = ""
    state: EntryState = "waiting"
    reason: Text | str = ""
    wish: Literal["", "pause", "cancel"] = ""
    worker: str = ""
    tries: int = 0
    losses: int = 0
    seconds: float = 0.0
    steps: int = 0
    begun: int = 0

    @property
    def speed(self) -> float | None:
        """Environment steps per wall second of work; None before any were measured."""
        return self.steps / self.seconds if self.steps > 0 and self.seconds > 0 else None
