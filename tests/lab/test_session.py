"""The session: its states, what they allow, its knobs, and what it says when a job fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui import messages as m
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import ALLOWED, Action, State
from dqngui.runs.folder import new_summary, write_summary
from dqngui.texts import words
from tests.doubles.scripted_host import ScriptedHost


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    ScriptedHost.opened.clear()
    session = Session(config.Experiment(), open_host=ScriptedHost)
    session.on_torch_loaded()
    yield session
    session.deleteLater()


def wait_for(qtbot: QtBot, session: Session, state: State) -> None:
    qtbot.waitUntil(lambda: session.state is state, timeout=2000)


@pytest.fixture
def running(qtbot: QtBot, session: Session) -> Session:
    session.do(Action.START)
    wait_for(qtbot, session, State.RUNNING)
    return session


def host() -> ScriptedHost:
    return ScriptedHost.opened[-1]


def test_every_state_is_in_the_table() -> None:
    assert set(ALLOWED) == set(State)
    for action in Action:
        assert any(action in actions for actions in ALLOWED.values()), action


def test_a_run_from_start_to_stop_and_resume(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    states: list[State] = []
    session.changed.connect(lambda: states.append(session.state))
    session.do(Action.START)
    wait_for(qtbot, session, State.RUNNING)
    session.do(Action.PAUSE)
    wait_for(qtbot, session, State.PAUSED)
    for action in (Action.STEP, Action.STEP_UPDATE, Action.STEP_EPISODE):
        session.do(action)
    assert [c.until for c in host().sent if isinstance(c, m.Step)] == ["step", "update", "episode"]
    session.do(Action.UNPAUSE)
    wait_for(qtbot, session, State.RUNNING)
    session.do(Action.STOP)
    assert session.state is State.STOPPING
    wait_for(qtbot, session, State.STOPPED)
    assert host().joined
    assert not session.job.active
    assert Action.RESUME_RUN not in session.allowed  # no folder, nothing to resume from
    session.run.folder = tmp_path
    (tmp_path / "resume").mkdir()
    assert Action.RESUME_RUN in session.allowed
    session.do(Action.RESUME_RUN)
    wait_for(qtbot, session, State.RUNNING)
    assert host().request == m.Request(job="train", folder=str(tmp_path), resume=True)
    host().end()
    wait_for(qtbot, session, State.FINISHED)
    session.do(Action.NEW_RUN)
    assert session.state is State.READY
    assert session.run.folder is None
    expected = [State.STARTING, State.RUNNING, State.PAUSED, State.RUNNING, State.STOPPING, State.STOPPED]
    assert list(dict.fromkeys(states[: states.index(State.STOPPED) + 1])) == list(dict.fromkeys(expected))


def test_what_a_state_forbids_does_nothing(session: Session) -> None:
    for action in Action:
        if action not in ALLOWED[State.READY]:
            session.do(action)
    assert session.state is State.READY
    assert ScriptedHost.opened == []


def test_a_knob_is_pending_until_answered(qtbot: QtBot, running: Session) -> None:
    host().answers = False
    running.set_knob("learn.lr", 5e-4)
    running.set_knob("learn.lr", 2e-4)
    assert running.run.knobs.pending("learn.lr")
    assert running.run.knobs.pending_value("learn.lr") == 2e-4
    assert running.value("learn.lr") == 1e-3
    first, second = (command for command in host().sent if isinstance(command, m.SetKnob))
    host().answer(first)
    qtbot.waitUntil(lambda: running.value("learn.lr") == 5e-4)
    assert running.run.knobs.pending("learn.lr")  # the second is still on its way
    host().answer(second)
    qtbot.waitUntil(lambda: not running.run.knobs.pending("learn.lr"))
    assert running.value("learn.lr") == 2e-4


def test_a_refused_knob_keeps_its_value_and_says_why(qtbot: QtBot, running: Session) -> None:
    running.set_knob("learn.lr", 7.0)
    qtbot.waitUntil(lambda: "learn.lr" in running.run.knobs.refused)
    assert "learn.lr" in str(running.run.knobs.refused["learn.lr"])
    assert running.value("learn.lr") == 1e-3
    assert Action.UNDO_KNOB not in running.allowed
    running.set_knob("net.width", 32)
    qtbot.waitUntil(lambda: "net.width" in running.run.knobs.refused)
    assert "fork" in str(running.run.knobs.refused["net.width"])


def test_undo_sends_the_previous_value_as_a_new_command(qtbot: QtBot, running: Session) -> None:
    assert Action.UNDO_KNOB not in running.allowed
    running.set_knob("learn.lr", 5e-4)
    running.set_knob("learn.epsilon", 0.3)
    qtbot.waitUntil(lambda: running.value("learn.epsilon") == 0.3)
    running.do(Action.UNDO_KNOB)
    running.do(Action.UNDO_KNOB)
    qtbot.waitUntil(lambda: running.value("learn.lr") == 1e-3)
    changes = [(c.field, c.value) for c in host().sent if isinstance(c, m.SetKnob)]
    assert changes[2:] == [("learn.epsilon", None), ("learn.lr", 1e-3)]
    assert running.value("learn.epsilon") is None
    assert Action.UNDO_KNOB not in running.allowed


def test_a_knob_unanswered_at_the_end_is_no_longer_pending(qtbot: QtBot, running: Session) -> None:
    host().answers = False
    running.set_knob("learn.lr", 5e-4)
    host().end()
    wait_for(qtbot, running, State.FINISHED)
    assert not running.run.knobs.pending("learn.lr")
    assert running.value("learn.lr") == 1e-3


@pytest.mark.parametrize("before", [State.STARTING, State.RUNNING, State.PAUSED, State.STOPPING])
def test_a_job_may_fail_in_any_state(qtbot: QtBot, session: Session, before: State) -> None:
    session.do(Action.START)
    if before is not State.STARTING:
        wait_for(qtbot, session, State.RUNNING)
    if before is State.PAUSED:
        session.do(Action.PAUSE)
        wait_for(qtbot, session, State.PAUSED)
    if before is State.STOPPING:
        host().stops = False
        session.do(Action.STOP)
    assert session.state is before
    host().fail("The loss is not a number.")
    wait_for(qtbot, session, State.FAILED)
    assert session.run.failure is not None
    assert session.run.failure.words == "The loss is not a number."
    assert Action.NEW_RUN in session.allowed
    session.do(Action.NEW_RUN)
    assert session.run.failure is None


def test_a_host_that_cannot_start_is_a_failure(qtbot: QtBot) -> None:
    def broken(kind: str, request: m.Request) -> ScriptedHost:
        raise OSError("no more processes")

    session = Session(config.Experiment(), open_host=broken)
    session.on_torch_loaded()
    session.do(Action.START)
    assert session.state is State.FAILED
    assert session.run.failure is not None
    assert "no more processes" in session.run.failure.words


def test_start_is_remembered_while_torch_loads(qtbot: QtBot) -> None:
    ScriptedHost.opened.clear()
    session = Session(config.Experiment(), open_host=ScriptedHost)
    session.do(Action.START)
    assert session.loading
    assert Action.START not in session.allowed
    assert ScriptedHost.opened == []
    session.on_torch_loaded()
    assert not session.loading
    wait_for(qtbot, session, State.RUNNING)


def test_a_process_host_does_not_wait_for_torch(qtbot: QtBot) -> None:
    session = Session(settings.with_settings(config.Experiment(), {"run.host": "process"}), open_host=ScriptedHost)
    session.do(Action.START)
    assert session.state is State.STARTING
    assert host().kind == "process"


def test_edits_that_do_not_fit_are_named_and_forbid_the_start(session: Session) -> None:
    session.edit({"net.attention_options.heads": 3})
    assert "heads" in words(session.draft.problem)
    assert Action.START not in session.allowed
    assert session.value("net.attention_options.heads") == 3  # kept as typed
    session.edit({"net.width": 63})
    assert session.draft.problem == ""
    assert session.run.experiment.net.width == 63
    assert session.run.experiment.net.attention_options["heads"] == 3


def test_another_module_drops_edits_of_the_former_ones_options(session: Session) -> None:
    session.edit({"net.attention_options.heads": 3})
    session.edit({"net.attention": "none"})
    assert session.draft.problem == ""
    assert session.run.experiment.net.attention == "none"


def test_progress_is_read_from_the_events(qtbot: QtBot, running: Session) -> None:
    host().emit(
        m.EpisodeEnded(step=480, ret=20.0, length=20),
        m.Learned(step=500, updates=3, loss=0.1, epsilon=0.9, steps_per_second=2000.0),
        m.Evaluated(step=500, returns=(1.0, 3.0), lengths=(1, 3), mean=2.0, best=True),
        m.CheckpointSaved(step=500, seconds=0.01, best=True),
    )
    qtbot.waitUntil(lambda: running.run.step == 500)
    assert running.run.learned is not None
    assert running.run.learned.steps_per_second == 2000.0
    assert (running.run.best, running.run.checkpoint) == (2.0, 500)


def test_a_resume_that_lost_steps_says_so(qtbot: QtBot, running: Session) -> None:
    rewound: list[int] = []
    running.rewound.connect(rewound.append)
    host().emit(m.RunResumed(step=10_000, lost_steps=1_500, lost_changes=("learn.lr",)))
    qtbot.waitUntil(lambda: bool(rewound))
    assert rewound == [10_000]
    assert "1,500" in str(running.run.notice)
    assert "learn.lr" in str(running.run.notice)


def test_a_resume_forgets_tweaks_made_at_the_saved_step_after_it_was_saved(qtbot: QtBot, running: Session) -> None:
    lr, epsilon = running.value("learn.lr"), running.value("learn.epsilon")
    host().emit(
        m.KnobChanged(step=2_000, field="learn.lr", old=lr, new=0.01),  # before it was saved
        m.KnobChanged(step=2_000, field="learn.lr", old=0.01, new=0.02),
        m.KnobChanged(step=2_000, field="learn.epsilon", old=None, new=0.5),
    )
    qtbot.waitUntil(lambda: running.value("learn.epsilon") == 0.5)
    host().emit(m.RunResumed(step=2_000, lost_steps=0, lost_changes=("learn.lr to 0.02", "learn.epsilon to 0.5")))
    qtbot.waitUntil(lambda: "learn.epsilon to 0.5" in str(running.run.notice))
    assert running.value("learn.epsilon") == epsilon
    assert running.run.present().learn.lr == 0.01


def test_a_resume_that_lost_the_best_evaluation_has_the_former_one(
    qtbot: QtBot, running: Session, tmp_path: Path
) -> None:
    summary = new_summary(config.Experiment())
    write_summary(tmp_path, structs.replace(summary, best=20.0))
    running.run.folder = tmp_path
    host().emit(m.Evaluated(step=900, returns=(90.0,), lengths=(9,), mean=90.0, best=True))
    qtbot.waitUntil(lambda: running.run.best == 90.0)
    host().emit(m.RunResumed(step=500, lost_steps=400))
    qtbot.waitUntil(lambda: running.run.best == 20.0)
