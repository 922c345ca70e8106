"""The comparison of two episodes: actions and curves over the steps, pictures and action values of the shown step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.charts.trace import Series
from dqngui.gui.charts.value_ranges import episode_span
from dqngui.gui.panels.whatif.paired_charts import SIDES, ActionStrip, Marks, PairedBars, PairedTrace
from dqngui.gui.scene.frame import FrameView
from dqngui.gui.scene.observation_view import ObservationView
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.lab.analysis.compare_episodes import Comparison
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.texts.numbers import measured

WIDE_PX = 640  # width from which the pictures stand beside the curves
PICTURES_PX, CURVES_PX = 330, 150  # heights from which a narrow view has pictures, and its second curve
WIDE_PICTURES_PX = 240  # height from which a wide view has pictures, not only action values


class ComparisonView(QWidget):
    """Draws two episodes over each other, up to the steps that are known.

    Attributes:
        names: short names of the two episodes.

    Signals:
        stepped(int): the user asks to show this step.
    """

    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.names = ("original", "changed")
        self.strip, self.values, self.returns = ActionStrip(self), PairedTrace(self), PairedTrace(self)
        self.values.setAccessibleName("Highest action value in both episodes")
        self.returns.setAccessibleName("Return so far in both episodes")
        self.pictures = (EpisodePicture(SIDES[0]), EpisodePicture(SIDES[1]))
        self.bars = PairedBars()
        self._episodes: tuple[PlayedEpisode | None, PlayedEpisode | None] = (None, None)
        curves = QVBoxLayout()
        curves.setSpacing(4)
        for canvas, share in ((self.strip, 3), (self.values, 6), (self.returns, 6)):
            curves.addWidget(canvas, share)
            canvas.setMinimumHeight(max(40, canvas.minimumHeight()))
            canvas.setAccessibleDescription("A click shows that step")
            canvas.stepped.connect(lambda t, y: self.stepped.emit(t))
        self._frames = QWidget()
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._frames)
        self._pair.setContentsMargins(0, 0, 0, 0)
        self._pair.setSpacing(6)
        for picture in self.pictures:
            self._pair.addWidget(picture, 1)
        self._beside = QWidget()
        side = QVBoxLayout(self._beside)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(6)
        side.addWidget(self._frames, 1)
        side.addWidget(self.bars)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        self._box.addLayout(curves, 5)
        self._box.addWidget(self._beside, 4)

    # -- drawing -----------------------------------------------------------------------------------

    def draw(
        self, one: PlayedEpisode | None, other: PlayedEpisode | None, comparison: Comparison | None, changed: int | None
    ) -> None:
        """Show both episodes, which may be empty; `changed` is the first changed step."""
        self._episodes = one, other
        known = [playing for playing in (one, other) if playing is not None and playing.q.ndim == 2]
        if not known:
            return
        length = max(playing.length for playing in known)
        span = episode_span(length, all(playing.ended for playing in known))
        marks = Marks(changed, comparison.diverges if comparison is not None else None)
        labels = list(known[0].option_names) or known[0].labels("action", known[0].q.shape[1])
        several = known[0].several
        actions = [playing.action for playing in known]
        if several is not None:  # the first choice alone
            labels, actions = labels[: several.sizes[0]], [several.split(action)[:, 0] for action in actions]
        self.strip.names = self.names
        value_name = known[0].ready.output_kind
        for canvas in (self.strip, self.values, self.returns):
            canvas.set_span(span)
        self.strip.draw(actions, labels, marks)
        self._draw_curves(self.values, f"highest {value_name}", [playing.best_value for playing in known], marks)
        self._draw_curves(self.returns, "return so far", [np.cumsum(playing.reward) for playing in known], marks)
        self._align()

    def _draw_curves(
        self, trace: PairedTrace, caption: str, curves: Sequence[npt.NDArray[np.floating]], marks: Marks
    ) -> None:
        series = [
            Series(name, token, curve.astype(np.float32), dashed=bool(index))
            for index, (name, token, curve) in enumerate(zip(self.names, SIDES, curves, strict=False))
        ]
        finite = np.concatenate([curve[np.isfinite(curve)] for curve in curves])
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if high - low < 1e-6:
            low, high = low - 0.5, high + 0.5
        trace.marks = marks
        trace.draw(caption, series, (low, high))

    def _align(self) -> None:
        canvases: list[StepCanvas] = [self.strip, self.values, self.returns]
        shown = [canvas for canvas in canvases if not canvas.isHidden()]
        gutter = max(canvas.gutter_wanted for canvas in shown)
        for canvas in shown:
            canvas.set_gutter(gutter, canvas is shown[-1])

    def follow(self, t: int) -> None:
        """Show step t of both, or their last step."""
        one, other = self._episodes
        for canvas in (self.strip, self.values, self.returns):
            canvas.follow(t)
        if not self.bars.isHidden():
            self.bars.show_step(one, other, t)
        for picture, name, playing in zip(self.pictures, self.names, self._episodes, strict=True):
            picture.show_text(name, playing, t)

    # -- size --------------------------------------------------------------------------------------

    @property
    def draws_pictures(self) -> bool:
        """Whether there is room for the environment's pictures."""
        return not self._beside.isHidden() and not self._frames.isHidden()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= WIDE_PX
        direction = QBoxLayout.Direction
        self._box.setDirection(direction.LeftToRight if wide else direction.BottomToTop)
        tall = wide and self.height() - self.bars.sizeHint().height() >= self.width() * 4 // 10
        self._pair.setDirection(direction.TopToBottom if tall else direction.LeftToRight)
        self._beside.setVisible(wide or self.height() >= PICTURES_PX)
        self._frames.setVisible(not wide or self.height() >= WIDE_PICTURES_PX)
        self.returns.setVisible(self.height() >= CURVES_PX or wide)
        if self.strip.length:
            self._align()

    def restyle(self, theme: Theme) -> None:
        for canvas in (self.strip, self.values, self.returns):
            canvas.restyle(theme)
        self.bars.update()
        for picture in self.pictures:
            picture.restyle()


class EpisodePicture(QWidget):
    """The picture of one of the two episodes, below its name and its return so far."""

    def __init__(self, token: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token = token
        self.caption, self.frame, self.observation = ElidedLabel(), FrameView(), ObservationView()
        self._pages = QStackedWidget()
        for page in (self.frame, self.observation):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.caption)
        column.addWidget(self._pages, 1)
        themes.set_role(self.caption, "secondary")

    def show_image(self, image: QImage | None, playing: PlayedEpisode | None, t: int) -> None:
        """Show the picture of step t; if the environment draws none, the observation as numbers."""
        numbers = image is None and playing is not None and bool(playing.ready.no_picture) and playing.length > 0
        if numbers and playing is not None:
            self.observation.show_step(playing, min(t, playing.length - 1), alone=not playing.ready.features)
        else:
            self.frame.set_image(image)
        self._pages.setCurrentWidget(self.observation if numbers else self.frame)

    def show_text(self, name: str, playing: PlayedEpisode | None, t: int) -> None:
        """Show the episode's name and its return before step t."""
        if playing is None or not playing.length:
            self.caption.setText(name)
            return
        ret = float(playing.reward[:t].sum())
        end = " · ended" if playing.ended and t >= playing.length else ""
        self.caption.setText(f"{name} · return {measured(ret)}{end}")

    def restyle(self) -> None:
        self.frame.update()
        self.observation.update()
