"""The form and the live knobs: generated from the config, one gesture one command, refusals put back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from dqngui import config, presets, settings
from dqngui import messages as m
from dqngui.commands.trial import check_task
from dqngui.gui.cards.card import Card
from dqngui.gui.settings_form.fields import ChoiceEditor, NumberEditor, TomlEditor, editor_for
from dqngui.gui.settings_form.form import ExperimentForm, readable
from dqngui.gui.settings_form.knobs import LiveKnobs
from dqngui.gui.settings_form.relevance import _CONDITIONS, relevant
from dqngui.gui.settings_form.scale import STOPS, Scale
from dqngui.gui.widgets.wrapping import wrapped
from dqngui.lab.session.job import kind_of_host
from dqngui.lab.session.rules import waiting_edits
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import SuitedAgent
from tests.doubles.scripted_host import ScriptedHost


def shown(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.resize(330, 900)
    widget.show()
    qtbot.waitExposed(widget)


@pytest.fixture
def form(qtbot: QtBot, session: Session) -> ExperimentForm:
    form = ExperimentForm(session, SuitedAgent(session, parent=session))
    shown(qtbot, form)
    return form


@pytest.fixture
def knobs(qtbot: QtBot, session: Session) -> LiveKnobs:
    knobs = LiveKnobs(session)
    shown(qtbot, knobs)
    return knobs


@pytest.fixture
def running(qtbot: QtBot, knobs: LiveKnobs, session: Session) -> LiveKnobs:
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    return knobs


def sent() -> list[m.SetKnob]:
    return [command for command in ScriptedHost.opened[-1].sent if isinstance(command, m.SetKnob)]


# -- generated --------------------------------------------------------------------------------------


def test_every_setting_is_in_the_form_or_a_knob(form: ExperimentForm, knobs: LiveKnobs) -> None:
    fields = {field.path: field for field in settings.experiment_fields()}
    options = {field.path for slot in ("attention", "memory") for field in _options(slot)}
    hidden = {"net.attention_options", "net.memory_options"}
    assert (
        set(form.editors()) - {"task", "agent"} == {path for path, f in fields.items() if not f.live} - hidden | options
    )
    assert set(knobs.rows) == {path for path, field in fields.items() if field.live}


def _options(slot: str) -> list[config.Field]:
    experiment = presets.read_experiment("cartpole-positions")
    return settings.options_fields(slot, getattr(experiment.net, slot))  # type: ignore[arg-type]


def test_every_editor_has_the_settings_help_and_value(form: ExperimentForm, session: Session) -> None:
    editors = form.editors()
    for field in settings.experiment_fields():
        if (editor := editors.get(field.path)) is not None:
            assert wrapped(field.help) in editor.toolTip()
            assert editor.accessibleName() == field.label
    assert editors["run.total_steps"].value() == 150_000
    assert editors["net.memory"].value() == "gru"
    assert editors["task"].value() == "cartpole-positions"


def test_another_memory_brings_its_own_options(form: ExperimentForm, session: Session) -> None:
    assert "net.memory_options.chrono" in form.editors()
    choose(form.editors()["net.memory"], "transformer")
    assert session.run.experiment.net.memory == "transformer"
    assert "net.memory_options.length" in form.editors()
    assert "net.memory_options.chrono" not in form.editors()


def choose(editor: object, value: object) -> None:
    assert isinstance(editor, ChoiceEditor)
    index = editor.findData(value)
    editor.setCurrentIndex(index)
    editor.activated.emit(index)


def test_a_derived_setting_follows_until_it_is_set_by_hand(form: ExperimentForm, session: Session) -> None:
    path = "net.memory_options.chrono"
    chip = form.options["memory"].chips[path]
    assert (chip.text(), chip.isEnabled()) == ("Derived", False)
    session.edit({"net.horizon": 52})
    chrono = form.editors()[path]
    assert isinstance(chrono, NumberEditor)
    assert (chrono.value(), chip.text()) == (52, "Derived")
    type_into(chrono, "7")
    assert (chip.text(), chip.isEnabled()) == ("Manual", True)
    session.edit({"net.horizon": 30})
    assert chrono.value() == 7
    chip.click()
    assert (chrono.value(), chip.text()) == (30, "Derived")


def test_a_preset_replaces_the_experiment(form: ExperimentForm, session: Session) -> None:
    session.edit({"run.seed": 3})
    other = next(name for name in presets.preset_names() if name != "cartpole-positions")
    choose(form.task, other)
    expected = presets.read_experiment(other)
    assert (session.run.experiment.env, session.run.experiment.learn) == (expected.env, expected.learn)
    assert session.run.experiment.run.seed == 3  # where and how it runs stays
    session.edit({"env.num_envs": 4})
    assert form.task.value() == other  # the same task, in more copies
    session.edit({"env.kwargs": {"some": 1}})
    assert form.task.value() is None  # no longer a shipped task


def test_an_agent_by_name_is_laid_over_the_task(form: ExperimentForm, session: Session) -> None:
    choose(form.agent, "lstm-dqn")
    assert form.agent.value() == "lstm-dqn"
    assert (session.run.experiment.net.memory, session.run.experiment.net.attention) == ("lstm", "none")
    assert form.task.value() == "cartpole-positions"  # the task stays
    choose(form.editors()["net.attention"], "self")
    assert form.agent.value() is None  # a combination of one's own


def test_what_does_not_fit_is_said_under_the_form(form: ExperimentForm, session: Session) -> None:
    session.edit({"net.width": 63})
    assert "heads" in form.problem.text()
    assert form.problem.isVisible()
    assert Action.START not in session.allowed
    assert form.editors()["net.width"].value() == 63
    session.edit({"net.width": 64})
    assert not form.problem.isVisible()


def test_an_edit_while_a_run_trains_waits_for_a_fork(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    card = Card("Experiment", form)
    qtbot.addWidget(card)
    form.set_card(card)
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    width = form.editors()["net.width"]
    assert isinstance(width, NumberEditor)
    assert width.isEnabled()
    assert "takes effect in a fork" in width.toolTip()
    label = form.first.labels["net.width"]
    type_into(width, "128")
    assert waiting_edits(session.state, session.draft) == {"net.width": (64, 128)}
    assert session.run.experiment.net.width == 64
    assert label.changed
    assert "64 → 128" in width.toolTip()
    assert "1 change waits" in card.note.text()
    session.do(Action.DISCARD_DRAFT)
    assert width.value() == 64
    assert not label.changed
    assert "64 → 128" not in width.toolTip()


def test_another_memory_in_a_draft_brings_its_options(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    choose(form.editors()["net.memory"], "transformer")
    assert "net.memory_options.length" in form.editors()
    assert form.first.labels["net.memory"].changed
    session.edit({"net.memory_options.length": 8})
    assert form.options["memory"].labels["net.memory_options.length"].changed
    session.do(Action.DISCARD_DRAFT)
    assert "net.memory_options.length" not in form.editors()


def test_the_window_offers_a_thread_or_a_process(form: ExperimentForm, session: Session) -> None:
    host = form.editors()["run.host"]
    assert isinstance(host, ChoiceEditor)
    assert [host.itemData(index) for index in range(host.count())] == ["thread", "process"]
    assert all(host.itemData(index, Qt.ItemDataRole.ToolTipRole) for index in range(host.count()))
    session.load(settings.with_settings(config.Experiment(), {"run.host": "inline"}))
    session.edit({"run.host": "inline"})
    assert (host.value(), host.count()) == ("thread", 2)


def test_the_host_is_the_one_that_a_foreign_task_really_gets(form: ExperimentForm, session: Session) -> None:
    host = form.editors()["run.host"]
    assert (host.value(), form.host_note.isHidden()) == ("thread", True)
    session.edit({"env.id": "mine.py:Late"})
    assert host.value() == "process" == kind_of_host(session.draft.experiment)
    assert "process of its own" in form.host_note.text() and not form.host_note.isHidden()
    session.edit({"run.host": "process"})
    assert (host.value(), form.host_note.text()) == ("process", "")


def test_the_choice_of_the_agent_speaks_only_of_network_and_learning(form: ExperimentForm, session: Session) -> None:
    others = {
        "run.total_steps": 70_000,
        "run.seed": 5,
        "run.eval_every": 1_234,
        "run.checkpoint_every": 999,
        "env.num_envs": 3,
    }

    def chosen() -> tuple[object, object, str]:
        return form.task.value(), form.agent.value(), form.agent.placeholderText()

    for name in presets.preset_names():
        preset = presets.read_experiment(name)
        session.load(preset)
        before = chosen()
        assert before[0] == name and (before[1] or before[2] == "As in the preset")
        for path, value in others.items():
            session.edit({path: value})
            assert chosen() == before, (name, path)
        session.edit({"net.memory": "lstm" if preset.net.memory == "gru" else "gru"})
        assert chosen()[1:] != before[1:] and form.agent.placeholderText() == "Own combination"


def test_devices_that_torch_found_keep_a_drafted_choice(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    session.edit({"run.device": "cuda:1"})
    form.set_devices([("cpu", "Processor"), ("cuda:1", "A second card")])
    device = form.editors()["run.device"]
    assert isinstance(device, ChoiceEditor)
    assert device.value() == "cuda:1"
    assert [device.itemData(index) for index in range(device.count())] == ["auto", "cpu", "cuda:1"]


@pytest.mark.parametrize(
    ("changes", "path", "matters"),
    [
        ({"learn.target": "soft"}, "learn.tau", True),
        ({"learn.target": "hard"}, "learn.tau", False),
        ({"learn.target": "hard"}, "learn.target_every", True),
        ({"learn.prioritized": True}, "learn.priority_beta", True),
        ({"learn.prioritized": False}, "learn.priority_beta", False),
        ({"net.memory": "transformer"}, "learn.burn_in", False),
        ({"net.memory": "lstm"}, "learn.burn_in", True),
        ({"net.memory": "mann"}, "learn.burn_in", True),
        ({"net.memory": "none", "net.attention": "recurrent"}, "learn.burn_in", True),
        ({"net.values": "quantile"}, "learn.kappa", True),
        ({"net.values": "categorical"}, "learn.kappa", False),
        ({"net.predictor": True}, "learn.predict_next", True),
        ({"net.predictor": False}, "learn.predict_next", False),
    ],
)
def test_knobs_without_effect_are_hidden(
    knobs: LiveKnobs, session: Session, changes: dict[str, object], path: str, matters: bool
) -> None:
    session.edit(changes)
    assert relevant(session.run.experiment, path) is matters
    assert knobs.rows[path].isVisibleTo(knobs) is matters


@pytest.mark.parametrize(
    ("changes", "path", "matters"),
    [
        ({"net.memory": "gru"}, "net.shortcut", True),
        ({"net.memory": "none"}, "net.shortcut", False),
        ({"net.tokens": "one"}, "net.convolutions", True),
        ({"net.tokens": "feature"}, "net.convolutions", False),
        ({"learn.epsilon_repeat": 8}, "learn.epsilon_repeat_power", True),
        ({"learn.epsilon_repeat": 1}, "learn.epsilon_repeat_power", False),
        ({"learn.algorithm": "ppo"}, "learn.epsilon_repeat", False),
        ({"learn.algorithm": "ppo", "learn.epsilon_repeat": 8}, "learn.epsilon_repeat_power", False),
    ],
)
def test_fields_without_effect_are_not_relevant(changes: dict[str, object], path: str, matters: bool) -> None:
    assert relevant(settings.with_settings(config.Experiment(), changes), path) is matters


def test_conditions_name_existing_settings() -> None:
    assert set(_CONDITIONS) <= {field.path for field in settings.experiment_fields()}


# -- knobs ------------------------------------------------------------------------------------------


def test_before_a_run_a_knob_edits_the_experiment(qtbot: QtBot, knobs: LiveKnobs, session: Session) -> None:
    type_into(knobs.rows["learn.lr"].number, "5e-4")
    assert session.run.experiment.learn.lr == 5e-4
    schedule = knobs.rows["learn.epsilon"].schedule
    assert schedule is not None
    type_into(schedule.parts["steps"], "20k")
    assert session.run.experiment.learn.epsilon == config.Schedule(start=1.0, end=0.1, steps=20_000)


def type_into(editor: NumberEditor, text: str) -> None:
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def test_a_knob_is_pending_then_acknowledged(qtbot: QtBot, running: LiveKnobs, session: Session) -> None:
    row = running.rows["learn.lr"]
    ScriptedHost.opened[-1].answers = False
    type_into(row.number, "5e-4")
    assert sent() == [m.SetKnob(field="learn.lr", value=5e-4)]
    assert row.number.property("role") == "knobPending"
    assert "pending" in running.message.text()
    assert session.value("learn.lr") == 1e-3
    ScriptedHost.opened[-1].answer(sent()[0])
    qtbot.waitUntil(lambda: row.number.property("role") == "knob")
    assert session.value("learn.lr") == 5e-4
    assert not running.message.isVisible()


def test_a_refused_knob_is_put_back_with_the_reason(qtbot: QtBot, running: LiveKnobs) -> None:
    row = running.rows["learn.lr"]
    type_into(row.number, "7")
    qtbot.waitUntil(lambda: "was not changed" in running.message.text())
    assert "expected a number ≤ 1.0" in running.message.text()
    assert row.number.value() == 1e-3
    assert row.slider.value() == Scale.of(row.field).position(1e-3)
    type_into(row.number, "2e-3")
    qtbot.waitUntil(lambda: not running.message.isVisible())


def test_one_drag_is_one_command(qtbot: QtBot, running: LiveKnobs) -> None:
    slider = running.rows["learn.lr"].slider
    start = slider.rect().center()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for dx in range(0, 60, 5):
        QTest.mouseMove(slider, start + QPoint(dx, 0))
    assert sent() == []
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + QPoint(60, 0))
    assert len(sent()) == 1


def test_keys_on_a_slider_are_one_command_after_a_rest(qtbot: QtBot, running: LiveKnobs) -> None:
    slider = running.rows["learn.lr"].slider
    slider.setFocus()
    for _ in range(5):
        QTest.keyClick(slider, Qt.Key.Key_Right)
    assert sent() == []
    qtbot.waitUntil(lambda: len(sent()) == 1, timeout=1000)
    qtbot.wait(400)
    assert len(sent()) == 1
    assert sent()[0].value > 1e-3


def test_typing_is_one_command_after_a_rest(qtbot: QtBot, running: LiveKnobs) -> None:
    number = running.rows["learn.batch_size"].number
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, "128")
    assert sent() == []
    qtbot.waitUntil(lambda: sent() == [m.SetKnob(field="learn.batch_size", value=128)], timeout=1000)


def test_a_wheel_over_an_unfocused_control_scrolls_the_form(qtbot: QtBot, running: LiveKnobs) -> None:
    slider, number = running.rows["learn.lr"].slider, running.rows["learn.gamma"].number
    number.setFocus()
    before = slider.value()
    event = QWheelEvent(
        QPointF(5, 5), QPointF(slider.mapToGlobal(QPoint(5, 5))), QPoint(0, 120), QPoint(0, 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(slider, event)
    assert slider.value() == before
    slider.setFocus()
    QApplication.sendEvent(slider, event)
    assert slider.value() != before


def test_a_scheduled_knob_detaches_and_returns(qtbot: QtBot, running: LiveKnobs, session: Session) -> None:
    row = running.rows["learn.epsilon"]
    host = ScriptedHost.opened[-1]
    host.emit(m.Learned(step=500, updates=1, epsilon=0.955))
    qtbot.waitUntil(lambda: row.number.value() == 0.955)
    assert (row.chip.text(), row.chip.isEnabled()) == ("Scheduled", False)
    type_into(row.number, "0.3")
    qtbot.waitUntil(lambda: row.chip.text() == "Manual")
    host.emit(m.Learned(step=1000, updates=2, epsilon=0.3))
    row.chip.click()
    qtbot.waitUntil(lambda: row.chip.text() == "Scheduled")
    assert [command.value for command in sent()] == [0.3, None]


def test_before_a_run_a_chip_changes_between_a_number_and_a_schedule(knobs: LiveKnobs, session: Session) -> None:
    row = knobs.rows["learn.lr"]
    assert row.schedule is not None
    assert (row.chip.text(), row.schedule.isVisibleTo(row), row.slider.isVisibleTo(row)) == ("Constant", False, True)
    row.chip.click()
    steps = session.run.experiment.run.total_steps
    assert session.run.experiment.learn.lr == config.Schedule(start=1e-3, end=1e-3, steps=steps, share=1.0)
    assert (row.chip.text(), row.schedule.isVisibleTo(row), row.slider.isVisibleTo(row)) == ("Scheduled", True, False)
    type_into(row.schedule.parts["end"], "1e-4")
    assert session.run.experiment.learn.lr == config.Schedule(start=1e-3, end=1e-4, steps=steps, share=1.0)
    row.chip.click()
    assert session.run.experiment.learn.lr == 1e-3
    assert not knobs.rows["learn.gamma"].chip.isVisibleTo(knobs)


def test_a_schedule_says_that_it_follows_the_run_until_its_steps_are_typed(knobs: LiveKnobs, session: Session) -> None:
    row = knobs.rows["learn.lr"]
    assert row.schedule is not None
    note = row.schedule.note
    session.edit({"learn.lr": {"start": 1e-3, "end": 0.0, "share": 0.5}, "run.total_steps": 8_000})
    assert row.schedule.parts["steps"].value() == 4_000
    assert note.isVisibleTo(row) and note.text().startswith("50 % of the run: the steps follow")
    session.edit({"run.total_steps": 2_000})
    assert row.schedule.parts["steps"].value() == 1_000
    type_into(row.schedule.parts["start"], "2e-3")
    assert session.run.experiment.learn.lr == config.Schedule(start=2e-3, end=0.0, steps=1_000, share=0.5)
    type_into(row.schedule.parts["steps"], "700")
    session.edit({"run.total_steps": 9_000})
    assert session.run.experiment.learn.lr == config.Schedule(start=2e-3, end=0.0, steps=700)
    assert not note.isVisibleTo(row)


def test_a_scheduled_learning_rate_detaches_and_returns(qtbot: QtBot, knobs: LiveKnobs, session: Session) -> None:
    session.edit({"learn.lr": {"start": 1e-3, "end": 0.0, "steps": 1000}})
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    row = knobs.rows["learn.lr"]
    host = ScriptedHost.opened[-1]
    host.emit(m.Learned(step=500, updates=1, lr=5e-4))
    qtbot.waitUntil(lambda: row.number.value() == 5e-4)
    assert (row.chip.text(), row.chip.isEnabled()) == ("Scheduled", False)
    type_into(row.number, "2e-3")
    qtbot.waitUntil(lambda: row.chip.text() == "Manual")
    row.chip.click()
    qtbot.waitUntil(lambda: row.chip.text() == "Scheduled")
    assert [command.value for command in sent()] == [2e-3, None]
    assert not knobs.rows["learn.clip"].chip.isVisibleTo(knobs), "a number without a schedule"


def test_undo_with_the_keyboard_in_a_number_takes_the_knob_back(
    qtbot: QtBot, running: LiveKnobs, session: Session
) -> None:
    from dqngui.gui.main_window.actions import RunActions

    actions = RunActions(session, running)
    number = running.rows["learn.lr"].number
    running.activateWindow()
    type_into(number, "5e-4")
    qtbot.waitUntil(lambda: session.value("learn.lr") == 5e-4)
    assert actions[Action.UNDO_KNOB].isEnabled()
    QTest.keyClick(number, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: session.value("learn.lr") == 1e-3)
    assert number.value() == 1e-3


# -- numbers and text -------------------------------------------------------------------------------


@pytest.mark.parametrize("field", settings.live_fields(), ids=lambda f: f.path)
def test_every_place_of_a_slider_is_an_allowed_value(field: config.Field) -> None:
    scale = Scale.of(field)
    values = [scale.value(position) for position in range(STOPS + 1)]
    assert values == sorted(values)
    for value in (*values[:3], *values[3:-3:100], *values[-3:]):
        assert settings.knob_value(field.path, value) == value
    assert scale.position(values[0]) == 0
    assert scale.position(values[-1]) == STOPS


def test_lists_and_tables_are_written_as_toml(qtbot: QtBot) -> None:
    wrappers = editor_for(settings.field_at("env.wrappers"))
    assert isinstance(wrappers, TomlEditor)
    qtbot.addWidget(wrappers)
    value = [{"name": "keep", "options": {"entries": [0, 2]}}]
    assert wrappers.parse(wrappers.text_of(value)) == value
    names = editor_for(settings.field_at("env.features"))
    assert isinstance(names, TomlEditor)
    qtbot.addWidget(names)
    assert names.parse("cart position, pole angle") == ["cart position", "pole angle"]
    with pytest.raises(ValueError, match="write it as"):
        wrappers.parse("{ name = ")
    assert settings.inline_toml({"a b": True, "c": 'say "x"'}) == '{ "a b" = true, c = "say \\"x\\"" }'


def test_the_option_that_an_error_shows_can_be_pasted(qtbot: QtBot, form: ExperimentForm, session: Session) -> None:
    session.edit({"env.id": "Pendulum-v1", "env.features": ["position", "angle"], "env.actions": ["left", "right"]})
    with pytest.raises(config.ConfigError) as caught:
        check_task(session.draft.experiment)
    shown = readable(str(caught.value))
    option = shown[shown.index("--set") : shown.rindex(" (in the window")]
    assert shown.endswith("(in the window: Wrappers, Features, Actions, under Environment)")
    for path in ("env.wrappers", "env.features", "env.actions"):
        editor = form.editors()[path]
        assert isinstance(editor, TomlEditor)
        editor.setText("")
        qtbot.keyClicks(editor, option)
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    check_task(session.draft.experiment)
    assert [wrapper.name for wrapper in session.draft.experiment.env.wrappers] == ["discretize"]
    names = editor_for(settings.field_at("env.features"))
    assert isinstance(names, TomlEditor)
    qtbot.addWidget(names)
    assert names.parse("it's, fine") == ["it's", "fine"]
    assert names.parse("--set") == ["--set"]


def test_a_problem_speaks_as_the_form_does_and_frames_its_field(qtbot: QtBot) -> None:
    assert readable("`net.width`: expected `int` >= 4") == "Width: expected a whole number ≥ 4"
    session = Session(presets.read_experiment("cartpole-positions"), open_host=ScriptedHost)
    form = ExperimentForm(session, SuitedAgent(session, parent=session))
    qtbot.addWidget(form)
    width = form.editors()["net.width"]
    session.edit({"net.width": -63})
    assert width.property("role") == "bad"
    assert form.problem.text().startswith("Width: ")
    session.edit({"net.width": 64})
    assert width.property("role") != "bad"


def test_what_is_no_number_is_taken_back_on_leaving_the_field(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    lines = QVBoxLayout(holder)
    first, second = NumberEditor(float), NumberEditor(float)
    for editor in (first, second):
        lines.addWidget(editor)
        editor.role = "knob"
        editor.set_value(0.5)
    holder.show()
    qtbot.waitExposed(holder)
    first.setFocus()
    first.selectAll()
    height = first.sizeHint().height()
    QTest.keyClicks(first, "abc")
    qtbot.waitUntil(lambda: first.property("role") == "knobBad")
    assert "number" in first.toolTip()
    QTest.keyClick(first, Qt.Key.Key_Return)
    assert first.text() == "abc"  # there to be mended
    assert first.sizeHint().height() == height
    second.setFocus()
    qtbot.waitUntil(lambda: first.text() == "0.5")
    assert first.property("role") == "knob"


def test_a_slow_module_says_so_where_it_is_chosen(form: ExperimentForm, session: Session) -> None:
    _, remark = form.remarks["net.attention"]
    assert not remark.isVisible()
    choose(form.editors()["net.attention"], "recurrent")
    assert remark.isVisible() and remark.text().startswith("Slow")
    choose(form.editors()["net.attention"], "self")
    assert not remark.isVisible()


def test_knobs_that_are_seldom_turned_are_folded(knobs: LiveKnobs) -> None:
    assert not knobs.rows["learn.weight_decay"].isVisible()
    assert knobs.rows["learn.lr"].isVisible()
    knobs.more.click()
    assert knobs.rows["learn.weight_decay"].isVisible()
    assert not knobs.rows["learn.clip"].isVisible()  # PPO's
    knobs.more.click()
    assert not knobs.rows["learn.weight_decay"].isVisible()


@pytest.mark.parametrize("field", [field for field in settings.live_fields() if field.kind in ("int", "float")])
def test_the_usual_value_has_room_on_both_sides(field: config.Field) -> None:
    """Ranges over several decades need a logarithmic scale, or every useful value lies at one end."""
    usual = field.default.start if isinstance(field.default, config.Schedule) else field.default
    if not field.log and usual:
        assert field.high is None or usual >= 0.02 * field.high


def test_names_keep_their_spelling(form: ExperimentForm) -> None:
    memory = form.editors()["net.memory"]
    assert isinstance(memory, ChoiceEditor)
    words = [memory.itemText(index) for index in range(memory.count())]
    assert {"minGRU", "LSTM", "No memory"} <= set(words)
