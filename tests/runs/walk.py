"""A run without learning: a random walk in which each number depends on all earlier ones, to test resuming.

Runs as a program too, to be killed from outside: `python -m tests.runs.walk` reads lines of FOLDER and TOTAL, trains
each in a process of its own (forked, so that torch is imported once), and prints its id and then its exit code.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from dqngui.config import Experiment
from dqngui.messages import EpisodeEnded, Evaluated, Event, Finished, KnobChanged, Learned
from dqngui.runs.recorder import EpisodeTrace, Snapshot, record
from dqngui.runs.resume import load_resume
from dqngui.runs.rewinding import rewind

EVERY = 40
KEPT = 60


class Past:
    """The last steps of the walk, which are saved in segments: each is known by its number."""

    origin = ()
    bytes_of_row = 800

    def __init__(self, step: int) -> None:
        self.step = step

    def extent(self) -> tuple[list[int], list[int]]:
        return [max(0, self.step - KEPT)], [self.step]

    def columns(self, first: Sequence[int], stop: Sequence[int]) -> dict[str, np.ndarray]:
        return {"number": np.repeat(np.arange(first[0], stop[0])[:, None], 100, axis=1)}


def check_segments(segments: Iterable[Any], step: int) -> None:
    """The segments of a state hold the last steps, each once."""
    found = [columns["number"] for _, _, columns in segments]
    numbers = np.concatenate(found) if found else np.zeros((0, 100))
    first = len(numbers) and int(numbers[0, 0])
    assert first <= max(0, step - KEPT) and (numbers == np.arange(first, step)[:, None]).all()


def walk(total: int, state: dict[str, Any] | None, arrays: dict[str, Any], delay: float) -> Iterator[Any]:
    """Yield episodes, learning rows, evaluations, tweaks, and a checkpoint every 40 steps."""
    generator = np.random.default_rng(0)
    step, best, weights = 0, float("-inf"), torch.zeros(5)
    if state is not None:
        step, best, weights = state["step"], state["best"], arrays["weights"].clone()
        generator.bit_generator.state = state["generator"]
    past = Past(step)
    if state is None:
        yield snapshot(0, weights, best, generator, False, past)
    while step < total:
        step = past.step = step + 1
        time.sleep(delay)
        weights[step % 5] += float(generator.normal())
        actions = generator.integers(0, 3, size=int(generator.integers(1, 9)))
        yield EpisodeEnded(step=step, ret=float(weights.sum()), length=len(actions), episode=step)
        yield EpisodeTrace(step, 0, step, 10_000_000 + step, actions)
        if step % 7 == 0:
            yield KnobChanged(step=step, field="learn.lr", old=0.1, new=float(generator.random()))
        if step % 10 == 0:
            yield Learned(step=step, updates=step, loss=float(weights[0]), seconds=time.perf_counter())
        if step % EVERY == 0:
            mean = float(generator.normal())
            improved, best = mean > best, max(mean, best)
            yield Evaluated(step=step, returns=(mean,), lengths=(1,), mean=mean, best=improved)
            yield snapshot(step, weights, best, generator, improved, past)
    yield Finished(step=step, seconds=1.0, steps_per_second=1.0, reason="completed", best=best)


def snapshot(
    step: int,
    weights: torch.Tensor,
    best: float,
    generator: np.random.Generator,
    improved: bool,
    past: Past | None = None,
) -> Snapshot:
    meta = {"step": step, "best": best, "generator": generator.bit_generator.state, "past": past is not None}
    arrays = {"weights": weights, "past": np.arange(step)}
    return Snapshot(step, {"w": weights}, best=improved, state=lambda: (arrays, meta), growing=past)


def run(folder: Path, total: int = 200, delay: float = 0.0) -> Iterator[Event]:
    """Begin the run in the folder, or continue from its last checkpoint, as a training job does."""
    if (folder / "events.jsonl").exists():
        stored = load_resume(folder)
        yield rewind(folder, stored.mark)
        if stored.meta["past"]:
            check_segments(stored.segments or (), stored.mark.step)
        assert len(stored.arrays["past"]) == stored.meta["step"] == stored.mark.step
        yield from record(walk(total, stored.meta, stored.arrays, delay), folder, stored.experiment, stored.mark)
    else:
        yield from record(walk(total, None, {}, delay), folder, experiment())


def experiment() -> Experiment:
    return msgspec.structs.replace(Experiment(), title="A walk")


def train_and_exit(folder: Path, total: int) -> None:
    """End this process with 0 if the run was completed, else with 1."""
    code = 1
    try:
        code = int(list(run(folder, total, 0.001))[-1].reason != "completed")  # type: ignore[attr-defined]
    finally:
        os._exit(code)


if __name__ == "__main__":
    for line in sys.stdin:
        folder, total = line.rsplit(maxsplit=1)
        process = os.fork()
        if not process:
            train_and_exit(Path(folder), int(total))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
