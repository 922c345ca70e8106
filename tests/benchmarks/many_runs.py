"""Time and memory of the list of runs, with ten and with thousands of runs.

`python -m tests.benchmarks.many_runs [--runs 10000]` makes plausible runs in a temporary folder, in sweeps and beside
them, and measures: the first list (nothing kept), the list of a further process, `dqngui runs`, each key of a filter,
scrolling, the first picture of the window and its memory.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from dqngui import presets
from dqngui.config import Experiment
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
