"""Colours, fonts, icons and the style of every widget, dark and light.

`apply(app, "dark")` sets all of it at once and returns the `Theme`, which is then passed to
`restyle(theme)` of every widget that paints itself. The theme may change at any time.
`set_role(widget, "accent")` sets the role of a widget; the stylesheet has a style for each role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from dqngui.gui.style.palette import DARK, LIGHT, Theme
from dqngui.gui.style.stylesheet import stylesheet
from dqngui.presets import package_data

Setting = Literal["system", "dark", "light"]

TEXT_PX, SECONDARY_PX, TICK_PX = 13, 12, 11
GAP = 10  # between cards, and between the window's edge and its cards


SMALLEST_ZOOM, LARGEST_ZOOM, ZOOM_STEP = 80, 120, 10
"""Sizes of the text, in percent."""

_current = LIGHT
_zoom = 100


def current() -> Theme:
    """The theme that was applied last."""
    return _current


def zoom() -> int:
    """Size of the text in percent of the usual one, also of the numbers of charts."""
    return _zoom


def zoomed(px: int) -> int:
    """Pixels of text, or of what must hold it, at the present zoom."""
    return round(px * _zoom / 100)


def theme_for(setting: Setting) -> Theme:
    """The theme of a setting; without a preference of the system, light."""
    if setting == "system":
        return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return DARK if setting == "dark" else LIGHT


def application() -> QApplication:
    """The application of this process, which has been made."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def apply(app: QApplication, setting: Setting, zoom: int = 100) -> Theme:
    """Style the whole application, and return the theme for `restyle` of widgets that paint themselves; `zoom`: size of
    the text in percent, moved into its bounds.
    """
    global _current, _zoom
    theme = _current = theme_for(setting)
    _zoom = max(SMALLEST_ZOOM, min(LARGEST_ZOOM, zoom))
    family = load_fonts()
    app.setStyle("Fusion")  # the native styles ignore parts of a palette
    app.setPalette(_palette(theme))
    app.setFont(font(zoomed(TEXT_PX), family=family))
    icons = package_data("assets") / "icons"
    sheet = stylesheet(theme, str(icons).replace("\\", "/"))
    sheet = re.sub(r"font-size: (\d+)px", lambda found: f"font-size: {zoomed(int(found[1]))}px", sheet)
    if sheet != app.styleSheet():  # setting it restyles every widget
        app.setStyleSheet(sheet)
    pg.setConfigOptions(antialias=False, background=theme.surface, foreground=theme.muted, imageAxisOrder="row-major")
    return theme


@contextmanager
def drawn_in(setting: Setting) -> Iterator[None]:
    """Make what is drawn inside use another theme at the usual size of text, without styling the application."""
    global _current, _zoom
    before = _current, _zoom
    _current, _zoom = theme_for(setting), 100
    try:
        yield
    finally:
        _current, _zoom = before


@cache
def load_fonts() -> str:
    """Register the shipped fonts, once; returns the family to use (the system's if they cannot be read)."""
    families: list[str] = []
    folder = package_data("assets") / "fonts"
    if folder.is_dir():
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            if path.name.endswith(".otf"):
                number = QFontDatabase.addApplicationFont(str(path))
                families += QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return "Inter" if "Inter" in families else QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()


def font(px: int = TEXT_PX, weight: QFont.Weight = QFont.Weight.Normal, family: str | None = None) -> QFont:
    """The interface's font with tabular figures, so that changing numbers do not jump."""
    made = QFont(family or load_fonts())
    made.setPixelSize(px)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@cache
def metrics(px: int = TEXT_PX) -> QFontMetrics:
    """Font metrics for a text size."""
    return QFontMetrics(font(px))


def icon(name: str, token: str = "text") -> QIcon:
    """An icon of the Material Design set (`play`, `pause`), in a colour of the current theme.

    It does not change with the theme: set it again in `restyle`.
    """
    import qtawesome  # it loads its fonts at import, which is time before the window shows

    color = _current.color(token)
    return qtawesome.icon(f"mdi6.{name}", color=color, color_disabled=_current.mixed("muted", 0.5))


def set_role(widget: QWidget, role: str) -> None:
    """Set the role of a widget, which selects its style.

    Buttons: `accent`, `danger`, `flat`. Labels: `title`, `muted`, `value`, `chip`, `good`, `warn`, `bad`.
    """
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def viridis() -> npt.NDArray[np.uint8]:
    """Lookup table (256, 3) for shares 0..1."""
    table: npt.NDArray[np.uint8] = pg.colormap.get("viridis").getLookupTable(nPts=256)[:, :3]
    return table


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    for roles, token in (
        ((role.Window,), "background"),
        ((role.Base, role.ToolTipBase, role.Button, role.AlternateBase), "raised"),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText), "text"),
        ((role.PlaceholderText,), "muted"),
        ((role.Highlight, role.Link, role.LinkVisited, role.Accent), "accent"),
        ((role.HighlightedText,), "on_accent"),
        ((role.Mid, role.Dark, role.Midlight), "line"),
        ((role.Light,), "raised"),
        ((role.Shadow,), "background"),
    ):
        for each in roles:
            palette.setColor(each, theme.color(token))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, each, theme.mixed("muted", 0.6))
    palette.setColor(group.Disabled, role.Highlight, theme.color("line"))
    return palette
