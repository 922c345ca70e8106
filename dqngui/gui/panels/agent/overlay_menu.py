"""The menu for the picture of the Agent card: with or without the observation, and with which overlay."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.gui.widgets.unlit import unlight_after
from dqngui.lab.analysis.overlay import WeightsOverlay, heads_of, offered, overlay_words
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import PlayerReady

_TIPS = {
    "saliency/gradient": "Contribution of each part to the value of the action taken: gradient × input, where input is "
    "the distance from the mean of a standardised number",
    "saliency/integrated": "The same with gradients averaged from an observation of zeros, or of means where numbers "
    "are standardised: contributions add up to the difference of the two values",
}


class OverlayMenu(QToolButton):
    """A button with a menu that is filled whenever it opens.

    Attributes:
        shows: whether the observation is drawn.
        overlay: the overlay on it; None without one.

    Signals:
        chosen: another choice was made.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shows = False
        self.overlay: WeightsOverlay | None = None
        self._ready: PlayerReady | None = None
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setIconSize(QSize(18, 18))
        self.setFixedSize(28, 26)
        self.setAccessibleName("What the agent sees")
        menu = QMenu(self)
        self.setMenu(menu)
        unlight_after(menu, self)
        self.menu().setToolTipsVisible(True)
        self.menu().aboutToShow.connect(self._fill)
        self._show_chosen()

    def offer_for(self, playing: PlayedEpisode | None) -> None:
        """Offer the overlays of this episode's agent; a chosen overlay that it does not have is removed."""
        ready = None if playing is None else playing.ready
        if ready is None or ready is self._ready:
            return
        self._ready = ready
        if self.overlay is not None and self.overlay.view not in {view.name for view in offered(ready)}:
            self.choose(self.shows, None)

    def choose(self, shows: bool, overlay: WeightsOverlay | None) -> None:
        """Choose whether the observation is drawn, and its overlay."""
        self.shows, self.overlay = shows, overlay
        self._show_chosen()
        self.restyle(themes.current())
        self.chosen.emit()

    @property
    def words(self) -> str:
        """The name of the overlay."""
        return "" if self.overlay is None or self._ready is None else self.overlay.words(self._ready)

    def _show_chosen(self) -> None:
        now = self.words or ("What the agent sees" if self.shows else "the picture alone")
        self.setToolTip(plain_tip(f"What the agent sees, and overlays on it: {now[:1].lower()}{now[1:]}"))
        self.setAccessibleDescription(now)

    # -- the menu ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        menu, group = self.menu(), QActionGroup(self.menu())
        menu.clear()
        head = None if self.overlay is None else self.overlay.head
        lies = "" if self.overlay is None else self.overlay.view
        self._entry(group, "Picture alone", "Only what the environment draws", not self.shows, False, None)
        sees = "Draw the observation next to the picture"
        self._entry(group, "What the agent sees", sees, self.shows and not lies, True, None)
        if self._ready is None:
            return
        menu.addSeparator()
        for view in offered(self._ready):
            tip = _TIPS.get(view.name, "How much the agent attends to each part of what it sees")
            self._entry(group, overlay_words(view.name), tip, view.name == lies, True, WeightsOverlay(view.name, head))
        heads = 0 if self.overlay is None else heads_of(self._ready, self.overlay.view)
        if self.overlay is not None and heads > 1:
            menu.addSeparator()
            of_heads = QActionGroup(menu)
            self._entry(of_heads, "Mean of the heads", "All heads together", head is None, True, WeightsOverlay(lies))
            for index in range(heads):
                one = WeightsOverlay(lies, index)
                self._entry(of_heads, f"Head {index + 1}", "This head alone", head == index, True, one)

    def _entry(
        self, group: QActionGroup, text: str, tip: str, checked: bool, shows: bool, overlay: WeightsOverlay | None
    ) -> None:
        action = self.menu().addAction(text)
        action.setToolTip(plain_tip(tip))
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda: self.choose(shows, overlay))
        group.addAction(action)

    def restyle(self, theme: Theme) -> None:
        self.setIcon(themes.icon("eye-outline", "accent" if self.shows else "text"))
