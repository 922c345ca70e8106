"""Lines of attention: from the agent's own entity to the entities that each head attends to, in a picture's places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dqngui.lab.analysis.overlay import MIN_FULL, Numbers
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import PlayerReady, View

NO_LINES: Numbers = np.zeros((0, 6))
"""No lines: of the shape (0, 6) that `attention_lines` gives."""


def lines_view(ready: PlayerReady) -> View | None:
    """The view whose lines are drawn: the first attention of heads to entities of which the agent's own is known.

    None: the agent has no such view, or its environment draws no picture.
    """
    if ready.entities is None or ready.own is None or ready.no_picture:
        return None
    return next((view for view in ready.views if view.axes[:1] == ("head",) and view.axes[-1:] == ("key",)), None)


def head_count(ready: PlayerReady) -> int:
    """Number of heads whose lines are drawn; 0 without lines."""
    view = lines_view(ready)
    return 0 if view is None else view.shape[0]


def attention_lines(playing: PlayedEpisode, t: int, description: Mapping[str, Any]) -> Numbers:
    """The lines of step t.

    Args:
        description: the description of that step (`dqngui.lab.playback.step_descriptions`), with its `places`.

    Returns:
        (M, 6): head; x and y of the agent's own entity and of the attended one, as shares of the picture's width and
        height; and strength up to 1. The strongest line is last. A line from the own entity to itself stands for the
        attention that it keeps. (0, 6) if weights or places are not known. Strength 1 is the largest weight of the
        step, but at least `MIN_FULL` times the even weight, so that even attention looks faint.
    """
    ready = playing.ready
    view, places = lines_view(ready), description.get("places")
    if view is None or places is None or ready.entities is None or ready.own is None:
        return NO_LINES
    values = playing.view(view.name)
    if values.ndim < 3 or not 0 <= t < len(values):
        return NO_LINES
    first, count = ready.entities
    weights = _of_heads(view, values[t], ready.own, playing.taken(t)[0])[:, first : first + count]
    own = ready.own - first
    if np.shape(places) != (count, 2) or not 0 <= own < count or not np.isfinite(places[own]).all():
        return NO_LINES
    full = _full(weights)
    heads, entities = np.nonzero((weights > 0) & np.isfinite(places).all(axis=1))
    if not full or not len(heads):
        return NO_LINES
    strengths = np.minimum(weights[heads, entities] / full, 1.0)
    begin = np.broadcast_to(places[own], (len(heads), 2))
    lines = np.column_stack([heads, begin, places[entities], strengths])
    return lines[strengths.argsort(kind="stable")]


def _of_heads(view: View, values: Numbers, own: int, action: int) -> Numbers:
    """Weights of each head (H, K): asked by the agent's own token, for the action taken, else the mean of an axis."""
    for axis in view.axes[1:-1]:
        if axis == "query":
            values = values[:, own]
        else:
            values = values[:, action] if axis == "action" else values.mean(axis=1)
    return values


def _full(weights: Numbers) -> float:
    """The weight that is drawn in full; 0 if none can be drawn."""
    largest = float(weights.max(initial=0.0))
    present = np.count_nonzero(weights.any(axis=0))
    return max(largest, min(1.0, MIN_FULL / present)) if np.isfinite(largest) and present else 0.0
