"""Every view that an attention or a memory of the catalog announces is drawn, from what a real network records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import catalog, presets
from dqngui.gui.cards.card import Card
from dqngui.gui.charts.trace import BETWEEN, Series, Trace
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.style import theme as themes
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.episode import SimulatedEpisode
from dqngui.jobs.play_environments import PlayEnvironments
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import BeginEpisode, EpisodeBegan, OpenAgent, PlayerReady
from dqngui.settings import with_settings
from tests.doubles.made_playing import extend

STEPS = 12
CARD = (300, 270)  # at 1280×800
MORE: dict[str, dict[str, Any]] = {
    "mann": {"read_heads": 2, "slots": 6}, "dnc": {"read_heads": 2, "slots": 6},
    "lru": {"layers": 2}, "mingru": {"layers": 2}, "transformer": {"layers": 2, "gate": "gru"},
    "sarima": {"season": 3, "seasonal_q": 1}, "self": {"layers": 2},
}  # fmt: skip
MEMORIES = [name for name in catalog.MEMORIES if name != "none"]
ATTENTIONS = [name for name in catalog.ATTENTIONS if name != "none"]
TASKS = ["cartpole-positions", "find", "catch"]
CASES = [("cartpole-positions", "none", name) for name in MEMORIES]
CASES += [(task, name, "none") for task in TASKS for name in ATTENTIONS]


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def played(task: str, attention: str, memory: str) -> PlayedEpisode:
    """A few steps of a real agent that has learned nothing yet."""
    chosen = {"net.attention": attention, "net.attention_options": MORE.get(attention, {})}
    chosen |= {"net.memory": memory, "net.memory_options": MORE.get(memory, {})}
    experiment = with_settings(presets.read_experiment(task), {**chosen, "net.tokens": "feature", "net.width": 16})
    torch.set_num_threads(1)
    environments = PlayEnvironments(experiment)
    try:
        agent = LoadedAgent(OpenAgent(experiment=experiment), experiment, environments.envs.spaces)
        asked = BeginEpisode(number=0, seed=1, epsilon=0.0, record=True)
        episode = SimulatedEpisode(agent, environments.envs, asked)
        ready = PlayerReady(
            step=0, environment=task, views=agent.views(), labels=agent.labels, cells=agent.network.encoder.cells,
            actions=agent.spaces.action_names, features=agent.features,
        )  # fmt: skip
        playing = PlayedEpisode(ready, EpisodeBegan(step=0, number=0, seed=1, recorded=True), "demo")
        while not episode.ended and playing.length < STEPS:
            steps = episode.advance(STEPS, 60.0)
            extend(playing, steps.tensors, playing.length + len(steps.tensors["action"]), steps.ended)
    finally:
        environments.close()
    playing.t = playing.length // 2
    return playing


def carded(qtbot: QtBot, kind: type[ViewPanel]) -> Any:
    panel = kind()
    card = Card(panel.title, panel)
    for widget in panel.header_widgets:
        card.add_to_header(widget)
    qtbot.addWidget(card)
    card.set_titled(False)  # as in a tab
    card.resize(*CARD)
    card.show()
    qtbot.waitExposed(card)
    panel.show(History())
    panel.card = card  # type: ignore[attr-defined]  # Python must own it
    return panel


def picture(panel: ViewPanel) -> QImage:
    QApplication.processEvents()
    return panel.content.grab().toImage()


def colours(image: QImage) -> int:
    pixels = np.array(image.convertToFormat(QImage.Format.Format_RGB32).constBits()).reshape(-1, 4)
    return len(np.unique(pixels, axis=0))


@pytest.mark.parametrize(("task", "attention", "memory"), CASES)
def test_every_announced_view_is_drawn(qtbot: QtBot, task: str, attention: str, memory: str) -> None:
    playing = played(task, attention, memory)
    drawn = []
    for kind in (AttentionPanel, MemoryPanel):
        panel = carded(qtbot, kind)
        panel.take_views(playing)
        panel.refresh()
        for view in panel.announced():
            panel.choose_view(view.name)
            panel.follow(playing.t)
            QApplication.processEvents()
            assert panel.choice.isVisible() and panel.view is view
            assert panel.choice.text() == panel.choice.offered[view.name], "the view's name is cut"
            assert panel.bar.isVisible(), "colours without their values"
            assert len(set(panel.choice.offered.values())) == len(panel.choice.offered)
            values = playing.view(view.name)
            assert values.shape == (playing.length, *view.shape)
            assert np.isfinite(values).all()
            if values.max() > values.min():
                assert colours(picture(panel)) > 16, f"{view.name} looks empty"
            for trace in panel.findChildren(Trace):
                if trace.isVisible():
                    assert_all_named(trace)
            drawn.append(view.name)
        if not panel.announced():
            assert panel.empty_text == panel.lacking
    assert set(drawn) == {view.name for view in playing.ready.views}
    assert drawn


def assert_all_named(trace: Trace) -> None:
    """Every curve has its name in the line above, in full."""
    room = trace.width() - trace.gutter - 10
    parts = trace.legend(trace.t, room)
    named = [each for each in trace.series if each.name]
    assert [sum(text.startswith(each.name) and token == each.token for text, token in parts) for each in named] == [
        1
    ] * len(named)
    assert sum(trace.letters.width(text) + 2 + BETWEEN for text, _ in parts) - BETWEEN <= room


def test_coefficients_have_their_names_and_what_never_changes_is_drawn_once(qtbot: QtBot) -> None:
    playing = played("cartpole-positions", "none", "sarima")
    panel = carded(qtbot, MemoryPanel)
    panel.take_views(playing)
    panel.refresh()
    panel.choose_view("memory/coefficients")
    assert panel.now.names.rows == ("φ 1", "φ 2", "θ 1", "Φ 1", "Θ 1")
    assert panel.now.names.columns == ("cart position", "pole angle")
    assert panel.now.isVisible() and panel.map.isHidden() and panel.states.isHidden()
    panel.follow(playing.t)
    assert panel.now.numbered
    with_numbers = picture(panel)
    panel.now.numbered = False
    panel.now.touch()
    assert picture(panel) != with_numbers
    panel.choose_view("memory/forecast")
    assert panel.now.isHidden() and panel.map.isVisible() and panel.states.isVisible()
    panel.choose_view("memory/coefficients")
    panel.show_as_path(True)
    assert panel.trajectory.isVisible() and panel.now.isHidden()


@pytest.mark.parametrize(("attention", "memory"), [("self", "none"), ("none", "transformer")])
def test_all_layers_of_a_real_agent_stand_in_one_grid(qtbot: QtBot, attention: str, memory: str) -> None:
    playing = played("cartpole-positions", attention, memory)
    panel = carded(qtbot, AttentionPanel)
    panel.take_views(playing)
    panel.refresh()
    panel.follow(playing.t)
    QApplication.processEvents()
    kinds = [key for key in panel.offered() if key.endswith("/*")]
    assert panel.chosen == kinds[0] and panel.choice.text() == panel.choice.offered[kinds[0]], "its name is cut"
    grid = panel.times if memory == "transformer" else panel.grid
    assert grid.isVisible() and grid.layers == ("layer 1", "layer 2") and len(grid.heads) > 1
    assert colours(picture(panel)) > 16 and panel.bar.isVisible()
    for layer, head in np.ndindex(len(grid.layers), len(grid.heads)):
        panel.choose(layer, head)
        panel.follow(playing.t)
        QApplication.processEvents()
        assert panel.alone.isVisible() and panel.alone.name.shown() == f"layer {layer + 1} · head {head + 1}"
        assert colours(picture(panel)) > 16


def test_the_path_of_every_memorys_state_is_drawn(qtbot: QtBot) -> None:
    panel = carded(qtbot, MemoryPanel)
    panel.show_as_path(True)
    for memory in MEMORIES:
        playing = played("cartpole-positions", "none", memory)
        panel.take_views(playing)
        panel.refresh()
        drawn = 0
        for view in panel.announced():
            panel.choose_view(view.name)
            panel.follow(playing.t)
            path = panel.trajectory.path
            assert (len(path.places) == playing.length) != ("did not change" in path.empty), view.name
            assert np.isfinite(path.places).all() and not picture(panel).isNull()
            drawn += len(path.places) > 0
        assert drawn, memory


def test_an_action_asks_by_its_name(qtbot: QtBot) -> None:
    playing = played("find", "action", "none")
    panel = carded(qtbot, AttentionPanel)
    panel.take_views(playing)
    panel.refresh()
    assert panel.now.names.rows == ("right", "up", "left", "down")
    assert panel.now.names.columns == tuple(str(n) for n in range(1, 17))
    assert panel.now.names.axes == ("action", "key: entities")
    assert panel.over.rows[3] == "entities 4"


def test_other_kinds_of_rows_begin_with_their_first(qtbot: QtBot) -> None:
    """A transformer's present step is chosen even where a unit was chosen before."""
    panel = carded(qtbot, MemoryPanel)
    for memory, row in (("lstm", 0), ("transformer", -1)):
        playing = played("cartpole-positions", "none", memory)
        panel.take_views(playing)
        panel.refresh()
        assert panel.row == row % len(panel.map.rows)


@pytest.mark.parametrize(("width", "expected"), [(400, ["unit 1", "a 0.50", "b 0.50"]), (110, ["a 0.50", "b 0.50"])])
def test_a_narrow_legend_leaves_out_the_row_first(qtbot: QtBot, width: int, expected: list[str]) -> None:
    trace = Trace()
    qtbot.addWidget(trace)
    half = np.full(3, 0.5, np.float32)
    trace.draw("unit 1", [Series("a", "series0", half), Series("b", "series1", half)], (0.0, 1.0))
    assert [text for text, _ in trace.legend(1, width)] == expected
    assert [text for text, _ in trace.legend(1, 30)] == ["a", "b"]
    longer = [replace(each, name=each.name * 20) for each in trace.series]
    trace.draw("unit 1", longer, (0.0, 1.0))
    assert len(trace.legend(1, 50)) == 2
