"""Lays out the docks in named arrangements, and stores the user's changes to each between starts.

An unchanged arrangement is laid out again for every window size: with all cards visible if there is
room, otherwise with some in tabs. A changed one stays as it is; its outer columns keep their widths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from PySide6.QtCore import QByteArray, QEvent, QObject, QSettings, QSize, QTimer, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QMainWindow, QTabBar

from dqngui.gui.cards.card import CardDock
from dqngui.gui.docking import tiles
from dqngui.gui.docking.arrangements import ARRANGEMENTS, Sides, plans
from dqngui.gui.docking.tiles import Across, Part
from dqngui.gui.style.theme import GAP

VERSION = 2
"""Version of the saved layouts; raise it when older ones no longer fit. A change of the cards is noticed without it."""


@dataclass(slots=True)
class StoredArrangement:
    """The stored state of an arrangement.

    Attributes:
        state: state saved by QMainWindow; None if never shown.
        customized: whether the user moved, hid or resized cards.
        widths: widths in pixels of the outer columns that the user dragged, by first card.
    """

    state: QByteArray | None = None
    customized: bool = False
    widths: dict[str, int] = field(default_factory=dict)


class CardLayout(QObject):
    """Lays out the docks, and stores the user's changes to each arrangement.

    Attributes:
        name: the present arrangement, a key of `ARRANGEMENTS`.

    Signals:
        changed(str): another arrangement.
        placed: the cards were laid out by a plan.
        tabs_changed: tab bars may have appeared or disappeared.
    """

    changed = Signal(str)
    placed = Signal()
    tabs_changed = Signal()

    def __init__(self, window: QMainWindow, docks: Mapping[str, CardDock]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self.name = next(iter(ARRANGEMENTS))
        self._stored = {name: StoredArrangement() for name in ARRANGEMENTS}
        self._plan: Part | None = None
        self._hidden: frozenset[str] = frozenset()
        self._arranging = False
        self._fallback_size: QSize | None = None  # window size at which the user's layout did not fit
        self._sizes_at_press: dict[str, QSize] | None = None
        self._settled = False
        self._tabs_timer = QTimer(self, singleShot=True, interval=0)  # one update for several moved cards
        self._tabs_timer.timeout.connect(self._update_tabs)
        window.installEventFilter(self)
        for dock in docks.values():
            dock.topLevelChanged.connect(self._on_moved)
            dock.dockLocationChanged.connect(self._update_tabs_soon)
            dock.visibilityChanged.connect(self._update_tabs_soon)

    # -- calls of the window -----------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Show another arrangement, with the user's changes."""
        if name == self.name:
            return
        self._remember()
        self.name = name
        self._window.setUpdatesEnabled(False)
        if not self._bring_back():
            self.arrange()
        self._window.setUpdatesEnabled(True)
        self.changed.emit(name)

    def reset(self) -> None:
        """Undo the user's changes to the present arrangement."""
        self._stored[self.name] = StoredArrangement()
        self._fallback_size = None
        self.arrange()

    def arrange(self) -> None:
        """Lay out the present arrangement for the present window size."""
        self._arranging = True
        self._plan, self._hidden = self._fitting()
        tiles.place(self._window, self._docks, self._plan, self._hidden)
        self._apply_sizes()
        self._arranging = False
        self._update_tabs_soon()
        self.placed.emit()

    def fit(self) -> None:
        """Adapt the layout after the window was resized or shown."""
        kept = self._stored[self.name]
        if self._fallback_size is not None:
            if not self._larger_than(self._fallback_size):
                self._fit_size()
                return
            self._fallback_size = None
            if not self._bring_back():
                self.arrange()
                return
        if self._changed_by_user():
            kept.customized = True
        if not kept.customized:
            self._fit_size()
            return
        self._keep_sides()
        if not self._settled or self.fits():
            kept.state = self._window.saveState(VERSION)
        elif kept.state is not None:  # too small for it: use a plan until the window is larger again
            self._fallback_size = self._window.size()
            self.arrange()

    def _larger_than(self, size: QSize) -> bool:
        now = self._window.size()
        return now != size and now.width() >= size.width() and now.height() >= size.height()

    def _fit_size(self) -> None:
        if self._fitting() == (self._plan, self._hidden):
            self._arranging = True
            self._apply_sizes()
            self._arranging = False
        else:
            self.arrange()

    def settle(self) -> None:
        """Check the restored layout after the window was shown; later changes count as the user's."""
        if self._stored[self.name].customized and not self.fits():
            self._stored[self.name] = StoredArrangement()
            self.arrange()
        self.fit()
        self._settled = True

    def fits(self) -> bool:
        """Whether no visible card is too small, covers another or leaves the window; Qt allows all three."""
        visible = [dock for dock in self._docks.values() if dock.isVisible() and not dock.isFloating()]
        visible = [dock for dock in visible if not dock.visibleRegion().isEmpty()]
        places = [dock.geometry() for dock in visible]
        large = all(
            place.width() >= dock.minimumSizeHint().width() and place.height() >= dock.minimumSizeHint().height()
            for dock, place in zip(visible, places, strict=True)
        )
        apart = not any(one.intersects(other) for one, other in combinations(places, 2))
        return large and apart and all(self._window.rect().contains(place) for place in places)

    # -- saving and restoring ----------------------------------------------------------------------

    def save(self, settings: QSettings) -> None:
        """Save every arrangement, and which one is shown."""
        self._remember()
        settings.setValue("layout/arrangement", self.name)
        settings.setValue("layout/cards", sorted(self._docks))
        for name, kept in self._stored.items():
            settings.setValue(f"layout/{name}/state", kept.state if kept.customized else None)
            settings.setValue(f"layout/{name}/columns", [f"{card}={width}" for card, width in kept.widths.items()])

    def restore(self, settings: QSettings) -> None:
        """Restore the saved arrangements; one that does not fit the present cards gets its default."""
        same = settings.value("layout/cards") == sorted(self._docks)
        for name in ARRANGEMENTS:
            state = settings.value(f"layout/{name}/state")
            customized = same and isinstance(state, QByteArray)
            widths = _widths(settings.value(f"layout/{name}/columns"))
            self._stored[name] = StoredArrangement(
                state if customized else None, customized, {k: v for k, v in widths.items() if k in self._docks}
            )
        stored = settings.value("layout/arrangement")
        if stored in ARRANGEMENTS:
            self.name = str(stored)
        if not self._bring_back():
            self.arrange()
        self.changed.emit(self.name)

    def _remember(self) -> None:
        if self._fallback_size is not None:
            self._fallback_size = None
            return
        kept = self._stored[self.name]
        kept.customized = kept.customized or self._changed_by_user()
        kept.state = self._window.saveState(VERSION)

    def _bring_back(self) -> bool:
        """Restore the stored state; False if there is none or it cannot be used."""
        kept = self._stored[self.name]
        if not kept.customized or kept.state is None:
            return False
        self._arranging = True
        done = self._window.restoreState(kept.state, VERSION)
        self._arranging = False
        if not done or all(dock.isHidden() for dock in self._docks.values()) or (self._settled and not self.fits()):
            self._stored[self.name] = StoredArrangement()
            return False
        self._plan, self._hidden = self._fitting()
        self._keep_sides()
        self._update_tabs_soon()
        return True

    # -- sizes -------------------------------------------------------------------------------------

    def _room(self) -> QSize:
        """The size of the area for cards, in pixels."""
        window = self._window
        bars = (bar for bar in (window.menuWidget(), window.statusBar()) if bar is not None)
        taken = sum(bar.height() if window.isVisible() else bar.sizeHint().height() for bar in bars)
        return QSize(window.width() - 2 * GAP, window.height() - taken)

    def _fitting(self) -> tuple[Part, frozenset[str]]:
        """The first plan that fits the window, and its hidden cards."""
        room = self._room()
        found: list[tuple[Part, frozenset[str]]] = []
        sides = Sides(self._window.width(), self._stored[self.name].widths)
        for plan in plans(self.name, sides):
            part = tiles.only(plan.part, self._docks)
            visible = tiles.only(plan.part, self._docks.keys() - plan.hidden)
            if part is None or visible is None:
                continue
            found.append((part, plan.hidden & self._docks.keys()))
            wide, high = (tiles.least(visible, self._docks, along) for along in (Across, tiles.Down))
            if plan.takes(self._window.size()) and wide <= room.width() and high <= room.height():
                return found[-1]
        return found[-1]

    def _apply_sizes(self) -> None:
        visible = tiles.only(self._plan, self._docks.keys() - self._hidden) if self._plan is not None else None
        if visible is not None:
            room = self._room()
            tiles.resize(self._window, self._docks, visible, room.width(), room.height())

    def _keep_sides(self) -> None:
        """Keep the widths of the outer columns; the middle gets the rest."""
        docked = [dock for dock in self._docks.values() if dock.isVisible() and not dock.isFloating()]
        docked = [dock for dock in docked if not dock.visibleRegion().isEmpty()]
        widths = self._stored[self.name].widths
        sides = [dock for dock in docked if dock.objectName() in widths]
        if not sides or len(docked) == len(sides):
            return
        middle = max((dock for dock in docked if dock not in sides), key=lambda dock: dock.width() * dock.height())
        taken = sum(widths[dock.objectName()] + GAP for dock in sides)
        room = self._room().width() - taken
        if room < middle.minimumSizeHint().width():
            return
        extents = [widths[dock.objectName()] for dock in sides]
        self._arranging = True
        self._window.resizeDocks([*sides, middle], [*extents, room], Across)
        self._arranging = False

    # -- user actions ------------------------------------------------------------------------------

    def _changed_by_user(self) -> bool:
        """Whether the user hid, showed or floated a card."""
        return any(dock.isHidden() != (name in self._hidden) or dock.isFloating() for name, dock in self._docks.items())

    @Slot()
    def _on_moved(self) -> None:
        if not self._arranging:
            self._stored[self.name].customized = True
        self._update_tabs_soon()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Detect dragged separators: the window itself gets only presses on separators."""
        if isinstance(event, QMouseEvent) and watched is self._window:
            if event.type() == QEvent.Type.MouseButtonPress:
                self._sizes_at_press = {name: dock.size() for name, dock in self._docks.items()}
            elif event.type() == QEvent.Type.MouseButtonRelease and self._sizes_at_press is not None:
                QTimer.singleShot(0, self, self._released)
        return False

    @Slot()
    def _released(self) -> None:
        before, self._sizes_at_press = self._sizes_at_press or {}, None
        kept = self._stored[self.name]
        outer = self._outer()
        for name, dock in self._docks.items():
            if name in before and dock.size() != before[name] and dock.isVisible():
                if name in outer and dock.width() != before[name].width():
                    kept.widths[name] = dock.width()
                kept.customized = kept.customized or dock.height() != before[name].height()

    def _outer(self) -> set[str]:
        """The first cards of the outer columns."""
        if self._plan is None or not isinstance(self._plan, tiles.Split):
            return set()
        return {tiles.first(part) for part in self._plan.parts if isinstance(part, tiles.Split) and part.pixels}

    # -- tabs --------------------------------------------------------------------------------------

    @property
    def tab_bars(self) -> list[QTabBar]:
        """The tab bars of cards that share a place; Qt makes and deletes them as cards move."""
        return self._window.findChildren(QTabBar)

    @Slot()
    def _update_tabs_soon(self) -> None:
        self._tabs_timer.start()

    @Slot()
    def _update_tabs(self) -> None:
        """Hide the title of each card that is in a tab, since the tab shows it."""
        for dock in self._docks.values():
            dock.card.set_titled(dock.isFloating() or not self._window.tabifiedDockWidgets(dock))
        for bar in self.tab_bars:
            bar.setAccessibleName("Cards in one place")
            bar.setToolTip("")
        self.tabs_changed.emit()


def _widths(stored: object) -> dict[str, int]:
    entries = stored if isinstance(stored, list) else [stored] if isinstance(stored, str) else []
    pairs = (str(entry).partition("=") for entry in entries)
    return {card: int(width) for card, _, width in pairs if width.isdecimal()}


def restore_geometry(window: QMainWindow, settings: QSettings) -> bool:
    """Restore the size and position of the window."""
    geometry = settings.value("geometry")
    return isinstance(geometry, QByteArray) and window.restoreGeometry(geometry)
