"""A virtual display (Xvfb), with real key and mouse events (xdotool) and pictures of its pixels."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QWidget

SIZE = (1600, 1000)
SETTLE_S = 0.12


@contextmanager
def own_display(folder: Path) -> Iterator[str]:
    """Start an empty virtual display, whose pixels are in a file in the folder. Raises RuntimeError."""
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if missing:
        raise RuntimeError(f"needs {' and '.join(missing)} (Debian and Ubuntu: apt install xvfb xdotool)")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-fbdir", str(folder)],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as number:
            display = number.readline().strip()
        if not display:
            raise RuntimeError("Xvfb did not start")
        yield f":{display}"
    finally:
        server.terminate()
        server.wait()


class Asker(QObject):
    """Runs a function in the window's thread; the calling thread waits for the result."""

    _asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._answer: Any = None
        self._asked.connect(self._run, Qt.ConnectionType.BlockingQueuedConnection)

    @Slot(object)
    def _run(self, do: Callable[[], Any]) -> None:
        try:
            self._answer = do()
        except Exception as error:
            self._answer = error

    def __call__(self, do: Callable[[], Any]) -> Any:
        self._asked.emit(do)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Hands:
    """Mouse and keyboard of the display. The places of widgets are read in the window's thread."""

    def __init__(self, ask: Asker, screen: Path) -> None:
        self._ask, self._screen = ask, screen

    @staticmethod
    def _do(*words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], check=True)
        time.sleep(SETTLE_S)

    def keys(self, *keys: str) -> None:
        for each in keys:
            self._do("key", "--clearmodifiers", each)

    def focus(self, window: QWidget) -> None:
        """Give a window the keyboard focus; the display has no window manager that does it."""
        self._do("windowfocus", "--sync", self._ask(window.winId))

    def place(self, widget: QWidget, across: float = 0.5, down: float = 0.5) -> tuple[int, int]:
        """A point of the display (x, y), from shares of a widget's width and height."""

        def found() -> QPoint:
            return widget.mapToGlobal(QPoint(round(across * widget.width()), round(down * widget.height())))

        point: QPoint = self._ask(found)
        return point.x(), point.y()

    def click(self, x: int, y: int, times: int = 1) -> None:
        self._do("mousemove", x, y)
        self._do("click", "--repeat", times, "--delay", 60, 1)

    def drag(self, start: tuple[int, int], end: tuple[int, int], moves: int = 12) -> None:
        self._do("mousemove", *start, "mousedown", 1)
        for i in range(1, moves + 1):
            self._do("mousemove", *(round(a + (b - a) * i / moves) for a, b in zip(start, end, strict=True)))
        self._do("mouseup", 1)

    def picture(self, widget: QWidget) -> npt.NDArray[np.uint8]:
        """The pixels (height, width, 4) of the display at a widget's place."""
        raw = np.fromfile(self._screen, np.uint8)
        head = raw[:100].view(">u4")
        start, line = int(head[0] + 12 * head[19]), int(head[12])
        pixels = raw[start : start + line * int(head[5])].reshape(-1, line)[:, : 4 * int(head[4])]
        (x, y), (right, bottom) = self.place(widget, 0, 0), self.place(widget, 1, 1)
        return pixels.reshape(len(pixels), -1, 4)[y:bottom, x:right]
