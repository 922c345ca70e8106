"""Learning from pictures: memory and saving of a large replay, and the speed of training. `make bench-pixels`.

    python -m tests.benchmarks.pixels --frames 1000000 --repeats 3
    python -m tests.benchmarks.pixels --frames 1000000 --game     # Pong instead of squares; needs ale-py and opencv

First a replay of stacks of four 84 by 84 pictures is filled, beyond its end, by random steps of an environment, and
saved every 10,000 steps; another process loads it and must draw the same batches, bit for bit. Then agents are trained
with the convolutions of Mnih et al. 2015, batches of 32 and one update for four steps, on one thread: ours, a bare loop
and stable-baselines3, in turn. The figures are also written as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from dqngui.config import EnvConfig, Wrapper
from dqngui.envs.make import make_vector
from dqngui.envs.vector import Envs
from dqngui.learning.replay import Replay
from dqngui.learning.windows import WindowRule
from dqngui.runs.folder import create
from dqngui.runs.resume import LogMark, load_resume, save_resume
from dqngui.settings import experiment_from
from tests.benchmarks.pixels_peers import BATCH, EVERY, GAMMA
from tests.benchmarks.run import interleaved, last_line, median, print_row

SAVE_EVERY, BEYOND, BATCHES = 10_000, 50_000, 20
IDS = {False: "tests.benchmarks.pictures:Moving", True: "tests.benchmarks.pictures:Pong"}
RULES = {"one step": WindowRule(1, 1), "three steps": WindowRule(1, 3), "windows": WindowRule(8, 2, context=8)}
GIGABYTE = 2**30


def made(game: bool, frames: int) -> tuple[Envs, Replay]:
    """An environment, and a replay for it."""
    envs = make_vector(EnvConfig(id=IDS[game], num_envs=1, wrappers=(Wrapper(name="frame_stack"),)))
    return envs, Replay(envs.spaces, num_envs=1, capacity=frames, generator=np.random.default_rng(0))


def digest(replay: Replay) -> str:
    """What tells batches of all kinds from any others."""
    found = hashlib.sha256()
    replay.generator = np.random.default_rng(1)
    for rule in RULES.values():
        for _ in range(BATCHES):
            batch = replay.sample(BATCH, rule, GAMMA)
            assert batch is not None
            for name in batch.__dataclass_fields__:
                _add(found, getattr(batch, name))
    return found.hexdigest()


def _add(found: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        found.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, (dict, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            _add(found, each)


def resident() -> float:
    """Memory of this process in GiB."""
    return psutil.Process().memory_info().rss / GIGABYTE


def fill(frames: int, folder: Path, game: bool) -> dict[str, Any]:
    """Fill a replay and save it on the way."""
    envs, replay = made(game, frames)
    before, random, seeds = resident(), np.random.default_rng(0), 0
    parts, saves, adding, most = envs.reset([0]), [], 0.0, 0.0
    for step in range(1, frames + BEYOND + 1):
        action = random.integers(0, envs.spaces.actions, 1)
        after, reward, terminated, truncated = envs.step(action)
        began = time.perf_counter()
        replay.add(parts, action, reward)
        adding += time.perf_counter() - began
        parts = after
        if terminated[0] or truncated[0]:
            seeds += 1
            replay.end_episodes(np.array([0]), after, truncated)
            parts = envs.reset_some(terminated | truncated, [seeds])
        if step % SAVE_EVERY == 0:
            began = time.perf_counter()
            save_resume(folder, replay.arrays(whole=False), {}, LogMark(step=step), replay.growing)
            saves.append(time.perf_counter() - began)
            most = max(most, resident())
    files = list((folder / "replay").iterdir())
    began = time.perf_counter()
    for _ in range(100):
        replay.sample(BATCH, RULES["one step"], GAMMA)
    sampling = (time.perf_counter() - began) / 100
    full = saves[-BEYOND // SAVE_EVERY :]
    return {
        "frames": len(replay),
        "resident_before_gib": before,
        "resident_gib": most,
        "add_us": adding / (frames + BEYOND) * 1e6,
        "save_median_s": statistics.median(saves),
        "save_largest_s": max(saves),
        "save_full_median_s": statistics.median(full),
        "save_full_largest_s": max(full),
        "disk_gib": sum(path.stat().st_size for path in files) / GIGABYTE,
        "files": len(files),
        "sample_ms": sampling * 1000,
        "digest": digest(replay),
    }


def load(frames: int, folder: Path, game: bool) -> dict[str, Any]:
    """Load the replay that `fill` saved."""
    _, replay = made(game, frames)
    began = time.perf_counter()
    stored = load_resume(folder)
    replay.restore(stored.arrays, stored.segments or ())
    return {"load_s": time.perf_counter() - began, "resident_gib": resident(), "digest": digest(replay)}


def replay_figures(frames: int, game: bool, place: str | None) -> dict[str, Any]:
    """Both, each in a process of its own."""
    runs = Path(tempfile.mkdtemp(dir=place))
    try:
        folder = create(runs, experiment_from({}))
        asked = [str(frames), str(folder), *(["--game"] if game else [])]
        filled = last_line("-m", "tests.benchmarks.pixels", "fill", *asked)
        loaded = last_line("-m", "tests.benchmarks.pixels", "load", *asked)
    finally:
        shutil.rmtree(runs, ignore_errors=True)
    print(f"Replay of {frames:,} stacks of 4 pictures, 84 by 84, {'Pong' if game else 'moving squares'}")
    print_row("  resident, GiB", f"{filled['resident_gib']:.2f}", f"{filled['resident_before_gib']:.2f} before")
    print_row("  on the disk, GiB", f"{filled['disk_gib']:.2f}", f"{filled['files']} files")
    for name, key in (("", "save"), (", full", "save_full")):
        median_, largest = filled[f"{key}_median_s"], filled[f"{key}_largest_s"]
        print_row(f"  saving {SAVE_EVERY:,} new steps{name}, s", f"{median_:.2f}", f"at most {largest:.2f}")
    print_row("  storing a step, µs", f"{filled['add_us']:.0f}")
    print_row(f"  drawing {BATCH} steps, ms", f"{filled['sample_ms']:.2f}")
    print_row("  loading, s", f"{loaded['load_s']:.1f}", f"{loaded['resident_gib']:.2f} GiB resident")
    same = filled["digest"] == loaded["digest"]
    print_row("  same batches after loading", "yes" if same else "NO")
    return {"filled": filled, "loaded": loaded, "same": same}


def speed_figures(steps: int, repeats: int) -> dict[str, Any]:
    """Steps per second of training."""
    programs = {"dqngui": "own", "bare loop": "bare", "stable-baselines3": "sb3"}
    if find_spec("stable_baselines3") is None:
        print("stable-baselines3 is not installed", file=sys.stderr)
        del programs["stable-baselines3"]
    measures = {
        name: partial(last_line, "-m", "tests.benchmarks.pixels_peers", which, str(steps))
        for name, which in programs.items()
    }
    figures = interleaved(measures, repeats)
    ratios = {}
    for unit, key in (("second", "steps_per_second"), ("second of the processor", "steps_per_cpu_second")):
        rates = {name: median(figures, name, key) for name in measures}
        print(f"Training, batch {BATCH}, one update for {EVERY} steps, one thread (steps per {unit})")
        for name, rate in rates.items():
            ratios[f"{key} of {name}"] = rates["dqngui"] / rate
            note = "" if name == "dqngui" else f"ours is {rates['dqngui'] / rate:.2f} times as fast"
            print_row(f"  {name}", f"{rate:,.1f}", note)
    return {"figures": figures, "ratios": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["all", "replay", "speed", "fill", "load"], default="all")
    parser.add_argument("of", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=4_500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--game", action="store_true", help="Pong instead of squares for the replay")
    parser.add_argument("--place", help="folder for the saved replay, by default that of temporary files")
    parser.add_argument("--json", default="build/bench-pixels.json")
    given = parser.parse_args()
    if given.part in ("fill", "load"):
        measure = {"fill": fill, "load": load}[given.part]
        print(json.dumps(measure(int(given.of[0]), Path(given.of[1]), given.game)))
        return
    found: dict[str, Any] = {}
    if given.part in ("all", "replay"):
        found["replay"] = replay_figures(given.frames, given.game, given.place)
    if given.part in ("all", "speed"):
        found["speed"] = speed_figures(given.steps, given.repeats)
    Path(given.json).parent.mkdir(parents=True, exist_ok=True)
    Path(given.json).write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
