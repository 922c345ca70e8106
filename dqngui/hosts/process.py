"""Runs a job in a fresh interpreter, with one pipe each way and a small thread at each.

The child is started with `subprocess` and not with `multiprocessing`: nothing of the parent's main
module is imported again, no tracker process is left beside it, and prints cannot spoil the pipe.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from typing import Any

from dqngui.hosts.host import DRAIN_MS
from dqngui.hosts.stream import Ending, Outbox, broken
from dqngui.hosts.wire import END, Order, command_frame, events_of_frame, order_frame, read_frames, widen, write_frame
from dqngui.messages import Command, Event, Failed, Request, Stop
from dqngui.safe_path import command_of_child, environment_of_child
from dqngui.texts import Text, reason_of, say

LEAVE_SECONDS = 10.0  # a child that has sent everything has so long to end by itself


class ProcessHost:
    """A job in a process of its own. Tensors in events and commands arrive as numpy arrays."""

    def __init__(self, request: Request, target: str) -> None:
        self._request, self._target = request, target
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._outbox = Outbox()
        self._ending = Ending()
        self._killed = False
        self._unsent: Failed | None = None  # why the job was never asked for
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread(target=self._read, name=f"dqngui-{request.job}-read", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"dqngui-{request.job}-write", daemon=True)

    @property
    def pid(self) -> int | None:
        """The child's process id, once started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        own_group: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        command, environment = command_of_child(), environment_of_child()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment, **own_group
            )
        except OSError as error:
            text = say("host.no_process", problem=(error.strerror or str(reason_of(error))).lower())
            self._end(Failed(step=0, text=text))
            return
        for pipe in (self._process.stdin, self._process.stdout):
            widen(pipe)
        self._reader.start()
        self._writer.start()

    def send(self, command: Command) -> None:
        self._commands.put(command)

    def interrupt(self) -> None:
        if self._process is not None and self._process.poll() is None and sys.platform != "win32":
            with contextlib.suppress(OSError):
                self._process.send_signal(signal.SIGTERM)

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        return self._outbox.drain(budget_ms)

    @property
    def alive(self) -> bool:
        started = self._process is not None or self._outbox.closed
        return started and not self._outbox.done

    def join(self, timeout: float | None = None) -> bool:
        if self._process is None:
            return True
        self._reader.join(timeout)
        if self._reader.is_alive():
            return False
        self._writer.join()
        return True

    def kill(self) -> None:
        self._killed = True
        self._kill_group()

    def _kill_group(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)  # with workers that the job started

    # -- threads ----------------------------------------------------------------------------------

    def _write(self) -> None:
        assert self._process is not None
        assert isinstance(self._process.stdin, io.FileIO)
        pipe = self._process.stdin
        order = Order(self._target, self._request, os.getpid())
        with contextlib.suppress(OSError):  # the child has ended; the reading thread reports it
            try:
                write_frame(pipe, *order_frame(order))
            except Exception as error:
                if isinstance(error, OSError):
                    raise
                self._unsent = broken("host.not_asked", error, 0)
                self._kill_group()
                return
            while (command := self._commands.get()) is not None:
                write_frame(pipe, *self._frame_of(command))

    def _frame_of(self, command: Command) -> tuple[bytes, bytes]:
        """The frame of a command. Where it cannot be written the job fails, but is stopped, so that it saves first."""
        try:
            return command_frame(command)
        except Exception as error:
            failure = broken("host.not_sent", error, self._ending.step, what=type(command).__name__)
            if self._ending.admit(failure):
                self._outbox.put(failure)
            return command_frame(Stop())

    def _read(self) -> None:
        assert self._process is not None
        assert isinstance(self._process.stdout, io.FileIO)
        process, pipe = self._process, self._process.stdout
        failure: Failed | None = None
        try:
            for kind, content in read_frames(pipe, lambda: _readable(pipe, process)):
                if kind == END:
                    self._outbox.close()  # everything was sent; `join` waits for the end of the process
                    break
                for event in events_of_frame(kind, content):
                    if self._ending.admit(event):
                        self._outbox.put(event)
        except Exception as error:
            failure = broken("host.unreadable", error, self._ending.step)
            self._kill_group()
        try:
            status = self._wait(process)
            self._commands.put(None)
            self._writer.join()
            pipe.close()
            assert process.stdin is not None
            process.stdin.close()
            failure = failure or self._unsent or Failed(step=self._ending.step, text=_reason(status))
        except Exception as error:
            failure = failure or broken("host.unreadable", error, self._ending.step)
        finally:
            self._end(failure or Failed(step=self._ending.step, text=say("host.silent")))

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_group()
            return process.wait()

    def _end(self, failure: Failed) -> None:
        for event in self._ending.killed() if self._killed else self._ending.complete(failure):
            self._outbox.put(event)
        self._outbox.close()


def _readable(pipe: io.FileIO, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the pipe has something or its end; False if the child died and left it to others."""
    if sys.platform == "win32":
        return True
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while not poll.poll(500):
        if process.poll() is not None:
            return bool(poll.poll(0))
    return True


def _reason(status: int) -> Text:
    if status >= 0:
        return say("host.ended", status=status)
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return say("host.killed", signal=say("host.signal", number=-status))
    return say("host.killed_for_memory", signal=name) if name == "SIGKILL" else say("host.killed", signal=name)
