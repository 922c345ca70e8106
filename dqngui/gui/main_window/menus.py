"""The menu of the window: every action, in groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from dqngui.gui.main_window.actions import RunActions
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.session.states import Action

THEMES: dict[themes.Setting, str] = {"system": "As the system", "dark": "Dark", "light": "Light"}
_RUN_GROUPS = (
    (Action.START, Action.PAUSE, Action.UNPAUSE, Action.STEP, Action.STEP_UPDATE, Action.STEP_EPISODE, Action.STOP),
    (Action.RESUME_RUN, Action.TRAIN_ON, Action.NEW_RUN, Action.TRUST),
    (Action.FORK, Action.START_DRAFT, Action.DISCARD_DRAFT),
    (Action.QUEUE,),
    (Action.SAVE, Action.UNDO_KNOB),
)


class MainMenu(QMenu):
    """Run, View and Help, opened from the header's button or with F10."""

    def __init__(self, actions: RunActions, parent: QWidget) -> None:
        super().__init__(parent)
        self._owner = parent
        self._icons: list[tuple[QAction, str]] = []
        self.run, self.view, self.help = self.addMenu("Run"), self.addMenu("View"), self.addMenu("Help")
        for group in _RUN_GROUPS:
            self.run.addActions([actions[name] for name in group])
            self.run.addSeparator()

    def add(self, menu: QMenu, text: str, icon: str, keys: str, tip: str, do: Callable[[], object]) -> QAction:
        """Add an entry, whose shortcut works in the whole window."""
        action = QAction(themes.icon(icon), text, self._owner)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.setToolTip(plain_tip(f"{tip} ({keys})" if keys else tip))
        action.triggered.connect(lambda: do())
        menu.addAction(action)
        self._owner.addAction(action)
        self._icons.append((action, icon))
        return action

    def add_themes(self, chosen: themes.Setting, choose: Callable[[themes.Setting], None]) -> None:
        """Add the choice of the theme."""
        group, menu = QActionGroup(self._owner), self.view.addMenu("Theme")
        for name, text in THEMES.items():
            action = QAction(text, self._owner, checkable=True, checked=name == chosen)
            action.setToolTip(f"Colours: {text.lower()}")
            action.triggered.connect(lambda _=False, name=name: choose(name))
            group.addAction(action)
            menu.addAction(action)
        self.view.addSeparator()

    def add_cards(self, shown: Iterable[QAction]) -> None:
        """Add entries that show or hide a card."""
        for action in shown:
            action.setToolTip(f"Show or hide: {action.text()}")
            self.view.addAction(action)
        self.view.addSeparator()

    def restyle(self, theme: Theme) -> None:
        for action, icon in self._icons:
            action.setIcon(themes.icon(icon))
