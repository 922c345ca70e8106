"""Trains the cells of the table that have no result yet, each in its own process, short cells first.

    python -m tests.evidence.run [--only PATTERN] [--seeds 20-24] [--jobs 2] [--into FOLDER] [--quick] [--again]

A cell is skipped if its file was made with the same configuration; it is trained again if a shorter time limit
stopped it. Ctrl+C stops the running cells, which write nothing; finished cells keep their files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dqngui.commands.several import seeds_of
from dqngui.config import ConfigError
from tests.evidence.cells import EVIDENCE, Cell, cells
from tests.evidence.train_cell import LIMIT_S

ROOT = Path(__file__).resolve().parent.parent.parent
GRACE_S = 900.0  # for the tests after the time limit; then a process counts as stuck
POLL_S = 0.2


@dataclass
class Running:
    """A cell that trains, and its process."""

    cell: Cell
    process: subprocess.Popen[bytes]
    began: float


def due(wanted: Iterable[Cell], folder: Path, limit_s: float, again: bool) -> list[Cell]:
    """The cells that must be trained, short cells first. Prints which cells cannot be trained, and why."""
    waiting: list[tuple[float, Cell]] = []
    left_out: dict[str, str] = {}
    for cell in wanted:
        try:
            cost, old = cell.cost(), cell.stored(folder)
            same = old is not None and cell.made_by(old["config"])
        except ConfigError as error:
            left_out.setdefault(f"{cell.row.task}/{cell.row.agent}", str(error))
            continue
        cut_off = old is not None and old.get("ended") == "time" and old.get("limit_seconds", 0) < limit_s
        if again or not same or cut_off:
            waiting.append((cost, cell))
    for name, reason in left_out.items():
        _say(f"left out: {name}: {reason}")
    return [cell for _, cell in sorted(waiting, key=lambda pair: pair[0])]


def run(waiting: list[Cell], folder: Path, *, jobs: int, limit_s: float) -> list[str]:
    """Train cells, at most `jobs` at once; returns the names of those that failed."""
    running: list[Running] = []
    failed: list[str] = []
    total, done = len(waiting), 0
    waiting = list(waiting)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(waiting.pop(0), folder, limit_s))
            time.sleep(POLL_S)
            for each in list(running):
                took = time.monotonic() - each.began
                if each.process.poll() is None and took > limit_s + GRACE_S:
                    _end(each)
                if each.process.poll() is None:
                    continue
                running.remove(each)
                done += 1
                result = each.cell.stored(folder) if each.process.returncode == 0 else None
                if result is None:
                    failed.append(each.cell.name)
                outcome = (
                    "failed"
                    if result is None
                    else f"{result['score']:g} ({result['ended']}, {result['steps']:,} steps)"
                )
                _say(f"[{done}/{total}] {each.cell.name}: {outcome}, {took:.0f} s")
    finally:
        for each in running:
            _end(each)
    return failed


def _start(cell: Cell, folder: Path, limit_s: float) -> Running:
    _say(f"training {cell.name}")
    row = cell.row
    command = [sys.executable, "-m", "tests.evidence.train_cell", row.task, row.agent, str(cell.seed)]
    command += ["--into", str(folder.resolve()), "--limit", str(limit_s)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    # In its own session, so that Ctrl+C reaches only this process, which then stops it.
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    return Running(cell, process, time.monotonic())


def _end(each: Running) -> None:
    each.process.terminate()
    try:
        each.process.wait(5.0)
    except subprocess.TimeoutExpired:
        each.process.kill()
        each.process.wait()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Train the evidence.")
    parser.add_argument(
        "--only", default="", help="train cells whose task/agent-seed contains this text; separate several by commas"
    )
    parser.add_argument("--seeds", default="", help="seeds to train instead of those of the table, for example 20-24")
    parser.add_argument("--jobs", type=int, default=2, help="number of cells trained at the same time")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="maximum training time of a cell, in seconds")
    parser.add_argument("--into", type=Path, default=EVIDENCE)
    parser.add_argument("--quick", action="store_true", help="train the ten-minute subset, one seed per row")
    parser.add_argument("--again", action="store_true", help="train cells again that have a result")
    parser.add_argument("--list", action="store_true", help="print the cells that would be trained, and train nothing")
    given = parser.parse_args(argv)
    try:
        seeds = seeds_of(given.seeds) if given.seeds else None
    except ConfigError as error:
        parser.error(str(error))
    waiting = due(cells(seeds, given.only, given.quick), given.into, given.limit, given.again)
    _say(f"{len(waiting)} cells to train into {given.into}")
    if given.list:
        print("\n".join(cell.name for cell in waiting))
        return 0
    try:
        failed = run(waiting, given.into, jobs=max(1, given.jobs), limit_s=given.limit)
    except KeyboardInterrupt:
        _say("Stopped. Finished cells are stored; the next call continues with the others.")
        return 130
    if failed:
        _say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
