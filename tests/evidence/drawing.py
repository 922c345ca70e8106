"""Draws the pictures of the evidence in light and dark: learning curves, and steps to solve against corridor length."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from dqngui.gui.charts.plot import Axis, Band
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.texts.numbers import short
from tests.evidence.results import Group

COLUMNS, PANEL, SHARPNESS = 3, QSize(440, 290), 2
LEGEND_HEIGHT, BAND_ALPHA = 30, 34
COLOURS: dict[Literal["dark", "light"], tuple[str, ...]] = {
    "dark": ("#56b4e9", "#e69f00", "#2fbf94", "#cc79a7", "#f0e442", "#ef6a6a", "#9a8cff", "#b8c4d4"),
    "light": ("#1b6fd6", "#c77700", "#0b8a66", "#a8457f", "#8a7a00", "#c93a3a", "#5b4bc4", "#44546a"),
}
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
Ranks = dict[str, int]


class LogAxis(Axis):
    """Ticks at 1, 2 and 5 of each power of ten, for values given as logarithms."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        ticks = [power + float(np.log10(m)) for power in powers for m in (1, 2, 5)]
        return [(1.0, [tick for tick in ticks if low <= tick <= high])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [short(float(f"{10**value:.2g}")) for value in values]


def draw(found: list[Group], folder: Path) -> list[tuple[str, str]]:
    """Write every picture in both themes; return their names (without theme and suffix) and descriptions."""
    app = QApplication.instance() or QApplication(["evidence"])
    assert isinstance(app, QApplication)
    drawn = [("curves", "Learning curves of every task: mean of the seeds with its 95 % interval", _curves)]
    if _corridors(found):
        drawn.append(("tmaze-lengths", "Steps until the T-maze is solved against the corridor's length", _lengths))
    for setting in ("dark", "light"):
        theme = themes.apply(app, setting)
        for name, _, make in drawn:
            _write(make(found, theme), folder / f"{name}-{theme.name}.png")
    return [(name, text) for name, text, _ in drawn]


def _write(view: pg.GraphicsLayoutWidget, path: Path) -> None:
    view.show()
    for _ in range(3):
        QApplication.processEvents()
    image = QImage(view.size() * SHARPNESS, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPNESS)
    painter = QPainter(image)
    view.render(painter, QRectF(view.rect()), view.rect())
    painter.end()
    view.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(str(path))


def _ranks(found: list[Group]) -> Ranks:
    """A number for every agent that is not a control; it gives the agent the same colour in every picture."""
    names = dict.fromkeys(group.row.agent for group in found if not group.is_control)
    return {name: rank for rank, name in enumerate(names)}


def _colour_and_dash(group: Group, ranks: Ranks, theme: Theme) -> tuple[QColor, Qt.PenStyle]:
    if group.is_control:
        return QColor(theme.muted), Qt.PenStyle.DashLine
    colours = COLOURS[theme.name]
    rank = ranks[group.row.agent]
    return QColor(colours[rank % len(colours)]), _DASHES[rank // len(colours) % len(_DASHES)]


def _legend(found: list[Group], ranks: Ranks, theme: Theme) -> str:
    names = [
        f'<span style="color:{QColor(COLOURS[theme.name][rank % len(COLOURS[theme.name])]).name()}">'
        f"{'━━' if rank < len(COLOURS[theme.name]) else '╍╍'}</span>&nbsp;{name}"
        for name, rank in ranks.items()
    ]
    if any(group.is_control for group in found):
        names.append(f'<span style="color:{theme.muted}">╍╍</span>&nbsp;control')
    return " &nbsp;&nbsp; ".join(names)


def _sheet(size: QSize, found: list[Group], ranks: Ranks, theme: Theme, columns: int) -> pg.GraphicsLayoutWidget:
    view = pg.GraphicsLayoutWidget(size=(size.width(), size.height()))
    view.setBackground(theme.surface)
    view.ci.layout.setContentsMargins(14, 8, 14, 8)
    view.ci.layout.setHorizontalSpacing(14)
    legend = pg.LabelItem(_legend(found, ranks, theme), color=theme.text, size="10pt", justify="left")
    view.addItem(legend, row=0, col=0, colspan=columns)
    view.ci.layout.setRowFixedHeight(0, LEGEND_HEIGHT)
    return view


def _panel(theme: Theme, title: str, make_axis: Callable[[str], Axis] = Axis) -> pg.PlotItem:
    plot = pg.PlotItem(axisItems={side: make_axis(side) for side in ("left", "bottom")})
    plot.setTitle(title, color=theme.text, size="10pt")
    plot.hideButtons()
    plot.setMenuEnabled(False)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(theme.line))
        axis.setTextPen(pg.mkPen(theme.muted))
    return plot


def _curves(found: list[Group], theme: Theme) -> pg.GraphicsLayoutWidget:
    tasks = [list(rows) for _, rows in groupby(found, key=lambda group: group.row.task)]
    columns = min(COLUMNS, len(tasks))
    lines = -(-len(tasks) // columns)
    ranks = _ranks(found)
    size = QSize(max(2, columns) * PANEL.width(), lines * PANEL.height() + LEGEND_HEIGHT)
    view = _sheet(size, found, ranks, theme, columns)
    for index, rows in enumerate(tasks):
        plot = _panel(theme, rows[0].task.title)
        view.addItem(plot, row=1 + index // columns, col=index % columns)
        if rows[0].task.measure == "return":
            goal = pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DotLine)
            plot.addItem(pg.InfiniteLine(rows[0].task.at_least, angle=0, pen=goal))
        last = max((result["curve"][-1][0] for group in rows for result in group.results if result["curve"]), default=1)
        plot.setXRange(0, last, padding=0.03)
        for group in rows:
            colour, dash = _colour_and_dash(group, ranks, theme)
            steps, mean, low, high = group.curve()
            band = Band()
            faint = QColor(colour)
            faint.setAlpha(BAND_ALPHA)
            band.set_color(faint)
            band.setData(steps, low, high)
            band.setZValue(-10)
            plot.addItem(band, ignoreBounds=True)
            plot.plot(steps, mean, pen=pg.mkPen(colour, width=2, style=dash), antialias=True)
            plot.plot(steps[-1:], mean[-1:], pen=None, symbol="o", symbolSize=6, symbolBrush=colour, symbolPen=None)
    return view


def _corridors(found: list[Group]) -> list[Group]:
    strict = (group for group in found if group.task.measure == "strict" and not group.is_control)
    return [group for group in strict if group.solved_at()]


def _lengths(found: list[Group], theme: Theme) -> pg.GraphicsLayoutWidget:
    solved = _corridors(found)
    ranks = _ranks(found)
    view = _sheet(QSize(2 * PANEL.width(), 2 * PANEL.height()), solved, {
        name: rank for name, rank in ranks.items() if any(group.row.agent == name for group in solved)
    }, theme, 1)  # fmt: skip
    plot = _panel(theme, "Steps until the strict T-maze is solved, against the corridor (median, all seeds)", LogAxis)
    view.addItem(plot, row=1, col=0)
    agents = list(dict.fromkeys(group.row.agent for group in solved))
    for place, agent in enumerate(agents):
        rows = [group for group in solved if group.row.agent == agent]
        aside = 0.012 * (place - (len(agents) - 1) / 2)  # so that the points of several agents do not overlap
        colour, dash = _colour_and_dash(rows[0], ranks, theme)
        lengths = np.array([group.results[0]["config"]["env"]["kwargs"]["length"] for group in rows], dtype=float)
        middle = np.array([np.median(group.solved_at()) for group in rows], dtype=float)
        plot.plot(
            np.log10(lengths) + aside, np.log10(middle), pen=pg.mkPen(colour, width=2, style=dash), antialias=True
        )
        for length, group in zip(lengths, rows, strict=True):
            at = np.log10(np.array(group.solved_at(), dtype=float))
            plot.plot(
                np.full(len(at), np.log10(length) + aside), at, pen=None, symbol="o", symbolSize=7, symbolBrush=colour,
                symbolPen=None, antialias=True,
            )  # fmt: skip
    return view
