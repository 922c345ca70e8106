"""The colours of the window, dark and light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

OVERLAYS = 8  # colours of overlaid runs


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one appearance, as `#rrggbb`.

    Attributes:
        background, surface, raised: colours of the window, of cards and of controls.
        line: borders and grid. text, muted: primary and secondary text.
        accent: for active elements; on_accent: text on it.
        good, warn, bad: states.
        series: colours of curves, distinguishable with colour blindness.
        overlays: colours of curves of further runs, distinguishable with colour blindness from each other and from the
            first two series.
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
    overlays: tuple[str, ...]
    diverging: tuple[str, str, str]

    def color(self, token: str, alpha: int = 255) -> QColor:
        """A token's colour (`"muted"`), a series' (`"series2"`), an overlaid run's (`"overlay5"`) or a literal
        (`"#123456"`); alpha 0..255.
        """
        if token.startswith("series"):
            code = self.series[int(token[6:]) % len(self.series)]
        elif token.startswith("overlay"):
            code = self.overlays[int(token[7:]) % len(self.overlays)]
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
    overlays=("#009678", "#e14b69", "#f0f02d", "#9678a5", "#2ef5f5", "#698700", "#2a6bff", "#a5e1a5"),
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
    overlays=("#0f695a", "#c30f5a", "#a587b4", "#690000", "#879669", "#5a1e5a", "#1414e6", "#695a0f"),
    diverging=("#1b6fd6", "#ffffff", "#d1481a"),
)


def contrast(a: QColor, b: QColor) -> float:
    """Contrast of two colours, 1 (none) to 21 (black on white); WCAG 2.2, 1.4.3."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: QColor) -> float:
    channels = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
