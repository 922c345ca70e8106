"""The processes of a torture trial: starts dqngui as a user does, kills it, and finds what it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import psutil

ROOT = Path(__file__).parents[2]
GONE_S = 5.0
"""Seconds after which a process that should have ended counts as an orphan."""

LIMIT_S = 300.0  # a command that has not ended by then hangs
MOVED_CLOCK = """
import time
_time, _ns = time.time, time.time_ns
time.time, time.time_ns = (lambda: _time() + {shift}), (lambda: _ns() + {shift} * 10**9)
try:
    import psutil._pslinux as _linux
    _boot = _linux.boot_time
    _linux.boot_time = lambda: _boot() + {shift}
except ImportError:
    pass
"""

Victim = Literal["parent", "child", "both"]


class Ended:
    """How a command ended: its status, and what it said on standard error."""

    def __init__(self, status: int, said: str) -> None:
        self.status, self.said = status, said

    @property
    def last_line(self) -> str:
        return (self.said.strip().splitlines() or [""])[-1]


def start(arguments: Sequence[str], errors: Path, *, clock: Path | None = None, largest: int = 0) -> subprocess.Popen:
    """Start `dqngui ARGUMENTS`; its standard error goes to a file.

    Args:
        clock: a folder made by `moved_clock`.
        largest: no file that it writes may grow beyond so many bytes; 0: no limit.
    """
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}
    if clock is not None:
        variables["PYTHONPATH"] = os.pathsep.join([str(clock), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    command = [sys.executable, "-m", "dqngui", *arguments]
    if largest:
        command = ["sh", "-c", f'ulimit -f {largest // 512}; exec "$@"', "sh", *command]
    with open(errors, "ab") as said:
        return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=said)


def run(arguments: Sequence[str], errors: Path, *, clock: Path | None = None) -> Ended:
    """Run `dqngui ARGUMENTS` to its end."""
    return wait(start(arguments, errors, clock=clock), errors)


def wait(process: subprocess.Popen, errors: Path) -> Ended:
    """Wait for a command; one that hangs is killed and has the status -9."""
    try:
        status = process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        kill(family(process.pid))
        status = process.wait()
    return Ended(status, errors.read_text(errors="replace") if errors.exists() else "")


def moved_clock(place: Path, shift: int) -> Path:
    """A folder for PYTHONPATH: in a process with it, clocks and the start of the machine are `shift` seconds later."""
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(MOVED_CLOCK.format(shift=shift))
    return place


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started, it first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def strike(processes: list[psutil.Process], victim: Victim) -> None:
    """Kill with SIGKILL the parent, one that it started, or all of them; the others go on if they stood still."""
    parent, *children = processes
    chosen = {"parent": [parent], "child": children[:1] or [parent], "both": [*children, parent]}[victim]
    kill(chosen)
    _send([process for process in processes if process not in chosen], signal.SIGCONT)


def stop(processes: list[psutil.Process]) -> None:
    """Let them stand still, with all that they hold; returns when all of their threads do."""
    _send(processes, signal.SIGSTOP)
    end = time.monotonic() + GONE_S
    while any(map(_moves, processes)) and time.monotonic() < end:
        time.sleep(0.005)


def _moves(process: psutil.Process) -> bool:
    """Whether a thread of the process runs, or waits for the disk."""
    states = [_state(place) for place in Path(f"/proc/{process.pid}/task").glob("*/stat")]
    return any(state not in "TtZX" for state in states)


def _state(place: Path) -> str:
    try:
        return place.read_text().rpartition(") ")[2][:1]
    except OSError:  # the thread has ended
        return "X"


def kill(processes: list[psutil.Process]) -> None:
    _send(processes, signal.SIGKILL)


def _send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def orphans(processes: list[psutil.Process]) -> int:
    """How many of these still live after a while; they are killed then."""
    end = time.monotonic() + GONE_S
    while (living := [each for each in processes if _lives(each)]) and time.monotonic() < end:
        time.sleep(0.02)
    kill(living)
    return len(living)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
