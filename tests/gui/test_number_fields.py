"""Number fields on a desktop of another language: what is typed is understood or refused, and shown as applied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit
from pytestqt.qtbot import QtBot

from dqngui.gui.settings_form.fields import NumberEditor
from dqngui.gui.widgets.number_box import NumberBox, WholeNumberBox
from dqngui.texts.numbers import editable


@pytest.fixture(autouse=True, params=[QLocale.Language.German, QLocale.Language.English, QLocale.Language.Arabic])
def _desktop(request: pytest.FixtureRequest) -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield
    QLocale.setDefault(before)


def type_into(field: QLineEdit | QAbstractSpinBox, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (float, "0,001", 0.001), (float, "2,5", 2.5), (float, "0.001", 0.001), (float, "9,8e-4", 9.8e-4),
        (float, "100.000", None), (float, "1,500", None), (float, "1 5", None), (int, "10,000", 10_000),
        (int, "10 000", 10_000), (int, "30k", 30_000), (int, "100.000", None), (int, "2,5", None),
    ],
)  # fmt: skip
def test_a_number_is_taken_as_it_is_meant_or_refused(qtbot: QtBot, kind: type, text: str, value: float | None) -> None:
    field = NumberEditor(kind)
    qtbot.addWidget(field)
    chosen: list[object] = []
    field.edited.connect(chosen.append)
    before = kind(7)
    field.set_value(before)
    type_into(field, text)
    assert field.value() == (before if value is None else value)
    assert chosen == ([] if value is None else [value])
    assert bool(field.property("role") == "bad") is (value is None), "a refused text is marked"
    field.set_value(before)
    field.set_value(field.value())
    assert type(field.value()) is kind


@pytest.mark.parametrize(("text", "value"), [("0,5", 0.5), ("-2.25", -2.25), ("1e-3", 1e-3), ("1234,5", 1234.5)])
def test_a_field_with_arrows_reads_the_same_texts(qtbot: QtBot, text: str, value: float) -> None:
    field = NumberBox()
    field.setRange(-1e6, 1e6)
    qtbot.addWidget(field)
    type_into(field, text)
    assert field.value() == value
    assert field.text() == editable(value)
    field.setValue(20_000.0)
    assert field.text() == "20,000.0"


def test_a_field_with_arrows_keeps_its_number_where_the_text_may_be_two(qtbot: QtBot) -> None:
    field, whole = NumberBox(), WholeNumberBox()
    for each in (field, whole):
        each.setRange(0, 1_000_000)
        each.setKeyboardTracking(False)
        each.setValue(7)
        qtbot.addWidget(each)
        type_into(each, "100.000")
        assert each.value() == 7
        assert each.text() == "7"
    type_into(whole, "10,000")
    assert (whole.value(), whole.text()) == (10_000, "10,000")
