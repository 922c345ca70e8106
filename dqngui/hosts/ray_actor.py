"""What runs on a node of a Ray cluster: one run, in a process as everywhere, and what it tells and writes, in batches.

Nothing here imports Ray: the host makes an actor of `NodeJob`. Its arguments and answers are plain bytes, texts and
numbers, so that another version of dqngui on a node is told apart before anything else is understood.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

import dqngui
from dqngui.hosts.process import ProcessHost
from dqngui.hosts.wire import command_of_frame, event_frames, order_of_frame
from dqngui.messages import Event, Request
from dqngui.runs.lock import Writer, WriterLock, take_lock, writer_of
from dqngui.runs.mirror import Mirror
from dqngui.runs.pieces import FolderCopy, Piece
from dqngui.runs.trust import trust
from dqngui.safe_path import start_in

BATCH_S = 0.05
BATCH_BYTES = 8 * 1024 * 1024
_POLL_S = 0.01
_LAST_S = 5.0
_OWN, _PARENT = "run", "parent"
_PREFIX = "dqngui-ray-"
_OLD_S = 600.0  # a folder that nobody uses is removed when it is so old
Answer = tuple[list[tuple[bytes, bytes]], list[bytes], bool]
"""Frames of events, pieces of the run's folder, and whether nothing follows."""


class NodeJob:
    """One job on this node. `take` and `send` are called at the same time, each by one thread."""

    def __init__(self) -> None:
        self._own: Path | None = None
        self._own_lock: WriterLock | None = None
        self._leaving = False
        self._host: ProcessHost | None = None
        self._mirror: Mirror | None = None
        self._scan: Iterator[Piece] | None = None
        self._held: Answer = ([], [], False)
        self._lock = threading.Lock()
        atexit.register(self._end)

    def hello(self, folder: str, token: str) -> tuple[str, bool, str]:
        """The version of dqngui here, whether this node sees a file with this token in the folder, the node's name."""
        seen = False
        with contextlib.suppress(OSError, ValueError):
            seen = (Path(folder) / token).is_file()
        return dqngui.__version__, seen, os.uname().nodename if hasattr(os, "uname") else ""

    def receive(self, name: str, of_parent: bool, pieces: list[bytes]) -> None:
        """Take over pieces of the run's folder, or of its parent's, which have this name."""
        copy = FolderCopy(self._place(name, of_parent))
        copy.folder.mkdir(parents=True, exist_ok=True)
        for each in pieces:
            copy.apply(msgspec.msgpack.decode(each, type=Piece))

    def begin(self, order: bytes, received: bool, trusted: bool, gpus: int, started_in: str) -> None:
        """Start the job; its folder is the one that was received, or the one that the request names.

        With `trusted`, whoever asks has made sure that the user trusts the code that the run and its parent name. That
        code is looked for where dqngui was started, if this node has such a folder. Without `gpus` it sees none.
        """
        asked = order_of_frame(bytearray(order))
        if os.path.isdir(started_in):
            start_in(started_in)
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        request = self._here(asked.request) if received else asked.request
        if trusted:
            os.environ["XDG_STATE_HOME"] = os.environ["LOCALAPPDATA"] = str(self._private() / "state")
            for folder in (request.folder, request.fork):
                if folder is not None:
                    trust(Path(folder))
        if received and request.folder is not None:
            self._mirror = Mirror(Path(request.folder))
        host = ProcessHost(request, asked.target)
        host.start()
        with self._lock:
            self._host = host

    def take(self, patience_s: float) -> Answer:
        """What is new; waits for it up to `patience_s`. Of many bytes, the next part; events follow their files.

        While this process ends it tells nothing: how the job ends then is not how the run ended.
        """
        answer: Answer = [], [], False
        try:
            answer = self._taken(patience_s)
        except Exception:
            if not self._leaving:
                raise
        if self._leaving:
            time.sleep(_LAST_S)
        return answer

    def _taken(self, patience_s: float) -> Answer:
        host = self._host
        assert host is not None
        if self._scan is None:
            events = _gathered(host, patience_s)
            ended = not host.alive
            if ended:
                host.join()
            self._held = list(event_frames(events)), [], ended
            self._scan = iter(()) if self._mirror is None else self._mirror.scan()
        pieces, size = [], 0
        for piece in self._scan:
            pieces.append(msgspec.msgpack.encode(piece))
            size += len(piece.data)
            if size >= BATCH_BYTES:
                return [], pieces, False
        self._scan = None
        return self._held[0], pieces, self._held[2]

    def send(self, kind: bytes, content: bytes) -> None:
        """Give the job a command."""
        with self._lock:
            if self._host is not None:
                self._host.send(command_of_frame(kind, bytearray(content)))

    def interrupt(self) -> None:
        """Interrupt an environment's step that does not return."""
        with self._lock:
            if self._host is not None:
                self._host.interrupt()

    def leave(self, whole: bool) -> None:
        """End the job without saving and remove what was received; with `whole`, end this process too."""
        self._end()
        if whole:
            os._exit(0)

    def _end(self) -> None:
        """End the job and remove what was received; also when this process ends because its node is lost."""
        self._leaving = True
        with self._lock:
            if self._host is not None:
                self._host.kill()
                self._host.join(_LAST_S)
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
        if self._own_lock is not None:
            self._own_lock.release()

    # -- folders -----------------------------------------------------------------------------------

    def _private(self) -> Path:
        """A folder of this job's own; those that jobs left which were killed are removed."""
        if self._own is None:
            for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > _OLD_S and writer_of(path) is Writer.NOBODY:
                        shutil.rmtree(path, ignore_errors=True)
            self._own = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._own_lock = take_lock(self._own)
        return self._own

    def _place(self, name: str, of_parent: bool) -> Path:
        return self._private() / (_PARENT if of_parent else _OWN) / Path(name).name

    def _here(self, request: Request) -> Request:
        folder = None if request.folder is None else str(self._place(request.folder, of_parent=False))
        fork = None if request.fork is None else str(self._place(request.fork, of_parent=True))
        return msgspec.structs.replace(request, folder=folder, fork=fork)


def _gathered(host: ProcessHost, patience_s: float) -> list[Event]:
    """Events of the next moments: all of `BATCH_S` if there are some, else the first ones of a longer time."""
    began = time.monotonic()
    events = host.drain()
    while host.alive:
        waited = time.monotonic() - began
        if waited >= (BATCH_S if events else patience_s) or any(hasattr(event, "tensors") for event in events):
            break
        time.sleep(_POLL_S)
        events += host.drain()
    return events


__all__ = ["Answer", "NodeJob"]
