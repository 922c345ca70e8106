"""Kills training 200 times at random moments, resumes it, and compares it bit for bit with runs that never stopped.

`make torture ARGS="--kills 10 --seed 3"`; see `trial.Plan` for what is tried. Prints a table of what was lost, unequal
or left behind, and fails if any number is not 0. The folders of failed trials stay in build/torture.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from tests.evidence.same_logs import run_of
from tests.torture import processes
from tests.torture.processes import ROOT, Victim
from tests.torture.trial import Outcome, Plan, Trial, small

PRESETS = ("cartpole-positions", "cartpole-ppo", "tmaze", "catch", "cartpole-positions-transformer")
HOSTS: tuple[tuple[str, str], ...] = (
    *(("process", "parent"), ("process", "child"), ("process", "both"), ("inline", "parent"), ("thread", "parent")),
    *(("window", "parent"), ("window", "both")),
)
ATTEMPTS = 3  # a run that had ended before the kill is tried again, and killed earlier
KINDS = ("plain", "again", "clock", "full", "two", "plain", "plain", "plain")


def plans(kills: int) -> list[Plan]:
    """The trials: presets, hosts and kinds change at different rates, and every third kill is aimed at a save."""
    found = []
    for number in range(kills):
        host, victim = HOSTS[number % len(HOSTS)]
        preset, kind = PRESETS[number % len(PRESETS)], KINDS[number % len(KINDS)]
        if kind == "full" and host == "window":
            kind = "plain"  # a window stays open after a failure
        found.append(Plan(number, preset, host, cast(Victim, victim), number % 3 == 0, kind))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one trial")
    asked = parser.parse_args()
    place = ROOT / "build" / "torture"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    chosen = [plan for plan in plans(asked.kills) if asked.only in (None, plan.number)]
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        references = {preset: _reference(place, preset) for preset in {plan.preset for plan in chosen}}

        def carry_out(plan: Plan) -> Outcome:
            own = place / f"{plan.number}"
            reference, seconds = references[plan.preset]
            for attempt in range(1, ATTEMPTS + 1):
                outcome = Trial(plan, own / str(attempt), reference, asked.seed, seconds / attempt).carry_out()
                if not outcome.ended or outcome.problems:
                    break
            if not outcome.problems and not outcome.orphans:
                shutil.rmtree(own, ignore_errors=True)
            print(_line(outcome), flush=True)
            return outcome

        with ThreadPoolExecutor(asked.jobs) as pool:
            outcomes = list(pool.map(carry_out, chosen))
    print(table(outcomes))
    return 1 if any(each.lost or each.unequal or each.orphans for each in outcomes) else 0


def _reference(place: Path, preset: str) -> tuple[Path, float]:
    """A run of the preset that was never stopped, and how long its training took with all its saves."""
    runs = place / "references" / preset
    runs.mkdir(parents=True)
    done = processes.run(["train", *small(preset), "--runs", str(runs)], runs / "errors.txt")
    if done.status:
        raise RuntimeError(f"{preset} does not train: {done.last_line}")
    folder = run_of(runs)
    seconds = (folder / "summary.json").stat().st_mtime - (folder / "checkpoints" / "0.pt").stat().st_mtime
    return folder, max(seconds, json.loads((folder / "summary.json").read_text())["seconds"])


def _line(outcome: Outcome) -> str:
    plan = outcome.plan
    aimed = "aimed" if plan.aimed else ""
    how = f"{plan.number:4} {plan.preset:32} {plan.host:8} {plan.victim:7} {plan.kind:6} {aimed:6}"
    state = "before the first save" if outcome.early else "had ended" if outcome.ended else ""
    found = "; ".join(outcome.problems) or ("an orphan" if outcome.orphans else "equal")
    return f"{how} {state or found}"


def table(outcomes: list[Outcome]) -> str:
    """Counts by kind and by host."""
    head = ("", "trials", "early", "ended", "lost", "unequal", "orphans")
    counts: dict[str, Counter[str]] = {}
    for each in outcomes:
        for group in (
            each.plan.kind,
            f"{each.plan.host}, {each.plan.victim}",
            *(["aimed"] if each.plan.aimed else []),
            "all",
        ):
            row = counts.setdefault(group, Counter())
            row.update(trials=1, early=int(each.early), ended=int(each.ended), lost=each.lost)
            row.update(unequal=each.unequal, orphans=each.orphans)
    order = sorted(counts, key=lambda group: (group == "all", "," in group, group))
    rows = [head, *((group, *(str(counts[group][name]) for name in head[1:])) for group in order)]
    return "\n".join("  ".join(f"{cell:>8}" if at else f"{cell:18}" for at, cell in enumerate(row)) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
