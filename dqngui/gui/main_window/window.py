"""The main window: arranges header, cards, menus and status line. It contains no logic of the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QSettings, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QStatusBar,
    QTabWidget,
)

from dqngui import presets
from dqngui.gui.cards.card import Card, CardDock
from dqngui.gui.docking.arrangements import ARRANGEMENTS, ArrangementSwitch
from dqngui.gui.docking.layout import CardLayout, restore_geometry
from dqngui.gui.docking.paint_budget import PaintBudget
from dqngui.gui.docking.panel_docks import PanelDocks
from dqngui.gui.docking.tab_raiser import TabRaiser
from dqngui.gui.main_window.about import show_about
from dqngui.gui.main_window.actions import RunActions
from dqngui.gui.main_window.banner import Banner
from dqngui.gui.main_window.breakpoint_dialog import BreakpointButton, BreakpointDialog
from dqngui.gui.main_window.diagnostics import diagnostics
from dqngui.gui.main_window.draft_bar import DraftBar
from dqngui.gui.main_window.header import Header
from dqngui.gui.main_window.menus import THEMES, MainMenu
from dqngui.gui.main_window.notices import Notices
from dqngui.gui.main_window.opening import OpenRuns
from dqngui.gui.main_window.queueing import Queueing
from dqngui.gui.main_window.run_exports import RunExports
from dqngui.gui.main_window.shortcuts import ShortcutDialog, tab_from
from dqngui.gui.main_window.sizes import add_sizes, stored_zoom
from dqngui.gui.main_window.statusbar import StatusLine
from dqngui.gui.main_window.train_on import ask_to_train_on
from dqngui.gui.main_window.unfinished import UnfinishedRun
from dqngui.gui.main_window.window_title import WindowTitle
from dqngui.gui.settings_form.form import ExperimentForm
from dqngui.gui.settings_form.knobs import LiveKnobs
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import GAP
from dqngui.jobs.breakpoints import hit_text
from dqngui.lab.analysis.breakpoints import BreakpointList
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import SuitedAgent
from dqngui.messages import BreakpointHit, Event
from dqngui.texts import Text, say, sentence, words

SMALLEST = (1000, 640)
STARTING_SIZE = (1440, 900)
FORM_PX = 280
"""Width of the cards with settings, at least."""


class Window(QMainWindow):
    """The main window of one session.

    Signals:
        close_asked: the user wants to quit; the window stays open until `closing_done` is set.
        shown: the window was shown for the first time.
    """

    close_asked = Signal()
    shown = Signal()

    def __init__(
        self, session: Session, suited: SuitedAgent, *, settings: QSettings, theme: themes.Setting | None = None
    ) -> None:
        super().__init__()
        self.session, self.suited, self.settings = session, suited, settings
        self.closing_done = False
        self._was_shown = False
        self._last_banner: tuple[State, str] | None = None
        self._question = ""  # about trust, which the banner shows
        self._hits: tuple[BreakpointHit, ...] = ()  # the breakpoints that the banner shows
        stored = str(settings.value("theme", "system"))
        self._setting: themes.Setting = theme or (stored if stored in THEMES else "system")
        self.zoom = stored_zoom(settings)
        themes.apply(themes.application(), self._setting, self.zoom)
        self.setMinimumSize(*SMALLEST)
        self.resize(*STARTING_SIZE)
        self.setDockNestingEnabled(True)
        self.setDocumentMode(True)  # tabs without a frame
        self.setContentsMargins(GAP, 0, GAP, 0)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        asks: dict[Action, Callable[[], object]] = {
            Action.TRAIN_ON: partial(ask_to_train_on, session, self),
            Action.QUEUE: self.add_to_queue,
        }
        self.run_actions = RunActions(session, self, asks)
        self.opening = OpenRuns(session, self)
        self._make_cards()
        self.breakpoints = BreakpointList(session, self)
        self.breakpoint_dialog: BreakpointDialog | None = None
        self.menu = self._make_menu()
        self.queueing = Queueing(session, self.run_actions, self.menu, self.docks["queue"])
        self.header = Header(session, suited, self.run_actions, self.menu)
        self.draft_bar, self.banner = DraftBar(session, self.run_actions), Banner()
        self.unfinished = UnfinishedRun(session, settings, self.banner, self)
        self.addAction(self.unfinished.offered)
        self.status = StatusLine(session)
        self.title = WindowTitle(session, self)
        self._frame()
        self.layouts = CardLayout(self, self.docks)
        self.tab_raiser = TabRaiser(self, self.panel_docks, self.layouts)
        self.layouts.changed.connect(self.switch.show_chosen)
        self.switch.chosen.connect(self.layouts.choose)
        self.switch.show_chosen(self.layouts.name)
        self.layouts.arrange()
        self.paint_budget = PaintBudget(self.panel_docks.refresh_next, self)
        self.status.painting = self.paint_budget.rate
        session.changed.connect(self._on_changed)
        session.received.connect(self._on_received)
        session.cleared.connect(self._on_cleared)
        session.rewound.connect(self._on_rewound)
        session.message.connect(self._on_message)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_scheme)

    # -- making the parts --------------------------------------------------------------------------

    def _make_cards(self) -> None:
        self.form, self.knobs = ExperimentForm(self.session, self.suited), LiveKnobs(self.session)
        self.panel_docks = PanelDocks(self)
        self.panel_docks.show(self.session.history)
        self.docks: dict[str, CardDock] = {}
        for name, title, body in (("experiment", "Experiment", self.form), ("knobs", "Live knobs", self.knobs)):
            card = Card(title, body)
            body.set_card(card)
            card.setMinimumWidth(themes.zoomed(FORM_PX))
            self.docks[name] = CardDock(name, card, self)
        self.docks |= self.panel_docks.docks
        self.form.setMinimumHeight(150)
        self.knobs.setMinimumHeight(150)

    def _make_menu(self) -> MainMenu:
        menu = MainMenu(self.run_actions, self)
        menu.add(
            menu.run,
            "Open run…",
            "folder-open-outline",
            "Ctrl+O",
            "Look at a stored run: choose its folder, or drop it on the window",
            self.opening.ask,
        )
        self._breakpoints_action = menu.add(
            menu.run,
            "Breakpoints…",
            "pause-octagon-outline",
            "Ctrl+B",
            "Pause training when a quantity is too high, too low or not finite",
            self.show_breakpoints,
        )
        self.exports = RunExports(self.session, menu, self)
        menu.run.addSeparator()
        menu.add(menu.run, "Quit", "exit-to-app", "Ctrl+Q", "Save, stop and close the window", self.close)
        menu.add_themes(self._setting, self.set_theme)
        for name, (text, keys, tip, icon) in ARRANGEMENTS.items():
            menu.add(menu.view, f"Arrangement: {text}", icon, keys, tip, partial(self.arrange, name))
        add_sizes(menu, self, self.change_zoom)
        menu.view.addSeparator()
        menu.add_cards([dock.toggleViewAction() for dock in self.docks.values()])
        tip = "Put every card back in its place"
        menu.add(menu.view, "Reset layout", "view-dashboard-outline", "Ctrl+0", tip, self.reset_layout)
        menu.add(menu.help, "Keyboard shortcuts", "keyboard-outline", "Ctrl+/", "All shortcuts", self.show_shortcuts)
        menu.add(menu.help, "Copy diagnostics", "content-copy", "", "Copy versions and experiment", self.copy_report)
        menu.add(menu.help, "About dqngui", "information-outline", "", "Version and licence", partial(show_about, self))
        QShortcut(QKeySequence("F10"), self, self._open_menu).setWhatsThis("Menu")
        return menu

    def _frame(self) -> None:
        self.switch = ArrangementSwitch()
        line = self.header.layout()
        assert isinstance(line, QHBoxLayout)
        line.insertWidget(line.indexOf(self.header.summary) + 1, self.switch)
        line.insertWidget(line.indexOf(self.header.menu_button), self.queueing.button)
        self.breakpoint_button = BreakpointButton(self.breakpoints, self._breakpoints_action)
        line.insertWidget(line.indexOf(self.header.menu_button), self.breakpoint_button)
        self.setMenuWidget(self.header)
        self.notices = Notices(self.banner, self.draft_bar)
        self.notices.changed.connect(self.status.make_room)
        bar = QStatusBar()
        bar.setSizeGripEnabled(False)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.addWidget(self.status, 1)
        bar.addWidget(self.notices)
        self.setStatusBar(bar)

    def add_to_queue(self) -> None:
        """Ask for the seeds with which the experiment is added to the queue."""
        self.queueing.ask()

    # -- events of the session ---------------------------------------------------------------------

    @Slot()
    def _on_changed(self) -> None:
        session = self.session
        if session.run.failure is not None and session.state is State.FAILED:
            advice = words(say("window.resume") if session.run.resumable else say("window.new_run"))
            reason = session.run.failure.words
            self._show_once(f"{sentence(reason)} {advice}", "bad", self.report(reason, session.run.failure.details))
        elif self._show_hits(session.run.hits if session.state is State.PAUSED else ()) or self._show_question():
            return
        elif session.run.notice:
            informs = session.state is State.STORED or session.job.elsewhere
            self._show_once(words(session.run.notice), "muted" if informs else "warn")
        elif self._last_banner is not None:
            self._last_banner = None
            self.banner.hide()

    def _show_hits(self, hits: tuple[BreakpointHit, ...]) -> bool:
        """Show the breakpoints that paused training; returns whether there are any."""
        if hits != self._hits:
            self._hits = hits
            self._last_banner = None
            self.banner.hide()
            if hits:
                text = words(say("breakpoint.paused", hits=map(hit_text, hits)))
                self.banner.show_text(text, "warn", action=self.run_actions[Action.UNPAUSE])
        return bool(hits)

    def _show_question(self) -> bool:
        """Ask whether the user trusts the stored run; returns whether there is a question."""
        text = words(self.session.trust.question(self.session.state, self.session.draft.experiment.env))
        if text != self._question:
            self._question, self._last_banner = text, None
            self.banner.hide()
            if text:
                trust = self.run_actions[Action.TRUST]
                self.banner.show_text(sentence(text), "warn", action=trust if trust.isEnabled() else None)
        return bool(text)

    def _show_once(self, text: str, role: str, details: str = "") -> None:
        """Show a sentence in the banner once: if the user closes it, it does not return."""
        banner = (self.session.state, text) if role == "bad" else (State.RUNNING, text)
        if banner != self._last_banner:
            self._last_banner = banner
            self.banner.show_text(text, role, details)

    @Slot(object, str)
    def _on_message(self, message: Text, details: str) -> None:
        """Show why an action failed, until the next message."""
        text = words(message)
        self._last_banner = (State.STARTING, text)
        self.banner.show_text(sentence(text), "warn", self.report(text, details) if details else "")

    @Slot(object)
    def _on_received(self, events: list[Event]) -> None:
        self.panel_docks.take(events)
        self.paint_budget.request()

    @Slot()
    def _on_cleared(self) -> None:
        self.panel_docks.clear(self.session.history)

    @Slot()
    def _on_rewound(self) -> None:
        """Redraw with the shortened history."""
        self.panel_docks.show(self.session.history)

    # -- user actions ------------------------------------------------------------------------------

    def set_theme(self, setting: themes.Setting) -> None:
        """Change the theme, now and for later starts."""
        self._setting = setting
        self.settings.setValue("theme", setting)
        self._restyle()

    def set_zoom(self, percent: int) -> None:
        """Change the size of the text, in percent, now and for later starts."""
        self.zoom = max(themes.SMALLEST_ZOOM, min(themes.LARGEST_ZOOM, percent))
        self.settings.setValue("zoom", self.zoom)
        self._restyle()

    def change_zoom(self, steps: int) -> None:
        """Make the text larger or smaller by steps; 0: of the usual size."""
        self.set_zoom(self.zoom + steps * themes.ZOOM_STEP if steps else 100)

    @Slot()
    def _on_system_scheme(self) -> None:
        if self._setting == "system":
            self._restyle()

    def _restyle(self) -> None:
        theme = themes.apply(themes.application(), self._setting, self.zoom)
        for part in (
            self.run_actions,
            self.menu,
            self.header,
            self.queueing,
            self.breakpoint_button,
            self.draft_bar,
            self.banner,
            self.status,
            self.form,
            self.knobs,
            self.panel_docks,
        ):
            part.restyle(theme)
        for name in ("experiment", "knobs"):
            self.docks[name].restyle(theme)
            self.docks[name].card.setMinimumWidth(themes.zoomed(FORM_PX))
        if self.breakpoint_dialog is not None:
            self.breakpoint_dialog.restyle(theme)

    def reset_layout(self) -> None:
        """Put every card of the present arrangement back in its place."""
        self.layouts.reset()

    def arrange(self, name: str) -> None:
        """Change the arrangement of the cards (`train`, `watch`, `inspect`)."""
        self.layouts.choose(name)

    def _open_menu(self) -> None:
        self.header.menu_button.showMenu()

    def show_breakpoints(self) -> None:
        """Show the list of breakpoints in a dialog that does not block the window."""
        if self.breakpoint_dialog is None:
            self.breakpoint_dialog = BreakpointDialog(self.breakpoints, self)
        self.breakpoint_dialog.bring()

    def report(self, text: str, details: str = "") -> str:
        """The diagnostics of the present run, as text."""
        return diagnostics(text, details, presets.to_toml(self.session.run.experiment))

    def copy_report(self) -> None:
        QGuiApplication.clipboard().setText(self.report(f"State: {self.session.state}"))

    def show_shortcuts(self) -> None:
        ShortcutDialog(self, (dock.card for dock in self.docks.values())).open()

    @Slot()
    def on_closing(self) -> None:
        """Show that the window is closing, and disable it."""
        self.unfinished.closing()
        self.header.word.setText("Saving…" if self.session.job.active else "Closing…")
        for part in (self.form, self.knobs, self.header, self.draft_bar):
            part.setEnabled(False)

    # -- Qt ----------------------------------------------------------------------------------------

    def restore_layout(self, *, geometry: bool = True) -> None:
        """Restore the size and cards of the last use, or the default if they do not fit."""
        if geometry:
            restore_geometry(self, self.settings)
        self.layouts.restore(self.settings)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            QTimer.singleShot(0, self, self._after_first_show)

    @Slot()
    def _after_first_show(self) -> None:
        tab_from(self.header)
        self.setFocus()  # no control has the focus before the user chooses one
        self.layouts.settle()
        self.shown.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layouts.fit()

    def focusNextPrevChild(self, next: bool) -> bool:
        """Move the focus. When the focused control is hidden, the window takes it, not the next control."""
        control = QApplication.focusWidget()
        if control is not None and not control.isVisible():
            self.setFocus()
            return True
        return super().focusNextPrevChild(next)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.panel_docks.set_minimized(self.isMinimized())

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.closing_done:
            self.settings.setValue("geometry", self.saveGeometry())
            self.layouts.save(self.settings)
            self.status.stop()
            self.title.stop()
            self.paint_budget.stop()
            event.accept()
        else:
            event.ignore()
            self.close_asked.emit()
