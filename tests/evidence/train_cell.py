"""Trains one cell and writes its result.

    python -m tests.evidence.train_cell TASK AGENT SEED [--into FOLDER] [--limit SECONDS]

The run uses the public training job. For a strict task, the weights are tested on selection seeds whenever an
evaluation is high enough, and the run ends when they pass. The result is measured with the chosen weights on test
seeds, which are used once.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.seeds import SELECTION_SEEDS, TEST_SEEDS
from dqngui.hosts import open_host, run_inline
from dqngui.jobs.test import stored_network
from dqngui.messages import EpisodeEnded, Evaluated, Event, Failed, Finished, Request, SendWeights, Stop, Weights
from dqngui.nets.network import QNetwork
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create, versions
from tests.evidence import attention_shares, strict
from tests.evidence.cells import EVIDENCE, Cell, write_result
from tests.evidence.table import ROWS

LIMIT_S = 7200.0
STRICT_FROM = 0.8  # mean return of a T-maze evaluation from which the strict test is run
STRICT_SEEDS = SELECTION_SEEDS + 500_000
SAY_EVERY_S = 30.0


class Trained:
    """One training run, followed through its events."""

    def __init__(self, cell: Cell, folder: Path, limit_s: float) -> None:
        self.cell, self.folder, self.limit_s = cell, folder, limit_s
        self.experiment: Experiment = cell.experiment()
        self.curve: list[list[float]] = []
        self.episodes = self.best_step = 0
        self.end: Finished | None = None
        self.late = False
        self.passed: strict.Outcome | None = None
        self.weights: dict[str, torch.Tensor] | None = None
        self._host = open_host("inline", Request(job="train", experiment=self.experiment, folder=str(folder)))
        self._said = 0.0
        self._network: QNetwork | None = None

    def run(self) -> None:
        """Train to the end, the goal or the time limit. Exits if the process that started this one has ended."""
        began, parent = time.perf_counter(), os.getppid()
        self._host.start()
        while self._host.alive:
            for event in self._host.drain(1.0):  # short, so that weights are requested soon after an evaluation
                self._take(event)
            if not self.late and time.perf_counter() - began > self.limit_s:
                self.late = True
                self._host.send(Stop())
            if os.getppid() != parent:
                sys.exit(1)

    def _take(self, event: Event) -> None:
        match event:
            case Failed():
                raise RuntimeError(f"{event.words}\n{event.details or ''}")
            case EpisodeEnded():
                self.episodes += 1
            case Evaluated(role="selection"):
                self.curve.append([event.step, _rounded(event.mean)])
                self._say(event)
                if self.cell.task.measure == "strict" and event.mean >= STRICT_FROM and self.passed is None:
                    self._host.send(SendWeights())
            case Evaluated(role="confirmation", best=True):
                self.best_step = event.step
            case Weights() if self.passed is None:
                self._test(event)
            case Finished():
                self.end = event

    def _test(self, event: Weights) -> None:
        outcome = strict.strictly(self.network(event.tensors), self.experiment, STRICT_SEEDS, event.step)
        if outcome.remembers:
            self.passed, self.weights, self.best_step = outcome, event.tensors, event.step
            self._host.send(Stop())

    def _say(self, event: Evaluated) -> None:
        if time.perf_counter() - self._said > SAY_EVERY_S:
            self._said = time.perf_counter()
            print(f"{self.cell.name}: {event.step:,} steps, {event.mean:.4g}", file=sys.stderr, flush=True)

    def network(self, weights: dict[str, torch.Tensor] | None = None) -> QNetwork:
        """The network with these weights, by default with those that the run chose."""
        if weights is None:
            weights = self.weights if self.weights is not None else load_weights(self.folder, "best")[1]
        envs = make_vector(self.experiment.env, 1)
        try:
            return stored_network(envs.spaces, self.experiment, weights)
        finally:
            envs.close()


def result_of(cell: Cell, limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Train a cell in a temporary folder and test it. Raises ConfigError before it starts, RuntimeError if it fails."""
    began, used = time.perf_counter(), time.process_time()
    config = cell.config()
    with tempfile.TemporaryDirectory() as runs:
        folder = create(Path(runs), cell.experiment())
        trained = Trained(cell, folder, limit_s)
        trained.run()
        end = trained.end
        assert end is not None
        result: dict[str, Any] = {
            "task": cell.row.task,
            "agent": cell.row.agent,
            "seed": cell.seed,
            "steps": end.step,
            "episodes": trained.episodes,
            "seconds": round(end.seconds, 1),
            "wall_seconds": 0.0,
            "cpu_seconds": 0.0,
            "limit_seconds": limit_s,
            "ended": "time" if trained.late else "solved" if trained.passed else end.reason,
            "best_step": trained.best_step,
            **_tested(trained),
        }
        if cell.task.attends and trained.experiment.net.attention != "none":
            result["attention"] = attention_shares.shares(trained.network(), trained.experiment)
    result["wall_seconds"] = round(time.perf_counter() - began, 1)
    result["cpu_seconds"] = round(time.process_time() - used, 1)  # comparable also when cells share the machine
    made_with = {**versions(), "platform": f"{platform.system()} {platform.machine()}"}
    return {**result, "curve": trained.curve, "versions": made_with, "config": config}


def _tested(trained: Trained) -> dict[str, Any]:
    """The score on test seeds, and the numbers from which it is computed."""
    cell = trained.cell
    if cell.task.measure == "strict":
        outcome = strict.strictly(trained.network(), trained.experiment, TEST_SEEDS)
        return {"score": min(outcome.right), "gap": _rounded(outcome.gap), "right": list(outcome.right)}
    options = {"checkpoint": "best", "episodes": cell.task.test_episodes, "seed": TEST_SEEDS, "role": "test"}
    for event in run_inline(Request(job="test", folder=str(trained.folder), options=options)):
        if isinstance(event, Failed):
            raise RuntimeError(event.words)
        if isinstance(event, Evaluated):
            success = fmean(ret > 0 for ret in event.returns)
            score = success if cell.task.measure == "success" else event.mean
            return {"score": _rounded(score), "returns": [_rounded(ret) for ret in event.returns]}
    raise RuntimeError("the test of the best checkpoint gave no result")


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train one cell of the evidence.")
    parser.add_argument("task")
    parser.add_argument("agent")
    parser.add_argument("seed", type=int)
    parser.add_argument("--into", type=Path, default=EVIDENCE)
    parser.add_argument("--limit", type=float, default=LIMIT_S)
    given = parser.parse_args(argv)
    row = next((row for row in ROWS if (row.task, row.agent) == (given.task, given.agent)), None)
    if row is None:
        parser.error(f"the table has no row {given.task} {given.agent}")
    cell = Cell(row, given.seed)
    write_result(cell.path(given.into), result_of(cell, given.limit))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner stops this process
    sys.exit(main())
