"""What assistive technology reads of every control of the window: a name of its own, and values in their units."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from driving import reach
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from dqngui.gui.app.app import App
from dqngui.gui.charts.canvas import Canvas
from dqngui.gui.charts.plot import Plot
from dqngui.gui.docking.arrangements import ARRANGEMENTS
from dqngui.gui.main_window.breakpoint_dialog import BreakpointDialog
from dqngui.gui.settings_form.slider import ValueSlider
from dqngui.lab.session.states import State
from dqngui.messages import Breakpoint
from dqngui.settings import field_at
from dqngui.texts.numbers import exact

Kind = QAccessible.Text
CONTROLS = (
    QAbstractButton, QComboBox, QLineEdit, QAbstractSlider, QAbstractSpinBox, QAbstractItemView, QTabBar, Plot, Canvas,
)  # fmt: skip


def read(widget: QWidget) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(widget)


def controls(window: QWidget) -> Iterator[QWidget]:
    """Every control that can be seen, and everything else that the Tab key stops at."""
    for widget in window.findChildren(QWidget):
        if not widget.isVisibleTo(window) or isinstance(widget, QScrollBar):
            continue
        inside = widget.parentWidget()
        if isinstance(inside, (QAbstractSpinBox, QComboBox)):
            continue  # the editor inside a field is part of it
        stops = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if stops or isinstance(widget, CONTROLS):
            yield widget


def unnamed(window: QWidget) -> set[str]:
    """Controls without a name of their own: those that can be seen, and all plots, choices and sliders."""
    found = set()
    everywhere = [each for kind in (Plot, Canvas, QComboBox, ValueSlider) for each in window.findChildren(kind)]
    for widget in {*controls(window), *everywhere}:
        name = read(widget).text(Kind.Name).strip()
        if not name or (isinstance(widget, QComboBox) and name == widget.currentText()):
            up, chain = widget.parentWidget(), [f"{type(widget).__name__} {name!r}"]
            while up is not None and len(chain) < 5:
                chain.append(type(up).__name__)
                up = up.parentWidget()
            found.add(" in ".join(chain))
    return found


@pytest.mark.parametrize("state", [State.READY, State.RUNNING])
def test_every_control_and_every_plot_has_a_name_of_its_own(qtbot: QtBot, app: App, state: State) -> None:
    reach(app, state)
    app.window.resize(1600, 1000)
    for arrangement in ARRANGEMENTS:
        app.window.arrange(arrangement)
        qtbot.wait(30)
        app.window.panel_docks.refresh()
        QApplication.processEvents()
        assert unnamed(app.window) == set(), arrangement
    sections = app.window.form.sections.values()
    for section in sections:
        section.toggle.setChecked(True)
    assert unnamed(app.window.form) == set()
    for box in app.window.form.findChildren(QComboBox):
        assert read(box).text(Kind.Value) == box.currentText()
    assert len(app.window.findChildren(Plot)) > 5
    dialog = BreakpointDialog(app.window.breakpoints)
    app.window.breakpoints.add(Breakpoint("loss", "above", 10.0))
    dialog.show()
    assert unnamed(dialog) == set()
    assert read(dialog.quantity).text(Kind.Name) == "Quantity"
    dialog.close()


def test_sliders_report_the_value_that_is_applied_in_its_unit_and_not_their_position(qtbot: QtBot, app: App) -> None:
    for path, row in app.window.knobs.rows.items():
        if row.schedule is not None and row.schedule.isVisibleTo(row):
            names = [read(part).text(Kind.Name) for part in row.schedule.parts.values()]
            assert names[:2] == [f"{row.field.label}: start", f"{row.field.label}: end"]
            continue
        value, told = app.session.value(path), read(row.slider)
        assert told.text(Kind.Value) == f"{exact(value)} {field_at(path).unit}".rstrip()
        numbers = told.valueInterface()
        assert numbers.currentValue() == value
        assert numbers.minimumValue() <= value <= numbers.maximumValue()
    row = app.window.knobs.rows["learn.grad_clip"]
    read(row.slider).valueInterface().setCurrentValue(20.0)  # as assistive technology does
    qtbot.waitUntil(lambda: app.session.value("learn.grad_clip") == pytest.approx(20.0, rel=0.05))
    assert row.number.text() == exact(app.session.value("learn.grad_clip"))
    app.session.edit({"learn.grad_clip": 9.8765})  # between two places of the slider
    row.slider.setSliderDown(True)
    row.slider.setSliderDown(False)  # a click on the handle
    assert app.session.value("learn.grad_clip") == 9.8765
    assert row.number.text() == "9.8765"
