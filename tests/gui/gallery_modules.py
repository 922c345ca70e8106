"""Takes pictures of the panels about the agent, with every view of every attention and memory, from short real runs.

    python -m tests.gui.gallery_modules FOLDER [NAME ...]        (about four minutes on two cores)

Each agent is trained for some hundred steps and its run is opened in the real window. A sheet shows its Attention and
Memory cards with each view, its Agent card, and the window. The agents do not learn anything in so few steps: the
pictures show how views are drawn. They cover every attention and memory of the catalog, and every kind of observation.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, QSettings, Qt, QTimer
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from dqngui import presets
from dqngui.config import Experiment
from dqngui.gui.app.app import App
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.style.theme import Setting
from dqngui.hosts import run_inline
from dqngui.lab.session.states import State
from dqngui.messages import Failed, Request
from dqngui.runs.folder import create
from dqngui.settings import with_settings

STEPS, SIZE = 800, (1280, 800)
SHORT = {
    "run.total_steps": STEPS, "run.eval_every": STEPS // 2, "run.eval_episodes": 2, "run.checkpoint_every": STEPS,
    "run.device": "cpu", "learn.replay_capacity": 5_000,
}  # fmt: skip
OFF_POLICY = {"learn.warmup": 200, "learn.update_every": 40, "learn.updates": 1}
PATIENCE_S, POLL_MS, GAP = 60.0, 40, 6
GROUND = Qt.GlobalColor.gray

Condition = Callable[[], bool]


@dataclass(frozen=True)
class ShownAgent:
    """The agent of the sheet `name`: a preset with changed settings, and an agent preset if `agent` is not empty.

    Attributes:
        shown_at: the step of the episode to show; the last step of a shorter episode.
        themes: the themes of the sheet.
    """

    name: str
    preset: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    agent: str = ""
    shown_at: int = 20
    themes: tuple[Setting, ...] = ("dark",)

    def experiment(self) -> Experiment:
        """The experiment of a short run."""
        experiment = presets.read_experiment(self.preset)
        if self.agent:
            experiment = presets.with_agent(experiment, presets.read_agent(self.agent))
        settings = SHORT | (OFF_POLICY if experiment.learn.algorithm == "dqn" else {}) | dict(self.settings)
        return with_settings(experiment, settings | {"title": self.name})


def _remembering(memory: str, **options: Any) -> dict[str, Any]:
    return {"net.memory": memory, "net.memory_options": options}


def _attending(attention: str, **options: Any) -> dict[str, Any]:
    return {"net.attention": attention, "net.attention_options": options, "net.tokens": "feature"}


MINIGRID = {"net.hidden": (), "run.total_steps": 300, "run.eval_every": 0, "run.checkpoint_every": 300}
BOTH: tuple[Setting, ...] = ("dark", "light")
AGENTS = (
    ShownAgent("lstm", "tmaze", _remembering("lstm")),
    ShownAgent("gru, self-attention", "cartpole-positions", themes=BOTH),
    ShownAgent("transformer, self-attention", "cartpole-positions-transformer", _remembering("transformer", layers=2)),
    ShownAgent("transformer, gates", "tmaze", _remembering("transformer", gate="gru", heads=2, length=40)),
    ShownAgent("mann", "tmaze", _remembering("mann", read_heads=2), themes=BOTH),
    ShownAgent("dnc", "tmaze", _remembering("dnc", read_heads=2), themes=BOTH),
    ShownAgent("dnc, large", "recall", _remembering("dnc", slots=64, slot_width=32, read_heads=4)),
    ShownAgent("lru", "tmaze", _remembering("lru", layers=2)),
    ShownAgent("mingru", "tmaze", _remembering("mingru")),
    ShownAgent("sarima", "periodic", _remembering("sarima", season=8, seasonal_q=1), themes=BOTH),
    ShownAgent("sarima, many features", "cartpole", {**_remembering("sarima", d=1), "net.width": 64}),
    ShownAgent("no attention, no memory", "cartpole"),
    ShownAgent("find, self-attention", "find", _attending("self", layers=2), shown_at=4, themes=BOTH),
    ShownAgent("find, action attention", "find", _attending("action"), shown_at=4, themes=BOTH),
    ShownAgent(
        "find, recurrent attention", "find",
        {"env.kwargs": {"entities": 8, "relevant": "recall"}, **_attending("recurrent"), **_remembering("gru")},
        shown_at=4,
    ),
    ShownAgent("minigrid, cells", "minigrid-memory", MINIGRID | _attending("self"), themes=BOTH),
    ShownAgent(
        "minigrid, action attention and a text", "minigrid-memory",
        MINIGRID | _attending("action", heads=2) | {"env.wrappers": ()},
    ),
    ShownAgent("catch, regions", "catch", _attending("self"), shown_at=5),
    ShownAgent("catch, categorical", "catch", {"net.values": "categorical"}, shown_at=5),
    ShownAgent("recall, discrete", "recall", {"env.kwargs": {"delay": 20, "discrete": True}, **_remembering("gru")}),
    ShownAgent("quantiles, noisy head", "cartpole-positions", {"net.values": "quantile", "net.noisy": True}),
    ShownAgent("ppo-attention", "cartpole-positions", {"run.total_steps": 2_100}, agent="ppo-attention", themes=BOTH),
)  # fmt: skip


def train(agent: ShownAgent, runs: Path) -> Path:
    """Train the agent for a short run and return its folder. Raises RuntimeError if it fails."""
    experiment = agent.experiment()
    folder = create(runs, experiment)
    for event in run_inline(Request(job="train", experiment=experiment, folder=str(folder))):
        if isinstance(event, Failed):
            raise RuntimeError(f"{agent.name}: {event.words}")
    return folder


class Gallery(QObject):
    """Opens each run in the window and makes its sheet."""

    def __init__(self, app: App, folder: Path, runs: Mapping[str, Path], agents: tuple[ShownAgent, ...]) -> None:
        super().__init__(app)
        self._app, self._folder, self._runs, self._agents = app, folder, runs, agents
        self.problems: list[str] = []
        self._steps = self._sheets()
        self._waits_for: Condition = next(self._steps)
        self._since = time.monotonic()
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._advance)
        self._timer.start()

    def _advance(self) -> None:
        late = time.monotonic() - self._since > PATIENCE_S
        if not late and not self._waits_for():
            return
        if late:
            self.problems.append(
                f"waited too long: {self._app.session.run.experiment.title} {self._app.player.problem}"
            )
        try:
            self._waits_for = next(self._steps)
            self._since = time.monotonic()
        except StopIteration:
            self._timer.stop()
            self._app.closing.begin(ask=False)

    def _sheets(self) -> Iterator[Condition]:
        session, player = self._app.session, self._app.player
        yield lambda: self._app.shown_at > 0 and session.torch_loaded
        for agent in self._agents:
            session.open_stored(self._runs[agent.name])
            player.play()
            yield lambda: session.state is State.STORED
            yield lambda agent=agent: self._plays(agent)  # type: ignore[misc]
            player.pause()
            self._settle()
            for theme in agent.themes:
                self._app.window.set_theme(theme)
                self._draw(agent, theme)
            self._app.window.set_theme("dark")

    def _plays(self, agent: ShownAgent) -> bool:
        """Whether the player shows the chosen step of an episode of this agent, or the episode's end."""
        player = self._app.player
        playing, who = player.playing, player.client.agent
        if playing is None or who is None or who.folder != self._runs[agent.name] or not playing.length:
            return False
        last = max(playing.length - 1, 0)
        return playing.t >= (min(agent.shown_at, last) if playing.ended else agent.shown_at)

    def _settle(self) -> None:
        for _ in range(5):
            QApplication.processEvents()
        self._app.window.panel_docks.refresh()
        QApplication.processEvents()

    def _draw(self, agent: ShownAgent, theme: str) -> None:
        """Write the sheet of one agent: a row for each panel, and the window below."""
        panel_docks = self._app.window.panel_docks
        rows = []
        for name in ("attention", "memory"):
            panel = panel_docks.panels[name]
            panel_docks.docks[name].raise_()
            self._settle()
            assert isinstance(panel, ViewPanel)
            row = []
            for key in panel.offered() or [None]:
                if key is not None:
                    panel.choose_view(key)
                self._settle()
                row.append(panel_docks.docks[name].grab().toImage())
            if isinstance(panel, MemoryPanel) and panel.announced():
                panel.show_as_path(True)
                self._settle()
                row.append(panel_docks.docks[name].grab().toImage())
                panel.show_as_path(False)
            rows += [row[first : first + 4] for first in range(0, len(row), 4)]
        self._settle()
        rows.append([panel_docks.docks["agent"].grab().toImage(), self._app.window.grab().toImage()])
        path = self._folder / f"{agent.name.replace(', ', '-').replace(' ', '_')}-{theme}.png"
        if not sheet_of(rows).save(str(path)):
            self.problems.append(f"cannot write {path}")


