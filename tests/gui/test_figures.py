"""An exported picture is a figure: title, whole names, labels and bands; an SVG has only what every viewer draws."""

from __future__ import annotations

import csv
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from made_figures import comparison
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QColor, QDesktopServices, QImage
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from dqngui.gui.cards.svg_pictures import SIDE, with_sharp_maps
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.saved_note import SavedNote

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["Maze, 30 steps · lr 1e-3 · n = 5", "Maze, 30 steps · lr 1e-4 · n = 5", "Maze, 30 steps · lr 3e-4 · n = 5"]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.fixture
def panel(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[ReturnPanel]:
    themes.apply(qapp, "light")
    made, library = comparison(qtbot, tmp_path / "runs")
    yield made
    library.stop()
    library.join()


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def shapes(root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, ElementTree.Element, np.ndarray]]:
    """(group, shape, corners (n, 2) in the drawing's units) of every line, area and dot."""
    for group in root.iter(f"{SVG}g"):
        a, b, c, d, e, f = (float(n) for n in NUMBER.findall(group.get("transform", "matrix(1,0,0,1,0,0)")))
        for shape in group:
            data = shape.get("d") or shape.get("points") or ""
            if data:
                at = np.array([float(n) for n in NUMBER.findall(data)]).reshape(-1, 2)
                yield group, shape, at @ np.array([[a, b], [c, d]]) + [e, f]


def exported(panel: ReturnPanel, path: Path) -> ElementTree.Element:
    panel.export_svg(path)
    return ElementTree.parse(path).getroot()


def test_a_figure_has_title_names_labels_and_notes(panel: ReturnPanel, tmp_path: Path) -> None:
    said = texts(exported(panel, tmp_path / "a.svg"))
    for text in (
        *NAMES, "Return", "Maze, 30 steps · lr 3e-4 · seed 0", "return of an episode", "environment steps",
        "evaluation", "lines: mean of the last 30 episodes · band of a mean over seeds: its 95 % interval",
    ):  # fmt: skip
        assert text in said, text
    assert len(set(NAMES)) == 3


def test_a_hidden_series_is_not_in_the_legend_of_a_figure(panel: ReturnPanel) -> None:
    panel.legend.chips[1].click()
    shown = [entry.text for entry in panel.figure().legend]
    assert NAMES[1] not in shown and NAMES[0] in shown


@pytest.mark.parametrize("zoomed", [False, True])
def test_a_drawing_has_only_what_every_viewer_draws_the_same(panel: ReturnPanel, zoomed: bool, tmp_path: Path) -> None:
    if zoomed:  # most of each curve lies outside
        panel.plot.box.setXRange(1_203.0, 1_511.0)
        panel.plot.box.setYRange(40.0, 60.0)
        panel.plot.fitted = False
    root = exported(panel, tmp_path / "a.svg")
    assert not list(root.iter(f"{SVG}image"))
    _, _, width, height = (float(n) for n in (root.get("viewBox") or "").split())
    lines = areas = 0
    for group, shape, at in shapes(root):
        a, b, c, d = (float(n) for n in NUMBER.findall(group.get("transform", "matrix(1,0,0,1,0,0)"))[:4])
        stroked = group.get("stroke", "none") != "none"
        if stroked:  # a viewer that does not know such pens scales them
            assert abs(a * d - b * c) == pytest.approx(1.0), shape.attrib
        # nothing depends on clipping
        assert at[:, 0].min() >= -1.0 and at[:, 0].max() <= width + 1.0, shape.attrib
        assert at[:, 1].min() >= -1.0 and at[:, 1].max() <= height + 1.0, shape.attrib
        lines += stroked and len(at) > 20
        areas += group.get("fill-opacity", "1") not in ("0", "1") and len(at) > 20
    assert areas >= 4 and (zoomed or lines >= 4)  # three means with bands, and the open run's


def test_curves_lie_in_a_drawing_where_the_plot_has_them(panel: ReturnPanel, tmp_path: Path) -> None:
    root, plot = exported(panel, tmp_path / "a.svg"), panel.plot
    drawn = next(iter(panel.overlays.drawn.values()))
    color = themes.current().color("overlay0").name()
    [line] = [at for group, _, at in shapes(root) if group.get("stroke") == color and len(at) > 20]
    known = np.isfinite(drawn.y)
    (x0, x1), (y0, y1) = plot.box.viewRange()
    origin = line[0] - np.array([0.0, 0.0])
    across = (line[-1, 0] - origin[0]) / (drawn.x[known][-1] - drawn.x[known][0])
    assert across == pytest.approx(plot.box.width() / (x1 - x0), rel=1e-3)
    up = -(np.ptp(line[:, 1])) / np.ptp(drawn.y[known])
    assert up == pytest.approx(-plot.box.height() / (y1 - y0), rel=1e-2)


