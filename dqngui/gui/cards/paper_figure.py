"""Figures in the sizes of a paper's columns, on white, as PNG, SVG or PDF: drawn anew, not taken from the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, Qt
from PySide6.QtWidgets import QApplication, QWidget

from dqngui.gui.cards.figure import MARGIN, VALUE_LABEL, Figure
from dqngui.gui.cards.picture_export import RESOLUTION, picture_of, save_pdf, save_png, save_svg, svg_of
from dqngui.gui.style import theme as themes

COLUMNS: dict[str, tuple[str, float]] = {"one": ("one column", 3.3), "two": ("two columns", 6.9)}
"""Widths of a figure in inches, by name."""
HEIGHT = 0.62
"""Height of a drawing as a share of its width."""
KINDS = ("png", "svg", "pdf")
PNG_SCALE = 6  # so that a PNG has 576 pixels an inch
Drawn = tuple[QWidget, Figure]


def save_paper(drawn: Callable[[], Drawn], path: str | Path, inches: float, height: float = HEIGHT) -> None:
    """Write a figure of this width; the suffix of the path says whether as PNG, SVG or PDF. Raises OSError.

    Args:
        drawn: makes the drawing and the texts around it, in the light theme.
        height: of the drawing, as a share of its width.
    """
    writers: dict[str, Callable[[QWidget, Figure, str | Path], None]] = {
        ".png": lambda widget, figure, to: save_png(widget, figure, to, PNG_SCALE),
        ".svg": save_svg,
        ".pdf": save_pdf,
    }
    with _of_size(drawn, inches, height) as (widget, figure):
        writers[Path(path).suffix.lower()](widget, figure, path)


def copied(drawn: Callable[[], Drawn], inches: float, height: float = HEIGHT) -> QMimeData:
    """The figure for the clipboard: as a picture, and as SVG for programs that take it."""
    data = QMimeData()
    with _of_size(drawn, inches, height) as (widget, figure):
        data.setImageData(picture_of(widget, figure, PNG_SCALE))
        data.setData("image/svg+xml", QByteArray(svg_of(widget, figure).encode()))
    return data


@contextmanager
def _of_size(drawn: Callable[[], Drawn], inches: float, height: float) -> Iterator[Drawn]:
    """The drawing in the light theme and in the size that makes the whole figure as wide as asked for."""
    with themes.drawn_in("light"):
        widget, figure = drawn()
        around = 2 * MARGIN + (VALUE_LABEL if figure.value_label else 0.0)
        width = max(120, round(inches * RESOLUTION - around))
        widget.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        widget.resize(width, max(90, round(width * height)))
        widget.show()
        try:
            QApplication.sendPostedEvents()
            yield widget, figure
        finally:
            widget.hide()
            widget.deleteLater()
