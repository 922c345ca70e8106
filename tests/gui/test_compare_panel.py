"""The Compare card: chosen runs in groups, with every view, choice and export; and how runs get there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.comparison.groups import grouped
from dqngui.config import Experiment
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.compare.compare_panel import CHOICES, ComparePanel
from dqngui.gui.panels.compare.crossed_view import CrossedView
from dqngui.gui.panels.compare.lines_chart import LinesChart
from dqngui.gui.panels.compare.views import VIEWS
from dqngui.gui.panels.runs.runs_panel import RunsPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.library import Library
from dqngui.lab.session.session import Session
from dqngui.messages import Evaluated, encode
from tests.comparison.made_runs import made_run
from tests.doubles.scripted_host import ScriptedHost

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def made(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[tuple[ComparePanel, Library]]:
    """The panel in the light theme, with two groups of five seeds that are shown."""
    themes.apply(qapp, "light")
    for memory, last in (("gru", 6.0), ("lstm", 1.0)):
        for seed in range(5):
            curve = [0.0, last / 2 + seed / 2, last + seed]
            made_run(tmp_path / "runs", curve, seed=seed, net__memory=memory)
    session = Session(Experiment(), runs=tmp_path / "runs", open_host=ScriptedHost)
    library, panel = Library(session), ComparePanel()
    qtbot.addWidget(panel)
    panel.attach(Sources(session=session, library=library, player=None))  # type: ignore[arg-type]
    panel.resize(700, 500)
    panel.show()
    with qtbot.waitSignal(library.changed):
        library.refresh()
    yield panel, library
    library.stop()
    library.join()


def show_all(qtbot: QtBot, panel: ComparePanel, library: Library) -> None:
    panel.compare_all.click()
    qtbot.waitUntil(lambda: not library.compared.loading, timeout=5_000)
    panel.set_score("final")


def test_the_empty_card_offers_all_runs(made: tuple[ComparePanel, Library], qtbot: QtBot) -> None:
    panel, library = made
    assert "choose Compare" in panel.empty_text
    show_all(qtbot, panel, library)
    assert panel.empty_text == ""
    assert sorted(entry.text for entry in panel.legend.entries) == ["GRU · n = 5", "LSTM · n = 5"]


def test_runs_chosen_in_the_list_are_compared_and_the_window_is_asked_to_show_them(
    made: tuple[ComparePanel, Library], qtbot: QtBot
) -> None:
    panel, library = made
    listed = RunsPanel()
    qtbot.addWidget(listed)
    listed.attach(Sources(session=panel.sources.session, library=library, player=None))  # type: ignore[arg-type, union-attr]
    listed.table.selectAll()
    with qtbot.waitSignal(library.compared.asked):
        next(action for action in listed.menu_actions if action.text() == "Compare").trigger()
    qtbot.waitUntil(lambda: not library.compared.loading, timeout=5_000)
    assert {len(group.runs) for group in library.compared.grouping.groups} == {5}


@pytest.mark.parametrize(
    ("name", "theme"), [(name, ("dark", "light")[number % 2]) for number, name in enumerate(VIEWS)]
)
def test_every_view_draws_and_has_its_choices(
    made: tuple[ComparePanel, Library], qtbot: QtBot, qapp: QApplication, name: str, theme: str
) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    panel.restyle(themes.apply(qapp, theme))  # type: ignore[arg-type]
    panel.show_view(name)
    QApplication.processEvents()
    shown = {key for key, button in panel.choices.items() if not button.isHidden()}
    assert shown == set(CHOICES[name])
    image = panel.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.array(image.constBits()).reshape(-1, 4)[:, :3]
    assert len(np.unique(pixels, axis=0)) > 10


def test_the_verdict_stands_in_the_figures_and_better_only_where_it_may(
    made: tuple[ComparePanel, Library], qtbot: QtBot
) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    panel.show_view("figures")
    said = panel.view().verdicts.text()  # type: ignore[attr-defined]
    assert "GRU is better than LSTM" in said and "5 seeds" in said
    library.compared.choose([run.folder for group in panel.grouping.groups for run in group.runs[:3]])
    qtbot.waitUntil(lambda: not library.compared.loading, timeout=5_000)
    said = panel.view().verdicts.text()  # type: ignore[attr-defined]
    assert "is better" not in said and "nothing can be said" in said
    rows = panel.view().table.texts.rows  # type: ignore[attr-defined]
    assert all(row[1] == "3" and row[3] == row[5] == row[7] == "–" for row in rows)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize(("inches", "name"), [(3.3, "curves"), (6.9, "figures")])
def test_a_figure_has_the_width_of_a_column(
    made: tuple[ComparePanel, Library],
    qtbot: QtBot,
    qapp: QApplication,
    tmp_path: Path,
    kind: str,
    inches: float,
    name: str,
) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    themes.apply(qapp, "dark")
    panel.show_view(name)
    path = tmp_path / f"figure.{kind}"
    panel.save_figure(path, inches)
    if kind == "png":
        image = QImage(str(path))
        assert image.width() == pytest.approx(inches * 96 * 6, abs=12)
        assert image.pixelColor(2, 2).name() == "#ffffff"  # a page is white, whatever the window
    elif kind == "svg":
        root = ElementTree.parse(path).getroot()
        assert float((root.get("viewBox") or "").split()[2]) == pytest.approx(inches * 96, abs=2)
        said = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
        assert "GRU · n = 5" in said and "LSTM · n = 5" in said and "CartPole" in said
        assert not list(root.iter(f"{SVG}image"))
    else:
        data = path.read_bytes()
        assert data.startswith(b"%PDF") and len(data) > 2_000
    assert themes.current().name == "dark"


def test_the_data_behind_each_view_is_exported(
    made: tuple[ComparePanel, Library], qtbot: QtBot, tmp_path: Path
) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    for name in VIEWS:
        panel.show_view(name)
        panel.export_csv(tmp_path / f"{name}.csv")
        rows = list(csv.reader((tmp_path / f"{name}.csv").open(encoding="utf-8")))
        assert len(rows) > 1 and all(len(row) == len(rows[0]) for row in rows)


def test_what_is_copied_is_a_picture_and_the_lines_that_train_again(
    made: tuple[ComparePanel, Library], qtbot: QtBot
) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    panel.copy_figure()
    data = QGuiApplication.clipboard().mimeData()
    assert data is not None and data.hasImage() and b"<svg" in bytes(data.data("image/svg+xml").data())
    panel.copy_commands()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 2 and all(line.startswith("dqngui train ") and line.endswith("--seeds 0-4") for line in lines)


def test_the_curves_follow_a_log_that_grows(made: tuple[ComparePanel, Library], qtbot: QtBot) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    library.compared.set_watched(True)
    run = panel.grouping.groups[0].runs[0]
    with (run.folder / "events.jsonl").open("ab") as log:
        log.write(encode(Evaluated(step=400, returns=(9.0,), lengths=(1,), mean=9.0)) + b"\n")
    library.compared.refresh()
    view = panel.view()
    assert isinstance(view, LinesChart)
    qtbot.waitUntil(lambda: view.chart.range_of_x() == (100, 400), timeout=5_000)
    assert view.chart.has_fewer


def test_steps_to_a_return_are_offered_and_any_other_can_be_asked_for(
    made: tuple[ComparePanel, Library], qtbot: QtBot
) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    offered = panel.choices["score"].offered
    assert {"best", "final", "area", "ask"} <= offered.keys() and "steps-to:7.5" in offered
    panel.set_score("steps-to:8")
    panel.show_view("figures")
    assert panel.options.score.name == "steps-to:8" and "steps-to:8" in panel.choices["score"].offered


def test_a_run_that_is_gone_is_named_and_the_others_stay(
    made: tuple[ComparePanel, Library], qtbot: QtBot, tmp_path: Path
) -> None:
    panel, library = made
    library.compared.choose([tmp_path / "nowhere", *[each.folder for each in library.summaries]])
    qtbot.waitUntil(lambda: not library.compared.loading, timeout=5_000)
    assert len(library.compared.grouping.groups) == 2 and len(library.compared.problems) == 1
    assert "The run `nowhere` is left out" in panel.note.text.text()
    library.compared.choose([tmp_path / "nowhere"])
    qtbot.waitUntil(lambda: not library.compared.loading, timeout=5_000)
    assert "The run `nowhere` is left out" in panel.empty_text


def test_the_comparison_stays_when_another_run_is_opened(made: tuple[ComparePanel, Library], qtbot: QtBot) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    panel.clear("another run")
    assert panel.has_content() and panel.empty_text == ""
    next(action for action in panel.menu_actions if action.text() == "Clear").trigger()
    assert not panel.has_content() and grouped([]).groups == panel.grouping.groups


def test_smoothing_stands_beside_the_curve_of_before(made: tuple[ComparePanel, Library], qtbot: QtBot) -> None:
    panel, library = made
    show_all(qtbot, panel, library)
    view = panel.view()
    assert isinstance(view, LinesChart)
    before = len(view.chart.lines[0].faint)
    panel.choices["smoothing"].trigger("3")
    assert len(view.chart.lines[0].faint) == before + 1
    assert any("running mean of 3" in note for note in panel.figure().notes)
    next(action for action in panel.menu_actions if action.text() == "Hide the single runs").trigger()
    assert len(view.chart.lines[0].faint) == 1


def test_no_view_needs_more_room_than_a_card_has(
    made: tuple[ComparePanel, Library], qtbot: QtBot, tmp_path: Path
) -> None:
    panel, library = made
    for rate in range(1, 9):
        made_run(tmp_path / "runs", [1.0], net__memory="gru", learn__lr=rate * 1e-4, title="A long title " * 9)
    with qtbot.waitSignal(library.changed):
        library.refresh()
    empty = panel.minimumSizeHint()
    show_all(qtbot, panel, library)
    assert len(panel.grouping.groups) == 10
    for name in VIEWS:
        panel.show_view(name)
        QApplication.processEvents()
        needed = panel.minimumSizeHint()
        assert needed.width() <= max(empty.width(), 320) and needed.height() <= max(empty.height(), 240), name


def test_a_click_on_a_cell_of_the_heat_map_compares_its_runs_and_the_menu_leads_back(
    made: tuple[ComparePanel, Library], qtbot: QtBot, tmp_path: Path
) -> None:
    panel, library = made
    for seed in range(2):
        made_run(tmp_path / "runs", [3.0 + seed], seed=seed, net__memory="gru", learn__lr=1e-4)
    with qtbot.waitSignal(library.changed):
        library.refresh()
    show_all(qtbot, panel, library)
    panel.show_view("map")
    view = panel.view()
    assert isinstance(view, CrossedView) and view.table is not None and view.table.paths == ("net.memory", "learn.lr")
    at = next(at for at, cell in view.table.cells.items() if len(cell.runs) == 2)
    assert "n = 2" in view.words_of(view.table.cells[at])
    places = [(x, y) for x in range(0, view.width(), 10) for y in range(0, view.height(), 10)]
    x, y = next((x, y) for x, y in places if (found := view.cell_at(x, y)) is not None and found[0] == at)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    assert len(library.compared.folders) == 2 and panel.name == "curves"
    next(action for action in panel.menu_actions if action.text() == "Back to all compared runs").trigger()
    assert len(library.compared.folders) == 12 and panel.name == "map"


def test_a_measure_that_the_task_names_is_compared(made: tuple[ComparePanel, Library], qtbot: QtBot) -> None:
    panel, library = made
    said = Evaluated(step=400, returns=(1.0,), lengths=(1,), mean=1.0, measures={"falls": (0.5,)})
    for summary in library.summaries:
        with (Path(summary.folder) / "events.jsonl").open("ab") as log:
            log.write(encode(said) + b"\n")
    show_all(qtbot, panel, library)
    assert not panel.measure_choice.isHidden()
    panel.measure_choice.trigger("falls")
    assert {each.name for each in [panel.options.score]} == {"final"} and panel.options.score.measure == "falls"
    assert panel.view().value_label() == "falls of an evaluation"
    less = next(action for action in panel.menu_actions if action.text() == "Less of the measure is better")
    less.trigger()
    assert not panel.options.score.larger_is_better
    assert "mmer" not in panel.choices["score"].offered
