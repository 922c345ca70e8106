"""The base class of the Attention and Memory panels: choice of a view, steps, and texts while nothing is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.charts.canvas import Canvas
from dqngui.gui.charts.color_bar import ColorBar
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.panels.internals.faithfulness_row import FaithfulnessRow
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.two_lengths import TwoLengths
from dqngui.lab.analysis.table import Table
from dqngui.lab.analysis.views import in_words, matching
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import View
from dqngui.texts import sentence

LATER_MS = 50
NONE = np.empty(0, np.int64)
TITLE_AND_MENU = 54  # pixels of a card's header for margins and menu


class ViewPanel(Panel):
    """A panel that draws one of the agent's views that match `views`; the header has the choice.

    Attributes:
        lacking: the sentence for agents without such views.
        choice: the choice of the view.
        bar: colour bar for the header, for panels with maps.
        dispensable: header widgets that a narrow card hides, in this order.
        idle: header widgets without meaning for the present drawing.
    """

    lacking: ClassVar[str] = ""
    shows_pinned = steps_by_keys = needs_agent = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = ChoiceButton(f"{self.title}: what is drawn", self)
        self.bar = ColorBar(self)
        self.header_widgets = [self.choice]
        self.dispensable: list[QWidget] = []
        self.idle: list[QWidget] = []
        self.faithfulness_row: FaithfulnessRow | None = None
        self.name = ""
        self.fresh = True
        self._drawn: tuple[PlayedEpisode, str] | None = None
        self._later = QTimer(self, singleShot=True, interval=LATER_MS)
        self._later.timeout.connect(self._go_on)

    # -- the contract ------------------------------------------------------------------------------

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        sources.player.changed.connect(self._on_player)
        if self.faithfulness_row is not None:
            self.faithfulness_row.attach(sources)

    def _on_player(self) -> None:
        """Update the sentence that is shown while there is nothing to draw."""
        if self.playing is None and self._something is False:
            self.again()

    def follow(self, t: int) -> None:
        if self.playing is not None and self._something:
            self.move_to(min(t, self.playing.length - 1))
            if self.faithfulness_row is not None:
                self.faithfulness_row.follow(t)

    def refresh(self) -> bool:
        drawn = super().refresh()
        if drawn:
            self._fit_header()
            if self.faithfulness_row is not None:
                self.faithfulness_row.refresh()
        return drawn

    def clear(self, reason: str = "") -> None:
        self.playing = None
        super().clear(reason)

    def restyle(self, theme: Theme) -> None:
        for canvas in self.findChildren(Canvas):
            canvas.restyle(theme)
        self.bar.restyle(theme)
        if self.faithfulness_row is not None:
            self.faithfulness_row.restyle(theme)
        super().restyle(theme)

    def has_content(self) -> bool:
        view = self.view
        return view is not None and self.playing is not None and self.playing.view(view.name).ndim > 1

    def why_empty(self) -> str:
        playing = self.playing
        if playing is None:
            player = self.sources.player if self.sources is not None else None
            waits_for = player.problem or player.loading if player is not None else ""
            return sentence(waits_for) if waits_for else self.promise
        if self.view is None:
            return self.lacking
        if not playing.has_views:
            return "This episode was played without recording. The next one will be recorded."
        return "The episode is about to begin."

    def redraw(self) -> None:
        view, playing = self.view, self.playing
        if view is None or playing is None or not self.has_content():
            self._drawn = None
            return
        self.choice.offer(self.offered(), self.chosen, self.choose_view)
        self.fresh = self._drawn is None or self._drawn[0] is not playing or self._drawn[1] != self.chosen
        self._drawn = (playing, self.chosen)
        self.draw(playing, view)
        marked = playing.non_greedy_steps if playing.request.from_training or playing.epsilon > 0 else NONE
        for canvas in self.findChildren(StepCanvas):
            canvas.mark(marked if canvas.filled else NONE)  # marks would hide a curve
        self.move_to(min(playing.t, playing.length - 1))

    # -- for subclasses ----------------------------------------------------------------------------

    def announced(self) -> list[View]:
        """The agent's views that this panel draws."""
        return [] if self.playing is None else matching(self.playing, self.views)

    @property
    def view(self) -> View | None:
        """The chosen view, or the first one if the agent does not have it."""
        announced = self.announced()
        return next((view for view in announced if view.name == self.name), announced[0] if announced else None)

    def offered(self) -> dict[str, str]:
        """The choices in the header: texts by key."""
        return {each.name: in_words(each.name) for each in self.announced()}

    @property
    def chosen(self) -> str:
        """The key of the drawn choice."""
        return self.view.name if self.view is not None else ""

    @property
    def one_head(self) -> int | None:
        """The head of the view that is shown alone; None: all heads."""
        return None

    def choose_view(self, name: str) -> None:
        """Draw another view."""
        self.name = name
        self.again()

    def go_on(self) -> None:
        """Continue drawing later, so that the event loop is not blocked."""
        if not self._later.isActive():
            self._later.start()

    def _go_on(self) -> None:
        if self.isVisible():
            self.again()

    def draw(self, playing: PlayedEpisode, view: View) -> None:
        """Draw the known steps; `fresh`: the episode or the view is another one."""

    def move_to(self, t: int) -> None:
        """Show step t, which must be known."""

    def fit_rows(self) -> None:
        """Hide the parts for which a low card has no room."""

    def seek_step(self, t: int) -> None:
        """Make the player show a step."""
        if self.sources is not None:
            self.sources.player.seek(t)

    def align(self, canvases: list[StepCanvas], wanted: float) -> None:
        """Give charts above each other the same left margin; only the last one shows step numbers."""
        shown = [canvas for canvas in canvases if not canvas.isHidden()]
        for canvas in shown:
            canvas.set_gutter(wanted, canvas is shown[-1])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_header()
        if self._something:
            self.fit_rows()
            if self.faithfulness_row is not None:
                self.faithfulness_row.refresh()

    def _fit_header(self) -> None:
        """Shorten, then hide dispensable header widgets on a narrow card."""
        if not self._something:
            return
        shown = [each for each in self.header_widgets if each not in self.idle]
        room = self._header_room()
        for figure in (each for each in shown if isinstance(each, TwoLengths)):
            others = sum(each.sizeHint().width() + 6 for each in shown if each is not figure)
            figure.set_short(others + figure.full_width() + 6 > room)
        for widget in self.dispensable:
            if sum(each.sizeHint().width() + 6 for each in shown) <= room:
                break
            if widget in shown:
                shown.remove(widget)
        for widget in self.header_widgets:
            if widget.isHidden() == (widget in shown):
                widget.setVisible(widget in shown)

    def _header_room(self) -> int:
        """Pixels of the card's header for this panel's own widgets; a card in a tab shows no title."""
        if self.card is not None:
            return self.card.room_for(self.header_widgets)
        return self.width() - TITLE_AND_MENU - self.fontMetrics().horizontalAdvance(self.title)

    # -- export ------------------------------------------------------------------------------------

    @property
    def drawn_views(self) -> tuple[View, ...]:
        """The drawn views, all with the same axes."""
        return () if self.view is None else (self.view,)

    def exported_table(self) -> Table:
        """The drawn values, one per row, with view (if there are several) and position."""
        views = self.drawn_views
        several = ("view",) if len(views) > 1 else ()
        return Table((*several, "t", *(views[0].axes if views else ()), "value"), self._values(views))

    def _values(self, views: tuple[View, ...]) -> Iterator[tuple[object, ...]]:
        playing = self.playing
        if playing is None:
            return
        for view in views:
            names = [
                list(range(n)) if axis == "lag" else playing.labels(axis, n)
                for axis, n in zip(view.axes, view.shape, strict=True)
            ]
            places = list(itertools.product(*names))
            which = (view.name,) if len(views) > 1 else ()
            for t, row in enumerate(playing.view(view.name)):
                values = np.ravel(row).tolist()
                yield from ((*which, t, *place, value) for place, value in zip(places, values, strict=True))