def sheet_of(rows: list[list[QImage]]) -> QImage:
    """Join pictures: each row side by side, rows below each other."""
    width = max(sum(image.width() + GAP for image in row) for row in rows) + GAP
    sheet = QImage(width, sum(max(image.height() for image in row) + GAP for row in rows) + GAP, rows[0][0].format())
    sheet.fill(GROUND)
    painter = QPainter(sheet)
    y = GAP
    for row in rows:
        x = GAP
        for image in row:
            painter.drawImage(QPoint(x, y), image)
            x += image.width() + GAP
        y += max(image.height() for image in row) + GAP
    painter.end()
    return sheet


def main(folder: Path, names: list[str]) -> int:
    """Train the agents whose name contains one of `names` (all without), take pictures; return 0 on success."""
    folder.mkdir(parents=True, exist_ok=True)
    agents = tuple(agent for agent in AGENTS if not names or any(name in agent.name for name in names))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        runs = {}
        for agent in agents:
            began = time.monotonic()
            runs[agent.name] = train(agent, Path(temporary))
            print(f"{agent.name}: trained in {time.monotonic() - began:.1f} s", file=sys.stderr)
        problems = take(folder, runs, agents, QSettings(f"{temporary}/settings.ini", QSettings.Format.IniFormat))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def take(folder: Path, runs: Mapping[str, Path], agents: tuple[ShownAgent, ...], settings: QSettings) -> list[str]:
    """Take the pictures of trained runs; return the problems."""
    qt = QApplication(["dqngui"])
    qt.setQuitOnLastWindowClosed(False)
    app = App(agents[0].experiment(), runs=runs[agents[0].name].parent, settings=settings, theme="dark")
    app.window.resize(*SIZE)
    gallery = Gallery(app, folder, runs, agents)
    app.window.show()
    qt.exec()
    return gallery.problems


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
