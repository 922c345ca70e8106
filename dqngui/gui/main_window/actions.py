"""Every action on the run as a QAction, with text, icon and shortcuts. The session decides which are allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from dqngui.gui.settings_form.fields import take_typed
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.texts import words


class ActionText(NamedTuple):
    text: str
    icon: str
    shortcuts: tuple[str, ...]
    tip: str


WORDS: dict[Action, ActionText] = {
    Action.START: ActionText("Start", "play", ("Ctrl+Return",), "Begin a new run of this experiment"),
    Action.PAUSE: ActionText("Pause", "pause", ("Ctrl+P",), "Pause training at the next vector step"),
    Action.UNPAUSE: ActionText("Continue", "play", ("Ctrl+P",), "Go on training"),
    Action.STEP: ActionText(
        "Step", "debug-step-over", ("Ctrl+.",), "Train one vector step, and an update if it is due"
    ),
    Action.STEP_UPDATE: ActionText(
        "Step to the next update", "debug-step-into", ("Ctrl+Shift+.",), "Up to and including the next update"
    ),
    Action.STEP_EPISODE: ActionText(
        "Step to the episode's end", "debug-step-out", ("Ctrl+Alt+.",), "Until the episode of environment 0 ends"
    ),
    Action.STOP: ActionText("Stop", "stop", ("Ctrl+E",), "Save, then end; the run can be resumed"),
    Action.RESUME_RUN: ActionText("Resume", "restart", ("Ctrl+R",), "Go on from the last checkpoint"),
    Action.TRAIN_ON: ActionText("Train on…", "play-circle-outline", ("Ctrl+T",), "Add steps to this finished run"),
    Action.NEW_RUN: ActionText(
        "New run", "plus", ("Ctrl+N",), "Close this run (save and stop it first), and edit the experiment of a new one"
    ),
    Action.FORK: ActionText(
        "Fork", "source-branch", ("Ctrl+Shift+F",), "Save this run, and continue from here as a new run"
    ),
    Action.QUEUE: ActionText(
        "Add to the queue…",
        "playlist-plus",
        ("Ctrl+Shift+Return",),
        "Train this experiment in its turn, with one seed or several, also while this window is closed",
    ),
    Action.START_DRAFT: ActionText(
        "New run with the changes",
        "plus-circle-outline",
        ("Ctrl+Shift+N",),
        "Save and stop this run, and train the changed experiment from the beginning",
    ),
    Action.DISCARD_DRAFT: ActionText(
        "Discard the changes", "close", ("Ctrl+Shift+D",), "Put the changed settings back"
    ),
    Action.TRUST: ActionText(
        "Trust this run", "shield-check-outline", ("Ctrl+Shift+T",), "Let this run import the code that it names"
    ),
    Action.SAVE: ActionText(
        "Save checkpoint", "content-save-outline", ("Ctrl+S",), "Save weights and resume state now"
    ),
    Action.UNDO_KNOB: ActionText("Undo knob change", "undo", ("Ctrl+Z",), "Send the value before the last change"),
}


class RunActions:
    """The run's actions, enabled as the session allows. `[Action.START]` gives one. `asks`: what an action does instead
    of `Session.do`, because it needs an answer of the person first.
    """

    def __init__(
        self, session: Session, window: QWidget, asks: Mapping[Action, Callable[[], object]] | None = None
    ) -> None:
        self._session = session
        asks = asks or {}
        self._actions: dict[Action, QAction] = {}
        for name, shown in WORDS.items():
            action = QAction(shown.text, window)
            action.setShortcuts([QKeySequence(keys) for keys in shown.shortcuts])
            action.setToolTip(plain_tip(f"{shown.tip} ({self._shortcut_text(action)})"))
            do = asks.get(name, lambda name=name: session.do(name))
            action.triggered.connect(take_typed)
            action.triggered.connect(lambda _=False, do=do: do())
            window.addAction(action)
            self._actions[name] = action
        session.changed.connect(self.refresh)
        self.refresh()
        self.restyle(themes.current())

    @staticmethod
    def _shortcut_text(action: QAction) -> str:
        return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)

    def _tip(self, name: Action, problem: str) -> str:
        """What the action does, or why it is not possible now."""
        impossible = self._session.state is not State.READY and name not in self._session.allowed and problem
        return plain_tip(f"{problem if impossible else WORDS[name].tip} ({self._shortcut_text(self._actions[name])})")

    def __getitem__(self, name: Action) -> QAction:
        return self._actions[name]

    def refresh(self) -> None:
        allowed = self._session.allowed
        for name, action in self._actions.items():
            action.setEnabled(name in allowed)
        fork = self._actions[Action.FORK]
        problem = words(self._session.draft.problem or self._session.fork_plan.problem)
        fork.setToolTip(plain_tip(self._tip(Action.FORK, problem)))

    def restyle(self, theme: Theme) -> None:
        for name, action in self._actions.items():
            action.setIcon(themes.icon(WORDS[name].icon))
