"""Labels of views, and their values arranged as maps to draw. Works for the views of any module."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import View
from dqngui.texts.view_names import in_words


def matching(playing: PlayedEpisode, patterns: tuple[str, ...]) -> list[View]:
    """The episode's views whose name matches a pattern, in the order of the patterns."""
    return [
        view
        for index, pattern in enumerate(patterns)
        for view in playing.ready.views
        if fnmatchcase(view.name, pattern) and not any(fnmatchcase(view.name, each) for each in patterns[:index])
    ]


@dataclass(frozen=True)
class LayeredViews:
    """The same view in several layers, such as `attention/self/0` and `attention/self/1`; all have the same axes.

    Attributes:
        key: the pattern that names all of them in a choice: `attention/self/*`.
        views: one per layer.
    """

    key: str
    views: tuple[View, ...]

    @property
    def words(self) -> str:
        """The label: `self-attention, all layers`."""
        return f"{in_words(self.key.removesuffix('/*'))}, all layers"


def layered(views: Sequence[View]) -> list[LayeredViews]:
    """The views that exist in more than one layer, in the order of their first layer."""
    kinds: dict[tuple[str, tuple[str, ...], tuple[int, ...]], list[View]] = {}
    for view in views:
        stem, _, number = view.name.rpartition("/")
        if number.isdigit():
            kinds.setdefault((stem, view.axes, view.shape), []).append(view)
    return [LayeredViews(f"{stem}/*", tuple(each)) for (stem, _, _), each in kinds.items() if len(each) > 1]


def axis_labels(playing: PlayedEpisode, axis: str, count: int) -> list[str]:
    """Labels along an axis. The axis `lag` counts back from the present step, 0; the oldest comes first."""
    if axis == "lag":
        return ["0" if lag == 0 else f"−{lag}" for lag in range(count - 1, -1, -1)]
    return playing.labels(axis, count)


def axis_title(axis: str) -> str:
    """The title of an axis whose labels are numbers."""
    return "past step" if axis == "lag" else axis.replace("_", " ")


@dataclass(frozen=True)
class Maps:
    """Describes how one step of a view is drawn as an array maps × rows × columns.

    The last axis of the view gives the columns, `head` the maps, all other axes the rows. Without other axes, the heads
    are the rows of a single map. If the columns are the cells of an observed picture and there are no other axes,
    each head is drawn as that picture.

    Attributes:
        titles, rows, columns: labels of the maps, rows and columns.
        axes: titles of rows and columns.
        heads: labels of the heads; empty without a `head` axis.
        keys: labels along the last axis, and its title; the same as the columns, except for a picture.
        cells: for a picture: index of its first cell along the last axis, and its size along the two axes of the
            observation; None otherwise.
        turned: the first of these two axes is drawn from left to right.
    """

    view: View
    titles: list[str]
    rows: list[str]
    columns: list[str]
    axes: tuple[str, str]
    heads: list[str]
    keys: tuple[list[str], str]
    cells: tuple[int, int, int] | None = None
    turned: bool = False

    @classmethod
    def of(cls, playing: PlayedEpisode, view: View) -> Maps:
        named = {axis: axis_labels(playing, axis, n) for axis, n in zip(view.axes, view.shape, strict=True)}
        last = view.axes[-1]
        heads = named["head"] if "head" in view.axes[:-1] else []
        between = [axis for axis in view.axes[:-1] if axis != "head"]
        if between:
            rows, row_title = short_names([(axis, named[axis]) for axis in between])
            titles = heads or [""]
        else:
            rows, row_title, titles = heads or [""], "", [""]
        keys = columns, _ = short_names([(last, named[last])])
        cells = playing.ready.cells
        if cells is None or last != "key" or between or cells[0] + cells[1] * cells[2] > len(columns):
            return cls(view, titles, rows, columns, (row_title, keys[1]), heads, keys)
        turned = playing.ready.transposed
        counts = reversed(cells[1:]) if turned else cells[1:]
        rows, columns = ([str(place) for place in range(count)] for count in counts)
        return cls(view, heads or [""], rows, columns, ("row", "column"), heads, keys, cells, turned)

    def heads_first(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Reshape values (n, *shape) to (n, heads or 1, other axes, columns); on the axis `lag` the oldest is first."""
        if "head" in self.view.axes[:-1]:
            values = np.moveaxis(values, 1 + self.view.axes.index("head"), 1)
        else:
            values = values[:, None]
        values = values.reshape(*values.shape[:2], math.prod(values.shape[2:-1]), values.shape[-1])
        return values[..., ::-1] if self.view.axes[-1] == "lag" else values

    def at(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Reshape the values of one step (*shape) to (maps, rows, columns)."""
        first = self.heads_first(values[None])[0]
        if self.cells is not None:
            place, rows, columns = self.cells
            first = first[..., place : place + rows * columns]
            if self.turned:
                first = first.reshape(-1, rows, columns).swapaxes(-1, -2)
        return first.reshape(len(self.titles), len(self.rows), len(self.columns))


def short_names(axes: list[tuple[str, list[str]]]) -> tuple[list[str], str]:
    """Short labels for the combinations of some axes, given as (name, labels), and the title of the labels.

    Labels that only count, such as `slot 1`, `slot 2`, become numbers; the title then names what they count.
    """
    names, titles = [], []
    for axis, labels in axes:
        title, counted = axis_title(axis), _counted(labels)
        names.append(labels if counted is None else [str(index + 1) for index in range(len(labels))])
        titles.append(title if counted in (None, axis, title) else f"{title}: {counted}")
    return combined(names), " · ".join(titles)


def _counted(labels: list[str]) -> str | None:
    """`slot` for the labels `slot 1`, `slot 2`, …; None for other labels."""
    what = labels[0].removesuffix(" 1") if labels else ""
    return what if what and labels == [f"{what} {index + 1}" for index in range(len(labels))] else None


def combined(names: list[list[str]]) -> list[str]:
    """Every combination of the names, the last name changing fastest."""
    result = [""]
    for each in names:
        result = [f"{before} · {name}" if before else name for before in result for name in each]
    return result


def entropy(shares: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Entropy in nats of shares (..., n), and its maximum: the logarithm of the number of shares above 0."""
    p = np.asarray(shares)
    positive = p > 0
    safe = np.where(positive, p, np.ones((), p.dtype))  # 0 · log 0 counts as 0
    entropies = -(safe * np.log(safe)).sum(-1, dtype=np.float64)
    return np.where(np.isfinite(p).all(-1), entropies, np.nan), np.log(np.maximum(positive.sum(-1), 1))
