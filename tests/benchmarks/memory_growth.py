"""Measures how much the resident memory of a run grows after its first minutes, at full speed.

    python -m tests.benchmarks.memory_growth --host thread --seconds 600
    python -m tests.benchmarks.memory_growth cartpole-positions --host process --window

A run without an end is started as a user would start it, with or without a window, and the memory of all its processes
is sampled once a second. The last line is JSON: memory in MiB after the first minutes and at the end, and the growth
between the two in percent, for all processes together and for each. The first minutes do not count, because the replay
is filled and libraries are loaded then.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

from dqngui.runs.folder import list_runs

ENDLESS = 1_000_000_000
EDGE_SECONDS = 10
"""Length of the two time ranges, at the start and at the end, whose median memory is compared."""


def command(preset: str, host: str, runs: str, window: bool, seconds: float) -> list[str]:
    """The command line of a run without an end."""
    start = [sys.executable, "-m", "dqngui"]
    settings = ["--set", f"run.total_steps={ENDLESS}", f"run.host={host}"]
    if window:
        return [*start, "gui", preset, "--start", "--runs", runs, "--quit-after", f"{seconds + 60:g}", *settings]
    return [*start, "train", preset, "--host", host, "--runs", runs, "--json", *settings]


def sample(root: psutil.Process) -> dict[str, float]:
    """Resident memory in MiB of a process and its descendants, by a name that does not change."""
    found: dict[str, float] = {}
    for index, process in enumerate([root, *sorted(root.children(recursive=True), key=lambda p: p.create_time())]):
        try:
            found[f"{index} {process.name()} {process.pid}"] = process.memory_info().rss / 2**20
        except psutil.Error:
            continue  # it has just ended
    return found


def growth(values: list[tuple[float, float]], settle: float) -> dict[str, float]:
    """Memory after `settle` seconds and at the end, and the growth in percent, from samples (seconds, MiB)."""
    end = values[-1][0]
    settled = statistics.median(mib for at, mib in values if settle <= at < settle + EDGE_SECONDS)
    last = statistics.median(mib for at, mib in values if at > end - EDGE_SECONDS)
    return {
        "settled_mib": round(settled, 1),
        "end_mib": round(last, 1),
        "peak_mib": round(max(mib for _, mib in values), 1),
        "growth_percent": round(100 * (last / settled - 1), 2),
    }


def measure(preset: str, host: str, window: bool, seconds: float, settle: float) -> dict[str, Any]:
    """Train for some seconds and measure how memory grew from `settle` on. Raises SystemExit if the run ends early."""
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as runs, tempfile.TemporaryFile() as complaints:
        arguments = command(preset, host, runs, window, seconds)
        began = time.monotonic()
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=complaints) as child:
            root = psutil.Process(child.pid)
            while (at := time.monotonic() - began) < seconds:
                if child.poll() is not None:
                    complaints.seek(0)
                    raise SystemExit(f"{' '.join(arguments)} ended early:\n{complaints.read()[-2000:].decode()}")
                found = sample(root)
                series["all"].append((at, sum(found.values())))
                for name, mib in found.items():
                    series[name].append((at, mib))
                if int(at) % 10 == 0:
                    print(f"{at:5.0f} s  {series['all'][-1][1]:7.1f} MiB", file=sys.stderr)
                time.sleep(1.0)
            child.send_signal(signal.SIGTERM)
            child.wait(60)
        steps = max(run.step for run in list_runs(Path(runs)))
    whole = {name: values for name, values in series.items() if values[0][0] < settle and values[-1][0] > seconds - 5}
    return {
        "preset": preset,
        "host": host,
        "window": window,
        "seconds": seconds,
        "settle": settle,
        "steps": steps,
        "all": growth(whole.pop("all"), settle),
        "processes": {name: growth(values, settle) for name, values in whole.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("preset", nargs="?", default="cartpole-positions")
    parser.add_argument("--host", choices=("inline", "thread", "process"), default="thread")
    parser.add_argument("--window", action="store_true", help="train in a window, with its player")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--settle", type=float, default=120.0, help="first seconds that do not count")
    arguments = parser.parse_args()
    if arguments.seconds < arguments.settle + 2 * EDGE_SECONDS:
        parser.error(f"--seconds must exceed --settle by at least {2 * EDGE_SECONDS}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    result = measure(arguments.preset, arguments.host, arguments.window, arguments.seconds, arguments.settle)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
