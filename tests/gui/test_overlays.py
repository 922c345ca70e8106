"""Other runs over the return curve: their lines, the mean of seeds with its interval, and a fork's parents."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui.gui.cards.card import Card
from dqngui.gui.cards.panel import Sources
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.charts.event_strip import EventStrip
from dqngui.gui.charts.overlay_style import DASHES, dash, token
from dqngui.gui.panels.curves.legend import OverlayLegend
from dqngui.gui.panels.curves.overlay_curve import PLACES, OverlayCurve
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.ancestors import ancestors
from dqngui.lab.library.library import Library
from dqngui.lab.library.seed_means import mean_and_interval
from dqngui.lab.session.curve import Curve, Floats
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.messages import Advanced, EpisodeEnded, Evaluated, Event, Forked, encode
from dqngui.runs import folder as run_folder
from tests.doubles.scripted_host import ScriptedHost
from tests.thinned import thinned


def episodes(returns: Sequence[float] | Floats, every: int = 10, after: int = 0) -> list[Event]:
    return [EpisodeEnded(step=after + every * (i + 1), ret=float(ret), length=every) for i, ret in enumerate(returns)]


class ReadLibrary(Library):
    """Has some curves without reading them."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.read_already: dict[Path, History] = {}

    def curve(self, folder: Path) -> History | None:
        return self.read_already.get(folder) or super().curve(folder)


class Parts(SimpleNamespace):
    panel: ReturnPanel
    library: ReadLibrary
    session: Session
    card: Card
    runs: Path
    qtbot: QtBot

    def run(self, name: str, events: Sequence[Event]) -> Path:
        """A stored run with this log."""
        folder = run_folder.create(self.runs / "made", config.Experiment())
        folder = folder.rename(self.runs / name)
        (folder / run_folder.EVENTS).write_bytes(b"".join(encode(event) + b"\n" for event in events))
        return folder

    def overlay(self, *names: str, seeds: bool = False) -> None:
        """Overlay stored runs and wait until their curves were read."""
        folders = tuple(self.runs / name for name in names)
        if seeds:
            self.library.overlay_mean(folders, "all")
        else:
            for folder in folders:
                self.library.overlay(folder)
        self.read(*names)

    def read(self, *names: str) -> None:
        self.qtbot.waitUntil(lambda: None not in [self.library.curve(self.runs / name) for name in names], timeout=5000)

    def open(self, name: str, events: Sequence[Event]) -> History:
        self.session.run.folder = self.runs / name
        history = History.of(events)
        self.panel.show(history)
        return history

    def lines(self) -> list[tuple[Floats, Floats]]:
        """(x, y) of every overlay and ancestor that is drawn."""
        items = self.panel.plot.box.childGroup.childItems()
        return [item.getData() for item in items if isinstance(item, OverlayCurve) and len(item.getData()[0])]


@pytest.fixture
def parts(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Parts]:
    themes.apply(qapp, "dark")
    session = Session(config.Experiment(), runs=tmp_path, open_host=ScriptedHost)
    library = ReadLibrary(session)
    panel = ReturnPanel()
    card = card_of(panel, menu=False)
    qtbot.addWidget(card)
    panel.attach(Sources(session=session, library=library, player=None, cursor=None))  # type: ignore[arg-type]
    card.resize(900, 450)
    card.show()
    qtbot.waitExposed(card)
    panel.show(History())
    yield Parts(panel=panel, library=library, session=session, card=card, runs=tmp_path, qtbot=qtbot)
    library.stop()
    library.join()


# -- numbers ----------------------------------------------------------------------------------------


def legend_of(panel: ReturnPanel) -> OverlayLegend:
    """The chips of the runs above the plot."""
    return panel.legend


def test_means_on_a_grid_are_the_trailing_means_between_episodes() -> None:
    generator = np.random.default_rng(0)
    x, y = np.cumsum(generator.integers(1, 40, size=300)).astype(float), generator.normal(size=300)
    curve = Curve()
    curve.extend(x, y)
    trailing = np.array([y[max(0, i - 24) : i + 1].mean() for i in range(len(y))])
    grid = np.linspace(-50, x[-1] + 50, 2_000)
    means = curve.means_at(grid, 25)
    inside = (grid >= x[0]) & (grid <= x[-1])
    assert np.isnan(means[~inside]).all()
    wanted = np.interp(grid, x, trailing)
    np.testing.assert_allclose(means[inside], wanted[inside], atol=1e-9)
    np.testing.assert_allclose(curve.means_at(grid[1_000:1_200], 25), wanted[1_000:1_200], atol=1e-9)
    np.testing.assert_allclose(curve.means_at(grid[1_000:1_001], 25), wanted[1_000:1_001], atol=1e-9)


