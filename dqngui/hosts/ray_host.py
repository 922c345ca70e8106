"""Runs a job on a node of a Ray cluster, for a run whose folder is here.

A node that sees the run's folder trains in it, as any process would. For another node this process is the run's writer:
it sends what the folder holds, and keeps it as a copy of the node's own (`runs.mirror`), which can be resumed at every
moment. Ray is imported where it is needed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

import dqngui
from dqngui.config import ConfigError, Experiment
from dqngui.hosts.host import DRAIN_MS
from dqngui.hosts.ray_actor import BATCH_BYTES, NodeJob
from dqngui.hosts.stream import Ending, Outbox, broken
from dqngui.hosts.wire import Order, command_frame, events_of_frame, order_frame
from dqngui.messages import Command, Event, Failed, Finished, Opened, Request, Stop
from dqngui.runs.dropped_commands import CommandFiles
from dqngui.runs.folder import EXPERIMENT, claim, read_experiment, trusted_experiment
from dqngui.runs.mirror import settings_and_state, whole_folder
from dqngui.runs.pieces import FolderCopy, Piece
from dqngui.runs.trust import check_branch_trusted, foreign_code, remember_own
from dqngui.texts import reason_of, say

TOKEN = ".ray-"
"""How the name of the file begins that tells a node whether it sees a folder."""
LOOK_S = 0.05
TAKE_S = 0.5
LEAVE_S = 8.0
WRITE_PATIENCE_S = 30.0
"""So long a piece of the folder that cannot be written is tried again."""


class Cluster(Protocol):
    """What a host needs to know of its cluster."""

    mirror: bool
    """The nodes train in folders of their own, even where they see the driver's."""

    @property
    def lost(self) -> bool:
        """The cluster does not answer any more."""

    def has_room(self, cpus: int, gpus: int) -> bool:
        """Whether a node, as far as one was ever seen, is large enough."""


class _Left(Exception):
    """The host was killed, or stopped before its job had begun."""


