"""The child process of a process host: runs one job, and exits when the job is done or the parent process dies.

The child is started as a fresh interpreter (`safe_path`), so the parent's main module (a window, a command line) is
never imported again, and nothing of the present folder is.
"""

from __future__ import annotations

import faulthandler
import io
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import NoReturn

from dqngui.hosts.leaving import leave
from dqngui.hosts.signals import ending_signals
from dqngui.hosts.stream import Ending, Outbox, broken, job_events
from dqngui.hosts.wire import END, command_of_frame, event_frames, order_of_frame, read_frames, write_frame
from dqngui.jobs.inbox import Inbox
from dqngui.messages import Command, Event, Stop

BATCH_SECONDS, BATCH_EVENTS = 0.05, 500
WATCH_SECONDS = 0.5
BACKGROUND, NICENESS = frozenset({"play", "study"}), 10
"""Jobs that only show something to the user: they run at lower priority, so that training comes first."""


def main() -> None:
    """Take an order from standard input, run it, send its events to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches us too; the parent decides what it means
    source, sink = _private_pipes()
    faulthandler.enable()
    if sys.platform == "linux":  # without it, the library that draws classic tasks complains on standard error
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    frames = read_frames(source)
    _, content = next(frames, (b"", bytearray()))
    if not content:
        _leave()
    sender = Sender(sink)
    try:
        order = order_of_frame(content)
    except Exception as error:
        sender.put(broken("host.not_asked", error, 0))
        sender.finish()
        return
    if order.request.job in BACKGROUND and hasattr(os, "nice"):
        os.nice(NICENESS)
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    inbox = Inbox(commands, order.request.schedule)
    asked = threading.Event()  # the job was asked to stop

    def receive() -> None:
        try:
            for kind, frame in frames:
                command = command_of_frame(kind, frame)
                if isinstance(command, Stop):
                    asked.set()
                commands.put(command)
        except Exception as error:  # a job that hears no more commands would wait for ever
            sender.put(broken("host.not_received", error, sender.step))
            commands.put(Stop())
            return
        _leave()

    def end(number: int, frame: FrameType | None) -> None:
        """Save and end; the second time, interrupt a step of the environment that does not return."""
        if asked.is_set():
            inbox.interrupt()
        asked.set()
        commands.put(Stop())

    threading.Thread(target=receive, name="receive", daemon=True).start()
    if os.name == "posix":
        threading.Thread(target=_watch, args=(order.parent,), name="watch", daemon=True).start()
    sender.on_unsent = partial(commands.put, Stop())
    ending = Ending()
    for number in ending_signals()[1:]:  # without Ctrl+C
        if order.request.job not in BACKGROUND:
            signal.signal(number, end)
    try:
        for event in job_events(order.target, order.request, inbox):
            ending.admit(event)
            sender.put(event)
    except KeyboardInterrupt:  # before the job had begun, so there is nothing to save
        for event in ending.killed():
            sender.put(event)
    sender.finish()
    leave(0)


class Sender(Outbox):
    """Sends events in batches, so that neither the pipe nor JSON delays the job; those with tensors at once.

    An event that cannot be written is told once, as a Failed that names it; the job is then asked to stop, so that it
    saves.

    Attributes:
        step: of the newest event.
        on_unsent: called once if an event could not be written.
    """

    def __init__(self, sink: io.FileIO) -> None:
        super().__init__()
        self._sink = sink
        self.step = 0
        self.on_unsent: Callable[[], None] = lambda: None
        self._unsent = False
        self._some, self._many = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="send", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        super().put(event)
        self.step = event.step
        if not self._some.is_set():
            self._some.set()
        if len(self) >= BATCH_EVENTS or hasattr(event, "tensors"):
            self._many.set()

    def finish(self) -> None:
        """Send what is left and wait until it is sent."""
        self.close()
        self._some.set()
        self._many.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self.done:
                self._some.wait()
                self._many.wait(BATCH_SECONDS)
                self._some.clear()
                self._many.clear()
                while events := self.take(BATCH_EVENTS):
                    for kind, content in self._frames(events):
                        write_frame(self._sink, kind, content)
            write_frame(self._sink, END)
        except OSError:
            _leave()

    def _frames(self, events: list[Event]) -> Iterator[tuple[bytes, bytes]]:
        """The frames of events; of one that cannot be written, that of its Failed."""
        try:
            yield from list(event_frames(events))
            return
        except Exception:
            pass  # look at each event
        for event in events:
            try:
                yield from list(event_frames([event]))
            except Exception as error:
                if not self._unsent:
                    self._unsent = True
                    yield from event_frames([broken("host.not_told", error, event.step, what=type(event).__name__)])
                    self.on_unsent()


def _private_pipes() -> tuple[io.FileIO, io.FileIO]:
    """Our two pipes on descriptors of their own: what an environment prints goes to standard error instead."""
    source, sink = io.FileIO(os.dup(0), "rb"), io.FileIO(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def _watch(parent: int) -> None:
    """Exit when the parent has died, even if some other process holds the pipe's other end open."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    _leave()


def _leave() -> NoReturn:
    # The run's folder survives this at any moment; a clean exit could wait for torch.
    sys.stderr.flush()
    os._exit(1)