def test_a_coarse_grid_averages_all_that_a_place_stands_for() -> None:
    curve, y = Curve(), np.random.default_rng(1).normal(size=10_000)
    curve.extend(np.arange(10_000.0), y)
    means = curve.means_at(np.array([1_000.0, 3_000.0, 9_000.0]), 10)
    np.testing.assert_allclose(means[1:], [y[1001:3001].mean(), y[3001:9001].mean()], atol=1e-9)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_curves_of_few_points(count: int) -> None:
    curve = Curve()
    curve.extend(np.arange(count) * 10.0, np.arange(count) + 1.0)
    means = curve.means_at(np.array([-1.0, 0.0, 5.0, 10.0, 11.0]), 1)
    wanted = {0: [np.nan] * 5, 1: [np.nan, 1, np.nan, np.nan, np.nan], 2: [np.nan, 1, 1.5, 2, np.nan]}[count]
    np.testing.assert_array_equal(means, wanted)


def test_the_interval_of_five_runs_is_the_one_made_by_hand() -> None:
    returns = np.array([[10.0, 1], [12, 2], [9, 3], [14, 4], [15, np.nan]])
    mean, low, high = mean_and_interval(returns)
    half = 2.776 * np.std([10.0, 12, 9, 14, 15], ddof=1) / np.sqrt(5)  # t(4) at 0.975; the values are not skewed
    np.testing.assert_allclose(mean, [12, 2.5])
    assert high[0] - mean[0] == pytest.approx(half, rel=0.02) == mean[0] - low[0]
    assert np.isnan(low[1]) and np.isnan(high[1])  # four runs are too few


def test_a_mean_needs_two_runs() -> None:
    mean, low, _ = mean_and_interval(np.array([[1.0, np.nan, np.nan], [2.0, 3.0, np.nan]]))
    assert np.isfinite(mean).tolist() == [True, False, False] and np.isnan(low).all()
    assert all(len(each) == 3 for each in mean_and_interval(np.empty((0, 3))))


# -- overlays ---------------------------------------------------------------------------------------


def test_an_overlay_is_drawn_as_the_runs_mean(parts: Parts) -> None:
    y = np.random.default_rng(2).gamma(3, 20, size=400)
    parts.run("other", episodes(y))
    parts.open("mine", episodes(np.ones(200)))
    parts.overlay("other")
    [(x, drawn)] = parts.lines()
    trailing = np.array([y[max(0, i - 29) : i + 1].mean() for i in range(len(y))])
    np.testing.assert_allclose(drawn, np.interp(x, 10.0 * np.arange(1, 401), trailing), atol=1e-9)
    low, high = parts.panel.plot.box.viewRange()[1]
    assert low <= drawn.min()
    assert drawn.max() <= high
    assert parts.panel.plot.span[1] >= 4_000  # it makes room for itself
    assert "other" in parts.panel.readout(1_000)
    assert "other" in parts.panel.readout(3_500)  # where the open run has ended


def test_an_overlay_stays_when_another_run_is_opened_and_is_left_out_when_it_is_open_itself(parts: Parts) -> None:
    for name in ("a", "b"):
        parts.run(name, episodes(np.full(100, 5.0)))
    parts.open("mine", episodes([1.0] * 50))
    parts.overlay("a", "b")
    assert len(parts.lines()) == 2
    assert [chip.text() for chip in legend_of(parts.panel).chips] == ["a", "b"]
    parts.open("a", episodes(np.full(100, 5.0)))
    assert len(parts.lines()) == 1
    assert [chip.text() for chip in legend_of(parts.panel).chips] == ["b"]
    parts.panel.clear()
    parts.session.run.folder = None
    parts.panel.show(History())
    assert len(parts.lines()) == 2
    assert parts.panel.content.isVisible()  # runs can be compared with none open


