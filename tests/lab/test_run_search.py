"""The filter of the list of runs: numbers and dates are found as people type them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dqngui import config, settings
from dqngui.lab.library.run_search import SearchedRun, number_in, searched_words
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


def found(text: str) -> bool:
    experiment = settings.with_settings(config.Experiment(), {"run.seed": 7, "run.total_steps": 200_000})
    summary = msgspec.structs.replace(
        new_summary(experiment), step=20_009, best=-80.25, started="2026-05-20T12:30:05+00:00", state="finished"
    )
    return SearchedRun.of(summary, TEXTS).has_all(searched_words(text))


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
