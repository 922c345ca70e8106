"""What a person sets wins over what is derived, and what is derived follows, for every pair of settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dqngui import catalog, presets, settings
from dqngui.config import ConfigError, Experiment
from dqngui.derivation import AUTOMATIC, MEMORY_OPTIONS, RULES, derivable, derived_value
from dqngui.hosts import run_inline
from dqngui.jobs.knobs import Knobs
from dqngui.lab.session.draft import Draft
from dqngui.lab.session.run import setting_value
from dqngui.messages import Request, SetKnob
from dqngui.presets import OLD_MEANINGS, SCHEMA_VERSION, parse_experiment, read_agent, read_experiment, to_toml
from dqngui.rules import TASK_RULES
from dqngui.schema import Field
from dqngui.settings import as_data, experiment_from, with_settings

SCHEMA_1: dict[str, Any] = json.loads((Path(__file__).parent / "runs" / "schema_1.json").read_text(encoding="utf-8"))
WORDS = {"env.id": "Acrobot-v1", "run.device": "cpu"}


@pytest.fixture(autouse=True)
def rules_in_order() -> Iterator[None]:
    """Put the rules back in their order: what a test takes out and monkeypatch puts back would come last."""
    tables = [(table, dict(table)) for table in (RULES, TASK_RULES)]
    yield
    for table, before in tables:
        table.clear()
        table.update(before)


def starts() -> list[Experiment]:
    """An experiment with each memory, in which nothing is chosen but the memory."""
    return [experiment_from({"net": {"memory": memory}}) for memory in catalog.MEMORIES]


def other_values(field: Field, present: Any) -> list[Any]:
    """Allowed values of a setting that differ from the present one."""
    found: list[Any]
    if field.scheduled:
        low, high = field.low or 0.01, field.high or 1
        found = [(low + high) / 2, {"start": low, "end": high, "steps": 77}]
    elif field.choices:
        found = list(field.choices)
    elif field.kind == "bool":
        found = [True, False]
    elif field.kind in ("int", "float"):
        low, high = field.low or 0, field.high if field.high is not None else 1e9
        found = [field.type(min(max(value, low), high)) for value in (present * 2 + 1, present / 2)] if present else []
        found += [field.type(min(low + 7, high))]
    elif field.path in WORDS:
        found = [WORDS[field.path]]
    else:
        found = []
    return [value for value in found if value != msgspec.to_builtins(present)]


def all_fields(experiment: Experiment) -> list[Field]:
    fields = list(settings.experiment_fields())
    for slot in ("attention", "memory"):
        fields += settings.options_fields(slot, getattr(experiment.net, slot))  # type: ignore[arg-type]
    return fields


def changed(experiment: Experiment, path: str, value: Any) -> Experiment | None:
    """The experiment with one setting changed; None if that is refused."""
    try:
        return with_settings(experiment, {path: value})
    except ConfigError:
        return None


def belongs_to_memory(path: str) -> bool:
    """Whether a setting goes when the memory is changed, because it belongs to the old one."""
    return path.startswith(MEMORY_OPTIONS)


@pytest.mark.parametrize("start", starts(), ids=lambda start: start.net.memory)
def test_setting_a_and_then_anything_else_never_changes_a(start: Experiment) -> None:
    tried = 0
    for path in derivable(start):
        field = next(each for each in all_fields(start) if each.path == path)
        for value in other_values(field, setting_value(start, path)):
            chosen = changed(start, path, value)
            if chosen is None:
                continue
            assert path not in chosen.derived
            kept = setting_value(chosen, path)
            for other in all_fields(chosen):
                if other.path == path or (other.path == "net.memory" and belongs_to_memory(path)):
                    continue
                for other_value in other_values(other, setting_value(chosen, other.path)):
                    then = changed(chosen, other.path, other_value)
                    if then is not None:
                        tried += 1
                        assert setting_value(then, path) == kept, (path, other.path)
                        assert path not in then.derived
    assert tried or not derivable(start)


@pytest.mark.parametrize("start", starts(), ids=lambda start: start.net.memory)
def test_what_is_derived_equals_its_rule_whatever_was_set_and_in_any_order(start: Experiment) -> None:
    for field in all_fields(start):
        for value in other_values(field, setting_value(start, field.path)):
            then = changed(start, field.path, value)
            if then is None:
                continue
            for path in derivable(then):
                if path in then.derived:
                    assert msgspec.to_builtins(setting_value(then, path)) == derived_value(then, path), field.path
                else:
                    assert path == field.path
            again = changed(then, field.path, msgspec.to_builtins(setting_value(start, field.path)))
            if again is not None and field.path not in RULES:
                assert again == start, f"{field.path} there and back"


def test_a_value_that_equals_the_derived_one_is_chosen_too() -> None:
    start = experiment_from({"net": {"memory": "gru"}})
    assert start.net.memory_options == {"chrono": 0}
    chosen = with_settings(start, {"net.memory_options.chrono": 0})
    assert with_settings(chosen, {"net.horizon": 52}).net.memory_options == {"chrono": 0}
    assert with_settings(start, {"net.horizon": 52}).net.memory_options == {"chrono": 52}
    assert with_settings(with_settings(start, {"net.horizon": 52}), {"net.horizon": 0}) == start


@pytest.mark.parametrize("again", [None, AUTOMATIC])
def test_a_chosen_setting_can_be_derived_again(again: str | None) -> None:
    start = experiment_from({"net": {"memory": "transformer", "horizon": 20, "memory_options": {"length": 5}}})
    assert start.net.memory_options["length"] == 5
    derived = with_settings(start, {"net.memory_options.length": again})
    assert derived.net.memory_options["length"] == 21
    assert with_settings(derived, {"net.horizon": 30}).net.memory_options["length"] == 31


def test_a_file_may_say_auto() -> None:
    text = '[net]\nmemory = "gru"\nhorizon = 9\n[net.memory_options]\nchrono = "auto"\n'
    experiment = parse_experiment(text, "x")
    assert experiment.net.memory_options == {"chrono": 9}
    assert experiment.derived == ("net.memory_options.chrono",)
    with pytest.raises(ConfigError, match=r"net\.atoms"):
        with_settings(experiment, {"net.atoms": AUTOMATIC})


def test_a_complete_file_says_what_was_derived() -> None:
    for value, follows in ((None, True), (30, False)):
        experiment = with_settings(read_experiment("tmaze"), {"net.memory_options.chrono": value})
        read = parse_experiment(to_toml(experiment), "run")
        assert read == experiment
        longer = with_settings(read, {"net.horizon": 100})
        assert longer.net.memory_options == {"chrono": 100 if follows else 30}


def test_a_stored_value_is_not_derived_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version may derive something else; that concerns new runs and what is changed in a fork."""
    stored = to_toml(read_experiment("tmaze"))
    monkeypatch.setitem(RULES, "net.memory_options.chrono", lambda experiment: 3 * experiment.net.horizon)
    read = parse_experiment(stored, "run")
    assert read.net.memory_options == {"chrono": 30}
    assert with_settings(read, {"learn.lr": 1e-4}).net.memory_options == {"chrono": 30}
    assert with_settings(read, {"net.horizon": 50}).net.memory_options == {"chrono": 150}


