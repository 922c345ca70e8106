"""Questions about many episodes, and the card that reads from the memory: every state, and a real process once."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from driving import until
from made_panels import made, pixels
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.gui.cards.panel import Sources
from dqngui.gui.panels.probe.probe_panel import ProbePanel
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.probe_verdict import verdict
from dqngui.lab.analysis.study import Study
from dqngui.texts import words
from tests.doubles.scripted_player import weights
from tests.doubles.scripted_study import READY, ScriptedStudy, Turned, Who


@pytest.fixture
def world(qtbot: QtBot, qapp: Any) -> SimpleNamespace:
    """A panel in sight, its study and the player; `answered` collects what the study says."""
    themes.apply(qapp, "dark")
    ScriptedStudy.opened.clear()
    player = Who()
    study = Turned(player)
    panel = made(qtbot, ProbePanel, 640, 320)
    panel.attach(Sources(None, player, None, study=study))  # type: ignore[arg-type]
    panel.show(panel.history)
    answered: list[m.Event] = []
    study.answered.connect(answered.append)
    return SimpleNamespace(player=player, study=study, panel=panel, answered=answered)


def host() -> ScriptedStudy:
    return ScriptedStudy.opened[-1]


def probed(number: int, **changes: Any) -> m.Probed:
    """Steps 0 to 9 of a cue that is forgotten after step 5, unless `score` says otherwise."""
    t = np.arange(10)
    score = np.asarray(changes.pop("score", np.where(t <= 5, 1.0, 0.5)), float)
    tensors = {
        "t": t, "score": score, "low": score - 0.05, "high": np.minimum(score + 0.05, 1), "control": np.full(10, 0.49),
        "untrained": np.full(10, 0.6), "untrained_low": np.full(10, 0.55), "untrained_high": np.full(10, 0.66),
        "observation": np.full(10, 0.52), "decisive": (t > 8).astype(float), "count": np.full(10, 200),
    }  # fmt: skip
    given = {"step": 60_000, "fact": "cue", "measure": "accuracy", "chance": 0.5, "noise": 0.2} | changes
    given = {"held": held(), "moved": moved()} | given
    return m.Probed(number=number, tensors=tensors, **given)


def held(**changes: Any) -> m.Held:
    """The cue is read with 98 %, from untrained networks with 61 %."""
    given = {
        "decisive": True, "episodes": 200, "score": 0.98, "score_interval": (0.95, 0.99), "untrained": 0.61,
        "untrained_range": (0.55, 0.66), "untrained_reach": 0.7, "difference": 0.37, "difference_interval": (0.2, 0.5),
        "observation": 0.52,
        "control": 0.49, "chance": 0.5, "base_score": 1.0, "base_interval": (0.98, 1.0), "base_untrained": 0.94,
        "base_control": 0.49,
    }  # fmt: skip
    return m.Held(**(given | changes))


def moved(**changes: Any) -> m.Moved:
    """Actions follow in 96 % of the steps, and the return falls from 1 to −0.9."""
    given = {
        "at_choices": True, "steps": 100, "expected": 90, "episodes": 90, "effect": m.Measured(0.96, (0.9, 0.99)),
        "random": 0.12, "beyond_random": m.Measured(0.84, (0.7, 0.9)), "own_return": 1.0, "moved_return": -0.9,
        "random_return": 0.8, "chance_return": 0.1, "lost": m.Measured(1.7, (1.5, 1.9)),
        "achieved": m.Measured(0.9, (0.7, 1.1)),
    }  # fmt: skip
    return m.Moved(**(given | changes))


def asked_for(number: int) -> m.Command:
    return m.AskFaithfulness(number=number, view="attention/pool")


def read(world: SimpleNamespace) -> m.AskProbe:
    """Open an agent, press the button, and let the question reach the process."""
    world.player.open(folder=Path("run"))
    world.panel.start.click()
    world.study.turn()
    question: m.AskProbe = host().questions()[-1]
    return question


def answer(world: SimpleNamespace) -> None:
    """Read, and get the answer."""
    number = read(world).number
    host().emit(probed(number))
    world.study.turn()


def plain(panel: ProbePanel) -> str:
    """The sentence, its numbers held together by plain spaces."""
    return panel.words.text().replace("\u00a0", " ")


# -- the study ------------------------------------------------------------------------------------


def test_no_process_is_there_before_the_first_question(world: SimpleNamespace) -> None:
    assert not world.study.can_ask
    world.player.open(folder=Path("run"))
    assert world.study.can_ask
    assert not ScriptedStudy.opened
    assert not world.study.alive
    world.study.ask(asked_for)
    world.study.turn()
    assert (host().kind, host().request.job) == ("process", "study")
    assert host().sent == [m.OpenAgent(folder="run", checkpoint="best"), asked_for(1)]
    assert world.study.alive


def test_questions_are_answered_in_turn(world: SimpleNamespace) -> None:
    study = world.study
    world.player.open(folder=Path("run"))
    first, second, third = (study.ask(asked_for) for _ in range(3))
    study.turn()
    assert [each.number for each in host().questions()] == [first]
    assert (study.asked, study.is_open(second)) == (first, True)
    host().emit(m.Progress(step=0, number=first, share=0.4, text="Removing…"))
    study.turn()
    assert (study.progress, str(study.doing)) == (0.4, "Removing…")
    study.abandon(second)
    host().emit(probed(first))
    study.turn()
    assert [each.number for each in host().questions()] == [first, third]
    assert [event.number for event in world.answered] == [first]
    study.abandon(third)
    assert host().sent[-1] == m.Abandon(number=third)
    host().emit(probed(third))  # it was on its way
    study.turn()
    assert len(world.answered) == 1
    assert not any(study.is_open(number) for number in (first, second, third))


def test_rows_come_until_the_last_one(world: SimpleNamespace) -> None:
    world.player.open(folder=Path("run"))
    number = world.study.ask(lambda number: m.AskOverTraining(number=number))
    world.study.turn()
    host().emit(*(m.OverTraining(step=step, number=number, entropy={}, last=step == 3) for step in (1, 2)))
    world.study.turn()
    assert world.study.is_open(number)
    host().emit(m.OverTraining(step=3, number=number, entropy={}, last=True))
    world.study.turn()
    assert not world.study.is_open(number)
    assert [event.step for event in world.answered] == [1, 2, 3]


def test_an_agent_in_training_is_asked_about_its_newest_weights(world: SimpleNamespace) -> None:
    study = world.study
    wanted: list[bool] = []
    study.weights_requested.connect(lambda: wanted.append(True))
    world.player.open(experiment=Experiment(), folder=Path("run"))
    number = study.ask(asked_for)
    study.turn()
    assert (host().questions(), str(study.doing), wanted) == ([], "Waiting for the first weights…", [True])
    study.use_weights(weights(500))
    study.turn()
    assert host().sent[0] == m.OpenAgent(experiment=Experiment(), folder="run")
    assert isinstance(host().sent[1], m.UseWeights)
    assert host().sent[2] == asked_for(number)
    host().emit(probed(number))
    study.use_weights(weights(900))
    study.ask(asked_for)
    study.turn()
    assert [each.step for each in host().sent if isinstance(each, m.UseWeights)] == [500, 900]


def test_another_agent_ends_the_questions_about_the_former(world: SimpleNamespace) -> None:
    world.player.open(folder=Path("run"))
    numbers = [world.study.ask(asked_for) for _ in range(2)]
    world.study.turn()
    world.player.open(folder=Path("another"))
    assert host().sent[-1] == m.Abandon(number=numbers[0])
    assert [(event.number, event.words) for event in world.answered] == [
        (n, "another agent plays now") for n in numbers
    ]
    assert world.study.ready is None
    world.study.ask(asked_for)
    world.study.turn()
    assert [each.folder for each in host().sent if isinstance(each, m.OpenAgent)] == ["run", "another"]
    assert len(ScriptedStudy.opened) == 1


@pytest.mark.parametrize("late", [READY, m.Failed(step=0, text="no such run")])
def test_what_is_said_of_an_agent_that_was_given_up_is_not_taken_for_the_next(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, late: m.Event
) -> None:
    world.player.open(folder=Path("run"))
    world.study.ask(asked_for)
    monkeypatch.setattr(ScriptedStudy, "ready", None)  # it takes its time
    world.study.turn()
    world.player.open(folder=Path("another"))
    number = world.study.ask(asked_for)
    world.study.turn()
    host().emit(late)
    world.study.turn()
    assert (world.study.ready, host().questions(), world.study.is_open(number)) == (None, [], True)
    own = m.StudyReady(step=7)
    host().emit(own)
    world.study.turn()
    assert (world.study.ready, host().questions()) == (own, [asked_for(number)])


def test_a_training_that_begins_anew_is_not_asked_about_with_the_former_ones_weights(world: SimpleNamespace) -> None:
    world.player.open(experiment=Experiment())
    world.study.ask(asked_for)
    world.study.use_weights(weights(500))
    world.study.turn()
    host().emit(probed(1))
    world.study.turn()
    world.study.forget_weights()
    number = world.study.ask(asked_for)
    world.study.turn()
    assert number not in [each.number for each in host().questions()]
    world.study.use_weights(weights(20))
    world.study.turn()
    assert [each.step for each in host().sent if isinstance(each, m.UseWeights)] == [500, 20]
    assert host().questions()[-1].number == number


def test_other_weights_of_the_same_agent_are_opened_for_the_next_question(world: SimpleNamespace) -> None:
    world.player.open(folder=Path("run"))
    world.study.ask(asked_for)
    world.study.turn()
    host().emit(probed(1))
    world.study.turn()
    world.player.choose(2_000)
    world.study.ask(asked_for)
    world.study.turn()
    assert [each.checkpoint for each in host().sent if isinstance(each, m.OpenAgent)] == ["best", 2_000]


def test_the_death_of_its_process_is_said_and_the_next_question_has_another(world: SimpleNamespace) -> None:
    world.player.open(folder=Path("run"))
    number = world.study.ask(asked_for)
    world.study.turn()
    host().die()
    world.study.turn()
    assert [(event.number, event.words) for event in world.answered] == [
        (number, "the job's process was killed by SIGKILL")
    ]
    world.study.ask(asked_for)
    world.study.turn()
    assert len(ScriptedStudy.opened) == 2
    assert len(host().questions()) == 1


def test_a_process_that_dies_between_questions_is_replaced(world: SimpleNamespace) -> None:
    world.player.open(folder=Path("run"))
    world.study.ask(asked_for)
    world.study.turn()
    host().emit(probed(1))
    world.study.turn()
    host().end_silently()
    world.study.ask(asked_for)
    world.study.turn(4)
    assert len(ScriptedStudy.opened) == 2
    assert len(host().questions()) == 1


def test_an_agent_that_cannot_be_opened_is_a_reason(world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    world.player.open(folder=Path("run"))
    world.study.ask(asked_for)
    monkeypatch.setattr(ScriptedStudy, "ready", m.Failed(step=0, text="`run` has no checkpoint yet"))
    world.study.turn()
    assert world.answered[-1].words == "`run` has no checkpoint yet"


def test_without_an_agent_nothing_is_started(world: SimpleNamespace) -> None:
    world.study.ask(asked_for)
    world.study.turn()
    assert world.answered[-1].words == "no agent plays"
    assert not ScriptedStudy.opened


def test_stopping_ends_the_process_for_good(world: SimpleNamespace) -> None:
    world.player.open(folder=Path("run"))
    world.study.ask(asked_for)
    world.study.turn()
    world.study.stop()
    assert not world.study.alive
    assert not world.study.can_ask
    world.study.join()


# -- the card -------------------------------------------------------------------------------------


def test_before_an_agent_plays_the_card_says_what_will_be_there(world: SimpleNamespace) -> None:
    panel = world.panel
    assert panel.empty_text
    assert "whether it remembers" in panel.empty_text
    assert panel.start.isHidden()
    world.player.open(folder=Path("run"))
    assert not panel.start.isHidden()


def test_one_press_reads_the_first_fact(world: SimpleNamespace) -> None:
    panel = world.panel
    question = read(world)
    assert question == m.AskProbe(number=question.number, fact="cue", episodes=200)
    assert panel.button.text() == "Cancel"
    assert not panel.bar.isHidden()
    host().emit(m.Progress(step=0, number=question.number, share=0.5, text="Playing episode 100…"))
    world.study.turn()
    assert (panel.bar.value(), panel.words.text()) == (50, "Playing episode 100…")
    host().emit(probed(question.number))
    world.study.turn()
    assert panel.bar.isHidden()
    assert panel.button.text() == "Read"
    assert plain(panel) == "Held and used"
    assert "with 98 % [95, 99] where the choice matters, from untrained networks with 61 %" in panel.reasons.text()
    assert "that value's action at 96 % [90, 99] of the 90 steps" in panel.reasons.text()
    assert panel.curve.answer is panel.answer
    assert list(panel.fact.offered) == ["cue", "time since start"]
    assert panel.view.offered == {"all": "whole memory", "memory/hidden": "hidden state", "memory/cell": "cell state"}
    assert panel.stale.isHidden()


LITTLE = {"score": 0.63, "difference": 0.02, "difference_interval": (-0.1, 0.14)}
UNSURE = {"score": 0.75, "score_interval": (0.55, 0.9), "difference": 0.14, "difference_interval": (-0.07, 0.3)}
GUESSED = {"base_score": 0.6, "base_interval": (0.5, 0.7)}
WEAK = {"effect": m.Measured(0.02, (0.0, 0.1)), "beyond_random": m.Measured(-0.1, (-0.2, 0.03))}
FEW = {"beyond_random": m.Measured(0.5, (-0.1, 0.9))}
CHEAP = {"lost": m.Measured(0.01, (-0.02, 0.04))}
DEAR = {"lost": m.Measured(0.5, (-0.1, 1.1))}
IDLE = {"achieved": m.Measured(0.02, (-0.1, 0.14))}


@pytest.mark.parametrize(
    ("changes", "headline", "held_word", "used_word"),
    [
        ({}, "Held and used", "held", "used"),
        ({"moved": moved(**WEAK)}, "Held, not used", "held", "not used"),
        ({"moved": moved(**CHEAP)}, "Held, not used", "held", "not used"),
        ({"moved": moved(expected=0, episodes=0)}, "Held, not used", "held", "not used"),
        ({"moved": moved(**FEW)}, "Held; whether it is used is not known", "held", "unknown"),
        ({"moved": moved(**DEAR)}, "Held; whether it is used is not known", "held", "unknown"),
        ({"moved": moved(**IDLE)}, "Held; whether it is used is not known", "held", "unknown"),
        ({"moved": None, "not_moved": "constant"}, "Held; whether it is used is not known", "held", "unknown"),
        ({"held": held(**LITTLE)}, "Used, though an untrained network holds it as well", "no better", "used"),
        (
            {"held": held(**LITTLE), "moved": moved(**WEAK)},
            "Held no better than by an untrained network",
            "no better",
            "not used",
        ),
        ({"held": held(**UNSURE)}, "Used; how well it is held is not known", "unknown", "used"),
        ({"held": held(**GUESSED)}, "Used; how well it is held is not known", "unknown", "used"),
        (
            {"held": held(base_score=0.5, base_interval=(0.43, 0.57))},
            "Used, though no linear reading shows it",
            "not held",
            "used",
        ),
        (
            {"held": held(base_score=0.5, base_interval=(0.43, 0.57)), "moved": moved(**WEAK)},
            "Not held",
            "not held",
            "not used",
        ),
        (
            {"held": held(difference_interval=None), "moved": moved(**WEAK)},
            "Not used; whether it is held is not known",
            "unknown",
            "not used",
        ),
        ({"held": held(difference_interval=None), "moved": moved(**FEW)}, "Not known", "unknown", "unknown"),
        ({"held": None, "moved": None, "not_moved": "shown"}, "Nothing to read", "unknown", "unknown"),
    ],
)
def test_each_verdict_has_its_reasons_beside_it(
    changes: dict[str, Any], headline: str, held_word: str, used_word: str
) -> None:
    found = verdict(probed(1, **changes))
    assert (str(words(found.headline)), found.held, found.used) == (headline, held_word, used_word)
    assert all(words(reason).endswith(".") for reason in found.reasons)
    assert found.reasons


def test_choosing_asks_again(world: SimpleNamespace) -> None:
    panel = world.panel
    host_answer = read(world)
    host().emit(probed(host_answer.number))
    world.study.turn()
    for choice, key in ((panel.fact, "time since start"), (panel.view, "memory/cell"), (panel.episodes, "1000")):
        choice.trigger(key)
        world.study.turn()
    assert [(each.fact, each.views, each.episodes) for each in host().questions()] == [
        ("cue", (), 200),
        ("time since start", (), 200),
        ("time since start", ("memory/cell",), 200),
        ("time since start", ("memory/cell",), 1000),
    ]


def test_cancelling_keeps_what_was_read_before(world: SimpleNamespace) -> None:
    panel = world.panel
    answer(world)
    panel.button.click()
    world.study.turn()
    assert panel.button.text() == "Cancel"
    panel.button.click()
    assert panel.button.text() == "Read"
    assert host().sent[-1] == m.Abandon(number=host().questions()[-1].number)
    assert panel.words.text() == "Held and used"


def test_a_failure_is_said_and_reading_can_be_tried_again(world: SimpleNamespace) -> None:
    panel = world.panel
    number = read(world).number
    host().emit(m.Unanswered(step=0, number=number, text="fewer than 20 episodes could be read"))
    world.study.turn()
    assert panel.words.text() == "The probe has no answer: fewer than 20 episodes could be read."
    assert panel.words.property("role") == "bad"
    assert panel.button.isEnabled()
    panel.button.click()
    world.study.turn()
    assert len(host().questions()) == 2


def test_an_agent_without_a_memory_is_told_so(world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    world.player.open(folder=Path("run"))
    world.panel.start.click()
    monkeypatch.setattr(ScriptedStudy, "ready", m.StudyReady(step=0, held=(), facts=("time since start",)))
    world.study.turn()
    number = host().questions()[-1].number
    host().emit(m.Unanswered(step=0, number=number, text="this agent carries nothing"))
    world.study.turn()
    assert "The probe has no answer: this agent carries nothing." in world.panel.words.text()
    world.panel.clear()
    assert world.panel.empty_text.startswith("This agent carries nothing from one step to the next")
    assert world.panel.start.isHidden()


def test_an_answer_of_former_weights_or_another_agent_is_called_so(world: SimpleNamespace) -> None:
    panel = world.panel
    answer(world)
    panel.take_views(SimpleNamespace(weights_step=80_000, t=3, length=20))
    panel.refresh()
    assert panel.stale.text() == "Measured with the weights of step 60,000; now the weights are of 80,000."
    assert not panel.stale.isHidden()
    panel.take_views(SimpleNamespace(weights_step=60_000, t=3, length=20))
    panel.refresh()
    assert panel.stale.isHidden()
    world.player.open(folder=Path("another"))
    assert panel.stale.text().startswith("This answer is about another agent")
    assert panel.curve.answer is not None


def test_the_cursor_follows_the_episode_and_a_click_seeks(world: SimpleNamespace) -> None:
    panel = world.panel
    answer(world)
    panel.follow(4)
    assert panel.curve.t == 4
    assert panel.curve.legend(1e4)[0] == ("Accuracy 1.00", "series0")
    panel.follow(7)
    assert panel.curve.legend(1e4)[0] == ("Accuracy 0.50", "series0")
    panel.follow(50)  # longer than any that was read
    assert panel.curve.t is None
    panel.curve.stepped.emit(6, 0.0)
    assert world.player.sought == [6]
    assert panel.curve.words_at(5, 0.0) == (
        "t 5 · accuracy 1.00 (0.95 to 1.00) · untrained 0.60 · observation 0.52 · random labels 0.49"
    )


def test_the_curve_is_drawn_in_both_themes_and_survives_what_is_no_number(world: SimpleNamespace, qapp: Any) -> None:
    panel = world.panel
    empty = pixels(panel)
    number = read(world).number
    score = np.array([np.nan, np.nan, 0.2, 0.4, 0.9, 0.95, 0.9, 0.3, -3.0, 0.1])
    host().emit(probed(number, score=score, measure="R²", chance=0.0, fact="cart velocity"))
    world.study.turn()
    dark = pixels(panel)
    assert (dark != empty).any()
    assert panel.curve.limits == (-0.5, 1.0)
    panel.restyle(themes.apply(qapp, "light"))
    assert (pixels(panel) != dark).any()
    themes.apply(qapp, "dark")
    panel.clear()
    assert panel.curve.answer is not None or panel.answer is None
    assert panel.answer is None


def test_exports(world: SimpleNamespace, tmp_path: Path) -> None:
    panel = world.panel
    answer(world)
    panel.export_csv(tmp_path / "probe.csv")
    with (tmp_path / "probe.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert rows[0] == {
        "t": "0", "score": "1.0", "low": "0.95", "high": "1.0", "untrained": "0.6", "untrained_low": "0.55",
        "untrained_high": "0.66", "observation": "0.52", "control": "0.49", "decisive": "0.0", "count": "200",
        "chance": "0.5", "measure": "accuracy", "fact": "cue",
    }  # fmt: skip
    panel.export_png(tmp_path / "probe.png")
    panel.export_svg(tmp_path / "probe.svg")
    assert (tmp_path / "probe.png").stat().st_size > 1000
    assert "<path" in (tmp_path / "probe.svg").read_text()


def test_a_quantity_has_its_scores_as_numbers_and_not_as_percent() -> None:
    found = verdict(probed(1, measure="R²", chance=0.0, fact="pole velocity"))
    assert "pole velocity is read with 0.98 [0.95, 0.99] where the choice matters" in words(found.reasons[0])


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), [(640, 320), (420, 280), (320, 280)])
def test_the_reasons_are_whole_beside_the_verdict(
    world: SimpleNamespace, qtbot: QtBot, qapp: Any, theme: str, width: int, height: int
) -> None:
    panel = world.panel
    panel.restyle(themes.apply(qapp, theme))
    panel.resize(width, height)
    answer(world)
    qtbot.wait(1)
    label = panel.reasons
    assert label.height() >= label.heightForWidth(label.width())
    assert panel.curve.height() >= panel.curve.minimumHeight()


def test_a_real_process_says_that_a_trained_agent_remembers_the_cue(qtbot: QtBot, tmaze_run: Path) -> None:
    player = Who()
    study = Study(player)
    panel = made(qtbot, ProbePanel, 640, 320)
    panel.attach(Sources(None, player, None, study=study))  # type: ignore[arg-type]
    panel.show(panel.history)
    try:
        player.open(folder=tmaze_run)
        panel.start.click()
        until(lambda: panel.answer is not None or bool(panel.problem), 120)
        assert not panel.problem
        assert plain(panel) == "Held and used"
        assert "untrained networks" in panel.reasons.text()
    finally:
        study.stop()
        until(lambda: not study.alive, 20)
        study.join()
