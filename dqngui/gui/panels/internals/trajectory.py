"""Draws the memory state as a path in its first two principal components, with earlier episodes in the same axes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from dqngui.gui.charts.layout.path import Colouring
from dqngui.gui.charts.path import Path
from dqngui.gui.charts.value_ranges import episode_span
from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.analysis.pca import Projection
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.texts.numbers import measured, short

KEPT = 5  # earlier episodes
SHADES = 32  # of time
COLOURS = {"time": "by time", "reward": "by reward", "action": "by action"}


class Trajectory(QWidget):
    """The path, the choice of its colours, and the option to keep the axes for later episodes.

    Attributes:
        colour: one of `COLOURS`.
        keeps_axes: whether the axes of one episode are kept, and later episodes drawn in them.
        projection: the axes, and the episode's states in them.

    Signals:
        stepped(int): a step of the path was clicked.
        again: the path must be redrawn.
    """

    stepped = Signal(int)
    again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colour, self.keeps_axes = "time", False
        self.path = Path(self)
        self.path.setAccessibleName("Path of the memory over the episode")
        self.path.setAccessibleDescription("A click shows the nearest step")
        self.path.stepped.connect(self.stepped)
        self.path.step_words = self._step_in_words
        self.colours = ChoiceButton("Colours of the path", self)
        self.colours.offer(COLOURS, self.colour, self.colour_by)
        self.keep = QToolButton(self)
        self.keep.setCheckable(True)
        self.keep.setIconSize(QSize(16, 16))
        self.keep.setAccessibleName("Keep the axes for the next episodes")
        help = f"Keep the axes of this episode for the next ones, and the last {KEPT} episodes as faint lines, "
        self.keep.setToolTip(plain_tip(f"{help}so that episodes can be compared"))
        self.keep.toggled.connect(self.keep_axes)
        self.note = ElidedLabel("", self)
        themes.set_role(self.note, "muted")
        line = QHBoxLayout()
        line.setContentsMargins(6, 0, 6, 0)
        line.setSpacing(6)
        for widget, stretch in ((self.colours, 0), (self.keep, 0), (self.note, 1)):
            line.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.path, 1)
        self.projection = Projection()
        self._playing: PlayedEpisode | None = None
        self._of = ""
        self._axes_name = ""  # name of the episode of the kept axes
        self._past: list[tuple[tuple[int, int], npt.NDArray[np.float32]]] = []  # seed and weights of each
        self.restyle(themes.current())

    # -- user actions ------------------------------------------------------------------------------

    def colour_by(self, key: str) -> None:
        """Colour the path by one of `COLOURS`."""
        self.colour = key
        self.colours.set_chosen(key)
        self.again.emit()

    def keep_axes(self, keeps_axes: bool) -> None:
        """Keep the present axes for later episodes, or fit new axes to every episode."""
        if keeps_axes != self.keeps_axes:
            self.keeps_axes = keeps_axes
            self.keep.setChecked(keeps_axes)
            self._past = []
            if not keeps_axes and self._axes_name:
                self.projection, self._axes_name = Projection(), ""
            self.again.emit()

    # -- drawing -----------------------------------------------------------------------------------

    def draw(self, playing: PlayedEpisode, name: str, states: npt.NDArray[np.float32]) -> bool:
        """Draw the known states (steps, D) of a view; returns whether there is more to compute."""
        if playing is not self._playing or name != self._of:
            self._begin(playing, name)
        more = self.projection.take(states, playing.ended)
        axes = self.projection.axes
        titles = ("", "") if axes is None else tuple(f"PC {n + 1} · {100 * axes.shares[n]:.0f} %" for n in (0, 1))
        past = [places for _, places in self._past]
        waiting = "A path appears after a few steps." if len(states) < 8 and not playing.ended else ""
        unmoved = "This view did not change in this episode, so there is no path."
        empty = "" if axes is not None else waiting or unmoved
        self.path.draw(self.projection.places, self._colouring(playing), (titles[0], titles[1]), past, empty)
        self._show_axes_note(playing)
        return more

    def _begin(self, playing: PlayedEpisode, name: str) -> None:
        """Begin another episode, in the kept axes or in its own."""
        before, axes = self._playing, self.projection.axes
        same = before is not None and before.ready == playing.ready and name == self._of
        if self.keeps_axes and same and before is not None and axes is not None:
            was, now = ((each.seed, each.weights_step) for each in (before, playing))
            self._past = [(who, places) for who, places in self._past if who not in (was, now)]
            if was != now:
                self._past = [*self._past, (was, self.projection.places)][-KEPT:]
            self._axes_name = self._axes_name or _named(before)
            self.projection = Projection(axes)
        else:
            self._past, self._axes_name, self.projection = [], "", Projection()
        self._playing, self._of = playing, name

    def _show_axes_note(self, playing: PlayedEpisode) -> None:
        axes = self.projection.axes
        if not self.keeps_axes or axes is None:
            self.note.setText("")
        elif not self._axes_name:
            self.note.setText("axes kept for later episodes")
        else:
            self.note.setText(
                f"axes of {self._axes_name}"
                + (f"; {counted(len(self._past), 'earlier episode')} faint" if self._past else "")
            )
        steps = "" if axes is None else f", fitted to {axes.steps:,} steps"
        self.note.setToolTip(
            f"Axes of {self._axes_name or _named(playing)}{steps}; faint: the episodes before this one"
        )

    def _colouring(self, playing: PlayedEpisode) -> Colouring:
        known = len(self.projection.places)
        if self.colour == "action":
            names = playing.option_names or tuple(f"action {n + 1}" for n in range(playing.q.shape[-1]))
            action, several = playing.action[:known], playing.several
            if several is not None:  # the first choice alone
                names, action = names[: several.sizes[0]], several.split(action)[:, 0]
            series = tuple(f"series{n}" for n in range(len(names)))
            colors = series if len(names) <= 4 else _ramp(len(names))
            return Colouring(colors, np.clip(action, 0, len(names) - 1).astype(np.intp), names)
        if self.colour == "reward":
            reward = playing.reward[:known]
            most = float(np.abs(reward[np.isfinite(reward)]).max(initial=0.0)) or 1.0
            place = np.nan_to_num(reward / most * 8).round().astype(np.intp) + 8
            return Colouring(_signed(), np.clip(place, 0, 16), (short(-most), short(most)))
        span = episode_span(playing.length, playing.ended)
        index = np.arange(known, dtype=np.intp) * SHADES // max(span, 1)
        return Colouring(_ramp(SHADES), np.minimum(index, SHADES - 1), ("step 0", f"{span - 1:,}"))

    def _step_in_words(self, t: int) -> str:
        playing, places = self._playing, self.projection.places
        if playing is None or t >= min(len(places), playing.length):
            return f"t {t}"
        did = playing.action_name(t) if playing.ready.actions else f"action {int(playing.action[t]) + 1}"
        return f"t {t} · {did} · reward {measured(float(playing.reward[t]))}"

    def follow(self, t: int) -> None:
        """Put the dot at step t."""
        self.path.follow(t)

    @property
    def places(self) -> npt.NDArray[np.float32]:
        """The episode's path (steps, 2)."""
        return self.projection.places

    def restyle(self, theme: Theme) -> None:
        self.keep.setIcon(themes.icon("axis-lock", "muted"))
        self.path.restyle(theme)


def _named(playing: PlayedEpisode) -> str:
    return f"seed {playing.seed}"


def _ramp(count: int) -> tuple[str, ...]:
    """Colours of the scale for shares, without the darkest one, which is invisible on dark cards."""
    table = themes.viridis()
    dark = themes.current().name == "dark"
    first, last = (60, 255) if dark else (0, 225)
    places = np.linspace(first, last, count).round().astype(int)
    return tuple("#{:02x}{:02x}{:02x}".format(*table[place]) for place in places)


def _signed() -> tuple[str, ...]:
    """Seventeen colours for signed values; unlike in maps, the middle colour is visible on a card."""
    theme = themes.current()
    low, _, high = theme.diverging
    shares = [place / 8 - 1 for place in range(17)]
    return tuple(theme.mixed(low if share < 0 else high, abs(share), over="muted").name() for share in shares)
