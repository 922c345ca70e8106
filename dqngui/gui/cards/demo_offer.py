"""A button in empty panels that opens the shipped demo run."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QPushButton

from dqngui.gui.cards.panel import Panel, Sources
from dqngui.lab.playback.agent_ref import demo_run
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import ACTIVE


def offer_demo(panel: Panel, sources: Sources) -> QPushButton | None:
    """Add a button that opens the demo run read-only; None if the demo run is missing.

    It is hidden while a run trains, since no other run can be opened then.
    """
    folder = demo_run()
    if folder is None:
        return None
    button = panel.offer(
        "Open the demo run", "folder-open-outline", "Look at a trained agent and its curves", lambda: open_demo(sources)
    )
    _HiddenInTraining(button, sources.session)
    return button


class _HiddenInTraining(QObject):
    """Hides a button while a run trains; a child of the button, so that its connection ends with the button."""

    def __init__(self, button: QPushButton, session: Session) -> None:
        super().__init__(button)
        self._button, self._session = button, session
        session.changed.connect(self.update)
        self.update()

    @Slot()
    def update(self) -> None:
        self._button.setVisible(self._session.state not in ACTIVE)


def open_demo(sources: Sources) -> None:
    """Open the demo run; while another run trains, the session shows why that is not possible."""
    folder = demo_run()
    if folder is not None:
        sources.session.open_stored(folder)
