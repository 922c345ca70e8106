"""Both themes are readable, complete, and can be switched while widgets live."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFontDatabase, QFontInfo, QFontMetricsF, QRawFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from dqngui.gui.cards.card import Card, CardDock, LegendChip
from dqngui.gui.style import theme as themes
from dqngui.gui.style.palette import contrast
from dqngui.gui.style.theme import DARK, LIGHT, Theme
from dqngui.gui.widgets.two_lengths import TwoLengths
from dqngui.lab.session.curve import Floats
from dqngui.presets import package_data


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_is_readable_on_every_ground(theme: Theme) -> None:
    for ground in ("background", "surface", "raised"):
        for text in ("text", "muted"):
            assert contrast(theme.color(text), theme.color(ground)) >= 4.5, (text, ground)
    assert contrast(theme.color("on_accent"), theme.color("accent")) >= 4.5
    for state in ("good", "warn", "bad"):
        assert contrast(theme.color(state), theme.color("surface")) >= 4.0, state
    for token in (*theme.series, *theme.overlays):
        assert contrast(theme.color(token), theme.color("surface")) >= 3.0, token


SEEN_AS = {
    "all colours": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""Colours as they are seen with each kind of colour blindness; Machado et al. 2009, doi:10.1109/TVCG.2009.113."""
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]


def lab_of(colors: list[QColor], seen: str) -> Floats:
    """CIE L*a*b* (colours, 3) of sRGB colours, white D65."""
    channels = np.array([color.getRgbF()[:3] for color in colors])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ np.array(SEEN_AS[seen]).T, 0, 1) @ np.array(TO_XYZ).T / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("seen", SEEN_AS)
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_overlaid_runs_the_open_run_and_its_evaluations_differ_in_colour(theme: Theme, seen: str) -> None:
    """Two colours that lie side by side look different from a distance of 2.3 on; as thin lines they need more."""
    tokens = ["series0", "series1", *(f"overlay{number}" for number in range(8))]
    lab = lab_of([theme.color(each) for each in tokens], seen)
    apart = np.linalg.norm(lab[:, None] - lab, axis=2) + np.diag(np.full(len(tokens), np.inf))
    assert apart.min() >= (30.0 if seen == "all colours" else 13.0)


def test_an_unknown_system_scheme_is_light(qapp: QApplication) -> None:
    assert qapp.styleHints().colorScheme() != Qt.ColorScheme.Dark
    assert themes.theme_for("system") is LIGHT
    assert themes.theme_for("dark") is DARK


def test_the_shipped_font_is_used_with_tabular_figures(qapp: QApplication) -> None:
    assert themes.load_fonts() == "Inter"
    folder = Path(str(package_data("assets"))) / "fonts"
    assert (folder / "OFL.txt").is_file()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
    assert "Inter" in QFontDatabase.families()
    font = themes.font(13)
    assert QFontInfo(font).family() == "Inter"
    metrics = QFontMetricsF(font)
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("8888")


def test_the_font_has_every_character_of_the_panels(qapp: QApplication) -> None:
    raw = QRawFont.fromFont(themes.font())
    sources = Path(themes.__file__).parent
    used = {c for path in sources.rglob("*.py") for c in path.read_text(encoding="utf-8") if ord(c) > 126}
    drawn = {c for c in used if not ("─" <= c <= "╿")}
    assert not [c for c in drawn if not raw.supportsCharacter(ord(c))]


def test_arrows_have_the_colours_of_their_theme() -> None:
    folder = Path(str(package_data("assets"))) / "icons"
    for theme in (DARK, LIGHT):
        for name in ("down", "up", "left", "right"):
            assert theme.muted in (folder / f"{theme.name}-{name}.svg").read_text()
        assert theme.on_accent in (folder / f"{theme.name}-check.svg").read_text()


def test_the_stylesheet_is_filled_and_its_files_exist(qapp: QApplication) -> None:
    for setting in ("dark", "light"):
        themes.apply(qapp, setting)
        sheet = qapp.styleSheet()
        assert "$" not in sheet
        files = re.findall(r'url\("(.+?)"\)', sheet)
        assert files
        assert all(Path(name).is_file() for name in files)
        assert sheet.count("{") == sheet.count("}")


def test_the_stylesheets_of_the_themes_differ_in_colours_only(qapp: QApplication) -> None:
    """So sizes, and what has room in them, are the same in both: tests of every state check them in one theme."""
    sheets = []
    for theme in (DARK, LIGHT):
        themes.apply(qapp, theme.name)
        sheets.append(re.sub(r"#[0-9a-fA-F]{6,8}", "#", qapp.styleSheet()).replace(f"/{theme.name}", "/"))
    assert sheets[0] == sheets[1]


def test_a_live_window_changes_its_colours(qapp: QApplication, qtbot: QtBot) -> None:
    themes.apply(qapp, "dark")
    card = Card("Return", QLabel("body"))
    qtbot.addWidget(card)
    card.resize(300, 200)
    card.show()
    assert card.grab().toImage().pixelColor(150, 150) == DARK.color("surface")
    theme = themes.apply(qapp, "light")
    card.restyle(theme)
    assert card.grab().toImage().pixelColor(150, 150) == LIGHT.color("surface")


