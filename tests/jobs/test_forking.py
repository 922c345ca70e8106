"""Forks: what a fork takes over from its parent run, and that it then continues like its parent."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.branching import branch_point, difference_message, differences, kept_whole, stays_whole
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import (
    Command,
    EpisodeEnded,
    Evaluated,
    Event,
    Finished,
    Forked,
    KnobChanged,
    Learned,
    Opened,
    Request,
    SetKnob,
    Stop,
)
from dqngui.presets import to_toml
from dqngui.runs import resume
from dqngui.runs.checkpoints import checkpoints, load_weights
from dqngui.runs.folder import create, summary_of
from dqngui.runs.resume import load_resume
from dqngui.settings import with_settings
from dqngui.texts import words
from tests.event_logs import stored_log
from tests.jobs.test_training_job import AGENTS, SMALL, experiment, recorded
from tests.test_rules import measured

PARTS = {"optimizer", "replay", "random generators"}


def stopped(runs: Path, asked: Experiment, at: int = 333, *turns: Command) -> Path:
    """A new folder in `runs`, a test's own, of a run that was stopped. Equal runs are trained once and copied."""
    key = to_toml(asked), at, turns
    if key not in _STOPPED:
        _STOPPED[key] = create(runs.parent / "stopped", asked)
        list(recorded(_STOPPED[key], asked, (*turns, Stop(at=at))))
    folder = create(runs, asked)
    shutil.copytree(_STOPPED[key], folder, dirs_exist_ok=True)
    return folder


_STOPPED: dict[tuple[str, int, tuple[Command, ...]], Path] = {}


def fork(parent: Path, asked: Experiment, schedule: tuple[Command, ...] = ()) -> tuple[Path, list[Event]]:
    folder = create(parent.parent, asked)
    request = Request(job="train", experiment=asked, folder=str(folder), fork=str(parent), schedule=schedule)
    return folder, list(train(request, Inbox(None, schedule)))


def changed(parent: Path, **changes: Any) -> Experiment:
    """The parent's experiment as it stands, longer and with changes."""
    _, asked = branch_point(parent)
    longer = {"run.total_steps": 900}
    return with_settings(asked, longer | {name.replace("__", "."): value for name, value in changes.items()})


def tail(folder: Path, mark: Any) -> list[dict[str, Any]]:
    """What a run logged after a saved state."""
    before = (folder / "events.jsonl").read_bytes()[: mark.events].count(b"\n")
    return stored_log(folder)[before:]


