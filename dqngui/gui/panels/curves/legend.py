"""The legend of overlays in a card's header: a chip for each, with its name shortened to the room."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QPainter, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.cards.card import LegendChip
from dqngui.gui.charts.overlay_style import DASHES, dash, token
from dqngui.gui.panels.curves.return_drawn import result_in_words
from dqngui.gui.panels.curves.run_overlays import RunOverlays
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.library.library import Library, RunOverlay
from dqngui.statistics import MIN_VALUES

WIDEST = 132  # pixels of a chip
GAP, HEIGHT = 2, 22
NARROWEST = 46  # in a narrower chip only the marker is shown


class OverlayChip(LegendChip):
    """Marker and name of an overlay; a click hides or shows it."""

    def __init__(self, overlay: RunOverlay, name: str, parent: QWidget) -> None:
        self._slot = overlay.slot
        super().__init__(name, token(overlay.slot), "line", parent)
        self.overlay, self.name = overlay, name
        self.setAccessibleName(f"Overlay {name}")

    def full_width(self) -> int:
        """Width in pixels with the whole name, but at most `WIDEST`."""
        return min(WIDEST, 30 + self.fontMetrics().horizontalAdvance(self.name))

    def fit(self, width: int) -> int:
        """Show as much of the name as fits into `width` pixels; returns the used width."""
        self.set_short(width < NARROWEST)
        self.setText(self.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideMiddle, max(0, width - 30)))
        return 22 if width < NARROWEST else min(width, self.full_width())

    def restyle(self, theme: Theme) -> None:
        icon = QIcon()
        for mode, color in (
            (QIcon.State.On, theme.color(token(self._slot))),
            (QIcon.State.Off, theme.mixed("muted", 0.5)),
        ):
            for ratio in (1, 2):
                picture = QPixmap(12 * ratio, 12 * ratio)
                picture.setDevicePixelRatio(ratio)
                picture.fill(Qt.GlobalColor.transparent)
                painter = QPainter(picture)
                pen = QPen(color, 2)
                if (kind := DASHES.index(dash(self._slot))) > 0:
                    pen.setDashPattern([2, 1] if kind == 1 else [1, 1])
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                painter.drawLine(QPointF(0, 6), QPointF(12, 6))
                painter.end()
                icon.addPixmap(picture, QIcon.Mode.Normal, mode)
        self.setIcon(icon)


class OverlayLegend(QWidget):
    """Chips for a library's overlays.

    Signals:
        toggled(object, bool): the user shows or hides an overlay.
    """

    toggled = Signal(object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library: Library | None = None
        self.chips: list[OverlayChip] = []
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_overlays(self, library: Library, overlays: RunOverlays) -> None:
        """Make a chip for each drawn overlay."""
        self._library = library
        wanted = [
            (overlay, _name(overlay, overlays.count(overlay)))
            for overlay in library.overlays
            if overlays.offers(overlay)
        ]
        if wanted != [(chip.overlay, chip.name) for chip in self.chips]:
            for chip in self.chips:
                chip.hide()
                chip.deleteLater()
            self.chips = [self._chip(overlay, name, overlay not in overlays.hidden) for overlay, name in wanted]
            self.updateGeometry()
            self._fit()
        for chip in self.chips:
            chip.setToolTip(plain_tip(_tip(chip.overlay, library)))
        self.setVisible(bool(self.chips))

    def _chip(self, overlay: RunOverlay, name: str, shown: bool) -> OverlayChip:
        chip = OverlayChip(overlay, name, self)
        chip.setChecked(shown)
        chip.toggled.connect(lambda on: self.toggled.emit(overlay, on))
        remove = QAction("Remove from the plot", chip)
        remove.setIcon(themes.icon("close", "muted"))
        remove.triggered.connect(lambda: self._remove(overlay))
        chip.addAction(remove)
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        chip.show()
        return chip

    def _remove(self, overlay: RunOverlay) -> None:
        if self._library is not None and overlay in self._library.overlays:
            self._library.remove(overlay)

    def _fit(self) -> None:
        """Divide the width: short names are shown in full, all other chips get the same width."""
        left, more, widths = self.width() - GAP * (len(self.chips) - 1), len(self.chips), {}
        for chip in sorted(self.chips, key=OverlayChip.full_width):
            widths[chip] = chip.fit(min(chip.full_width(), max(0, left) // more))
            left, more = left - widths[chip], more - 1
        x = 0
        for chip in self.chips:
            chip.setGeometry(x, 0, widths[chip], HEIGHT)
            x += widths[chip] + GAP

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        widths = [chip.full_width() for chip in self.chips]
        return QSize(sum(widths) + GAP * max(0, len(widths) - 1), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize((22 + GAP) * len(self.chips), HEIGHT)

    def restyle(self, theme: Theme) -> None:
        for chip in self.chips:
            chip.restyle(theme)
            for action in chip.actions():
                action.setIcon(themes.icon("close", "muted"))


def _name(overlay: RunOverlay, count: int) -> str:
    few = ", too few for an interval" if count < MIN_VALUES else ""
    return f"{overlay.name} · n = {count}{few}" if overlay.seeds else overlay.name


def _tip(overlay: RunOverlay, library: Library) -> str:
    bests = [(folder, curve.best) for folder in overlay.folders if (curve := library.curve(folder)) is not None]
    known = [f"{library.name_of(folder)}: {result_in_words(best)}" for folder, best in bests if best]
    head = (
        f"Mean of {len(overlay.folders)} runs that differ in their seed, with its 95 % interval"
        if overlay.seeds
        else library.name_of(overlay.folders[0])
    )
    lines = known if overlay.seeds or known else ["no evaluation yet"]
    return "\n".join([*([head] if overlay.seeds or not known else []), *lines, "Click: show or hide"])
