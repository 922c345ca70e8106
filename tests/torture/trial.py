"""One trial: train, strike at a random moment, go on to the end, and compare with a run that was never stopped."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.evidence.same_logs import differences
from tests.torture import processes
from tests.torture.processes import Ended, Victim

STEPS = 2400
SMALL = [
    "--set",
    *("env.num_envs=4", "learn.warmup=200", "net.width=16", f"run.total_steps={STEPS}", "run.checkpoint_every=200"),
    *("run.eval_every=700", "run.eval_episodes=2", "run.log_every=100"),
]
LARGE = {"cartpole-positions-transformer": "learn.replay_capacity=400_000"}
"""Presets whose runs get a replay that is saved in segments."""
BEGUN_S = 120.0  # for the import of torch on a busy machine
FULL_AT = (0.5, 1.0)
"""A disk is full at a share of what a whole run needs, and a file at this share of the largest one's size."""


@dataclass(frozen=True)
class Plan:
    """What a trial does.

    Attributes:
        number: of the trial; with the seed it decides all that is random.
        preset: of the run.
        host: `inline`, `thread`, `process` or `window`.
        victim: which processes are killed.
        aimed: the kill waits until a checkpoint is being written.
        kind: `plain`; `again`: the resumed run is killed too; `clock`: another process, whose clock is an hour ahead
            or behind, wants the run while it is trained; `two`: it is resumed twice at once; `full`: the disk is full.
    """

    number: int
    preset: str
    host: str
    victim: Victim
    aimed: bool
    kind: str


@dataclass
class Outcome:
    """What a trial found; `problems` are sentences, empty if all is well.

    Attributes:
        early: the run was killed before its first save, and resuming said so.
        ended: the run had ended before the kill.
        lost, unequal, orphans: what must not be.
    """

    plan: Plan
    early: bool = False
    ended: bool = False
    lost: int = 0
    unequal: int = 0
    orphans: int = 0
    problems: list[str] = field(default_factory=list)

    def lose(self, problem: str) -> None:
        self.lost += 1
        self.problems.append(problem)

    def differ(self, problem: str) -> None:
        self.unequal += 1
        self.problems.append(problem)


class Trial:
    """Carries out a plan in a folder of its own."""

    def __init__(self, plan: Plan, place: Path, reference: Path, seed: int, seconds: float) -> None:
        """`seconds`: how long the training of `reference` took, which ran without a stop."""
        self._plan, self._place, self._reference, self._seconds = plan, place, reference, seconds
        self._random = random.Random(f"{seed}/{plan.number}")
        self._outcome = Outcome(plan)
        self._errors = place / "errors.txt"
        self._runs = place / "runs"

    def carry_out(self) -> Outcome:
        self._place.mkdir(parents=True)
        full = self._random.uniform(*FULL_AT)
        with (
            small_disk(self._runs, self._reference, full) if self._plan.kind == "full" else _plain(self._runs) as limit
        ):
            folder = self._begin_and_strike(limit)
        if folder is not None:
            self._go_on(folder)
        return self._outcome

    # -- until the kill ---------------------------------------------------------------------------

    def _begin_and_strike(self, limit: int) -> Path | None:
        plan, outcome = self._plan, self._outcome
        process = processes.start([*started(plan), "--runs", str(self._runs)], self._errors, largest=limit)
        folder = self._wait_for_run(process)
        if folder is None:
            processes.kill(processes.family(process.pid))
            process.wait()
            outcome.lose(f"the run never began: {Ended(0, self._errors.read_text()).last_line}")
            return None
        if plan.kind != "full":
            self._wait_for_moment(process, folder)
        elif plan.host == "window":
            _until(lambda: (folder / "summary.json").read_text().find('"failed"') > 0, process, self._seconds + 60)
        else:
            processes.wait(process, self._errors)
        living = processes.family(process.pid)
        outcome.ended = plan.kind != "full" and (process.poll() is not None or not _trains(folder))
        if outcome.ended:  # a window stays open
            processes.kill(living)
            process.wait()
            self._saved = saved_step(folder)
        elif living:
            if plan.kind == "clock":
                self._refuse_rival(folder, living)
            saved = saved_step(folder)
            processes.strike(living, plan.victim)
            outcome.orphans += processes.orphans([each for each in living if each.pid != process.pid])
            processes.wait(process, self._errors)
            self._saved = saved
        else:
            self._saved = saved_step(folder)
        return folder

    def _wait_for_run(self, process: subprocess.Popen) -> Path | None:
        def run() -> Path | None:
            return next((path.parent for path in self._runs.glob("*/events.jsonl")), None)

        _until(lambda: run() is not None, process, BEGUN_S)
        return run()

    def _wait_for_moment(self, process: subprocess.Popen, folder: Path) -> None:
        if not self._plan.aimed:
            time.sleep(self._random.uniform(0.0, 0.9 * self._seconds))
            return
        for _ in range(self._random.randrange(1, 8)):
            _until(lambda: not _saves(folder), process, self._seconds)
            _until(lambda: _saves(folder), process, self._seconds)
        time.sleep(self._random.uniform(0.0, 0.004))

    def _refuse_rival(self, folder: Path, living: list) -> None:
        """While the run stands still, another process with another clock wants to go on with it."""
        processes.stop(living)
        if saved_step(folder) is None or not _trains(folder):
            return
        before = digest(folder)
        shift = self._random.choice([-1, 1]) * 3600
        clock = processes.moved_clock(self._place / "clock", shift)
        said = self._place / "rival.txt"
        rival = processes.run(["train", "--resume", str(folder)], said, clock=clock)
        if rival.status != 2 or "being trained" not in rival.said:
            self._outcome.differ(f"a second writer ended with {rival.status}: {rival.last_line}")
        if digest(folder) != before:
            self._outcome.differ("a second writer changed the run")

    # -- after the kill ---------------------------------------------------------------------------

    def _go_on(self, folder: Path) -> None:
        plan, outcome = self._plan, self._outcome
        resume = ["train", "--resume", str(folder), "--host", self._random.choice(["inline", "thread", "process"])]
        clock = processes.moved_clock(self._place / "clock", 3600) if plan.kind == "clock" else None
        if plan.kind == "again":
            again = processes.start(resume, self._errors)
            time.sleep(self._random.uniform(0.0, self._seconds + 4.0))
            living = processes.family(again.pid)
            if living:
                processes.strike(living, self._random.choice(["parent", "both"]))
                outcome.orphans += processes.orphans([each for each in living if each.pid != again.pid])
            again.wait()
        second = None
        if plan.kind == "two":
            second = processes.start(resume, self._place / "second.txt")
        done = processes.run(resume, self._errors, clock=clock)
        if second is not None:
            done = self._one_of_two(done, processes.wait(second, self._place / "second.txt"))
        if done.status != 0:
            self._judge_refusal(done)
            return
        if (state := json.loads((folder / "summary.json").read_text())["state"]) != "finished":
            outcome.lose(f"the resumed run is {state}")
        for difference in differences(self._reference, folder):
            outcome.differ(difference)

    def _one_of_two(self, first: Ended, second: Ended) -> Ended:
        """Of two at once one goes on, and the other is refused or comes when all is done."""
        for one, other in ((first, second), (second, first)):
            if one.status == 0:
                if other.status not in (0, 2):
                    self._outcome.differ(f"the second resumption ended with {other.status}: {other.last_line}")
                return one
        return first

    def _judge_refusal(self, done: Ended) -> None:
        if self._saved is None and done.status == 2 and "never saved" in done.said:
            self._outcome.early = True
        else:
            self._outcome.lose(f"resuming ended with {done.status}: {done.last_line}")


