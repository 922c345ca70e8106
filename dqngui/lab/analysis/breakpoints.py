"""The window's breakpoints: the list that is edited, what training is told of it, and what is measured while watching.

They belong to the window: every run that trains in it gets those that are switched on, and they go with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from dqngui.jobs.breakpoints import EPISODES, QUANTITIES, holds
from dqngui.lab.analysis.views import entropy
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.messages import Breakpoint, BreakpointHit

WATCHED = ("attention_entropy", "memory_saturation")
"""What only the window knows, from the episodes that the player plays with the newest weights."""
OFFERED = (*QUANTITIES, *WATCHED)
SATURATED = 0.95
MOST = 200_000  # numbers of an episode that are looked at; of a larger one every so manieth step
_ATTENTION, _HELD = ("attention/*", "memory/attention/*"), ("memory/hidden*",)


@dataclass(frozen=True, slots=True)
class BreakpointEntry:
    """A line of the list."""

    point: Breakpoint
    enabled: bool = True


class BreakpointList(QObject):
    """Breakpoints in the order in which they were added; equal ones stand in it once.

    Attributes:
        entries: all of them.
        watched: the newest measured number of each of `WATCHED`.

    Signals:
        changed: the entries, or whether they can be edited.
        measured: `watched` has news.
    """

    changed = Signal()
    measured = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[BreakpointEntry, ...] = ()
        self.watched: dict[str, float] = {}
        self.looked_at = False  # somebody wants present numbers
        self._session = session
        self._held: set[Breakpoint] = set()
        self._measured: PlayedEpisode | None = None
        session.changed.connect(self.changed)
        session.cleared.connect(self._on_cleared)

    # -- the list ---------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """Why the list cannot be edited, as a sentence; empty if it can."""
        if self._session.state is State.STORED:
            return "This run is stored: nothing trains that could pause. Resume it, or begin another one."
        return ""

    @property
    def enabled(self) -> tuple[Breakpoint, ...]:
        """Those that are switched on."""
        return tuple(entry.point for entry in self.entries if entry.enabled)

    def add(self, point: Breakpoint) -> None:
        """Add one, switched on; one that is there already is switched on."""
        others = [entry.point for entry in self.entries]
        if point in others:
            self.enable(others.index(point), True)
        else:
            self._replace((*self.entries, BreakpointEntry(point)))

    def remove(self, index: int) -> None:
        """Take one out."""
        self._replace(self.entries[:index] + self.entries[index + 1 :])

    def enable(self, index: int, enabled: bool) -> None:
        """Switch one on or off."""
        entry = replace(self.entries[index], enabled=enabled)
        self._replace((*self.entries[:index], entry, *self.entries[index + 1 :]))

    def _replace(self, entries: tuple[BreakpointEntry, ...]) -> None:
        if entries == self.entries or self.problem:
            return
        self.entries = entries
        self._held &= set(self.enabled)
        self._session.job.set_breakpoints(tuple(point for point in self.enabled if point.quantity not in WATCHED))
        self.changed.emit()

    # -- present numbers --------------------------------------------------------------------------

    def present(self, quantity: str) -> float | None:
        """The newest number that was told or measured; None where there is none yet."""
        history = self._session.history
        if quantity in WATCHED:
            return self.watched.get(quantity)
        if quantity == "return":
            count = len(history.returns)
            mean = history.returns.moments_at(count - 1, EPISODES)[0] if count >= EPISODES else math.nan
            return mean if math.isfinite(mean) else None
        if quantity == "evaluation":
            means = (each.mean for each in reversed(history.evaluations) if each.role == "selection")
            return next(means, None)
        return history.learned[quantity].latest()

    @Slot()
    def _on_cleared(self) -> None:
        self._held.clear()
        self.watched.clear()
        self.measured.emit()

    # -- while watching ---------------------------------------------------------------------------

    def watch(self, playing: PlayedEpisode | None) -> None:
        """The player's episode has more steps: measure it once it has ended, if anybody wants that."""
        wanted = [point for point in self.enabled if point.quantity in WATCHED]
        if playing is None or playing is self._measured or not (wanted or self.looked_at):
            return
        if not playing.ended or not self._counts(playing):
            return
        self._measured = playing
        self.watched = measure(playing)
        self.measured.emit()
        for point in wanted if self._session.state is State.RUNNING else ():  # nothing else could pause
            value = self.watched.get(point.quantity)
            if value is None or not holds(point, value):
                self._held.discard(point)
            elif point not in self._held:
                self._held.add(point)
                self._session.break_at(BreakpointHit(step=playing.weights_step, point=point, value=value))

    def _counts(self, playing: PlayedEpisode) -> bool:
        """The agent that trains here has played it by itself."""
        training = self._session.state in (State.RUNNING, State.PAUSED)
        alone = playing.recorded and not playing.given and not playing.human
        return training and alone and playing.source == "newest weights"


def measure(playing: PlayedEpisode) -> dict[str, float]:
    """Mean entropy of attention over all its heads and rows, as a share of the greatest possible one, and share of held
    units beyond ±0.95, over an episode. What the agent has nothing of is left out."""
    measured = {}
    shares = [_entropy_share(playing, name) for name in _fitting(playing.ready.weights, _ATTENTION)]
    shares = [share for share in shares if math.isfinite(share)]
    if shares:
        measured["attention_entropy"] = sum(shares) / len(shares)
    held = [_sample(playing, name) for name in _fitting(playing.ready.held, _HELD)]
    held = [values for values in held if values.size]
    if held:
        beyond = sum(int((np.abs(values) > SATURATED).sum()) for values in held)
        measured["memory_saturation"] = beyond / sum(values.size for values in held)
    return measured


def _fitting(names: tuple[str, ...], patterns: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _sample(playing: PlayedEpisode, name: str) -> npt.NDArray[np.float32]:
    values = playing.view(name)
    return values[:: _stride(values)]


def _stride(values: npt.NDArray[np.float32]) -> int:
    return 1 + values.size // MOST


def _entropy_share(playing: PlayedEpisode, name: str) -> float:
    """Mean over the rows that leave a choice: what is absent, or has not happened yet, cannot be chosen.

    Weights that are 0 are taken for absent places, unless there is but one other.
    """
    values, view = playing.view(name), playing.views[name]
    if values.ndim < 2:
        return math.nan
    t = np.arange(0, len(values), _stride(values))
    nats, most = entropy(values[t])
    places = np.minimum(t + 1, view.shape[-1]) if view.axes[-1] == "lag" else np.full(len(t), view.shape[-1])
    most = np.where(most > 0, most, np.log(places).reshape(-1, *(1,) * (most.ndim - 1)))
    known = (most > 0) & np.isfinite(nats)
    return float((nats[known] / most[known]).mean()) if known.any() else math.nan
