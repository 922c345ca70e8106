"""Uses the real window at random while it trains, and checks that nothing fails, grows or stays behind.

    python -m tests.soak.run [--host thread|process|both] [--seconds 600] [--seed 0]

Every control in sight is pressed at random, keys are typed, cards clicked, dragged and scrolled, the window resized and
its theme changed. What would end the test is left out: quitting, and training another experiment. A run that stopped is
resumed. It fails on a banner of an error, an exception in a slot or a thread, an ended run, memory that grows, and
threads, processes or file descriptors that are left after closing and were not there after a window was closed before.
The last lines are JSON.

Memory: each process that was there half a minute before `SETTLE_S` and lived to the end is compared, the median of the
minute after `SETTLE_S` with that of the last minute, since training and painting take and return memory all the time.
What the history says that it holds is subtracted; the replay is full before. Knobs that decide how much memory an
update needs stay as they are: with a batch of thousands of windows it needs hundreds of MiB, which is no leak.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from PySide6.QtCore import QMimeDatabase, QPoint, Qt, QTimer, QtMsgType, QUrl, Slot, qInstallMessageHandler
from PySide6.QtGui import QDesktopServices, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QMenu, QWidget

from dqngui import presets, settings
from dqngui.config import Experiment
from dqngui.gui.app.app import App
from dqngui.gui.cards.card import Card
from dqngui.lab.session.states import Action, State
from tests.benchmarks.hand import Hand, opened
from tests.gui.controls import Key, controls

PRESET = "cartpole-positions"
CHANGES = {"run.total_steps": 1_000_000_000, "learn.replay_capacity": 20_000}
SETTLE_S, EDGE_S = 120.0, 60.0
LOADED_S = 30.0  # a process that is younger is loading still
MOST_GROWTH = 5.0  # percent
PAUSE_S = 0.15  # between two actions
MODAL_MS = 400  # after which a dialog is closed
LEFT_OUT = ("Quit", "New run", "Start", "New run with the changes", "Fork", "Open folder", "Delete", "Move to trash")
"""Begins of the names of controls that would end the test or begin another experiment."""
STAY = ("learn.batch_size", "learn.window", "learn.burn_in", "learn.n_step", "learn.updates")
"""Knobs that decide how much memory an update needs."""
NAMES = ("Space", "Left", "Right", "Up", "Down", "Home", "End", "Return", "Escape", "Tab", "PageUp")
KEYS = [*(Qt.Key(code) for code in range(Qt.Key.Key_A, Qt.Key.Key_Z + 1)), *(Qt.Key[f"Key_{name}"] for name in NAMES)]
MODIFIED = "PZSE."  # with Ctrl


@dataclass
class Watch:
    """What went wrong: exceptions, messages of Qt, banners of errors, states of the run."""

    problems: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        if text not in self.problems:
            print(text, file=sys.stderr)
        self.problems[text] += 1

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        self.add(f"exception: {kind.__name__}: {error}")

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        threading.__excepthook__(args)
        self.add(f"exception in a thread: {args.exc_type.__name__}: {args.exc_value}")

    def on_message(self, kind: QtMsgType, _context: object, text: str) -> None:
        if kind is not QtMsgType.QtDebugMsg and not text.startswith("This plugin does not support"):
            self.add(f"Qt: {text}")


class RandomUser(Hand):
    """Presses, types, clicks, drags and scrolls at random."""

    def __init__(self, app: App, seed: int) -> None:
        super().__init__(app)
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.pressed: set[Key] = set()

    def act(self) -> None:
        """One action, then everything that it opened is closed."""
        do = self.random.choice(
            [self._press, self._press, self._press, self._type, self._click, self._scroll, self._size]
        )
        self.done[do.__name__[1:]] += 1
        do()

    def put_back(self) -> None:
        """Close dialogs and menus, and train again."""
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                widget.reject()
            elif isinstance(widget, QMenu) and widget.isVisible():
                widget.close()
        session = self.app.session
        for action in (Action.RESUME_RUN, Action.UNPAUSE):
            if action in session.allowed and self.random.random() < 0.3:
                session.do(action)

    def _press(self) -> None:
        found = controls(self.app.window, self._choice)
        keys = [key for key in found if not key[1].startswith(LEFT_OUT)]
        key = self.random.choice([key for key in keys if key not in self.pressed] or keys)
        self.pressed.add(key)
        found[key].press()

    def _choice(self, combo: QComboBox) -> Iterable[int]:
        return [self.random.randrange(combo.count())] if combo.count() else []

    def _card(self) -> QWidget:
        cards = [each for each in self.app.window.findChildren(Card) if not each.visibleRegion().isEmpty()]
        return self.random.choice(cards or [self.app.window])

    def _at(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(max(1, widget.width())), self.random.randrange(max(1, widget.height())))

    def _type(self) -> None:
        where = QApplication.focusWidget() or self._card()
        if self.random.random() < 0.2:
            QTest.keyClick(where, self.random.choice(MODIFIED), Qt.KeyboardModifier.ControlModifier)
        elif isinstance(where, QLineEdit) and self.random.random() < 0.5:
            QTest.keyClicks(where, self.random.choice(["0.0005", "12", "x", "1e-3"]))
        else:
            QTest.keyClick(where, self.random.choice(KEYS))

    def _click(self) -> None:
        card = self._card()
        at = self._at(card)
        target = card.childAt(at) or card
        if isinstance(target, QComboBox):
            return  # its list is chosen from elsewhere
        place, other = target.mapFrom(card, at), self._at(target)
        button = self.random.choice([Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
        QTest.mousePress(target, button, pos=place)
        if self.random.random() < 0.4:
            QTest.mouseMove(target, other)
        QTest.mouseRelease(target, button, pos=place)

    def _scroll(self) -> None:
        card = self._card()
        at = self._at(card)
        target = card.childAt(at) or card
        place = target.mapFrom(card, at).toPointF()
        turn = QPoint(0, self.random.choice([-240, -120, 120, 240]))
        none = (Qt.MouseButton.NoButton, self.random.choice(list(_SCROLLED_WITH)), Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(target, QWheelEvent(place, target.mapToGlobal(place), QPoint(), turn, *none))

    def _size(self) -> None:
        if self.random.random() < 0.3:
            self.app.window.resize(self.random.randrange(1280, 1921), self.random.randrange(800, 1081))


_SCROLLED_WITH = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def own_mib() -> dict[int, float]:
    """Memory of this process and its descendants, in MiB by process id.

    What a process has allocated itself, in memory or swapped out, and not the pages of files: a system may drop those
    of libraries at any time, and 60 MiB of them came and went here.
    """
    found: dict[int, float] = {}
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        try:
            found[process.pid] = _allocated(process) / 2**20
        except (psutil.Error, OSError):
            continue  # it has just ended
    return found


def _allocated(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return int(process.memory_info().rss)
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return 1024 * sum(int(lines[name].split()[0]) for name in ("RssAnon", "VmSwap") if name in lines)


def growth_percent(samples: list[tuple[float, float]], held: list[tuple[float, float]], end: float) -> float:
    """Growth from `SETTLE_S` to the end, from samples (seconds, MiB), without the growth of what is held."""

    def around(values: list[tuple[float, float]], begin: float) -> float:
        return statistics.median(mib for at, mib in values if begin <= at <= begin + EDGE_S)

    settled, last = around(samples, SETTLE_S), around(samples, end - EDGE_S)
    grown = around(held, end - EDGE_S) - around(held, SETTLE_S) if held else 0.0
    return 100 * ((last - grown) / settled - 1)


@dataclass(frozen=True)
class Open:
    """What a process has open: its threads, and what its file descriptors point to, with their numbers."""

    threads: frozenset[str]
    descriptors: frozenset[str]
    processes: frozenset[str]

    @classmethod
    def now(cls) -> Open:
        gc.collect()
        return cls(
            frozenset(f"{each.name} {each.ident}" for each in threading.enumerate()),
            frozenset(_descriptors()),
            frozenset(str(each.pid) for each in psutil.Process().children(recursive=True)),
        )

    def more_than(self, before: Open) -> dict[str, list[str]]:
        """What was not there before; of files of a name only those that are more in number."""
        kinds = ("threads", "descriptors", "processes")
        return {kind: sorted(getattr(self, kind) - getattr(before, kind)) for kind in kinds}


def _descriptors() -> list[str]:
    """Kinds and names of the open descriptors; the number of a socket or pipe is replaced by its index."""
    counts: Counter[str] = Counter()
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            name = os.readlink(entry).split(":[")[0]
        except OSError:
            continue  # that of this loop
        counts[name] += 1
        found.append(f"{name} {counts[name]}")
    return found


def soak(host: str, seconds: float, seed: int) -> dict[str, Any]:
    """Use a window at random for some seconds; the figures, and under "problems" what failed."""
    watch = Watch()
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    qt = QApplication.instance() or QApplication(["dqngui"])
    assert isinstance(qt, QApplication)
    qt.setQuitOnLastWindowClosed(False)
    for scheme in ("file", "https", "http"):
        QDesktopServices.setUrlHandler(scheme, _Nowhere.instance(), "take")
    experiment = settings.with_settings(presets.read_experiment(PRESET), {**CHANGES, "run.host": host})
    samples: dict[int, list[tuple[float, float]]] = defaultdict(list)
    held: list[tuple[float, float]] = []
    hooks = sys.excepthook, threading.excepthook
    sys.excepthook, threading.excepthook = watch.on_exception, watch.on_thread_exception
    qInstallMessageHandler(watch.on_message)
    steps = 0
    try:
        _warm_up(experiment)
        before = Open.now()
        with tempfile.TemporaryDirectory() as runs, opened(experiment, Path(runs)) as app:
            app.window.close_asked.disconnect()
            _keep_knobs(app)
            user = RandomUser(app, seed)
            closing_modals = QTimer(app.window, interval=MODAL_MS)
            closing_modals.timeout.connect(lambda: _end_modal())
            closing_modals.start()
            user.train(0)
            began, sampled = time.monotonic(), -1.0
            while (at := time.monotonic() - began) < seconds:
                user.act()
                user.wait(PAUSE_S)
                user.put_back()
                _look(app, watch)
                steps = max(steps, app.session.run.step)
                if at - sampled >= 1.0:
                    sampled = at
                    for pid, mib in own_mib().items():
                        samples[pid].append((at, mib))
                    held.append((at, app.session.history.nbytes / 2**20))
            did = dict(user.done), len(user.pressed)
        end = samples[os.getpid()][-1][0]
    finally:
        sys.excepthook, threading.excepthook = hooks
        qInstallMessageHandler(None)
    settled = SETTLE_S - LOADED_S
    whole = {pid: each for pid, each in samples.items() if each[0][0] < settled and each[-1][0] > end - PAUSE_S * 40}
    grown = {}
    if end >= SETTLE_S + 2 * EDGE_S:
        grown = {
            name: round(growth_percent(whole[pid], held if pid == os.getpid() else [], end), 2)
            for pid, name in _names(whole).items()
        }
    for name, percent in grown.items():
        if percent >= MOST_GROWTH:
            watch.add(f"memory of {name} grew by {percent:.1f} %")
    left = Open.now().more_than(before)
    for kind, names in left.items():
        if names:
            watch.add(f"left behind: {kind}: {', '.join(names)}")
    return {
        "host": host,
        "seconds": round(end),
        "seed": seed,
        "steps": steps,
        "actions": did[0],
        "controls": did[1],
        "growth_percent": grown,
        "mib_each_minute": {
            name: [round(mib) for at, mib in whole[pid] if at % 60 < 1.0] for pid, name in _names(whole).items()
        },
        "left": left,
        "problems": dict(watch.problems),
    }


def _names(pids: Iterable[int]) -> dict[int, str]:
    """Names of processes for the report, in the order in which they were first seen."""
    return {pid: "window" if pid == os.getpid() else f"process {n}" for n, pid in enumerate(pids)}


def _warm_up(experiment: Experiment) -> None:
    """Open, train and close once, so that what libraries keep open for good is there before the test."""
    with tempfile.TemporaryDirectory() as runs, opened(experiment, Path(runs)) as app:
        user = Hand(app)
        user.train(5_000)
        user.wait(3.0)
        QMimeDatabase().mimeTypeForFile("a.txt")  # a file dialog opens its cache for good


def _keep_knobs(app: App) -> None:
    """Let the knobs of `STAY` stay as they are, whatever is done to their controls."""
    turn = app.session.set_knob
    app.session.set_knob = lambda path, value: None if path in STAY else turn(path, value)  # type: ignore[method-assign]


class _Nowhere(QWidget):
    """Takes links that would open other programs."""

    _made: _Nowhere | None = None

    @classmethod
    def instance(cls) -> _Nowhere:
        cls._made = cls._made or cls()
        return cls._made

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        """Do nothing."""


def _end_modal() -> None:
    modal = QApplication.activeModalWidget()
    if isinstance(modal, QDialog):
        modal.reject()
    popup = QApplication.activePopupWidget()
    if popup is not None:
        popup.close()


def _look(app: App, watch: Watch) -> None:
    """Note an error banner and a failed run."""
    banner = app.window.banner
    if banner.isVisible() and banner.role == "bad":
        watch.add(f"banner: {banner.text.text()}")
    if app.session.state is State.FAILED and app.session.run.failure is not None:
        watch.add(f"the run failed: {app.session.run.failure.words}")


def in_process_of_its_own(host: str, seconds: float, seed: int) -> int:
    """Run one soak in a new process, so that the second host does not begin with what the first one left."""
    given = ["--host", host, "--seconds", str(seconds), "--seed", str(seed)]
    return subprocess.run([sys.executable, "-m", "tests.soak.run", *given]).returncode


def main(run: Callable[[str, float, int], dict[str, Any]] = soak) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", choices=("thread", "process", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if given.host == "both":
        return max(in_process_of_its_own(host, given.seconds, given.seed) for host in ("thread", "process"))
    result = run(given.host, given.seconds, given.seed)
    print(json.dumps(result, indent=2))
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
