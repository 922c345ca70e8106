"""Runs the fuzz and prints a table: `python -m tests.fuzz.run [--minutes 10]`; status 1 if anything was found.

2,000 inputs to the command line in process and 100 in real processes, 5,000 to the readers. With fewer minutes all
three are scaled down.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from dqngui.__main__ import main
from tests.fuzz.hostile import hostile_run
from tests.fuzz.inputs import as_text, command, read_all
from tests.fuzz.watch import KINDS, LONGEST_S, Count, captured, make_outside, print_of, watch

FULL_MINUTES = 10.0
INPUTS = {"readers": 5000, "command line": 2000, "processes": 100}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
MEMORY = 12 * 2**30  # bytes of address space, so that an input that fills the memory is seen and harms nothing


def in_readers(count: Count, place: Path, outside: Path, seed: int) -> None:
    run = hostile_run(place, seed, outside)
    watch(count, outside, f"readers, seed {seed}", lambda: read_all(run))


def in_process(count: Count, place: Path, outside: Path, seed: int) -> None:
    run = hostile_run(place, seed, outside)
    arguments = command(run, random.Random(seed))

    def act() -> tuple[int, str]:
        try:
            return captured(lambda: main(arguments))
        except SystemExit as error:  # `--help`
            return (0 if not error.code else 2), ""

    watch(count, outside, f"command line, seed {seed}: {as_text(arguments)}", act)


def in_real_process(count: Count, place: Path, outside: Path, seed: int) -> None:
    run = hostile_run(place, seed, outside)
    arguments = [each for each in command(run, random.Random(seed)) if "\0" not in each]

    def act() -> tuple[int, str]:
        made = subprocess.Popen(
            [sys.executable, "-P", "-m", "dqngui", *arguments], cwd=run.parent, env=ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            said = made.communicate()[0].decode("utf-8", "replace")
        finally:
            made.kill()
            made.wait()
        return made.returncode, said

    watch(count, outside, f"process, seed {seed}: {as_text(arguments)}", act, LONGEST_S + _start_seconds())


@cache
def _start_seconds() -> float:
    """How long a process needs on this machine before it does anything."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-P", "-c", "import torch, dqngui.jobs.train"], check=True, env=ENVIRONMENT)
    return time.monotonic() - began


WAYS: dict[str, Callable[[Count, Path, Path, int], None]] = {
    "readers": in_readers,
    "command line": in_process,
    "processes": in_real_process,
}


def all_ways(arguments: list[str]) -> bool:
    """Run the three ways at the same time, each in a process, and return whether nothing was found."""
    command_line = [sys.executable, "-P", "-m", "tests.fuzz.run", *arguments]
    started = [subprocess.Popen([*command_line, "--only", way]) for way in INPUTS]
    statuses = [process.wait() for process in started]
    return not any(statuses)


def fuzz(minutes: float, first_seed: int, way: str) -> bool:
    """Run one way, print a table, and return whether nothing was found."""
    count = Count()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as made:
        outside = make_outside(Path(made))
        os.chdir(made)
        clean = print_of(outside)
        end = time.monotonic() + 3 * 60 * minutes  # a slow machine tries fewer inputs, and the table says how many
        for index in range(max(1, round(INPUTS[way] * min(1.0, minutes / FULL_MINUTES)))):
            if time.monotonic() > end:
                break
            place = Path(made) / "runs"
            place.mkdir()
            WAYS[way](count, place, outside, first_seed + index)
            shutil.rmtree(place, ignore_errors=True)
        assert print_of(outside) == clean, "the damages themselves wrote outside of the run"
        os.chdir("/")
    for example in count.examples:
        print(example, end="\n\n", file=sys.stderr)
    heads = "".join(f"{head:>18}" for head in ("inputs", *KINDS, "slowest"))
    cells = "".join(f"{cell:>18,}" for cell in (count.inputs, *(count.faults[kind] for kind in KINDS)))
    print(f"{'':14}{heads}\n{way:14}{cells}{count.slowest:>16.1f} s", flush=True)
    return not count.faults.total()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=FULL_MINUTES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=INPUTS)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    print(f"a hang is longer than {LONGEST_S:.0f} s", file=sys.stderr)
    clean = fuzz(asked.minutes, asked.seed, asked.only) if asked.only else all_ways(sys.argv[1:])
    sys.exit(0 if clean else 1)
