"""Checks that two versions of the code train exactly alike: the same logs, episodes and weights, bit for bit.

`record FOLDER` trains ten presets for 6,000 steps each, a run that is stopped at its first update and resumed, and a
fork, with the version of the code that is first on `PYTHONPATH`. `compare A B` compares two such folders without clock
fields and texts. `make same-logs BASE=REVISION` does everything.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

STEPS = 6000
CASES: dict[str, list[str]] = {
    "cartpole-positions": ["cartpole-positions"],
    "cartpole-positions-transformer": ["cartpole-positions-transformer"],
    "tmaze": ["tmaze"],
    "tmaze-ppo": ["tmaze-ppo"],
    "recall": ["recall"],
    "periodic-sarima": ["periodic", "--set", "net.memory=sarima"],
    "find": ["find"],
    "catch-blind": ["catch-blind"],
    "tmaze-mann": ["tmaze", "--set", "net.memory=mann"],
    "tmaze-dnc": ["tmaze", "--set", "net.memory=dnc"],
}
STOPPED_AT_BREAKPOINT = 3  # exit status
CLOCK = {"seconds", "steps_per_second", "updates_per_second"}
SENTENCES = {"text", "reason", "details", "message", "changes", "kept", "fresh"}


def record(folder: Path, jobs: int) -> None:
    """Train every case into its own folder. Raises RuntimeError if a run ends with an unexpected status."""
    folder = folder.absolute()
    with ThreadPoolExecutor(jobs) as pool:
        for done in pool.map(lambda name: _case(folder, name), [*CASES, "resumed and forked"]):
            print(f"recorded {done}", flush=True)


def _case(folder: Path, name: str) -> str:
    if name in CASES:
        _train(folder / name, [*CASES[name], "--steps", str(STEPS)])
        return name
    stopped = folder / "resumed"
    _train(stopped, ["cartpole-positions", "--steps", str(STEPS), "--break", "loss > 0"], status=STOPPED_AT_BREAKPOINT)
    _train(stopped, ["--resume", "last"])
    _train(folder / "forked", ["--fork", str(run_of(stopped)), "--set", "net.width=48", "--steps", str(2 * STEPS)])
    return name


def _train(runs: Path, arguments: list[str], status: int = 0) -> None:
    command = [sys.executable, "-P", "-m", "dqngui", "train", *arguments, "--runs", str(runs)]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if ended.returncode != status:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr[-2000:]}")


def run_of(runs: Path) -> Path:
    """The folder of the only run below a folder."""
    (run,) = [each for each in runs.iterdir() if (each / "events.jsonl").exists()]
    return run


def rows(run: Path) -> list[dict[str, Any]]:
    """The events of a run's log, without clock fields, texts and names of other runs."""
    found = []
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.append({key: value for key, value in row.items() if key not in CLOCK | SENTENCES | {"parent"}})
    return found


def differences(one: Path, other: Path) -> list[str]:
    """The differences between two runs as texts; empty if they are equal."""
    found = []
    first, second = rows(one), rows(other)
    if first != second:
        at = next((i for i, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), None)
        found.append(f"{len(first)} and {len(second)} events, the first different line is {at}")
    for name in ("episodes.dat", "episodes.idx"):
        if (one / name).read_bytes() != (other / name).read_bytes():
            found.append(f"{name} differs")
    for weights in sorted((one / "checkpoints").glob("*.pt")):
        twin = other / "checkpoints" / weights.name
        if not twin.exists() or not _same_tensors(weights, twin):
            found.append(f"{weights.name} differs")
    return found


def _same_tensors(one: Path, other: Path) -> bool:
    first, second = (_flat(torch.load(path, weights_only=True)) for path in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def _flat(tree: Any, prefix: str = "") -> dict[str, torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        return {prefix: tree}
    if isinstance(tree, dict):
        return {k: v for name, each in tree.items() for k, v in _flat(each, f"{prefix}/{name}").items()}
    return {}


def compare(one: Path, other: Path) -> int:
    """Print one line per case; return the number of cases that differ."""
    wrong = 0
    for name in [*CASES, "resumed", "forked"]:
        found = differences(run_of(one / name), run_of(other / name))
        events = len(rows(run_of(one / name)))
        print(f"{name}: " + ("; ".join(found) if found else f"the same {events} events, episodes and weights"))
        wrong += bool(found)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    if asked.what == "record":
        record(asked.folders[0], asked.jobs)
        return 0
    return 1 if compare(*asked.folders) else 0


if __name__ == "__main__":
    sys.exit(main())
