"""Trains the preset `senses` with all senses and without each: `python -m tests.evidence.senses FOLDER [--seeds 20]`.

Each result is a JSON file, with the share of right answers on test episodes; a stopped call goes on with what is
missing. The table is printed at the end. The bounds are those of `dqngui.envs.senses`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dqngui import presets
from dqngui.envs.seeds import TEST_SEEDS
from dqngui.hosts import run_inline
from dqngui.messages import Evaluated, Failed, Request
from dqngui.runs.folder import create
from dqngui.settings import with_settings
from dqngui.statistics import mean_interval

PARTS = {"all": "", "without-picture": "picture", "without-sound": "sound", "without-words": "words"}
BOUNDS = {"all": 1.0, "without-picture": 0.25, "without-sound": 0.25, "without-words": 0.625}
SEEDS, STEPS, EPISODES = (20, 21, 22), 8, 200


def result(condition: str, seed: int) -> dict[str, Any]:
    """Train and test one agent."""
    part = PARTS[condition]
    wrappers = [{"name": "without_part", "options": {"part": part}}] if part else []
    changes = {"env.wrappers": wrappers, "run.seed": seed, "run.device": "cpu"}
    experiment = with_settings(presets.read_experiment("senses"), changes)
    began, curve, returns = time.perf_counter(), [], ()
    with tempfile.TemporaryDirectory() as runs:
        folder = str(create(Path(runs), experiment))
        options = {"checkpoint": "best", "episodes": EPISODES, "seed": TEST_SEEDS + 200_000}
        for request in (
            Request(job="train", experiment=experiment, folder=folder),
            Request(job="test", folder=folder, options=options),
        ):
            for event in run_inline(request):
                if isinstance(event, Failed):
                    sys.exit(event.words)
                if isinstance(event, Evaluated):
                    print(f"  {event.step:,} steps, {event.role} {event.mean / STEPS:.3f}", flush=True)
                    returns = event.returns
                    if event.role == "selection":
                        curve.append([event.step, round(event.mean / STEPS, 4)])
    shares = [ret / STEPS for ret in returns]
    return {
        "condition": condition,
        "seed": seed,
        "share": sum(shares) / len(shares),
        "interval": mean_interval(shares),
        "episodes": len(shares),
        "steps": curve[-1][0],
        "seconds": round(time.perf_counter() - began),
        "curve": curve,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("into", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    arguments = parser.parse_args()
    os.nice(10)
    arguments.into.mkdir(parents=True, exist_ok=True)
    rows = []
    every = [("all", seed) for seed in arguments.seeds]
    every += [(condition, seed) for seed in arguments.seeds for condition in PARTS if condition != "all"]
    for condition, seed in every:
        file = arguments.into / f"{condition}-{seed}.json"
        if not file.exists():
            print(condition, seed, flush=True)
            text = json.dumps(result(condition, seed))
            file.write_text(text + "\n", encoding="utf-8")
        rows.append(json.loads(file.read_text(encoding="utf-8")))
    print("| senses | seed | right answers | 95 % interval | steps | bound |\n|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: list(PARTS).index(row["condition"])):
        interval = "–" if row["interval"] is None else "{:.3f} to {:.3f}".format(*row["interval"])
        bound = BOUNDS[row["condition"]]
        print(
            f"| {row['condition']} | {row['seed']} | {row['share']:.3f} | {interval} | {row['steps']:,} | {bound:g} |"
        )


if __name__ == "__main__":
    main()
