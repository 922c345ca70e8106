"""Trains without a window and records the step count over time, to compare it with a run in a window.

    python -m tests.benchmarks.windowless SECONDS [FILE] [--set NAME=VALUE ...]

Prints a list of (seconds since the first event, steps) as JSON. The run's folder is removed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from dqngui.commands.experiments import chosen_experiment
from dqngui.hosts import open_host
from dqngui.messages import Failed, Request
from dqngui.runs.folder import create

EVERY_S = 0.1


def trace(experiment_file: str | None, assignments: list[str], seconds: float) -> list[tuple[float, int]]:
    """Pairs (seconds, steps), about ten per second. Raises RuntimeError if training fails."""
    experiment = chosen_experiment(experiment_file, None, assignments)
    with tempfile.TemporaryDirectory() as runs:
        folder = create(Path(runs), experiment)
        host = open_host("inline", Request(job="train", experiment=experiment, folder=str(folder)))
        host.start()
        points: list[tuple[float, int]] = []
        began: float | None = None
        while host.alive:
            for event in host.drain():
                if isinstance(event, Failed):
                    raise RuntimeError(event.words)
                now = time.perf_counter()
                began = began if began is not None else now
                if not points or now - began - points[-1][0] >= EVERY_S:
                    points.append((now - began, event.step))
            if points and points[-1][0] >= seconds:
                break
        host.kill()
        return points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--set", nargs="*", default=[])
    given = parser.parse_args()
    print(json.dumps(trace(given.file, given.set, given.seconds)))


if __name__ == "__main__":
    main()