def test_a_chip_hides_its_overlay_and_its_menu_removes_it(parts: Parts) -> None:
    for name in ("a", "b"):
        parts.run(
            name, [*episodes([5.0] * 100), Evaluated(step=900, returns=(9.0,), lengths=(1,), mean=9.0, best=True)]
        )
    parts.overlay("a", "b")
    legend = legend_of(parts.panel)
    assert [chip.text() for chip in legend.chips] == ["a", "b"]
    assert "highest evaluation 9 at 900" in legend.chips[0].toolTip()
    QTest.mouseClick(legend.chips[0], Qt.MouseButton.LeftButton)
    assert len(parts.lines()) == 1
    assert "a</span>" not in parts.panel.readout(500)
    parts.open("mine", episodes([1.0] * 50))
    assert not legend.chips[0].isChecked()
    QTest.mouseClick(legend.chips[0], Qt.MouseButton.LeftButton)
    assert len(parts.lines()) == 2
    legend.chips[1].actions()[0].trigger()
    assert [overlay.name for overlay in parts.library.overlays] == ["a"]
    assert len(parts.lines()) == 1
    parts.library.remove_all()
    assert not legend.isVisible()


def inside(legend: OverlayLegend) -> bool:
    """Whether the chips lie in the legend and none over another."""
    places = [chip.geometry() for chip in legend.chips if chip.isVisible()]
    apart = not any(a.intersects(b) for i, a in enumerate(places) for b in places[i + 1 :])
    return apart and all(legend.rect().contains(place) for place in places)


def test_long_names_are_shortened_and_the_legend_never_overflows(parts: Parts) -> None:
    names = [f"a run with quite a long name, number {i}" for i in range(4)]
    for name in names:
        parts.run(name, episodes([5.0] * 100))
    parts.open("mine", episodes([1.0] * 50))
    parts.overlay(*names)
    for width in (1400, 900, 600, 420, 330):
        parts.card.resize(width, 300)
        QApplication.processEvents()
        legend = legend_of(parts.panel)
        assert inside(legend)
        assert [chip.text()[-1] for chip in legend.chips] == list("0123"), width  # what tells them apart stays
        assert all(chip.name.split("number")[0] in chip.toolTip() for chip in legend.chips)


@pytest.mark.parametrize("count", [1, 5, 15, 40])
@pytest.mark.parametrize("size", thinned([(330, 200), (560, 260), (900, 450)]))
def test_a_legend_leaves_the_plot_most_of_the_height(parts: Parts, count: int, size: tuple[int, int]) -> None:
    folders = [parts.runs / f"a long name of a run in a comparison, {number}" for number in range(count)]
    parts.library.read_already = {folder: History.of(episodes([5.0] * 10)) for folder in folders}
    for folder in folders:
        parts.library.overlay(folder)
    parts.card.resize(*size)
    QApplication.processEvents()
    parts.panel.again()
    QApplication.processEvents()
    assert legend_of(parts.panel).height() <= 0.27 * parts.panel.height()
    assert inside(legend_of(parts.panel))
    assert parts.panel.plot.height() >= 0.5 * parts.panel.height()


def test_a_mean_makes_room_for_its_interval(parts: Parts) -> None:
    generator = np.random.default_rng(5)
    names = [f"s{number}" for number in range(5)]
    for number, name in enumerate(names):
        parts.run(name, episodes(generator.normal(10.0 * number, 3.0, size=200)))
    parts.overlay(*names, seeds=True)
    [drawn] = parts.panel.overlays.drawn.values()
    bottom, top = parts.panel.plot.box.viewRange()[1]
    assert np.nanmax(drawn.high) - np.nanmin(drawn.low) > 2 * (np.nanmax(drawn.y) - np.nanmin(drawn.y))
    assert bottom <= np.nanmin(drawn.low) and np.nanmax(drawn.high) <= top


def test_an_interval_stays_within_the_returns_that_there_were(parts: Parts) -> None:
    names = [f"s{number}" for number in range(5)]
    for number, name in enumerate(names):  # of a task that gives 0 or 1: t intervals of such runs leave this range
        parts.run(name, episodes(np.random.default_rng(number).random(200) < 0.02 + 0.2 * (number == 0)))
    parts.overlay(*names, seeds=True)
    [drawn] = parts.panel.overlays.drawn.values()
    assert np.nanmin(drawn.low) >= 0.0 and np.nanmax(drawn.high) <= 1.0
    assert np.isfinite(drawn.high).any()


