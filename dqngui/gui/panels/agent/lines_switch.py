"""The switch of the Agent card for lines of attention in the picture, and what it draws there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from dqngui.gui.scene.frame import FrameView
from dqngui.gui.scene.head_legend import HeadLegend
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.analysis.attention_lines import NO_LINES, attention_lines, head_count
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.step_descriptions import notes_in
from dqngui.texts import say, words


class LinesSwitch(QToolButton):
    """Switches the lines from the agent's own entity to those that it attends to; visible if the agent has such lines.

    Attributes:
        legend: the line below the picture, visible with the lines.
        drawn: whether lines are drawn now: the agent has them, and they are switched on.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.legend = HeadLegend()
        self._heads = 0
        self.setCheckable(True)
        self.setChecked(True)
        self.setIconSize(QSize(18, 18))
        self.setFixedSize(28, 26)
        self.setAccessibleName(words(say("lines.switch")))
        self.setToolTip(plain_tip(words(say("lines.tip"))))
        self.toggled.connect(self._show)
        self._show()

    @property
    def drawn(self) -> bool:
        return self._heads > 0 and self.isChecked()

    def offer_for(self, playing: PlayedEpisode | None) -> bool:
        """Show the switch if this episode's agent has lines; returns whether that has changed what is drawn."""
        heads = 0 if playing is None else head_count(playing.ready)
        if heads == self._heads:
            return False
        before, self._heads = self.drawn, heads
        self._show()
        return before != self.drawn

    def _show(self) -> None:
        self.setVisible(self._heads > 0)
        self.legend.setVisible(self.drawn)
        self.restyle(themes.current())

    def draw(self, frame: FrameView, playing: PlayedEpisode, t: int, description: Mapping[str, Any]) -> None:
        """Draw the lines of step t into its picture, with its description."""
        frame.set_lines(attention_lines(playing, t, description) if self.drawn else NO_LINES)
        if self.drawn:
            self.legend.show_step(self._heads, notes_in(dict(description)))

    def restyle(self, theme: Theme) -> None:
        self.setIcon(themes.icon("ray-start-arrow", "accent" if self.drawn else "text"))