def test_a_rule_may_read_what_an_earlier_one_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("learn.window", "learn.epsilon"):
        monkeypatch.delitem(TASK_RULES, path)  # these rules need no task
        monkeypatch.delitem(RULES, path)  # so that they are now the last ones
    monkeypatch.setitem(RULES, "learn.window", lambda experiment: experiment.net.memory_options.get("chrono", 0) + 1)
    monkeypatch.setitem(RULES, "learn.epsilon", lambda e: {"start": 1.0, "end": 0.1, "steps": e.run.total_steps // 4})
    start = experiment_from({"net": {"memory": "gru"}})
    assert {"learn.window", "learn.epsilon"} <= set(start.derived)
    assert (start.learn.window, start.learn.epsilon.steps) == (1, start.run.total_steps // 4)
    far = with_settings(start, {"net.horizon": 20, "run.total_steps": 1000})
    assert (far.learn.window, far.learn.epsilon.steps) == (21, 250)
    far_off = with_settings(start, {"net.horizon": 100_000, "learn.replay_capacity": 1_000_000})
    assert far_off.learn.window == 2048, "moved into the bounds of the setting"
    partly = with_settings(far, {"learn.epsilon.end": 0.2})
    assert with_settings(partly, {"run.total_steps": 4000}).learn.epsilon.steps == 250
    agent = with_settings(start, {"learn.window": 5})
    assert presets.with_agent(agent, read_agent("lstm-dqn")).learn.window == 16
    wide = presets.with_agent(far, read_agent("lstm-dqn"))
    assert "learn.window" in wide.derived, "a bound that the derived value keeps chooses nothing"


def test_a_knob_is_chosen_by_whoever_turns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TASK_RULES, "learn.window")
    monkeypatch.setitem(RULES, "learn.window", lambda experiment: experiment.net.horizon + 1)
    knobs = Knobs(experiment_from({"net": {"memory": "gru", "horizon": 9}}))
    knobs.apply(SetKnob(field="learn.window", value=4), 100)
    assert "learn.window" not in knobs.experiment.derived
    resumed = Knobs(experiment_from({"net": {"memory": "gru", "horizon": 9}}))
    resumed.restore(json.loads(json.dumps(knobs.data())))
    assert with_settings(resumed.experiment, {"net.horizon": 50}).learn.window == 4


def test_a_draft_keeps_what_follows_and_what_was_set_when_its_base_changes() -> None:
    base = read_experiment("tmaze")
    draft = Draft(base)
    draft.edit({"net.horizon": 40})
    assert draft.changes["net.memory_options.chrono"] == (30, 40)
    draft.rebase(with_settings(base, {"learn.lr": 5e-4}))
    draft.edit({"net.horizon": 50})
    assert draft.experiment.net.memory_options == {"chrono": 50}
    assert draft.experiment.learn.lr == 5e-4
    draft.edit({"net.memory_options.chrono": 50})
    draft.rebase(with_settings(base, {"learn.lr": 4e-4}))
    draft.edit({"net.horizon": 60})
    assert draft.experiment.net.memory_options == {"chrono": 50}
    draft.edit({"net.memory_options.chrono": AUTOMATIC})
    assert draft.experiment.net.memory_options == {"chrono": 60}


def learned(experiment: Experiment) -> list[tuple[float, float]]:
    events = run_inline(Request(job="train", experiment=experiment))
    return [(event.loss, event.q_mean) for event in events if type(event).__name__ == "Learned"]


def test_setting_the_horizon_changes_what_is_trained() -> None:
    small = {"net.memory": "gru", "net.width": 8, "learn.warmup": 64, "learn.replay_capacity": 2000}
    small |= {"run.total_steps": 400, "run.log_every": 100, "run.eval_every": 0, "run.device": "cpu"}
    usual = with_settings(read_experiment("cartpole-positions"), small)
    assert learned(usual) != learned(with_settings(usual, {"net.horizon": 52}))


# -- stored runs of older versions ------------------------------------------------------------------


def test_every_setting_that_schema_1_lacked_or_that_changed_has_an_old_meaning() -> None:
    today = {field.path: msgspec.to_builtins(field.default) for field in settings.experiment_fields()}
    known = {path for meanings in OLD_MEANINGS.values() for path in meanings}
    for path, default in today.items():
        before = SCHEMA_1["settings"].get(path, "missing")
        assert path in known or before == json.loads(json.dumps(default)), path
    for memory in catalog.MEMORIES:
        for field in settings.options_fields("memory", memory):
            before = SCHEMA_1["memory_options"].get(memory, {}).get(field.name, "missing")
            assert field.path in known or memory not in SCHEMA_1["memory_options"] or before == field.default


def test_a_run_of_schema_1_that_lacks_a_setting_keeps_what_it_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    meanings = {"learn.window": 17, "learn.tau": 0.5, "net.memory_options.chrono": 4}
    monkeypatch.setitem(OLD_MEANINGS, 1, meanings)
    monkeypatch.delitem(TASK_RULES, "learn.batch_size")
    monkeypatch.setitem(RULES, "learn.batch_size", lambda experiment: 99)
    old = parse_experiment('[about]\nschema = 1\n[net]\nmemory = "gru"\n', "x")
    assert (old.learn.window, old.learn.tau, old.net.memory_options) == (17, 0.5, {"chrono": 4})
    assert old.learn.batch_size == SCHEMA_1["settings"]["learn.batch_size"], "an old run derived only from its horizon"
    given = parse_experiment('[about]\nschema = 1\n[net]\nmemory = "none"\n[learn]\nwindow = 3\n', "x")
    assert (given.learn.window, given.net.memory_options) == (3, {})
    now = parse_experiment("[net]\n", "x")
    assert (now.learn.window, now.learn.batch_size) == (Experiment().learn.window, 99)


def test_a_run_of_schema_2_reads_boxes_as_it_did_and_keeps_what_was_derived() -> None:
    chosen = read_experiment("tmaze")
    text = to_toml(chosen).replace(f"schema = {SCHEMA_VERSION}", "schema = 2").replace('boxes = "bounds"\n', "")
    old = parse_experiment(text, "x")
    assert old == with_settings(chosen, {"env.boxes": "size"})
    assert old.derived == chosen.derived
    assert parse_experiment(to_toml(old), "x") == old, "written by this version"


def test_in_a_complete_run_of_schema_1_the_options_that_equal_the_horizon_follow_it() -> None:
    complete = to_toml(read_experiment("tmaze")).replace(f"schema = {SCHEMA_VERSION}", "schema = 1")
    complete = complete.replace('derived = [\n    "net.memory_options.chrono",\n]\n', "")
    old = parse_experiment(complete, "x")
    assert "derived" in as_data(old) and old.derived == ("net.memory_options.chrono",)
    own = parse_experiment(complete.replace("chrono = 30", "chrono = 7"), "x")
    assert own.derived == ()
