"""A line on the agent's picture while a substitute is shown because the picture of the step is being drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QWidget

from dqngui.lab.playback.player import Player

EDGE = 8  # pixels between the line and the picture's corner


class DrawingNote(QLabel):
    """Names the step being drawn, while the picture of another one is shown in its place."""

    def __init__(self, picture: QWidget) -> None:
        super().__init__(picture)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName("readout")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.move(EDGE, EDGE)
        self.hide()
        self._player: Player | None = None

    def attach(self, player: Player) -> None:
        """Set the player; called once."""
        self._player = player
        player.framed.connect(self._on_framed)

    @Slot(object, int)
    def _on_framed(self, frame: object, t: int) -> None:
        step = self._player.frames.substitute_step if self._player is not None else None
        if step is not None:
            self.setText(f"Drawing step {t:,}…")
            self.adjustSize()
        self.setVisible(step is not None)
