"""Measures how much the window slows training, and how smoothly the window runs: the second part of `make bench`.

    python -m tests.benchmarks.window [--repeats 5] [--quick]

Each of two experiments is run in a thread of a window, without a window, and in a process of a window, in turns. The
window is 1600×1000 in its default arrangement, with the player at normal speed. It starts to measure ten seconds after
the first step (`dqngui/gui/app/cost_report.py`). Runs of one experiment and seed make the same steps, so the run
without a window is timed over the same steps as the window: its wall time divided by the window's is the share of the
speed that is left. The table shows medians of the repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.run import ENVIRONMENT, last_line

EXPERIMENTS = {"bench-cartpole": ["bench-cartpole"], "default": []}
CURVES = ("return", "learning", "exploration")
ENDLESS = "run.total_steps=50000000"
START_S = 12.0  # longest time from the program's start to the first step
STORED_RUN = "import json; from tests.benchmarks.stored_run import measure; print(json.dumps(measure()))"
LIMITS = {
    "thread": {"share": 0.75, "late_p99": 50.0, "late_worst": 250.0},
    "process": {"share": 0.90, "late_p99": 25.0, "late_worst": 100.0},
}


@dataclass
class Row:
    """One line of the table: a value, and a limit if it has one."""

    label: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def passed(self) -> bool:
        low, high = self.at_least, self.at_most
        return (low is None or self.value >= low) and (high is None or self.value <= high)

    def __str__(self) -> str:
        value = f"{self.value:,.0f}" if abs(self.value) >= 1000 else f"{self.value:.3g}"
        limit = f"≥ {self.at_least:g}" if self.at_least is not None else ""
        limit = f"≤ {self.at_most:g}" if self.at_most is not None else limit
        verdict = "" if not limit else "pass" if self.passed else "FAIL"
        return f"  {self.label:<46}{value + ' ' + self.unit:>14}   {limit:<9}{verdict}".rstrip()


# -- measuring ------------------------------------------------------------------------------------------


def window(host: str | None, file: list[str], *, quit_after: float, warm_up: float = 0.0) -> dict[str, Any]:
    """Open a window and return its report; with a host, it trains from the start."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        command = [sys.executable, "-m", "dqngui", "gui", *file, "--runs", str(Path(place) / "runs")]
        command += ["--size", "1600x1000", "--report", str(report), "--quit-after", str(quit_after)]
        if host is not None:
            command += ["--start", "--warm-up", str(warm_up), "--set", ENDLESS, f"run.host={host}"]
        environment = {**ENVIRONMENT, "XDG_CONFIG_HOME": place}  # no layout of an earlier window
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        measured: dict[str, Any] = json.loads(report.read_text())
        return measured


def share_left(measured: dict[str, Any], trace: list[list[float]]) -> tuple[float, float]:
    """(steps/s without a window over the measured steps, share of this speed that the window reached)."""
    times, steps = np.asarray(trace).T
    first, last = measured["first_step"], min(measured["last_step"], steps[-1])
    # A step count repeats during an evaluation: at both ends, the last time with this count is used.
    at = [times[np.searchsorted(steps, each, "right") - 1] for each in (first, last)]
    rate = (steps[np.searchsorted(steps, last, "right") - 1] - steps[np.searchsorted(steps, first, "right") - 1]) / (
        at[1] - at[0]
    )
    return float(rate), float(measured["steps_per_second"] / rate)


def runs(name: str, repeats: int, seconds: float, warm_up: float) -> dict[str, list[dict[str, Any]]]:
    """Reports of both hosts, each with the speed without a window over the same steps."""
    found: dict[str, list[dict[str, Any]]] = {host: [] for host in LIMITS}
    for repeat in range(repeats):
        print(f"{name}: {repeat + 1}/{repeats}", file=sys.stderr)
        quit_after = START_S + warm_up + seconds
        reports = {"thread": window("thread", EXPERIMENTS[name], quit_after=quit_after, warm_up=warm_up)}
        module = ("-m", "tests.benchmarks.windowless", str(warm_up + seconds + START_S))
        trace: Any = last_line(*module, *EXPERIMENTS[name], "--set", ENDLESS)
        reports["process"] = window("process", EXPERIMENTS[name], quit_after=quit_after, warm_up=warm_up)
        for host, report in reports.items():
            rate, share = share_left(report, trace)
            found[host].append({**report, "windowless_steps_per_second": rate, "share": share})
            late = report["event_loop_late_ms"]
            print(
                f"  {host}: {report['steps_per_second']:,.0f} of {rate:,.0f} steps/s ({share:.2f}), "
                f"late p99 {late['p99']:.0f} worst {late['worst']:.0f} ms",
                file=sys.stderr,
            )
    return found


