"""A simulated user who inspects an agent while it trains; every action in the real window is timed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from dqngui.gui.app.app import App
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.docking.timings import Lateness
from dqngui.gui.main_window.breakpoint_dialog import BreakpointDialog
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.panels.agent.transport import HANDLE
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.panels.over_training.over_training_panel import OverTrainingPanel
from dqngui.gui.panels.probe.probe_panel import ProbePanel
from dqngui.gui.panels.whatif.whatif_panel import WhatIfPanel
from dqngui.lab.analysis.overlay import offered, overlay_words
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.states import Action, State
from tests.benchmarks.hand import Hand
from tests.benchmarks.own_lateness import OwnLateness

Key, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier
BEFORE_S, AFTER_S = 0.1, 0.5  # also measured: this time before an action and after its answer
MIN_STEPS = 60  # of an episode to inspect
MOVES = 60  # mouse moves of a drag of the slider
EXPORTS = {"png": "Export picture", "svg": "Export drawing", "csv": "Export data"}


class Visitor(Hand):
    """Does everything that the tour describes, one action after the other.

    Attributes:
        timed: figures by action, in order: `late_ms`, worst lateness of the event loop; `own_ms`, worst lateness caused
            by the window itself; `seconds`, time until the answer was shown.
    """

    def __init__(self, app: App, folder: Path) -> None:
        """Exports are written into `folder`."""
        super().__init__(app)
        self.timed: dict[str, dict[str, float]] = {}
        self._folder = folder
        self._late, self._own = Lateness(app), OwnLateness(app)
        self.agent = self.panel("agent", AgentPanel)
        self.attention, self.memory = self.panel("attention", AttentionPanel), self.panel("memory", MemoryPanel)

    @contextmanager
    def action(self, name: str) -> Iterator[None]:
        """Time the actions in the `with` block."""
        self._late.start()
        self._own.start()
        self.wait(BEFORE_S)
        began = time.perf_counter()
        yield
        seconds = time.perf_counter() - began
        self.wait(AFTER_S)
        self._late.stop()
        self._own.stop()
        self.timed[name] = {"late_ms": self._late.figures()["worst"], "own_ms": self._own.worst, "seconds": seconds}

    def visit(self) -> None:
        """Do all actions."""
        for do in (
            self.arrange, self.pin, self.step, self.scrub, self.look_at_heads, self.order_the_memory, self.overlay,
            self.ask_what_if, self.ask_the_meter, self.ask_the_probe, self.ask_over_training, self.break_training,
            self.export_episode, self.export_plot, self.drive, self.return_to_live,
        ):  # fmt: skip
            do()

    # -- what is shown ----------------------------------------------------------------------------

    @property
    def playing(self) -> PlayedEpisode:
        playing = self.app.player.playing
        assert playing is not None
        return playing

    def shows(self, t: int | None = None) -> bool:
        """Whether every card about the agent shows this step (by default the player's), with its own picture."""
        player, inner = self.app.player, (self.attention, self.memory)
        playing = player.playing
        if playing is None or not playing.length or player.frames.substitute_step is not None or player.frame is None:
            return False
        if t is not None and playing.t != t:
            return False
        at = min(playing.t, playing.length - 1)
        maps = [_canvases(panel) for panel in inner]
        return all(panel.playing is playing for panel in inner) and all(
            canvases and all(canvas.t == at for canvas in canvases) for canvases in maps
        )

    def seek(self, t: int) -> None:
        """Show a step with a click into a map of the episode."""
        (canvas, *_) = _canvases(self.memory)
        self.click(canvas, QPointF(canvas.x_of(t), canvas.place.center().y()))
        self.until(lambda: self.shows(t), f"step {t}")

    # -- one cursor through everything ------------------------------------------------------------

    def arrange(self) -> None:
        with self.action("arrangement Inspect"):
            self.click(self.app.window.switch.buttons["inspect"])
            self.until(
                lambda: {"whatif", "attention", "memory"} <= set(self.app.window.panel_docks.in_sight), "Inspect"
            )
            self.until(self.shows, "the agent that trains")

    def pin(self) -> None:
        with self.action("click on the return curve"):
            self._click_dot()
            self.until(self._shows_pinned, "the episode")

    def _click_dot(self) -> None:
        """Click the dot of a long episode among the oldest 90 %, which are drawn already."""
        history, plot = self.app.window.panel_docks.history, self.panel("return", ReturnPanel).plot
        lengths = history.lengths.y.values
        drawn = range(len(lengths) * 9 // 10)
        number = max(drawn, key=lambda each: (min(lengths[each], 4 * MIN_STEPS), each))
        dot = QPointF(history.returns.x.values[number], history.returns.y.values[number])
        at = QPointF(plot.mapFromScene(plot.box.mapViewToScene(dot)))
        self.hover(plot.viewport(), at)
        self.click(plot.viewport(), at)
        self.until(lambda: self.app.pinning.pinned is not None, "a pin")

    def _shows_pinned(self) -> bool:
        """Whether all cards show the start of the pinned episode."""
        pinned, playing = self.app.pinning.pinned, self.app.player.playing
        if pinned is None or playing is None or playing.request.seed != pinned.trace.seed:
            return False
        return playing.request.from_training and self.shows(0)

    def step(self) -> None:
        panel = self.app.window.panel_docks.panels["return"]
        panel.setFocus()
        with self.action("arrow keys, 10 steps"):
            for t in range(1, 11):
                self.press(panel, Key.Key_Right)
                self.until(lambda t=t: self.shows(t), f"step {t}")
        with self.action("an arrow key held, 45 steps"):
            self.hold(panel, Key.Key_Right, 45)
            self.until(lambda: self.shows(min(55, self.playing.length)), "the last of them")
        with self.action("Shift and arrow keys, 3 episodes"):
            for _ in range(3):
                before = self.app.pinning.pinned
                self.press(self.app.window, Key.Key_Left, SHIFT)
                self.until(lambda before=before: self.app.pinning.pinned is not before, "a pin")
                self.until(self._shows_pinned, "the episode before")
        with self.action("Shift and an arrow key held, 15 episodes"):
            self.hold(self.app.window, Key.Key_Left, 15, SHIFT)
            self.until(self._shows_pinned, "the last of them")
        self._click_dot()
        self.until(self._shows_pinned, "the first episode")

    def scrub(self) -> None:
        with self.action("the slider dragged"):
            self._drag()

    def _drag(self) -> None:
        """Drag the slider from one end to the other and half the way back."""
        slider = self.agent.transport.scrubber
        left, right, middle = HANDLE / 2, slider.width() - HANDLE / 2, slider.height() / 2
        there = [QPointF(left + (right - left) * n / MOVES, middle) for n in range(MOVES + 1)]
        self.drag(slider, [*there, *there[: MOVES // 2 : -1]])
        self.until(lambda: self.shows(slider.sliderPosition()), "the step under the hand")

    # -- inside the agent -------------------------------------------------------------------------

    def look_at_heads(self) -> None:
        panel = self.attention
        with self.action("every map of attention"):
            for name, text in panel.offered().items():
                self.choose(panel.choice.menu(), panel.choice, text)
                self.until(lambda name=name: panel.chosen == name and self.shows(), text)
        grid = next((each for each in (panel.grid, panel.times) if each.isVisible()), None)
        if grid is None:
            first = next(iter(panel.offered().values()))
            self.choose(panel.choice.menu(), panel.choice, first)
        with self.action("a head alone, the next ones, all again"):
            if grid is not None:
                self.click(grid, grid.place(0, 0).center())
            else:
                self.click(panel.now, panel.now.drawn.places[0].center())
            self.until(lambda: not panel.heads.every and self.shows(), "one head")
            self.hold(panel, Key.Key_H, 3)
            self.press(panel, Key.Key_Escape)
            self.until(lambda: panel.heads.every and self.shows(), "all heads")
        assert self.app.pinning.pinned is not None

    def order_the_memory(self) -> None:
        panel = self.memory
        with self.action("orders of the memory's rows"):
            orders = panel.sorting.offered
            for key in ("variance", "reward", "time", "index"):
                below = ("by correlation",) if key in ("reward", "time") else ()
                self.choose(panel.sorting.menu(), panel.sorting, *below, orders[key])
                self.until(lambda key=key: panel.ordering.key == key and self.shows(), orders[key])
        with self.action("the memory's path"):
            self.click(panel.as_path)
            self.until(lambda: len(panel.trajectory.places) == self.playing.length, "its path")
        for colour in panel.trajectory.colours.offered.values():
            self.choose(panel.trajectory.colours.menu(), panel.trajectory.colours, colour)
        self.click(panel.as_path)
        self.until(self.shows, "the map")

    def overlay(self) -> None:
        menu = self.agent.overlays
        kinds = {"saliency" if each.name.startswith("saliency") else "attention": each for each in
                 offered(self.playing.ready)}  # fmt: skip
        for kind, view in sorted(kinds.items()):
            with self.action(f"overlay of {kind}, slider dragged"):
                self.choose(menu.menu(), menu, overlay_words(view.name))
                self.until(lambda: self._overlay_is_shown() and self.shows(), kind)
                self._drag()
        self.choose(menu.menu(), menu, "Picture alone")

    def _overlay_is_shown(self) -> bool:
        overlay, playing = self.agent.overlays.overlay, self.app.player.playing
        return overlay is not None and playing is not None and overlay.at(playing, playing.t) is not None

    # -- questions --------------------------------------------------------------------------------

    def ask_what_if(self) -> None:
        self.bring("whatif")
        panel = self.panel("whatif", WhatIfPanel)

        def answered() -> bool:
            return panel.comparison is not None and not self.app.second_player.busy

        self.seek(self.playing.length // 4)
        with self.action("what if: memory erased"):
            self.choose(panel.add.menu(), panel.add, "Memory", "Everything it remembers")
            self.until(answered, "the second episode")
        with self.action("slider dragged through both episodes"):
            self._drag()
        self.click(panel.clear_all)
        self.until(lambda: panel.comparison is None, "no change")
        with self.action("comparison with another checkpoint"):
            self.choose(panel.mode.menu(), panel.mode, "Compare with a checkpoint", "Best")
            self.until(answered, "the other agent")
        self.choose(panel.mode.menu(), panel.mode, "What if")
        self.until(lambda: panel.comparison is None, "what if again")

    def ask_the_meter(self) -> None:
        faithfulness_row = self.attention.faithfulness_row
        assert faithfulness_row is not None
        with self.action("faithfulness of a map"):
            self.click(faithfulness_row.button)
            self.until(lambda: faithfulness_row.answers and not faithfulness_row.question.is_open, "the meter")
            self.click(faithfulness_row.more)
        self.click(faithfulness_row.more)

    def ask_the_probe(self) -> None:
        with self.action("the probe"):
            self.bring("probe")
            panel = self.panel("probe", ProbePanel)
            self.until(lambda: panel.episodes.isVisible(), "its choices")
            self.choose(panel.episodes.menu(), panel.episodes, "50")
            self.until(lambda: panel.answer is not None and not panel.question.is_open, "the probe")

    def ask_over_training(self) -> None:
        with self.action("attention over training"):
            self.bring("over_training")
            panel = self.panel("over_training", OverTrainingPanel)
            self.until(panel.start.isVisible, "its button")
            self.click(panel.start)
            self.until(lambda: panel.question.is_open, "the question")
            self.until(lambda: panel.rows and not panel.question.is_open, "its curves")

    def break_training(self) -> None:
        window, session = self.app.window, self.app.session
        with self.action("a breakpoint set and hit"):
            self.press(window, Key.Key_B, Qt.KeyboardModifier.ControlModifier)
            self.until(lambda: window.findChild(BreakpointDialog) is not None, "the dialog")
            dialog = window.findChild(BreakpointDialog)
            assert isinstance(dialog, BreakpointDialog)
            dialog.quantity.set_value("return")
            dialog.value.setText("1")
            self.click(dialog.add)
            self.until(lambda: session.state is State.PAUSED, "the pause")
        with self.action("training continued after it"):
            self.click(dialog.boxes[0], QPointF(8, dialog.boxes[0].height() / 2))
            dialog.close()
            self.come_back()
            paused_at = session.run.step
            self.click(window.header.buttons[Action.UNPAUSE])
            self.until(lambda: session.state is State.RUNNING and session.run.step > paused_at, "training")

    # -- exports ----------------------------------------------------------------------------------

    def export_episode(self) -> None:
        card = self.app.window.docks["agent"].card
        for name in ("film.mp4", "film.gif"):
            with self.action(f"export of {name.partition('.')[2].upper()}"):
                self.choose(card.menu, card.header, "Export film")
                self.save_as(self._folder / name)
                self.until(lambda: self.agent.film.filming is not None, "the film")
                self.until(lambda: self.agent.film.filming is None, "its end")
            self._written(name)
        with self.action("export of NPZ"):
            self.choose(card.menu, card.header, "Export every array")
            self.save_as(self._folder / "episode.npz")
            self.until(lambda: self.agent.arrays.busy, "the arrays")
            self.until(lambda: not self.agent.arrays.busy, "their end")
        self._written("episode.npz")

    def export_plot(self) -> None:
        for name in ("return", "memory"):
            for suffix, text in EXPORTS.items():
                card = self.app.window.docks[name].card
                with self.action(f"export of {card.title} as {suffix.upper()}"):
                    self.choose(card.menu, card.header, text)
                    path = self._folder / f"{name}.{suffix}"
                    self.save_as(path)
                    self.until(path.exists, str(path))
                self._written(path.name)

    def _written(self, name: str) -> None:
        path = self._folder / name
        if not path.exists() or not path.stat().st_size:
            raise SystemExit(f"nothing was written to {path}")

    # -- back -------------------------------------------------------------------------------------

    def drive(self) -> None:
        driver = self.agent.driver
        self.seek(min(20, self.playing.length // 2))
        with self.action("driving with the keys"):
            self.click(self.agent.take_over)
            self.until(lambda: driver.playing is not None, "the driven episode")
            by_hand = 0
            for key in (Key.Key_Left, Key.Key_Right) * 4:
                self._keep_down(key, 0.05)  # longer, and the pole would fall
                by_hand += list(driver.actors.values()).count("person")
                self.wait(0.35)
            if not by_hand:
                raise SystemExit("no key reached the episode")
        with self.action("handing back"):
            known = self.playing.length
            self.press(self._focus(), Key.Key_Escape)
            self.until(lambda: not driver.driving, "the agent")
            self.until(
                lambda: self.playing.length > known or self.playing.ended or not self.playing.person_acted, "it plays"
            )

    def _keep_down(self, key: Key, seconds: float) -> None:
        QTest.keyPress(self._focus(), key)
        self.wait(seconds)
        QTest.keyRelease(self._focus(), key)

    def _focus(self) -> QWidget:
        return QApplication.focusWidget() or self.agent

    def return_to_live(self) -> None:
        with self.action("Esc: back to live"):
            self.press(self.app.window, Key.Key_Escape)
            self.until(lambda: self.app.pinning.pinned is None, "live")
            self.until(lambda: self._plays_newest() and self.shows(), "the agent that trains")

    def _plays_newest(self) -> bool:
        """Whether the player shows an episode of the newest weights, without given actions."""
        playing = self.app.player.playing
        return playing is not None and playing.source == "newest weights" and not playing.given


def _canvases(panel: ViewPanel) -> list[StepCanvas]:
    return [each for each in panel.findChildren(StepCanvas) if each.isVisible()]
