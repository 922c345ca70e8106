"""Announced views in words, and their values as maps: nothing here knows any one module."""

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

_WORDS = {
    "self": "self-attention", "pool": "pooling", "hidden": "hidden state", "cell": "cell state",
    "read": "read weights", "write": "write weights", "link": "temporal links",
}  # fmt: skip


def in_words(name: str) -> str:
    """A view's name as a person says it: `attention/self/0` is `self-attention, layer 1`."""
    kind, *parts = name.split("/")
    layer = f", layer {int(parts.pop()) + 1}" if parts and parts[-1].isdigit() else ""
    if not parts or parts == ["attention"]:  # the memory's own attention, over past steps
        return kind + layer
    if len(parts) == 1 and kind == "attention" and parts[0] not in _WORDS:
        return f"{parts[0]} attention{layer}"
    words = [_WORDS.get(part, part.replace("_", " ")) for part in parts]
    return " ".join([*words[1:], words[0]]) + layer  # `gate/forget` is the forget gate


def matching(playing: PlayedEpisode, patterns: tuple[str, ...]) -> list[View]:
    """The announced views that fit one of the patterns, in the patterns' order."""
    return [
        view
        for index, pattern in enumerate(patterns)
        for view in playing.ready.views
        if fnmatchcase(view.name, pattern) and not any(fnmatchcase(view.name, each) for each in patterns[:index])
    ]


@dataclass(frozen=True)
class Layers:
    """One kind of view in several layers, as `attention/self/0` and `attention/self/1` are: all have the same axes.

    Attributes:
        key: stands for all of them in a choice.
    """

    key: str
    views: tuple[View, ...]

    @property
    def words(self) -> str:
        """As a person says it: `self-attention, all layers`."""
        return f"{in_words(self.key.removesuffix('/*'))}, all layers"


def layered(views: Sequence[View]) -> list[Layers]:
    """The kinds of view that stand in more than one layer, in the order of their first one."""
    kinds: dict[tuple[str, tuple[str, ...], tuple[int, ...]], list[View]] = {}
    for view in views:
        stem, _, number = view.name.rpartition("/")
        if number.isdigit():
            kinds.setdefault((stem, view.axes, view.shape), []).append(view)
    return [Layers(f"{stem}/*", tuple(each)) for (stem, _, _), each in kinds.items() if len(each) > 1]


def axis_labels(playing: PlayedEpisode, axis: str, count: int) -> list[str]:
    """Names along an axis; past steps are counted back from 0, the present one, oldest first."""
    if axis == "lag":
        return ["0" if lag == 0 else f"−{lag}" for lag in range(count - 1, -1, -1)]
    return playing.labels(axis, count)


def axis_title(axis: str) -> str:
    """An axis in words, for one that is drawn with numbers."""
    return "past step" if axis == "lag" else axis.replace("_", " ")


@dataclass(frozen=True)
class Maps:
    """How one step of a view is drawn: maps × rows × columns.

    The last axis gives the columns, `head` the maps, everything else the rows; without anything else the heads are
    the rows of a single map. Where the columns are cells of a picture and nothing else is left, each head's map is
    that picture.

    Attributes:
        titles, rows, columns: their names.
        axes: titles of rows and columns.
        heads: names of the heads, none without such an axis.
        keys: names along the last axis, and its title; the columns are the same, but for a picture.
        cells: of a picture: the place of its first cell along the last axis, and how many it has in the two directions
            of the observation; `turned`: of these the first goes to the right in what is shown.
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
        turned = playing.ready.turned
        counts = reversed(cells[1:]) if turned else cells[1:]
        rows, columns = ([str(place) for place in range(count)] for count in counts)
        return cls(view, heads or [""], rows, columns, ("row", "column"), heads, keys, cells, turned)

    def heads_first(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values (n, *shape) as (n, heads or 1, the rest, columns), past steps oldest first."""
        if "head" in self.view.axes[:-1]:
            values = np.moveaxis(values, 1 + self.view.axes.index("head"), 1)
        else:
            values = values[:, None]
        values = values.reshape(*values.shape[:2], math.prod(values.shape[2:-1]), values.shape[-1])
        return values[..., ::-1] if self.view.axes[-1] == "lag" else values

    def at(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """One step's values (*shape) as (maps, rows, columns)."""
        first = self.heads_first(values[None])[0]
        if self.cells is not None:
            place, rows, columns = self.cells
            first = first[..., place : place + rows * columns]
            if self.turned:
                first = first.reshape(-1, rows, columns).swapaxes(-1, -2)
        return first.reshape(len(self.titles), len(self.rows), len(self.columns))


def short_names(axes: list[tuple[str, list[str]]]) -> tuple[list[str], str]:
    """Short names along some axes (name, labels), combined, and their title.

    Where labels only count, as `slot 1`, `slot 2` do, numbers are enough beside a title that says of what.
    """
    names, titles = [], []
    for axis, labels in axes:
        title, counted = axis_title(axis), _counted(labels)
        names.append(labels if counted is None else [str(index + 1) for index in range(len(labels))])
        titles.append(title if counted in (None, axis, title) else f"{title}: {counted}")
    return combined(names), " · ".join(titles)


def _counted(labels: list[str]) -> str | None:
    """What `slot 1`, `slot 2`, … count; None for other names."""
    what = labels[0].removesuffix(" 1") if labels else ""
    return what if what and labels == [f"{what} {index + 1}" for index in range(len(labels))] else None


def combined(names: list[list[str]]) -> list[str]:
    """Every combination of names, the last changing fastest."""
    result = [""]
    for each in names:
        result = [f"{before} · {name}" if before else name for before in result for name in each]
    return result


def entropy(shares: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Entropy in nats of shares (..., n), and the logarithm of how many of the n could be chosen (are not 0)."""
    p = np.asarray(shares)
    some = p > 0
    sure = np.where(some, p, np.ones((), p.dtype))
    nats = -(sure * np.log(sure)).sum(-1, dtype=np.float64)
    return np.where(np.isfinite(p).all(-1), nats, np.nan), np.log(np.maximum(some.sum(-1), 1))