def started(plan: Plan) -> list[str]:
    """The arguments that begin the run."""
    if plan.host == "window":
        return ["gui", *small(plan.preset), "--start"]
    return ["train", *small(plan.preset), "--host", plan.host]


def small(preset: str) -> list[str]:
    """The arguments of a short run of a preset."""
    return [preset, *SMALL, *([LARGE[preset]] if preset in LARGE else [])]


def saved_step(folder: Path) -> int | None:
    """The step of the state from which the run could go on; None if it was never saved."""
    for name in ("resume", "resume.new", "resume.old"):
        try:
            step: int = json.loads((folder / name / "meta.json").read_bytes())["mark"]["step"]
        except (OSError, ValueError, KeyError):
            continue
        return step
    return None


def _trains(folder: Path) -> bool:
    """Whether the run has not ended, as its summary says."""
    state = json.loads((folder / "summary.json").read_bytes())["state"]
    return bool(state in ("ready", "running"))


def digest(folder: Path) -> str:
    """A hash of every file of a run."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(os.fsencode(path.relative_to(folder)) + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _saves(folder: Path) -> bool:
    """Whether a checkpoint is being written now."""
    if (folder / "resume.new").exists() or (folder / "resume.old").exists():
        return True
    return any((folder / "checkpoints").glob("*.new"))


def _until(reached, process: subprocess.Popen, seconds: float) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            if reached():
                return
        except OSError:
            pass
        time.sleep(0.0005)


@contextmanager
def _plain(runs: Path) -> Iterator[int]:
    runs.mkdir()
    yield 0


@contextmanager
def small_disk(runs: Path, reference: Path, share: float) -> Iterator[int]:
    """A small disk at `runs`, whose content stays there; where none can be mounted, files that cannot grow.

    Yields the largest size of a file; 0 if the disk itself is small.
    """
    runs.mkdir()
    disk, sizes = runs.with_name("disk"), [path.stat().st_size for path in reference.rglob("*") if path.is_file()]
    mount = ["mount", "-t", "tmpfs", "-o", f"size={int(share * sum(sizes))}", "tmpfs", str(runs)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        yield int(share * max(sizes))
        return
    try:
        yield 0
        shutil.copytree(runs, disk, symlinks=True)
    finally:
        subprocess.run(["umount", "-l", str(runs)], check=True)
    shutil.rmtree(runs)
    disk.rename(runs)
