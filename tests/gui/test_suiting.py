"""The agent that suits the task, in the form: where it is offered, what is shown while it is found and afterwards."""

from __future__ import annotations

import time

import pytest
from driving import end, make_app, show, until
from PySide6.QtCore import QPoint, QSettings, Qt, QTimer
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets, settings
from dqngui.config import EnvConfig
from dqngui.defaults import default_experiment
from dqngui.gui.app.app import App
from dqngui.gui.settings_form.environment_dialog import EnvironmentDialog
from dqngui.gui.settings_form.fields import ChoiceEditor, TextEditor
from dqngui.gui.settings_form.form import OTHER, SUITED, ExperimentForm
from dqngui.hosts import Host, open_host
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import SuitedAgent
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import ScriptedPlayer
from tests.doubles.scripted_trial import ScriptedTrial

PENDULUM = default_experiment(EnvConfig(id="Pendulum-v1"))
OFFER, TRYING = "Suit the agent to this task", "Trying the task…"


@pytest.fixture
def form(qtbot: QtBot, session: Session) -> ExperimentForm:
    """As narrow as its card may be, with the environment's settings unfolded."""
    form = ExperimentForm(session, SuitedAgent(session, open_host=ScriptedTrial, parent=session))
    qtbot.addWidget(form)
    form.resize(280, 900)
    form.show()
    qtbot.waitExposed(form)
    form.sections["env"].toggle.click()
    return form


def choose(editor: ChoiceEditor, value: object) -> None:
    index = editor.findData(value)
    editor.setCurrentIndex(index)
    editor.activated.emit(index)


def type_id(form: ExperimentForm, text: str) -> None:
    editor = form.editors()["env.id"]
    assert isinstance(editor, TextEditor)
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def agent_words(form: ExperimentForm) -> str:
    """What the Agent field shows."""
    return form.agent.currentText() if form.agent.currentIndex() >= 0 else form.agent.placeholderText()


