"""The Panel contract: the base class of all panels, and what the window calls.

The window has one `History` and calls, for each panel whose card is visible:

    panel.show(history, cursor)   when the card becomes visible, or another run is opened
    panel.take(events)            once per tick, after the history was updated
    panel.refresh()               when the painting budget allows; draws only if something changed
    panel.seek(cursor)            when the cursor moves, also as the answer to `ask_cursor`
    panel.restyle(theme)          when the theme changes
    panel.clear(reason)           when the run was closed
    panel.set_in_sight(in_sight)  when the card is shown or hidden

Panels about the agent's internals name patterns of views, and also get:

    panel.take_views(playing)     when the player's episode has more steps or was replaced (None: no episode)
    panel.follow(t)               when the player shows another step

A hidden panel gets no `take` and costs nothing. The `show` before its next `take` makes it complete
again, since all data are in the history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from PySide6.QtCore import QSettings, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from dqngui.gui.cards.card import Card
from dqngui.gui.cards.figure import Figure, header_figure
from dqngui.gui.cards.picture_export import save_png, save_svg
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.gui.widgets.save_dialog import ask_save_path, show_problem
from dqngui.gui.widgets.saved_note import hide_saved, show_saved
from dqngui.lab.analysis.episode_arrays import arrays_of, write_arrays
from dqngui.lab.analysis.second_player import SecondPlayer
from dqngui.lab.analysis.study import Study
from dqngui.lab.analysis.table import Table
from dqngui.lab.background.task import BackgroundTask
from dqngui.lab.cursor.cursor import Cursor, CursorControl
from dqngui.lab.cursor.pinning import Pinning
from dqngui.lab.library.library import Library
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.messages import Event
from dqngui.texts import say, words

_EXPORTS = {
    "png": ("Export picture (PNG)…", "image-outline"),
    "svg": ("Export drawing (SVG)…", "vector-line"),
    "csv": ("Export data (CSV)…", "file-delimited-outline"),
    "npz": ("Export episode arrays…", "cube-outline"),
}


class PanelsInSight(Protocol):
    """Knows the visible panels."""

    @property
    def in_sight(self) -> list[str]:
        """Their names in the catalog."""
        ...


@dataclass(slots=True)
class Sources:
    """The objects that panels use in addition to the history; the window owns them.

    Attributes:
        cursor: pins training episodes, for panels with clickable episodes.
        cards: knows the visible panels.
        queue: the queue of the folder of runs.
        chosen: index of the chosen row of each view, by the view's name, counted as in the Memory panel.
        settings: what the window keeps from one start to the next; None in a panel without a window.
    """

    session: Session
    player: Player
    library: Library
    study: Study | None = None
    second_player: SecondPlayer | None = None
    cursor: Pinning | None = None
    cards: PanelsInSight | None = None
    queue: RunQueue | None = None
    chosen: dict[str, int] = field(default_factory=dict)
    settings: QSettings | None = None


class Panel(QWidget):
    """The content of a card: one aspect of a run.

    Attributes:
        title: title of its card.
        wants: types of the events that change it.
        views: name patterns of the views it draws (`attention/*`); while it is visible the player records views.
        promise: the sentence shown while there is nothing to draw.
        shows_pinned: whether a line above the panel names the pinned episode.
        needs_agent: whether it is empty until the agent of the run may play.
        steps_by_keys: whether the arrow keys step through the episode while the panel has the focus.
        card: the card around the panel; None in a panel without a window.
        frames: widgets with pictures of steps; while the panel is visible the player draws pictures for them.
        cursor_control: sets the cursor after a click; None in a panel without a window.
        cursor_at: the pinned cursor; None while live.
        sources: the sources given to `attach`; None in a panel without a window.
        header_widgets: legend, choices and key figures for the right side of the card's header.
        menu_actions: actions for the card's menu.
        in_sight: whether the card is visible.
        background: background work that must end before the window closes; None for most panels.
    """

    title: ClassVar[str] = ""
    wants: ClassVar[tuple[type[Event], ...]] = ()
    views: ClassVar[tuple[str, ...]] = ()
    promise: ClassVar[str] = ""
    shows_pinned: ClassVar[bool] = False
    steps_by_keys: ClassVar[bool] = False
    needs_agent: ClassVar[bool] = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cardBody")
        self.history = History()
        self.cursor_at: Cursor | None = None
        self.playing: PlayedEpisode | None = None
        self.sources: Sources | None = None
        self.cursor_control: CursorControl | None = None
        self.card: Card | None = None
        self.frames: list[QWidget] = []
        self.header_widgets: list[QWidget] = []
        self.menu_actions: list[QAction] = []
        self.background: BackgroundTask | None = None
        self.in_sight = False
        self.content = QWidget()
        self._empty = plain_label(self.promise)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setMargin(24)
        themes.set_role(self._empty, "empty")
        self._blank = QWidget()
        column = QVBoxLayout(self._blank)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._empty, 1)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self._blank)
        self._pages.addWidget(self.content)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._pages)
        self._changed = False
        self._something: bool | None = None
        self._reason = ""

    # -- the contract ------------------------------------------------------------------------------

    def show(self, history: History | None = None, cursor: Cursor | None = None) -> None:
        """Draw a whole history. Without arguments: the `show()` of the widget."""
        if history is None:
            super().show()
            return
        self.history, self.cursor_at, self._reason = history, cursor, ""
        self.again()

    def take(self, events: Sequence[Event]) -> None:
        """Note events that the history already contains; `refresh` draws them."""
        self._changed = self._changed or any(issubclass(kind, self.wants) for kind in set(map(type, events)))

    def attach(self, sources: Sources) -> None:
        """Set the sources; called once, before anything else."""
        self.sources, self.cursor_control = sources, sources.cursor

    def set_in_sight(self, in_sight: bool) -> None:
        """Set whether the card is visible."""
        self.in_sight = in_sight

    def take_views(self, playing: PlayedEpisode | None) -> None:
        """Set the player's episode, new or with more steps; `refresh` draws it. None: no episode plays."""
        self.playing, self._reason = playing, ""
        self._changed = True

    def follow(self, t: int) -> None:
        """Move the cursor to step t of the episode, without changing ranges."""

    def refresh(self) -> bool:
        """Draw if anything changed; returns whether it did."""
        if not self._changed:
            return False
        self._changed = False
        something = self.has_content()
        if not something:
            self._empty.setText(self._reason or self._why_no_agent() or self.why_empty())
        if something != self._something:
            self._something = something
            self._pages.setCurrentWidget(self.content if something else self._blank)
            for widget in self.header_widgets:
                widget.setVisible(something)
        self.redraw()
        return True

    @Slot()
    def again(self) -> None:
        """Draw what there is once more."""
        self._changed = True
        self.refresh()

    @Slot()
    def again_if_visible(self) -> None:
        """Draw what there is once more: at once, or once the panel is visible."""
        self._changed = True
        if self.isVisible():
            self.refresh()

    def seek(self, cursor: Cursor | None) -> None:
        """Move the cursor, without changing ranges."""
        self.cursor_at = cursor

    def restyle(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        for action in self.menu_actions:
            action.setIcon(themes.icon(action.data(), "muted"))
        for button in self._blank.findChildren(QPushButton):
            button.setIcon(themes.icon(str(button.property("icon_name"))))
        self.again()

    def clear(self, reason: str = "") -> None:
        """Drop the run, and show the reason or, by default, `promise`."""
        self.history, self.cursor_at, self._reason = History(), None, reason
        self.again()

    @property
    def empty_text(self) -> str:
        """The sentence shown while there is nothing to draw; empty while the panel draws."""
        return "" if self._something else self._empty.text()

    # -- for subclasses ----------------------------------------------------------------------------

    def has_content(self) -> bool:
        """Whether there is anything to draw."""
        return not self.history.empty

    def why_empty(self) -> str:
        """The sentence to show while there is nothing to draw."""
        return self.promise

    def _why_no_agent(self) -> str:
        """Why no agent of the run may play yet; empty if one may, or if the panel needs none."""
        session = self.sources.session if self.needs_agent and self.sources is not None else None
        return words(session.trust.why_no_agent(session.state)) if session is not None else ""

    def redraw(self) -> None:
        """Draw the present data; called only by `refresh`."""

    def pick(self, step: float, slack: float) -> None:
        """Pin the episode nearest to a step; within `slack` steps of the pinned one, unpin."""
        pinned = self.cursor_at is not None and abs(self.cursor_at.step - step) <= slack
        self.ask_cursor(None if pinned else Cursor(max(0, round(step))))

    def ask_cursor(self, cursor: Cursor | None) -> None:
        """Set the cursor of the window; None: live."""
        if self.cursor_control is not None:
            self.cursor_control.pick(cursor)

    def add_above(self, widget: QWidget) -> None:
        """Add a widget above the panel."""
        self._column.insertWidget(0, widget)

    def add_below(self, widget: QWidget) -> None:
        """Add a widget below the panel."""
        self._column.addWidget(widget)

    def add_menu_action(self, text: str, icon: str, do: Callable[[], Any]) -> QAction:
        """Add an entry to the card's menu."""
        action = QAction(themes.icon(icon, "muted"), text, self)
        action.setData(icon)
        action.triggered.connect(lambda: do())
        self.menu_actions.append(action)
        return action

    def offer(self, text: str, icon: str, tooltip: str, do: Callable[[], Any]) -> QPushButton:
        """Add a button below the sentence that is shown while there is nothing to draw."""
        button = QPushButton(themes.icon(icon), text)
        button.setProperty("icon_name", icon)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: do())
        self._empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        self._empty.setContentsMargins(0, 0, 0, 0)
        column = self._blank.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        column.addStretch(1)
        return button

    def add_exports(self, *more: str) -> None:
        """Add menu entries that export the panel as PNG, SVG and CSV, and as `more` (`npz`)."""
        writers = {"png": self.export_png, "svg": self.export_svg, "csv": self.export_csv, "npz": self.export_npz}
        for kind in ("png", "svg", "csv", *more):
            text, icon = _EXPORTS[kind]
            self.add_menu_action(text, icon, partial(self._ask, kind, writers[kind]))

    def drawing(self) -> QWidget:
        """The widget that an exported picture shows; the rest of the panel is what `figure` says in words."""
        return self

    def figure(self) -> Figure:
        """The texts around an exported picture."""
        return header_figure(self.title, self.header_widgets)

    def exported_table(self) -> Table:
        """The drawn data as a table."""
        return Table(())

    def export_csv(self, path: str | Path) -> None:
        """Write `exported_table`. Raises OSError."""
        self.exported_table().write_csv(path)

    def export_npz(self, path: str | Path) -> None:
        """Write all arrays of the playing episode: q, action, reward, observation, `view/NAME`. Raises OSError."""
        write_arrays(path, {} if self.playing is None else arrays_of(self.playing))

    def export_png(self, path: str | Path) -> None:
        """Write the panel as a PNG of twice its size on the screen. Raises OSError."""
        save_png(self.drawing(), self.figure(), path)

    def export_svg(self, path: str | Path) -> None:
        """Write the panel as an SVG with editable curves and texts. Raises OSError."""
        save_svg(self.drawing(), self.figure(), path)

    def _ask(self, suffix: str, write: Callable[[str], None]) -> None:
        kinds = {suffix: f"{suffix.upper()} (*.{suffix})"}
        ask_save_path(
            self, f"Export {self.title}", f"{self.title.lower()}.{suffix}", kinds, partial(self._write, write)
        )

    def _write(self, write: Callable[[str], None], path: str) -> None:
        hide_saved(self)
        try:
            write(path)
            show_saved(self, path)
        except OSError as error:
            text = words(say("export.not_written", problem=error.strerror or error))
            show_problem(self, f"Export {self.title}", text, path)