def vectors(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Online, target and averaged parameters by name, as saved."""
    stored = load_resume(folder)
    split = {}
    for which in ("online", "target", "average"):
        pieces = torch.split(stored.arrays[f"learner/{which}"], [int(np.prod(s)) for _, s in stored.meta["layout"]])
        names = [name for name, _ in stored.meta["layout"]]
        split[which] = dict(zip(names, pieces, strict=True))
    return split


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS.keys())
def test_a_fork_without_a_change_continues_like_its_parent(agent: dict[str, Any], tmp_path: Path) -> None:
    asked = with_settings(experiment(), agent)
    parent = stopped(tmp_path, asked)
    mark = load_resume(parent).mark
    before = {path.relative_to(parent): path.read_bytes() for path in parent.rglob("*") if path.is_file()}
    folder, events = fork(parent, branch_point(parent)[1])
    assert {path.relative_to(parent): path.read_bytes() for path in parent.rglob("*") if path.is_file()} == before
    assert [type(event) for event in events[:2]] == [Opened, Forked]
    forked = events[1]
    assert isinstance(forked, Forked)
    assert (forked.step, forked.parent, forked.changes, forked.fresh) == (mark.step, parent.name, (), ())
    assert set(forked.kept) > PARTS
    list(recorded(parent))
    assert stored_log(folder)[0]["type"] == "Forked"
    assert stored_log(folder)[1:] == tail(parent, mark) != []
    assert load_weights(folder, "last")[0] == load_weights(parent, "last")[0] == 600
    for which in ("best", "last"):
        (step, a), (other, b) = load_weights(folder, which), load_weights(parent, which)
        assert step == other and all(torch.equal(a[name], b[name]) for name in b)
    (mine, theirs) = summary_of(folder), summary_of(parent)
    assert mine is not None and theirs is not None
    assert (mine.best, mine.step, mine.parent, theirs.parent) == (theirs.best, 600, parent.name, "")


def test_knobs_set_before_a_fork_keep_their_values_and_later_ones_do_not_reach_the_parent(tmp_path: Path) -> None:
    turns = (SetKnob(field="learn.epsilon", value=0.7, at=200), SetKnob(field="learn.lr", value=3e-4, at=220))
    parent = stopped(tmp_path, experiment(), 333, *turns)
    mark = load_resume(parent).mark
    _, present = branch_point(parent)
    assert present.learn.lr == 3e-4
    later = (SetKnob(field="learn.epsilon", value=None, at=400), SetKnob(field="learn.gamma", value=0.9, at=440))
    folder, events = fork(parent, present, (*turns, *later))
    assert isinstance(events[1], Forked) and events[1].manual == {"learn.epsilon": 0.7}
    changed_knobs = [
        (event.step, event.field, event.old, event.new) for event in events if isinstance(event, KnobChanged)
    ]
    assert changed_knobs == [(400, "learn.epsilon", 0.7, None), (440, "learn.gamma", 0.99, 0.9)]
    list(train(Request(job="train", folder=str(parent), resume=True), Inbox(None, later)))
    assert stored_log(folder)[1:] == tail(parent, mark)


def test_a_new_schedule_of_a_fork_replaces_a_knob_set_before(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment(), 333, SetKnob(field="learn.epsilon", value=0.7, at=200))
    _, events = fork(parent, changed(parent, learn__epsilon={"start": 0.25, "end": 0.25, "steps": 0}))
    assert isinstance(events[1], Forked) and events[1].manual == {}
    assert events[1].changes_in_words[0] == "learn.epsilon: 1 to 0.1 over 300 steps → 0.25 to 0.25 over 0 steps"
    assert {event.epsilon for event in events if isinstance(event, Learned)} == {0.25}


def test_a_fork_of_a_run_still_in_training_begins_at_its_last_saved_state(tmp_path: Path) -> None:
    asked = experiment()
    parent = create(tmp_path, asked)
    job = recorded(parent, asked)
    for event in job:
        if isinstance(event, Learned) and event.step >= 400:
            break
    mark = load_resume(parent).mark
    assert mark.step == 320 and not any("Evaluated" in row["type"] for row in tail(parent, mark)[:1])
    folder, events = fork(parent, branch_point(parent)[1])
    assert isinstance(events[1], Forked) and events[1].step == 320
    list(job)
    assert stored_log(folder)[1:] == tail(parent, mark)


def test_the_best_checkpoint_is_that_of_the_saved_state(tmp_path: Path) -> None:
    """The parent may have found a better one since; its future does not belong to the fork."""
    parent = stopped(tmp_path, experiment())
    (parent / "checkpoints" / "best.pt").unlink()
    (parent / "checkpoints" / "best.pt").write_bytes(b"a later one")
    folder = create(tmp_path, changed(parent))
    job = train(
        Request(job="train", experiment=changed(parent), folder=str(folder), fork=str(parent)), Inbox(None, (Stop(),))
    )
    list(job)
    assert load_weights(folder, "best")[0] == 200
    score = load_resume(parent).mark.best
    assert load_resume(folder).mark.best == score
    stored = load_resume(folder)
    assert stored.meta["counters"]["best"] == score


CHANGES = {
    "memory": {"net__memory": "lstm"},
    "width": {"net__width": 32},
    "environment": {"env__id": "Acrobot-v1"},
    "environment's arguments": {"env__kwargs": {"sutton_barto_reward": True}},
    "number of environments": {"env__num_envs": 2},
    "seed": {"run__seed": 7},
    "learning": {"learn__replay_capacity": 600},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_parameters_that_fit_are_kept_and_the_others_start_anew(changes: dict[str, Any], tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    asked = changed(parent, **changes)
    folder = create(tmp_path, asked)
    request = Request(job="train", experiment=asked, folder=str(folder), fork=str(parent))
    events = list(train(request, Inbox(None, (Stop(at=337),))))
    assert load_resume(folder).mark.seconds == load_resume(parent).mark.seconds > 0
    forked = events[1]
    assert isinstance(forked, Forked) and forked.step == 336
    theirs, mine = vectors(parent), vectors(folder)
    alone = create(tmp_path, asked)
    list(recorded(alone, asked, (Stop(at=0),)))
    fresh = vectors(alone)
    assert set(forked.kept) | set(forked.fresh) == set(mine["online"]) | PARTS
    assert set(forked.fresh) >= PARTS
    for which in ("online", "target", "average"):
        for name, values in mine[which].items():
            fits = name in theirs[which] and theirs[which][name].numel() == values.numel()
            assert fits == (name in forked.kept), name
            assert torch.equal(values, theirs[which][name] if fits else fresh[which][name]), name
    state = load_resume(folder)
    assert not state.arrays["learner/adam.first"].any() and int(state.arrays["learner/adam.count"]) == 0
    assert state.meta["counters"]["updates"] == load_resume(parent).meta["counters"]["updates"]
    assert state.mark.best is None and not (folder / "checkpoints" / "best.pt").exists()


def test_which_parameters_a_new_memory_or_width_leaves(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    _, events = fork(parent, changed(parent, net__memory="lstm"))
    assert isinstance(events[1], Forked)
    kinds = {kind: {name.split(".")[0] for name in getattr(events[1], kind)} - PARTS for kind in ("kept", "fresh")}
    assert kinds == {"kept": {"encoder", "attention", "join", "head", "shortcut"}, "fresh": {"memory"}}
    assert events[1].changes_in_words == ("net.memory: gru → lstm", "run.total_steps: 600 → 900")
    _, events = fork(parent, changed(parent, net__width=32))
    assert isinstance(events[1], Forked) and set(events[1].kept) == {"head.q.bias"}


def test_a_setting_that_only_followed_does_not_cost_a_fork_what_its_parent_learned() -> None:
    began = measured(20_000)
    longer = with_settings(began, {"run.total_steps": 40_000})
    assert (began.learn.warmup, longer.learn.warmup) == (800, 1600)
    kept = kept_whole(began, longer, 0)
    assert kept.learn.warmup == 800 and kept.derived == began.derived
    assert kept.learn.epsilon == longer.learn.epsilon != began.learn.epsilon
    assert all(stays_whole(path) for path, _, _ in differences(began, kept))
    for chosen in ({"net.width": 128}, {"learn.warmup": 1000}, {"run.seed": 5}):
        asked = with_settings(longer, chosen)
        assert kept_whole(began, asked, 20_000) == asked


def test_a_fresh_replay_is_filled_before_anything_is_learned(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    updates = load_resume(parent).meta["counters"]["updates"]
    for changes, random in (({"net__memory": "lstm"}, True), ({"run__seed": 7}, False)):
        # A shorter period must not shorten the filling either.
        turn = (SetKnob(field="learn.update_every", value=4, at=340),)
        _, events = fork(parent, changed(parent, **changes), turn)
        rows = {event.step: event for event in events if isinstance(event, Learned)}
        assert [rows[step].updates - updates for step in (352, 400, 452)] == [0, 0, 5]  # from 436 on, 100 steps later
        began = load_resume(parent).mark.seconds
        assert rows[352].updates_per_second == 0.0 and rows[352].steps_per_second > 0
        assert rows[400].seconds > rows[352].seconds > began > 0
        assert rows[400].epsilon == (1.0 if random else pytest.approx(0.1))
        assert rows[452].epsilon == pytest.approx(0.1)
        first = next(event for event in events if isinstance(event, EpisodeEnded))
        assert first.episode == 0 and first.step - first.length * 4 >= 336


@pytest.mark.slow  # three forks; others are compared with their parents
def test_a_fork_with_another_seed_differs_and_repeats_itself(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    logs = [stored_log(fork(parent, changed(parent, run__seed=seed))[0]) for seed in (7, 7, 8)]
    assert logs[0] == logs[1]
    assert logs[0][1:] != logs[2][1:]


def test_a_finished_run_can_be_forked(tmp_path: Path) -> None:
    asked = experiment()
    parent, whole = create(tmp_path, asked), create(tmp_path, asked)
    list(recorded(parent, asked))
    with pytest.raises(
        ConfigError, match=r"`run.total_steps`: the fork of .* starts at step 600, so it needs a total of more than 600"
    ):
        fork(parent, asked)
    folder, events = fork(parent, changed(parent))
    assert isinstance(events[-1], Finished) and (events[-1].step, events[-1].reason) == (900, "completed")
    list(recorded(whole, changed(parent)))
    rows = [row for row in stored_log(whole) if row["step"] > 600]
    assert [row for row in stored_log(folder) if row["step"] > 600] == rows


def test_a_fork_is_stopped_resumed_and_forked_like_any_run(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment(), 200)
    middle = create(tmp_path, branch_point(parent)[1])
    request = Request(job="train", experiment=experiment(), folder=str(middle), fork=str(parent))
    list(train(request, Inbox(None, (Stop(at=430),))))
    copy = tmp_path / "copy"
    shutil.copytree(middle, copy)
    last, _ = fork(middle, branch_point(middle)[1])
    for folder in (parent, copy):
        list(recorded(folder))
    whole = [row for row in stored_log(parent) if row["step"] > 440]
    for folder in (copy, last):
        assert [row for row in stored_log(folder) if row["step"] > 440] == whole
    summaries = [summary_of(folder) for folder in (copy, last)]
    assert [summary.parent for summary in summaries if summary is not None] == [parent.name, middle.name]
    assert [row["type"] for row in stored_log(copy)].count("Forked") == 1


def test_live_changes_leave_the_training_whole(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    changes = {
        "learn__lr": 3e-4, "learn__window": 4, "learn__update_every": 8, "run__eval_every": 150, "run__log_every": 30,
        "run__checkpoint_every": 70, "run__stop_at": 1e6, "title": "another",
    }  # fmt: skip
    folder, events = fork(parent, changed(parent, **changes))
    assert isinstance(events[1], Forked) and events[1].fresh == () and set(events[1].kept) > PARTS
    assert "learn.lr: 1e-3 → 3e-4" in events[1].changes_in_words and len(events[1].changes) == 8
    assert [event.step for event in events if isinstance(event, Evaluated) and event.role == "selection"] == [
        452, 600, 752, 900,
    ]  # fmt: skip
    assert [event.step for event in events if isinstance(event, Learned)][:3] == [360, 392, 420]
    assert checkpoints(folder)[:3] == [336, 352, 420]
    rows = [event for event in events if isinstance(event, Learned)]
    assert rows[-1].updates - rows[0].updates == (900 - 360) // 8 + 1


@pytest.mark.parametrize("target", ["soft", "hard"])
def test_a_live_change_by_a_fork_equals_setting_the_knobs_at_that_step(target: str, tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment(learn__target=target, learn__target_every=100))
    mark = load_resume(parent).mark
    changes = {"learn.lr": 3e-4, "learn.window": 4, "learn.update_every": 8, "learn.target_every": 30}
    folder, _ = fork(parent, with_settings(branch_point(parent)[1], changes))
    turns = tuple(SetKnob(field=name, value=value) for name, value in changes.items())
    list(train(Request(job="train", folder=str(parent), resume=True), Inbox(None, turns)))
    changed_knobs = tail(parent, mark)
    assert [row["type"] for row in changed_knobs[:4]] == ["KnobChanged"] * 4
    assert stored_log(folder)[1:] == changed_knobs[4:]


def test_an_evaluation_that_was_due_stays_due_and_one_switched_on_comes(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment(run__eval_every=0))
    _, events = fork(parent, changed(parent, run__eval_every=250))
    assert [event.step for event in events if isinstance(event, Evaluated) and event.role == "selection"] == [
        500, 752, 900,  # the last step is always evaluated
    ]  # fmt: skip
    parent = stopped(tmp_path, experiment(), 200)  # Stop comes before the evaluation of step 200
    _, events = fork(parent, changed(parent, run__eval_every=350))
    assert [event.step for event in events if isinstance(event, Evaluated) and event.role == "selection"] == [
        200, 352, 700, 900,
    ]  # fmt: skip


def test_changed_names_keep_the_whole_training(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    _, events = fork(parent, changed(parent, env__actions=["left", "right"]))
    assert isinstance(events[1], Forked) and events[1].fresh == ()
    assert events[1].changes_in_words[0] == 'env.actions: [] → ["left","right"]'


@pytest.mark.parametrize("path", ["net.width", "env.id", "env.num_envs", "learn.double", "learn.warmup", "run.seed"])
def test_what_only_a_fork_changes(path: str) -> None:
    assert not stays_whole(path)
    assert stays_whole("learn.lr") and stays_whole("run.device") and stays_whole("run.threads")


def test_differences_name_options_one_by_one_unless_the_choice_changed() -> None:
    old = experiment(net__memory="transformer")
    assert list(differences(old, old)) == []
    longer = with_settings(old, {"net.memory_options.length": 5, "env.kwargs.max_episode_steps": 9, "run.stop_at": 1.5})
    assert [words(difference_message(*change)) for change in differences(old, longer)] == [
        "env.kwargs.max_episode_steps: none → 9",
        f"net.memory_options.length: {old.net.memory_options['length']} → 5",
        "run.stop_at: none → 1.5",
    ]
    other = with_settings(old, {"net.memory": "gru"})
    assert [words(difference_message(*change)) for change in differences(old, other)] == [
        "net.memory: transformer → gru"
    ]


def test_what_cannot_be_forked_is_one_sentence_and_leaves_the_folder_alone(tmp_path: Path) -> None:
    asked = experiment(run__total_steps=900)
    never, damaged, old = create(tmp_path, asked), stopped(tmp_path, asked), stopped(tmp_path, asked)
    (damaged / "resume" / "arrays.npz").write_bytes(b"PK")
    meta = json.loads((old / "resume" / "meta.json").read_bytes())
    del meta["meta"]["layout"]
    (old / "resume" / "meta.json").write_text(json.dumps(meta))
    other = with_settings(asked, {"net.memory": "lstm"})
    folder = create(tmp_path, other)
    before = sorted(path.name for path in folder.iterdir())
    for parent, says in (
        (tmp_path / "nowhere", "there is no run"),
        (never, "never saved"),
        (damaged, "damaged"),
        (old, "an earlier version, from which no run can be forked"),
    ):
        with pytest.raises(ConfigError, match=says) as caught:
            train(Request(job="train", experiment=other, folder=str(folder), fork=str(parent)), Inbox(None))
        assert "\n" not in str(caught.value)
        assert sorted(path.name for path in folder.iterdir()) == before
    assert fork(old, asked)[1][-1].step == 900  # without another network nothing needs a layout
    with pytest.raises(ConfigError, match="already holds a run"):
        train(Request(job="train", experiment=asked, folder=str(damaged), fork=str(old)), Inbox(None))


@pytest.mark.parametrize("at", range(6))
def test_a_state_saved_while_it_is_read_is_read_again(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent swaps its state between any two of the reader's looks at the disk."""
    parent = stopped(tmp_path, experiment(), 200)
    first = load_resume(parent, best=True)
    second = load_resume(stopped(tmp_path, experiment(), 400), best=True)
    resume.save_resume(parent, first.arrays, first.meta, first.mark)
    honest, looks = resume._current, 0

    def swapping(read: Any) -> Any:
        def swapped(*arguments: Any, **options: Any) -> Any:
            nonlocal looks
            looks += 1
            if looks == at:
                with monkeypatch.context() as patch:
                    patch.setattr(resume, "_current", honest)
                    resume.save_resume(parent, second.arrays, second.meta, second.mark)
            return read(*arguments, **options)

        return swapped

    monkeypatch.setattr(resume, "_current", swapping(resume._current))
    monkeypatch.setattr(resume, "_read_meta", swapping(resume._read_meta))
    monkeypatch.setattr(resume, "read_arrays", swapping(resume.read_arrays))
    monkeypatch.setattr(resume, "load_tensors", swapping(resume.load_tensors))
    found = load_resume(parent, best=True)
    assert looks == (5 if at == 0 else 10) or at == 1  # swapped before the first look, it is read once
    expected = second if at else first
    assert (found.mark, found.meta) == (expected.mark, expected.meta)
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, name)


def test_forked_needs_no_folder_of_its_own(tmp_path: Path) -> None:
    parent = stopped(tmp_path, experiment())
    events = list(train(Request(job="train", experiment=changed(parent), fork=str(parent)), Inbox(None)))
    assert isinstance(events[1], Forked) and events[-1].step == 900
    assert msgspec.structs.asdict(events[0])["folder"] is None
    assert SMALL["run"]["total_steps"] == 600


@pytest.mark.parametrize("kind", [pytest.param("resumed", marks=pytest.mark.slow), "forked whole", "forked in part"])
def test_a_run_frees_the_state_from_which_it_continues(kind: str, tmp_path: Path) -> None:
    """A second copy of the replay would stay in memory as long as the run trains."""
    parent = stopped(tmp_path, experiment())
    asked = changed(parent, **({"net__memory": "lstm"} if kind == "forked in part" else {}))
    request = Request(job="train", folder=str(parent), resume=True)
    if kind != "resumed":
        request = Request(job="train", experiment=asked, folder=str(create(tmp_path, asked)), fork=str(parent))
    job = train(request, Inbox(None))
    next(event for event in job if isinstance(event, Learned))
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is resume.Stored]
    job.close()  # type: ignore[attr-defined]