def test_a_typed_id_is_tried_and_gets_an_agent(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    assert not form.suit.isVisible()
    type_id(form, "Pendulum-v1")
    assert session.draft.experiment.env == EnvConfig(id="Pendulum-v1")
    assert form.task.value() is None and form.task.placeholderText() == "Pendulum-v1"
    for path in ("env.wrappers", "env.features", "env.actions"):
        assert not form.editors()[path].value()
    assert (agent_words(form), form.suit.text(), form.suit.isEnabled()) == (TRYING, TRYING, False)
    assert form.editors()["net.width"].isEnabled()  # the form stays usable
    ScriptedTrial.opened[-1].find(PENDULUM)
    qtbot.waitUntil(lambda: agent_words(form) == "Suited to the task")
    assert not form.suit.isVisible()
    assert session.draft.experiment == settings.with_settings(PENDULUM, {"run.total_steps": 150_000})
    assert form.editors()["run.total_steps"].value() == 150_000
    assert "episodes of at most 200 steps" in form.suited_note.text()
    assert form.suited_note.isVisible()
    session.edit({"run.total_steps": 20_000, "run.eval_every": 500, "env.num_envs": 3})
    assert agent_words(form) == "Suited to the task"
    session.edit({"net.width": 32})
    assert agent_words(form) == "Own combination"
    choose(form.task, "tmaze")
    assert not form.suited_note.isVisible()


def test_an_own_environment_is_asked_for_in_the_task_list(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    choose(form.task, OTHER)
    dialog = form.findChild(EnvironmentDialog)
    assert dialog.isVisible() and not dialog.use.isEnabled()
    assert form.task.value() == "cartpole-positions"  # until another one is chosen
    dialog.id.setText("own:Maze-v0")
    dialog.use.click()
    assert dialog.said.text() == TRYING and not dialog.use.isEnabled()
    ScriptedTrial.opened[-1].fail("`own:Maze-v0`: there is no module `own`")
    qtbot.waitUntil(lambda: dialog.use.isEnabled())
    assert "there is no module" in dialog.said.text() and dialog.isVisible()
    dialog.id.setText("Pendulum-v1")
    assert not dialog.said.isVisible()
    dialog.use.click()
    ScriptedTrial.opened[-1].find(PENDULUM)
    qtbot.waitUntil(lambda: form.agent.value() == SUITED)
    qtbot.waitUntil(lambda: form.findChild(EnvironmentDialog) is None)
    assert form.task.placeholderText() == "Pendulum-v1"


def test_the_environment_of_a_task_can_be_chosen_without_the_task(form: ExperimentForm, session: Session) -> None:
    """CartPole's positions only become the whole CartPole."""
    assert session.draft.experiment.env.wrappers
    choose(form.task, OTHER)
    dialog = form.findChild(EnvironmentDialog)
    dialog.id.setText("CartPole-v1")
    dialog.use.click()
    assert session.draft.experiment.env == EnvConfig(id="CartPole-v1")
    assert ScriptedTrial.opened[-1].request.experiment.env == EnvConfig(id="CartPole-v1")
    dialog.reject()


def test_the_agent_field_finds_it_for_a_preset_too(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    before = agent_words(form)
    choose(form.agent, SUITED)
    assert agent_words(form) == TRYING
    assert not form.suit.isVisible()
    found = default_experiment(session.draft.experiment.env)
    ScriptedTrial.opened[-1].find(found)
    qtbot.waitUntil(lambda: form.agent.value() == SUITED)
    assert form.task.value() == "cartpole-positions"  # it is still this task
    choose(form.agent, "lstm-dqn")
    assert agent_words(form) != before and form.agent.value() == "lstm-dqn"
    assert session.draft.experiment.task == found.task


@pytest.mark.parametrize("field", ["agent", "task"])
def test_another_choice_ends_the_trial(form: ExperimentForm, session: Session, field: str) -> None:
    editor = form.agent if field == "agent" else form.task
    before, chosen = session.draft.experiment, editor.value()
    choose(form.agent, SUITED)
    choose(editor, chosen)  # the one that was there
    assert ScriptedTrial.opened[-1].killed
    assert agent_words(form) != TRYING
    assert session.draft.experiment == before


def test_an_unknown_id_is_said_under_the_form(qtbot: QtBot, session: Session) -> None:
    suited = SuitedAgent(session, open_host=lambda _, request: open_host("inline", request), parent=session)
    form = ExperimentForm(session, suited)
    qtbot.addWidget(form)
    form.show()
    form.sections["env"].toggle.click()
    type_id(form, "Pendolum-v1")
    before = session.draft.experiment
    qtbot.waitUntil(lambda: bool(form.problem.text()))
    assert form.problem.text().startswith(
        "Environment: there is no environment `Pendolum-v1`; did you mean Pendulum-v1"
    )
    assert form.problem.isVisible()
    assert session.draft.experiment == before
    assert form.suit.text() == OFFER
    type_id(form, "Pendulum-v1")
    assert not form.problem.isVisible()


def test_it_is_not_offered_while_a_start_waits(qtbot: QtBot) -> None:
    session = Session(presets.read_experiment("cartpole-positions"), open_host=ScriptedHost)
    form = ExperimentForm(session, SuitedAgent(session, open_host=ScriptedTrial, parent=session))
    qtbot.addWidget(form)
    type_id(form, "Pendulum-v1")
    session.do(Action.START)
    assert session.waiting.for_task is Action.START and not form.suit.isEnabled()
    ScriptedTrial.opened[-1].find(PENDULUM)
    qtbot.waitUntil(lambda: session.loading)
    session.on_torch_loaded()
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    assert form.suit.isEnabled()  # for a new run
    session.deleteLater()


def test_nothing_is_clipped_in_the_narrowest_form(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    type_id(form, "Pendulum-v1")
    for text in (OFFER, TRYING):
        assert QFontMetrics(form.suit.font()).horizontalAdvance(text) + 20 <= form.suit.width()
    assert form.suit.height() >= form.suit.sizeHint().height()
    ScriptedTrial.opened[-1].find(PENDULUM)
    qtbot.waitUntil(lambda: form.suited_note.isVisible())
    note: QLabel = form.suited_note
    qtbot.waitUntil(lambda: note.height() >= note.heightForWidth(note.width()))
    left = note.mapTo(form, QPoint(0, 0)).x()
    assert left >= 0 and left + note.width() <= form.width()


class Trials:
    """Opens real processes for trying tasks, and scripted players; `hosts` are the processes."""

    def __init__(self) -> None:
        self.hosts: list[Host] = []

    def open(self, kind: str, request: m.Request) -> Host:
        if request.job != "suit":
            return ScriptedPlayer(kind, request)
        self.hosts.append(open_host(kind, request))
        return self.hosts[-1]


def test_a_hanging_environment_stops_neither_the_window_nor_its_end(
    qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = Trials()
    app: App = make_app(settings, monkeypatch, open_play_host=trials.open)
    show(qtbot, app)
    app.session.edit({"env.id": "tests.doubles.hanging:Hanging-v0"})
    turns: list[float] = []
    ticking = QTimer(interval=10)
    ticking.timeout.connect(lambda: turns.append(time.monotonic()))
    ticking.start()
    until(lambda: len(turns) > 60 and turns[-1] - turns[0] > 1.5, seconds=30.0)
    ticking.stop()
    assert app.suited.trying
    assert not trials.hosts[-1].join(0)
    app.session.edit({"net.width": 32})  # the form is usable
    assert app.suited.trying and app.session.draft.experiment.net.width == 32
    app.session.edit({"env.kwargs": {"a": 1}})  # the question is outdated
    assert not app.suited.trying
    app.window.form.suit.click()
    end(qtbot, app, timeout=5_000)
    for host in trials.hosts:
        assert host.join(0)  # the process has ended