class RayHost:
    """A job on a cluster. Its events are those of a process; one whose node is lost ends with Failed (`ray.lost`)."""

    def __init__(self, request: Request, target: str, cluster: Cluster) -> None:
        self._request, self._target, self._cluster = request, target, cluster
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._outbox, self._ending = Outbox(), Ending()
        self._killed = self._stopped = self._begun = False
        self._actor: Any = None
        self._node = ""
        self._copy: FolderCopy | None = None
        self._dropped: CommandFiles | None = None
        self._thread = threading.Thread(target=self._run, name=f"dqngui-ray-{request.job}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send(self, command: Command) -> None:
        self._stopped = self._stopped or (isinstance(command, Stop) and command.at is None)
        self._commands.put(command)

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        return self._outbox.drain(budget_ms)

    @property
    def alive(self) -> bool:
        return (self._thread.ident is not None) and not self._outbox.done

    def join(self, timeout: float | None = None) -> bool:
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def interrupt(self) -> None:
        if self._begun:
            with contextlib.suppress(Exception):
                self._actor.interrupt.remote()

    def kill(self) -> None:
        self._killed = True

    # -- the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        failure = Failed(step=0, text=say("host.silent"))
        stack = contextlib.ExitStack()
        try:
            self._work(stack)
        except _Left:
            if not self._killed:
                self._put(Finished(step=0, seconds=0.0, steps_per_second=0.0, reason="stopped"))
        except ConfigError as error:
            failure = Failed(step=self._ending.step, text=error.text)
        except Exception as error:
            failure = self._failure(error)
        finally:
            with contextlib.suppress(Exception):
                self._end_actor()
            with contextlib.suppress(Exception):
                stack.close()
            step = self._ending.step
            failure = msgspec.structs.replace(failure, step=step)
            for event in self._ending.killed() if self._killed else self._ending.complete(failure):
                self._outbox.put(event)
            self._outbox.close()

    def _work(self, stack: contextlib.ExitStack) -> None:
        import ray

        experiment = self._checked()
        cpus, gpus = experiment.run.threads, int(experiment.run.device.startswith("cuda"))
        if not self._cluster.has_room(cpus, gpus):
            raise ConfigError("ray.no_room", cpus=cpus, gpus=gpus)
        node_job: Any = ray.remote(NodeJob)
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": 0, "max_concurrency": 4}
        self._actor = node_job.options(**options).remote()
        mirrored = self._met()
        request = self._request
        if mirrored and request.folder is not None:
            self._become_writer(Path(request.folder), stack)
        elif request.folder is not None:
            absolute = {
                "folder": os.path.abspath(request.folder),
                "fork": request.fork and os.path.abspath(request.fork),
            }
            request = msgspec.structs.replace(request, **absolute)
        trusted = bool(foreign_code(experiment.env))
        order = order_frame(Order(self._target, request, 0))[1]
        self._answer(self._actor.begin.remote(order, mirrored, trusted, gpus, os.getcwd()))
        self._begun = True
        self._follow()

    def _checked(self) -> Experiment:
        """The settings of the run, whose code the user trusts. Raises ConfigError."""
        request = self._request
        if request.experiment is None:
            if request.folder is None:
                raise ConfigError("train.no_folder")
            return trusted_experiment(Path(request.folder))
        if request.fork is not None:
            check_branch_trusted(Path(request.fork), read_experiment(Path(request.fork)).env, request.experiment.env)
        return request.experiment

    def _met(self) -> bool:
        """Wait for the node; whether it does not see the run's folder, or is not to use it. Raises ConfigError."""
        folder = Path(self._request.folder) if self._request.folder else None
        token = f"{TOKEN}{secrets.token_hex(16)}"
        try:
            if folder is not None:
                for left in folder.glob(f"{TOKEN}*"):  # by a worker that was killed just then
                    left.unlink(missing_ok=True)
                (folder / token).touch()
            version, seen, self._node = self._answer(
                self._actor.hello.remote(os.path.abspath(folder or ""), token), stoppable=True
            )
        finally:
            if folder is not None:
                (folder / token).unlink(missing_ok=True)
        if version != dqngui.__version__:
            raise ConfigError("ray.other_version", node=self._node, there=version, here=dqngui.__version__)
        return folder is not None and (self._cluster.mirror or not seen)

    def _become_writer(self, folder: Path, stack: contextlib.ExitStack) -> None:
        """Lock the run's folder, send what it holds, and listen for commands that are dropped there."""
        lock = claim(folder)
        stack.callback(lock.release)
        self._copy = FolderCopy(folder, writer=os.getpid())
        self._copy.settle()
        self._send_pieces(folder.name, whole_folder(folder), of_parent=False)
        if self._request.fork is not None:
            parent = Path(self._request.fork)
            self._send_pieces(parent.name, settings_and_state(parent), of_parent=True)
        self._dropped = CommandFiles(folder)
        stack.callback(self._dropped.close)

    def _send_pieces(self, name: str, pieces: Iterator[Piece], *, of_parent: bool) -> None:
        batch: list[bytes] = []
        size = 0
        for piece in pieces:
            batch.append(msgspec.msgpack.encode(piece))
            size += len(piece.data)
            if size >= BATCH_BYTES:
                self._answer(self._actor.receive.remote(name, of_parent, batch))
                batch, size = [], 0
        self._answer(self._actor.receive.remote(name, of_parent, batch))

    def _follow(self) -> None:
        """Pass on what the job tells and writes until it has ended."""
        ended = False
        while not ended:
            frames, pieces, ended = self._answer(self._actor.take.remote(TAKE_S))
            for each in pieces:
                self._keep(msgspec.msgpack.decode(each, type=Piece))
            for kind, content in frames:
                for event in events_of_frame(kind, bytearray(content)):
                    self._put(event)

    def _keep(self, piece: Piece) -> None:
        """Carry out a piece in the run's folder; what cannot be written is tried again for a while."""
        assert self._copy is not None
        end = time.monotonic() + WRITE_PATIENCE_S
        while True:
            try:
                self._copy.apply(piece)
                break
            except OSError as error:
                if time.monotonic() >= end or self._killed or not self._copy.folder.is_dir():
                    raise ConfigError("ray.not_written", folder=self._copy.folder, problem=error.strerror) from None
            time.sleep(0.5)
        if piece.kind == "place" and piece.name == EXPERIMENT:
            self._trust_own()

    def _trust_own(self) -> None:
        """The job has noted measured settings; the user trusts them if they name the same code as before."""
        assert self._copy is not None
        before = self._request.experiment
        after = read_experiment(self._copy.folder)
        if before is not None and foreign_code(before.env) == foreign_code(after.env):
            remember_own(self._copy.folder, after)

    def _put(self, event: Event) -> None:
        if isinstance(event, Opened) and self._request.folder is not None:
            event = msgspec.structs.replace(event, folder=self._request.folder)
        if self._ending.admit(event):
            self._outbox.put(event)

    # -- the cluster -------------------------------------------------------------------------------

    def _answer(self, reference: Any, *, stoppable: bool = False) -> Any:
        """What the actor answers; commands are passed on meanwhile. Raises _Left if the host is killed, and what Ray
        raises."""
        import ray

        while not ray.wait([reference], timeout=LOOK_S)[0]:
            self._look(stoppable)
        self._look(stoppable)
        return ray.get(reference)

    def _look(self, stoppable: bool) -> None:
        if self._killed or (stoppable and self._stopped):
            raise _Left
        if self._cluster.lost:
            raise ConfigError("ray.lost", node=self._node)
        if self._begun:
            self._pass_on(self._dropped.poll() if self._dropped is not None else ())
            with contextlib.suppress(queue.Empty):
                while True:
                    self._pass_on([self._commands.get_nowait()])

    def _pass_on(self, commands: Iterable[Command]) -> None:
        for command in commands:
            try:
                frame = command_frame(command)
            except Exception as error:  # the job fails, but saves first
                self._put(broken("host.not_sent", error, self._ending.step, what=type(command).__name__))
                frame = command_frame(Stop())
            self._actor.send.remote(*frame)

    def _failure(self, error: Exception) -> Failed:
        """Why there are no more events."""
        import ray

        step = self._ending.step
        lost = (ray.exceptions.RayActorError, ray.exceptions.NodeDiedError, ray.exceptions.WorkerCrashedError)
        if isinstance(error, ray.exceptions.RayTaskError) or not isinstance(error, ray.exceptions.RayError):
            return broken("ray.broken", error, step)
        if isinstance(error, lost) and (self._node or "creation" not in str(error)):
            return Failed(step=step, text=say("ray.lost", node=self._node), details=str(error))
        problem = " ".join(str(reason_of(error)).split())[-300:]
        return Failed(step=step, text=say("ray.not_begun", problem=problem), details=str(error))

    def _end_actor(self) -> None:
        """End the job and the node's process; Ray itself cannot end it where the head does not answer."""
        import ray

        if self._actor is None:
            return
        ended = self._actor.leave.remote(self._cluster.lost)
        if self._cluster.lost:
            time.sleep(LOOK_S)  # the call is on its way
            return
        if self._node:
            ray.wait([ended], timeout=LEAVE_S)
        ray.kill(self._actor)
