"""Names of runs: no two are equal, and where they are shortened what tells them apart stays."""

from __future__ import annotations

import re
import time
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dqngui import config, settings
from dqngui.lab.library.short_names import distinct_parts, shortened
from dqngui.listing.run_names import RunName, names, setting_text
from dqngui.listing.run_settings import RunSettings, flat_settings
from dqngui.runs.folder import RunSummary, new_summary

CHANGES: dict[str, list[Any]] = {
    "learn.lr": [1e-3, 1.0001e-3, 3e-4],
    "learn.gamma": [0.99, 0.9901],
    "learn.double": [True, False],
    "learn.epsilon": [0.1, {"start": 1.0, "end": 0.1, "steps": 5_000}, {"start": 1.0, "end": 0.1, "steps": 9_000}],
    "net.width": [64, 128],
    "net.memory": ["gru", "none"],
    "net.hidden": [(), (64,), (64, 64)],
    "env.features": [(), ("position",)],
    "run.seed": [0, 1],
    "run.threads": [1, 2],
    "run.device": ["auto", "cpu"],
}


def run(
    number: int, changes: dict[str, Any], started: str = "2026-05-20T12:30:00+00:00"
) -> tuple[RunSummary, RunSettings]:
    experiment = settings.with_settings(config.Experiment(), {"title": "Maze", **changes}, check=False)
    summary = msgspec.structs.replace(new_summary(experiment), folder=f"/runs/{number}", started=started)
    return summary, flat_settings(experiment)


@examples(max_examples=25, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in CHANGES.items()}), max_size=8))
def test_no_two_runs_have_the_same_name(changes: list[dict[str, Any]]) -> None:
    made = [run(number, each) for number, each in enumerate(changes)]
    found = names([summary for summary, _ in made], {summary.folder: known for summary, known in made})
    assert len({str(name) for name in found.values()}) == len(made)


@examples(max_examples=25, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in CHANGES.items()}), max_size=6))
def test_runs_that_differ_in_a_setting_differ_in_what_their_names_say_of_settings(
    changes: list[dict[str, Any]],
) -> None:
    made = [run(number, each) for number, each in enumerate(changes)]
    found = names([summary for summary, _ in made], {summary.folder: known for summary, known in made})
    for (a, of_a), (b, of_b) in combinations(made, 2):
        differ = of_a.values != of_b.values or a.memory != b.memory
        assert (found[a.folder].settings != found[b.folder].settings) == differ


def test_a_name_says_what_differs_and_nothing_else() -> None:
    made = [
        run(number, {"learn.lr": rate, "run.seed": seed})
        for number, (rate, seed) in enumerate([(1e-3, 0), (1e-3, 1), (3e-4, 0)])
    ]
    found = names([summary for summary, _ in made], {summary.folder: known for summary, known in made})
    assert [str(name) for name in found.values()] == [
        "Maze · lr 1e-3 · seed 0",
        "Maze · lr 1e-3 · seed 1",
        "Maze · lr 3e-4",
    ]


def test_settings_that_somebody_chose_come_before_those_that_follow_from_them() -> None:
    values = [{"net.horizon": n, "net.memory_options.chrono": n} for n in (30, 50)]
    known = {f"/runs/{i}": RunSettings(each, frozenset({"net.horizon"})) for i, each in enumerate(values)}
    summaries = [run(number, {})[0] for number in range(2)]
    assert [name.settings for name in names(summaries, known).values()] == [("chrono 30",), ("chrono 50",)]


def test_runs_without_readable_settings_are_told_apart_by_their_start_and_at_last_by_their_folder() -> None:
    times = ("2026-05-20T12:30:00+00:00", "2026-05-21T12:30:00+00:00", "2026-05-21T12:30:07+00:00", "", "")
    summaries = [run(number, {}, started)[0] for number, started in enumerate(times)]
    found = [str(name) for name in names(summaries).values()]
    assert len(set(found)) == len(times)
    assert found[0].startswith("Maze · 20 May 2026") or found[0].startswith("Maze · 21 May 2026")  # local time
    assert found[3:] == ["Maze · 3", "Maze · 4"]


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("learn.lr", 1e-3, "lr 1e-3"),
        ("learn.gamma", 0.99, "γ 0.99"),
        ("learn.double", False, "double dqn off"),
        ("learn.epsilon", {"start": 1.0, "end": 0.05, "steps": 10_000}, "ε 1 → 0.05 over 10,000"),
        ("env.wrappers", [], "wrappers none"),
        ("env.wrappers", [{"name": "keep", "options": {"which": [0, 2]}}], "wrappers keep which 0, 2"),
        ("env.kwargs.length", 30, "length 30"),
        ("gone.away", None, "away none"),
    ],
)
def test_a_setting_is_told_in_few_words(path: str, value: Any, text: str) -> None:
    assert setting_text(path, value) == text


# -- shortened names --------------------------------------------------------------------------------

NAME = RunName("CartPole, positions only", ("lr 1e-3",), ("seed 4",))


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (99, "CartPole, positions only · lr 1e-3 · seed 4"),
        (30, "CartPole… · lr 1e-3 · seed 4"),
        (20, "lr 1e-3 · seed 4"),
        (16, "lr 1e-3 · seed 4"),
        (15, "lr 1e-3 · se… 4"),
        (10, "…seed 4"),
        (6, "…se… 4"),
    ],
)
def test_the_title_of_a_name_gives_way_first_then_the_first_parts_and_a_number_keeps_its_word(
    room: int, text: str
) -> None:
    assert shortened(NAME, len, room) == text
    assert len(shortened(NAME, len, room)) <= room


