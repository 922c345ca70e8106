"""Makes the run that the window shows at its first launch: `python -m tests.demo assets/demo`.

The run is trained anew with a fixed seed, and what is needed to open and play it is kept: no resume state, no
checkpoint but the best, nothing that tells of the machine.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from dqngui import presets
from dqngui.hosts import run_inline
from dqngui.messages import Evaluated, Failed, Request
from dqngui.runs.checkpoints import BEST, FOLDER
from dqngui.runs.episodes import DATA, INDEX
from dqngui.runs.folder import EVENTS, EXPERIMENT, SUMMARY, RunSummary, create
from dqngui.settings import with_settings

PRESET, SEED, STOP_AT = "cartpole-positions", 4, 475.0
MOST_BYTES = 2_000_000


def trained(runs: Path) -> Path:
    """A new run in `runs`."""
    wanted = {"run.seed": SEED, "run.stop_at": STOP_AT, "run.device": "cpu"}
    experiment = with_settings(presets.read_experiment(PRESET), wanted)
    folder = create(runs, experiment)
    for event in run_inline(Request(job="train", experiment=experiment, folder=str(folder))):
        if isinstance(event, Failed):
            sys.exit(event.words)
        if isinstance(event, Evaluated):
            print(f"{event.step:,} steps, {event.role} {event.mean:g}")
    return folder


def keep(run: Path, folder: Path) -> None:
    """Copy what a run needs to be opened and played."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / FOLDER).mkdir(parents=True)
    for name in (EVENTS, DATA, INDEX, f"{FOLDER}/{BEST}"):
        shutil.copyfile(run / name, folder / name)
    text = (run / EXPERIMENT).read_text(encoding="utf-8")
    (folder / EXPERIMENT).write_text(re.sub(r'(?m)^platform = ".*"\n', "", text), encoding="utf-8")
    summary = msgspec.json.decode((run / SUMMARY).read_bytes(), type=RunSummary)
    plain = msgspec.structs.replace(summary, pid=0, pid_since=0.0)
    (folder / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(plain)) + b"\n")
    size = sum(file.stat().st_size for file in folder.rglob("*"))
    if size > MOST_BYTES:
        sys.exit(f"{folder} has {size:,} bytes, more than {MOST_BYTES:,}")
    print(f"{folder}: {size:,} bytes, best {summary.best:g} at {summary.step:,} steps")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as runs:
        keep(trained(Path(runs)), Path(sys.argv[1]))
