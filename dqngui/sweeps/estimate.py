"""How long the queue will take, from the speeds that were measured on it."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Literal

import msgspec

from dqngui.config import Experiment
from dqngui.settings import as_data

Kind = tuple[Literal["same", "agent"], bytes]


class Work(msgspec.Struct, frozen=True):
    """What is known of an entry of the queue.

    Attributes:
        id: the entry.
        kinds: what its speed is like, the most alike first (`kinds_of`).
        step, end: environment steps that it has made, and up to which it is trained.
        steps, seconds: those that were made in measured work, and its wall seconds.
        state: of the entry.
        total: environment steps that were planned, of one that has finished: it may have ended earlier.
    """

    id: int
    kinds: tuple[Kind, ...]
    step: int
    end: int
    steps: int
    seconds: float
    state: str
    total: int = 0


def kinds_of(experiment: Experiment) -> tuple[Kind, ...]:
    """What the speed of a run is like: that of the same settings with another seed, else of the same task and agent."""
    data = as_data(experiment)
    run = {name: value for name, value in data["run"].items() if name != "seed"}
    same = msgspec.json.encode({**data, "run": run, "title": ""}, order="deterministic")
    agent = msgspec.json.encode(
        [experiment.env.id, experiment.net.attention, experiment.net.memory, experiment.learn.algorithm]
    )
    return ("same", same), ("agent", agent)


def seconds_left(works: Sequence[Work], at_once: int) -> tuple[dict[int, float], float | None]:
    """Wall seconds until each entry that waits or runs has ended, by entry, and until all have.

    Waiting entries begin in their order, as soon as one of `at_once` places is free. Where the speed of an entry is not
    known, it and what comes after it are left out, and the whole is None.
    """
    speeds, shares = _speeds(works), _shares(works)
    ends: dict[int, float] = {}
    places: list[float] = []
    for work in works:
        if work.state == "running":
            needed = _needed(work, speeds, shares)
            if needed is not None:
                ends[work.id] = needed
                heapq.heappush(places, needed)
    running = [work for work in works if work.state == "running"]
    known = len(ends) == len(running)
    while len(places) < at_once - (len(running) - len(ends)):
        heapq.heappush(places, 0.0)
    for work in works:
        if work.state != "waiting":
            continue
        needed = _needed(work, speeds, shares)
        if needed is None or not places:
            known = False
            break
        begin = heapq.heappop(places)
        ends[work.id] = begin + needed
        heapq.heappush(places, begin + needed)
    return ends, (max(ends.values(), default=0.0) if known else None)


def _needed(work: Work, speeds: dict[Kind, float], shares: dict[Kind, float]) -> float | None:
    """Wall seconds that an entry still needs; None if no speed like its own was measured."""
    for kind in work.kinds:
        if kind in speeds:
            end = work.end * shares.get(kind, 1.0)
            return max(0.0, end - work.step) / speeds[kind]
    return None


def _speeds(works: Iterable[Work]) -> dict[Kind, float]:
    """Environment steps per wall second by kind. Runs that have finished count alone where there are some, since the
    first steps of a run are often faster.
    """
    finished: dict[Kind, list[Work]] = defaultdict(list)
    others: dict[Kind, list[Work]] = defaultdict(list)
    for work in works:
        if work.steps > 0 and work.seconds > 0:
            for kind in work.kinds:
                (finished if work.state == "finished" else others)[kind].append(work)
    return {
        kind: sum(work.steps for work in measured) / sum(work.seconds for work in measured)
        for kind in finished.keys() | others.keys()
        if (measured := finished.get(kind) or others[kind])
    }


def _shares(works: Iterable[Work]) -> dict[Kind, float]:
    """By kind, the mean share of their planned steps that finished runs made: some end once they solved the task."""
    found: dict[Kind, list[float]] = defaultdict(list)
    for work in works:
        if work.state == "finished" and work.total > 0:
            for kind in work.kinds:
                found[kind].append(min(1.0, work.step / work.total))
    return {kind: mean(shares) for kind, shares in found.items()}