TITLES = (
    "T-maze, 30 steps, long corridor",
    "T-maze, 50 steps, long corridor",
    "T-maze, 50 steps, wide corridor",
    "Catch",
)


@pytest.mark.parametrize("room", [30, 24, 18, 15])
def test_shortened_titles_keep_the_word_that_differs(room: int) -> None:
    kept = distinct_parts(TITLES)
    cut = [shortened(RunName(title), len, room, kept[title]) for title in TITLES]
    assert len(set(cut)) == len(TITLES)
    assert all(len(each) <= room for each in cut)
    assert "30" in cut[0] and "wide" in cut[2]


@given(st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=5), st.integers(0, 40))
def test_any_title_and_any_room(titles: list[str], room: int) -> None:
    kept = distinct_parts(titles)
    for title in titles:
        for name in (RunName(title), RunName(title, ("lr 1",), ("seed 2",))):
            assert len(shortened(name, len, room, kept[title])) <= max(room, 2)


WORDS = ("lr", "seed", "batch size", "γ", "n-step", "T-maze", "eval episodes")
NUMBERS = ("3", "4", "0.001", "0.003", "1e-3", "1.0001e-3", "10,000", "−2.5")
PAIRS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(NUMBERS)), min_size=1, max_size=3, unique_by=lambda part: part[0]
)


def has_bare_or_cut_number(text: str, whole: str) -> bool:
    """Whether a shortened name has a number that is cut, or whose word is gone though the whole name has one."""
    numbers = {token.rstrip(",") for token in whole.split(" ") if token.rstrip(",")[-1:].isdigit()}
    shown = re.split(r"[ ·]+", text)
    for before, token in zip(["", *shown], shown, strict=False):
        number = token.strip("…,")
        is_number = any(letter.isdigit() for letter in number)
        if is_number and (number not in numbers or not any(letter.isalpha() for letter in before)):
            return True
    return False


@given(PAIRS, PAIRS, st.integers(1, 50), st.sampled_from([" · ", ", ", " "]), st.booleans())
def test_a_number_of_a_shortened_name_is_whole_and_has_its_word(
    one: list[tuple[str, str]], other: list[tuple[str, str]], room: int, between: str, titled: bool
) -> None:
    texts = [tuple(" ".join(part) for part in parts) for parts in (one, other)]
    made = [RunName(between.join(each)) if titled else RunName("Maze", each) for each in texts]
    kept = distinct_parts(name.title for name in made)
    for name in made:
        text = shortened(name, len, room, kept[name.title])
        assert len(text) <= max(room, 1)
        assert not has_bare_or_cut_number(text, str(name)), text


@given(PAIRS, st.data())
def test_two_titles_that_differ_in_a_number_differ_when_shortened_and_name_it(
    parts: list[tuple[str, str]], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(parts) - 1))
    word, number = parts[at]
    changed = data.draw(st.sampled_from([each for each in NUMBERS if each != number]))
    titles = [
        ", ".join(" ".join(part) for part in each) for each in (parts, [*parts[:at], (word, changed), *parts[at + 1 :]])
    ]
    kept = distinct_parts(titles)
    room = len(f"…{word.split(' ')[-1]} {max(number, changed, key=len)}…")
    cut = [shortened(RunName(title), len, room, kept[title]) for title in titles]
    assert cut[0] != cut[1]
    for text, value in zip(cut, (number, changed), strict=True):
        assert f"{word.split(' ')[-1]} {value}" in text


@pytest.mark.parametrize(
    ("titles", "room", "texts"),
    [
        (("lr 0.001 · seed 3", "lr 0.003 · seed 3"), 10, ("lr 0.001…", "lr 0.003…")),
        (("lr 0.001 · seed 3", "lr 0.001 · seed 4"), 10, ("…seed 3", "…seed 4")),
        (("maze-lr0.001-seed3", "maze-lr0.001-seed4"), 12, ("maze…seed3", "maze…seed4")),
        (("Catch, lr=0.001, wide", "Catch, lr=0.003, wide"), 14, ("Catc…lr=0.001…", "Catc…lr=0.003…")),
        (("long maze A 1 x", "long maze A 1 y", "long maze A 2 x"), 6, ("…A 1 x", "…A 1 y", "…A 2 x")),
    ],
)
def test_shortened_titles(titles: tuple[str, ...], room: int, texts: tuple[str, ...]) -> None:
    kept = distinct_parts(titles)
    assert tuple(shortened(RunName(title), len, room, kept[title]) for title in titles) == texts


def test_many_titles_are_compared_quickly() -> None:
    titles = [
        f"T-maze, {steps} steps, lr {lr}, seed {seed}" for steps in range(20) for lr in range(10) for seed in range(10)
    ]
    began = time.perf_counter()
    kept = distinct_parts(titles)
    assert time.perf_counter() - began < 1.0
    assert all(title[slice(*kept[title][0])].startswith("seed") for title in titles)
