"""The menu of the Agent card for weights, exploration and episode."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.playback.agent_ref import WeightsChoice, source_name
from dqngui.lab.playback.player import Player

EPSILONS = (0.0, 0.05, 0.1, 0.25, 0.5)
HIGHEST_SEED = 2**31 - 1
_WEIGHT_TIPS: dict[WeightsChoice, str] = {
    "newest": "The newest weights of the training, taken at the start of each episode",
    "best": "The checkpoint that repeated evaluations chose",
    "last": "The checkpoint that was saved last",
}


def greediness(epsilon: float) -> str:
    """The text for a share of random actions."""
    return "greedy" if epsilon == 0 else f"ε {epsilon:g}"


class WeightsMenu(ChoiceButton):
    """A button that shows the choice; its menu is filled when it opens."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Weights, exploration and episode", parent)
        self._player: Player | None = None
        self.menu().setToolTipsVisible(True)
        self.menu().aboutToShow.connect(self._fill)
        self.seed_dialog: QInputDialog | None = None

    def attach(self, player: Player) -> None:
        """Set the player to control; called once."""
        self._player = player

    def show_player(self, player: Player) -> None:
        """Show the weights and the exploration."""
        episodes = player.episodes
        how = "as recorded" if episodes.plays_training_episode else greediness(episodes.epsilon)
        words = f"{player.client.source}, {how}"
        if words != self.full_text:
            self.show_text(words)
            self.setAccessibleDescription(words)

    # -- the menu ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        menu, player = self.menu(), self._player
        menu.clear()
        if player is None:
            return
        self._add_weights(menu, player)
        group = QActionGroup(menu)
        for epsilon in EPSILONS:
            text = "Greedy" if epsilon == 0 else f"ε {epsilon:g}: {100 * epsilon:.0f} % of actions at random"
            tip = (
                "Always the action of the highest value"
                if epsilon == 0
                else "Start the episode again with this share of random actions"
            )
            action = _entry(menu, text, tip, lambda epsilon=epsilon: player.episodes.set_epsilon(epsilon), group)
            action.setChecked(player.episodes.epsilon == epsilon)
        menu.addSeparator()
        new = _entry(menu, "New seed", "Begin an episode with a new seed", lambda: player.episodes.next_episode())
        new.setIcon(themes.icon("dice-5-outline", "muted"))
        new.setText("New seed\tN")
        _entry(menu, "Type a seed…", "Play the episode of a certain seed", self.ask_seed)
        again = _entry(menu, "Play from the start", "This episode again, from its first step", lambda: _replay(player))
        again.setIcon(themes.icon("restart", "muted"))
        repeat = _entry(
            menu, "Repeat episode", "At its end start the same episode again, not the next one", lambda: None
        )
        repeat.setCheckable(True)
        repeat.setChecked(player.episodes.repeats)
        repeat.toggled.connect(player.episodes.set_repeats)

    def _add_weights(self, menu: QMenu, player: Player) -> None:
        group, stored = QActionGroup(menu), QMenu("Stored checkpoint", menu)
        stored.setIcon(themes.icon("history", "muted"))
        stored.setToolTipsVisible(True)
        for choice in player.client.choices:
            steps = isinstance(choice, int)
            text = f"{choice:,} steps" if steps else source_name(choice).capitalize()
            tip = "The weights of this step" if steps else _WEIGHT_TIPS[choice]
            action = _entry(stored if steps else menu, text, tip, lambda choice=choice: player.choose(choice), group)
            action.setChecked(choice == player.client.choice)
        if not stored.isEmpty():
            menu.addMenu(stored)
        menu.addSeparator()

    def ask_seed(self) -> None:
        """Open a dialog for the seed of the next episode."""
        player = self._player
        if player is None:
            return
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Episode of a seed")
        dialog.setLabelText("Seed of the episode:")
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setIntRange(0, HIGHEST_SEED)
        if player.playing is not None:
            dialog.setIntValue(player.playing.seed)
        dialog.intValueSelected.connect(player.episodes.next_episode)
        dialog.open()
        self.seed_dialog = dialog


def _entry(menu: QMenu, text: str, tip: str, do: object, group: QActionGroup | None = None) -> QAction:
    action = menu.addAction(text)
    action.setToolTip(plain_tip(tip))
    action.triggered.connect(lambda: do())  # type: ignore[operator]
    if group is not None:
        action.setCheckable(True)
        group.addAction(action)
    return action


def _replay(player: Player) -> None:
    """Play the same episode from its start."""
    player.seek(0)
    player.play()
