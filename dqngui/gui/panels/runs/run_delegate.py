"""Paints the cells of the table of runs: colour, star, state, tags, and the lines of groups."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QIcon, QPainter, QRegion
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from dqngui.gui.charts.overlay_style import DASHES
from dqngui.gui.panels.runs.run_cells import RunColumn
from dqngui.gui.panels.runs.run_table import DASH, ICON_PX, PARTS, ROW, SWATCH, Index, RunModel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.short_names import shortened
from dqngui.listing.arranged import Group

SWATCH_PX = 12
PADDING = 12  # of a cell, left plus right, as in the stylesheet
CHIP_PX, CHIP_GAP, CHIP_PAD = 11, 4, 5  # of a tag: size of its text, space between two, space beside the text
_PAINTED = (RunColumn.SWATCH, RunColumn.STAR, RunColumn.STATE, RunColumn.TAGS)


def tags_width(tags: str) -> int:
    """Width of the chips of these tags in pixels."""
    metrics = QFontMetrics(_chip_font())
    return sum(metrics.horizontalAdvance(tag) + 2 * CHIP_PAD + CHIP_GAP for tag in tags.split())


def _chip_font() -> QFont:
    return themes.font(themes.zoomed(CHIP_PX))


class RunDelegate(QStyledItemDelegate):
    """Paints colour, star and state in the centre of their cells, tags as chips, and a bar beside the open run."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        if index.column() == RunColumn.NAME:
            margin = option.widget.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, option.widget) + 1
            name, kept = index.data(PARTS)
            room = option.rect.width() - 2 * margin - PADDING
            option.text = shortened(name, option.fontMetrics.horizontalAdvance, room, kept)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index.column() not in _PAINTED:
            super().paint(painter, option, index)
            return
        self._background(painter, option, index)
        row, model = index.data(ROW), index.model()
        assert isinstance(model, RunModel)
        if isinstance(row, Group):
            if index.column() == RunColumn.SWATCH:
                icon = model.icon("chevron-right" if index.data(SWATCH) else "chevron-down", "muted")
                icon.paint(painter, _middle(option.rect, ICON_PX))
            return
        match RunColumn(index.column()):
            case RunColumn.STATE:
                state: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
                state.paint(painter, _middle(option.rect, ICON_PX))
            case RunColumn.STAR:
                lit = bool(option.state & QStyle.StateFlag.State_MouseOver)
                if row.labels.star or lit:
                    icon = model.icon("star", "warn") if row.labels.star else model.icon("star-outline", "muted")
                    icon.paint(painter, _middle(option.rect, ICON_PX))
            case RunColumn.TAGS:
                self._tags(painter, option.rect, row.labels.tags)
            case _:
                self._swatch(painter, option.rect, str(index.data(SWATCH)), DASHES.index(index.data(DASH)))

    def _background(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        plain.icon, plain.text = QIcon(), ""
        plain.features &= ~QStyleOptionViewItem.ViewItemFeature.HasDecoration
        style = option.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, plain, painter, option.widget)

    @staticmethod
    def _tags(painter: QPainter, rect: QRect, tags: tuple[str, ...]) -> None:
        """Each tag as a small chip; one for which there is no room is shortened, and the rest is left out."""
        if not tags:
            return
        theme, font = themes.current(), _chip_font()
        metrics = QFontMetrics(font)
        height, left, right = metrics.height() + 2, rect.left() + 6, rect.right() - 4
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        for tag in tags:
            room = right - left - 2 * CHIP_PAD
            if room < metrics.horizontalAdvance("a…"):
                break
            text = metrics.elidedText(tag, Qt.TextElideMode.ElideRight, room)
            chip = QRect(left, rect.center().y() - height // 2, metrics.horizontalAdvance(text) + 2 * CHIP_PAD, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line"))
            painter.drawRoundedRect(chip, 4, 4)
            painter.setPen(theme.color("text"))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
            left = chip.right() + CHIP_GAP
        painter.restore()

    @staticmethod
    def _swatch(painter: QPainter, rect: QRect, color: str, stripes: int) -> None:
        """A square in the colour of the run's curve: whole for a solid curve, striped for a dashed one."""
        theme = themes.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if color == "series0":
            painter.fillRect(QRect(rect.left(), rect.top() + 3, 3, rect.height() - 6), theme.color("accent"))
        painter.setPen(Qt.PenStyle.NoPen if color else theme.mixed("muted", 0.6))
        painter.setBrush(theme.color(color) if color else Qt.BrushStyle.NoBrush)
        half = 0.0 if color else 0.5
        square = QRectF(_middle(rect, SWATCH_PX)).adjusted(half, half, -half, -half)
        if stripes:
            painter.setClipRegion(_striped(square.toRect(), stripes + 1))
        painter.drawRoundedRect(square, 3, 3)
        painter.restore()


def _striped(square: QRect, count: int) -> QRegion:
    """Upright stripes of a square, with gaps of two pixels."""
    region, wide = QRegion(), (square.width() + 2) / count
    for number in range(count):
        left, right = round(number * wide), round((number + 1) * wide) - 2
        region += QRect(square.left() + left, square.top(), right - left, square.height())
    return region


def _middle(rect: QRect, size: int) -> QRect:
    place = QRect(rect.topLeft(), QSize(size, size))
    place.moveCenter(rect.center())
    return place
