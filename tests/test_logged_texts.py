"""Texts in the logs of runs: logs of earlier versions are shown, and the keys that logs hold do not change."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dqngui.config import Experiment
from dqngui.hosts import events_of
from dqngui.hosts.log_reader import LogReader
from dqngui.jobs.branching import difference_message, differences
from dqngui.jobs.knobs import Knobs
from dqngui.messages import Event, Forked, KnobRefused, SetKnob, Warned, decode_event, encode
from dqngui.presets import read_experiment
from dqngui.runs.folder import create, read_events
from dqngui.settings import with_settings
from dqngui.texts import Text, say
from tests.texts_in_code import CATALOG, fields, made

WARNINGS = {
    "train.device_measured": {"device", "times"},
    "train.device_time": {"device", "milliseconds"},
    "train.nothing_to_save": set(),
    "train.derived": {"task", "settings"},
    "train.added": {"wrappers"},
    "train.added_keep": {"entries"},
    "train.added_discretize": {"bins", "actions"},
    "train.task": {"steps", "speed", "episodes"},
    "train.task_length": {"length"},
    "train.task_limit": {"length"},
    "train.task_lengths": {"shortest", "longest"},
    "train.task_unfinished": set(),
    "train.not_repeated": {"environment", "count"},
    "train.starving": {"rows"},
    "train.starving_from_start": {"rows"},
    "train.later_steps": {"window", "length"},
    "train.without_locks": set(),
    "train.no_update": {"steps", "warmup", "window"},
    "train.no_update_rollout": {"steps", "rollout", "envs"},
    "train.derived_anew": {"task", "settings"},
    "train.room": {"rows", "size"},
    "train.disk_room": {"size", "free"},
    "size.gigabytes": {"size"},
}
"""What `Warned` of a training job says."""

REFUSALS = {
    "setting.heads": {"path", "other_path", "width", "heads"},
    "setting.no_such_choice": {"path", "kind", "name", "known"},
    "setting.none": {"path"},
    "setting.not_finite": {"path"},
    "setting.no_schedule": {"path"},
    "setting.not_live": {"path"},
    "setting.not_of": {"path", "owner", "allowed"},
    "setting.of_choice": set(),
    "setting.of_choice_none": set(),
    "setting.of_experiment": set(),
    "setting.out_of_range": {"path", "low", "high", "value"},
    "setting.refused": {"path", "reason"},
    "setting.refused_whole": {"reason"},
    "setting.schedule_not_live": {"path"},
    "setting.replay_too_small": {"path", "capacity", "envs", "each", "window", "needed"},
    "setting.unknown": {"path", "known"},
    "setting.values_range": {"path", "other_path", "low", "high"},
    "choice.algorithm": set(),
    "choice.attention": set(),
    "choice.memory": set(),
    "choice.wrapper": set(),
}
"""What `KnobRefused.reason` says, with the texts inside it."""

CHANGES = {
    "fork.change": {"path", "old", "new"},
    "value.none": set(),
    "value.schedule": {"start", "end", "steps"},
    "value.number": {"value"},
    "value.count": {"value"},
}
"""What `Forked.changes` says, with the texts inside it."""

LOGGED: dict[str, set[str]] = WARNINGS | REFUSALS | CHANGES
"""The keys that `events.jsonl` may hold, with the names of their arguments. They are a format on disk: where one is
renamed, every log from before shows a raw key instead of a sentence. New ones may be added; none may change or go."""

NOT_LOGGED = {
    "setting.not_a_wrapper",
    "setting.number_as_text",
    "number.expected_whole",
    "setting.assignment",
    "state.damaged",
    "fork.old_version",
    "fork.too_few_steps",
    "train.no_folder",
    "train.no_experiment",
    "train.not_finite",
    "train.loss",
    "train.gradient",
    "train.remedy",
    "train.sent_not_finite",
    "train.reward",
    "train.observation",
    "train.replay_no_room",
    "train.replay_too_large",
    "train.replay_too_large_states",
    "train.replay_too_large_twice",
}
"""Keys of the same modules that only refuse a request or end a job: `Failed` is not logged."""

MODULES = {
    "settings.py",
    "jobs/branching.py",
    "jobs/device.py",
    "jobs/knobs.py",
    "jobs/fork.py",
    "jobs/room.py",
    "jobs/train.py",
    "jobs/training.py",
    "jobs/unlearned.py",
    "learning/off_policy.py",
    "learning/on_policy.py",
}
"""Modules that make the texts of logged events."""


BEFORE = (
    b'{"type":"Warned","step":5,"text":"The disk is slow."}\n'
    b'{"type":"KnobRefused","step":6,"field":"learn.lr","value":2.0,"kept":0.001,"reason":"must be at most 1"}\n'
    b'{"type":"Forked","step":0,"parent":"p","changes":["learn.lr: 0.001 \xe2\x86\x92 0.0005"],"fresh":["replay"]}\n'
)


def shown(events: list[Event]) -> list[object]:
    return [event.changes_in_words if isinstance(event, Forked) else event.words for event in events]  # type: ignore[attr-defined]


def test_a_log_from_before_keys_is_read_and_shown(tmp_path: Path) -> None:
    folder = create(tmp_path, read_experiment("cartpole-positions"))
    (folder / "events.jsonl").write_bytes(BEFORE)
    expected = ["The disk is slow.", "must be at most 1", ("learn.lr: 0.001 → 0.0005",)]
    assert shown(list(read_events(folder))) == expected
    assert shown(list(events_of(LogReader(folder)))) == expected


def test_a_log_of_today_holds_keys_and_arguments() -> None:
    refused = Knobs(Experiment()).apply(SetKnob(field="net.width", value=3), 7)
    assert isinstance(refused, KnobRefused)
    line = encode(refused)
    assert b'"reason":{"key":"setting.not_live","args":{"path":"net.width"}}' in line
    again = decode_event(line)
    assert again == refused
    assert isinstance(again, KnobRefused) and again.words.startswith(
        "`net.width` cannot be changed while the run trains"
    )
    warned = decode_event(encode(Warned(step=1, text=say("play.other_device", device="cuda"))))
    assert isinstance(warned, Warned) and warned.words == "This machine has no cuda, so the agent plays on the CPU"


@pytest.mark.parametrize("key", LOGGED)
def test_a_key_that_logs_hold_keeps_its_name_and_its_arguments(key: str) -> None:
    assert key in CATALOG, "logs of earlier versions would show this raw key"
    assert fields(CATALOG[key]).keys() == LOGGED[key]


def test_every_key_that_can_be_logged_is_in_the_list() -> None:
    found = {key for where, _, keys in made() if where.partition(":")[0] in MODULES for key in keys}
    assert found - NOT_LOGGED <= LOGGED.keys(), "a new key of a logged event belongs into the list above"
    assert not NOT_LOGGED & LOGGED.keys()


def test_texts_are_logged_only_in_the_events_that_the_list_is_about() -> None:
    holding = {
        event.__name__
        for event in Event.__subclasses__()
        if event.logged and any("Text" in str(field.type) for field in msgspec.structs.fields(event))
    }
    assert holding == {"Warned", "Noted", "KnobRefused", "Forked"}


def keys_in(text: Text | str) -> set[str]:
    """The key of a text and of every text inside it."""
    if isinstance(text, str):
        return set()
    inner = (each for value in text.args.values() for each in (value if isinstance(value, tuple) else (value,)))
    return {text.key}.union(*(keys_in(each) for each in inner if isinstance(each, Text)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("learn.lrr", 1),
        ("nowhere", 1),
        ("net.width", 3),
        ("learn.lr", "fast"),
        ("learn.lr", float("nan")),
        ("learn.epsilon", 2.0),
        ("learn.lr", None),
        ("learn.lr", {"start": 1e-3, "end": 0.0, "steps": 5}),
        ("learn.batch_size", 10**12),
    ],
)
def test_refused_knobs_hold_keys_of_the_list(field: str, value: object) -> None:
    refused = Knobs(Experiment()).apply(SetKnob(field=field, value=value), 7)
    assert isinstance(refused, KnobRefused)
    assert keys_in(refused.reason) and keys_in(refused.reason) <= REFUSALS.keys()


def test_changes_of_a_fork_hold_keys_of_the_list() -> None:
    old = Experiment()
    new = with_settings(
        old,
        {
            "learn.lr": 2e-4,
            "learn.epsilon": {"start": 0.5, "end": 0.1, "steps": 10},
            "run.total_steps": 7_000,
            "net.memory": "lstm",
            "run.stop_at": 400.0,
        },
    )
    found = {key for change in differences(old, new) for key in keys_in(difference_message(*change))}
    assert found <= CHANGES.keys() and {"fork.change", "value.number", "value.schedule"} <= found
