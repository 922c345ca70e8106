"""Raises the tab of a card that can show something about the playing agent."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QMainWindow

from dqngui.gui.docking.layout import CardLayout
from dqngui.gui.docking.panel_docks import PanelDocks
from dqngui.lab.analysis.views import matching
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import PlayerReady


class TabRaiser(QObject):
    """Raises the tab of a card with something to show whenever another agent plays, until the user chooses a tab.

    Attributes:
        chosen: whether the user chose a tab; then no tab is raised any more.
    """

    def __init__(self, window: QMainWindow, panel_docks: PanelDocks, layouts: CardLayout) -> None:
        super().__init__(window)
        self._window, self._panel_docks, self._layouts = window, panel_docks, layouts
        self._ready: PlayerReady | None = None
        self.chosen = False
        layouts.tabs_changed.connect(self._connect_bars)
        layouts.placed.connect(self._raise_soon)

    @Slot(object)
    def take_views(self, playing: PlayedEpisode | None) -> None:
        """Check the tabs when another agent plays."""
        if playing is not None and playing.ready is not self._ready:
            self._ready = playing.ready
            self.raise_tab()

    @Slot()
    def _raise_soon(self) -> None:
        QTimer.singleShot(0, self, self.raise_tab)

    @Slot()
    def raise_tab(self) -> None:
        """Raise a card with views of this agent if the raised card in the same place has none."""
        playing, panel_docks = self._panel_docks.playing, self._panel_docks
        if playing is None or self.chosen:
            return
        full = {name: bool(matching(playing, panel.views)) for name, panel in panel_docks.panels.items() if panel.views}
        for name in panel_docks.in_sight:
            if full.get(name, True):
                continue
            behind = [dock.objectName() for dock in self._window.tabifiedDockWidgets(panel_docks.docks[name])]
            better = next((each for each in behind if full.get(each, False)), None)
            if better is not None:
                panel_docks.docks[better].raise_()

    @Slot()
    def _connect_bars(self) -> None:
        """Connect to new tab bars."""
        for bar in self._layouts.tab_bars:
            if not bar.property("watched"):
                bar.setProperty("watched", True)
                bar.tabBarClicked.connect(self._on_clicked)

    @Slot(int)
    def _on_clicked(self, index: int) -> None:
        if index >= 0:
            self.chosen = True
