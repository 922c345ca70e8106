"""The line under a map that says whether it explains the agent: every state, its words, and a real process once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from driving import until
from made_panels import made
from msgspec.structs import replace
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.panels.internals.faithfulness_row import QUESTION, FaithfulnessRow
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.wrapping import TIP_LETTERS
from dqngui.lab.analysis.faithfulness import explanation, places, reason, removal_sentence, short_verdict
from dqngui.lab.analysis.study import Study
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import Effect, Faithfulness, Measured, View
from tests.doubles.made_playing import GATE, HIDDEN, LAGS, SELF, TOKENS, extend, rows_of
from tests.doubles.scripted_study import ScriptedStudy, Turned, Who

READ = View("memory/read", ("head", "slot"), (2, 12))
VIEWS = (SELF, LAGS, READ, HIDDEN, GATE)


def play(views: tuple[View, ...] = VIEWS, step: int = 5_000) -> PlayedEpisode:
    """An episode of an agent whose views of weights can be changed."""
    weights = tuple(view.name for view in views if view in (SELF, LAGS, READ))
    labels = {"query": TOKENS, "key": TOKENS}
    ready = m.PlayerReady(step=step, environment="E", views=views, weights=weights, labels=labels)
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=step, number=0, seed=1), "demo")
    return extend(playing, rows_of(views, 20), 20, ended=True)


def told(
    number: int = 1,
    undone: tuple[float, float] = (1.1, 0.1),
    lost: tuple[float, float] = (1.0, 0.1),
    changed_actions: tuple[float, float] = (0.56, 0.04),
    **rest: Any,
) -> Faithfulness:
    """An answer in which the map explains the agent at the last of 31 steps."""
    top, random = (
        Effect(around(advantage), actions, around(value))
        for advantage, value, actions in zip(undone, lost, changed_actions, strict=True)
    )
    t = np.arange(1, 31)
    late = (t == 30).astype(float)
    plain = {
        "step": 5_000, "view": SELF.name, "k": 1, "steps": 480, "deciding": 16, "episodes": 16, "verdict": "explains",
        "concentration": 0.7, "multiple": 6.0, "stake": 4.0, "at_stake": Measured(2.0),
        "undone": around(undone[0] - undone[1]), "lost": around(lost[0] - lost[1]), "played": 16,
        "tensors": {"t": t, "stake": 4 * late, "top": 4.4 * late, "random": 0.4 * late},
    }  # fmt: skip
    return Faithfulness(number=number, top=top, random=random, **(plain | rest))


def around(value: float) -> Measured:
    return Measured(value, (value - 0.25, value + 0.25))


@pytest.fixture
def world(qtbot: QtBot, qapp: QApplication) -> SimpleNamespace:
    """A study with an agent open, and `shown(kind, ...)`, which gives a panel that draws an episode of it."""
    themes.apply(qapp, "dark")
    ScriptedStudy.opened.clear()
    player = Who()
    study = Turned(player)
    player.open(folder=Path("run"))

    def shown(
        kind: type[ViewPanel] = AttentionPanel,
        playing: PlayedEpisode | None = None,
        size: tuple[int, int] = (460, 420),
    ) -> ViewPanel:
        panel = made(qtbot, kind, *size)
        panel.attach(Sources(None, player, None, study=study))  # type: ignore[arg-type]
        panel.take_views(playing or play())
        panel.show(panel.history)
        assert isinstance(panel, ViewPanel)
        return panel

    return SimpleNamespace(player=player, study=study, shown=shown)


def meter_of(panel: ViewPanel) -> FaithfulnessRow:
    assert panel.faithfulness_row is not None
    return panel.faithfulness_row


def question(world: SimpleNamespace) -> m.AskFaithfulness:
    """What the process was asked last."""
    world.study.turn()
    asked: m.AskFaithfulness = ScriptedStudy.opened[-1].questions()[-1]
    return asked


def answer(world: SimpleNamespace, event: m.Event) -> None:
    ScriptedStudy.opened[-1].emit(event)
    world.study.turn()


def measured(world: SimpleNamespace, panel: ViewPanel, **rest: Any) -> FaithfulnessRow:
    """Press the button, and get an answer."""
    faithfulness_row = meter_of(panel)
    faithfulness_row.button.click()
    asked = question(world)
    answer(world, told(asked.number, view=asked.view, k=asked.k, **rest))
    return faithfulness_row


# -- where it stands ----------------------------------------------------------------------------------


def test_it_stands_under_weights_only(world: SimpleNamespace) -> None:
    panel = world.shown(MemoryPanel)
    for view, there in ((LAGS, True), (READ, True), (HIDDEN, False), (GATE, False)):
        panel.choose_view(view.name)
        assert meter_of(panel).isVisible() is there, view.name


def test_a_low_card_and_a_panel_that_stands_alone_do_without(qtbot: QtBot, world: SimpleNamespace) -> None:
    assert not meter_of(world.shown(size=(300, 140))).isVisible()
    assert meter_of(world.shown(size=(300, 160))).isVisible()
    alone = made(qtbot, AttentionPanel, 460, 420)
    alone.take_views(play())
    alone.show(alone.history)
    assert isinstance(alone, AttentionPanel) and not meter_of(alone).isVisible()


def test_as_many_places_can_be_taken_as_leave_one(world: SimpleNamespace) -> None:
    panel = world.shown(MemoryPanel)
    faithfulness_row = meter_of(panel)
    panel.choose_view(READ.name)
    assert faithfulness_row.count.offered == {"1": "1 slot", "2": "2 slots", "4": "4 slots"}
    faithfulness_row.choose("4")
    panel.choose_view(LAGS.name)
    faithfulness_row.button.click()
    asked = question(world)
    assert (asked.view, asked.k) == (LAGS.name, 4)
    two = world.shown()
    assert meter_of(two).count.isHidden(), "of two tokens one can be taken"


def test_of_a_single_token_nothing_can_be_said(world: SimpleNamespace) -> None:
    faithfulness_row = meter_of(world.shown(playing=single()))
    assert (
        faithfulness_row.text.text() == "This map has only one token, so removing it cannot be compared."
        and not faithfulness_row.button.isEnabled()
    )


def single() -> PlayedEpisode:
    view = View(SELF.name, SELF.axes, (4, 1, 1))
    ready = m.PlayerReady(step=5_000, environment="E", views=(view,), weights=(view.name,))
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=5_000, number=0, seed=1), "demo")
    return extend(playing, rows_of((view,), 5), 5, ended=True)


# -- asking ---------------------------------------------------------------------------------------------


def test_from_the_question_over_progress_to_the_answer(world: SimpleNamespace) -> None:
    panel = world.shown()
    faithfulness_row = meter_of(panel)
    assert (
        faithfulness_row.text.text() == QUESTION
        and faithfulness_row.button.text() == "Measure"
        and faithfulness_row.bars.isHidden()
    )
    faithfulness_row.button.click()
    assert faithfulness_row.button.text() == "Cancel" and faithfulness_row.progress.isVisible()
    asked = question(world)
    assert (asked.view, asked.k) == (SELF.name, 1)
    answer(world, m.Progress(step=0, number=asked.number, share=0.4, text="Removing places…"))
    assert faithfulness_row.progress.value() == 40 and faithfulness_row.text.text() == "Removing places…"
    answer(world, told(asked.number))
    assert faithfulness_row.text.text() == "Explains"
    assert (
        faithfulness_row.text.property("role") == "good"
        and faithfulness_row.bars.isVisible()
        and faithfulness_row.button.isHidden()
    )
    assert max(map(len, faithfulness_row.text.toolTip().split("\n"))) <= TIP_LETTERS


def test_cancelling_leaves_the_question(world: SimpleNamespace) -> None:
    faithfulness_row = meter_of(world.shown())
    faithfulness_row.button.click()
    asked = question(world)
    faithfulness_row.button.click()
    assert ScriptedStudy.opened[-1].sent[-1] == m.Abandon(number=asked.number)
    assert faithfulness_row.text.text() == QUESTION and faithfulness_row.button.text() == "Measure"
    answer(world, told(asked.number))
    assert faithfulness_row.answers == {}, "what comes nevertheless is of no one's interest"


def test_a_question_without_an_answer_says_why_and_can_be_asked_again(world: SimpleNamespace) -> None:
    faithfulness_row = meter_of(world.shown())
    faithfulness_row.button.click()
    answer(world, m.Unanswered(step=0, number=question(world).number, text="there was no step"))
    assert (
        faithfulness_row.text.text() == "Not measured: there was no step."
        and faithfulness_row.text.property("role") == "bad"
    )
    faithfulness_row.button.click()
    assert faithfulness_row.progress.isVisible()


def test_answers_stay_with_their_map_and_number_of_places(world: SimpleNamespace) -> None:
    panel = world.shown(MemoryPanel)
    panel.choose_view(READ.name)
    faithfulness_row = measured(world, panel)
    assert faithfulness_row.text.text().startswith("Explains")
    faithfulness_row.choose("2")
    assert faithfulness_row.text.text() == QUESTION
    panel.choose_view(LAGS.name)
    assert faithfulness_row.text.text() == QUESTION
    panel.choose_view(READ.name)
    faithfulness_row.choose("1")
    assert faithfulness_row.text.text().startswith("Explains")


def test_it_says_which_weights_it_is_about_where_others_play(world: SimpleNamespace) -> None:
    panel = world.shown()
    faithfulness_row = measured(world, panel)
    panel.take_views(play(step=9_000))
    panel.refresh()
    assert faithfulness_row.text.text().endswith("(step 5,000)") and faithfulness_row.text.property("role") == "muted"
    assert faithfulness_row.button.isVisible(), "it can be measured anew"
    assert faithfulness_row.details_text.text().endswith("Measured with the weights of step 5,000; others play now.")


def test_another_agent_begins_anew(world: SimpleNamespace) -> None:
    panel = world.shown()
    faithfulness_row = measured(world, panel)
    world.player.open(folder=Path("other"))
    world.study.turn()
    assert faithfulness_row.answers == {} and faithfulness_row.text.text() == QUESTION


def test_the_numbers_and_the_reason_stand_beside_the_verdict(world: SimpleNamespace) -> None:
    panel = world.shown(size=(460, 480))
    faithfulness_row = measured(world, panel)
    told_there = faithfulness_row.details_text.text()
    assert faithfulness_row.details_text.isVisible() and faithfulness_row.details_text.wordWrap()
    for part in (
        "The choice matters at 16 of 480 steps (16 episodes): with another action at one of them the return falls by",
        "110 % [85, 135] of the chosen action's advantage is lost",
        "the return falls by 1.00 [0.75, 1.25]; without a random one 10 % [-15, 35]",
        "Explains the agent at the steps where the choice matters.",
        "Both the choice and the return depend on what the map points at, and less on random places.",
    ):
        assert part in told_there.replace("\u00a0", " "), part
    faithfulness_row.more.click()
    assert faithfulness_row.details.isHidden()


def test_the_curve_shows_where_it_matters_and_a_click_shows_that_step(world: SimpleNamespace) -> None:
    faithfulness_row = measured(world, world.shown(size=(460, 480)))
    curve = faithfulness_row.curve
    assert curve.isVisible() and [each.name for each in curve.series] == [
        "at stake",
        "lost without the largest",
        "without random",
    ]
    assert curve.series[0].values[30] == 4 and np.isnan(curve.series[0].values[0])
    curve.stepped.emit(30, 0.0)
    assert world.player.sought == [30]


def test_a_lower_card_leaves_out_the_curve_then_the_numbers_then_the_reason(world: SimpleNamespace) -> None:
    panel = world.shown(size=(460, 480))
    faithfulness_row = measured(world, panel)
    for height, curve, numbers, why in (
        (320, False, True, True),
        (240, False, False, True),
        (180, False, False, False),
    ):
        panel.resize(460, height)
        text = faithfulness_row.details_text
        assert faithfulness_row.curve.isVisible() is curve
        assert text.isVisible() is why
        assert not why or ("16 episodes" in text.text()) is numbers


def test_the_head_that_is_shown_alone_is_asked_about(world: SimpleNamespace) -> None:
    panel = world.shown(size=(460, 480))
    assert isinstance(panel, AttentionPanel)
    panel.choose_head(2)
    faithfulness_row = measured(world, panel)
    assert question(world).head == 2
    assert faithfulness_row.text.text().startswith("Explains")
    panel.choose_head(None)
    assert faithfulness_row.text.text() == QUESTION
    faithfulness_row.button.click()
    assert question(world).head is None


# -- words ----------------------------------------------------------------------------------------------


def test_places_in_words() -> None:
    assert [str(each) for each in (places("key", 1), places("key", 2), places("key", 1, cells=True))] == [
        "token",
        "2 tokens",
        "cell",
    ]
    assert [str(places("lag", 4)), str(places("slot", 1))] == ["4 past steps", "slot"]


def test_the_removed_places_are_named_with_their_head() -> None:
    words = str(removal_sentence(told(k=2, head=0), "lag")).replace("\u00a0", " ")
    assert words.startswith(
        "Without the 2 past steps of head 1 with the largest weights, 110 % [85, 135] of the chosen"
    )
    assert words.endswith("without 2 random ones 10 % [-15, 35], 4 % and 0.10 [-0.15, 0.35].")


@pytest.mark.parametrize(
    ("verdict", "short", "why"),
    [
        ("explains", "Explains the agent at", "Both the choice and the return depend"),
        ("nothing_at_stake", "No verdict", "no choice is known to matter"),
        (
            "even",
            "Does not explain",
            "But all tokens have nearly the same weight: the largest have 6.0 times their even share",
        ),
        ("not_more_than_random", "Does not explain", "depends no more on these places than on random"),
        ("hardly_more_than_random", "Does not explain", "hardly depends more on these places than"),
        ("same_return", "Does not explain", "The return does not fall clearly more"),
        ("not_repeatable", "No verdict", "With the same seed and actions this environment shows something else"),
    ],
)
def test_every_verdict_has_its_reason(verdict: Any, short: str, why: str) -> None:
    answered = told(verdict=verdict)
    assert str(short_verdict(answered)).startswith(short)
    assert why in str(reason(answered, "key")).replace("\u00a0", " ")
    assert str(explanation(answered, "key")).endswith(str(reason(answered, "key")))


def test_without_playing_on_no_return_is_spoken_of() -> None:
    top, random = (Effect(around(value), 0.5) for value in (1.0, 0.1))
    answered = replace(told(verdict="not_repeatable"), top=top, random=random, at_stake=None, lost=None)
    assert "return" not in str(explanation(answered, "key"))


# -- in earnest -----------------------------------------------------------------------------------------


def test_a_real_process_measures_the_demo_s_kind_of_agent(qtbot: QtBot, tmp_path: Path) -> None:
    """An agent that has hardly learned: what it says is not judged here, but that it says it."""
    from dqngui.hosts import run_inline
    from dqngui.runs.folder import create
    from dqngui.settings import with_settings

    short = {"run.total_steps": 200, "run.eval_every": 0, "learn.warmup": 100, "net.width": 16, "run.device": "cpu"}
    asked = with_settings(presets.read_experiment("find"), short)
    folder = create(tmp_path, asked)
    list(run_inline(m.Request(job="train", experiment=asked, folder=str(folder))))
    player = Who()
    study = Study(player)
    player.open(folder=folder)
    panel = made(qtbot, AttentionPanel, 460, 420)
    assert isinstance(panel, AttentionPanel)
    panel.attach(Sources(None, player, None, study=study))  # type: ignore[arg-type]
    tokens = View(SELF.name, SELF.axes, (4, 6, 6))
    ready = m.PlayerReady(step=200, environment="E", views=(tokens,), weights=(tokens.name,))
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=200, number=0, seed=1), "best checkpoint")
    panel.take_views(extend(playing, rows_of((tokens,), 5), 5, ended=True))
    panel.show(panel.history)
    faithfulness_row = meter_of(panel)
    try:
        faithfulness_row.button.click()
        until(lambda: bool(faithfulness_row.answers) or faithfulness_row.text.text().startswith("Not measured"), 120)
        (found,) = faithfulness_row.answers.values()
        assert (
            found.view == SELF.name
            and found.steps > 0
            and faithfulness_row.details_text.text().startswith(str(short_verdict(found)))
        )
    finally:
        study.stop()
        until(lambda: not study.alive, 20)
        study.join()
