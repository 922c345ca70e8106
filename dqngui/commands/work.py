"""`dqngui work`: trains the runs of the queue, each in a process of its own, here or on a Ray cluster."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from dqngui.commands.arguments_of_many import WorkArguments
from dqngui.commands.interruption import interruption
from dqngui.commands.output import write_json_line
from dqngui.config import ConfigError
from dqngui.hosts import OpenHost, open_host
from dqngui.messages.json_lines import to_json
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.worker import Note, Worker
from dqngui.texts import say, words

IDLE_S = 0.05


def run(arguments: WorkArguments) -> int:
    """Train what waits in the queue; the exit status is 1 if a run failed. Raises ConfigError."""
    for option, given in (("address", arguments.address is not None), ("mirror", arguments.mirror)):
        if given and arguments.on != "ray":
            raise ConfigError("command.only_ray", option=option)
    teller = Teller(arguments.json)
    if arguments.on == "here":
        return _work(arguments, teller, open_host)
    from dqngui.hosts.ray_cluster import KIND, RayHosts

    with RayHosts(arguments.address, mirror=arguments.mirror) as hosts:
        return _work(arguments, teller, hosts.open, KIND, check=hosts.check)


def _work(
    arguments: WorkArguments,
    teller: Teller,
    opening: OpenHost,
    kind: str = "process",
    check: Callable[[], None] | None = None,
) -> int:
    runs = Path(arguments.runs)
    if arguments.at_once is not None:
        Queue(runs).set(at_once=arguments.at_once)
    worker = Worker(runs, kind=kind, open_host=opening, tell=teller.tell)
    return work(worker, teller, wait=arguments.wait, check=check)


class Teller:
    """Tells what a worker does, a line for each entry that begins or ends.

    Attributes:
        failed: how many have failed.
    """

    def __init__(self, json: bool) -> None:
        self._json, self.failed = json, 0

    def tell(self, note: Note) -> None:
        """Print a note."""
        self.failed += note.state == "failed"
        if self._json:
            data = {"type": "Queue", "entry": note.entry.id, "folder": note.entry.folder, "state": note.state,
                    "reason": words(note.reason)}  # fmt: skip
            write_json_line(to_json(data))
            return
        if note.state == "waiting" and note.reason:
            print(
                say("shown.queue_lost", entry=note.entry.id, folder=note.entry.folder, problem=note.reason), flush=True
            )
            return
        said = {
            "taken": say("shown.queue_taken", entry=note.entry.id, folder=note.entry.folder),
            "finished": say("shown.queue_finished", entry=note.entry.id, folder=note.entry.folder),
            "failed": say("shown.queue_failed", entry=note.entry.id, folder=note.entry.folder, problem=note.reason),
            "waiting": say("shown.queue_waiting", entry=note.entry.id, folder=note.entry.folder),
            "paused": say("shown.queue_paused", entry=note.entry.id, folder=note.entry.folder),
            "reached": say("shown.queue_reached", entry=note.entry.id, folder=note.entry.folder, step=note.entry.until),
            "cancelled": say("shown.queue_cancelled", entry=note.entry.id, folder=note.entry.folder),
        }[note.state]
        print(said, flush=True)


def work(worker: Worker, teller: Teller, *, wait: bool = False, check: Callable[[], None] | None = None) -> int:
    """Let a worker work until nothing waits, or with `wait` until it is ended; returns the exit status.

    The first signal to end saves all runs, which then wait for another worker. `check` raises ConfigError if the place
    where the runs train is lost.
    """
    told_paused = False
    try:
        with interruption(worker, say("shown.queue_stopping")) as (request, hold):
            while True:
                if check is not None:
                    try:
                        check()
                    except ConfigError as error:
                        print(f"dqngui: {error}", file=sys.stderr, flush=True)
                        return 1
                more = worker.tick()
                hold()
                if not more and (request.requested or not wait):
                    break
                if not told_paused and not worker.running and worker.queue.settings.paused:
                    told_paused = True
                    print(say("shown.queue_is_paused"), file=sys.stderr, flush=True)
                time.sleep(IDLE_S)
        for name, problem in worker.sweep_problems.items():
            print(say("shown.sweep_problem", sweep=name, problem=problem), file=sys.stderr)
        if request.requested:
            return 130
        return 1 if teller.failed or worker.sweep_problems else 0
    finally:
        worker.close()