@pytest.mark.parametrize("setting", ["dark", "light"])
def test_buttons_are_as_wide_as_their_words(qapp: QApplication, qtbot: QtBot, setting: themes.Setting) -> None:
    themes.apply(qapp, setting)
    for role in ("accent", "flat", "danger"):
        button = QPushButton("Fork from step 128,400")
        qtbot.addWidget(button)
        themes.set_role(button, role)
        button.adjustSize()
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()) + 16


def test_maps_are_even_and_centred_on_the_card() -> None:
    for theme in (DARK, LIGHT):
        table = theme.diverging_map().astype(int)
        assert table.shape == (256, 3)
        assert np.abs(table[127:129].mean(0) - QColor(theme.diverging[1]).getRgb()[:3]).max() < 2
        assert tuple(table[0]) == QColor(theme.diverging[0]).getRgb()[:3]
    assert themes.viridis().shape == (256, 3)


def test_icons_are_tinted(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")
    image = themes.icon("play").pixmap(32, 32).toImage()
    solid = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255]
    assert solid
    assert solid[0] == DARK.color("text")


def docked(qtbot: QtBot) -> tuple[QMainWindow, CardDock, CardDock]:
    window = QMainWindow()
    qtbot.addWidget(window)
    docks = [CardDock(name, Card(name.title(), QWidget()), window) for name in ("one", "two")]
    for dock in docks:
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.resize(600, 500)
    window.show()
    qtbot.waitExposed(window)
    return window, docks[0], docks[1]


def test_a_card_is_dragged_by_its_header_only(qapp: QApplication, qtbot: QtBot) -> None:
    window, dock, _ = docked(qtbot)
    assert window.isVisible()

    def drag(start: QPoint) -> bool:
        card = dock.card
        target = card.childAt(start) or card
        QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=target.mapFrom(card, start))
        for distance in (10, 40, 80):
            QTest.mouseMove(dock, card.mapTo(dock, start + QPoint(distance, distance)))
        floating = dock.isFloating()
        QTest.mouseRelease(dock, Qt.MouseButton.LeftButton, pos=card.mapTo(dock, start))
        return floating

    assert not drag(QPoint(120, 120))
    assert drag(QPoint(120, 15))


def test_float_gives_a_native_frame_and_dock_takes_it_back(qapp: QApplication, qtbot: QtBot) -> None:
    window, dock, _ = docked(qtbot)
    action = next(action for action in dock.card.menu.actions() if action.text() == "Float")
    action.trigger()
    assert dock.isFloating()
    assert dock.titleBarWidget() is None
    assert not dock.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert action.text() == "Dock"
    action.trigger()
    assert not dock.isFloating()
    assert dock.titleBarWidget() is not None
    state = window.saveState(1)
    assert window.restoreState(state, 1)


def test_a_narrow_header_keeps_its_title_and_markers(qapp: QApplication, qtbot: QtBot) -> None:
    card = Card("Return", QWidget())
    qtbot.addWidget(card)
    chips = [LegendChip(name, "series0") for name in ("episodes", "mean ± sd", "evaluation")]
    for chip in chips:
        card.add_to_header(chip)
    card.resize(600, 200)
    card.show()
    style = Qt.ToolButtonStyle
    qtbot.waitUntil(lambda: all(chip.toolButtonStyle() == style.ToolButtonTextBesideIcon for chip in chips))
    assert all(chip.width() >= chip.full_width() for chip in chips)
    card.resize(200, 200)
    qtbot.waitUntil(lambda: all(chip.toolButtonStyle() == style.ToolButtonIconOnly for chip in chips))
    assert chips[-1].geometry().right() <= card.header.width()


def test_a_header_shortens_its_figures_before_it_takes_the_names_from_the_legend(qtbot: QtBot) -> None:
    card = Card("Return", QWidget())
    qtbot.addWidget(card)
    chips = [LegendChip(name, "series0") for name in ("episodes", "mean ± sd", "evaluation")]
    figure = TwoLengths()
    for widget in (*chips, figure):
        card.add_to_header(widget)
    figure.show_texts("test 420 [401, 439] at 25,000", "test 420 [401, 439]")
    style = Qt.ToolButtonStyle
    named, brief = style.ToolButtonTextBesideIcon, "test 420 [401, 439]"
    enough = card.fontMetrics().horizontalAdvance("Return") + sum(each.full_width() for each in (*chips, figure)) + 120
    card.resize(enough, 200)
    card.show()
    qtbot.waitUntil(lambda: figure.text() == "test 420 [401, 439] at 25,000")
    card.resize(enough - 120, 200)
    qtbot.waitUntil(lambda: figure.text() == brief)
    assert all(chip.toolButtonStyle() == named for chip in chips)
    card.resize(260, 200)
    qtbot.waitUntil(lambda: all(chip.toolButtonStyle() != named for chip in chips))
    assert figure.text() == brief