def other_task(parts: Parts, name: str, events: Sequence[Event]) -> None:
    """A stored run of another task, read by the library."""
    folder = parts.run(name, events)
    experiment = settings.with_settings(config.Experiment(), {"env.id": "Acrobot-v1"})
    run_folder.write_summary(folder, run_folder.new_summary(experiment))
    with parts.qtbot.waitSignal(parts.library.changed):
        parts.library.refresh()


def test_a_run_of_another_task_does_not_squash_the_open_ones_curves(parts: Parts) -> None:
    other_task(parts, "elsewhere", episodes([-500.0] * 5_000))
    parts.open("mine", episodes(np.linspace(0.0, 1.0, 100)))
    before = parts.panel.plot.box.viewRange()
    parts.overlay("elsewhere")
    assert parts.panel.plot.box.viewRange() == before
    assert len(parts.lines()) == 1
    [chip] = legend_of(parts.panel).chips
    assert chip.name == "elsewhere · another task"
    parts.panel.clear()
    parts.session.run.folder = None
    parts.panel.show(History())
    bottom, top = parts.panel.plot.box.viewRange()[1]
    assert bottom <= -500.0 <= top  # with no run open it is shown for itself
    assert chip.parent() is None or legend_of(parts.panel).chips[0].name == "elsewhere"


