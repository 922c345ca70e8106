"""The axis over the steps of an episode, and the ticks of marked steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from dqngui.gui.charts.layout.axis import step_ticks
from dqngui.gui.charts.layout.text import Label, Letters
from dqngui.texts.numbers import short

TICK = 4.0  # pixels of a tick's height
NAMED_FROM = 200  # pixels; a narrower axis does not say that it counts steps


@dataclass(frozen=True, slots=True)
class StepScale:
    """Steps 0 … span − 1 as pixels.

    Attributes:
        place: where values are drawn, in pixels.
    """

    place: QRectF
    span: int

    def x_of(self, t: float) -> float:
        """Pixels from the left edge to the middle of a step."""
        return self.place.left() + (t + 0.5) / self.span * self.place.width()

    def xs_of(self, t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for many steps."""
        return self.place.left() + (t + 0.5) / self.span * self.place.width()

    def step_at(self, x: float) -> int:
        """The step under a pixel, known or not."""
        return int(np.floor((x - self.place.left()) / self.place.width() * self.span))

    def labels(self, width: float, letters: Letters, title: str | None) -> tuple[Label, ...]:
        """Numbers below the drawing of a chart `width` pixels wide, and the title below them; None: at their end."""
        top, right = self.place.bottom() + 2, width - 2.0
        placed: list[Label] = []
        if title is None and self.place.width() >= NAMED_FROM:
            wide = letters.width("step") + 2
            placed.append(Label(QRectF(right - wide, top, wide, letters.line), "step", "right"))
            right -= wide + 8
        for t in step_ticks(self.span, self.place.width()):
            text = short(t)
            wide = letters.width(text) + 2
            x = max(self.x_of(t) - wide / 2, 0.0)
            if x + wide > right:
                break
            placed.append(Label(QRectF(x, top, wide, letters.line), text, "center"))
        if title is not None:
            at = QRectF(self.place.left(), top + letters.line - 1, self.place.width(), letters.line)
            placed.append(Label(at, title, "center"))
        return tuple(placed)

    def marks(self, steps: npt.NDArray[np.int64]) -> tuple[QRectF, ...]:
        """Ticks at the top for steps (n,): one a column of pixels at most."""
        known = steps[steps < self.span].astype(np.float64)
        columns = np.unique(np.floor(self.xs_of(known))).tolist()
        return tuple(QRectF(x - 1, self.place.top(), 3, TICK) for x in columns)
