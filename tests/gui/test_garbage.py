"""Circles that hold widgets are collected in the window's thread, whoever else allocates meanwhile."""

from __future__ import annotations

import gc
import threading

from driving import until
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from dqngui.gui.app.app import App
from dqngui.gui.app.garbage import GarbageCollector


class Dying(QObject):
    """Part of a circle; tells in which thread it was destroyed."""

    destroyed_in: list[threading.Thread]

    def __init__(self, destroyed_in: list[threading.Thread]) -> None:
        super().__init__()
        self.destroyed_in, self.myself = destroyed_in, self

    def __del__(self) -> None:
        self.destroyed_in.append(threading.current_thread())


def allocate() -> list[list[int]]:
    """As much as makes Python collect, several times; what is kept counts towards the next collection."""
    return [[index] for index in range(50_000)]


def test_a_circle_is_destroyed_in_the_windows_thread(qtbot: QtBot) -> None:
    died: list[threading.Thread] = []
    garbage_collector = GarbageCollector()
    garbage_collector.start()
    try:
        Dying(died)
        kept: list[list[list[int]]] = []
        other = threading.Thread(target=lambda: kept.append(allocate()))
        other.start()
        other.join()
        assert not died
        until(lambda: bool(died))
        assert died == [threading.main_thread()]
    finally:
        garbage_collector.stop()


def test_python_collects_again_behind_the_window(qtbot: QtBot) -> None:
    gc.enable()
    try:
        garbage_collector = GarbageCollector()
        garbage_collector.start()
        assert not gc.isenabled()
        garbage_collector.stop()
        assert gc.isenabled()
    finally:
        gc.disable()


def test_the_window_collects_while_it_is_open(app: App) -> None:
    until(lambda: gc.get_freeze_count() > 0)  # torch counts as loaded: what was there by then stays
    died: list[threading.Thread] = []
    Dying(died)
    kept = allocate()
    until(lambda: bool(died))
    assert kept