def test_a_run_has_one_name_in_list_legend_export_and_readout(parts: Parts, tmp_path: Path) -> None:
    for number, rate in enumerate((1e-3, 1e-4)):
        for seed in range(2):
            experiment = settings.with_settings(
                config.Experiment(), {"title": "Maze", "learn.lr": rate, "run.seed": seed}
            )
            folder = run_folder.create(parts.runs, experiment)
            lines = b"".join(encode(event) + b"\n" for event in episodes([1.0 + number] * 100))
            (folder / run_folder.EVENTS).write_bytes(lines)
            run_folder.write_summary(folder, run_folder.new_summary(experiment))
    with parts.qtbot.waitSignal(parts.library.changed):
        parts.library.refresh()
    for summary in parts.library.summaries:
        parts.library.overlay(summary.folder)
    parts.read(*(Path(each.folder).name for each in parts.library.summaries))
    listed = [parts.library.name_of(each.folder) for each in parts.library.summaries]
    assert sorted(listed) == [f"Maze · lr {rate} · seed {seed}" for rate in ("1e-3", "1e-4") for seed in (0, 1)]
    assert [chip.name for chip in legend_of(parts.panel).chips] == listed
    assert [entry.text for entry in parts.panel.figure().legend] == listed
    assert all(f"{name}</span>" in parts.panel.readout(500) for name in listed)
    parts.panel.export_csv(tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as file:
        assert {row["run"] for row in csv.DictReader(file)} == set(listed)


def test_eight_overlays_differ_in_colour_and_further_ones_in_their_dashes(parts: Parts) -> None:
    assert len({token(slot) for slot in range(8)}) == 8
    looks = [(token(slot), dash(slot)) for slot in range(24)]
    assert len(set(looks)) == 24
    assert all(pattern == DASHES[0] for _, pattern in looks[:8])
    for i in range(9):
        parts.run(f"r{i}", episodes(np.full(300, float(i))))
    parts.overlay(*(f"r{i}" for i in range(9)))
    items = [each for each in parts.panel.plot.box.childGroup.childItems() if isinstance(each, OverlayCurve)]
    joined = [np.mean(each.opts["connect"][:-1]) for each in items if len(each.getData()[0])]
    assert sorted(joined)[0] < 0.8
    assert sorted(joined)[1:] == [1.0] * 8
    colors = {each.opts["pen"].color().name() for each in items}
    assert len(colors) == 8
    assert themes.current().color("series0").name() not in colors
    markers = [entry.marker for entry in parts.panel.figure().legend]
    assert len({(marker.token, marker.dash) for marker in markers}) == len(markers) == 9


def test_a_run_without_an_ended_episode_says_what_is_true_and_offers_no_demo(parts: Parts) -> None:
    session, panel = parts.session, parts.panel
    [demo] = [button for button in panel.findChildren(QPushButton) if button.text() == "Open the demo run"]
    session.torch_loaded = True
    session.received.connect(panel.take)
    assert panel.empty_text == panel.promise
    assert demo.isVisible()

    def says(text: str) -> None:
        session.tick(0.0)
        panel.refresh()
        assert panel.empty_text == text
        assert not demo.isVisible()

    session.start()
    host = ScriptedHost.opened[-1]
    says("Training, step 0. No episode has ended yet.")
    host.emit(Advanced(step=1_234))
    says("Training, step 1,234. No episode has ended yet.")
    session.do(Action.PAUSE)
    session.tick(0.0)
    says("Paused at step 1,234. No episode has ended yet.")
    session.do(Action.STOP)
    for _ in range(5):
        session.tick(0.0)
    panel.refresh()
    assert session.state is State.STOPPED
    assert panel.empty_text == "This run is at step 1,234, and no episode has ended yet."


def test_gaps_stay_gaps() -> None:
    line = OverlayCurve()
    line.draw(np.arange(6.0), np.array([1.0, np.nan, 2, 3, np.nan, 4]))
    assert line.getData()[0].tolist() == [0, 2, 3, 5]
    assert line.opts["connect"].tolist() == [False, True, False, False]


def test_a_running_runs_overlay_grows(parts: Parts) -> None:
    folder = parts.run("live", episodes([5.0] * 100))
    parts.overlay("live")
    with open(folder / run_folder.EVENTS, "ab") as log:
        log.writelines(encode(event) + b"\n" for event in episodes([50.0] * 100, after=1_000))
    with parts.qtbot.waitSignal(parts.library.overlays_changed):
        parts.library.tick()
    x, y = parts.lines()[0]
    assert x.max() > 1_900
    assert y.max() == 50


def test_the_mean_of_seeds_is_the_one_made_by_hand(parts: Parts) -> None:
    generator = np.random.default_rng(3)
    returns = [generator.gamma(3, 20, size=size) for size in (300, 250, 200)]
    for i, each in enumerate(returns):
        parts.run(f"s{i}", episodes(each))
    parts.panel.smooth(10)
    parts.overlay("s0", "s1", "s2", seeds=True)
    drawn = next(iter(parts.panel.overlays.drawn.values()))
    grid = np.linspace(*parts.panel.plot.span, PLACES)
    rows = []
    for each in returns:
        x = 10.0 * np.arange(1, len(each) + 1)
        trailing = [each[max(0, i - 9) : i + 1].mean() for i in range(len(each))]
        rows.append(np.interp(grid, x, trailing, left=np.nan, right=np.nan))
    table = np.array(rows)
    for place in range(0, PLACES, 7):
        known = table[:, place][np.isfinite(table[:, place])]
        if len(known) < 2:
            assert np.isnan(drawn.y[place])
            continue
        assert drawn.y[place] == pytest.approx(known.mean())
        assert np.isnan(drawn.high[place])  # three runs are too few for an interval
    assert np.nanmax(np.where(np.isfinite(drawn.y), grid, np.nan)) == pytest.approx(2_500, abs=10)  # two runs have data
    assert legend_of(parts.panel).chips[0].name == "all · n = 3, too few for an interval"
    assert "(n = 3)" in parts.panel.readout(1_500)


def test_overlays_are_exported_with_the_rest(parts: Parts, tmp_path: Path) -> None:
    parts.run("other", episodes([7.0] * 100))
    parts.open("mine", episodes([1.0] * 100))
    parts.overlay("other")
    parts.panel.export_csv(tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {float(row["return"]) for row in rows if row["kind"] == "overlay" and row["run"] == "other"} == {7.0}
    assert [row["run"] for row in rows if row["kind"] == "episode"] == ["mine"] * 100


def test_hidden_while_curves_came_then_shown(parts: Parts) -> None:
    parts.run("other", episodes([7.0] * 100))
    parts.card.hide()
    parts.overlay("other")
    parts.card.show()
    parts.panel.show(History())
    assert len(parts.lines()) == 1


# -- branches ---------------------------------------------------------------------------------------


def family(parts: Parts) -> list[Event]:
    """Three generations: 1,000 steps each, a fork at 1,000 and one at 2,000. Returns the youngest's events."""
    parts.run("first", episodes([10.0] * 300))
    parts.run("second", [Forked(step=1000, parent="first"), *episodes([20.0] * 200, after=1000)])
    fork = Forked(step=2000, parent="second", changes=("learn.lr: 0.001 → 0.0005",))
    return [fork, *episodes([30.0] * 100, after=2000)]


def test_a_fork_shows_the_runs_it_came_from(parts: Parts) -> None:
    events = family(parts)
    history = parts.open("third", events)
    parts.read("second", "first")
    parts.panel.refresh()
    found = ancestors(history, parts.runs / "third", parts.library)
    assert [each.step for each in found] == [2000, 1000]
    [second, first] = parts.lines()
    assert set(second[1]) == {20.0}
    assert set(first[1]) == {10.0}
    items = [each for each in parts.panel.plot.box.childGroup.childItems() if isinstance(each, OverlayCurve)]
    for item, step in zip(items, (2000, 1000), strict=False):
        x, joined = item.getData()[0], item.opts["connect"]
        assert joined[x < step].all()  # solid up to where it was left
        assert 0 < np.mean(joined[x > step][:-1]) < 0.7  # dotted beyond
    place, text, mark = parts.panel.findChild(EventStrip).placed()[0]
    assert text == "fork"
    assert mark is events[0]
    assert parts.panel.plot.marks.steps == [2000]
    said = parts.panel.findChild(EventStrip).near(place.center().x())
    assert said == ["2,000: fork of second with learn.lr: 0.001 → 0.0005"]
    assert "fork of second" in parts.panel.readout(2_000)
    assert "second</span> 20" in parts.panel.readout(1_500)
    assert "first</span> 10" in parts.panel.readout(500)
    assert "second" not in parts.panel.readout(2_500)


def test_a_fork_whose_parent_is_gone_shows_the_mark_alone(parts: Parts) -> None:
    parts.open("third", [Forked(step=2000, parent="gone"), *episodes([30.0] * 100, after=2000)])
    parts.read("gone")
    assert parts.lines() == []
    assert parts.panel.plot.marks.steps == [2000]
    parts.open("other", episodes([1.0] * 100))
    assert parts.panel.plot.marks.steps == []


@pytest.mark.parametrize("parent", ["../outside", "/etc", "..", ""])
def test_a_strange_parent_is_not_looked_for(parts: Parts, parent: str) -> None:
    history = parts.open("third", [Forked(step=10, parent=parent), *episodes([1.0] * 10, after=10)])
    assert ancestors(history, parts.runs / "third", parts.library) == []
    assert parts.library.requested_curves == []


def test_a_run_that_says_it_is_its_own_parent_ends(parts: Parts) -> None:
    events = [Forked(step=10, parent="self"), *episodes([1.0] * 10, after=10)]
    parts.run("self", events)
    history = parts.open("self", events)
    assert ancestors(history, parts.runs / "self", parts.library) == []


# -- cost -------------------------------------------------------------------------------------------


def painting(panel: ReturnPanel, picture: QImage) -> float:
    """Seconds of this thread for a redraw of everything, the best of several."""
    best = float("inf")
    for _ in range(8):
        begun = time.thread_time()
        panel.restyle(themes.current())
        painter = QPainter(picture)
        panel.plot.render(painter)
        painter.end()
        best = min(best, time.thread_time() - begun)
    return best


def test_overlays_of_long_runs_cost_what_those_of_short_ones_do(parts: Parts) -> None:
    def cost(count: int) -> float:
        generator = np.random.default_rng(0)
        histories: list[Any] = []
        for _ in range(5):
            history = History()
            history.returns.extend(np.linspace(1, 1e6, count), generator.gamma(3, 20, size=count))
            history.lengths.extend(np.linspace(1, 1e6, count), np.ones(count))
            history.last_step, history.version = 1_000_000, 1
            histories.append(history)
        parts.library.remove_all()
        for i, history in enumerate(histories[1:]):
            parts.library.read_already[parts.runs / f"{count}-{i}"] = history
            parts.library.overlay(parts.runs / f"{count}-{i}")
        parts.panel.show(histories[0])
        return painting(parts.panel, QImage(900, 420, QImage.Format.Format_ARGB32_Premultiplied))

    short, long = cost(1_000), cost(100_000)
    print(f"redraw with four overlays: {1000 * short:.1f} ms for 1,000 episodes each, {1000 * long:.1f} ms for 100,000")
    assert long < 2 * short + 0.005
