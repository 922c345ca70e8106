"""Edits of a run that trains: kept as a draft, shown by the bar, and carried into a fork or a new run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets, settings
from dqngui.derivation import without_marks
from dqngui.gui.main_window.actions import RunActions
from dqngui.gui.main_window.draft_bar import DraftBar
from dqngui.gui.settings_form.setting_words import change_words
from dqngui.lab.session.draft import Draft, difference
from dqngui.lab.session.rules import waiting_edits
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.runs.folder import list_runs, read_experiment
from dqngui.texts import words
from tests.doubles.scripted_host import ScriptedHost
from tests.test_rules import measured

BEGAN = presets.read_experiment("cartpole-positions")
TWO = {"net.width": 128, "net.memory": "lstm"}


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    ScriptedHost.opened.clear()
    session = Session(BEGAN, runs=tmp_path, open_host=ScriptedHost)
    session.on_torch_loaded()
    yield session
    ScriptedHost.refuses = ""
    session.deleteLater()


@pytest.fixture
def running(qtbot: QtBot, session: Session) -> Session:
    session.do(Action.START)
    reached(qtbot, session, State.RUNNING)
    host().emit(m.EpisodeEnded(step=41_200, ret=1.0, length=1))
    qtbot.waitUntil(lambda: session.run.step == 41_200)
    return session


def host() -> ScriptedHost:
    return ScriptedHost.opened[-1]


def reached(qtbot: QtBot, session: Session, state: State) -> None:
    qtbot.waitUntil(lambda: session.state is state, timeout=2000)


def parents_folder(session: Session) -> Path:
    assert session.run.folder is not None
    return session.run.folder


class Heard:
    """What the session said and gave, in order."""

    def __init__(self, session: Session) -> None:
        self.sentences: list[str] = []
        self.order: list[str] = []
        session.message.connect(lambda text, details: self.sentences.append(str(text)))
        session.cleared.connect(lambda: self.order.append("cleared"))
        session.received.connect(self._take)

    def _take(self, events: list[m.Event]) -> None:
        forks = [(event.parent, event.step) for event in events if isinstance(event, m.Forked)]
        self.order.extend(f"forked from {parent} at {step}" for parent, step in forks)


# -- the draft itself -------------------------------------------------------------------------------


def test_a_draft_holds_what_differs_as_plain_data() -> None:
    draft = Draft(BEGAN)
    assert draft.changes == {}
    draft.edit(TWO)
    assert draft.changes == {"net.width": (64, 128), "net.memory": ("gru", "lstm")}
    assert draft.base is BEGAN
    draft.edit({"net.width": 64})
    assert list(draft.changes) == ["net.memory"]
    draft.edit({"net.memory": "gru"})
    assert draft.changes == {}


def test_a_drafted_module_brings_only_the_options_that_were_edited() -> None:
    draft = Draft(BEGAN)
    draft.edit({"net.memory": "transformer"})
    assert list(draft.changes) == ["net.memory"]
    draft.edit({"net.memory_options.length": 8})
    assert draft.changes["net.memory_options.length"][1] == 8
    draft.edit({"net.memory": "lstm"})
    assert list(draft.changes) == ["net.memory"]


def test_what_does_not_fit_is_a_change_too_and_named() -> None:
    draft = Draft(BEGAN)
    draft.edit({"net.width": 63})
    assert "heads" in words(draft.problem)
    assert draft.changes == {"net.width": (64, 63)}
    assert draft.experiment == BEGAN
    draft.edit({"net.attention_options.heads": 3})
    assert draft.problem == ""
    assert set(draft.changes) == {"net.width", "net.attention_options.heads"}


@pytest.mark.parametrize(
    ("edits", "paths"),
    [
        ({"net.width": 63}, {"net.width", "net.attention_options.heads"}),
        ({"net.width": -1}, {"net.width"}),
        ({"net.values": "categorical", "net.v_min": 5.0, "net.v_max": 5.0}, {"net.v_min", "net.v_max"}),
        ({"learn.replay_capacity": 1_000, "learn.window": 900}, {"learn.replay_capacity"}),
        ({"net.width": 128}, set()),
    ],
)
def test_a_problem_knows_the_settings_that_it_is_about(edits: dict[str, object], paths: set[str]) -> None:
    draft = Draft(BEGAN)
    draft.edit(edits)
    assert draft.problem_paths == paths
    assert all(f"`{path}`" in words(draft.problem) for path in paths)
    assert bool(draft.problem) == bool(paths)


def test_edits_survive_another_base() -> None:
    draft = Draft(BEGAN)
    draft.edit({"net.memory": "transformer", "net.memory_options.length": 8, "run.total_steps": 300_000})
    changes = draft.changes
    draft.edit({"net.width": 63})
    draft.rebase(settings.with_settings(BEGAN, {"learn.lr": 5e-4}))
    assert {path: draft.changes[path] for path in changes} == changes
    assert draft.changes["net.width"] == (64, 63)
    assert "heads" in words(draft.problem)
    assert draft.experiment.learn.lr == 5e-4
    assert "learn.lr" not in draft.changes


@pytest.mark.parametrize("name", presets.preset_names())
def test_differences_between_presets_lead_from_one_to_the_other(name: str) -> None:
    other = presets.read_experiment(name)
    edits = {path: new for path, (_, new) in difference(BEGAN, other).items()}
    led = settings.with_settings(BEGAN, {**edits, "title": other.title})
    assert without_marks(led) == without_marks(other)  # what was derived and then set by name is chosen


# -- the session ------------------------------------------------------------------------------------


def test_edits_of_a_run_wait_and_change_nothing_in_it(qtbot: QtBot, running: Session) -> None:
    running.edit(TWO)
    assert set(waiting_edits(running.state, running.draft)) == set(TWO)
    assert running.run.experiment == BEGAN
    assert running.value("net.width") == 64
    assert running.draft.value("net.width") == 128
    assert {Action.FORK, Action.START_DRAFT, Action.DISCARD_DRAFT} <= running.allowed
    running.do(Action.DISCARD_DRAFT)
    assert waiting_edits(running.state, running.draft) == {}
    assert not {Action.START_DRAFT, Action.DISCARD_DRAFT} & running.allowed
    assert host().sent == []


def test_a_live_knob_is_no_draft_but_part_of_what_is_forked(qtbot: QtBot, running: Session) -> None:
    running.edit({"net.width": 128})
    running.set_knob("learn.lr", 5e-4)
    running.set_knob("learn.epsilon", 0.3)
    qtbot.waitUntil(lambda: running.value("learn.epsilon") == 0.3)
    assert list(waiting_edits(running.state, running.draft)) == ["net.width"]
    assert running.draft.experiment.learn.lr == 5e-4
    assert running.draft.experiment.learn.epsilon == BEGAN.learn.epsilon


def test_a_draft_that_does_not_fit_cannot_be_forked(running: Session) -> None:
    running.edit({"net.width": 63})
    assert "heads" in words(running.draft.problem)
    assert not {Action.FORK, Action.START_DRAFT} & running.allowed
    assert Action.DISCARD_DRAFT in running.allowed
    assert Action.STOP in running.allowed


def test_another_task_is_a_draft_of_all_that_differs(qtbot: QtBot, running: Session) -> None:
    other = presets.read_experiment(next(name for name in presets.preset_names() if name != "cartpole-positions"))
    running.edit({"run.seed": 7, "net.width": 128})
    running.load(other)
    assert waiting_edits(running.state, running.draft).keys() == difference(BEGAN, running.draft.experiment).keys()
    assert (running.draft.experiment.title, running.draft.experiment.env) == (other.title, other.env)
    assert running.draft.experiment.run.seed == 7  # where and how it runs stays
    running.do(Action.START_DRAFT)
    qtbot.waitUntil(lambda: running.state is State.RUNNING and len(ScriptedHost.opened) == 2)
    assert running.run.experiment.env == other.env


@pytest.mark.parametrize("paused", [False, True])
def test_a_fork_of_a_run_that_trains_stops_it_first(
    qtbot: QtBot, running: Session, tmp_path: Path, paused: bool
) -> None:
    heard, parent, former = Heard(running), parents_folder(running), host()
    if paused:
        running.do(Action.PAUSE)
        reached(qtbot, running, State.PAUSED)
    running.edit(TWO)
    assert running.fork_plan.step == 41_200
    running.do(Action.FORK)
    assert running.state is State.STARTING
    reached(qtbot, running, State.RUNNING)
    assert former.joined
    assert isinstance(former.sent[-1], m.Stop)
    folder = parents_folder(running)
    assert folder != parent
    assert folder.parent == tmp_path
    expected = settings.with_settings(BEGAN, TWO)
    assert host().request == m.Request(job="train", experiment=expected, folder=str(folder), fork=str(parent))
    assert read_experiment(folder) == expected
    assert (running.run.experiment, waiting_edits(running.state, running.draft), running.draft.problem) == (
        expected,
        {},
        "",
    )
    assert heard.order == ["cleared", f"forked from {parent.name} at 41200"]
    assert running.run.forked_from == parent.name
    # It is a run like any other.
    running.do(Action.STOP)
    reached(qtbot, running, State.STOPPED)
    running.do(Action.RESUME_RUN)
    assert host().request == m.Request(job="train", folder=str(folder), resume=True)


def test_a_fork_without_a_draft_goes_on_unchanged(qtbot: QtBot, running: Session) -> None:
    parent = parents_folder(running)
    running.do(Action.STOP)
    reached(qtbot, running, State.STOPPED)
    assert running.fork_plan.step == 41_200
    running.do(Action.FORK)
    reached(qtbot, running, State.RUNNING)
    assert host().request.experiment == BEGAN
    assert host().request.fork == str(parent)
    assert running.run.step == 41_200


@pytest.mark.parametrize("began", [State.RUNNING, State.STOPPED])
def test_a_fork_that_cannot_start_leaves_the_parent_as_it_was(
    qtbot: QtBot, running: Session, tmp_path: Path, began: State
) -> None:
    heard, parent = Heard(running), parents_folder(running)
    if began is State.STOPPED:
        running.do(Action.STOP)
        reached(qtbot, running, State.STOPPED)
    running.edit(TWO)
    ScriptedHost.refuses = "There is no such task."
    running.do(Action.FORK)
    reached(qtbot, running, State.STOPPED)
    qtbot.waitUntil(lambda: bool(heard.sentences))
    assert "There is no such task." in heard.sentences[0]
    assert (running.run.folder, running.run.step, running.run.failure) == (parent, 41_200, None)
    assert set(waiting_edits(running.state, running.draft)) == set(TWO)
    assert "cleared" not in heard.order
    assert [Path(run.folder) for run in list_runs(tmp_path)] == [parent]
    assert {Action.RESUME_RUN, Action.FORK} <= running.allowed


def test_stop_while_the_parent_is_being_saved_forgets_the_fork(qtbot: QtBot, running: Session) -> None:
    running.edit(TWO)
    host().stops = False
    running.do(Action.FORK)
    running.do(Action.STOP)
    assert running.state is State.STOPPING
    assert sum(isinstance(command, m.Stop) for command in host().sent) == 1
    host().save()
    host().end("stopped")
    reached(qtbot, running, State.STOPPED)
    assert len(ScriptedHost.opened) == 1
    assert set(waiting_edits(running.state, running.draft)) == set(TWO)


def test_a_parent_that_fails_while_saving_is_not_forked(qtbot: QtBot, running: Session) -> None:
    running.edit(TWO)
    host().stops = False
    running.do(Action.FORK)
    host().fail("The disk is full.")
    reached(qtbot, running, State.FAILED)
    assert len(ScriptedHost.opened) == 1
    assert set(waiting_edits(running.state, running.draft)) == set(TWO)


def test_a_new_run_trains_the_drafted_experiment_from_the_beginning(qtbot: QtBot, running: Session) -> None:
    parent, heard = parents_folder(running), Heard(running)
    running.edit(TWO)
    running.do(Action.START_DRAFT)
    qtbot.waitUntil(lambda: running.state is State.RUNNING and running.run.folder != parent)
    request = host().request
    assert (request.experiment, request.fork, request.resume) == (settings.with_settings(BEGAN, TWO), None, False)
    assert (running.run.step, waiting_edits(running.state, running.draft), heard.order) == (0, {}, ["cleared"])
    assert (parent / "resume").is_dir()


def test_a_finished_run_forks_once_it_may_go_on_for_longer(qtbot: QtBot, running: Session) -> None:
    host().emit(m.EpisodeEnded(step=150_000, ret=1.0, length=1))
    host().save()
    host().end()
    reached(qtbot, running, State.FINISHED)
    assert Action.FORK not in running.allowed
    assert "Total steps" in str(running.fork_plan.problem)
    running.edit({"run.total_steps": 300_000})
    assert Action.FORK in running.allowed
    running.do(Action.FORK)
    reached(qtbot, running, State.RUNNING)
    assert running.run.experiment.run.total_steps == 300_000


def test_a_run_without_files_cannot_be_forked(qtbot: QtBot) -> None:
    session = Session(BEGAN, open_host=ScriptedHost)
    session.on_torch_loaded()
    session.do(Action.START)
    reached(qtbot, session, State.RUNNING)
    session.edit(TWO)
    assert Action.FORK not in session.allowed
    assert "no files" in str(session.fork_plan.problem)
    assert Action.START_DRAFT in session.allowed
    host().end()


def test_new_run_keeps_what_was_drafted(qtbot: QtBot, running: Session) -> None:
    host().end()
    reached(qtbot, running, State.FINISHED)
    running.edit(TWO)
    running.do(Action.NEW_RUN)
    assert running.run.experiment == settings.with_settings(BEGAN, TWO)
    assert waiting_edits(running.state, running.draft) == {}


# -- the bar ----------------------------------------------------------------------------------------


@pytest.fixture
def bar(qtbot: QtBot, session: Session) -> Iterator[DraftBar]:
    holder = QWidget()
    qtbot.addWidget(holder)
    bar = DraftBar(session, RunActions(session, holder))
    lines = QVBoxLayout(holder)
    lines.addWidget(bar)
    holder.resize(1000, 100)
    holder.show()
    qtbot.waitExposed(holder)
    yield bar
    holder.close()


def test_the_bar_says_what_a_fork_would_change(qtbot: QtBot, bar: DraftBar, running: Session) -> None:
    assert not bar.isVisible()
    running.edit(TWO)
    assert bar.isVisible()
    assert bar.text.text() == "Fork from step 41,200 with 2 changes: memory GRU → LSTM, width 64 → 128"
    assert {name for name, button in bar.buttons.items() if button.isEnabled()} == set(bar.buttons)
    host().emit(m.EpisodeEnded(step=41_300, ret=1.0, length=1))
    qtbot.waitUntil(lambda: "41,300" in bar.text.text(), timeout=2000)
    QTest.mouseClick(bar.buttons[Action.DISCARD_DRAFT], Qt.MouseButton.LeftButton)
    assert not bar.isVisible()
    assert waiting_edits(running.state, running.draft) == {}


def test_the_bar_leaves_out_what_a_fork_does_not_follow(qtbot: QtBot, bar: DraftBar, session: Session) -> None:
    session.load(measured(20_000))
    session.do(Action.START)
    reached(qtbot, session, State.RUNNING)
    host().emit(m.EpisodeEnded(step=1_000, ret=1.0, length=1))
    session.edit({"run.total_steps": 40_000})
    assert session.draft.experiment.learn.warmup == 1600
    assert "steps 20,000 → 40,000" in bar.text.text()
    assert "warm" not in bar.text.text().lower()


def test_the_bar_forks(qtbot: QtBot, bar: DraftBar, running: Session) -> None:
    running.edit({"net.width": 128})
    assert "1 change:" in bar.text.text()
    QTest.mouseClick(bar.buttons[Action.FORK], Qt.MouseButton.LeftButton)
    reached(qtbot, running, State.RUNNING)
    assert not bar.isVisible()
    assert running.run.experiment.net.width == 128


def test_the_bar_says_why_it_cannot_fork(bar: DraftBar, running: Session) -> None:
    running.edit({"net.width": 63})
    assert bar.text.text() == "1 change that does not fit yet: width 64 → 63"
    assert not bar.buttons[Action.FORK].isEnabled()
    assert "heads" in bar.buttons[Action.FORK].toolTip()
    assert bar.buttons[Action.DISCARD_DRAFT].isEnabled()


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("run.stop_at", None, 475.0, "stop at return none → 475"),
        ("learn.prioritized", False, True, "prioritised replay off → on"),
        ("run.host", "thread", "process", "host background thread → own process"),
        ("net.memory_options.length", 16, 8, "memory length 16 → 8"),
        ("env.features", [], ["cart position"], 'features none → ["cart position"]'),
    ],
)
def test_changes_in_words(path: str, old: object, new: object, words: str) -> None:
    assert change_words(path, old, new).lower() == words.lower()


def test_a_fork_says_which_schedules_stay_moved_by_hand(qtbot: QtBot, running: Session) -> None:
    host().emit(m.KnobChanged(step=41_200, field="learn.epsilon", old=None, new=0.3))
    qtbot.waitUntil(lambda: running.run.knobs.values.get("learn.epsilon") == 0.3)
    host().emit(m.Forked(step=41_200, parent="a"))  # its own schedule holds again
    qtbot.waitUntil(lambda: running.run.forked_from == "a")
    assert running.run.knobs.values == {}
    host().emit(m.Forked(step=41_200, parent="b", manual={"learn.epsilon": 0.3}))
    qtbot.waitUntil(lambda: running.run.knobs.values == {"learn.epsilon": 0.3})
    host().emit(m.RunResumed(step=41_200, lost_steps=10))  # what came from the parent is not lost
    qtbot.waitUntil(lambda: "Resumed" in str(running.run.notice))
    assert running.run.knobs.values["learn.epsilon"] == 0.3


def test_an_agent_by_name_waits_for_a_fork(qtbot: QtBot, running: Session) -> None:
    agent = presets.read_agent("mann-dqn")
    running.load(presets.with_agent(running.draft.experiment, agent))
    assert {"net.memory", "net.attention"} <= waiting_edits(running.state, running.draft).keys()
    assert presets.agent_of(running.draft.experiment) == "mann-dqn"
    assert running.run.experiment.net.memory == "gru"  # the run that trains is what it was
    holder = QWidget()
    qtbot.addWidget(holder)
    bar = DraftBar(running, RunActions(running, holder), holder)
    bar.refresh()
    assert "memory GRU → MANN" in bar.text.toolTip()
    running.do(Action.FORK)
    qtbot.waitUntil(lambda: running.run.experiment.net.memory == "mann", timeout=3000)
    assert presets.agent_of(running.run.experiment) == "mann-dqn"