# -- the table ------------------------------------------------------------------------------------------


def rows_of(host: str, reports: list[dict[str, Any]]) -> list[Row]:
    """The table of one experiment in one host: medians of the repeats."""

    def median(*keys: str) -> float:
        values: list[Any] = list(reports)
        for key in keys:
            values = [value[key] for value in values]
        return float(statistics.median(values))

    limits = LIMITS[host]
    curves = {name: median("redraws_per_second", name) for name in CURVES}
    # A curve is drawn at most once per new point.
    min_rate = min(4.0, 0.9 * median("rows_per_second"))
    slowest = min(curves, key=lambda name: curves[name])
    return [
        Row("share of the speed without a window", median("share"), at_least=limits["share"]),
        Row("  steps/s", median("steps_per_second")),
        Row("  steps/s without a window", median("windowless_steps_per_second")),
        Row("event loop late, p99", median("event_loop_late_ms", "p99"), "ms", at_most=limits["late_p99"]),
        Row("event loop late, worst", median("event_loop_late_ms", "worst"), "ms", at_most=limits["late_worst"]),
        Row("redraws of Return", curves["return"], "/s", at_least=4.0),
        Row(f"redraws of the slowest curves ({slowest})", curves[slowest], "/s", at_least=round(min_rate, 2)),
        Row("pictures of the player", median("pictures_per_second"), "/s", at_least=15.0),
        Row("share of time in painting panels", median("redraw_share")),
        Row("share of time in the window's thread", median("window_share")),
        Row("worst pause for a checkpoint", max(report["checkpoint_worst_ms"] for report in reports), "ms"),
        Row("resident memory of the window", median("resident_mb"), "MiB"),
    ]


def first_launch(repeats: int) -> list[dict[str, Any]]:
    return [window(None, [], quit_after=8.0) for _ in range(repeats)]


def single_rows(launches: list[dict[str, Any]], *, stored: dict[str, float], points: dict[str, float]) -> list[Row]:
    def median(values: list[float | None]) -> float:
        return float(statistics.median(float("inf") if value is None else value for value in values))

    return [
        Row(
            "time until the window shows", median([each["window_shown_after_s"] for each in launches]), "s", at_most=2.0
        ),
        Row(
            "time until the demo's first picture",
            median([each["first_picture_after_s"] for each in launches]),
            "s",
            at_most=5.0,
        ),
        Row(
            "  event loop late until then, worst",
            median([each["event_loop_late_ms"]["worst"] for each in launches]),
            "ms",
        ),
        Row("a million points: redraw of Return", points["return"], "ms", at_most=10.0),
        Row("a million points: redraw of Learning", points["learning"], "ms", at_most=10.0),
        Row("stored run, a million events: first curve", stored["first_curve_s"], "s", at_most=1.0),
        Row("stored run, a million events: all read", stored["whole_s"], "s"),
        Row("  event loop late until then, worst", stored["worst_late_ms"], "ms"),
    ]


def show(title: str, rows: list[Row]) -> None:
    print(title)
    for row in rows:
        print(row)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one repeat of 20 seconds")
    parser.add_argument("--out", type=Path, default=Path("runs") / "benchmark-window.json")
    given = parser.parse_args()
    repeats, seconds, warm_up = (1, 20.0, 5.0) if given.quick else (given.repeats, 60.0, 10.0)
    launches = first_launch(repeats)
    points = last_line("-m", "tests.benchmarks.million_points")
    stored = last_line("-c", STORED_RUN)
    single = single_rows(launches, stored=stored, points=points)
    tables = {"The window by itself": single}
    figures: dict[str, Any] = {"launches": launches, "points": points, "stored": stored}
    for name in EXPERIMENTS:
        figures[name] = runs(name, repeats, seconds, warm_up)
        for host, reports in figures[name].items():
            tables[f"{name}, training in a {host}"] = rows_of(host, reports)
    print(f"\n{os.cpu_count()} processors; medians of {repeats} runs of {seconds:g} s after {warm_up:g} s of warm-up")
    for title, rows in tables.items():
        show(title, rows)
    passed = all(row.passed for rows in tables.values() for row in rows)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    verdicts = {title: {row.label.strip(): [row.value, row.passed] for row in rows} for title, rows in tables.items()}
    given.out.write_text(json.dumps({"table": verdicts, "figures": figures}, indent=2) + "\n")
    print(f"Figures: {given.out}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
