"""Makes each panel in a card and a dock, and gives new data to the visible panels."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QMainWindow

from dqngui import catalog
from dqngui.gui.cards.card import CardDock
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.style.theme import Theme
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.cursor.pinning import Pinning
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import Event

FOLLOW_MS = 90  # least time between two shown steps of a playing episode in panels with views, which draw slowly
SCRUB_MS = 30  # the same for a paused episode, in which a person may scrub


class PanelDocks(QObject):
    """Makes every panel of the catalog in its own dock, and calls the visible panels.

    Attributes:
        docks, panels: docks and panels, by name in the catalog.
        history, playing: the data to draw; `show` and `clear` set the history of the session.

    Signals:
        needs_changed: `views_needed` or `pictures_needed` may have changed.
    """

    needs_changed = Signal()

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.history = History()
        self.cursor: Cursor | None = None
        self.playing: PlayedEpisode | None = None
        self.panels: dict[str, Panel] = {}
        self.docks: dict[str, CardDock] = {}
        self._pinning: Pinning | None = None
        self._visible_names: set[str] = set()
        self._turn = 0
        self._t: int | None = None
        self._followed: int | None = None
        self._following = QTimer(self, singleShot=True, interval=FOLLOW_MS)
        self._following.timeout.connect(self._follow_views)
        for name, entry in catalog.PANELS.items():
            panel: Panel = catalog.load(entry)()
            dock = CardDock(name, card_of(panel), window)
            dock.visibilityChanged.connect(lambda visible, name=name: self.set_in_sight(name, visible))
            self.panels[name], self.docks[name] = panel, dock

    def attach(self, sources: Sources) -> None:
        """Give all panels their sources: session, player and others."""
        for panel in self.panels.values():
            panel.attach(sources)
        if sources.cursor is not None:
            self._pinning = sources.cursor
            sources.cursor.changed.connect(self._on_cursor)

    @Slot()
    def _on_cursor(self) -> None:
        if self._pinning is not None:
            self.seek(self._pinning.cursor)

    def set_in_sight(self, name: str, visible: bool) -> None:
        """Set whether a panel's card is visible."""
        panel = self.panels[name]
        if not visible:
            self._visible_names.discard(name)
            panel.set_in_sight(False)
        elif name not in self._visible_names:
            self._visible_names.add(name)
            panel.set_in_sight(True)
            panel.take_views(self.playing)
            panel.show(self.history, self.cursor)
        self.needs_changed.emit()

    @property
    def views_needed(self) -> bool:
        """Whether a visible panel draws views, so that the player must record them."""
        return any(panel.views for panel in self._visible())

    @property
    def pictures_needed(self) -> bool:
        """Whether a visible panel shows pictures, so that the player must draw them."""
        return any(panel.frames for panel in self._visible())

    def set_minimized(self, minimized: bool) -> None:
        """Set whether the window is minimised; its docks do not report that."""
        for name, dock in self.docks.items():
            self.set_in_sight(name, not minimized and not dock.visibleRegion().isEmpty())

    @property
    def in_sight(self) -> list[str]:
        """Names of the visible panels."""
        return [name for name in self.panels if name in self._visible_names]

    def _visible(self) -> list[Panel]:
        return [panel for name, panel in self.panels.items() if name in self._visible_names]

    def take(self, events: Sequence[Event]) -> None:
        """Give the visible panels events that `history` already contains; they draw at the next `refresh`."""
        for panel in self._visible():
            panel.take(events)

    @Slot(object)
    def take_views(self, playing: PlayedEpisode | None) -> None:
        """Give the panels the player's episode, new or with more steps; they draw at the next `refresh`."""
        self.playing, self._followed = playing, None
        for panel in self._visible():
            panel.take_views(playing)

    @Slot(int)
    def follow(self, t: int) -> None:
        """Move the panels to the player's step: panels with views a few times per second, the others at once."""
        self._t = t
        for panel in self._visible():
            if not panel.views:
                panel.follow(t)
        if not self._following.isActive():
            self._follow_views()

    def set_scrubbed(self, scrubbed: bool) -> None:
        """Set whether a person scrubs through the steps."""
        self._following.setInterval(SCRUB_MS if scrubbed else FOLLOW_MS)

    @Slot()
    def _follow_views(self) -> None:
        if self._t == self._followed:
            return
        self._followed = self._t
        for panel in self._visible():
            if panel.views and self._t is not None:
                panel.follow(self._t)
        self._following.start()

    @Slot()
    def refresh(self) -> None:
        """Draw what changed."""
        for panel in self._visible():
            panel.refresh()

    def refresh_next(self) -> str | None:
        """Draw the next panel with new data; returns its name, or None if there is none."""
        names = list(self.panels)
        for name in names[self._turn :] + names[: self._turn]:
            if name in self._visible_names and self.panels[name].refresh():
                self._turn = (names.index(name) + 1) % len(names)
                return name
        return None

    @Slot(object)
    def seek(self, cursor: Cursor | None) -> None:
        """Move the cursor of every panel."""
        self.cursor = cursor
        for panel in self.panels.values():
            panel.seek(cursor)

    def clear(self, history: History) -> None:
        """Clear all panels, for another run with this history."""
        self.show(history)
        for panel in self.panels.values():
            panel.clear()
            panel.show(self.history)

    def show(self, history: History) -> None:
        """Draw another history."""
        self.history, self.cursor = history, None
        for panel in self._visible():
            panel.show(history)

    def restyle(self, theme: Theme) -> None:
        for panel in self.panels.values():
            panel.restyle(theme)
        for dock in self.docks.values():
            dock.restyle(theme)
