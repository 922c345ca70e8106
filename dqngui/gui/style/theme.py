"""Colours, fonts, icons and the style of every widget, dark and light.

`apply(app, "dark")` sets all of it at once and returns the `Theme`, which is then passed to
`restyle(theme)` of everything that draws by itself. A running window may switch at any time.
Widgets say what they are with `set_role(widget, "accent")`; the stylesheet does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from dqngui.gui.style.stylesheet import stylesheet
from dqngui.presets import package_data

Setting = Literal["system", "dark", "light"]

TEXT_PX, SECONDARY_PX, TICK_PX = 13, 12, 11
GAP = 10  # between cards, and between the window's edge and its cards


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one appearance, as `#rrggbb`.

    Attributes:
        background, surface, raised: window, card, control; each a step nearer to the eye.
        line: borders and grid. text, muted: primary and secondary text.
        accent: only for what is active; on_accent: text on it.
        good, warn, bad: states.
        series: curves, in order; told apart by the colour-blind.
        diverging: low end, middle and high end for signed quantities.
    """

    name: Literal["dark", "light"]
    background: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    series: tuple[str, str, str, str]
    diverging: tuple[str, str, str]

    def color(self, token: str, alpha: int = 255) -> QColor:
        """A token's colour (`"muted"`), a series' (`"series2"`) or a literal (`"#123456"`); alpha 0..255."""
        if token.startswith("series"):
            code = self.series[int(token[6:]) % len(self.series)]
        else:
            code = token if token.startswith("#") else getattr(self, token)
        color = QColor(code)
        color.setAlpha(alpha)
        return color

    def mixed(self, token: str, share: float, over: str = "surface") -> QColor:
        """`share` of one colour painted over another, opaque (transparent pens are many times slower)."""
        blend = share * _rgb(self.color(token)) + (1 - share) * _rgb(self.color(over))
        return QColor(*(round(channel) for channel in blend))

    def diverging_map(self) -> npt.NDArray[np.uint8]:
        """Lookup table (256, 3) for signed values, symmetric about zero, its middle the card's background."""
        ends = np.stack([_rgb(QColor(code)) for code in self.diverging])
        at = np.linspace(0.0, 2.0, 256)
        return np.stack([np.interp(at, [0, 1, 2], ends[:, c]) for c in range(3)], axis=1).round().astype(np.uint8)


def _rgb(color: QColor) -> npt.NDArray[np.float64]:
    return np.array([color.red(), color.green(), color.blue()], dtype=np.float64)


DARK = Theme(
    name="dark",
    background="#12151a",
    surface="#191d24",
    raised="#222832",
    line="#2b323d",
    text="#e8ebf0",
    muted="#98a2b1",
    accent="#5aa9f2",
    on_accent="#0b1118",
    good="#3fbf8a",
    warn="#e8b23a",
    bad="#ef6a6a",
    series=("#56b4e9", "#e69f00", "#2fbf94", "#cc79a7"),
    diverging=("#4aa3ff", "#10141a", "#ff8a5b"),
)
LIGHT = Theme(
    name="light",
    background="#f3f5f8",
    surface="#ffffff",
    raised="#eef1f5",
    line="#dde2e9",
    text="#1a2230",
    muted="#5d6878",
    accent="#1b6fd6",
    on_accent="#ffffff",
    good="#138a5b",
    warn="#a86f00",
    bad="#c93a3a",
    series=("#1b6fd6", "#c77700", "#0b8a66", "#a8457f"),
    diverging=("#1b6fd6", "#ffffff", "#d1481a"),
)

_current = LIGHT


def current() -> Theme:
    """The theme that was applied last."""
    return _current


def theme_for(setting: Setting) -> Theme:
    """The theme of a setting; a system that does not say what it prefers counts as light."""
    if setting == "system":
        return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return DARK if setting == "dark" else LIGHT


def apply(app: QApplication, setting: Setting) -> Theme:
    """Style the whole application and return the theme, for `restyle` of whatever draws by itself."""
    global _current
    theme = _current = theme_for(setting)
    family = load_fonts()
    app.setStyle("Fusion")  # the native styles ignore parts of a palette
    app.setPalette(_palette(theme))
    app.setFont(font(family=family))
    icons = package_data("assets") / "icons"
    sheet = stylesheet(theme, str(icons).replace("\\", "/"))
    if sheet != app.styleSheet():  # setting it polishes every widget again
        app.setStyleSheet(sheet)
    pg.setConfigOptions(antialias=False, background=theme.surface, foreground=theme.muted, imageAxisOrder="row-major")
    return theme


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
    """How wide texts of a size are."""
    return QFontMetrics(font(px))


def icon(name: str, token: str = "text") -> QIcon:
    """An icon of the one set (Material Design, `play`, `pause`), in the current theme's colours.

    It does not follow a switch of the theme: set it again in `restyle`.
    """
    import qtawesome  # it loads its fonts at import, which is time before the window shows

    color = _current.color(token)
    return qtawesome.icon(f"mdi6.{name}", color=color, color_disabled=_current.mixed("muted", 0.5))


def set_role(widget: QWidget, role: str) -> None:
    """Say what a widget is, for the stylesheet.

    Buttons: `accent`, `danger`, `flat`. Labels: `title`, `muted`, `value`, `chip`, `good`, `warn`, `bad`.
    """
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def contrast(a: QColor, b: QColor) -> float:
    """Contrast of two colours, 1 (none) to 21 (black on white); WCAG 2.2, 1.4.3."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def viridis() -> npt.NDArray[np.uint8]:
    """Lookup table (256, 3) for shares 0..1."""
    table: npt.NDArray[np.uint8] = pg.colormap.get("viridis").getLookupTable(nPts=256)[:, :3]
    return table


def _luminance(color: QColor) -> float:
    channels = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


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
