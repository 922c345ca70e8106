"""The history of a run: its events, kept once, as curves and lists from which every panel draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from msgspec import UnsetType

from dqngui.lab.session.curve import Curve
from dqngui.messages import (
    BreakpointHit,
    EpisodeEnded,
    Evaluated,
    Event,
    Forked,
    KnobChanged,
    KnobRefused,
    Learned,
    Noted,
    Warned,
)
from dqngui.messages.measures import MOST, is_name

LOGGED = (Evaluated, KnobChanged, KnobRefused, Warned, Noted, Forked, BreakpointHit)
LEARNED_FIELDS = ("loss", "td_error", "q_mean", "grad_norm", "epsilon", "steps_per_second", "updates_per_second")
OCCASIONAL_FIELDS = ("policy_loss", "value_error", "entropy", "kl", "clip_share", "explained", "epochs", "lr")
"""Quantities that only some runs have, such as those of a policy. Their curves stay empty in other runs."""


class History:
    """Everything that panels draw of one run.

    Attributes:
        returns, lengths: of training episodes, by environment step.
        measures: by name what the task says of the same episodes beside the return; NaN where an episode lacks it.
        learned: a curve for each of `LEARNED_FIELDS` and `OCCASIONAL_FIELDS`.
        evaluations, knobs, forks, hits: the events themselves (few).
        log_events: these, refused knobs and warnings, in the order of the log: what the Log panel lists.
        best: the evaluation of the best checkpoint.
        last_step: environment steps of the newest event.
        version: grows with every `take` that brought something.
    """

    def __init__(self) -> None:
        self.returns, self.lengths = Curve(), Curve()
        self.measures: dict[str, Curve] = {}
        self.learned = {name: Curve() for name in (*LEARNED_FIELDS, *OCCASIONAL_FIELDS)}
        self.evaluations: list[Evaluated] = []
        self.knobs: list[KnobChanged] = []
        self.log_events: list[Event] = []
        self.forks: list[Forked] = []
        self.hits: list[BreakpointHit] = []
        self.best: Evaluated | None = None
        self.last_step = 0
        self.version = 0

    @property
    def empty(self) -> bool:
        return self.version == 0

    @property
    def nbytes(self) -> int:
        """Memory of the curves, in bytes; the few events are not counted."""
        return sum(curve.nbytes for curve in self._curves())

    @property
    def marks(self) -> list[Forked | BreakpointHit | KnobChanged]:
        """The events marked on the curves; of two labels that would overlap, the later in this list is drawn."""
        return [*self.forks, *self.hits, *self.knobs]

    def curve(self, measure: str = "") -> Curve:
        """The curve of a measure of training episodes, empty if the run has none; without a name, that of returns."""
        return self.measures.get(measure, Curve()) if measure else self.returns

    def take(self, events: Iterable[Event]) -> None:
        """Add events in the order of the log, each once; kinds that no panel draws are skipped."""
        episodes: list[EpisodeEnded] = []
        learned: list[Learned] = []
        news = False
        for event in events:
            if isinstance(event, EpisodeEnded):  # by far the most
                episodes.append(event)
                continue
            if isinstance(event, Learned):
                learned.append(event)
                continue
            if isinstance(event, Evaluated):
                self.evaluations.append(event)
                self._name_measures(event.measures)
                if event.best:
                    self.best = event
            elif isinstance(event, KnobChanged):
                self.knobs.append(event)
            elif isinstance(event, Forked):
                self.forks.append(event)
            elif isinstance(event, BreakpointHit):
                self.hits.append(event)
            elif not isinstance(event, LOGGED):
                continue
            if isinstance(event, LOGGED):
                self.log_events.append(event)
            news = True
            self.last_step = max(self.last_step, event.step)
        if episodes:
            steps = np.array([event.step for event in episodes], dtype=float)
            self.returns.extend(steps, [event.ret for event in episodes])
            self.lengths.extend(steps, [event.length for event in episodes])
            for event in episodes:
                if event.measures:
                    self._name_measures(event.measures)
            for name, curve in self.measures.items():
                missing = self.returns.x.values[len(curve) : -len(episodes)]
                curve.extend(missing, np.full(len(missing), np.nan))
                curve.extend(steps, [event.measures.get(name) if event.measures else None for event in episodes])
        if learned:
            steps = np.array([event.step for event in learned], dtype=float)
            for name in LEARNED_FIELDS:
                self.learned[name].extend(steps, [getattr(event, name) for event in learned])
            for name in OCCASIONAL_FIELDS:
                known = [(event.step, value) for event in learned if (value := getattr(event, name)) is not None]
                if known:
                    self.learned[name].extend(*zip(*known, strict=True))
        for kept in (episodes, learned):
            if kept:
                news = True
                self.last_step = max(self.last_step, kept[-1].step)
        self.version += news

    def _name_measures(self, measures: Mapping[str, object] | UnsetType) -> None:
        """Begin a curve for each measure that has none yet."""
        for name in islice(measures or (), 4 * MOST):
            if name not in self.measures and len(self.measures) < MOST and is_name(name):
                self.measures[name] = Curve()

    def until(self, step: int) -> History:
        """A new history with everything up to `step` environment steps."""
        past = History()
        past.measures = {name: Curve() for name in self.measures}
        for mine, other in zip(self._curves(), past._curves(), strict=True):
            stop = int(np.searchsorted(mine.x.values, step, "right"))
            other.extend(mine.x.values[:stop], mine.y.values[:stop])
            if stop:
                past.last_step = max(past.last_step, int(mine.x.values[stop - 1]))
        past.evaluations = [event for event in self.evaluations if event.step <= step]
        past.knobs = [event for event in self.knobs if event.step <= step]
        past.forks = [event for event in self.forks if event.step <= step]
        past.hits = [event for event in self.hits if event.step <= step]
        past.log_events = [event for event in self.log_events if event.step <= step]
        past.best = next((event for event in reversed(past.evaluations) if event.best), None)
        past.last_step = max([past.last_step, *(event.step for event in past.log_events)])
        past.version = int(past.last_step > 0)
        return past

    def _curves(self) -> list[Curve]:
        return [self.returns, self.lengths, *self.learned.values(), *self.measures.values()]

    @classmethod
    def of(cls, events: Iterable[Event], chunk: int = 20_000) -> History:
        """The history of a stored log. To show progress, call `take` with parts of it instead."""
        history = cls()
        pending: list[Any] = []
        for event in events:
            pending.append(event)
            if len(pending) >= chunk:
                history.take(pending)
                pending.clear()
        history.take(pending)
        return history
