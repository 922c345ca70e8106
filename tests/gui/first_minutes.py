"""Follows the README's first five minutes in the real program, with real key and mouse events on a virtual display.

    python -m tests.gui.first_minutes        (about half a minute on two cores; needs Xvfb and xdotool)

It prints one line per step, which says whether the step had its effect in the run's files or on the screen. The exit
status is 0 if all steps had.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QApplication, QComboBox, QWidget

from dqngui import messages
from dqngui.__main__ import main as dqngui
from dqngui.gui.main_window.window import Window
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.panels.curves.legend import OverlayLegend
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.panels.runs.run_cells import RunColumn
from dqngui.gui.panels.runs.run_table import FOLDER
from dqngui.gui.panels.runs.runs_panel import RunsPanel
from dqngui.lab.session.states import Action
from dqngui.runs.folder import read_events, read_experiment, summary_of
from dqngui.runs.nested import find_runs
from tests.gui.real_hands import SIZE, Asker, Hands, own_display

WAIT_S = 60.0


class Visitor(threading.Thread):
    """A thread that does the README's steps in the window, with real events."""

    def __init__(self, ask: Asker, folder: Path) -> None:
        super().__init__(name="visitor", daemon=True)
        self.ask, self.hands, self.runs = ask, Hands(ask, folder / "Xvfb_screen0"), folder / "runs"
        self.started = time.monotonic()
        self.good = False

    def run(self) -> None:
        steps = (self.demo, self.start_run, self.knob, self.pause, self.fork, self.compare, self.arrange)
        try:
            self.window: Window = self.until("the window", self._window)
            self.hands.focus(self.window)
            self.panels: dict[str, Any] = self.window.panel_docks.panels
            for number, step in enumerate(steps, 1):
                began = time.monotonic()
                print(f"{number}. {step()} ({time.monotonic() - began:.1f} s)", flush=True)
            self.good = True
        except Exception as error:
            print(f"FAILED: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
        finally:
            self.hands.keys("ctrl+q")

    # -- what is shown and stored -----------------------------------------------------------------

    def until(self, what: str, found: Callable[[], Any]) -> Any:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if value := found():
                return value
            time.sleep(0.1)
        raise AssertionError(f"{what} did not come within {WAIT_S:.0f} s")

    def _window(self) -> Window | None:
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            return None
        windows = self.ask(lambda: [each for each in app.topLevelWidgets() if isinstance(each, Window)])
        return windows[0] if windows and windows[0].isVisible() else None

    def seen(self, *cards: str) -> list[npt.NDArray[np.uint8]]:
        return [self.hands.picture(self.panels[name]) for name in cards]

    def changes(self, before: list[npt.NDArray[np.uint8]], *cards: str) -> None:
        """Wait until each card looks different from before."""
        for name, old in zip(cards, before, strict=True):
            self.until(f"a change in {name}", lambda name=name, old=old: not np.array_equal(old, self.seen(name)[0]))

    def events(self, folder: Path, kind: type[messages.Event]) -> list[Any]:
        return [event for event in read_events(folder) if isinstance(event, kind)]

    def newest(self) -> Path | None:
        return next(map(Path, sorted(find_runs(self.runs).runs, reverse=True)), None)

    @staticmethod
    def state(folder: Path) -> str:
        summary = summary_of(folder)
        return summary.state if summary else ""

    def step(self) -> int:
        return int(self.window.session.run.step)

    # -- actions ----------------------------------------------------------------------------------

    def click(self, widget: QWidget, across: float = 0.5, down: float = 0.5, times: int = 1) -> None:
        self.hands.click(*self.hands.place(widget, across, down), times)

    def choose_memory(self, letters: str) -> None:
        """Choose a memory by its first letters."""
        editor: QComboBox = self.window.form.first.editors["net.memory"]  # type: ignore[assignment]
        self.click(editor)
        self.hands.keys(*letters, "Return")

    def click_run(self, folder: Path, column: RunColumn, times: int = 1) -> None:
        runs: RunsPanel = self.panels["runs"]
        table = runs.table

        def place() -> tuple[int, int] | None:
            model = table.model()
            for row in range(model.rowCount()):
                index = model.index(row, column)
                if Path(index.data(FOLDER)).name == folder.name:
                    point = table.viewport().mapToGlobal(table.visualRect(index).center())
                    return point.x(), point.y()
            return None

        self.hands.click(*self.until(f"{folder.name} in the table", lambda: self.ask(place)), times)

    # -- the README's steps -----------------------------------------------------------------------

    def demo(self) -> str:
        agent: AgentPanel = self.panels["agent"]
        memory: MemoryPanel = self.panels["memory"]
        inner = ("agent", "attention", "memory")
        self.until("the demo", lambda: agent.frame.isVisible())
        plays_after = time.monotonic() - self.started
        self.changes(self.seen(*inner), *inner)
        time.sleep(1.5)
        self.click(agent.frame)
        self.hands.keys("space")
        time.sleep(0.5)
        still = self.seen(*inner)
        time.sleep(0.5)
        assert all(map(np.array_equal, still, self.seen(*inner))), "Space did not pause the episode"
        scrubber = agent.transport.scrubber
        self.hands.drag(self.hands.place(scrubber, 0.3), self.hands.place(scrubber, 0.05))
        self.changes(still, *inner)
        before = self.seen(*inner)
        self.click(memory.map, 0.4)
        self.changes(before, *inner)
        self.hands.keys("space")
        return f"the demo played {plays_after:.1f} s after the start; the scrubber and a map lead everything to a step"

    def start_run(self) -> str:
        before = self.seen("return")
        self.click(self.window.header.buttons[Action.START], times=2)  # a double click, as many users do
        folder: Path = self.until("a run's folder", lambda: self.runs.is_dir() and self.newest())
        self.until("an evaluation", lambda: self.events(folder, messages.Evaluated))
        self.changes(before, "return")
        line = self.panels["agent"].line
        self.until("the run's own agent", lambda: "newest weights" in line.text())
        self.first = folder
        episodes = len(self.events(folder, messages.EpisodeEnded))
        return f"Start made {episodes} episodes; the Agent card plays: {line.text()}"

    def knob(self) -> str:
        before = self.seen("return", "log")
        slider = self.window.knobs.rows["learn.lr"].slider
        x, y = self.hands.place(slider, self.ask(lambda: slider.value() / slider.maximum()))
        self.hands.drag((x, y), (x - 40, y))
        (moved,) = self.until("a changed knob", lambda: self.events(self.first, messages.KnobChanged))
        self.changes(before, "return", "log")
        self.hands.keys("ctrl+z")
        back = self.until("the knob's undo", lambda: self.events(self.first, messages.KnobChanged)[1:])[0]
        assert (moved.field, back.new) == ("learn.lr", moved.old)
        return f"the learning rate went from {moved.old:g} to {moved.new:g}, and back with Ctrl+Z"

    def pause(self) -> str:
        session = self.window.session
        self.hands.keys("ctrl+p")
        self.until("the pause", lambda: session.state == "paused")
        made = []
        for keys in ("ctrl+period", "ctrl+shift+period", "ctrl+alt+period"):
            before = self.step()
            self.hands.keys(keys)
            self.until(f"a step after {keys}", lambda before=before: self.step() > before and session.state == "paused")
            time.sleep(0.3)
            made.append(self.step() - before)
        assert made[0] == read_experiment(self.first).env.num_envs, "a step is one of each environment"
        self.hands.keys("ctrl+e")
        self.until("the stop", lambda: self.state(self.first) == "stopped")
        stopped = self.step()
        assert (self.first / "resume").is_dir(), "Stop saved nothing to go on from"
        self.hands.keys("ctrl+r")
        self.until("the resumption", lambda: session.state == "running" and self.step() > stopped + 500)
        assert self.newest() == self.first, "Resume made another run"
        return f"Step made {made} environment steps; stopped at {stopped:,} and went on"

    def fork(self) -> str:
        self.choose_memory("ls")
        self.until("the draft bar", self.window.draft_bar.isVisible)
        before = self.seen("return")
        self.hands.keys("ctrl+shift+f")
        self.branch: Path = self.until("the fork's folder", lambda: (new := self.newest()) != self.first and new)
        (forked,) = self.until("the fork's first line", lambda: self.events(self.branch, messages.Forked))
        self.until("an episode", lambda: self.events(self.branch, messages.EpisodeEnded))
        assert (forked.parent, self.memory(self.branch)) == (self.first.name, "lstm")
        assert self.state(self.first) == "stopped"
        self.changes(before, "return")
        return f"a fork with an LSTM continues from step {forked.step:,}"

    @staticmethod
    def memory(folder: Path) -> str:
        return read_experiment(folder).net.memory

    def compare(self) -> str:
        runs: RunsPanel = self.panels["runs"]
        self.click_run(self.first, RunColumn.SWATCH)
        self.until("the parent's chip", lambda: self.window.findChild(OverlayLegend).chips)
        self.hands.keys("ctrl+e")
        self.until("the stop", lambda: self.state(self.branch) == "stopped")
        self.click_run(self.first, RunColumn.NAME, times=2)
        self.until("the stored run", lambda: self.window.session.run.folder == self.first)
        self.click_run(self.branch, RunColumn.NAME)
        self.hands.keys("Delete")
        self.until("the deletion", lambda: not self.branch.exists())
        self.click(self.until("Undo", lambda: runs.note.undo.isVisible() and runs.note.undo))
        self.until("the run's return", self.branch.exists)
        self.hands.keys("ctrl+n")
        self.choose_memory("no")
        self.hands.keys("ctrl+Return")
        plain = self.until("a third run", lambda: (new := self.newest()) not in (self.first, self.branch) and new)
        self.until("an evaluation", lambda: self.events(plain, messages.Evaluated))
        assert self.memory(plain) == "none"
        return "drawn over, opened, deleted and brought back; a new run trains without memory"

    def arrange(self) -> str:
        card = self.window.docks["return"].card
        before = self.ask(lambda: card.mapToGlobal(card.rect().topLeft()))

        def moved() -> bool:
            return bool(self.ask(lambda: card.mapToGlobal(card.rect().topLeft())) != before)

        self.hands.keys("ctrl+2")
        self.until("Watch", moved)
        self.hands.keys("ctrl+1")
        self.until("Train", lambda: not moved())
        start, end = self.hands.place(card.header, 0.2), self.hands.place(self.panels["learning"], 0.5, 0.9)
        self.hands.drag(start, end)
        self.until("a dragged card", lambda: moved() or not card.isVisible())
        self.hands.keys("ctrl+0")
        self.until("the layout", lambda: card.isVisible() and not moved())
        self.hands.keys("F10")
        self.until("the menu", lambda: self.ask(QApplication.activePopupWidget) is self.window.menu)
        self.hands.keys("Escape")
        return "Watch and Train, a card dragged and put back, the menu"


def visit(folder: Path) -> int:
    """Run the window and the visitor in this process; return the exit status."""
    visitor: list[Visitor] = []

    def begin() -> None:
        while not isinstance(QApplication.instance(), QApplication):
            time.sleep(0.02)
        visitor.append(Visitor(asker, folder))
        visitor[0].start()

    asker = Asker()
    threading.Thread(target=begin, daemon=True).start()
    status = dqngui(["--runs", str(folder / "runs"), "--size", "{}x{}".format(*SIZE)])
    left = [each for each in find_runs(folder / "runs").runs if Visitor.state(Path(each)) == "running"]
    print(f"8. Ctrl+Q ended the window with status {status}; still marked as running: {left or 'none'}", flush=True)
    return 0 if visitor and visitor[0].good and status == 0 and not left else 1


def main() -> int:
    if sys.argv[1:]:
        return visit(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as made, own_display(Path(made)) as display:
        places = {name: str(Path(made) / name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
        environment = os.environ | places | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        return subprocess.run([sys.executable, "-m", "tests.gui.first_minutes", made], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
