"""Where the cards stand: docks in a window without a central widget, kept between starts."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

VERSION = 1
"""Grows when a card comes or goes: an older saved layout then falls back to the default."""
LEFT_WIDTH = 330
_KEY = f"layout/train/{VERSION}"
_COLUMN_KEY = f"layout/train/{VERSION}/column"


class LeftColumn(QObject):
    """Keeps the left column as wide as it was made, its cards as high as they need: other room goes to the plots.

    Without a central widget Qt spreads it over all docks, and the form ends up half a screen wide.

    Attributes:
        width: pixels; None until the column was seen.
        settled: the window is in sight: from now on other widths are the user's.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._known = QSize()
        self.width: int | None = None
        self.settled = False
        docks["experiment"].installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        resized = self.settled and event.type() == QEvent.Type.Resize
        if resized and self._docked() and self._window.size() == self._known:
            self.width = self._docks["experiment"].width()  # by the separator, not by the window
        return False

    def _docked(self) -> bool:
        pair = self._docks["experiment"], self._docks["return"]
        return all(dock.isVisible() and not dock.isFloating() for dock in pair)

    def keep(self) -> None:
        """The window has another size, or a layout came back."""
        self._known = self._window.size()
        if self.width is not None and self._docked():
            room = max(LEFT_WIDTH, self._window.width() * 3 // 10)
            _share(self._window, self._docks, min(self.width, room))
        pair = [self._docks["experiment"], self._docks["knobs"]]
        if all(dock.isVisible() and not dock.isFloating() for dock in pair) and pair[0].x() == pair[1].x():
            self._window.resizeDocks(pair, _heights(*pair), Qt.Orientation.Vertical)


def arrange(window: QMainWindow, docks: Mapping[str, QDockWidget]) -> int:
    """The default: experiment over live knobs on the left, return over learning beside them.

    Returns the width meant for the left column.
    """
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
    return proportion(window, docks)


def proportion(window: QMainWindow, docks: Mapping[str, QDockWidget]) -> int:
    """Sizes of the default layout for the window's present size."""
    vertical = Qt.Orientation.Vertical
    left_width = min(max(LEFT_WIDTH, window.width() // 6), 420)
    _share(window, docks, left_width)
    height = window.height()
    left = [docks["experiment"], docks["knobs"]]
    window.resizeDocks(left, _heights(*left), vertical)
    window.resizeDocks([docks["return"], docks["learning"]], [height * 58 // 100, height * 42 // 100], vertical)
    return left_width


def _share(window: QMainWindow, docks: Mapping[str, QDockWidget], left_width: int) -> None:
    """Give the left column this width and the plots the rest; Qt takes widths for shares of their sum."""
    left, right = docks["experiment"], docks["return"]
    rest = left.width() + right.width() - left_width
    window.resizeDocks([left, right], [left_width, max(1, rest)], Qt.Orientation.Horizontal)


def _heights(upper: QDockWidget, lower: QDockWidget) -> list[int]:
    """What the upper card asks for and the rest; each its share where there is too little for both."""
    wanted, other = upper.sizeHint().height(), lower.sizeHint().height()
    room = upper.height() + lower.height()
    first = wanted if wanted + other <= room else round(room * wanted / (wanted + other))
    return [first, max(1, room - first)]


def save(window: QMainWindow, column: LeftColumn, settings: QSettings) -> None:
    """Keep sizes and places."""
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue(_KEY, window.saveState(VERSION))
    settings.setValue(_COLUMN_KEY, column.width)


def restore(window: QMainWindow, docks: Mapping[str, QDockWidget], column: LeftColumn, settings: QSettings) -> bool:
    """Bring back what was saved; False if there is nothing, or it does not fit these cards."""
    state = settings.value(_KEY)
    if not isinstance(state, QByteArray) or not window.restoreState(state, VERSION):
        return False
    width = str(settings.value(_COLUMN_KEY, ""))
    column.width = int(width) if width.isdecimal() else None
    in_sight = any(not dock.isHidden() for dock in docks.values())
    return column.width is not None and in_sight and fits(docks)


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