def test_a_picture_shows_every_band_and_line(panel: ReturnPanel, tmp_path: Path) -> None:
    panel.export_png(tmp_path / "a.png")
    image = QImage(str(tmp_path / "a.png"))
    frame = panel.drawing()
    assert image.width() >= 2 * frame.width() and image.height() >= 2 * frame.height() + 2 * 60
    picture = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.array(picture.constBits()).reshape(image.height(), -1, 4)[..., 2::-1].astype(int)
    for token in ("series0", "overlay0", "overlay1", "overlay2"):
        color = themes.current().color(token)
        near = np.abs(pixels - [color.red(), color.green(), color.blue()]).sum(-1) < 12
        assert near[:140].any(), f"{token} is not in the legend"
        assert near[140:].sum() > 200, f"{token} is not in the plot"


def test_the_plot_is_as_before_after_an_export(panel: ReturnPanel, tmp_path: Path) -> None:
    before = panel.grab().toImage()
    panel.export_png(tmp_path / "a.png")
    panel.export_svg(tmp_path / "a.svg")
    QApplication.processEvents()
    assert panel.grab().toImage() == before


def test_a_table_names_every_curve_and_has_its_band(panel: ReturnPanel, tmp_path: Path) -> None:
    panel.export_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    means = [row for row in rows if row["kind"] == "overlay"]
    assert {row["run"] for row in means} == {name.removesuffix(" · n = 5") for name in NAMES}
    whole = [row for row in means if row["runs"] == "5"]
    assert len(whole) > 500
    assert all(float(row["low"]) <= float(row["return"]) <= float(row["high"]) for row in whole)
    assert {row["run"] for row in rows if row["kind"] in ("episode", "mean")} == {"Maze, 30 steps · lr 3e-4 · seed 0"}
    band = [row for row in rows if row["kind"] == "mean" and row["low"]]
    assert len(band) > 20 and all(float(row["low"]) <= float(row["return"]) <= float(row["high"]) for row in band)


def test_where_a_file_was_saved_is_said_with_a_link_and_nothing_moves(
    panel: ReturnPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    place = panel.plot.geometry()
    path = tmp_path / "<b>figure &amp; 1.svg"
    export = next(action for action in panel.menu_actions if action.text().startswith("Export drawing"))
    export.trigger()
    dialog = panel.findChild(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    note = panel.findChild(SavedNote)
    assert path.exists() and note.isVisible() and note.accessibleName() == "Saved as <b>figure &amp; 1.svg"
    assert "&lt;b&gt;figure &amp;amp; 1.svg" in note.text()
    assert panel.plot.geometry() == place and panel.rect().contains(note.geometry())
    for link in re.findall('href="([^"]*)"', note.text()):
        note.linkActivated.emit(link.replace("&amp;", "&"))
    assert [Path(each) for each in opened] == [path, tmp_path]


def picture_in(width: int, height: int, drawn: tuple[int, int], hint: str) -> str:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    for x in range(width):
        for y in range(height):
            image.setPixelColor(x, y, QColor(20 * x % 256, 30 * y % 256, 90))
    written = QBuffer()
    written.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(written, "PNG")  # type: ignore[call-overload]
    data = b64encode(bytes(written.data().data())).decode()
    return (
        f'<image x="0" y="0" width="{drawn[0]}" height="{drawn[1]}" preserveAspectRatio="none" '
        f'image-rendering="{hint}" xlink:href="data:image/png;base64,{data}" />'
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (96, 64), (300, 1)])
def test_the_squares_of_a_map_stay_sharp_in_a_viewer_that_smooths(size: tuple[int, int]) -> None:
    made = with_sharp_maps(f"<svg>{picture_in(*size, (400, 300), 'optimizeSpeed')}</svg>")
    [data] = re.findall('base64,([^"]*)', made)
    larger = QImage.fromData(b64decode(data))
    across, up = larger.width() // size[0], larger.height() // size[1]
    assert (across * size[0], up * size[1]) == (larger.width(), larger.height()) and min(across, up) > 1
    assert min(larger.width(), larger.height()) >= SIDE
    for x in range(size[0]):
        for y in range(size[1]):
            color = QColor(20 * x % 256, 30 * y % 256, 90)
            for at in ((x * across, y * up), ((x + 1) * across - 1, (y + 1) * up - 1)):
                assert larger.pixelColor(*at) == color


@pytest.mark.parametrize(("size", "hint"), [((3, 2), "optimizeQuality"), ((500, 400), "optimizeSpeed")])
def test_other_pictures_stay_as_they_are(size: tuple[int, int], hint: str) -> None:
    svg = f"<svg>{picture_in(*size, (400, 300), hint)}</svg>"
    assert with_sharp_maps(svg) == svg
