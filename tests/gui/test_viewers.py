"""An exported drawing looks the same in librsvg and in Inkscape's PDF as in our own picture (`make test-extras`)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from made_figures import comparison
from made_panels import made, run_events
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.config import Experiment
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.panels.compare.compare_panel import ComparePanel
from dqngui.gui.panels.curves.learning_panel import LearningPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.library import Library
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from tests.comparison.made_runs import made_run
from tests.doubles.scripted_host import ScriptedHost

pytestmark = pytest.mark.extras
TILE = 12  # pixels: smaller differences of letters and edges do not count


def rsvg(svg: Path, png: Path) -> None:
    subprocess.run(["rsvg-convert", "--width=1200", "-o", png, svg], check=True, timeout=60)


def inkscape(svg: Path, png: Path) -> None:
    pdf = png.with_suffix(".pdf")
    subprocess.run(["inkscape", svg, "--export-type=pdf", "-o", pdf], check=True, timeout=120, capture_output=True)
    scale = ["-scale-to-x", "1200", "-scale-to-y", "-1"]
    subprocess.run(["pdftoppm", "-singlefile", "-png", *scale, pdf, png.with_suffix("")], check=True, timeout=60)


VIEWERS: dict[str, tuple[tuple[str, ...], Callable[[Path, Path], None]]] = {
    "librsvg": (("rsvg-convert",), rsvg),
    "Inkscape": (("inkscape", "pdftoppm"), inkscape),
}


def tiles(path: Path) -> np.ndarray:
    """Mean colours of small squares, of a picture scaled to a width of 1200 pixels."""
    image = QImage(str(path)).scaledToWidth(1200, Qt.TransformationMode.SmoothTransformation)
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.array(image.constBits()).reshape(image.height(), image.width(), 4)[..., :3].astype(float)
    rows, columns = image.height() // TILE, image.width() // TILE
    cut = pixels[: rows * TILE, : columns * TILE]
    return cut.reshape(rows, TILE, columns, TILE, 3).mean((1, 3))


@pytest.fixture(params=["light", "dark"])
def panels(request: pytest.FixtureRequest, qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[list[Panel]]:
    themes.apply(qapp, request.param)
    compared, library = comparison(qtbot, tmp_path / "runs")
    learning = made(qtbot, LearningPanel, 500, 300)
    learning.show(History.of(run_events()))
    yield [compared, learning]
    library.stop()
    library.join()


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_viewer_shows_what_we_show(panels: list[Panel], viewer: str, tmp_path: Path) -> None:
    programs, render = VIEWERS[viewer]
    missing = [program for program in programs if shutil.which(program) is None]
    assert not missing, f"{missing} must be installed: `make test-extras` does it"
    for panel in panels:
        panel.export_png(tmp_path / "ours.png")
        panel.export_svg(tmp_path / "drawing.svg")
        render(tmp_path / "drawing.svg", tmp_path / "theirs.png")
        ours, theirs = tiles(tmp_path / "ours.png"), tiles(tmp_path / "theirs.png")
        assert abs(len(ours) - len(theirs)) <= 1
        rows = min(len(ours), len(theirs))
        difference = np.abs(ours[:rows] - theirs[:rows]).max(-1)
        print(f"{viewer}, {type(panel).__name__}: {np.mean(difference > 40):.2%} differ, by {difference.mean():.2f}")
        # A blob differs in a large part of the picture; letters of another font differ in a few places by a little.
        assert np.mean(difference > 40) < 0.008, f"{viewer}: {type(panel).__name__}, {np.mean(difference > 40):.1%}"
        assert difference.mean() < 4.0


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("view", ["curves", "figures", "parallel"])
def test_a_viewer_shows_a_comparison_as_we_do(
    qapp: QApplication, qtbot: QtBot, viewer: str, view: str, tmp_path: Path
) -> None:
    programs, render = VIEWERS[viewer]
    assert not [program for program in programs if shutil.which(program) is None]
    themes.apply(qapp, "light")
    for memory in ("gru", "lstm"):
        for seed in range(5):
            curve = [seed / 9 + step * (1 + 0.4 * (memory == "gru")) for step in range(9)]
            made_run(tmp_path / "runs", curve, seed=seed, net__memory=memory)
    session = Session(Experiment(), runs=tmp_path / "runs", open_host=ScriptedHost)
    library, panel = Library(session), ComparePanel()
    qtbot.addWidget(panel)
    panel.attach(Sources(session=session, library=library, player=None))  # type: ignore[arg-type]
    library.compared.choose(sorted((tmp_path / "runs").iterdir()))
    qtbot.waitUntil(lambda: not library.compared.loading, timeout=5_000)
    panel.set_score("final")
    panel.show_view(view)
    panel.again()
    for kind in ("png", "svg", "pdf"):
        panel.save_figure(tmp_path / f"figure.{kind}", 6.9)
    render(tmp_path / "figure.svg", tmp_path / "theirs.png")
    scale = ["-scale-to-x", "1200", "-scale-to-y", "-1"]
    pdf = [tmp_path / "figure.pdf", tmp_path / "printed"]
    subprocess.run(["pdftoppm", "-singlefile", "-png", *scale, *pdf], check=True, timeout=60)
    ours = tiles(tmp_path / "figure.png")
    for name in ("theirs", "printed"):
        theirs = tiles(tmp_path / f"{name}.png")
        rows = min(len(ours), len(theirs))
        difference = np.abs(ours[:rows] - theirs[:rows]).max(-1)
        print(f"{viewer}, {view}, {name}: {np.mean(difference > 40):.2%} differ, by {difference.mean():.2f}")
        assert abs(len(ours) - len(theirs)) <= 1 and np.mean(difference > 40) < 0.02 and difference.mean() < 4.0
    library.stop()
    library.join()
