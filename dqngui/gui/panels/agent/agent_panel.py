"""The Agent panel: the environment's picture, the values of the actions, and the controls of the player."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.export.arrays_export import ArraysExport, Exports
from dqngui.gui.export.film_export import FilmExport
from dqngui.gui.panels.agent.action_bars import ActionBars
from dqngui.gui.panels.agent.drawing_note import DrawingNote
from dqngui.gui.panels.agent.driving_strip import DrivingStrip
from dqngui.gui.panels.agent.lines_switch import LinesSwitch
from dqngui.gui.panels.agent.overlay_menu import OverlayMenu
from dqngui.gui.panels.agent.takeover import Takeover, take_over_tip
from dqngui.gui.panels.agent.transport import Transport
from dqngui.gui.panels.agent.weights_menu import WeightsMenu, greediness
from dqngui.gui.scene.image import as_image
from dqngui.gui.scene.scene import Scene
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.notice import Notice
from dqngui.gui.widgets.number_label import NumberLabel
from dqngui.lab.analysis.episode_arrays import steps_table
from dqngui.lab.analysis.overlay import NO_MARKS
from dqngui.lab.analysis.table import Table
from dqngui.lab.playback.driver import Driver
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.frame_cache import Pixels
from dqngui.lab.playback.player import Player
from dqngui.lab.playback.step_descriptions import StepDescriptions
from dqngui.texts import words
from dqngui.texts.numbers import measured

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
FILM = "Export film (MP4, GIF)…"
LOW = 250  # pixels: a lower card hides the line about weights and seed


class AgentPanel(Panel):
    """Draws a step when its picture arrives, with numbers and bars of the same step."""

    title = "Agent"
    shows_pinned = needs_agent = True
    promise = "The agent plays here as soon as training has its first weights."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player: Player | None = None
        self._values_known = True  # whether the drawn values belong to the shown step
        self._drawn: PlayedEpisode | None = None  # the episode of picture, bars and numbers
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.scene, self.notice = Scene(), Notice(self._restart)
        self.frame = self.scene.frame
        self.frames = [self.frame]
        self.drawing_note = DrawingNote(self.frame)
        self.descriptions, self.overlays, self.lines = StepDescriptions(self), OverlayMenu(), LinesSwitch()
        self.bars, self.transport = ActionBars(), Transport()
        self._picture_pages = QStackedWidget()
        for page in (self.scene, self.notice):
            self._picture_pages.addWidget(page)
        self.return_label = NumberLabel("return 00000")
        self.return_label.setToolTip("Return: sum of the rewards before this step")
        self.speed = ChoiceButton("Speed ([ slower, ] faster)")
        self.next = QToolButton()
        self.next.setIconSize(QSize(18, 18))
        self.next.setFixedSize(28, 26)
        self.next.setToolTip("Next episode, with a new seed (N)")
        self.next.setAccessibleName("Next episode")
        self.driver = Driver(self)
        self.takeover = Takeover(self, self.driver)
        self.strip = DrivingStrip(self.driver)
        self.take_over = QToolButton()
        self.take_over.setCheckable(True)
        self.take_over.setIconSize(QSize(18, 18))
        self.take_over.setFixedSize(28, 26)
        self.line = ElidedLabel()
        themes.set_role(self.line, "muted")
        self._arrange()
        self.watch = WeightsMenu()
        self.header_widgets = [self.watch]
        self.film, self.arrays = FilmExport(self), ArraysExport(self)
        self.background = Exports(self.film, self.arrays)
        self._film_action = self.add_menu_action(FILM, "filmstrip", self.film.toggle)
        self._film_action.setToolTip(
            "Export this episode as a film, with the overlay and the cards about the agent's internals"
        )
        self._arrays_action = self.add_menu_action("Export every array (NPZ)…", "cube-outline", self.arrays.ask)
        self._arrays_action.setToolTip("Values, actions, rewards, observations and every view of this episode")
        self.arrays.ended.connect(self._on_arrays)
        self.add_exports()
        self.film.changed.connect(self._on_changed)
        self._add_shortcuts()
        self.restyle(themes.current())

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.return_label, 1)
        row.addWidget(self.take_over)
        row.addWidget(self.lines)
        row.addWidget(self.overlays)
        row.addWidget(self.next)
        row.addWidget(self.speed)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(10, 4, 10, 8)
        column.setSpacing(6)
        column.addWidget(self._picture_pages, 1)
        column.addWidget(self.lines.legend)
        column.addWidget(self.strip)
        column.addWidget(self.bars)
        column.addWidget(self.transport)
        column.addLayout(row)
        column.addWidget(self.line)

    # -- the player --------------------------------------------------------------------------------

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        self.follow_player(sources.player)
        self.film.cards = sources.cards

    def follow_player(self, player: Player) -> None:
        """Set the player to show and to control."""
        self._player = player
        self.transport.attach(player)
        self.watch.attach(player)
        self.film.attach(player)
        self.arrays.attach(player)
        self.drawing_note.attach(player)
        self.descriptions.attach(player)
        self.descriptions.received.connect(self._on_described)
        self.overlays.chosen.connect(self._on_overlay)
        self.lines.toggled.connect(self._on_overlay)
        self.driver.attach(player)
        self.take_over.clicked.connect(self.driver.toggle)
        self.driver.changed.connect(self._on_driving)
        self.frame.resized.connect(lambda width, height: player.draw_at((width, height)))
        self.next.clicked.connect(lambda: player.episodes.next_episode())
        player.framed.connect(self._on_framed)
        player.changed.connect(self._on_changed)
        self._on_changed()

    def _restart(self) -> None:
        if self._player is not None:
            self._player.client.restart()

    def has_content(self) -> bool:
        return self._player is not None and self._player.client.agent is not None

    @Slot()
    def _on_changed(self) -> None:
        """Update the controls; pictures arrive in `_on_framed`."""
        player = self._player
        if player is None:
            return
        self.again()
        self.transport.show_player(player)
        self.watch.show_player(player)
        self.speed.offer(
            {f"{speed:g}": f"{speed:g}×" for speed in SPEEDS}, f"{player.speed:g}", lambda key: self._set_speed(key)
        )
        playing = player.playing
        self._show_line()
        self._film_action.setText("Cancel film" if self.film.filming is not None else FILM)
        self._arrays_action.setEnabled(playing is not None and not player.problem and not self.arrays.busy)
        self._film_action.setEnabled(self.film.filming is not None or (playing is not None and not player.problem))
        for widget in (self.next, self.speed, self.take_over, self.overlays, self.lines):
            widget.setEnabled(playing is not None and not player.problem)
        self._on_driving()

    @Slot()
    def _on_driving(self) -> None:
        """Update the keys and the button that show who drives."""
        driving = self.driver.driving
        self.take_over.setChecked(driving)
        self.take_over.setAccessibleName("Hand back to the agent" if driving else "Take over")
        possible = self._drawn is None or not self._drawn.ready.choices
        self.take_over.setEnabled(self.take_over.isEnabled() and possible)
        self.take_over.setToolTip(take_over_tip(driving, possible))
        keys = self.driver.keys
        self.bars.set_keys([keys.key_text(action) for action in range(len(keys.names))] if driving else [])

    @Slot(object, int)
    def _on_framed(self, frame: Pixels | None, t: int) -> None:
        playing = self._player.playing if self._player is not None else None
        if playing is not self._drawn:
            self._drawn = playing
            self._show_line()
        if playing is None:
            self.frame.set_image(None)
            return
        if frame is not None:
            self.frame.set_image(as_image(frame))
        self._show_page()
        self._draw_observation(playing, t)
        self._show_values(playing, t)
        self._show_place(playing, t)

    def _show_values(self, playing: PlayedEpisode, t: int) -> None:
        """Show the action values of step t, or those before it if they have not arrived yet."""
        driving = self.driver.driving and t == playing.length and t > 0  # the next values are not known yet
        last = t - 1 if driving else t
        self.bars.show_step(playing, last, self.driver.actors.get(last, "") if playing.person_acted else "")
        self._values_known = t < playing.length or playing.ended

    # -- observation and overlays ------------------------------------------------------------------

    @Slot()
    def _on_overlay(self) -> None:
        """Record the views that the chosen overlay needs."""
        player, overlay = self._player, self.overlays.overlay
        self.film.sees, self.film.overlay, self.film.lines = self.overlays.shows, overlay, self.lines.drawn
        if player is not None:
            slow = [] if overlay is None or not overlay.view.startswith("saliency/") else [overlay.view]
            player.episodes.record_views(overlay is not None or self.lines.drawn, slow)
        self._show_page()
        if self._drawn is not None:
            self._draw_observation(self._drawn, self._drawn.t)

    @Slot(str)
    def _on_arrays(self, said: str) -> None:
        self._on_overlay()  # restore the former recording
        self.film.show_text(said, briefly=True)

    @Slot(int)
    def _on_described(self, t: int) -> None:
        playing = self._drawn
        if playing is not None and t in (playing.t, self._picture_step):
            self._draw_observation(playing, playing.t)

    def _draw_observation(self, playing: PlayedEpisode, t: int) -> None:
        """Draw the observation of step t, if it is visible, with the overlay, and mark entities in the picture."""
        self.overlays.offer_for(playing)
        if self.lines.offer_for(playing):
            self._on_overlay()
        self._mark_entities(playing)
        if self.scene.observation.isHidden():
            return
        overlay = self.overlays.overlay
        laid = None if overlay is None else overlay.at(playing, t)
        caption = self.overlays.words
        if overlay is not None and laid is None:
            caption = f"{caption}: appears with the next steps"
        description, alone = self.descriptions.at(playing, t), self.frame.isHidden()
        self.scene.observation.show_step(playing, t, description, laid, caption=caption, alone=alone)
        self.scene.fit()

    def _mark_entities(self, playing: PlayedEpisode) -> None:
        """Mark entities with the weights and places of the step of the picture; without these, no marks."""
        overlay, step = self.overlays.overlay, self._picture_step
        laid = None
        if overlay is not None and self.overlays.shows and playing.ready.entities is not None:
            laid = overlay.at(playing, step)
        description = self.descriptions.at(playing, step)
        self.frame.set_marks(NO_MARKS if laid is None else laid.marks(step, description))
        self.lines.draw(self.frame, playing, step, description)

    @property
    def _picture_step(self) -> int:
        """The step of the picture: the shown step, or that of a substitute picture."""
        player, playing = self._player, self._drawn
        if player is None or playing is None:
            return 0
        return playing.t if player.frames.substitute_step is None else player.frames.substitute_step

    def redraw(self) -> None:
        """Draw the new steps, or everything after the card became visible."""
        player = self._player
        if player is None:
            return
        self._show_page()
        playing = self._drawn
        if playing is None:
            self.transport.show_step(None, 0)
            self.return_label.show_text("")
        else:
            self.transport.show_step(playing, playing.t)
            if not self._values_known:
                self._show_values(playing, playing.t)
            if self.overlays.overlay is not None or self.lines.drawn:
                self._draw_observation(playing, playing.t)  # its weights may have arrived after the picture

    def _show_line(self) -> None:
        """Show the weights, the seed and the exploration of the drawn episode."""
        player, playing = self._player, self._drawn
        said = "" if playing is None else weights_line(playing)
        self.line.setText(self.film.words or said)
        self.line.setToolTip(
            f"{said}. {words(player.client.notice)}" if player is not None and said and player.client.notice else ""
        )

    def _show_place(self, playing: PlayedEpisode, t: int) -> None:
        self.transport.show_step(playing, t)
        end = "" if t < playing.length or not playing.ended else " · time limit" if playing.truncated else " · ended"
        self.return_label.show_text("return", f"{_number(playing.return_so_far)}{end}")

    def _show_page(self) -> None:
        player = self._player
        if player is None:
            return
        waiting = player.loading
        if player.problem or waiting:
            self.notice.show_text(words(player.problem or waiting), failed=bool(player.problem))
            self._picture_pages.setCurrentWidget(self.notice)
        else:
            pictured, shows = player.frame is not None, self.overlays.shows
            self.scene.show_parts(picture=pictured, observation=shows or not pictured)
            self.descriptions.set_enabled(shows or not pictured or self.lines.drawn)
            self._picture_pages.setCurrentWidget(self.scene)
        self.bars.setVisible(player.playing is not None and not player.problem)

    # -- keys --------------------------------------------------------------------------------------

    def _add_shortcuts(self) -> None:
        """Add the shortcuts that work while the card has the focus."""
        for keys, says, do in (
            ("Left", "One step back", lambda player: player.step(-1)),
            ("Right", "One step forward", lambda player: player.step(1)),
            ("Home", "First step", lambda player: player.seek(0)),
            ("End", "Last known step", Player.seek_end),
            ("[", "Slower", lambda player: self._faster(-1)),
            ("]", "Faster", lambda player: self._faster(1)),
            ("N", "Next episode", lambda player: player.episodes.next_episode()),
            ("T", "Take over, or hand back", lambda player: self.driver.toggle()),
        ):
            self._shortcut(keys, says, do).setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        # In a child of this card the key itself comes here, unless it is a button's: see `keyPressEvent`.
        self._shortcut("Space", "Play or pause", Player.toggle).setContext(Qt.ShortcutContext.WidgetShortcut)

    def _shortcut(self, keys: str, says: str, do: Callable[[Player], None]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setWhatsThis(says)
        shortcut.activated.connect(lambda: self._do(do))
        return shortcut

    def _do(self, do: Callable[[Player], None]) -> None:
        if self._player is not None and self._player.playing is not None:
            do(self._player)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play or pause with Space; on a focused button Space presses that button."""
        if event.key() == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._do(Player.toggle)
        else:
            super().keyPressEvent(event)

    def _faster(self, steps: int) -> None:
        player = self._player
        if player is None:
            return
        nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - player.speed))
        player.set_speed(SPEEDS[min(max(nearest + steps, 0), len(SPEEDS) - 1)])

    def _set_speed(self, key: str) -> None:
        if self._player is not None:
            self._player.set_speed(float(key))

    # -- export ------------------------------------------------------------------------------------

    def exported_table(self) -> Table:
        """One row per step: action, reward, values, observation."""
        return steps_table(self._drawn)

    # -- appearance --------------------------------------------------------------------------------

    def restyle(self, theme: Theme) -> None:
        self.next.setIcon(themes.icon("skip-next"))
        self.take_over.setIcon(themes.icon("steering"))
        self.strip.restyle(theme)
        self.transport.restyle(theme)
        self.notice.restyle(theme)
        self.overlays.restyle(theme)
        self.lines.restyle(theme)
        for widget in (self.frame, self.scene.observation, self.bars):
            widget.update()
        super().restyle(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.line.setVisible(self.height() >= LOW)


def weights_line(playing: PlayedEpisode) -> str:
    """`demo, 60,000 steps · seed 3,000,012 · greedy`, with *human* first if a person drove; or `as recorded`."""
    human = "human · " if playing.person_acted else ""
    weights = f"{human}{playing.source}, {playing.weights_step:,} steps"
    how = "as recorded" if playing.request.from_training else greediness(playing.epsilon)
    return f"{weights} · seed {playing.seed:,} · {how}"


def _number(value: float) -> str:
    return measured(value, 5)
