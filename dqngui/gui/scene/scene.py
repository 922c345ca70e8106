"""The environment's picture and what the agent sees, side by side or above each other, whichever is larger."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from dqngui.gui.scene.frame import FrameView
from dqngui.gui.scene.observation_view import ObservationView

WIDE = 1.15  # width / height from which two pictures stand side by side

UNBOUND = 16_777_215  # Qt's QWIDGETSIZE_MAX


class Scene(QWidget):
    """The environment's picture, what the agent sees, or both."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.frame, self.observation = FrameView(), ObservationView()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(6)
        self._box.addWidget(self.frame, 1)
        self._box.addWidget(self.observation, 1)
        self.show_parts(picture=True, observation=False)

    def show_parts(self, *, picture: bool, observation: bool) -> None:
        """Show the environment's picture, what the agent sees, or both."""
        for widget, shown in ((self.frame, picture), (self.observation, observation)):
            if widget.isHidden() == shown:
                widget.setVisible(shown)

    def fit(self) -> None:
        """Limit the height of the observation below a picture to that of its lines."""
        below = self._box.direction() == QBoxLayout.Direction.TopToBottom and not self.frame.isHidden()
        wanted = self.observation.wanted_height if below else None
        most = UNBOUND if wanted is None else max(wanted, self.observation.minimumSizeHint().height())
        if self.observation.maximumHeight() != most:
            self.observation.setMaximumHeight(most)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 60)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() > WIDE * self.height()
        direction = QBoxLayout.Direction
        wanted = direction.LeftToRight if wide else direction.TopToBottom
        if self._box.direction() != wanted:
            self._box.setDirection(wanted)
        self.fit()
