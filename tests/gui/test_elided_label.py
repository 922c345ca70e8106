"""The label that gives way."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from pytestqt.qtbot import QtBot

from dqngui.gui.widgets.elided_label import ElidedLabel


class Tips:
    """Takes the place of QToolTip, which hides a tip only after a while."""

    text = ""

    @classmethod
    def showText(cls, place: QPoint, text: str, widget: object) -> None:
        cls.text = text


def tooltip(label: ElidedLabel) -> str:
    label.event(QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), QPoint(1, 1)))
    return Tips.text


def test_a_cut_text_ends_in_an_ellipsis_and_is_whole_in_the_tooltip(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dqngui.gui.widgets.elided_label.QToolTip", Tips)
    whole = "CartPole-v1 · self-attention + GRU · cpu"
    label = ElidedLabel(whole)
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.show()
    assert label.shown().endswith("…") and len(label.shown()) < len(whole)
    assert label.text() == whole
    assert tooltip(label) == whole
    label.resize(20, 20)
    assert label.shown() == ""  # "C…" would puzzle
    assert tooltip(label) == whole
    label.resize(label.fontMetrics().horizontalAdvance(whole) + 4, 20)
    assert label.shown() == whole
    assert tooltip(label) == ""


def test_only_one_that_does_not_give_way_asks_for_its_width(qtbot: QtBot) -> None:
    for gives_way in (True, False):
        label = ElidedLabel("many words", gives_way=gives_way)
        qtbot.addWidget(label)
        assert label.minimumSizeHint().width() == 0
        assert (label.sizePolicy().horizontalPolicy() == label.sizePolicy().Policy.Ignored) is gives_way
