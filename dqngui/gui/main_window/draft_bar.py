"""The notice of the waiting edits, with buttons to fork, start anew or discard them."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer, Slot
from PySide6.QtWidgets import QPushButton, QWidget

from dqngui.gui.main_window.actions import WORDS, RunActions
from dqngui.gui.main_window.notices import NoticeFrame
from dqngui.gui.settings_form.setting_words import change_words
from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.session.draft import difference
from dqngui.lab.session.rules import waiting_edits
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action

REFRESH_MS = 500
_BUTTONS = {Action.FORK: "Fork", Action.START_DRAFT: "New run", Action.DISCARD_DRAFT: "Discard"}


class DraftBar(NoticeFrame):
    """Shows the waiting edits; hidden without any."""

    def __init__(self, session: Session, actions: RunActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._actions = session, actions
        self.buttons = {name: self._button(name, text) for name, text in _BUTTONS.items()}
        for name, button in self.buttons.items():
            themes.set_role(button, "smallAccent" if name is Action.FORK else "small")
            self.add(button)
        self._timer = QTimer(self, interval=REFRESH_MS)  # the step increases while the run trains
        self._timer.timeout.connect(self.refresh)
        session.changed.connect(self.refresh)
        self.hide()
        self.restyle(themes.current())

    def _button(self, name: Action, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setIconSize(QSize(16, 16))
        button.setAccessibleName(WORDS[name].text)
        button.clicked.connect(lambda: self._session.do(name))
        return button

    @Slot()
    def refresh(self) -> None:
        """Update the text and the buttons."""
        session = self._session
        draft = waiting_edits(session.state, session.draft)
        self.setVisible(bool(draft))
        if not draft:
            self._timer.stop()
            return
        if session.job.active:
            self._timer.start()
        else:
            self._timer.stop()
        plan = session.fork_plan
        forks = not (session.draft.problem or plan.problem)
        if forks:  # without what a fork does not follow
            draft = difference(session.draft.base, session.draft.forked(session.fork_plan.step))
        words = [change_words(path, old, new) for path, (old, new) in draft.items()]
        count = counted(len(words), "change")
        if forks:
            begin = f"Fork from step {plan.step:,} with {count}"
        elif session.draft.problem:
            begin = f"{count} that {'does' if len(words) == 1 else 'do'} not fit yet"
        else:
            begin = f"{count} for a new run"
        self.text.setText(f"{begin}: {', '.join(words)}")
        self.text.setToolTip(plain_tip("\n".join(words)))
        allowed = session.allowed
        for name, button in self.buttons.items():
            button.setEnabled(name in allowed)
            button.setToolTip(self._actions[name].toolTip())

    def restyle(self, theme: Theme) -> None:
        self.icon.setPixmap(themes.icon("source-branch", "accent").pixmap(18, 18))
        for name, button in self.buttons.items():
            button.setIcon(themes.icon(WORDS[name].icon, "on_accent" if name is Action.FORK else "text"))
        self.refresh()
