"""The row of player controls: play, pause, single steps and a scrubber."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSlider, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.number_label import NumberLabel
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player

HANDLE = 12  # pixels
SHORTEST = 64


@dataclass(frozen=True, slots=True)
class ScrubberDrawn:
    """The model of a scrubber: the steps of an episode along a rail.

    Attributes:
        width, height: of the whole scrubber, in pixels.
        span: the step at the rail's right end.
        known: number of known steps.
        step: the step of the handle.
    """

    width: float
    height: float
    span: int
    known: int
    step: int

    @property
    def open(self) -> bool:
        """Whether the episode continues, so that the rail is longer than the known steps."""
        return self.span > self.known

    def x_of(self, step: int) -> float:
        """Pixels from the left edge to a step."""
        return HANDLE / 2 + (self.width - HANDLE) * step / max(1, self.span)

    def step_at(self, x: float) -> int:
        """The step nearest to a pixel, known or not."""
        return max(round((x - HANDLE / 2) / max(1, self.width - HANDLE) * self.span), 0)

    def rail_to(self, step: int) -> QRectF:
        """The rail from its left end to a step."""
        return QRectF(HANDLE / 2, self.height / 2 - 2, max(self.x_of(step) - HANDLE / 2, 0.0), 4)


class Scrubber(QAbstractSlider):
    """A slider over an episode's steps that shows how far they are known.

    While an episode continues, the range is longer than the known steps and grows by doubling.

    Attributes:
        drawn: where rail and handle are.

    Signals:
        sought(int): the user chose a step with mouse or key.
        held(bool): the mouse pressed the handle, or released it.
    """

    sought = Signal(int)
    held = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that Qt does not redraw the card behind it
        self.setAccessibleName("Step of the episode")
        self.setToolTip("Step of the episode: drag, or press ← → for single steps, Home and End")
        self.setPageStep(10)
        self._known = 0
        self.actionTriggered.connect(lambda _: self.sought.emit(self.sliderPosition()))

    def sizeHint(self) -> QSize:
        return QSize(120, 22)

    def minimumSizeHint(self) -> QSize:
        return QSize(36, 22)

    def show_step(self, t: int, known: int, ended: bool) -> None:
        """Put the handle at step t of an episode with `known` steps."""
        span = SHORTEST
        while span < known + 1:
            span *= 2
        self._known = known
        blocked = self.blockSignals(True)
        self.setRange(0, max(known, 1) if ended else span)
        if not self.isSliderDown():
            self.setValue(t)
        self.blockSignals(blocked)
        self.update()

    @property
    def drawn(self) -> ScrubberDrawn:
        """The model of rail and handle at the present size."""
        return ScrubberDrawn(self.width(), self.height(), self.maximum(), self._known, self.sliderPosition())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = themes.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        drawn, on = self.drawn, self.isEnabled()
        for end, color in (
            (drawn.span, theme.color("line")),
            (drawn.known, theme.mixed("muted", 0.5)),
            (drawn.step, theme.color("accent") if on else theme.mixed("muted", 0.5)),
        ):
            painter.setBrush(color)
            painter.drawRoundedRect(drawn.rail_to(end), 2, 2)
        if on:
            painter.setBrush(theme.color("accent" if self.hasFocus() or self.isSliderDown() else "text"))
            painter.drawEllipse(QPointF(drawn.x_of(drawn.step), self.height() / 2), HANDLE / 2, HANDLE / 2)

    # -- mouse -------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.held.emit(True)
            self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown() and event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            self.held.emit(False)

    def _follow(self, event: QMouseEvent) -> None:
        drawn = self.drawn
        last = max(drawn.known - 1, 0) if drawn.open else drawn.known  # the rest of the range is only an estimate
        step = min(drawn.step_at(event.position().x()), last)
        self.setSliderPosition(step)
        self.update()
        self.sought.emit(step)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # so that the scroll area around the card scrolls


class Transport(QWidget):
    """Previous step, play or pause, next step, scrubber, `132 / 500`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player: Player | None = None
        self._held_paused = False
        self.back = _button("Previous step (←)", "Previous step")
        self.toggle = _button("Play", "Play")
        self.forth = _button("Next step (→)", "Next step")
        self.scrubber = Scrubber()
        self.place = NumberLabel("000 / 000+", right=True)
        self.place.setToolTip("Shown step / steps of the episode; + while the episode continues")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for widget in (self.back, self.toggle, self.forth):
            row.addWidget(widget)
        row.addSpacing(4)
        row.addWidget(self.scrubber, 1)
        row.addSpacing(4)
        row.addWidget(self.place)
        self.restyle(themes.current())

    def attach(self, player: Player) -> None:
        """Set the player to control; called once."""
        self._player = player
        self.back.clicked.connect(lambda: player.step(-1))
        self.toggle.clicked.connect(player.toggle)
        self.forth.clicked.connect(lambda: player.step(1))
        self.scrubber.sought.connect(player.seek)
        self.scrubber.held.connect(self._on_held)

    def _on_held(self, held: bool) -> None:
        """Pause while the handle is held; afterwards restore the former state."""
        player = self._player
        if player is None:
            return
        if held:
            self._held_paused = player.paused
            player.pause()
        elif not self._held_paused:
            player.play()

    def show_step(self, playing: PlayedEpisode | None, t: int) -> None:
        """Update handle and step number."""
        if playing is None:
            self.place.show_text("")
            self.scrubber.show_step(0, 0, False)
            return
        known = max(playing.length, t)
        self.scrubber.show_step(t, known, playing.ended)
        self.place.show_text(f"{t:,} / {known:,}{'' if playing.ended else '+'}")

    def show_player(self, player: Player) -> None:
        """Show whether the player plays or is paused."""
        paused = player.paused
        self.toggle.setIcon(themes.icon("play" if paused else "pause"))
        self.toggle.setToolTip("Play (Space)" if paused else "Pause (Space)")
        self.toggle.setAccessibleName("Play the episode" if paused else "Pause the episode")
        self.setEnabled(player.playing is not None and not player.problem)

    def restyle(self, theme: Theme) -> None:
        self.back.setIcon(themes.icon("step-backward"))
        self.forth.setIcon(themes.icon("step-forward"))
        if self._player is not None:
            self.show_player(self._player)
        else:
            self.toggle.setIcon(themes.icon("play"))


def _button(tip: str, name: str) -> QToolButton:
    button = QToolButton()
    button.setToolTip(tip)
    button.setAccessibleName(name)
    button.setIconSize(QSize(18, 18))
    button.setFixedSize(28, 26)
    return button
