"""Dots: where they are, of which colour, and in an export."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from dqngui.gui.charts.plot import Plot
from dqngui.gui.charts.scatter import Scatter


@pytest.fixture
def plot(qtbot: QtBot) -> Plot:
    made = Plot()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.reach(1000)
    made.hold([(0.0, 8.0)])
    made.show()
    qtbot.waitExposed(made)
    return made


def reds(picture: QImage) -> set[tuple[int, int]]:
    """Pixels that are clearly red."""
    found = set()
    for x in range(picture.width()):
        for y in range(picture.height()):
            color = picture.pixelColor(x, y)
            if color.red() > 150 and color.green() < 90:
                found.add((x, y))
    return found


def test_dots_lie_at_their_points_and_are_as_large_as_asked(qtbot: QtBot, plot: Plot) -> None:
    dots = Scatter(6)
    dots.set_color(QColor("red"))
    plot.add(dots, 1)
    dots.setData(np.array([250.0, 500.0]), np.array([2.0, 6.0]))
    found = reds(plot.grab().toImage())
    for step, value in ((250.0, 2.0), (500.0, 6.0)):
        at = plot.mapFromScene(plot.box.mapViewToScene(QPointF(step, value)))
        near = [each for each in found if abs(each[0] - at.x()) <= 5 and abs(each[1] - at.y()) <= 5]
        assert 16 <= len(near) <= 40  # a disc of 6 pixels has 28
        found -= set(near)
    assert not found
    dots.setData(np.empty(0), np.empty(0))
    assert not reds(plot.grab().toImage())


def test_dots_are_drawn_as_shapes_where_they_are_enlarged(qtbot: QtBot, plot: Plot) -> None:
    dots = Scatter(6)
    dots.set_color(QColor("red"))
    plot.add(dots, 1)
    dots.setData(np.array([500.0]), np.array([4.0]))
    picture = QImage(plot.size() * 2, QImage.Format.Format_RGB32)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    painter.scale(2, 2)
    QWidget.render(plot, painter, QPoint())
    painter.end()
    assert 70 <= len(reds(picture)) <= 150  # 12 pixels wide now


def test_their_bounds_hold_whole_dots_at_any_zoom(qtbot: QtBot, plot: Plot) -> None:
    dots = Scatter(6)
    plot.add(dots, 1)
    dots.setData(np.array([100.0, 900.0]), np.array([1.0, 7.0]))
    for span in ((0.0, 1000.0), (400.0, 500.0)):
        plot.box.setXRange(*span)
        rect = dots.boundingRect()
        assert rect.left() <= 100 - plot.steps_in(3)
        assert rect.right() >= 900 + plot.steps_in(3)
