"""Kills the worker of a sweep at random moments and compares every run with the same run trained alone.

    python -m tests.torture.sweep [--kills 10] [--seed 0] [--pruning]

Three memories with five seeds on `tmaze`, two runs at once. The worker, with all that it started or alone, is killed
with SIGKILL and started again until the sweep has ended. With `--pruning`, sixteen settings by successive halving: the
runs that went on to the end are compared with runs that were never paused. Fails if a log, an episode or a checkpoint
differs, a run is missing, or a process is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tomli_w

from tests.evidence.same_logs import differences
from tests.torture import processes
from tests.torture.processes import ROOT, Victim

STEPS = 12_000
SETTINGS = {"run.total_steps": STEPS, "run.eval_every": 2_000, "run.eval_episodes": 20, "run.checkpoint_every": 2_000,
            "env.kwargs.length": 10, "net.horizon": 10, "learn.window": 11}  # fmt: skip
MEMORIES = {
    "name": "memories",
    "seeds": "0-4",
    "base": {"file": "tmaze", "settings": SETTINGS},
    "axes": [{"setting": "net.memory", "values": ["gru", "lstm", "lru"]}],
}
HALVING = {
    "name": "halving",
    "seeds": "0",
    "base": {"file": "tmaze", "settings": SETTINGS},
    "axes": [
        {"setting": "net.memory", "values": ["gru", "lstm"]},
        {"setting": "learn.lr", "low": 1e-4, "high": 3e-2, "log": True, "count": 8},
    ],
    "pruning": {"first": 4_000, "factor": 2},
    "objective": {"score": "area"},
}
LIMIT_S = 3_600.0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pruning", action="store_true")
    given = parser.parse_args()
    place = ROOT / "build" / ("torture-halving" if given.pruning else "torture-sweep")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "sweep.toml").write_text(tomli_w.dumps(HALVING if given.pruning else MEMORIES))
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        killed, orphans = _work(place, given.kills, random.Random(given.seed))
        runs = place / "runs"
        (sweep,) = [each for each in runs.iterdir() if (each / "sweep.toml").exists()]
        folders = sorted(each for each in sweep.glob("[0-9]*") if (each / "experiment.toml").exists())
        states = {each.name: json.loads((each / "summary.json").read_text()) for each in folders}
        ended = [each for each in folders if states[each.name]["state"] == "finished"]
        with ThreadPoolExecutor(2) as pool:
            unequal = [found for found in pool.map(lambda folder: _compared(place, folder), ended) if found]
    made, whole = sum(each["step"] for each in states.values()), STEPS * len(folders)
    report = {"kills": killed, "runs": len(folders), "finished": len(ended), "unequal": unequal, "orphans": orphans,
              "steps_made": made, "steps_saved": whole - made, "share_saved": round(1 - made / whole, 3)}  # fmt: skip
    print(json.dumps(report, indent=2))
    missing = (not ended) if given.pruning else len(ended) < 15
    return 1 if unequal or orphans or missing or killed < given.kills else 0


def _work(place: Path, kills: int, draw: random.Random) -> tuple[int, int]:
    """Work on the sweep until it has ended; how often it was killed, and how many processes were left behind."""
    killed = orphans = 0
    end = time.monotonic() + LIMIT_S
    errors = place / "errors.txt"
    begin = ["sweep", str(place / "sweep.toml"), "--runs", str(place / "runs"), "--at-once", "2"]
    while time.monotonic() < end:
        process = processes.start(begin, errors)
        wait_s = draw.uniform(0.5, 20.0) if killed < kills else LIMIT_S
        until = time.monotonic() + wait_s
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        if process.poll() is not None:
            if process.returncode != 0:
                raise SystemExit(f"the sweep ended with status {process.returncode}: {errors.read_text()}")
            return killed, orphans
        family = processes.family(process.pid)
        victim: Victim = draw.choice(["parent", "both"])
        processes.strike(family, victim)
        process.wait()
        killed += 1
        orphans += processes.orphans(family)
        stored = [each for each in (place / "runs").glob("*") if (each / "sweep.toml").exists()]
        begin = ["sweep", str(stored[0] if stored else place / "sweep.toml"), *begin[2:]]
        print(f"killed ({victim}) after {wait_s:.1f} s", flush=True)
    raise SystemExit("the sweep did not end")


def _compared(place: Path, folder: Path) -> str:
    """What differs between a run of the sweep and the same experiment trained alone; empty if nothing does."""
    alone = place / "alone" / folder.name
    arguments = ["train", str(folder / "experiment.toml"), "--runs", str(alone)]
    ended = processes.run(arguments, place / f"alone-{folder.name}.txt")
    if ended.status != 0:
        return f"{folder.name}: trained alone it ended with {ended.status}: {ended.last_line}"
    (other,) = [each for each in alone.iterdir() if (each / "experiment.toml").exists()]
    found = differences(other, folder)  # a run that was paused has further checkpoints
    return f"{folder.name}: {', '.join(found)}" if found else ""


if __name__ == "__main__":
    sys.exit(main())
