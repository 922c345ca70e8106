"""Runs the window: starts Qt, makes and connects all parts, and ends every thread and process at exit."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType, TracebackType

from PySide6.QtCore import QLocale, QObject, QSettings, QTimer, Slot
from PySide6.QtWidgets import QApplication

from dqngui.config import Experiment
from dqngui.gui.app.closing import Closing
from dqngui.gui.app.cost_report import CostReport
from dqngui.gui.app.garbage import GarbageCollector
from dqngui.gui.app.screenshots import Screenshots
from dqngui.gui.app.thread_errors import ThreadErrors
from dqngui.gui.app.torch_loader import TorchLoader
from dqngui.gui.app.worker_question import WorkerQuestion
from dqngui.gui.cards.panel import Sources
from dqngui.gui.main_window.pin_controls import PinControls
from dqngui.gui.main_window.window import Window
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets import accessibility
from dqngui.heaps import limit_heaps
from dqngui.hosts import OpenHost, open_host
from dqngui.hosts.signals import ending_signals
from dqngui.lab.analysis.second_player import SecondPlayer
from dqngui.lab.analysis.study import Study
from dqngui.lab.background.task import BackgroundTask
from dqngui.lab.cursor.pinning import Pinning
from dqngui.lab.library.library import Library
from dqngui.lab.playback.agent_ref import demo_run
from dqngui.lab.playback.agent_selection import AgentSelection
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.queue.worker_process import StartedWorker, StartWorker
from dqngui.lab.session.following import Following
from dqngui.lab.session.job import host_of_window
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import SuitedAgent
from dqngui.texts import say, words

INTERRUPTED = 130
TORCH_MS = 5000  # latest time to import torch in the window's own process
PLAYER_MS = 50  # delay, so that the window is drawn first
_SIGNALS_MS = 100  # Python handles a signal only when it runs; this timer makes it run


class App(QObject):
    """Makes and connects the window, the session, the player and all other parts.

    Attributes:
        interrupted: whether Ctrl+C, SIGTERM or SIGHUP closed the window.
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        runs: Path | None,
        settings: QSettings,
        theme: themes.Setting | None = None,
        open_train_host: OpenHost = host_of_window,
        open_play_host: OpenHost = open_host,
        start_worker: StartWorker = StartedWorker,
    ) -> None:
        """`open_train_host` opens hosts for training, `open_play_host` those for playing agents and
        trying tasks; `start_worker` starts what trains the queue."""
        super().__init__()
        limit_heaps()
        accessibility.install()
        self.session = Session(experiment, runs=runs, open_host=open_train_host, parent=self)
        self.suited = SuitedAgent(self.session, open_host=open_play_host, parent=self)
        self.settings = settings
        self.window = Window(self.session, self.suited, settings=settings, theme=theme)
        self.torch = TorchLoader(self)
        self.garbage_collector = GarbageCollector(self)
        self.garbage_collector.start()
        self.player = Player(open_host=open_play_host, parent=self)
        self.study = Study(self.player.client, open_host=open_play_host, parent=self)
        self.second_player = SecondPlayer(open_host=open_play_host, parent=self)
        self.library = Library(self.session, parent=self)
        self.following = Following(self.session, parent=self)
        self.queue = RunQueue(self.session, start_worker=start_worker, parent=self)
        self.window.queueing.use(self.queue)
        self.agent_selection = AgentSelection(self.session, self.player, demo=demo_run(), parent=self)
        self.pinning = Pinning(
            self.session,
            self.player,
            self.library,
            self.agent_selection,
            parent=self,
        )
        parts: list[BackgroundTask] = [self.player, self.study, self.second_player, self.library, self.suited]
        parts.append(self.queue)
        parts.append(self.window.exports.work)
        parts += [panel.background for panel in self.window.panel_docks.panels.values() if panel.background is not None]
        self.closing = Closing(self.session, self.torch, self.window, parts=parts)
        self.worker_question = WorkerQuestion(self.queue, self.closing, self.window)
        self.shown_at = 0.0
        self.interrupted = False
        self._interruptions = 0
        self._last_error: str | None = None
        self.torch.loaded.connect(self.window.form.set_devices)
        self.torch.loaded.connect(self.queue.set_devices)
        self.torch.loaded.connect(self.session.on_torch_loaded)
        self.torch.loaded.connect(self.garbage_collector.freeze)
        self.torch.failed.connect(lambda text: self.window.banner.show_text(text, "bad", self.window.report(text)))
        self.window.shown.connect(self._on_shown)
        self.window.close_asked.connect(self.worker_question.ask)
        self.closing.begun.connect(self.window.on_closing)
        self.closing.begun.connect(self.following.stop)
        self.closing.finished.connect(self.garbage_collector.stop)
        self.closing.finished.connect(self._on_closed)
        self._connect_player()

    def _connect_player(self) -> None:
        panel_docks, player = self.window.panel_docks, self.player
        panel_docks.attach(
            Sources(
                self.session,
                player,
                self.library,
                study=self.study,
                second_player=self.second_player,
                cursor=self.pinning,
                cards=panel_docks,
                queue=self.queue,
                settings=self.settings,
            )
        )
        self.pin_controls = PinControls(self.pinning, player, panel_docks, self.window.menu)
        self.library.compared.asked.connect(self._show_comparison)
        self.second_player.grew.connect(self.window.paint_budget.request)
        self.session.weights.connect(self.study.use_weights)
        self.session.cleared.connect(self.study.forget_weights)
        self.study.weights_requested.connect(self.session.job.request_weights)
        player.grew.connect(self._on_grew)
        player.grew.connect(self.window.tab_raiser.take_views)
        player.moved.connect(panel_docks.follow)
        player.changed.connect(lambda: panel_docks.set_scrubbed(player.paused))
        panel_docks.needs_changed.connect(self._on_sight)
        self._on_sight()

    def _on_grew(self, playing: PlayedEpisode | None) -> None:
        self.window.panel_docks.take_views(playing)
        self.window.breakpoints.watch(playing)
        self.window.paint_budget.request()

    @Slot()
    def _show_comparison(self) -> None:
        """Show the Compare card, in the arrangement that is made for it unless the card is seen already."""
        if "compare" not in self.window.panel_docks.in_sight:
            self.window.arrange("compare")

    def _on_sight(self) -> None:
        panel_docks = self.window.panel_docks
        self.player.show_in(pictures=panel_docks.pictures_needed, views=panel_docks.views_needed)

    def _on_shown(self) -> None:
        self.shown_at = time.perf_counter()
        self.library.start()
        self.following.start()
        self.queue.start()
        self.player.changed.connect(self._load_torch)
        self.session.changed.connect(self._load_torch)
        QTimer.singleShot(TORCH_MS, self.torch, self.torch.start)
        self._load_torch()
        QTimer.singleShot(PLAYER_MS, self.player, self.player.start)

    @Slot()
    def _load_torch(self) -> None:
        """Import torch after the player has done so, unless Start was pressed: two imports at once are slow."""
        if self.session.loading or not self.player.loading:
            self.torch.start()

    def _on_closed(self) -> None:
        self.window.closing_done = True
        self.window.close()
        QApplication.quit()

    def interrupt(self) -> None:
        """Handle Ctrl+C, SIGTERM or SIGHUP: close without questions; the second time, interrupt a step that hangs; the
        third time, exit at once.
        """
        self._interruptions += 1
        if self._interruptions > 2:
            self.closing.force()
        if self.interrupted:
            self.session.job.interrupt()
        self.interrupted = True
        self.closing.begin(ask=False)

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Show an error of a slot once, with diagnostics; the run continues."""
        details = "".join(traceback.format_exception(kind, error, trace))
        print(details, file=sys.stderr)
        text = words(say("window.error", problem=str(error) or kind.__name__))
        if text != self._last_error:
            self._last_error = text
            self.window.banner.show_text(text, "bad", self.window.report(text, details))


def run_window(
    experiment: Experiment,
    *,
    runs: Path,
    start: bool = False,
    quit_after: float | None = None,
    screenshots: Path | None = None,
    theme: themes.Setting | None = None,
    size: tuple[int, int] | None = None,
    report: Path | None = None,
    warm_up: float = 0.0,
    opened: Path | None = None,
) -> int:
    """Show the window until it is closed and return the exit status (130 after Ctrl+C or SIGTERM).

    `report` is the file for the measurements of `dqngui.gui.app.cost_report`, which begin after `warm_up` seconds;
    `opened` is the folder of a stored run to show first.
    """
    qt = QApplication.instance() or QApplication(["dqngui"])
    assert isinstance(qt, QApplication)
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))  # numbers as everywhere here
    qt.setApplicationName("dqngui")
    qt.setOrganizationName("dqngui")
    qt.setQuitOnLastWindowClosed(False)
    app = App(experiment, runs=runs, settings=QSettings(), theme=theme)
    window = app.window
    pictures = Screenshots(window, screenshots) if screenshots is not None else None
    measured = CostReport(window, warm_up) if report is not None else None
    if measured is not None:
        measured.count_pictures(app.player)
        app.closing.begun.connect(measured.end)
    window.restore_layout(geometry=size is None)
    if size is not None:
        window.resize(*size)
    if opened is not None:
        window.shown.connect(lambda: window.opening.open(opened))
    elif not start:
        window.shown.connect(window.unfinished.offer)
    if start:
        window.shown.connect(lambda: app.session.do(Action.START))
    if quit_after is not None:
        QTimer.singleShot(round(1000 * quit_after), app, lambda: app.closing.begin(ask=False))
    qt.commitDataRequest.connect(lambda _: app.closing.begin(ask=False))
    ticking = _handle_signals(app)
    before, sys.excepthook = sys.excepthook, app.on_exception
    of_threads = ThreadErrors(app.on_exception, app)
    of_threads.start()
    try:
        window.show()
        qt.exec()
    finally:
        sys.excepthook = before
        of_threads.stop()
        ticking.stop()
    if report is not None and measured is not None:
        report.write_text(json.dumps(measured.figures, indent=2) + "\n")
    status = INTERRUPTED if app.interrupted else 0
    if pictures is not None:
        for path in pictures.taken:
            print(f"wrote {path}", file=sys.stderr)
        if pictures.problem:
            print(f"dqngui: {words(pictures.problem)}", file=sys.stderr)
            status = status or 1
    if app.session.state is State.FAILED and app.session.run.failure is not None:
        print(f"dqngui: {app.session.run.failure.words}", file=sys.stderr)
    window.deleteLater()
    return status


def _handle_signals(app: App) -> QTimer:
    """Let Ctrl+C, SIGTERM and SIGHUP close the window like its close button."""

    def handle(number: int, frame: FrameType | None) -> None:
        QTimer.singleShot(0, app, app.interrupt)

    numbers = ending_signals() if threading.current_thread() is threading.main_thread() else ()

    def hold() -> None:
        """Set the handlers again if an environment has set its own."""
        for number in numbers:
            if signal.getsignal(number) is not handle:
                signal.signal(number, handle)

    hold()
    ticking = QTimer(app, interval=_SIGNALS_MS)
    ticking.timeout.connect(hold)
    ticking.start()
    return ticking
