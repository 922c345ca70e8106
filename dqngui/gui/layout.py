"""Where the cards stand: docks in a window without a central widget, kept between starts."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

VERSION = 1
"""Grows when a card comes or goes: an older saved layout then falls back to the default."""
LEFT_WIDTH = 330
_KEY = f"layout/train/{VERSION}"


def arrange(window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
    """The default: experiment over live knobs on the left, return over learning beside them."""
    for dock in docks.values():
        window.removeDockWidget(dock)
    right = Qt.DockWidgetArea.RightDockWidgetArea
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["experiment"])
    window.addDockWidget(right, docks["return"])
    window.splitDockWidget(docks["experiment"], docks["knobs"], Qt.Orientation.Vertical)
    window.splitDockWidget(docks["return"], docks["learning"], Qt.Orientation.Vertical)
    for dock in docks.values():
        dock.setFloating(False)
        dock.show()
    proportion(window, docks)


def proportion(window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
    """Sizes of the default layout for the window's present size."""
    horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
    left_width = min(max(LEFT_WIDTH, window.width() // 6), 420)
    window.resizeDocks(
        [docks["experiment"], docks["return"]], [left_width, max(1, window.width() - left_width)], horizontal
    )
    height = window.height()
    left = [docks["experiment"], docks["knobs"]]
    window.resizeDocks(left, _heights(*left), vertical)
    window.resizeDocks([docks["return"], docks["learning"]], [height * 58 // 100, height * 42 // 100], vertical)


def _heights(upper: QDockWidget, lower: QDockWidget) -> list[int]:
    """What the upper card asks for and the rest; each its share where there is too little for both."""
    wanted, other = upper.sizeHint().height(), lower.sizeHint().height()
    room = upper.height() + lower.height()
    first = wanted if wanted + other <= room else round(room * wanted / (wanted + other))
    return [first, max(1, room - first)]


def save(window: QMainWindow, settings: QSettings) -> None:
    """Keep sizes and places."""
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue(_KEY, window.saveState(VERSION))


def restore(window: QMainWindow, docks: Mapping[str, QDockWidget], settings: QSettings) -> bool:
    """Bring back what was saved; False if there is nothing, or it does not fit these cards."""
    state = settings.value(_KEY)
    if not isinstance(state, QByteArray) or not window.restoreState(state, VERSION):
        return False
    return any(not dock.isHidden() for dock in docks.values()) and fits(docks)


def fits(docks: Mapping[str, QDockWidget]) -> bool:
    """No card in sight is smaller than it may be."""
    return all(
        dock.width() >= dock.minimumSizeHint().width() and dock.height() >= dock.minimumSizeHint().height()
        for dock in docks.values()
        if dock.isVisible()
    )


def restore_geometry(window: QMainWindow, settings: QSettings) -> bool:
    """Bring back the window's size and place."""
    geometry = settings.value("geometry")
    return isinstance(geometry, QByteArray) and window.restoreGeometry(geometry)
