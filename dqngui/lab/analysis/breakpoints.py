"""The editable list of breakpoints. Training checks most of them; the window checks those measured by the player.

The list belongs to the window, not to a run: every run that trains in the window gets the breakpoints that are
enabled, and a closed window forgets them.
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
from dqngui.texts import say, words

WATCHED = ("attention_entropy", "memory_saturation")
"""Quantities that only the window measures, on the episodes that the player plays with the newest weights."""
OFFERED = (*QUANTITIES, *WATCHED)
SATURATED = 0.95
"""A unit of the memory counts as saturated if its magnitude is above this."""
MAX_VALUES = 200_000  # values measured per view and episode; of a longer episode, steps are skipped evenly
_ATTENTION, _HIDDEN = ("attention/*", "memory/attention/*"), ("memory/hidden*",)


@dataclass(frozen=True, slots=True)
class BreakpointEntry:
    """One breakpoint of the list, and whether it is enabled."""

    point: Breakpoint
    enabled: bool = True


class BreakpointList(QObject):
    """Breakpoints in the order in which they were added, without duplicates.

    Attributes:
        entries: all breakpoints.
        watched: the newest value of each quantity in `WATCHED`.
        values_visible: whether present values are displayed, so that they are measured even without a breakpoint.

    Signals:
        changed: the entries changed, or whether they can be edited.
        measured: `watched` changed.
    """

    changed = Signal()
    measured = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[BreakpointEntry, ...] = ()
        self.watched: dict[str, float] = {}
        self.values_visible = False
        self._session = session
        self._held: set[Breakpoint] = set()
        self._measured: PlayedEpisode | None = None
        session.changed.connect(self.changed)
        session.cleared.connect(self._on_cleared)

    # -- the list ----------------------------------------------------------------------------------

    @property
    def problem(self) -> str:
        """Why the list cannot be edited, as a sentence; empty if it can."""
        if self._session.state is State.STORED:
            return words(say("breakpoint.stored"))
        return ""

    @property
    def enabled(self) -> tuple[Breakpoint, ...]:
        """The enabled breakpoints."""
        return tuple(entry.point for entry in self.entries if entry.enabled)

    def add(self, point: Breakpoint) -> None:
        """Add an enabled breakpoint; if the list has it already, enable it."""
        others = [entry.point for entry in self.entries]
        if point in others:
            self.enable(others.index(point), True)
        else:
            self._replace((*self.entries, BreakpointEntry(point)))

    def remove(self, index: int) -> None:
        """Remove a breakpoint."""
        self._replace(self.entries[:index] + self.entries[index + 1 :])

    def enable(self, index: int, enabled: bool) -> None:
        """Enable or disable a breakpoint."""
        entry = replace(self.entries[index], enabled=enabled)
        self._replace((*self.entries[:index], entry, *self.entries[index + 1 :]))

    def _replace(self, entries: tuple[BreakpointEntry, ...]) -> None:
        if entries == self.entries or self.problem:
            return
        self.entries = entries
        self._held &= set(self.enabled)
        self._session.job.set_breakpoints(tuple(point for point in self.enabled if point.quantity not in WATCHED))
        self.changed.emit()

    # -- present values ----------------------------------------------------------------------------

    def present(self, quantity: str) -> float | None:
        """The newest logged or measured value of a quantity; None if there is none yet."""
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

    # -- measurement on played episodes ------------------------------------------------------------

    def watch(self, playing: PlayedEpisode | None) -> None:
        """Measure the player's episode after it has ended, if a breakpoint or the display needs the values."""
        player_points = [point for point in self.enabled if point.quantity in WATCHED]
        if playing is None or playing is self._measured or not (player_points or self.values_visible):
            return
        if not playing.ended or not self._counts(playing):
            return
        self._measured = playing
        self.watched = measure(playing)
        self.measured.emit()
        for point in player_points if self._session.state is State.RUNNING else ():  # only running training can pause
            value = self.watched.get(point.quantity)
            if value is None or not holds(point, value):
                self._held.discard(point)
            elif point not in self._held:
                self._held.add(point)
                self._session.break_at(BreakpointHit(step=playing.weights_step, point=point, value=value))

    def _counts(self, playing: PlayedEpisode) -> bool:
        """Whether the agent that trains here played the episode, without interventions and without a person."""
        training = self._session.state in (State.RUNNING, State.PAUSED)
        alone = playing.has_views and not playing.given and not playing.person_acted
        return training and alone and playing.source == "newest weights"


def measure(playing: PlayedEpisode) -> dict[str, float]:
    """Measure the quantities of `WATCHED` over an episode; a quantity that the agent does not have is left out.

    `attention_entropy` is the mean entropy over heads and rows, as a share of the maximum. `memory_saturation` is the
    share of hidden values whose magnitude is above `SATURATED`.
    """
    measured = {}
    shares = [_entropy_share(playing, name) for name in _matching(playing.ready.weights, _ATTENTION)]
    shares = [share for share in shares if math.isfinite(share)]
    if shares:
        measured["attention_entropy"] = sum(shares) / len(shares)
    held = [_sample(playing, name) for name in _matching(playing.ready.held, _HIDDEN)]
    held = [values for values in held if values.size]
    if held:
        saturated = sum(int((np.abs(values) > SATURATED).sum()) for values in held)
        measured["memory_saturation"] = saturated / sum(values.size for values in held)
    return measured


def _matching(names: tuple[str, ...], patterns: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _sample(playing: PlayedEpisode, name: str) -> npt.NDArray[np.float32]:
    values = playing.view(name)
    return values[:: _stride(values)]


def _stride(values: npt.NDArray[np.float32]) -> int:
    return 1 + values.size // MAX_VALUES


def _entropy_share(playing: PlayedEpisode, name: str) -> float:
    """Mean entropy as a share of its maximum, over the rows with more than one key to attend to.

    Keys that are absent or in the future do not count. A weight of 0 means an absent key, unless only one weight
    is above 0: then all keys that can exist count.
    """
    values, view = playing.view(name), playing.views[name]
    if values.ndim < 2:
        return math.nan
    t = np.arange(0, len(values), _stride(values))
    entropies, maximum = entropy(values[t])
    places = np.minimum(t + 1, view.shape[-1]) if view.axes[-1] == "lag" else np.full(len(t), view.shape[-1])
    maximum = np.where(maximum > 0, maximum, np.log(places).reshape(-1, *(1,) * (maximum.ndim - 1)))
    known = (maximum > 0) & np.isfinite(entropies)
    return float((entropies[known] / maximum[known]).mean()) if known.any() else math.nan
