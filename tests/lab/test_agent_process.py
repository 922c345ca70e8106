"""Hosts that cannot start: a process says why, and the player and the study end with that reason."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from pytestqt.qtbot import QtBot

from dqngui import config
from dqngui import messages as m
from dqngui.lab.analysis.study import Study
from dqngui.lab.background.timing import Timing
from dqngui.lab.playback.agent_process import AgentProcess
from dqngui.lab.session.rules import Action, State
from dqngui.lab.session.session import Session
from dqngui.texts import words
from tests.doubles.scripted_player import ScriptedPlayer, Watched
from tests.doubles.scripted_study import Who

ERRORS = [
    (AssertionError(), "AssertionError"),
    (MemoryError(), "MemoryError"),
    (OSError(), "OSError"),
    (RuntimeError("  "), "RuntimeError"),
    (OSError("no more processes"), "no more processes"),
    (config.ConfigError("job.none", name="play", known=()), "there is no job `play`"),
]


class Broken:
    """Opens hosts that raise an error, and counts them."""

    def __init__(self, error: Exception) -> None:
        self.error, self.opened = error, 0

    def __call__(self, kind: str, request: m.Request) -> NoReturn:
        self.opened += 1
        raise self.error


@pytest.fixture(params=ERRORS, ids=lambda case: repr(case[0]))
def broken(request: pytest.FixtureRequest) -> tuple[Broken, str]:
    """A way to open hosts that always fails, and what must be shown of its error."""
    error, shown = request.param
    return Broken(error), shown


def test_a_failed_start_has_a_reason_whatever_the_error_says(broken: tuple[Broken, str]) -> None:
    open_host, shown = broken
    process = AgentProcess("play", open_host)
    reason = process.start()
    assert reason is not None and shown in words(reason)
    assert not process.running


def test_a_host_that_fails_only_when_it_starts_is_a_failure() -> None:
    class StartFails(ScriptedPlayer):
        def start(self) -> None:
            raise AssertionError

    process = AgentProcess("play", StartFails)
    assert process.start() == "AssertionError"
    assert not process.running


def test_a_start_that_succeeds_has_no_reason() -> None:
    process = AgentProcess("play", ScriptedPlayer)
    assert process.start() is None
    assert process.running


def test_a_player_without_a_process_says_why(qtbot: QtBot, broken: tuple[Broken, str], folder: Path) -> None:
    open_host, shown = broken
    player = Watched(open_host)  # type: ignore[arg-type]
    player.open(folder=folder)
    player.start()
    assert words(player.problem).startswith("the player could not start: ") and shown in words(player.problem)
    assert player.loading == ""
    player.stop()


def test_a_player_whose_process_cannot_start_again_says_why(qtbot: QtBot, folder: Path) -> None:
    def once(kind: str, request: m.Request) -> ScriptedPlayer:
        if ScriptedPlayer.opened:
            raise MemoryError
        return ScriptedPlayer(kind, request)

    ScriptedPlayer.opened.clear()
    player = Watched(once)  # type: ignore[arg-type]
    player.open(folder=folder)
    player.start()
    player.advance(times=4)
    player.host.die()
    player.advance(times=4)
    assert words(player.problem) == "the player could not start: MemoryError"
    player.stop()


def test_a_study_without_a_process_answers_once(qtbot: QtBot, broken: tuple[Broken, str], folder: Path) -> None:
    open_host, shown = broken
    client = Who()
    study = Study(client, open_host=open_host, timing=Timing(automatic=False))
    answers: list[m.Unanswered] = []
    study.answered.connect(answers.append)
    client.open(folder=folder)
    number = study.ask(lambda given: m.AskFaithfulness(number=given, view="attention/pool"))
    for _ in range(5):
        study.tick()
    assert open_host.opened == 1
    assert [answer.number for answer in answers] == [number]
    assert shown in words(answers[0].text)
    assert not study.is_open(number)
    study.stop()


def test_a_training_job_that_cannot_start_says_why(qtbot: QtBot, broken: tuple[Broken, str]) -> None:
    open_host, shown = broken
    session = Session(config.Experiment(), open_host=open_host)
    session.on_torch_loaded()
    session.do(Action.START)
    assert session.state is State.FAILED
    assert session.run.failure is not None and shown in session.run.failure.words
