"""Takes the pictures of the guided tour (assets/screenshots/README.md): trains four agents, each for one card.

    python -m tests.gui.tour_pictures FOLDER        (about three minutes on two cores)

Every number in the pictures is a real result. The program stops if a run did not learn.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from dqngui import presets
from dqngui.gui.app.app import App
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.panels.probe.probe_panel import ProbePanel
from dqngui.gui.panels.whatif.whatif_panel import WhatIfPanel
from dqngui.lab.analysis.interventions import intervention_targets
from dqngui.lab.analysis.overlay import WeightsOverlay

Kind = TypeVar("Kind")
SIZE = (1600, 1000)
PATIENCE_S = 240.0
POOLING = "attention/pool"
INDEX = "tour.json"  # in the runs' folder: names of the agents' runs
RUNS: dict[str, tuple[list[str], float]] = {
    "gru": (["tmaze", "--set", "net.memory=gru", "--stop-at", "1"], 0.9),
    "mann": (["tmaze", "--agent", "mann-dqn", "--stop-at", "1"], 0.9),
    "minigrid": (["minigrid-memory-cells", "--stop-at", "0.9"], 0.8),
    "transformer": (["cartpole-positions-transformer", "--stop-at", "475"], 450.0),
}
"""By name: arguments of `dqngui train`, and the best evaluation that the run must reach."""


def stored(name: str, runs: Path) -> Path | None:
    """The folder of a run that was trained before; None if there is none."""
    known = _index(runs).get(name)
    return None if known is None else runs / known


def train(name: str, runs: Path) -> Path:
    """Train one agent and return its run's folder. Raises RuntimeError if it did not learn."""
    arguments, least = RUNS[name]
    before = set(runs.glob("*/summary.json"))
    print(f"training: dqngui train {' '.join(arguments)}", file=sys.stderr)
    command = [sys.executable, "-m", "dqngui", "train", *arguments, "--runs", str(runs)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (summary,) = set(runs.glob("*/summary.json")) - before
    best = json.loads(summary.read_text())["best"]
    if best is None or best < least:
        raise RuntimeError(f"{name} reached {best}, not {least}: no pictures")
    (runs / INDEX).write_text(json.dumps({**_index(runs), name: summary.parent.name}))
    return summary.parent


def _index(runs: Path) -> dict[str, str]:
    path = runs / INDEX
    return dict(json.loads(path.read_text())) if path.exists() else {}


class Tour:
    """The window of all pictures, with real processes, and the actions of a user in it."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.window, self.player = app, app.window, app.player
        self._folder = folder

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Process events until a condition is true. Raises TimeoutError."""
        latest = time.monotonic() + PATIENCE_S
        while not reached():
            if time.monotonic() > latest:
                raise TimeoutError(f"waited too long: {what}")
            QApplication.processEvents()
            time.sleep(0.003)

    def rest(self, seconds: float = 1.0) -> None:
        """Process events for some time, so that everything is painted."""
        latest = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > latest, "a rest")

    def open(self, folder: Path, arrangement: str, *, attends: bool = True) -> None:
        """Open a stored run; pause its best agent at the start of an episode."""
        self.app.session.open_stored(folder)
        self.window.arrange(arrangement)
        self.window.reset_layout()
        self.window.docks["attention"].setVisible(attends)
        player = self.player
        self.until(lambda: player.client.agent is not None and player.client.agent.folder == folder, "the agent")
        self.until(lambda: player.playing is not None and player.playing.length > 0, "an episode")
        player.pause()
        self.rest()

    def play(self, seed: int) -> None:
        """Begin an episode with this seed."""
        player = self.player
        player.episodes.next_episode(seed)
        self.until(
            lambda: player.playing is not None and player.playing.seed == seed and player.playing.length > 0, "it"
        )

    def go(self, t: int) -> None:
        """Show step t of the episode, once all of the episode is known."""
        player = self.player
        playing = player.playing
        assert playing is not None
        player.play_until(100_000)
        self.until(lambda: playing.ended, "the episode's end")
        player.seek(min(t, playing.length - 1))
        self.until(lambda: playing.t == min(t, playing.length - 1), "the step")

    def take(self, name: str) -> None:
        """Write the window as a picture."""
        self.rest()
        path = self._folder / f"{name}.png"
        if not self.window.grab().save(str(path)):
            raise OSError(f"cannot write {path}")
        print(f"wrote {path}", file=sys.stderr)

    def panel(self, name: str, kind: type[Kind]) -> Kind:
        """The panel of a card, with its tab shown."""
        panel = self.window.panel_docks.panels[name]
        assert isinstance(panel, kind)
        self.window.docks[name].raise_()
        self.rest(0.3)
        return panel


