"""The controls of the cursor: badges that name the pinned episode, keys for its steps, and menu entries."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut

from dqngui.gui.cards.panel import Panel
from dqngui.gui.cards.pinned_badge import PinnedBadge
from dqngui.gui.docking.panel_docks import PanelDocks
from dqngui.gui.main_window.menus import MainMenu
from dqngui.lab.cursor.pinning import Pinning
from dqngui.lab.playback.player import Player


class PinControls(QObject):
    """Adds badges and keys to panels, and entries to the menu.

    Attributes:
        badges: the badge of each panel, by its name.
    """

    def __init__(self, pinning: Pinning, player: Player, panel_docks: PanelDocks, menu: MainMenu) -> None:
        super().__init__(panel_docks)
        self._pinning, self._player = pinning, player
        self.badges: dict[str, PinnedBadge] = {}
        for name, panel in panel_docks.panels.items():
            if panel.shows_pinned:
                self.badges[name] = PinnedBadge(pinning, panel)
                panel.add_above(self.badges[name])
            if panel.steps_by_keys:
                self._add_keys(panel)
        self._add_entries(menu)
        pinning.changed.connect(self._on_changed)
        self._on_changed()

    @Slot()
    def _on_changed(self) -> None:
        self.live.setEnabled(self._pinning.pinned is not None)
        self.earlier.setEnabled(self._pinning.can_step(-1))
        self.later.setEnabled(self._pinning.can_step(1))

    def _add_keys(self, panel: Panel) -> None:
        """Add the player's keys to a panel in which a click chooses an episode or a step."""
        panel.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        player = self._player
        for keys, says, do in (
            ("Left", "One step of the episode back", lambda: player.step(-1)),
            ("Right", "One step of the episode forward", lambda: player.step(1)),
            ("Home", "First step of the episode", lambda: player.seek(0)),
            ("End", "Last known step of the episode", player.seek_end),
        ):
            shortcut = QShortcut(QKeySequence(keys), panel)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.setWhatsThis(says)
            shortcut.activated.connect(do)

    def _add_entries(self, menu: MainMenu) -> None:
        pinning = self._pinning
        menu.view.addSeparator()
        self.earlier = menu.add(
            menu.view, "Earlier training episode", "arrow-left", "Shift+Left",
            "Pin the episode that ended before this one, or the newest", partial(pinning.step_episode, -1),
        )  # fmt: skip
        self.later = menu.add(
            menu.view, "Later training episode", "arrow-right", "Shift+Right",
            "Pin the episode that ended after this one", partial(pinning.step_episode, 1),
        )  # fmt: skip
        self.live = menu.add(
            menu.view, "Live", "pin-off", "Esc", "Unpin the episode; the player returns to what it played before",
            pinning.live,
        )  # fmt: skip
