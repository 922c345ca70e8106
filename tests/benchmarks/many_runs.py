"""Time and memory of the list of runs, with ten and with thousands of runs.

`python -m tests.benchmarks.many_runs [--runs 10000]` makes plausible runs in a temporary folder, in sweeps and beside
them, and measures: the first list (nothing kept), the list of a further process, `dqngui runs`, each key of a filter,
scrolling, the first picture of the window and its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from dqngui import presets
from dqngui.config import Experiment
from dqngui.listing.arranged import matching
from dqngui.listing.listed_run import prepare
from dqngui.listing.query import parse_query
from dqngui.listing.reader import ListReader
from dqngui.messages import CheckpointTest, EpisodeEnded, encode
from dqngui.runs.folder import EVENTS, EXPERIMENT, SUMMARY, new_summary, slug, versions
from dqngui.runs.labels import Labels, write_labels
from dqngui.runs.nested import SWEEP
from dqngui.settings import with_settings

PRESETS = ("cartpole-positions", "tmaze", "cartpole-positions-lstm", "cartpole-positions-transformer")
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
BATCHES = (32, 64, 128)
SEEDS = 5
A_SWEEP = 200  # runs of a sweep
STATES = ("finished",) * 8 + ("stopped", "failed")
TAGS = ("paper", "ablation", "old", "check")
KEYS = ("memory=gru", "best>400", "lr 0.001 seed 3", "tmaze lstm", "tag:paper updated>2026-02", "20k")


def make_runs(folder: Path, count: int, seed: int = 0) -> None:
    """Write so many runs: half of them in folders of sweeps, some with labels."""
    chance = random.Random(seed)
    about, started = versions(), datetime(2026, 1, 1, tzinfo=UTC)
    plans = [presets.read_experiment(name) for name in PRESETS if name in presets.preset_names()]
    made: dict[tuple[int, float, int], Experiment] = {}
    line = encode(EpisodeEnded(step=10, ret=1.0, length=10)) + b"\n"
    for number in range(count):
        plan, rest = (number // SEEDS) % len(plans), number // (SEEDS * len(plans))
        key = plan, RATES[rest % len(RATES)], BATCHES[rest // len(RATES) % len(BATCHES)]
        if key not in made:
            made[key] = with_settings(plans[plan], {"learn.lr": key[1], "learn.batch_size": key[2]})
        run = msgspec.structs.replace(made[key].run, seed=number % SEEDS)
        experiment = msgspec.structs.replace(made[key], run=run)
        started += timedelta(minutes=chance.uniform(1, 60))
        place = folder
        if number % (2 * A_SWEEP) < A_SWEEP and count > A_SWEEP:
            place = folder / f"sweep-{number // (2 * A_SWEEP):03}"
            if not place.exists():
                place.mkdir(parents=True)
                (place / SWEEP).write_text("", encoding="utf-8")
        path = place / f"{started:%Y-%m-%d_%H-%M-%S}_{slug(experiment)}-{number}"
        path.mkdir(parents=True)
        (path / EXPERIMENT).write_text(presets.to_toml(experiment, about), encoding="utf-8")
        (path / EVENTS).write_bytes(line)
        (path / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(_summary(experiment, started, chance))))
        if number % 20 == 0:
            write_labels(
                path, Labels(star=number % 100 == 0, tags=(TAGS[number // 20 % len(TAGS)],), note="Looked at.")
            )


def _summary(experiment: Experiment, started: datetime, chance: random.Random) -> dict[str, Any]:
    score = chance.uniform(20, 500)
    summary = msgspec.structs.replace(
        new_summary(experiment), state=chance.choice(STATES), step=experiment.run.total_steps, best=score,
        final=score * chance.uniform(0.8, 1.0), seconds=chance.uniform(20, 400), started=started.isoformat(),
        updated=(started + timedelta(minutes=6)).isoformat(),
        tested=CheckpointTest(mean=score, episodes=30, low=score - 9, high=score + 9, chosen_at=score + 5),
    )  # fmt: skip
    data: dict[str, Any] = msgspec.to_builtins(summary)
    del data["problem"]
    return data


# -- measurements -----------------------------------------------------------------------------------


REPEATS = 3


def timed(work: Callable[[], Any]) -> float:
    """Seconds that something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def quickest(work: Callable[[], Any]) -> float:
    """Seconds that something takes when other work on the machine disturbs it least."""
    return min(timed(work) for _ in range(REPEATS))


def measure_library(runs: Path) -> dict[str, float]:
    """Seconds to list with the library, and milliseconds of each filter."""
    first, further = ListReader(runs), ListReader(runs)
    figures = {"first list, nothing kept, s": timed(first.read)}
    figures["all settings, nothing kept, s"] = timed(lambda: first.read(settings=True))
    first.keep()
    figures["list of a further process, s"] = quickest(lambda: ListReader(runs).read())
    further.read()
    figures["the same again, s"] = quickest(further.read)
    listing = further.read(settings=True)
    figures["what a filter searches, s"] = timed(lambda: prepare(listing.runs))
    keys = [quickest(lambda text=text: matching(listing.runs, parse_query(text, listing.names))) for text in KEYS]
    return figures | {"filter, worst query, ms": 1000 * max(keys), "filter, median query, ms": 1000 * median(keys)}


def measure_command(runs: Path) -> dict[str, float]:
    """Seconds of `dqngui runs`, from its start to its end."""
    command = [sys.executable, "-P", "-m", "dqngui", "runs", str(runs)]

    def run(*options: str) -> None:
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)

    version = quickest(lambda: subprocess.run([*command[:4], "--version"], check=True, stdout=subprocess.DEVNULL))
    return {
        "dqngui --version, s": version,
        "dqngui runs, s": quickest(run),
        "dqngui runs --filter, s": quickest(lambda: run("--filter", "memory=gru best>400", "--columns", "best,lr")),
    }


def measure_window(runs: Path) -> dict[str, float]:
    """What `many_runs_window` measures, in a process of its own."""
    command = [sys.executable, "-P", "-m", "tests.benchmarks.many_runs_window", str(runs)]
    starts: list[dict[str, float]] = []
    for _ in range(REPEATS):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        starts.append(json.loads(done.stdout.splitlines()[-1]))
    return {name: min(each[name] for each in starts) for name in starts[0]}


def main() -> int:
    """Make the runs, measure, and print the figures of ten and of many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = f"{place}/caches"
        columns: list[dict[str, float]] = []
        for count in (arguments.few, arguments.runs):
            runs = Path(place) / str(count)
            make_runs(runs, count)
            columns.append(measure_library(runs) | measure_command(runs) | measure_window(runs))
    print(f"{'':42}" + "".join(f"{count:>10,}" for count in (arguments.few, arguments.runs)))
    for name in columns[0]:
        print(f"{name:42}" + "".join(f"{column[name]:>10.2f}" for column in columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
