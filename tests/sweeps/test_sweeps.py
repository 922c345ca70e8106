"""Sweeps on a worker whose hosts train nothing: which runs are made, paused, continued and pruned."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from dqngui.config import Experiment
from dqngui.settings import with_settings
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.results import read_results
from dqngui.sweeps.sweep_file import sweep_from
from dqngui.sweeps.sweep_folder import SweepFolder
from dqngui.sweeps.worker import Worker
from tests.sweeps.scripted_hosts import ScriptedHosts

BASE = with_settings(Experiment(), {"run.total_steps": 1000, "run.eval_every": 100})
WIDTHS = [16, 32, 48, 64, 80, 96]


def by_width(experiment: Experiment) -> float:
    """Wider is better."""
    return experiment.net.width + experiment.run.seed / 100


class Bench:
    """A sweep over six widths with two seeds, and a worker for it."""

    def __init__(self, runs: Path, **given: Any) -> None:
        data = {"base": {"file": "x"}, "axes": [{"setting": "net.width", "values": WIDTHS}], "seeds": "0-1", **given}
        sweep = sweep_from(data)
        self.stored = SweepFolder.create(runs, sweep, BASE, [0, 1])
        self.queue = Queue(runs)
        self.queue.set(at_once=3)
        self.hosts = ScriptedHosts(by_width)
        self.now = 0.0

    def work(self, ticks: int = 200, *, lose_every: int = 0) -> None:
        """Work to the end; every so many ticks the worker is lost and another one begins."""
        worker = self._worker()
        for tick in range(1, ticks):
            self.now += 2.0
            if not worker.tick():
                worker.close()
                return
            if lose_every and tick % lose_every == 0:
                for host in self.hosts.opened:
                    host.kill()
                worker._lock.release()
                worker = self._worker()
            else:
                self.hosts.finish_all()
        raise AssertionError("the sweep did not end")

    def _worker(self) -> Worker:
        name = self.queue.name_of(self.stored.folder)
        return Worker(self.queue.runs, sweep=name, open_host=self.hosts.open, clock=lambda: self.now)  # type: ignore[arg-type]

    @property
    def results(self) -> dict[int, tuple[str, int]]:
        """State and steps of each trial by its width."""
        rows = read_results(self.stored, self.queue).rows
        return {row.trial.settings["net.width"]: (row.state, row.steps) for row in rows}  # type: ignore[misc]


def test_every_trial_is_trained_with_every_seed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.work()
    assert bench.results == dict.fromkeys(WIDTHS, ("finished", 2000))
    assert read_results(bench.stored, bench.queue).rows[0].score == pytest.approx(96.005)


@pytest.mark.parametrize("lose_every", [0, 2, 3])
def test_halving_pauses_at_rungs_and_continues_the_best(tmp_path: Path, lose_every: int) -> None:
    bench = Bench(tmp_path, pruning={"first": 100, "factor": 3})
    bench.work(lose_every=lose_every)
    after = 100 + BASE.env.num_envs
    expected = dict.fromkeys(WIDTHS, ("pruned", 2 * after))
    assert bench.results == expected | {80: ("pruned", 2 * (300 + BASE.env.num_envs)), 96: ("finished", 2000)}
    results = read_results(bench.stored, bench.queue)
    assert results.steps_saved == 2 * (4 * (1000 - after) + 1000 - 300 - BASE.env.num_envs)


def test_a_pruned_run_can_be_continued(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pruning={"first": 100, "factor": 3})
    bench.work()
    pruned = next(entry for entry in bench.queue.entries() if entry.state == "pruned")
    bench.queue.resume(pruned.id)
    bench.work()
    assert bench.queue.entry(pruned.id).state == "finished"


def test_a_failed_run_does_not_hold_up_its_rung_and_its_trial_is_not_the_best(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pruning={"first": 100, "factor": 3})
    bench.hosts.failing = {"005-seed0", "005-seed1"}
    bench.work()
    assert bench.results[96][0] == "failed"
    assert bench.results[80] == ("finished", 2000)


def test_nothing_is_pruned_without_a_result(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pruning={"first": 100, "factor": 3}, objective={"score": "steps_to", "reach": 1e9})
    bench.work()
    assert bench.results == dict.fromkeys(WIDTHS, ("finished", 2000))


def test_a_budget_ends_a_sweep_after_the_trials_that_have_begun(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="the budget counts for samplers that choose later")
    bench = Bench(tmp_path, sampler="tpe", trials=50, budget={"steps": 8000})
    bench.work()
    assert 4 <= len(bench.results) <= 12


def test_a_sweep_whose_file_is_damaged_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (bench.stored.folder / "sweep.toml").write_text("name = ")
    worker = bench._worker()
    assert not worker.tick()
    assert any("sweep.toml" in str(problem) for problem in worker.sweep_problems.values())
    worker.close()


def test_trials_that_were_made_in_part_are_completed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    worker = bench._worker()
    worker.advance_sweeps()
    worker.close()
    for entry in random.Random(0).sample(bench.queue.entries(), 5):
        bench.queue.remove(entry.id)
    bench.work()
    assert bench.results == dict.fromkeys(WIDTHS, ("finished", 2000))
