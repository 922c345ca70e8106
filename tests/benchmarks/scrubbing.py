"""Measures scrubbing through a recorded episode of 500 steps while a run trains: the time until a step shows, and how
much training slows down.

    python -m tests.benchmarks.scrubbing --repeats 5

A window trains from the start, in a process or in a thread, and plays an episode of 500 steps with the run's first
weights, with all panels about the agent shown. Periods in which the slider is dragged through the episode (25 steps per
second, no picture in the cache) alternate with periods in which the episode is paused; the ratio of the median training
speeds is the share of the speed that is left. Then single random steps are requested, first steps without a cached
picture, then steps with one. A step counts as shown when its picture and the panels that follow it are painted. The
lateness of the event loop is measured over all of this.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from PySide6.QtWidgets import QApplication

from dqngui import presets, settings
from dqngui.config import Experiment
from dqngui.gui.app.app import App
from dqngui.gui.docking.timings import Lateness
from tests.benchmarks.hand import DRAG_S, PATIENCE_S, Hand, opened
from tests.benchmarks.run import last_line
from tests.benchmarks.window import Row, show

STEPS = 500
SEED = 7
EVERY = 9  # steps from one request of a drag to the next
SAMPLES = 60
TASKS = {
    "CartPole": ("cartpole-positions", {}),
    "MiniGrid": ("minigrid-memory", {"env.kwargs": {"max_steps": STEPS}}),
}
LIMITS = {"cached_ms": 33.0, "uncached_ms": 300.0, "late_worst_ms": 250.0}
MEASURE = "import json; from tests.benchmarks.scrubbing import measure; print(json.dumps(measure{!r}))"


def experiment_of(task: str, host: str) -> Experiment:
    """The experiment that trains; it does not end, evaluate or save during the measurement."""
    name, changes = TASKS[task]
    endless = {"run.total_steps": 50_000_000, "run.eval_every": 0, "run.checkpoint_every": 50_000_000}
    return settings.with_settings(presets.read_experiment(name), {**changes, **endless, "run.host": host})


def long_episode(task: str) -> list[int]:
    """Actions of an episode of 500 steps: a fixed rule that balances the pole, or random turns in MiniGrid."""
    if task == "MiniGrid":
        return np.random.default_rng(SEED).integers(0, 2, STEPS).tolist()
    env, actions = gymnasium.make("CartPole-v1"), []
    (x, speed, angle, turning), _ = env.reset(seed=SEED)
    while len(actions) < STEPS:
        actions.append(int(angle + 0.5 * turning + 0.05 * x + 0.1 * speed > 0))
        (x, speed, angle, turning), _, terminated, truncated, _ = env.step(actions[-1])
        if terminated or truncated:
            break
    env.close()
    if len(actions) != STEPS:
        raise SystemExit(f"the pole fell after {len(actions)} steps")
    return actions


# -- in the window's process ------------------------------------------------------------------------------


def measure(task: str, host: str, seconds: float, stretches: int) -> dict[str, Any]:
    """Figures of one window; dragging and standing still are each measured `stretches` times for `seconds`."""
    with opened(experiment_of(task, host)) as app:
        return _Scrubber(app, task).measure(seconds, stretches)


class _Scrubber(Hand):
    """Scrubs through the episode of a window and measures times."""

    def __init__(self, app: App, task: str) -> None:
        super().__init__(app)
        self._task = task
        self._generator = np.random.default_rng(0)
        self._exact: int | None = None
        app.player.framed.connect(self._on_framed)

    def _on_framed(self, image: object, t: int) -> None:
        if self.app.player.frames.substitute_step is None:
            self._exact = t

    def measure(self, seconds: float, stretches: int) -> dict[str, Any]:
        self.train(self.app.session.run.experiment.learn.warmup + 2_000)  # until it learns
        opened_ms = self._open()
        lateness = Lateness(self.app)
        lateness.start()
        speeds: dict[str, list[float]] = {"dragging": [], "still": []}
        for _ in range(stretches):
            self._open()  # no picture is kept from before
            speeds["dragging"].append(self._speed(seconds, self._drag))
            speeds["still"].append(self._speed(seconds, lambda _: None))
        self._open()
        pictures = self.app.player.frames.cache  # some are drawn ahead meanwhile
        uncached = [self._shown_after(t) for t in self._places(kept=False) if t not in pictures]
        for t in range(0, STEPS, 5):
            self._shown_after(t)
        cached = [self._shown_after(t) for t in self._places(kept=True)]
        lateness.stop()
        return {
            "opened_ms": opened_ms,
            "cached_ms": statistics.median(cached),
            "uncached_ms": statistics.median(uncached),
            "cached_p95_ms": float(np.quantile(cached, 0.95)),
            "uncached_p95_ms": float(np.quantile(uncached, 0.95)),
            "dragging": statistics.median(speeds["dragging"]),
            "still": statistics.median(speeds["still"]),
            "late_p99_ms": lateness.figures()["p99"],
            "late_worst_ms": lateness.figures()["worst"],
        }

    def _open(self) -> float:
        """Open the episode; return the time in ms until its first picture, when not all steps are known yet."""
        player = self.app.player
        began, before = time.perf_counter(), player.playing
        self._exact = None
        player.episodes.play_training_episode(self.app.session.run.folder, 0, SEED, long_episode(self._task))
        self.until(lambda: player.playing is not before and self._exact == 0)
        elapsed_ms = 1000 * (time.perf_counter() - began)
        self.until(lambda: player.playing is not None and player.playing.length == STEPS)
        self.wait(0.5)
        return elapsed_ms

    def _drag(self, passed: float) -> None:
        """Seek to the step of a drag through the episode and back, after `passed` seconds."""
        place = int(passed / DRAG_S) * EVERY % (2 * STEPS)
        self.app.player.seek(min(place, 2 * STEPS - place))

    def _speed(self, seconds: float, do: Callable[[float], None]) -> float:
        """Training steps per second while `do` is called about 25 times a second."""
        session = self.app.session
        first, began = session.run.step, time.perf_counter()
        self.until(lambda: session.run.step > first)  # steps are reported in rows: from one row to another
        first, began = session.run.step, time.perf_counter()
        next_at = 0.0
        while (passed := time.perf_counter() - began) < seconds:
            if passed >= next_at:
                next_at = passed + DRAG_S
                do(passed)
            self.wait(0.005)
        last = session.run.step
        self.until(lambda: session.run.step > last)
        return (session.run.step - first) / (time.perf_counter() - began)

    def _places(self, *, kept: bool) -> list[int]:
        """Random steps whose picture is in the cache, or is not."""
        pictures = self.app.player.frames.cache
        places: list[int] = []
        while len(places) < SAMPLES:
            t = int(self._generator.integers(0, STEPS))
            if (t in pictures) == kept and t not in places:
                places.append(t)
        return places

    def _shown_after(self, t: int) -> float:
        """Request a step; return the time in ms until it is painted."""
        self._exact = None
        began = time.perf_counter()
        self.app.player.seek(t)
        while self._exact != t:
            QApplication.processEvents()
            time.sleep(0.0005)
            if time.perf_counter() - began > PATIENCE_S:
                raise SystemExit(f"step {t} never showed")
        QApplication.processEvents()  # paint what is due
        elapsed_ms = 1000 * (time.perf_counter() - began)
        self.wait(0.15)
        return elapsed_ms


# -- the table --------------------------------------------------------------------------------------------


def rows_of(host: str, reports: list[dict[str, Any]]) -> list[Row]:
    """The table of one task in one host: medians, and the worst lateness of all windows."""

    def median(key: str) -> float:
        return float(statistics.median(report[key] for report in reports))

    share = statistics.median(report["dragging"] / report["still"] for report in reports)
    return [
        Row("time to show a step with a cached picture", median("cached_ms"), "ms", at_most=LIMITS["cached_ms"]),
        Row("  95th percentile", median("cached_p95_ms"), "ms"),
        Row("time to show a step without a cached picture", median("uncached_ms"), "ms", at_most=LIMITS["uncached_ms"]),
        Row("  95th percentile", median("uncached_p95_ms"), "ms"),
        Row("share of training speed left while dragging", share, at_least=0.9 if host == "process" else None),
        Row("  steps/s while dragging", median("dragging")),
        Row("  steps/s without dragging", median("still")),
        Row("time to open the episode", median("opened_ms"), "ms"),
        Row("event loop late, p99", median("late_p99_ms"), "ms"),
        Row("event loop late, worst", max(r["late_worst_ms"] for r in reports), "ms", at_most=LIMITS["late_worst_ms"]),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one repeat with short periods")
    parser.add_argument("--out", type=Path, default=Path("runs") / "benchmark-scrubbing.json")
    given = parser.parse_args()
    repeats, seconds, stretches = (1, 4.0, 2) if given.quick else (given.repeats, 8.0, 4)
    figures: dict[str, list[dict[str, Any]]] = {
        f"{task}, {host}": [] for task in TASKS for host in ("process", "thread")
    }
    for repeat in range(repeats):
        for name, reports in figures.items():
            task, host = name.split(", ")
            print(f"{name}: {repeat + 1}/{repeats}", file=sys.stderr)
            reports.append(last_line("-c", MEASURE.format((task, host, seconds, stretches))))
    print(f"\n{os.cpu_count()} processors; medians of {repeats} windows, {stretches} times {seconds:g} s each")
    tables = {name: rows_of(name.split(", ")[1], reports) for name, reports in figures.items()}
    for name, rows in tables.items():
        show(f"Scrubbing an episode of {STEPS} steps: {name}", rows)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    verdicts = {name: {row.label.strip(): [row.value, row.passed] for row in rows} for name, rows in tables.items()}
    given.out.write_text(json.dumps({"table": verdicts, "figures": figures}, indent=2) + "\n")
    print(f"Figures: {given.out}")
    return 0 if all(row.passed for rows in tables.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
