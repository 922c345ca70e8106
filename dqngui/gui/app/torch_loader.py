"""Imports torch in a background thread after the window is shown, and reports the devices."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from dqngui.texts import say, words

POLL_MS = 50
Devices = list[tuple[str, str]]


def find_devices() -> Devices:
    """(name, description) of every device that torch can use here."""
    import torch

    devices = [("cpu", "Processor")]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        devices.append((f"cuda:{index}", torch.cuda.get_device_name(index)))
    if torch.backends.mps.is_available():
        devices.append(("mps", "Apple GPU"))
    return devices


class TorchLoader(QObject):
    """Imports torch in a thread; a timer fetches the result, so that no signal crosses threads.

    Signals:
        loaded(list[tuple[str, str]]): torch is imported; the devices.
        failed(str): the import failed, and the reason.
    """

    loaded = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._devices: Devices | None = None
        self._problem = ""
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def alive(self) -> bool:
        """Whether torch is being imported: the interpreter must not exit yet."""
        return self._thread is not None and self._thread.is_alive()

    @Slot()
    def start(self) -> None:
        """Start the import; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, name="import-torch", daemon=True)
            self._thread.start()
            self._timer.start()

    def join(self) -> None:
        """Wait for the import to end; immediate if not `alive`."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()

    def _load(self) -> None:
        try:
            self._devices = find_devices()
        except BaseException as error:  # a broken installation may raise any error; the window shows it
            self._problem = words(say("window.no_torch", problem=error))

    @Slot()
    def _poll(self) -> None:
        if self.alive:
            return
        self._timer.stop()
        if self._devices is not None:
            self.loaded.emit(self._devices)
        else:
            self.failed.emit(self._problem)
