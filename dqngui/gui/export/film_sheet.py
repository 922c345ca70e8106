"""A frame of an exported film: the environment's picture with panels next to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from dqngui.gui.cards.card import Card
from dqngui.gui.cards.panel import Panel
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.charts.trace import Series, Trace
from dqngui.gui.charts.value_ranges import episode_span
from dqngui.gui.scene.attention_lines import paint_lines
from dqngui.gui.scene.entity_marks import paint_rings
from dqngui.gui.scene.frame_drawn import entity_rings
from dqngui.gui.scene.head_legend import HeadLegend
from dqngui.gui.scene.lines_drawn import lines_drawn
from dqngui.gui.scene.observation_view import ObservationView
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import GAP
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.analysis.attention_lines import NO_LINES, attention_lines, head_count
from dqngui.lab.analysis.overlay import NO_MARKS, Numbers, WeightsOverlay
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.step_descriptions import notes_in
from dqngui.texts.numbers import measured

SIZE = QSize(1280, 720)
VALUES_HEIGHT = 150
MOST_CURVES = 4


class FilmSheet(QWidget):
    """A widget outside the screen, laid out once per episode and rendered for each step.

    Args:
        playing: the whole episode.
        panels: panels to draw on the right, if the agent has such views; the sheet becomes their owner.
        sees: draw the observation next to the picture, with `overlay` on it and on entities in the picture.
        lines: draw lines of attention in the picture, if the agent has them.

    Attributes:
        sees: whether the observation is drawn, as given or because the environment has no picture.
        needs_descriptions: whether descriptions of steps are needed to draw.
    """

    def __init__(
        self,
        playing: PlayedEpisode,
        panels: Sequence[Panel],
        *,
        sees: bool = False,
        overlay: WeightsOverlay | None = None,
        lines: bool = False,
    ) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        self.setFixedSize(SIZE)
        self._playing = playing
        self.picture, self.observation = _Picture(self), ObservationView(self)
        ready = playing.ready
        self.sees, self._overlay = sees or bool(ready.no_picture), overlay
        marks = overlay is not None and ready.entities is not None and not ready.no_picture
        self._heads, self.legend = head_count(ready) if lines else 0, HeadLegend(self)
        self.legend.setVisible(self._heads > 0)
        described = self.sees and (ready.observed_size is not None or bool(ready.texts) or marks)
        self.needs_descriptions = described or self._heads > 0
        self.observation.setVisible(self.sees)
        self.picture.setVisible(not playing.ready.no_picture)
        self.caption, self.agent = plain_label(parent=self), plain_label(parent=self)
        themes.set_role(self.agent, "muted")
        self._values = Trace(self)
        left = QVBoxLayout()
        left.setSpacing(GAP)
        scene = Card(playing.ready.environment, self._scene())
        scene.set_note(f"seed {playing.seed}" + (f" · ε {playing.epsilon:g}" if playing.epsilon else ""))
        left.addWidget(scene, 1)
        values = Card("Action values", self._values)
        values.setFixedHeight(VALUES_HEIGHT)
        left.addWidget(values)
        columns = QHBoxLayout(self)
        columns.setContentsMargins(GAP, GAP, GAP, GAP)
        columns.setSpacing(GAP)
        columns.addLayout(left, 5)
        self.panels = [panel for panel in panels if self._draws(panel)]
        if self.panels:
            right = QVBoxLayout()
            right.setSpacing(GAP)
            for panel in self.panels:
                right.addWidget(card_of(panel, menu=False), 1)
            columns.addLayout(right, 4)
        self.show()  # lays it out without a screen
        for panel in self.panels:
            panel.take_views(playing)
            panel.refresh()
        self._draw_values()
        if self.sees and not self.picture.isHidden():
            self._draw_observation(0, None, alone=False)  # the remaining space decides the size of the picture

    def _scene(self) -> QWidget:
        body = QWidget(self)
        column = QVBoxLayout(body)
        column.setContentsMargins(GAP, 0, GAP, GAP)
        ready = self._playing.ready
        beside = ready.observed_size is not None or bool(ready.texts)  # lines alone fit below the picture
        direction = QBoxLayout.Direction
        both = QBoxLayout(direction.LeftToRight if beside else direction.TopToBottom)
        both.setSpacing(GAP)
        both.addWidget(self.picture, 3)
        both.addWidget(self.observation, 2)
        column.addLayout(both, 1)
        column.addWidget(self.legend)
        line = QHBoxLayout()
        line.addWidget(self.caption, 1)  # wide enough for every step, so that the layout never changes
        line.addWidget(self.agent)
        column.addLayout(line)
        return body

    def _draws(self, panel: Panel) -> bool:
        return any(fnmatch(name, pattern) for name in self._playing.views for pattern in panel.views)

    def _draw_values(self) -> None:
        playing = self._playing
        best, names = playing.best_value, playing.option_names
        q = np.where(np.isneginf(playing.legal_q), np.nan, playing.q)  # illegal actions leave gaps in their lines
        if q.shape[1] <= MOST_CURVES:
            series = [Series(names[a], f"series{a}", q[:, a]) for a in range(q.shape[1])]
        else:
            series = [Series("highest", "series0", best), Series("mean", "series1", np.nanmean(q, axis=1))]
        finite = q[np.isfinite(q)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        self._values.set_span(episode_span(playing.length, ended=True))
        self._values.draw("", series, (low, max(high, low + 1e-6)))
        self._values.set_gutter(self._values.gutter_wanted, True)

    def _draw_observation(self, t: int, description: Mapping[str, Any] | None, *, alone: bool) -> None:
        """Draw the observation; below a picture it gets only the height of its lines."""
        playing, overlay = self._playing, self._overlay
        laid = None if overlay is None else overlay.at(playing, t)
        self.picture.set_marks(NO_MARKS if laid is None else laid.marks(t, description or {}))
        caption = "" if laid is None or overlay is None else overlay.words(playing.ready)
        self.observation.show_step(playing, t, description, laid, caption=caption, alone=alone)
        wanted = None if alone else self.observation.wanted_height
        if wanted is not None and self.observation.maximumHeight() != wanted:
            self.observation.setMaximumHeight(wanted)
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # at once: it is rendered now

    def render_step(self, t: int, image: QImage | None, description: Mapping[str, Any] | None = None) -> QImage:
        """The sheet at step t, with the environment's picture, and what the agent sees as `description` has it."""
        playing = self._playing
        last = min(t, playing.length - 1)
        for panel in self.panels:
            panel.follow(last)
        self._values.follow(last)
        if image is not None:
            self.picture.show_image(image)
        if self.picture.isHidden() == (image is not None):
            self.picture.setVisible(image is not None)
            self.observation.setVisible(self.sees or image is None)
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # at once: it is rendered now
        if not self.observation.isHidden():
            self._draw_observation(t, description, alone=image is None)
        if self._heads:
            self.picture.set_lines(attention_lines(playing, t, description or {}))
            self.legend.show_step(self._heads, notes_in(dict(description or {})))
        ret = float(playing.reward[:t].sum())
        doing = playing.action_name(t) if t < playing.length else "end"
        self.caption.setText(f"step {t:,} of {playing.length:,} · return {measured(ret)} · {doing}")
        self.agent.setText(f"trained for {playing.weights_step:,} steps")
        sheet = QImage(SIZE, QImage.Format.Format_RGB888)
        sheet.fill(themes.current().color("background"))
        painter = QPainter(sheet)
        self.render(painter, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
        painter.end()
        return sheet


class _Picture(QWidget):
    """The environment's picture, as large as it fits."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._marks, self._lines = NO_MARKS, NO_LINES

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def set_marks(self, marks: Numbers) -> None:
        self._marks = marks
        self.update()

    def set_lines(self, lines: Numbers) -> None:
        self._lines = lines
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            return
        painter = QPainter(self)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(QRectF(self.rect()).center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)
        if len(self._marks):
            paint_rings(painter, place, entity_rings(place, self._marks))
        if len(self._lines):
            paint_lines(painter, place, lines_drawn(place, self._lines))
