"""The filter of the list of runs: numbers and dates are found as people type them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dqngui import config, settings
from dqngui.comparison.setting_words import label_of
from dqngui.listing.listed_run import ListedRun, vocabulary_of
from dqngui.listing.query import Words, parse_query
from dqngui.listing.run_names import RunName
from dqngui.listing.run_settings import RunSettings, flat_settings
from dqngui.listing.searched_run import SearchedRun
from dqngui.listing.typed_words import number_in, typed_words
from dqngui.listing.vocabulary import names_of
from dqngui.runs.folder import new_summary

TEXTS = (
    "T-maze, 30 steps · lr 1e-3 · seed 7",
    "TMaze",
    "self + GRU",
    "(−80.25)",
    "20k",
    "20 May 2026 12:30",
    "finished",
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    yield
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def has(run: ListedRun, texts: Iterable[str], text: str) -> bool:
    """What both ways say: as words, with `=` as a space, and as a query."""
    names, searched = vocabulary_of([run]), SearchedRun(run, texts)
    by_words = Words(typed_words(text), names).match(searched)
    assert parse_query(text, names).matches(searched) == by_words, text
    return by_words


def found(text: str) -> bool:
    experiment = settings.with_settings(config.Experiment(), {"run.seed": 7, "run.total_steps": 200_000})
    summary = msgspec.structs.replace(
        new_summary(experiment), step=20_009, best=-80.25, started="2026-05-20T12:30:05+00:00", state="finished"
    )
    return has(ListedRun(summary, RunName("")), TEXTS, text)


@pytest.mark.skipif(os.name == "nt", reason="the time zone cannot be set")
@pytest.mark.parametrize(
    "text",
    [
        "", "maze gru", "GRU", "seed 7", "7", "lr 1e-3", "0.001", "1E-3", "lr 0,001", "20k", "20009", "20,009",
        "200000", "200,000", "200k", "0.2m", "2e5", "-80.25", "−80.25", "(−80.25)", "2026-05-20", "2026-05",
        "20.5.2026", "20.05.2026", "20/5/2026", "5/20/2026", "20 may 2026", "May 20", "12:30", "12:3", "12:30:05",
        "finished 20k",
    ],
)  # fmt: skip
def test_what_is_typed_in_any_usual_form_is_found(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text", ["8", "seed 3", "1e-4", "0.01", "80.25", "2025", "21.5.2026", "13:30", "lstm", "20,0099"]
)
def test_other_numbers_dates_and_words_are_not(text: str) -> None:
    assert not found(text)


@given(st.floats(-1e9, 1e9, allow_subnormal=False), st.sampled_from(["{:g}", "{:.3e}", "{:,.2f}", "{:.0f}"]))
def test_a_written_number_is_read_again(number: float, form: str) -> None:
    text = form.format(number)
    assert number_in(text) == pytest.approx(float(text.replace(",", "")))


# -- settings ---------------------------------------------------------------------------------------

CHANGES = {
    "title": "A 30-step maze",
    "env.id": "CartPole-v1",
    "env.kwargs": {"length": 30},
    "net.attention": "self",
    "net.attention_options": {"heads": 8},
    "net.memory": "gru",
    "learn.lr": 0.003,
    "learn.double": False,
    "learn.epsilon": {"start": 1.0, "end": 0.05, "steps": 9_000},
    "learn.batch_size": 96,
    "learn.target": "hard",
    "run.seed": 3,
    "run.total_steps": 70_000,
}


def finds(text: str, changes: dict[str, Any] | None = None) -> bool:
    experiment = settings.with_settings(config.Experiment(), changes or CHANGES, check=False)
    summary = msgspec.structs.replace(new_summary(experiment), step=20_009, best=480.333)
    texts = (summary.title, "CartPole", "self + GRU", "480.3", f"{summary.step:,}", str(summary.seed))
    return has(ListedRun(summary, RunName(""), flat_settings(experiment)), texts, text)


@pytest.mark.parametrize(
    "text",
    [
        "learning rate 0.003", "lr=0.003", "lr 3e-3", "lr: 0,003", "learn.lr=0.003", "LR = .003", "0.003",
        "learning rate", "lr", "learning rate 0.003, seed 3", "seed 3", "seed=3", "run.seed 3", "3", "GRU",
        "memory gru", "memory=GRU", "net.memory gru", "attention self", "gru seed 3", "heads 8",
        "double off", "double dqn off", "double=false",
        "epsilon 0.05", "exploration 0.05", "exploration ε 0.05", "ε 1 → 0.05 over 9,000", "batch size 96",
        "batch_size=96", "batch 96", "target hard", "target network hard", "length 30", "env.kwargs.length=30",
        "total steps 70k",
        "total_steps=70000", "steps 20,009", "20009 steps", "70k steps", "test 480.3", "test 480.333", "30-step maze",
        "discount γ 0.99", "discount 0.99", "gamma=0.99", "task cartpole", "env cartpole", "steps", "seed",
    ],
)  # fmt: skip
def test_a_setting_is_found_by_key_and_by_label_as_typed(text: str) -> None:
    assert finds(text), text


@pytest.mark.parametrize(
    "text",
    [
        "learning rate 0.001", "lr=0.004", "seed 4", "seed=30", "seed 0.003", "lr 3", "lstm", "memory lstm",
        "memory=none", "heads 3",
        "double on", "double=true", "epsilon 0.04", "batch size 3", "batch_size=64", "length 8", "gamma 0.9",
        "target soft", "test 480", "30 seeds", "dropout", "no such word",
    ],
)  # fmt: skip
def test_the_same_number_or_word_of_another_setting_is_not(text: str) -> None:
    assert not finds(text), text


def test_every_changed_number_is_found_by_each_name_of_its_setting_and_by_no_other_value() -> None:
    summary, plain = new_summary(config.Experiment()), flat_settings(config.Experiment())
    for field in settings.experiment_fields():
        if field.kind not in {"int", "float"} or field.path == "run.seed":
            continue
        value, other = (4_321, 4_322) if field.kind == "int" else (0.4321, 0.4322)
        changed = RunSettings({**plain.values, field.path: value}, frozenset())
        run = ListedRun(summary, RunName(""), changed)
        for name in names_of(field.path, label_of(field.path)):
            for text in (f"{name} {value}", f"{name}={value}", name, str(value), f"{value} {name}"):
                assert has(run, (), text), text
            assert not has(run, (), f"{name} {other}"), name
            assert not has(run, (), f"{name}={other}"), name
        assert not has(ListedRun(summary, RunName(""), plain), (), str(value))


def test_a_number_beside_the_name_of_a_setting_may_stand_in_the_title() -> None:
    changes = {"title": "Copy of seed 9, lr 0.5", "run.seed": 1}
    assert finds("seed 9", changes)
    assert finds("lr 0.5", changes)
    assert not finds("seed 8", changes)
