"""A scroll area says where there is more."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from dqngui.gui.widgets.scroll_area import ScrollArea


def test_the_edge_fades_where_something_is_hidden(qtbot: QtBot) -> None:
    content = QWidget()
    content.setMinimumSize(200, 400)
    area = ScrollArea(content)
    qtbot.addWidget(area)
    area.resize(220, 200)
    area.show()
    qtbot.waitExposed(area)
    upper, lower = area.fades
    assert (upper.isVisible(), lower.isVisible()) == (False, True)
    assert lower.geometry().bottom() == area.viewport().rect().bottom()
    area.verticalScrollBar().setValue(100)
    assert (upper.isVisible(), lower.isVisible()) == (True, True)
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    assert (upper.isVisible(), lower.isVisible()) == (True, False)
    area.resize(220, 420)
    qtbot.waitUntil(lambda: not upper.isVisible() and not lower.isVisible())


def test_a_part_is_revealed_from_its_upper_end(qtbot: QtBot) -> None:
    content = QWidget()
    content.setMinimumSize(200, 900)
    part, large = QWidget(content), QWidget(content)
    part.setGeometry(0, 300, 200, 100)
    large.setGeometry(0, 500, 200, 400)
    area = ScrollArea(content)
    qtbot.addWidget(area)
    area.resize(220, 200)
    area.show()
    qtbot.waitExposed(area)
    bar = area.verticalScrollBar()
    area.reveal(part)
    assert bar.value() == 400 - area.viewport().height()
    area.reveal(large)
    assert bar.value() == 500
    area.reveal(part)
    assert bar.value() == 300
