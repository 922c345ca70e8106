"""Runs the benchmarks of training and prints their table: `make bench` and `make bench-learning`.

    python -m tests.benchmarks.run speed --repeats 5
    python -m tests.benchmarks.run learning --seeds 5

Every measurement runs in its own process with torch on one thread. Repeats are interleaved (ours, bare loop, peer, and
again), so that a machine that is slow for a while slows all of them; the table shows medians. The figures are also
written as JSON. The compared programs are `bare_loop.py` and `peer_sb3.py` in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

Figures = dict[str, list[dict[str, Any]]]


def last_line(*command: str | Path) -> dict[str, Any]:
    """Run a Python command and parse the last line that it prints as JSON. Raises SystemExit if it fails."""
    done = subprocess.run([sys.executable, *map(str, command)], env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().rsplit("\n", 1)[-1])
    return result


def ours(*arguments: str) -> dict[str, Any]:
    """The `Finished` event of a training run, as plain data; its folder is removed."""
    with tempfile.TemporaryDirectory() as runs:
        return last_line("-m", "dqngui", "train", *arguments, "--json", "--runs", runs)


def shown_window() -> dict[str, Any]:
    """The report of a window that was opened for three seconds."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "dqngui",
            "gui",
            "--quit-after",
            "3",
            "--runs",
            folder,
            "--report",
            str(report),
        ]
        subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True)
        measured: dict[str, Any] = json.loads(report.read_text())
        return measured


def interleaved(measures: dict[str, Callable[[], dict[str, Any]]], repeats: int) -> Figures:
    """Run every measurement once, and repeat that `repeats` times."""
    figures: Figures = {name: [] for name in measures}
    for repeat in range(repeats):
        for name, measure in measures.items():
            print(f"{repeat + 1}/{repeats} {name}", file=sys.stderr)
            figures[name].append(measure())
    return figures


def median(figures: Figures, name: str, key: str) -> float:
    return statistics.median(result[key] for result in figures[name])


def print_row(label: str, value: str, note: str = "") -> None:
    print(f"{label:<44}{value:>12}   {note}".rstrip())


# -- speed ----------------------------------------------------------------------------------------


def speed(repeats: int, steps: int) -> dict[str, Any]:
    """Measure steps per second on CartPole-v1, the time of a recurrent update, and the time until the window shows."""
    text = str(steps)
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "dqngui": lambda: ours("bench-cartpole", "--steps", text),
        "bare loop": lambda: last_line(HERE / "bare_loop.py", text),
        "stable-baselines3, 1 environment": lambda: last_line(HERE / "peer_sb3.py", "speed", "--steps", text),
        "stable-baselines3, 8 environments": lambda: last_line(
            HERE / "peer_sb3.py", "speed", "--envs", "8", "--steps", text
        ),
        "LSTM update": lambda: last_line("-m", "tests.benchmarks.module_updates", "memory/lstm", "--json"),
        "window": shown_window,
    }
    figures = interleaved(measures, repeats)
    rates = {name: median(figures, name, "steps_per_second") for name in list(measures)[:4]}
    own, bare = rates["dqngui"], rates["bare loop"]
    peer = max(rate for name, rate in rates.items() if name.startswith("stable"))
    print("CartPole-v1, network 120-84, batch 128, one update for ten steps (steps/s)")
    for name, rate in rates.items():
        print_row(f"  {name}", f"{rate:,.0f}", "" if name == "dqngui" else f"ours is {own / rate:.2f} times as fast")
    trained_return = statistics.mean(result["greedy_return"] for result in figures["bare loop"])
    print_row("  bare loop: greedy return after training", f"{trained_return:.0f}")
    print_row("  bare loop / stable-baselines3", f"{bare / peer:.2f}")
    update, arithmetic = (median(figures, "LSTM update", key) for key in ("update_ms", "bare_ms"))
    ratio = median(figures, "LSTM update", "ratio")
    print("LSTM update (64 units, window 32, batch 32)")
    print_row("  dqngui", f"{update:.2f} ms", f"{ratio:.2f} times the bare arithmetic")
    print_row("  bare arithmetic", f"{arithmetic:.2f} ms")
    shown = median(figures, "window", "window_shown_after_s")
    print_row("Window shown after", f"{shown:.2f} s")
    ratios = {
        "of_stable_baselines3": own / peer,
        "of_bare_loop": own / bare,
        "bare_of_stable_baselines3": bare / peer,
        "lstm_update_of_bare": ratio,
        "window_shown_s": shown,
    }
    return {"medians": rates, "ratios": ratios, "figures": figures}


# -- learning -------------------------------------------------------------------------------------


def learning(seeds: int, goal: float, every: int, steps: int) -> dict[str, Any]:
    """Measure the wall time in seconds until CartPole-v1 is solved, without evaluations."""
    figures: Figures = {"dqngui": [], "stable-baselines3": []}
    for seed in range(seeds):
        print(f"seed {seed}", file=sys.stderr)
        schedule = ("--set", f"run.eval_every={every}", "--set", "run.eval_episodes=20")
        end = ours("cartpole", "--seed", str(seed), "--steps", str(steps), "--stop-at", str(goal), *schedule)
        solved = end["step"] if end["reason"] == "solved" else None
        figures["dqngui"].append({"seed": seed, "solved_at": solved, "seconds": end["seconds"]})
        peer = ("learning", "--seed", str(seed), "--steps", str(steps), "--goal", str(goal), "--every", str(every))
        figures["stable-baselines3"].append(last_line(HERE / "peer_sb3.py", *peer))
    print(f"CartPole-v1 until two evaluations of 20 episodes, one every {every:,} steps, are at least {goal:g}")
    medians = {}
    for name, results in figures.items():
        solved_seeds = [result for result in results if result["solved_at"] is not None]
        # A seed that did not reach the goal counts as slower than all others.
        seconds = [result["seconds"] if result["solved_at"] is not None else float("inf") for result in results]
        medians[name] = statistics.median(seconds)
        reached = ", ".join(f"{result['solved_at']:,}" for result in solved_seeds)
        print_row(f"  {name}", f"{medians[name]:.1f} s", f"{len(solved_seeds)} of {seeds} seeds, at {reached} steps")
    ratio = medians["dqngui"] / medians["stable-baselines3"]
    print_row("  ours / stable-baselines3", f"{ratio:.2f}")
    return {"medians": medians, "ratios": {"of_stable_baselines3": ratio}, "figures": figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["speed", "learning"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--goal", type=float, default=475.0)
    parser.add_argument("--every", type=int, default=2_500)
    parser.add_argument("--quick", action="store_true", help="speed: one repeat of half the steps")
    parser.add_argument("--out", type=Path, default=None, help="JSON file (default: runs/benchmark-MODE.json)")
    given = parser.parse_args()
    if given.mode == "speed":
        repeats, steps = (1, 50_000) if given.quick else (given.repeats, 100_000)
        result = speed(repeats, given.steps or steps)
    else:
        result = learning(given.seeds, given.goal, given.every, given.steps or 300_000)
    out = given.out or Path("runs") / f"benchmark-{given.mode}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"Figures: {out}")


if __name__ == "__main__":
    main()
