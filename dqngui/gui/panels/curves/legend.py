"""The legend of overlays above the return plot: a chip for each, with its name shortened to the room."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.cards.card import LegendChip
from dqngui.gui.cards.figure import LegendEntry
from dqngui.gui.charts.legend_marker import Marker
from dqngui.gui.charts.overlay_style import dash, token
from dqngui.gui.panels.curves.return_drawn import result_in_words
from dqngui.gui.panels.curves.run_overlays import RunOverlays
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.lab.library.library import Library
from dqngui.lab.library.run_overlay import RunOverlay
from dqngui.lab.library.short_names import Part, distinct_parts, shortened
from dqngui.listing.run_names import BETWEEN
from dqngui.statistics import MIN_VALUES
from dqngui.texts import say, words

GAP, HEIGHT = 2, 22
AROUND = 30  # pixels of a chip that are not text
MARKER = 22  # pixels of a chip that shows only its marker
MORE = 36  # pixels of the number of chips that are left out
NARROWEST = 46  # in a narrower chip only the marker is shown
FEWEST_LETTERS = 60  # pixels of a name below which the count is left out
ROWS = 3
ROW_FOR_EACH = 130  # pixels of the panel's height for each row of the legend, so that it never squashes the plot


class OverlayChip(LegendChip):
    """Marker and name of an overlay; a click hides or shows it.

    Attributes:
        name: the whole text: the overlay's name with what is to be known about it.
    """

    def __init__(self, overlay: RunOverlay, more: str, kept: tuple[Part, ...], parent: QWidget) -> None:
        self._more, self._kept = more, kept
        self.overlay, self.parts, self.name = overlay, overlay.parts, overlay.name + more
        super().__init__(self.name, token(overlay.slot), "line", parent)
        self.marker = Marker(token(overlay.slot), "line", dash(overlay.slot), band=overlay.seeds)
        self.restyle(themes.current())
        self.setAccessibleName(f"Overlay {self.name}")

    def full_width(self) -> int:
        """Width in pixels with the whole name."""
        return AROUND + self.fontMetrics().horizontalAdvance(self.name)

    def fit(self, width: int) -> None:
        """Show as much of the name as fits into `width` pixels; what tells the overlays apart stays longest."""
        letters = self.fontMetrics().horizontalAdvance
        self.set_short(width < min(NARROWEST, self.full_width()))
        room = width - AROUND
        more = self._more if room - letters(self._more) >= min(FEWEST_LETTERS, letters(self.overlay.name)) else ""
        self.setText(shortened(self.parts, letters, max(0, room - letters(more)), self._kept) + more)


class OverlayLegend(QWidget):
    """Chips for a library's overlays, in as few rows as their names need and at most in `ROWS`.

    Signals:
        toggled(object, bool): the user shows or hides an overlay.
    """

    toggled = Signal(object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library: Library | None = None
        self.chips: list[OverlayChip] = []
        self._rows = 1
        self._left_out = plain_label(parent=self)
        self._left_out.setToolTip(
            "Further runs are drawn whose names have no room here; exported pictures have all names"
        )
        themes.set_role(self._left_out, "muted")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_overlays(self, library: Library, overlays: RunOverlays, height: int) -> None:
        """Make a chip for each drawn overlay.

        Args:
            height: pixels of the panel, of which the legend takes only a part.
        """
        self._library = library
        shown = [overlay for overlay in library.overlays if overlays.offers(overlay)]
        wanted = [(overlay, overlay.name + _more(overlay, overlays)) for overlay in shown]
        rows = max(1, min(ROWS, height // ROW_FOR_EACH))
        if wanted != [(chip.overlay, chip.name) for chip in self.chips]:
            for chip in self.chips:
                chip.hide()
                chip.deleteLater()
            kept = distinct_parts(overlay.parts.title for overlay in shown)
            self.chips = [self._chip(overlay, overlays, kept[overlay.parts.title]) for overlay in shown]
            self._rows = 0
        for chip in self.chips:
            chip.setToolTip(plain_tip(_tip(chip.overlay, library, overlays)))
        if rows != self._rows:
            self._rows = rows
            self._fit()
        self.setVisible(bool(self.chips))

    def entries(self) -> list[LegendEntry]:
        """The overlays that are drawn, for the legend of a figure, with their whole names."""
        return [LegendEntry(chip.name, chip.marker) for chip in self.chips if chip.isChecked()]

    def _chip(self, overlay: RunOverlay, overlays: RunOverlays, kept: tuple[Part, ...]) -> OverlayChip:
        chip = OverlayChip(overlay, _more(overlay, overlays), kept, self)
        chip.setChecked(overlay not in overlays.hidden)
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
        """Place the chips; if they need too many rows, the widest become narrower, then the last ones are left out."""
        full, rows = [chip.full_width() for chip in self.chips], self._rows or 1
        widths = limited(full, widest_for(full, self.width(), rows))
        places = places_of(widths, self.width())
        if places and places[-1][1] >= rows:
            room = self.width() - MORE
            places = [at for at in places if at[1] < rows and (at[1] < rows - 1 or at[0] + MARKER <= room)]
        for chip, width, (x, row) in zip(self.chips, widths, places, strict=False):
            chip.fit(width)
            chip.setGeometry(x, row * HEIGHT, width, HEIGHT)
        for number, chip in enumerate(self.chips):
            chip.setVisible(number < len(places))
        hidden = len(self.chips) - len(places)
        self._left_out.setVisible(hidden > 0)
        self._left_out.setText(f"+{hidden}")
        self._left_out.setGeometry(self.width() - MORE, (rows - 1) * HEIGHT, MORE, HEIGHT)
        height = HEIGHT * (places[-1][1] + 1 if places else 1)
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(sum(chip.full_width() + GAP for chip in self.chips), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(MARKER, HEIGHT)

    def restyle(self, theme: Theme) -> None:
        for chip in self.chips:
            chip.restyle(theme)
            for action in chip.actions():
                action.setIcon(themes.icon("close", "muted"))


def limited(widths: list[int], limit: int) -> list[int]:
    """Widths of chips with their whole names, where these may not be wider than a limit."""
    narrow = limit if limit >= NARROWEST else MARKER
    return [width if width <= limit else narrow for width in widths]


def places_of(widths: list[int], room: int) -> list[tuple[int, int]]:
    """(left edge, row) of each chip, in rows of `room` pixels."""
    x = row = 0
    places = []
    for width in widths:
        if x and x + width > room:
            x, row = 0, row + 1
        places.append((x, row))
        x += width + GAP
    return places


def widest_for(widths: list[int], room: int, rows: int) -> int:
    """The largest width to which chips of these widths must be limited to fit into some rows of `room` pixels."""

    def fits(limit: int) -> bool:
        made = limited(widths, limit)
        places = places_of(made, room)
        return not places or (places[-1][1] < rows and max(made) <= max(room, MARKER))

    return _largest(fits, MARKER, max([MARKER, *widths]))


def _largest(fits: Callable[[int], bool], low: int, high: int) -> int:
    """The largest number up to `high` that fits, or `low` if none does; what is smaller than one that fits fits too."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _more(overlay: RunOverlay, overlays: RunOverlays) -> str:
    """What follows the name: the number of runs of a mean, and whether it belongs to another task."""
    texts = []
    if overlay.seeds:
        count = overlays.count(overlay)
        texts.append(f"n = {count}" + (", too few for an interval" if count < MIN_VALUES else ""))
    if not overlays.comparable(overlay):
        texts.append(words(say("overlay.other_task")))
    return "".join(BETWEEN + text for text in texts)


def _tip(overlay: RunOverlay, library: Library, overlays: RunOverlays) -> str:
    bests = [(folder, curve.best) for folder in overlay.folders if (curve := library.curve(folder)) is not None]
    known = [f"{library.name_of(folder)}: {result_in_words(best)}" for folder, best in bests if best]
    head = [overlay.name] if overlay.seeds or not known else []
    if overlay.seeds:
        head.append(f"Mean of {len(overlay.folders)} runs that differ in their seed, with its 95 % interval")
    if not overlays.comparable(overlay):
        head.append(words(say("overlay.other_task_tip")))
    lines = known if overlay.seeds or known else ["no evaluation yet"]
    return "\n".join([*head, *lines, "Click: show or hide"])
