"""The line at the top: state of the run, its summary, and buttons for its actions."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.gui.main_window.actions import WORDS, RunActions
from dqngui.gui.settings_form.setting_words import trying_text
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import GAP, Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.gui.widgets.unlit import unlight_after
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import SuitedAgent
from dqngui.texts import words

STATE_WORDS: dict[State, tuple[str, str]] = {
    State.READY: ("Ready", "muted"),
    State.STARTING: ("Starting…", "warn"),
    State.RUNNING: ("Training", "good"),
    State.PAUSED: ("Paused", "warn"),
    State.STOPPING: ("Saving…", "warn"),
    State.STOPPED: ("Stopped", "muted"),
    State.FINISHED: ("Finished", "good"),
    State.FAILED: ("Failed", "bad"),
    State.STORED: ("Stored run", "muted"),
}
"""The text of each state, and the colour of its dot."""

BUTTONS: dict[State, tuple[Action, ...]] = {
    State.READY: (Action.START,),
    State.STARTING: (Action.STOP,),
    State.RUNNING: (Action.PAUSE, Action.STEP, Action.STOP, Action.FORK),
    State.PAUSED: (Action.UNPAUSE, Action.STEP, Action.STOP, Action.FORK),
    State.STOPPING: (Action.STOP,),
    State.STOPPED: (Action.RESUME_RUN, Action.FORK, Action.NEW_RUN),
    State.FINISHED: (Action.TRAIN_ON, Action.FORK, Action.NEW_RUN),
    State.FAILED: (Action.RESUME_RUN, Action.FORK, Action.NEW_RUN),
    State.STORED: (Action.RESUME_RUN, Action.FORK, Action.NEW_RUN),
}
"""The visible buttons in each state; the session decides which are enabled. Where all steps are trained, Train on
replaces Resume.
"""
_ORDER = (
    Action.START, Action.PAUSE, Action.UNPAUSE, Action.STEP, Action.STOP, Action.RESUME_RUN,
    Action.TRAIN_ON, Action.FORK, Action.NEW_RUN,
)  # fmt: skip
_WAITS = (Action.START, Action.RESUME_RUN, Action.TRAIN_ON)
_BUSY = (State.STARTING, State.STOPPING)
REFRESH_MS, SHOWN_AFTER_S = 1000, 2.0


def summary(experiment: Experiment, device: str = "") -> str:
    """`CartPole, positions only · self-attention + GRU · cpu · seed 0`."""
    net = experiment.net
    names = [
        entries[name].label or name if name in entries else name
        for entries, name in ((catalog.ATTENTIONS, net.attention), (catalog.MEMORIES, net.memory))
    ]
    parts = (
        experiment.title or experiment.env.id,
        " + ".join(names),
        device or experiment.run.device,
        f"seed {experiment.run.seed}",
    )
    return "  ·  ".join(parts)


class Header(QWidget):
    """State, summary, buttons and the menu."""

    def __init__(
        self,
        session: Session,
        suited: SuitedAgent,
        actions: RunActions,
        menu: QMenu,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._suited, self._actions = session, suited, actions
        self._busy_since: tuple[State, float] = session.state, time.monotonic()
        self.setFixedHeight(48)
        self._dot = plain_label()
        self._dot.setFixedSize(10, 10)
        self.word = plain_label()
        themes.set_role(self.word, "title")
        self.summary = ElidedLabel()
        themes.set_role(self.summary, "muted")
        self.buttons: dict[Action, QPushButton | QToolButton] = {
            name: self._step_button() if name is Action.STEP else self._button(name) for name in _ORDER
        }
        self._pressed: QObject | None = None
        for button in self.buttons.values():
            button.installEventFilter(self)
        self.menu_button = QToolButton()
        self.menu_button.setMenu(menu)
        unlight_after(menu, self.menu_button)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setIconSize(QSize(18, 18))
        self.menu_button.setFixedSize(30, 30)
        self.menu_button.setToolTip("Menu (F10)")
        self.menu_button.setAccessibleName("Menu")
        self._lay_out()
        session.changed.connect(self.refresh)
        suited.changed.connect(self.refresh)
        self._timer = QTimer(self, interval=REFRESH_MS)  # seconds go on while the program is busy
        self._timer.timeout.connect(self._refresh_busy)
        self.restyle(themes.current())

    def _button(self, name: Action) -> QPushButton:
        button = QPushButton(WORDS[name].text)
        button.setIconSize(QSize(16, 16))
        button.clicked.connect(lambda: self._actions[name].trigger())
        if name is Action.START:
            themes.set_role(button, "accent")
        return button

    def _step_button(self) -> QToolButton:
        """The Step button; Shift, Alt and its menu give longer steps."""
        button = QToolButton()
        button.setText(WORDS[Action.STEP].text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setIconSize(QSize(16, 16))
        themes.set_role(button, "button")
        menu = QMenu(button)
        for name in (Action.STEP, Action.STEP_UPDATE, Action.STEP_EPISODE):
            menu.addAction(self._actions[name])
        button.setMenu(menu)
        button.clicked.connect(self._step)
        return button

    @Slot()
    def _step(self) -> None:
        held = QGuiApplication.keyboardModifiers()
        if held & Qt.KeyboardModifier.AltModifier:
            self._session.do(Action.STEP_EPISODE)
        elif held & Qt.KeyboardModifier.ShiftModifier:
            self._session.do(Action.STEP_UPDATE)
        else:
            self._session.do(Action.STEP)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ignore the second click of a double click, so that one on Start does not press Stop, which replaces it."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._pressed = watched
        elif event.type() == QEvent.Type.MouseButtonDblClick and watched is not self._pressed:
            self.window().setFocus()  # the press gave the focus to the button
            return True
        return bool(super().eventFilter(watched, event))

    def _lay_out(self) -> None:
        line = QHBoxLayout(self)
        line.setContentsMargins(GAP + 2, 8, 0, 8)
        line.setSpacing(6)
        for button in self.buttons.values():
            button.setFixedHeight(30)
        line.addWidget(self._dot)
        line.addSpacing(2)
        line.addWidget(self.word)
        line.addSpacing(10)
        line.addWidget(self.summary, 1)
        for button in self.buttons.values():
            line.addWidget(button)
        line.addWidget(self.menu_button)

    @Slot()
    def refresh(self) -> None:
        """Update state, summary and buttons."""
        session = self._session
        token = STATE_WORDS[session.state][1]
        if session.state is not self._busy_since[0]:
            self._busy_since = session.state, time.monotonic()
        self._refresh_busy()
        color = themes.current().color(token).name()
        self._dot.setStyleSheet(f"background: {color}; border-radius: 5px;")
        self.summary.setText(self._summary())
        allowed, shown = session.allowed, set(BUTTONS[session.state])
        if Action.TRAIN_ON in allowed:
            shown = shown - {Action.RESUME_RUN} | {Action.TRAIN_ON}
        for name, button in self.buttons.items():
            button.setVisible(name in shown)
            button.setEnabled(name in allowed)
            button.setToolTip(self._actions[name].toolTip())
        start = self.buttons[Action.START]
        for name in _WAITS:
            self.buttons[name].setText(self._what_waits() or WORDS[name].text)
        if session.draft.problem:
            start.setToolTip(plain_tip(words(session.draft.problem)))
        step = "One vector step; with Shift up to the next update, with Alt to the end of the episode"
        keys = self._actions[Action.STEP].shortcut().toString()
        self.buttons[Action.STEP].setToolTip(plain_tip(f"{step} ({keys})"))

    def _what_waits(self) -> str:
        """What a start waits for; "" if none waits."""
        if self._session.waiting.for_task is not None:
            return trying_text(self._suited.seconds)
        return "Loading torch…" if self._session.loading else ""

    @Slot()
    def _refresh_busy(self) -> None:
        """Update the state, with the seconds that it takes already if the program is busy."""
        state, since = self._busy_since
        word = STATE_WORDS[state][0]
        if state is State.STARTING and self._session.after_stop is not None:
            word = "Saving the run first…"
        seconds = time.monotonic() - since
        self.word.setText(f"{word} {seconds:.0f} s" if state in _BUSY and seconds >= SHOWN_AFTER_S else word)
        if state not in _BUSY:
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def _summary(self) -> str:
        session = self._session
        parts = [summary(session.run.experiment, session.run.device)]
        if session.run.forked_from:
            parts.append(f"fork of {session.run.forked_from}")
        if session.job.elsewhere and session.job.active:
            parts.append("trains in another process")
        if session.state is State.STORED and session.run.folder is not None:
            parts.append(session.run.folder.name)
        return "  ·  ".join(parts)

    def restyle(self, theme: Theme) -> None:
        for name, button in self.buttons.items():
            token = "on_accent" if name is Action.START else "text"
            button.setIcon(themes.icon(WORDS[name].icon, token))
        self.menu_button.setIcon(themes.icon("menu", "muted"))
        self.refresh()
