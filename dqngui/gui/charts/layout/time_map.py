"""A model of a drawn map of rows × steps of an episode: labels, coloured values, and the marked row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from dqngui.gui.charts.layout.color_range import ColorRange
from dqngui.gui.charts.layout.map_labels import row_labels, row_title, title_width
from dqngui.gui.charts.layout.text import Label, Letters


@dataclass(frozen=True, slots=True)
class MapTexts:
    """The texts around a map.

    Attributes:
        rows: names of the places from the top.
        title: what the rows are.
        caption: the line above the map; empty: none.
        figure: the number after the caption; empty: none.
    """

    rows: Sequence[str] = ()
    title: str = ""
    caption: str = ""
    figure: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TimeMapDrawn:
    """A map with its labels.

    Attributes:
        place: where steps 0 … span − 1 are, in pixels.
        labels: of the axis and the rows, their title, and the caption.
        figure: the number after the caption; None: none, or there is no room.
        values: what is coloured (steps, rows); no steps: nothing is painted.
        order: which row of the values is drawn at each place from the top.
        colors: which values the colours stand for.
        marker: where the marked row begins; None: no row is marked.
    """

    place: QRectF
    span: int
    labels: tuple[Label, ...]
    figure: Label | None
    values: npt.NDArray[np.float32]
    order: npt.NDArray[np.intp]
    colors: ColorRange
    marker: QPointF | None


def time_map_drawn(
    texts: MapTexts,
    labels: tuple[Label, ...],
    place: QRectF,
    span: int,
    values: npt.NDArray[np.float32],
    order: npt.NDArray[np.intp],
    colors: ColorRange,
    chosen: int | None,
    letters: Letters,
) -> TimeMapDrawn:
    """Put values (steps, rows) between `labels`, which are made once for many values; `chosen`: the marked row."""
    figure, marker = _figure_label(texts, place, letters), _row_marker(chosen, order, place)
    return TimeMapDrawn(place, span, labels, figure, values, order, colors, marker)


def map_labels(texts: MapTexts, place: QRectF, height: float, letters: Letters) -> tuple[Label, ...]:
    """The caption, the names of the rows and their title, around a map in a chart `height` pixels high."""
    above = QRectF(place.left(), 1, place.width(), letters.line)
    caption = [Label(above, letters.shortened(texts.caption, place.width()))] if texts.caption else []
    return (
        *caption,
        *row_labels(texts.rows, place, title_width(bool(texts.title), letters), height, letters),
        *row_title(texts.title, place.top(), place.bottom(), letters),
    )


def _figure_label(texts: MapTexts, place: QRectF, letters: Letters) -> Label | None:
    """The number at the right end of the caption's line, if both have room."""
    if not texts.caption or not texts.figure:
        return None
    width = letters.width(texts.figure) + 2
    if width + 12 + letters.width(texts.caption) > place.width():
        return None
    return Label(QRectF(place.right() - width, 1, width, letters.line), texts.figure, "right", "text")


def _row_marker(chosen: int | None, order: npt.NDArray[np.intp], place: QRectF) -> QPointF | None:
    """The left end of the middle of a row of the values; None: there is no such row."""
    if chosen is None or chosen >= len(order):
        return None
    at = int(np.flatnonzero(order == chosen)[0])
    return QPointF(place.left(), place.top() + (at + 0.5) * (place.height() / len(order)))
