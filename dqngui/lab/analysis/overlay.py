"""Overlays on the observation: how much a view (attention or saliency) weighs each part of it."""

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
MIN_FULL = 3.0
"""Attention weights are drawn in full from this multiple of the uniform weight upwards."""
NO_MARKS: Numbers = np.zeros((0, 3))


@dataclass(frozen=True)
class StepOverlay:
    """The weights of one view at one step, drawn over the observation.

    Attributes:
        names, weights: labels and weights of the parts of the observation that are not cells of a picture.
        cells: weights of the picture's rows and columns, oriented as it is shown; None without a picture.
        signed: weights may be negative (saliency); otherwise they are shares.
        entities: weights of the entities (N,); None without entities.
        t: the step of the weights.
    """

    names: list[str]
    weights: Numbers
    cells: Numbers | None
    signed: bool
    entities: Numbers | None = None
    t: int = 0

    @property
    def full(self) -> float:
        """The magnitude that is drawn in full: the largest weight of cells and other parts.

        For shares it is at least `MIN_FULL` times the uniform weight, so that uniform attention looks faint.
        """
        magnitudes = [np.abs(each).ravel() for each in (self.weights, self.cells) if each is not None]
        joined = np.concatenate(magnitudes)
        largest = float(joined.max(initial=0.0))
        if not np.isfinite(largest):
            return 0.0
        count = np.count_nonzero(joined)
        return largest if self.signed or not count else max(largest, min(1.0, MIN_FULL / count))

    def marks(self, t: int, description: Mapping[str, Any]) -> Numbers:
        """Positions and strengths of the entity marks in the environment's picture of step t.

        Args:
            description: the description of that step (`dqngui.lab.playback.step_descriptions`).

        Returns:
            (M, 3): x and y as shares of the picture's width and height, and the weight as a share of `full`; the
            largest weight is last. (0, 3) for another step, or if no entity is in the picture.
        """
        places, weights = description.get("places"), self.entities
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
    """The choice of a view to draw over the observation.

    Attributes:
        view: name of the view.
        head: index of a head; None means the mean of the heads.
    """

    view: str
    head: int | None = None

    def words(self, ready: PlayerReady) -> str:
        """The label of the overlay: `Pooling · head 2`."""
        heads = heads_of(ready, self.view)
        one = self.head is not None and self.head < heads
        heads_label = f"head {(self.head or 0) + 1}" if one else "mean of the heads" if heads > 1 else ""
        return " · ".join(part for part in (overlay_words(self.view), heads_label) if part)

    def at(self, playing: PlayedEpisode, t: int) -> StepOverlay | None:
        """The overlay of step t, or of the last step with values; None without any values."""
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
        weights = self._of_tokens(view, values[t], playing.taken(t)[0])
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
        """Attention to each token (K,): of the chosen head or of the action taken, otherwise the mean over the axis."""
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
    """The views that can be drawn over the observation: attention to tokens, and saliency."""
    attention = [view for view in ready.views if view.axes and view.axes[-1] == "key"]
    return attention + [view for view in ready.derivable if view.axes in (("feature",), ("row", "column"))]


def heads_of(ready: PlayerReady, name: str) -> int:
    """Number of heads of a view; 0 without a `head` axis."""
    view = next((each for each in offered(ready) if each.name == name), None)
    return view.shape[view.axes.index("head")] if view is not None and "head" in view.axes else 0


def _upright(cells: Numbers, ready: PlayerReady) -> Numbers:
    return cells.T if ready.transposed else cells


def overlay_words(name: str) -> str:
    """The label of a view in the overlay menu."""
    words = _SALIENCY.get(name) or in_words(name)
    return words[:1].upper() + words[1:]
