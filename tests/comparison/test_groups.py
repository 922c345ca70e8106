"""Runs in groups, and what the groups are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dqngui.comparison.groups import Grouping, grouped
from dqngui.comparison.results import RunResult, read_result
from dqngui.messages import Forked, KnobChanged
from tests.comparison.made_runs import made_run


def results(tmp_path: Path, *made: dict[str, Any], seeds: int = 2) -> list[RunResult]:
    return [read_result(made_run(tmp_path, [1.0], seed=seed, **each)) for each in made for seed in range(seeds)]


def names(grouping: Grouping) -> list[str]:
    return [group.name for group in grouping.groups]


def test_seeds_are_never_a_difference(tmp_path: Path) -> None:
    grouping = grouped(results(tmp_path, {"net__memory": "gru"}, seeds=3))
    assert (
        names(grouping) == ["GRU · self-attention"]
        and grouping.groups[0].seeds == (0, 1, 2)
        and not grouping.differences
    )


def test_groups_are_named_after_what_differs_and_options_follow_their_memory(tmp_path: Path) -> None:
    made = [{"net__memory": name} for name in ("gru", "lru", "transformer")]
    grouping = grouped(results(tmp_path, *made))
    assert names(grouping) == ["GRU", "LRU", "transformer"]
    assert [each.path for each in grouping.differing("names")] == ["net.memory"]
    follows = {each.path: each.texts for each in grouping.differing("follows", "derived")}
    assert follows["net.memory_options.heads"] == ("–", "–", "4")


def test_a_second_setting_is_named_only_where_it_tells_groups_apart(tmp_path: Path) -> None:
    made = [{"net__memory": memory, "learn__lr": lr} for memory in ("gru", "lstm") for lr in (1e-3, 2e-3)]
    grouping = grouped(results(tmp_path, *made))
    assert names(grouping) == ["GRU · lr 1e-3", "GRU · lr 2e-3", "LSTM · lr 1e-3", "LSTM · lr 2e-3"]
    confounded = [made[0], made[3]]
    grouping = grouped(results(tmp_path, *confounded))
    assert names(grouping) == ["GRU", "LSTM"]
    assert "learn.lr" in {each.path for each in grouping.differing("follows")}  # the table still says so


def test_where_a_run_computes_makes_no_group_but_is_listed(tmp_path: Path) -> None:
    grouping = grouped(results(tmp_path, {"run__device": "cpu"}, {"run__device": "cuda", "run__threads": 4}))
    assert len(grouping.groups) == 1 and not grouping.differing("names", "follows")
    assert {each.path for each in grouping.differing("apart")} == {"run.device", "run.threads"}
    assert grouping.differing("apart")[0].texts == ("cpu, cuda",)


def test_what_was_derived_in_all_runs_makes_no_group(tmp_path: Path) -> None:
    one, other = results(tmp_path, {}, seeds=2)
    other = msgspec_replaced(other, "learn.batch_size", 64)
    one = msgspec_replaced(one, "learn.batch_size", 32)
    assert len(grouped([one, other]).groups) == 2
    both = [derived(each, "learn.batch_size") for each in (one, other)]
    assert len(grouped(both).groups) == 1
    assert [each.path for each in grouped(both).differing("derived")] == ["learn.batch_size"]
    assert len(grouped([both[0], other]).groups) == 2  # chosen in one of them


def msgspec_replaced(result: RunResult, path: str, value: Any) -> RunResult:
    section, name = path.split(".")
    part = msgspec.structs.replace(getattr(result.experiment, section), **{name: value})
    experiment = msgspec.structs.replace(result.experiment, **{section: part}, derived=())
    return _with(result, experiment)


def derived(result: RunResult, path: str) -> RunResult:
    return _with(result, msgspec.structs.replace(result.experiment, derived=(path,)))


def _with(result: RunResult, experiment: Any) -> RunResult:
    return replace(result, experiment=experiment)


def test_a_live_change_is_a_difference(tmp_path: Path) -> None:
    knob = KnobChanged(step=60, field="learn.lr", old=1e-3, new=1e-4)
    runs = [made_run(tmp_path, [1.0]), made_run(tmp_path, [1.0], seed=1), made_run(tmp_path, [1.0], extra=[knob])]
    grouping = grouped([read_result(folder) for folder in runs])
    assert names(grouping) == ["no changes", "lr → 1e-4 at 60"] and [len(each.runs) for each in grouping.groups] == [
        2,
        1,
    ]


def test_a_fork_is_a_difference(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [1.0]), made_run(tmp_path, [1.0], extra=[Forked(step=5000, parent="x")])]
    assert names(grouped([read_result(folder) for folder in runs])) == ["no fork", "fork at 5,000"]


def test_a_run_given_twice_counts_once_and_none_is_no_error(tmp_path: Path) -> None:
    one = results(tmp_path, {}, seeds=1)
    assert len(grouped([*one, *one]).groups[0].runs) == 1
    assert grouped([]).groups == ()


def test_names_of_a_stranger_are_one_line(tmp_path: Path) -> None:
    made = [{"env__id": "CartPole-v1"}, {"env__id": "x\n\u202eevil" * 200}]
    runs = results(tmp_path, made[0], seeds=1)
    odd = msgspec_replaced(runs[0], "env.id", made[1]["env__id"])
    grouping = grouped([runs[0], replace(odd, folder=tmp_path / "other")])
    assert all("\n" not in name and "\u202e" not in name and len(name) <= 1500 for name in names(grouping))


@pytest.mark.parametrize("lrs", [(1.0000000001e-3, 1.0000000002e-3)])
def test_names_differ_where_their_short_texts_would_not(tmp_path: Path, lrs: tuple[float, float]) -> None:
    grouping = grouped(results(tmp_path, *({"learn__lr": lr} for lr in lrs)))
    assert len(set(names(grouping))) == 2
