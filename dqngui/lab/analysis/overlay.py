"""Overlays on what the agent sees: which part of it a view weighs, and by how much. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.lab.analysis.views import in_words
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import PlayerReady, View

_SALIENCY = {"saliency/gradient": "Saliency: gradient × input", "saliency/integrated": "Saliency: integrated gradients"}
Numbers = npt.NDArray[Any]
CLEAR = 3.0
NO_MARKS: Numbers = np.zeros((0, 3))


@dataclass(frozen=True)
class StepOverlay:
    """One step of a view, laid over what is seen.

    Attributes:
        names, weights: parts of the observation that are no cells, and how much each weighs.
        cells: weights of the rows and columns of the picture that is observed, as it is shown; None: it has none.
        signed: weights lie around zero (saliency); else they are shares.
        entities: those of the weights that are entities' (N,); None: there are no such.
        t: the step that it is of.
    """

    names: list[str]
    weights: Numbers
    cells: Numbers | None
    signed: bool
    entities: Numbers | None = None
    t: int = 0

    @property
    def full(self) -> float:
        """The magnitude that is drawn in full: the largest, of cells and others alike.

        Of shares it is at least `CLEAR` times an even one, so that attention to all alike does not look like attention.
        """
        told = [np.abs(each).ravel() for each in (self.weights, self.cells) if each is not None]
        every = np.concatenate(told)
        most = float(every.max(initial=0.0))
        if not np.isfinite(most):
            return 0.0
        there = np.count_nonzero(every)
        return most if self.signed or not there else max(most, min(1.0, CLEAR / there))

    def marks(self, t: int, told: Mapping[str, Any]) -> Numbers:
        """Where entities are to be marked in the environment's picture of step t, and how strongly.

        Args:
            told: what was described of that step (`dqngui.lab.playback.step_descriptions`).

        Returns:
            (M, 3): shares of the picture's width and height, and the weight as a share of `full`; the heaviest
            last. Where this is of another step, or no entity is in the picture: (0, 3).
        """
        places, weights = told.get("places"), self.entities
        if t != self.t or weights is None or places is None or np.shape(places) != (len(weights), 2):
            return NO_MARKS
        full = self.full
        if not full:
            return NO_MARKS
        marks = np.column_stack([places, np.abs(weights) / full])
        with np.errstate(invalid="ignore"):
            marks = marks[((marks >= 0) & (marks <= 1)).all(axis=1)]  # neither absent (NaN) nor outside
        return marks[marks[:, 2].argsort()]


@dataclass(frozen=True)
class WeightsOverlay:
    """A chosen view.

    Attributes:
        view: its name.
        head: one of its heads; None: their mean.
    """

    view: str
    head: int | None = None

    def words(self, ready: PlayerReady) -> str:
        """What is drawn, `Pooling · head 2`."""
        heads = heads_of(ready, self.view)
        one = self.head is not None and self.head < heads
        whose = f"head {(self.head or 0) + 1}" if one else "mean of the heads" if heads > 1 else ""
        return " · ".join(part for part in (overlay_words(self.view), whose) if part)

    def at(self, playing: PlayedEpisode, t: int) -> StepOverlay | None:
        """What it says of step t, or of the last step that it is known of; None: of none."""
        view = next((each for each in offered(playing.ready) if each.name == self.view), None)
        values = playing.view(self.view)
        if view is None or values.ndim < 2 or not len(values):
            return None
        t = min(t, len(values) - 1)
        ready = playing.ready
        if view.axes == ("row", "column"):
            return StepOverlay([], np.empty(0), _upright(values[t], ready), view.signed, t=t)
        if view.axes == ("feature",):
            return StepOverlay(playing.labels("feature", len(values[t])), values[t], None, view.signed, t=t)
        weights = self._of_tokens(view, values[t], int(playing.action[t]))
        names = playing.labels("key", len(weights))
        entities = None if ready.entities is None else weights[ready.entities[0] :][: ready.entities[1]]
        if ready.cells is None:
            return StepOverlay(names, weights, None, view.signed, entities, t)
        first, rows, columns = ready.cells
        last = first + rows * columns
        cells = _upright(weights[first:last].reshape(rows, columns), ready)
        others = [*range(first), *range(last, len(weights))]
        return StepOverlay([names[index] for index in others], weights[others], cells, view.signed, entities, t)

    def _of_tokens(self, view: View, values: Numbers, action: int) -> Numbers:
        """How much each token is attended to: by the chosen head, the action that was taken, the mean of queries."""
        for axis in view.axes[:-1]:
            count = len(values)
            if axis == "head" and self.head is not None and self.head < count:
                values = values[self.head]
            elif axis == "action" and action < count:
                values = values[action]
            else:
                values = values.mean(axis=0)
        return values


def offered(ready: PlayerReady) -> list[View]:
    """Views that can be laid over what is seen: attention to tokens, and saliency."""
    attention = [view for view in ready.views if view.axes and view.axes[-1] == "key"]
    return attention + [view for view in ready.derivable if view.axes in (("feature",), ("row", "column"))]


def heads_of(ready: PlayerReady, name: str) -> int:
    """How many heads a view has, 0 without any."""
    view = next((each for each in offered(ready) if each.name == name), None)
    return view.shape[view.axes.index("head")] if view is not None and "head" in view.axes else 0


def _upright(cells: Numbers, ready: PlayerReady) -> Numbers:
    return cells.T if ready.turned else cells


def overlay_words(name: str) -> str:
    """A view's name as an overlay."""
    words = _SALIENCY.get(name) or in_words(name)
    return words[:1].upper() + words[1:]
