"""Interventions: changes to what an agent observes, remembers, attends to or does at some steps of an episode.

One entry of the list may consist of several `Intervention`s: a token is masked in every attention over it, and
all states of a memory are erased.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np
from PySide6.QtCore import QObject, Signal

from dqngui.lab.analysis.views import in_words
from dqngui.messages import Intervention, PlayerReady, View
from dqngui.texts.numbers import exact, minus

Do = Literal["set", "scale", "remove"]
ACTION, OBSERVATION = "action", "observation"
MAX_NAMED_PLACES = 3  # a sentence names at most this many places, of more only their number


@dataclass(frozen=True, slots=True)
class InterventionTarget:
    """A part of an agent that an intervention can change.

    Attributes:
        key: unique among the targets of the agent.
        group: its group in the menu: `Memory`, `Attention`, `What it sees`, `What it does`.
        text: its description.
        names: `Intervention.target` of each array; all are changed together.
        axes: axes of each of these arrays that is a view.
        axis: the axis on which places are chosen.
        labels: names of the places; empty if there is nothing to choose.
        does: possible operations; the first is the default.
        fixed: the changed places if there is nothing to choose; empty: all.
    """

    key: str
    group: str
    text: str
    names: tuple[str, ...]
    axes: tuple[tuple[str, ...], ...] = ()
    axis: str = ""
    labels: tuple[str, ...] = ()
    does: tuple[Do, ...] = ("remove", "set", "scale")
    fixed: tuple[int, ...] = ()

    @property
    def single(self) -> bool:
        """Whether exactly one place must be chosen."""
        return self.names == (ACTION,)

    def place_of(self, axes: Sequence[str], shape: Sequence[int], row: int) -> int:
        """The place that a row of a drawn view of this shape stands for; 0 if it stands for none."""
        rows = [(axis, count) for axis, count in zip(axes, shape, strict=True) if axis != "head"]
        names, counts = [axis for axis, _ in rows], [count for _, count in rows]
        if self.axis not in names or row >= math.prod(counts):
            return 0
        place = int(np.unravel_index(row, counts)[names.index(self.axis)])
        return len(self.labels) - 1 - place if self.axis == "lag" else place  # past steps are drawn oldest first

    def at(self, index: int, places: tuple[int, ...]) -> tuple[tuple[int, ...] | None, ...]:
        """`Intervention.at` of a target, for places along the axis; no places: all of them."""
        places = places or self.fixed
        if not places:
            return ()
        if not self.axes:
            return (places,)
        return tuple(places if axis == self.axis else None for axis in self.axes[index])


def intervention_targets(ready: PlayerReady) -> list[InterventionTarget]:
    """Everything that an intervention can change in this agent, in the order of the menu."""
    return [*_of_memory(ready), *_of_attention(ready), *_of_observation(ready), *_of_actions(ready)]


def _of_memory(ready: PlayerReady) -> Iterator[InterventionTarget]:
    held = [view for view in ready.views if view.name in ready.held]
    lagged = [view for view in _weights(ready) if view.axes[-1] == "lag"]
    if held:
        names = tuple(view.name for view in held)
        yield InterventionTarget(
            "memory", "Memory", "everything it remembers", names, tuple(v.axes for v in held), does=("remove",)
        )
    for view in held:
        for axis, count in zip(view.axes, view.shape, strict=True):
            if view.axes.count(axis) > 1:
                continue
            text = f"{in_words(view.name)}: {axis}s"
            labels = tuple(_labels(ready, axis, count))
            yield InterventionTarget(f"{view.name}:{axis}", "Memory", text, (view.name,), (view.axes,), axis, labels)
    if lagged:
        past = tuple(range(1, lagged[0].shape[-1]))
        if not held:
            names, axes = tuple(view.name for view in lagged), tuple(view.axes for view in lagged)
            yield InterventionTarget(
                "memory", "Memory", "everything it remembers", names, axes, "lag", does=("remove",), fixed=past
            )
        yield from _together(ready, lagged, "lag", "Memory", "past steps")
    for view in _weights(ready):
        if view.name.startswith("memory/") and view.axes[-1] != "lag":
            yield from _along(ready, view, "Memory")


def _of_attention(ready: PlayerReady) -> Iterator[InterventionTarget]:
    attended = [view for view in _weights(ready) if view.name.startswith("attention/")]
    keyed = [view for view in attended if view.axes[-1] == "key"]
    if keyed:
        yield from _together(ready, keyed, "key", "Attention", "tokens")
    for view in attended:
        yield from _along(ready, view, "Attention")
    for view in _weights(ready):
        if view.axes[-1] == "lag":
            yield from _along(ready, view, "Memory")


def _of_observation(ready: PlayerReady) -> Iterator[InterventionTarget]:
    if ready.features:
        does: tuple[Do, ...] = ("set", "scale", "remove")
        yield InterventionTarget(
            OBSERVATION,
            "What it sees",
            "entries of the observation",
            (OBSERVATION,),
            (),
            "feature",
            ready.features,
            does,
        )


def _of_actions(ready: PlayerReady) -> Iterator[InterventionTarget]:
    if ready.actions and not ready.choices:  # of several choices, a name is no action
        yield InterventionTarget(ACTION, "What it does", "the action", (ACTION,), (), "action", ready.actions, ("set",))


def _weights(ready: PlayerReady) -> list[View]:
    return [view for view in ready.views if view.name in ready.weights]


def _together(
    ready: PlayerReady, views: Sequence[View], axis: str, group: str, text: str
) -> Iterator[InterventionTarget]:
    """A target for places on an axis that several views share, changed in all of them."""
    for count, alike in groupby(sorted(views, key=lambda view: view.shape[-1]), key=lambda view: view.shape[-1]):
        some = list(alike)
        names = tuple(view.name for view in some)
        labels = tuple(_labels(ready, axis, count))
        axes = tuple(view.axes for view in some)
        yield InterventionTarget(f"{group}:{axis}:{count}", group, text, names, axes, axis, labels)


def _along(ready: PlayerReady, view: View, group: str) -> Iterator[InterventionTarget]:
    """Targets for the heads of a view of weights, and for its last axis if no other target covers that."""
    for axis, count in zip(view.axes, view.shape, strict=True):
        if axis in ("head", "slot") and count > 1:
            labels = tuple(_labels(ready, axis, count))
            yield InterventionTarget(
                f"{view.name}:{axis}",
                group,
                f"{in_words(view.name)}: {axis}s",
                (view.name,),
                (view.axes,),
                axis,
                labels,
            )


def _labels(ready: PlayerReady, axis: str, count: int) -> list[str]:
    if axis == "lag":
        return ["this step", "the step before", *(f"{lag} steps before" for lag in range(2, count))][:count]
    known = ready.labels.get(axis, ())
    return list(known) if len(known) == count else [f"{axis} {index + 1}" for index in range(count)]


@dataclass(frozen=True, slots=True)
class InterventionEntry:
    """One intervention: what is changed, at which steps, and how.

    Attributes:
        target: what is changed.
        places: places on the target's axis; empty: all.
        first, last: the changed steps; last None: until the end of the episode.
        on: whether it is applied.
    """

    target: InterventionTarget
    first: int
    last: int | None = None
    places: tuple[int, ...] = ()
    do: Do = "remove"
    value: float = 0.0
    on: bool = True

    def interventions(self) -> list[Intervention]:
        """The interventions to send to the playing process."""
        target = self.target
        if target.single:
            return [
                Intervention(target=ACTION, first=self.first, last=self.last, do="set", value=float(place))
                for place in self.places[:1]
            ]
        return [
            Intervention(
                target=name, first=self.first, last=self.last, at=target.at(index, self.places),
                do=self.do, value=0.0 if self.do == "remove" else self.value,
            )
            for index, name in enumerate(target.names)
        ]  # fmt: skip

    def fits(self, ready: PlayerReady) -> bool:
        """Whether this agent has the target."""
        return self.target in intervention_targets(ready)

    @property
    def what(self) -> str:
        """The text of the change: `hidden state: unit 3 erased`."""
        target = self.target
        if target.single:
            return f"does {target.labels[self.places[0]]}" if self.places else "does nothing else"
        where = target.text if not target.labels else f"{target.text.partition(':')[0]}, {self._places()}"
        if target.names == (OBSERVATION,):
            where = f"sees {self._places()}"
            return f"{where} as {_number(self.value)}" if self.do == "set" else f"{where} {self._done('as 0')}"
        masked = target.labels and (target.axis in ("key", "lag", "head") or "weights" in target.text)
        return f"{where} {self._done('masked' if masked else 'erased')}"

    def _done(self, removed: str) -> str:
        if self.do == "remove":
            return removed
        return f"set to {_number(self.value)}" if self.do == "set" else f"× {_number(self.value)}"

    def _places(self) -> str:
        names = [self.target.labels[place] for place in self.places]
        if not names or len(names) == len(self.target.labels):
            return "all"
        if len(names) <= MAX_NAMED_PLACES:
            return ", ".join(names)
        return f"{len(names)} of {len(self.target.labels)}"

    @property
    def when(self) -> str:
        """At which steps, in words."""
        if self.last is None:
            return f"from step {self.first:,} on"
        return f"at step {self.first:,}" if self.last == self.first else f"steps {self.first:,} to {self.last:,}"


def _number(value: float) -> str:
    return minus(exact(value))


class InterventionList(QObject):
    """The list of interventions.

    Signals:
        changed: an intervention was added, replaced or removed.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[InterventionEntry] = []

    def add(self, row: InterventionEntry) -> None:
        self.rows.append(row)
        self.changed.emit()

    def put(self, index: int, row: InterventionEntry) -> None:
        """Replace one."""
        if self.rows[index] != row:
            self.rows[index] = row
            self.changed.emit()

    def switch(self, index: int, on: bool) -> None:
        """Switch an entry on or off."""
        self.put(index, replace(self.rows[index], on=on))

    def remove(self, index: int) -> None:
        del self.rows[index]
        self.changed.emit()

    def clear(self) -> None:
        if self.rows:
            self.rows.clear()
            self.changed.emit()

    def active(self, ready: PlayerReady) -> list[InterventionEntry]:
        """The entries that are on and whose target this agent has."""
        known = intervention_targets(ready) if self.rows else []
        return [row for row in self.rows if row.on and row.target in known]
