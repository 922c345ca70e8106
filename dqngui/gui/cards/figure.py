"""What an exported picture says beside the panel's drawing: title, legend, notes and the name of the values' axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from dqngui.gui.cards.card import LegendChip
from dqngui.gui.charts.color_bar import ColorBar
from dqngui.gui.charts.legend_marker import MARKER_PX, Marker, draw_marker
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TEXT_PX
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.two_lengths import TwoLengths

MARGIN, GAP, BETWEEN = 12.0, 6.0, 18.0  # pixels around everything, from a marker to its name, and between two entries
LINE = 20.0  # pixels of a line of the legend
VALUE_LABEL = 20.0  # pixels of the name of the values' axis


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A name in a legend, with its marker."""

    text: str
    marker: Marker


@dataclass(frozen=True, slots=True)
class Figure:
    """The texts of an exported picture.

    Attributes:
        title: what is drawn; empty in a figure that has its title in a text around it.
        subtitle: of which run.
        legend: an entry for each curve that is drawn.
        notes: what else one must know to read it, such as the length of a running mean.
        value_label: the name of the values' axis; empty where each axis has its own.
        bars: the colours of maps with their values, painted at the right of the title.
    """

    title: str
    subtitle: str = ""
    legend: Sequence[LegendEntry] = ()
    notes: Sequence[str] = ()
    value_label: str = ""
    bars: Sequence[ColorBar] = ()


def header_figure(title: str, header: Iterable[QWidget]) -> Figure:
    """The texts that a card shows in its header: the legend's checked entries, the present choices, the key figures."""
    shown = [widget for widget in header if not widget.isHidden()]
    chips = [widget for widget in shown if isinstance(widget, LegendChip) and widget.isChecked()]
    notes = [each.full_text for each in shown if isinstance(each, ChoiceButton)]
    notes += [each.full() for each in shown if isinstance(each, TwoLengths)]
    return Figure(
        title,
        legend=[LegendEntry(chip.text(), chip.marker) for chip in chips],
        notes=[note for note in notes if note],
        bars=[each for each in shown if isinstance(each, ColorBar)],
    )


class FigureFrame:
    """Places and paints the texts of a figure around a drawing `width` pixels wide.

    Attributes:
        size: pixels of the whole figure, for a drawing `height` pixels high.
        drawing: where the drawing is placed.
    """

    def __init__(self, figure: Figure, width: float, height: float) -> None:
        self._figure = figure
        self._title = themes.font(TEXT_PX + 2, QFont.Weight.DemiBold)
        self._small = themes.font(SECONDARY_PX)
        left = MARGIN + (VALUE_LABEL if figure.value_label else 0.0)
        letters = QFontMetricsF(self._small)
        self._widths = [MARKER_PX + GAP + letters.horizontalAdvance(entry.text) for entry in figure.legend]
        self._rows = legend_rows(self._widths, width)
        self._notes = _lines_of(figure.notes, letters, width)
        head = (24.0 if figure.title else 0.0) + LINE * (len(self._rows) + len(self._notes)) + GAP
        self.drawing = QRectF(left, MARGIN + head, width, height)
        self.size = QSizeF(self.drawing.right() + MARGIN, self.drawing.bottom() + MARGIN)

    def paint(self, painter: QPainter) -> None:
        """Paint the texts and markers."""
        theme, figure = themes.current(), self._figure
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y = MARGIN + (14.0 if figure.title else -10.0)
        painter.setFont(self._title)
        painter.setPen(theme.color("text"))
        painter.drawText(QPointF(MARGIN, y), figure.title)
        if figure.subtitle:
            x = MARGIN + QFontMetricsF(self._title).horizontalAdvance(figure.title) + 10.0
            painter.setFont(self._small)
            painter.setPen(theme.color("muted"))
            room = self.size.width() - MARGIN - x
            fitted = QFontMetricsF(self._small).elidedText(figure.subtitle, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(QPointF(x, y), fitted)
        right = self.size.width() - MARGIN
        for bar in reversed(self._figure.bars):
            right -= bar.width() + GAP
            bar.render(painter, QPoint(round(right), round(MARGIN)), renderFlags=QWidget.RenderFlag.DrawChildren)
        y += 10.0
        painter.setFont(self._small)
        for row in self._rows:
            x = MARGIN
            for index in row:
                entry = figure.legend[index]
                painter.save()
                painter.translate(x, y + (LINE - MARKER_PX) / 2)
                draw_marker(painter, entry.marker)
                painter.restore()
                painter.setPen(theme.color("text"))
                painter.drawText(QPointF(x + MARKER_PX + GAP, y + LINE / 2 + 4.5), entry.text)
                x += self._widths[index] + BETWEEN
            y += LINE
        painter.setPen(theme.color("muted"))
        for line in self._notes:
            painter.drawText(QPointF(MARGIN, y + LINE / 2 + 4.5), line)
            y += LINE
        if figure.value_label:
            width = QFontMetricsF(self._small).horizontalAdvance(figure.value_label)
            painter.save()
            painter.translate(MARGIN + 12.0, self.drawing.center().y() + width / 2)
            painter.rotate(-90)
            painter.drawText(QPointF(0, 0), figure.value_label)
            painter.restore()


def legend_rows(widths: Sequence[float], room: float) -> list[list[int]]:
    """The entries of each line of a legend, as indices; an entry that is wider than the room has its own line."""
    rows: list[list[int]] = []
    x = 0.0
    for index, width in enumerate(widths):
        if not rows or x + width > room:
            rows.append([])
            x = 0.0
        rows[-1].append(index)
        x += width + BETWEEN
    return rows


def _lines_of(notes: Sequence[str], letters: QFontMetricsF, room: float) -> list[str]:
    """The notes, joined with dots while they fit into a line."""
    lines: list[str] = []
    for note in notes:
        joined = f"{lines[-1]} · {note}" if lines else note
        if lines and letters.horizontalAdvance(joined) <= room:
            lines[-1] = joined
        else:
            lines.append(note)
    return lines