def erase_the_cue(tour: Tour, folder: Path) -> None:
    """T-maze, GRU: with erased memory the agent turns the other way; the probe reads the cue from the memory."""
    tour.open(folder, "inspect", attends=False)
    whatif = tour.panel("whatif", WhatIfPanel)
    for seed in range(3_100_000, 3_100_010):  # with one of the two cues, an erased memory gives the right turn too
        tour.play(seed)
        tour.go(15)
        playing = tour.player.playing
        assert playing is not None
        whatif.interventions.clear()
        whatif.add_change(next(each for each in intervention_targets(playing.ready) if each.key == "memory"))
        tour.rest()  # until then the comparison is that of the episode before
        tour.until(lambda: whatif.comparison is not None and whatif.comparison.whole, "the other future")
        other = tour.app.second_player.playing
        if other is not None and other.reward.sum() < playing.reward.sum():
            break
    else:
        raise RuntimeError("with its memory erased the agent always turns right: no picture")
    tour.take("tour-erased")
    whatif.interventions.clear()  # the next agents have other memories
    probe = tour.panel("probe", ProbePanel)
    probe.read()
    tour.until(lambda: probe.answer is not None, "the probe's answer")
    tour.take("tour-probe")


def look_into_the_matrix(tour: Tour, folder: Path) -> None:
    """T-maze, MANN: what is written at the cue is read at the junction."""
    tour.open(folder, "watch", attends=False)
    memory = tour.panel("memory", MemoryPanel)
    memory.choose_view("memory/read")
    tour.go(30)
    tour.take("tour-mann")


def lay_attention_on_cells(tour: Tour, folder: Path) -> None:
    """MiniGrid Memory, attention over cells + LSTM: where each head looks at the junction, and faithfulness."""
    tour.open(folder, "watch")
    agent = tour.panel("agent", AgentPanel)
    agent.overlays.choose(True, WeightsOverlay(POOLING))
    faithfulness_row = tour.panel("attention", AttentionPanel).faithfulness_row
    assert faithfulness_row is not None
    tour.play(3_100_001)
    tour.go(0)
    playing = tour.player.playing
    assert playing is not None
    tour.go(playing.length - 4)
    faithfulness_row.measure()
    tour.until(lambda: bool(faithfulness_row.answers), "the faithfulness")
    tour.take("tour-minigrid")


def measure_the_map(tour: Tour, folder: Path) -> None:
    """CartPole, transformer: which past steps each head attends to, and whether that explains the actions."""
    tour.open(folder, "inspect")
    faithfulness_row = tour.panel("attention", AttentionPanel).faithfulness_row
    assert faithfulness_row is not None
    tour.go(60)
    faithfulness_row.measure()
    tour.until(lambda: bool(faithfulness_row.answers), "the faithfulness")
    tour.take("tour-transformer")


STOPS: dict[str, Callable[[Tour, Path], None]] = {
    "gru": erase_the_cue,
    "mann": look_into_the_matrix,
    "minigrid": lay_attention_on_cells,
    "transformer": measure_the_map,
}


def main(argv: list[str] | None = None) -> int:
    """Train the agents without a stored run, take the pictures, and return 0 if all were written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=Path, help="folder of trained runs: use those in it, and store new ones there")
    parser.add_argument("--only", default=",".join(STOPS), help="comma-separated names out of " + ", ".join(STOPS))
    given = parser.parse_args(argv)
    wanted = given.only.split(",")
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        runs = given.runs or Path(temporary)
        found = {name: stored(name, runs) or train(name, runs) for name in wanted}
        qt = QApplication(["dqngui"])
        qt.setQuitOnLastWindowClosed(False)
        settings = QSettings(f"{temporary}/settings.ini", QSettings.Format.IniFormat)
        app = App(presets.read_experiment("tmaze"), runs=runs, settings=settings, theme="dark")
        app.window.resize(*SIZE)
        app.window.show()
        tour = Tour(app, given.folder)
        tour.until(lambda: app.shown_at > 0, "the window")
        try:
            for name in wanted:
                STOPS[name](tour, found[name])
        finally:
            app.closing.begin(ask=False)
            tour.until(lambda: app.closing.done, "the end of all processes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
