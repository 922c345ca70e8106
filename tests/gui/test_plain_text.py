"""Names and messages are shown as they are: nothing in them is taken for HTML, whose images would be read."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

import dqngui
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_box, plain_label, plain_tip

GUI = Path(dqngui.__file__).parent / "gui"
RICH = {"widgets/plain_label.py", "main_window/about.py", "charts/cursor.py"}
"""Where a label or a box is made whose HTML is our own."""
HOSTILE = ["<b>bold</b>", "<img src='{pipe}'>", "<html><body>x", "a <i>b</i>\nc  d", "<a href='x'>y</a> & z"]


@pytest.mark.parametrize("text", HOSTILE)
def test_labels_boxes_and_tooltips_show_markup_as_text(qtbot: QtBot, tmp_path: Path, text: str) -> None:
    os.mkfifo(tmp_path / "pipe")  # reading it would never end
    text = text.format(pipe=tmp_path / "pipe")
    window = QWidget()
    qtbot.addWidget(window)
    box = plain_box(QMessageBox.Icon.Warning, "Title", text, window)
    for label in (plain_label(text, window), ElidedLabel(text, window), *box.findChildren(QLabel)):
        widest = plain_label("\n".join(["M" * 200] * 9), window).sizeHint()
        assert label.sizeHint().width() < widest.width()  # laid out, with no image to read
    assert box.text() == text
    tip = QTextDocument()
    tip.setHtml(plain_tip(text))
    assert tip.toPlainText().split() == text.split()  # a long text has more lines


def test_what_is_no_markup_is_a_tooltip_as_it_is() -> None:
    assert plain_tip("1 < 2 & 3\nnext") == "1 < 2 & 3\nnext"


def test_labels_and_boxes_are_made_in_one_place() -> None:
    made = {
        path.relative_to(GUI).as_posix()
        for path in GUI.rglob("*.py")
        if re.search(r"(?<!class )(?<![\w.])(QLabel|QMessageBox)\(", path.read_text())
    }
    assert made - RICH == set()


def test_labels_of_their_own_class_say_that_they_are_plain() -> None:
    for path in GUI.rglob("*.py"):
        text = path.read_text()
        assert len(re.findall(r"class \w+\(QLabel\)", text)) <= text.count("setTextFormat("), path
