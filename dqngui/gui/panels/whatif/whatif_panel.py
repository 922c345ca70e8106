"""The What if panel: compares the played episode with one that has interventions, or with another agent's episode."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.panels.whatif.comparison_view import ComparisonView
from dqngui.gui.panels.whatif.intervention_editor import InterventionEditor
from dqngui.gui.panels.whatif.intervention_list import InterventionListView
from dqngui.gui.panels.whatif.whatif_menu import ModeChoice, fill_with_targets
from dqngui.gui.scene.image import as_image
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.lab.analysis.compare_episodes import Comparison, compare
from dqngui.lab.analysis.counterfactual import (
    STEPS_AFTER_CHANGE,
    Counterfactual,
    Role,
    by_another_agent,
    first_step,
    futures_table,
    verdict,
    with_interventions,
)
from dqngui.lab.analysis.interventions import InterventionEntry, InterventionList, InterventionTarget
from dqngui.lab.analysis.other_agent import OtherAgent
from dqngui.lab.analysis.second_player import SecondPlayer
from dqngui.lab.analysis.table import Table
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.frame_cache import Pixels
from dqngui.lab.session.history import History
from dqngui.texts import Text, say, words

DELAY_MS = 150  # faster edits become one request
WIDE_PX = 480  # card width from which the button Clear is shown
HINT = (
    "Add a change at the shown step: to what the agent remembers, attends to, observes or does. "
    "The original and the changed episode are then drawn here, one over the other."
)


class WhatIfPanel(Panel):
    """Compares the player's episode with a second one; when another episode begins, the same changes are made in it."""

    title = "What if"
    needs_agent = True
    promise = "Change what the agent remembers, observes or does at a step, and see here how the episode continues."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.interventions = InterventionList(self)
        self.mode = ModeChoice(self.compare_with, self)
        self.header_widgets = [self.mode]
        self.list = InterventionListView(self.interventions)
        self.view = ComparisonView()
        self.editor: InterventionEditor | None = None
        self.comparison: Comparison | None = None
        self._second_player: SecondPlayer | None = None
        self._question_sent: Counterfactual | None = None
        self._unchanged: PlayedEpisode | None = None  # the episode to play again without changes
        self._soon = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._soon.timeout.connect(self._send_question)
        self._arrange()
        self.frames = [picture.frame for picture in self.view.pictures]
        self.interventions.changed.connect(self._on_edit)
        self.list.opened.connect(self.edit)
        self.view.stepped.connect(self._seek)
        self._again_action = self.add_menu_action("Run again", "refresh", self.run_again)
        self._clear_action = self.add_menu_action("Clear changes", "playlist-remove", self.interventions.clear)
        self.add_exports()
        self.restyle(themes.current())

    def _arrange(self) -> None:
        self.add, self.run, self.clear_all = QPushButton("Add"), QPushButton("Run"), QPushButton("Clear")
        self.add.setMenu(QMenu(self.add))
        self.add.menu().aboutToShow.connect(self._fill)
        self.add.setToolTip("Change something at the shown step")
        self.run.setToolTip("Play the episode again with these changes. Without changes it should be identical")
        self.run.clicked.connect(self.run_again)
        self.clear_all.setToolTip("Remove all changes")
        self.clear_all.clicked.connect(self.interventions.clear)
        self.verdict = ElidedLabel()
        themes.set_role(self.verdict, "secondary")
        bar = QHBoxLayout()
        bar.setSpacing(6)
        for button in (self.add, self.run, self.clear_all):
            bar.addWidget(button)
        bar.addSpacing(4)
        bar.addWidget(self.verdict, 1)
        self.hint = plain_label(HINT)
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        themes.set_role(self.hint, "empty")
        self._body = QStackedWidget()
        nothing = QWidget()
        column = QVBoxLayout(nothing)
        column.setContentsMargins(16, 0, 16, 0)
        column.addStretch(1)
        column.addWidget(self.hint)
        column.addStretch(2)
        for page in (nothing, self.view):
            self._body.addWidget(page)
        column = QVBoxLayout(self.content)
        column.setContentsMargins(10, 2, 10, 6)
        column.setSpacing(6)
        column.addLayout(bar)
        column.addWidget(self.list)
        column.addWidget(self._body, 1)

    # -- the contract ------------------------------------------------------------------------------

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        self.mode.attach(sources)
        self._second_player = sources.second_player
        sources.player.framed.connect(self._on_framed)
        sources.player.changed.connect(self._on_player)
        if self._second_player is not None:
            self._second_player.grew.connect(self._on_second_player)
            self._second_player.changed.connect(self._on_second_player)
            self._second_player.framed.connect(self._on_second_framed)
            for picture in self.view.pictures:
                picture.frame.resized.connect(lambda width, height: self._draw_at((width, height)))

    def show(self, history: History | None = None, cursor: Cursor | None = None) -> None:
        super().show(history, cursor)
        player = self.sources.player if self.sources is not None else None
        if history is not None and player is not None and player.playing is not None:
            self._on_framed(player.frame, player.playing.t)
            self._soon.start()

    def has_content(self) -> bool:
        return self.playing is not None

    def take_views(self, playing: PlayedEpisode | None) -> None:
        if playing is not self.playing:
            self.comparison = None
        super().take_views(playing)
        self._leave_other_agent()
        self.list.set_agent(playing.ready if playing is not None else None)
        asks = self._question_sent is not None or self.mode.chosen is not None or self.interventions.rows
        if asks and not self._soon.isActive():  # not restarted at each step, or it would never fire
            self._soon.start()

    def clear(self, reason: str = "") -> None:
        self.playing = None
        if self._question_sent is not None:
            self._soon.start()
        super().clear(reason)

    def follow(self, t: int) -> None:
        if self._something and self._question_sent is not None:
            self._show_step(t)

    def restyle(self, theme: Theme) -> None:
        self.add.setIcon(themes.icon("plus"))
        self.list.restyle(theme)
        self.view.restyle(theme)
        super().restyle(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.clear_all.setVisible(self.mode.chosen is None and self.width() >= WIDE_PX)
        self._show_step(self.playing.t if self.playing is not None else 0)

    # -- user actions ------------------------------------------------------------------------------

    def _fill(self) -> None:
        if self.playing is not None:
            fill_with_targets(self.add.menu(), self.playing.ready, self.add_change)

    def add_change(self, target: InterventionTarget, place: int | None = None) -> None:
        """Add a change at the shown step, and pause the player there."""
        playing, sources = self.playing, self.sources
        if playing is None:
            return
        if sources is not None and not sources.player.paused:
            sources.player.pause()
        first = min(playing.t, max(playing.length - 1, 0))
        places = () if not target.labels else (place if place is not None else self._preset(target, first),)
        # Observations and actions differ at each step, and erased memory stays erased: change one step only.
        last = first if target.group.startswith("What") or (target.key == "memory" and not target.fixed) else None
        self.interventions.add(InterventionEntry(target, first, last, places, target.does[0]))
        if (place is None and target.labels) or (target.does[0] == "set" and not target.single):
            self.edit(len(self.interventions.rows) - 1)

    def _preset(self, target: InterventionTarget, t: int) -> int:
        """The place chosen in the Memory card, the first action that is legal at step t, or the first place."""
        if target.single and self.playing is not None and True in (legal := self.playing.legal_at(t)):
            return legal.index(True)
        view = self.playing.views.get(target.names[0]) if self.playing is not None else None
        row = self.sources.chosen.get(target.names[0]) if self.sources is not None else None
        return 0 if view is None or row is None else target.place_of(view.axes, view.shape, row)

    @Slot(int)
    def edit(self, index: int) -> None:
        """Open a change in a dialog; edits take effect at once."""
        if self.editor is not None:
            self.editor.close()
        legal_at = None if self.playing is None else self.playing.legal_at
        editor = self.editor = InterventionEditor(self.interventions.rows[index], self, legal_at)
        editor.edited.connect(lambda row: self.interventions.put(index, row))
        editor.finished.connect(self._forget_editor)
        editor.open()

    @Slot()
    def _forget_editor(self) -> None:
        self.editor = None

    def compare_with(self, other: OtherAgent | None) -> None:
        """Compare with another agent on the same seed; None: with the same agent and changes."""
        self.mode.show_choice(other)
        self._on_edit()

    def _leave_other_agent(self) -> None:
        """Stop the comparison with another agent if it does not fit the agent that plays now."""
        agent = self.sources.player.client.agent if self.sources is not None else None
        other, playing = self.mode.chosen, self.playing
        if other is None or agent is None or playing is None or other.fits(agent, playing.ready):
            return
        self.compare_with(None)

    @Slot()
    def run_again(self) -> None:
        """Play the second episode again; without changes, to check that it is identical."""
        playing = self.playing
        if playing is None or self._second_player is None:
            return
        self._unchanged = playing
        self._second_player.forget()
        self._question_sent = None
        self._send_question()

    @Slot()
    def _on_edit(self) -> None:
        self._unchanged = None
        self.again()
        self._soon.start()

    def _seek(self, t: int) -> None:
        if self.sources is not None:
            self.sources.player.seek(t)

    # -- requests to the second player -------------------------------------------------------------

    @property
    def _is_visible(self) -> bool:
        return self.isVisible() and not self.visibleRegion().isEmpty()

    @Slot()
    def _send_question(self) -> None:
        """Ask for the second episode, if the question has changed."""
        second_player, sources = self._second_player, self.sources
        if second_player is None or sources is None or not self._is_visible:
            return
        question = self._make_question()
        if question is None:
            if self._question_sent is not None:
                self._question_sent, self.comparison = None, None
                second_player.forget()
                self.again()
            return
        if question.is_same(self._question_sent):
            second_player.play_until(question.until)
            return
        self._question_sent, self.comparison = question, None
        second_player.play(
            question.agent, question.choice, question.variants, until=question.until, weights=question.weights
        )
        self.again()

    def _make_question(self) -> Counterfactual | None:
        """The question for the second player; None if there is none, or not yet."""
        playing, sources = self.playing, self.sources
        player = sources.player if sources is not None else None
        if playing is None or player is None or player.playing is not playing or player.client.agent is None:
            return None
        if self.mode.chosen is not None:
            return by_another_agent(playing, self.mode.chosen)
        rows = self.interventions.active(playing.ready)
        if not rows and self._unchanged is not playing:
            return None
        player.play_until((first_step(rows) if rows else playing.given) + STEPS_AFTER_CHANGE)
        return with_interventions(playing, player, rows)

    @property
    def _compares(self) -> bool:
        """Whether there is a question, or will be once the episode reaches the first change."""
        active = self.playing is not None and self.interventions.active(self.playing.ready)
        return bool(self._question_sent is not None or self.mode.chosen is not None or active)

    @property
    def original(self) -> PlayedEpisode | None:
        """The episode without interventions."""
        question, second_player = self._question_sent, self._second_player
        if question is not None and second_player is not None and len(question.variants) > 1:
            return second_player.played.get(question.variants[0])
        return self.playing

    # -- answers -----------------------------------------------------------------------------------

    @Slot()
    def _on_second_player(self) -> None:
        self._changed = True
        if self._second_player is not None and self._second_player.problem:
            self.refresh()

    @Slot()
    def _on_player(self) -> None:
        if self.playing is None and self._something is False:
            self.again()

    def redraw(self) -> None:
        playing, second_player = self.playing, self._second_player
        changes = self.mode.chosen is None
        self.add.setVisible(changes)
        self.clear_all.setVisible(changes and self.width() >= WIDE_PX)
        self.list.setVisible(changes and bool(self.interventions.rows))
        for control in (self.clear_all, self._clear_action):
            control.setEnabled(bool(self.interventions.rows))
        for control in (self.add, self.run, self._again_action):
            control.setEnabled(playing is not None and second_player is not None)
        self._body.setCurrentIndex(int(self._compares))
        if playing is None or second_player is None or not self._compares:
            self._show_verdict("", "secondary")
            return
        one, other = self.original, second_player.playing if self._question_sent is not None else None
        other = other if other is not None and other.length else None
        self.comparison = compare(one, other) if one is not None and other is not None else None
        self.view.names = self._names
        self.view.draw(
            one, other, self.comparison, self._question_sent.first if self._question_sent is not None else None
        )
        if self._question_sent is None:
            self._show_verdict(say("compare.not_reached"), "secondary")
        else:
            self._show_verdict(*verdict(self._question_sent, second_player, one, self.comparison))
        self._show_step(playing.t)

    @property
    def waits(self) -> bool:
        """Whether the question will be put again within DELAY_MS, because something was edited."""
        return self._soon.isActive()

    @property
    def _names(self) -> tuple[str, str]:
        return ("original", "changed") if self.mode.chosen is None else ("this", "other")

    def _show_verdict(self, sentence: Text | str, role: Role) -> None:
        text = words(sentence)
        text = text[:1].upper() + text[1:]  # the reason of a failure begins with a small letter
        themes.set_role(self.verdict, role)
        self.verdict.setText(text)
        self.verdict.setToolTip(plain_tip(text))

    # -- pictures ----------------------------------------------------------------------------------

    def _show_step(self, t: int) -> None:
        """Move every cursor to step t, and ask for the second episode's picture."""
        second_player = self._second_player
        if second_player is None or self._question_sent is None:
            return
        self.view.follow(t)
        second_player.show(t if self.view.draws_pictures and self._is_visible else None)

    def _draw_at(self, size: tuple[int, int]) -> None:
        if self._second_player is not None:
            self._second_player.draw_at(size)

    @Slot(object, int)
    def _on_framed(self, frame: Pixels | None, t: int) -> None:
        """Show the player's picture if it belongs to the original episode at this step."""
        player = self.sources.player if self.sources is not None else None
        shown = player.playing if player is not None else None
        one = self.original
        if one is not None and shown is not one:  # both episodes are equal before they diverge
            part = compare(shown, one).diverges if shown is not None else 0
            frame = frame if part is None or t <= part else None
        self.view.pictures[0].show_image(as_image(frame), one, t)

    @Slot(object, int)
    def _on_second_framed(self, frame: Pixels | None, t: int) -> None:
        second_player = self._second_player
        self.view.pictures[1].show_image(
            as_image(frame), second_player.playing if second_player is not None else None, t
        )

    # -- export ------------------------------------------------------------------------------------

    def exported_table(self) -> Table:
        """Both episodes, one row per step: action, reward, return so far, action values."""
        other = self._second_player.playing if self._second_player is not None else None
        return futures_table(list(zip(self._names, (self.original, other), strict=True)))
