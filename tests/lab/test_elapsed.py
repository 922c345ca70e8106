"""Seconds behind what is waited for."""

from __future__ import annotations

from dqngui.lab.background.elapsed import Elapsed
from dqngui.texts import say, words


def test_a_long_wait_counts_its_seconds_and_a_short_one_shows_none() -> None:
    elapsed, loading = Elapsed(), say("player.loading")
    shown = []
    for tenth in range(100, 150):
        if elapsed.follow(loading, tenth / 10):
            shown.append(words(elapsed.with_seconds(loading)))
    assert shown == ["Loading the agent… 2 s", "Loading the agent… 3 s", "Loading the agent… 4 s"]
    beginning = say("player.beginning")
    assert not elapsed.follow(beginning, 15.0) and elapsed.with_seconds(beginning) == beginning  # counted anew
    assert not elapsed.follow("", 60.0) and elapsed.with_seconds("") == ""
    assert elapsed.with_seconds(loading) == loading  # of something else
