"""Errors in background threads of the window: each is told, and the next works go on."""

from __future__ import annotations

import threading

from pytestqt.qtbot import QtBot

from dqngui.gui.app.thread_errors import ThreadErrors
from dqngui.lab.background.worker import Worker


def test_an_error_reaches_its_own_handler_and_the_thread_goes_on(qtbot: QtBot) -> None:
    worker = Worker("test")
    told: list[object] = []

    def raising(error: BaseException) -> object:
        raise error

    for error in (OSError("gone"), ValueError("odd"), SystemExit(3), RecursionError()):
        worker.submit(lambda error=error: raising(error), told.append, told.append)
    worker.submit(lambda: "done", told.append)
    qtbot.waitUntil(lambda: len(told) == 5)
    assert [type(each).__name__ for each in told] == ["OSError", "ValueError", "SystemExit", "RecursionError", "str"]
    worker.stop()
    worker.join()


def test_an_error_without_a_handler_is_raised_where_the_window_shows_it(qtbot: QtBot) -> None:
    worker = Worker("test")
    told: list[object] = []
    with qtbot.captureExceptions() as raised:
        worker.submit(lambda: 1 // 0, told.append)
        worker.submit(lambda: "done", told.append)
        qtbot.waitUntil(lambda: told == ["done"])
    assert [kind for kind, _, _ in raised] == [ZeroDivisionError]
    worker.stop()
    worker.join()


def test_an_error_of_any_other_thread_is_shown(qtbot: QtBot) -> None:
    shown: list[tuple[str, str]] = []
    errors = ThreadErrors(lambda kind, error, trace: shown.append((kind.__name__, str(error))))
    errors.start()
    thread = threading.Thread(target=lambda: {}["gone"], name="forgotten")  # type: ignore[misc]
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: shown == [("KeyError", "'gone'")])
    errors.stop()
    assert threading.excepthook is not None
