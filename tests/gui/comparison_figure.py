"""Draws the README's comparison with the Compare card: four memories on the T-maze of 100 steps, 5 seeds each.

    python -m tests.gui.comparison_figure RUNS FOLDER [--steps N] [--jobs N]

Runs that are missing in RUNS are trained first, with `dqngui train` (a quarter of an hour on two cores), so a stopped
program goes on where it was. The figure is written to FOLDER as PNG, SVG and PDF in the width of a page, with the
numbers behind it as CSV.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from dqngui.comparison.scores import score_named
from dqngui.config import Experiment
from dqngui.gui.cards.panel import Sources
from dqngui.gui.cards.paper_figure import COLUMNS, KINDS
from dqngui.gui.panels.compare.compare_panel import ComparePanel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.library import Library
from dqngui.lab.session.session import Session
from dqngui.runs.folder import list_runs

MEMORIES = ("gru", "lstm", "lru", "transformer")
SEEDS = range(5)
STEPS = 60_000
SETTINGS = ("run.eval_every=2_000", "run.eval_episodes=50")
NAME = "comparison"
PATIENCE_S = 120.0


def stored(runs: Path, steps: int) -> dict[tuple[str, int], str]:
    """Folders of the whole runs by memory and seed."""
    return {(each.memory, each.seed): each.folder for each in list_runs(runs) if each.step >= steps}


def train_missing(runs: Path, steps: int, jobs: int) -> int:
    """Train what is missing; the status of the first command that failed, else 0."""
    for memory in MEMORIES:
        missing = [str(seed) for seed in SEEDS if (memory, seed) not in stored(runs, steps)]
        if not missing:
            continue
        settings = (f"net.memory={memory}", *SETTINGS)
        words = ["train", "tmaze-100", "--steps", str(steps), "--runs", str(runs), "--seeds", ",".join(missing)]
        words += [word for each in settings for word in ("--set", each)]
        words += ["--jobs", str(jobs), "--test-episodes", "0"]
        print("dqngui", *words, file=sys.stderr, flush=True)
        status = subprocess.run([sys.executable, "-P", "-m", "dqngui", *words], check=False).returncode
        if status:
            return status
    return 0


def draw(runs: Path, folder: Path, steps: int) -> None:
    """Write the figure out of the Compare card."""
    qt = QApplication(["dqngui"])
    themes.apply(qt, "light")
    session = Session(Experiment(), runs=runs)
    library, panel = Library(session), ComparePanel()
    panel.attach(Sources(session=session, player=None, library=library))  # type: ignore[arg-type]
    whole = stored(runs, steps)
    library.compared.choose(whole[memory, seed] for memory in MEMORIES for seed in SEEDS if (memory, seed) in whole)
    until = time.monotonic() + PATIENCE_S
    while library.compared.loading and time.monotonic() < until:
        qt.processEvents()
        time.sleep(0.01)
    panel.set_score(score_named("area").name)
    folder.mkdir(parents=True, exist_ok=True)
    for view, name in (("curves", NAME), ("figures", f"{NAME}-figures")):
        panel.show_view(view)
        panel.again()
        for kind in KINDS:
            panel.save_figure(folder / f"{name}.{kind}", COLUMNS["two"][1])
        panel.export_csv(folder / f"{name}.csv")
        print(f"wrote {folder / name}", *KINDS, "csv", file=sys.stderr)
    library.stop()
    library.join()
    panel.deleteLater()


def main() -> int:
    """Train what is missing, draw, and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    given.runs.mkdir(parents=True, exist_ok=True)
    status = train_missing(given.runs, given.steps, given.jobs)
    if status == 0:
        draw(given.runs, given.folder, given.steps)
    return status


if __name__ == "__main__":
    sys.exit(main())
