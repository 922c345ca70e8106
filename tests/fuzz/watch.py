"""Watches one hostile input: how it ended, how long it took, whether code ran, and what was written outside."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.fuzz.hostile import BASES, STORED

LONGEST_S = 20.0
_ESCAPES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class Hang(BaseException):
    """An input took longer than `LONGEST_S`."""


@dataclass
class Count:
    """What was counted; each number but `inputs` should be 0.

    Attributes:
        examples: of each fault, the first inputs that showed it.
    """

    inputs: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def fault(self, kind: str, what: str) -> None:
        self.faults[kind] += 1
        if self.faults[kind] <= 5:
            self.examples.append(f"{kind}: {what}")


KINDS = ("traceback", "hang", "code run", "written outside", "escape characters")


def make_outside(place: Path) -> Path:
    """A folder that nothing may change: a file, and a whole run."""
    outside = place / "outside"
    shutil.copytree(STORED / BASES[0], outside / "run")
    (outside / "file").write_text("stays\n" * 100)
    return outside


def print_of(folder: Path) -> str:
    """A fingerprint of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return found.hexdigest()


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise Hang in this block after some seconds."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def watch(
    count: Count, outside: Path, what: str, act: Callable[[], tuple[int, str]], seconds: float = LONGEST_S
) -> None:
    """Do something with a hostile input and count what went wrong.

    Args:
        act: returns exit status and printed text.
        seconds: longer is a hang.
    """
    before, began = print_of(outside), time.monotonic()
    count.inputs += 1
    try:
        with at_most(seconds):
            status, said = act()
        if "Traceback" in said or status not in (0, 2, 3):
            count.fault("traceback", f"{what}: status {status}: {said[-1500:]}")
        if _ESCAPES.search(said):
            count.fault("escape characters", f"{what}: {said[-300:]!r}")
    except Hang:
        count.fault("hang", what)
    except Exception as error:
        import traceback

        count.fault("traceback", f"{what}: {error!r:.300} {''.join(traceback.format_tb(error.__traceback__)[-4:])}")
    count.slowest = max(count.slowest, time.monotonic() - began)
    if (outside / "code-ran").exists():
        count.fault("code run", what)
        os.rmdir(outside / "code-ran")
    elif print_of(outside) != before:
        count.fault("written outside", what)
        shutil.rmtree(outside)
        make_outside(outside.parent)


def captured(act: Callable[[], int]) -> tuple[int, str]:
    """The status and the text that `act` prints."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        status = act()
    return status, text.getvalue()
