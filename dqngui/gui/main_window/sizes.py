"""Entries of the menu for sizes: of the text, and of the window on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow

from dqngui.gui.main_window.menus import MainMenu
from dqngui.gui.style.theme import LARGEST_ZOOM, SMALLEST_ZOOM


def stored_zoom(settings: QSettings) -> int:
    """The size of the text at the last use, in percent; 100 without one."""
    try:
        return int(str(settings.value("zoom", 100)))
    except ValueError:
        return 100


def add_sizes(menu: MainMenu, window: QMainWindow, zoom: Callable[[int], object]) -> None:
    """Add the entries for a window; `zoom` makes its text larger or smaller by steps, 0: of the usual size."""
    for text, icon, keys, tip, steps in (
        ("Larger text", "magnify-plus-outline", "Ctrl++", f"Up to {LARGEST_ZOOM} %", 1),
        ("Smaller text", "magnify-minus-outline", "Ctrl+-", f"Down to {SMALLEST_ZOOM} %", -1),
        ("Usual text size", "magnify", "Ctrl+Shift+0", "100 %", 0),
    ):
        menu.add(menu.view, text, icon, keys, tip, partial(zoom, steps))
    QShortcut(QKeySequence("Ctrl+="), window, partial(zoom, 1)).setWhatsThis("Larger text")
    toggle = partial(toggle_full_screen, window)
    menu.add(menu.view, "Full screen", "fullscreen", "F11", "Fill the screen, or return", toggle)


def toggle_full_screen(window: QMainWindow) -> None:
    """Fill the screen, or return to the former size."""
    window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)
