"""A line over the agent's picture while another step's picture stands in for one that is still being drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QWidget

from dqngui.lab.playback.player import Player

EDGE = 8  # pixels between the line and the picture's corner


class DrawingNote(QLabel):
    """Says which step is being drawn, and which one is seen instead; hidden while they are the same."""

    def __init__(self, picture: QWidget) -> None:
        super().__init__(picture)
        self.setObjectName("readout")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.move(EDGE, EDGE)
        self.hide()
        self._player: Player | None = None

    def attach(self, player: Player) -> None:
        """Speak of what this player draws."""
        self._player = player
        player.framed.connect(self._on_framed)

    @Slot(object, int)
    def _on_framed(self, frame: object, t: int) -> None:
        step = self._player.frames.substitute_step if self._player is not None else None
        if step is not None:
            self.setText(f"drawing step {t:,}…" + (f" this is step {step:,}" if step != t else ""))
            self.adjustSize()
        self.setVisible(step is not None)
