"""The window's player: a process that plays the agent, its clock, and the episode it plays."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from dqngui.config import Experiment
from dqngui.gui.playing import Playing


class Player(QObject):
    """Plays episode after episode of one agent, at a speed, and holds the step that is shown.

    Signals:
        changed: agent, speed, pause, seed, ε or a problem changed; controls look again.
        grew(Playing | None): the episode has more steps, or is another one, or there is none.
        moved(int): another step t is shown.
        framed(QImage | None, int): the picture of step t.
    """

    changed = Signal()
    grew = Signal(object)
    moved = Signal(int)
    framed = Signal(object, int)

    playing: Playing | None = None
    frame: QImage | None = None

    def open(self, *, experiment: Experiment | None = None, folder: Path | None = None, source: str = "") -> None:
        """Play another agent: of a stored run, or of a running one whose weights come with `use_weights`."""
        raise NotImplementedError
