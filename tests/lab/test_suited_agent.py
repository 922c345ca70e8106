"""The agent that suits the draft's task: what is tried, what is loaded, what is dropped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets, settings
from dqngui.config import EnvConfig, Experiment, TaskFacts
from dqngui.defaults import default_experiment
from dqngui.derivation import RULES, awaits_task, without_marks
from dqngui.hosts import Host, open_host, run_inline
from dqngui.lab.background.timing import Timing
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.lab.session.suited_agent import PATIENCE_S, SuitedAgent
from dqngui.runs.folder import create
from dqngui.texts import words
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_trial import ScriptedTrial

HANGING = "tests.doubles.hanging:Hanging-v0"
PENDULUM = default_experiment(EnvConfig(id="Pendulum-v1"))
ACROBOT = default_experiment(EnvConfig(id="Acrobot-v1"))


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def suited(session: Session, clock: list[float]) -> SuitedAgent:
    """Its process is scripted, and the test ticks."""
    ScriptedTrial.opened.clear()
    return SuitedAgent(
        session, open_host=ScriptedTrial, timing=Timing(clock=lambda: clock[0], automatic=False), parent=session
    )


@pytest.fixture
def real(session: Session) -> SuitedAgent:
    """It tries real environments, in this thread."""

    def open_inline(kind: str, request: m.Request) -> Host:
        return open_host("inline", request)

    return SuitedAgent(session, open_host=open_inline, timing=Timing(automatic=False), parent=session)


def answer(suited: SuitedAgent, found: Experiment) -> None:
    ScriptedTrial.opened[-1].find(found)
    suited.tick(0.0)


def tried(suited: SuitedAgent) -> None:
    suited.ask()
    while suited.trying:
        suited.tick(time.perf_counter())


def with_facts(experiment: Experiment, task: TaskFacts | None) -> Experiment:
    """The experiment as if the environment had shown these facts: no two measurements share the speed."""
    derived: dict[str, Any] = {path: None for path in experiment.derived if path in RULES}
    return settings.with_settings(msgspec.structs.replace(experiment, task=task), derived)


# -- what is found ------------------------------------------------------------------------------------------


def test_the_job_gives_the_default_agent(session: Session) -> None:
    asked = settings.experiment_from({"env": {"id": "Acrobot-v1"}})
    events = list(run_inline(m.Request(job="suit", experiment=asked)))
    found = next(event.experiment for event in events if isinstance(event, m.AgentSuited))
    assert found.task is not None and found.task.time_limit == 500
    assert found == with_facts(ACROBOT, found.task)
    assert isinstance(events[-1], m.Finished) and events[-1].reason == "completed"


@pytest.mark.parametrize("env_id", ["Acrobot-v1", "Pendulum-v1", "dqngui/Recall-v0"])
def test_a_typed_id_gets_the_agent_of_the_command_line(session: Session, real: SuitedAgent, env_id: str) -> None:
    session.edit({"run.seed": 7, "run.total_steps": 40_000, "run.host": "process"})
    session.edit({"env.id": env_id})
    tried(real)
    draft = session.draft.experiment
    assert not real.problem and draft.task is not None
    expected = with_facts(default_experiment(EnvConfig(id=env_id)), draft.task)
    kept = {"run.seed": 7, "run.total_steps": 40_000, "run.host": "process"}
    assert draft == settings.with_settings(expected, kept)
    share = 5 if draft.learn.epsilon_repeat > 1 else 10
    assert draft.learn.epsilon.steps == 40_000 // share  # type: ignore[union-attr]  # follows the steps of the draft
    assert session.run.experiment == draft  # Start trains it
    assert real.fits and not real.offered


@pytest.mark.slow  # measures two tasks; the test above suits agents to tasks too
def test_attention_follows_the_task(session: Session, real: SuitedAgent) -> None:
    """Numbers alone are concatenated; attention weighs a picture and a direction."""
    found = []
    for env_id in ("Acrobot-v1", "MiniGrid-MemoryS7-v0"):
        session.edit({"env.id": env_id})
        tried(real)
        found.append(session.draft.experiment.net.attention)
        assert found[-1] == default_experiment(EnvConfig(id=env_id)).net.attention
    assert found == ["none", "self"]


def test_what_an_environment_lacks_is_added_and_said(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Pendulum-v1", "env.wrappers": []})
    suited.ask()
    answer(suited, PENDULUM)
    assert [wrapper.name for wrapper in session.draft.experiment.env.wrappers] == ["discretize"]
    assert "discretize" in words(suited.notice)
    assert "episodes of at most 200 steps" in words(suited.notice)


# -- what is tried ------------------------------------------------------------------------------------------


def test_another_environment_starts_from_clean_settings(session: Session, suited: SuitedAgent) -> None:
    """Wrappers, names, title, network and learning of the former task go; what is no part of a task stays."""
    former = session.draft.experiment
    assert former.env.wrappers and former.env.features and former.title
    session.edit({"run.seed": 7, "run.total_steps": 40_000, "net.width": 48, "learn.gamma": 0.5})
    session.edit({"env.id": "Acro"})  # a person types, and stops for a moment
    session.edit({"env.id": "Acrobot-v1"})
    clean = settings.experiment_from({"env": {"id": "Acrobot-v1"}, "run": {"seed": 7, "total_steps": 40_000}})
    draft = session.draft.experiment
    assert without_marks(draft) == without_marks(session.run.experiment) == without_marks(clean)
    assert draft.env == EnvConfig(id="Acrobot-v1") and not draft.title and awaits_task(draft)


@pytest.mark.parametrize("name", presets.preset_names())
def test_no_shipped_task_leaves_anything_to_another_environment(name: str) -> None:
    session = Session(presets.read_experiment(name))
    session.edit({"env.id": "own:Env-v0"})
    draft = session.draft.experiment
    assert (draft.env, draft.title, draft.task) == (EnvConfig(id="own:Env-v0"), "", None)
    assert not session.draft.problem
    assert (draft.net, draft.learn.gamma) == (settings.experiment_from({}).net, Experiment().learn.gamma)
    session.deleteLater()


def test_a_chosen_environment_is_tried_at_once(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    assert suited.trying
    request = ScriptedTrial.opened[-1].request
    assert request.experiment is not None and request.experiment.env == EnvConfig(id="Acrobot-v1")
    answer(suited, ACROBOT)
    assert session.draft.experiment == settings.with_settings(
        ACROBOT, {"run.total_steps": session.run.experiment.run.total_steps}
    )
    assert suited.fits and not suited.offered


def test_names_that_a_person_gives_are_tried(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    session.edit({"env.actions": ["left", "none", "right"]})
    assert not suited.trying and suited.offered  # what was tried is not what was asked any more
    suited.ask()
    request = ScriptedTrial.opened[-1].request
    assert request.experiment is not None
    assert request.experiment.env == EnvConfig(id="Acrobot-v1", actions=("left", "none", "right"))


def test_what_a_person_sets_while_an_environment_is_tried_stays(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Pendulum-v1"})
    session.edit({"net.memory": "gru", "learn.gamma": 0.9})
    session.edit({"net.width": 63})  # does not fit, and stays as typed
    assert suited.trying and session.draft.problem
    answer(suited, PENDULUM)
    draft = session.draft.experiment
    assert (draft.net.memory, draft.learn.gamma, session.draft.value("net.width")) == ("gru", 0.9, 63)
    assert [wrapper.name for wrapper in draft.env.wrappers] == ["discretize"] and draft.task == PENDULUM.task
    assert draft.learn.warmup == settings.with_settings(PENDULUM, {"run.total_steps": 150_000}).learn.warmup  # derived
    assert "discretize" in words(suited.notice)


def test_settings_of_an_invalid_mixture_of_environments_are_left_out_too(session: Session, suited: SuitedAgent) -> None:
    session.load(presets.read_experiment("tmaze"))
    assert session.draft.experiment.env.kwargs
    session.edit({"env.id": "dqngui/Catch-v0"})
    assert not session.draft.problem
    assert (session.draft.experiment.env.id, session.draft.experiment.env.kwargs) == ("dqngui/Catch-v0", {})


def test_a_slip_of_the_keys_loses_nothing(session: Session, suited: SuitedAgent) -> None:
    before = session.draft.experiment
    session.edit({"env.id": "CartPole-v"})
    session.edit({"env.id": "CartPole-v1"})
    assert session.draft.experiment == before
    assert not suited.offered and not suited.trying
    suited.ask()
    request = ScriptedTrial.opened[-1].request
    assert request.experiment is not None and request.experiment.env == before.env
    answer(suited, default_experiment(before.env))
    assert session.draft.experiment.title == before.title  # still its name


def test_added_wrappers_are_left_out_of_the_next_environment(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Pendulum-v1"})
    answer(suited, PENDULUM)
    session.edit({"env.id": "Acrobot-v1"})
    request = ScriptedTrial.opened[-1].request
    assert request.experiment is not None and request.experiment.env == EnvConfig(id="Acrobot-v1")


def test_a_loaded_experiment_has_its_own_settings(session: Session, suited: SuitedAgent, tmp_path: Path) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    session.load(presets.read_experiment("tmaze"))
    assert not suited.offered and not suited.trying
    session.edit({"env.id": "Acrobot-v1"})
    assert session.open_stored(create(tmp_path, PENDULUM))
    assert not suited.offered and not suited.trying


# -- a start waits ------------------------------------------------------------------------------------------


def test_a_start_waits_until_its_environment_was_tried(qtbot: QtBot, session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    session.do(Action.START)
    assert session.waiting.for_task is Action.START and session.state is State.READY and len(ScriptedTrial.opened) == 1
    assert Action.START not in session.allowed
    answer(suited, ACROBOT)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    assert session.run.experiment.task == ACROBOT.task


def test_settings_of_an_environment_that_nobody_tried_are_tried_first(
    qtbot: QtBot, session: Session, suited: SuitedAgent
) -> None:
    session.edit({"env.kwargs": {"max_episode_steps": 100}})
    assert not suited.trying  # before a start only
    session.do(Action.START)
    request = ScriptedTrial.opened[-1].request
    assert request.experiment is not None and request.experiment.env == session.draft.experiment.env
    before = session.draft.experiment
    answer(suited, default_experiment(before.env))
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    assert (session.run.experiment.net, session.run.experiment.learn) == (before.net, before.learn)


def test_a_shipped_task_starts_at_once(qtbot: QtBot, session: Session, suited: SuitedAgent) -> None:
    session.load(presets.read_experiment("tmaze"))
    session.do(Action.START)
    assert session.state is State.STARTING and not ScriptedTrial.opened


@pytest.mark.parametrize("ends", ["fails", "edited", "cancelled"])
def test_a_start_is_dropped_without_a_folder_if_the_environment_does_not_work(
    session: Session, suited: SuitedAgent, tmp_path: Path, ends: str
) -> None:
    session.runs = tmp_path / "runs"
    said: list[str] = []
    session.message.connect(lambda text, details: said.append(words(text)))
    session.edit({"env.id": "own:Broken-v0"})
    session.do(Action.START)
    if ends == "fails":
        ScriptedTrial.opened[-1].fail("its action space has three dimensions")
        suited.tick(0.0)
        assert said == ["Training could not start: its action space has three dimensions"]
    elif ends == "edited":
        session.edit({"env.kwargs": {"size": 3}})
    else:
        suited.cancel()
    assert session.state is State.READY and session.waiting.action is None
    assert Action.START in session.allowed  # to try again
    assert not session.runs.exists()


# -- what is dropped ----------------------------------------------------------------------------------------


def test_settings_that_stay_may_change_meanwhile(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    suited.ask()
    session.edit({"run.total_steps": 30_000})
    session.edit({"run.seed": 5})
    assert suited.trying
    answer(suited, ACROBOT)
    assert session.draft.experiment == settings.with_settings(ACROBOT, {"run.total_steps": 30_000, "run.seed": 5})
    session.edit({"run.total_steps": 20_000})
    assert suited.fits
    session.edit({"net.width": 32})
    assert not suited.fits and suited.notice  # the agent is another one, the task is the same
    session.load(presets.read_experiment("tmaze"))
    assert not suited.notice


@pytest.mark.parametrize("change", [{"net.width": 32}, {"net.width": 63}, {"env.kwargs": {"gravity": 1.0}}])
def test_an_edit_drops_the_result(session: Session, suited: SuitedAgent, change: dict[str, Any]) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    suited.ask()
    session.edit(change)
    before, problem = session.draft.experiment, session.draft.problem
    assert not suited.trying
    assert ScriptedTrial.opened[-1].killed
    answer(suited, ACROBOT)
    assert (session.draft.experiment, session.draft.problem) == (before, problem)
    (path, value) = next(iter(change.items()))
    assert session.draft.value(path) == value


def test_a_third_environment_is_tried_in_place_of_the_second(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    session.edit({"env.id": "MountainCar-v0"})
    second, third = ScriptedTrial.opened
    assert second.killed and suited.trying
    assert third.request.experiment is not None and third.request.experiment.env.id == "MountainCar-v0"


def test_a_run_that_starts_drops_the_result(qtbot: QtBot, session: Session, suited: SuitedAgent) -> None:
    before = session.draft.experiment
    suited.ask()
    session.do(Action.START)
    assert not suited.trying
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    answer(suited, ACROBOT)
    assert session.draft.experiment == session.run.experiment == before


def test_a_start_that_waits_for_torch_drops_the_result(qtbot: QtBot) -> None:
    ScriptedTrial.opened.clear()
    session = Session(presets.read_experiment("cartpole-positions"), open_host=ScriptedHost)
    suited = SuitedAgent(session, open_host=ScriptedTrial, timing=Timing(automatic=False), parent=session)
    suited.ask()
    session.do(Action.START)
    assert session.loading and not suited.trying
    suited.ask()
    assert not suited.trying  # the run that starts has its settings
    session.deleteLater()


@pytest.mark.parametrize("other", ["preset", "stored"])
def test_another_experiment_drops_the_result(session: Session, suited: SuitedAgent, tmp_path: Path, other: str) -> None:
    suited.ask()
    if other == "preset":
        session.load(presets.read_experiment("tmaze"))
    else:
        assert session.open_stored(create(tmp_path, session.run.experiment))
    before = session.draft.experiment
    assert not suited.trying
    answer(suited, ACROBOT)
    assert session.draft.experiment == before


def test_a_second_question_replaces_the_first(session: Session, suited: SuitedAgent) -> None:
    suited.ask()
    suited.ask()
    first, second = ScriptedTrial.opened
    assert first.killed and not second.killed and suited.trying


def test_a_draft_of_a_run_keeps_the_agent_when_a_knob_turns(
    qtbot: QtBot, session: Session, suited: SuitedAgent
) -> None:
    session.do(Action.START)
    qtbot.waitUntil(lambda: session.state is State.RUNNING)
    session.edit({"env.id": "Acrobot-v1"})
    suited.ask()
    answer(suited, ACROBOT)
    found = session.draft.experiment
    assert session.run.experiment != found and suited.fits
    session.set_knob("learn.gamma", 0.9)
    qtbot.waitUntil(lambda: session.run.present().learn.gamma == 0.9)
    assert session.draft.experiment == settings.with_settings(found, {"learn.gamma": 0.9})


# -- failures -----------------------------------------------------------------------------------------------


def test_an_unknown_id_is_said_and_the_draft_stays(session: Session, real: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobat-v1"})
    before = session.draft.experiment
    tried(real)
    assert "there is no environment `Acrobat-v1`; did you mean Acrobot-v1" in words(real.problem)
    assert session.draft.experiment == before and real.offered
    session.edit({"net.width": 32})
    assert not real.problem  # it was about other settings


def test_an_environment_that_raises_is_said_and_the_draft_stays(session: Session, real: SuitedAgent) -> None:
    session.edit({"env.id": "tests.gui.raising:Raising-v0"})
    before = session.draft.experiment
    tried(real)
    assert "the simulator does not answer any more" in words(real.problem)
    assert session.draft.experiment == before


def test_wrong_settings_of_the_environment_are_said_at_once(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.wrappers": [{"name": "nonsense"}]})
    suited.ask()
    assert "nonsense" in words(suited.problem)
    assert not suited.trying and not ScriptedTrial.opened


def test_a_wrong_setting_that_stays_is_said_at_once(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.id": "Acrobot-v1"})
    session.edit({"run.total_steps": 0})
    suited.ask()
    assert suited.problem and not suited.trying and ScriptedTrial.opened[-1].killed  # of the one before
    assert len(ScriptedTrial.opened) == 1


def no_wrapper(session: Session, suited: SuitedAgent) -> None:
    session.edit({"env.wrappers": [{"name": "nonsense"}]})
    suited.ask()


def no_steps(session: Session, suited: SuitedAgent) -> None:
    session.edit({"run.total_steps": 0})
    suited.ask()


def no_steps_any_more(session: Session, suited: SuitedAgent) -> None:
    suited.ask()
    session.edit({"run.seed": 4})
    ScriptedTrial.opened[-1].fail("the job's process was ended by SIGSEGV")
    suited.tick(0.0)


@pytest.mark.parametrize("fail", [no_wrapper, no_steps, no_steps_any_more])
@pytest.mark.parametrize("mend", [{"env.wrappers": [], "run.total_steps": 9_000}, None])
def test_a_problem_goes_with_what_it_is_about(
    session: Session, suited: SuitedAgent, fail: Callable[[Session, SuitedAgent], None], mend: dict[str, Any] | None
) -> None:
    fail(session, suited)
    assert suited.problem
    session.show_message("something else")
    assert suited.problem  # nothing of the draft has changed
    if mend is None:
        session.load(presets.read_experiment("tmaze"))
    else:
        session.edit(mend)
    assert not suited.problem and not suited.trying


def test_a_process_that_fails_is_said(session: Session, suited: SuitedAgent) -> None:
    suited.ask()
    ScriptedTrial.opened[-1].fail("the job's process was ended by SIGSEGV")
    suited.tick(0.0)
    assert words(suited.problem) == "the job's process was ended by SIGSEGV"
    assert not suited.trying


def test_a_silent_environment_is_given_up(session: Session, suited: SuitedAgent, clock: list[float]) -> None:
    clock[0] = 100.0
    suited.ask()
    suited.tick(100.0 + PATIENCE_S)
    assert suited.trying
    suited.tick(100.1 + PATIENCE_S)
    assert "CartPole-v1 did not answer for 60 seconds" in words(suited.problem)
    assert ScriptedTrial.opened[-1].killed


def test_a_hanging_environment_ends_when_the_window_closes(qtbot: QtBot, session: Session) -> None:
    suited = SuitedAgent(session, parent=session)
    session.edit({"env.id": HANGING})
    suited.ask()
    qtbot.wait(1500)  # longer than an environment that answers
    assert suited.trying
    suited.stop()
    qtbot.waitUntil(lambda: not suited.alive, timeout=3000)
    suited.join()
    suited.ask()
    assert not suited.trying
